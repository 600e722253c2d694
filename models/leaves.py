"""Raw scores by the leaves that rows reach: LightGBM's own to the last bit, and sooner.

LightGBM takes a row through all trees before it takes the next, and several hundred trees do not fit into the memory
nearest to a core. Here rows go through some of the trees at a time; what their leaves hold is added in the order of
the trees, as LightGBM adds it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from models.prediction import Floats, Matrix, sliced

_TREES = 128
"""Trees at a time: few enough to stay near, enough for asking again to cost little."""
_LEAF_VALUES = re.compile(r"^leaf_value=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Grove:
    """Some trees that follow one another. A booster of their own, since which trees a call asks for is kept in the
    booster, and calls run side by side."""

    booster: lightgbm.Booster
    values: tuple[Floats, ...]
    """Of the leaves, tree by tree."""

    def add(self, rows: Matrix, scores: Floats) -> None:
        """Add what the leaves hold that each row reaches, tree after tree."""
        held = np.empty(len(rows))
        for values, leaves in zip(self.values, self._reached(rows), strict=True):
            scores += values.take(leaves, out=held, mode="clip")

    def _reached(self, rows: Matrix) -> NDArray[np.intp]:
        """(trees, rows): the leaf of each tree that a row ends in."""
        found = self.booster.predict(rows, pred_leaf=True, num_threads=1)
        return np.ascontiguousarray(np.reshape(found, (len(rows), len(self.values))).T, dtype=np.intp)


@dataclass(frozen=True)
class Leaves:
    """All trees of a booster that gives one score a row."""

    groves: tuple[Grove, ...]

    @staticmethod
    def of(booster: lightgbm.Booster) -> "Leaves":
        return Leaves(tuple(_groves(booster)))

    def raw_scores(self, matrix: Matrix) -> Floats:
        """The sum of the leaves that each row reaches."""
        if not len(matrix):  # Of no rows, LightGBM cannot name the leaves.
            return np.zeros(0)
        return sliced(matrix, self._summed)

    def _summed(self, rows: Matrix) -> Floats:
        scores = np.zeros(len(rows))
        for grove in self.groves:
            grove.add(rows, scores)
        return scores


def _groves(booster: lightgbm.Booster) -> Iterator[Grove]:
    for first in range(0, booster.num_trees(), _TREES):
        text = booster.model_to_string(num_iteration=_TREES, start_iteration=first)
        values = (np.array(line.split(" "), dtype=np.float64) for line in _LEAF_VALUES.findall(text))
        yield Grove(lightgbm.Booster(model_str=text), tuple(values))

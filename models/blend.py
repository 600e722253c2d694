"""Blends: several boosted models whose log-odds are averaged, each stopped where held-out rows stop gaining.

The mean of log-odds is the logarithmic opinion pool (Genest and Zidek, 1986, Statistical Science 1(1)): members that
err in different ways cancel out, and a mean of confident members stays as sharp as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import lightgbm
import numpy as np
from numpy.typing import NDArray

from models import prediction

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]
Mask = NDArray[np.bool_]
Parameters = Mapping[str, float | int | str | bool]


@dataclass(frozen=True)
class Member:
    """One model of a blend: the blocks of columns it sees, and how it grows."""

    name: str
    blocks: tuple[str, ...]
    parameters: Parameters = field(default_factory=dict)

    def matrix(self, blocks: Mapping[str, Matrix]) -> Matrix:
        """Its columns side by side."""
        return np.column_stack([blocks[name] for name in self.blocks])


@dataclass(frozen=True)
class Rounds:
    """How long boosting goes on: at most `most`, until `patience` rounds in a row gain nothing on held-out rows."""

    most: int
    patience: int


def boost(
    matrix: Matrix,
    labels: Floats,
    train: Mask,
    stop: Mask,
    parameters: Parameters,
    rounds: Rounds,
    categories: Sequence[int] = (),
) -> lightgbm.Booster:
    """A booster fitted on `train`, stopped by the log loss of `stop`; `categories` are columns of codes."""
    data = lightgbm.Dataset(matrix[train], labels[train], categorical_feature=list(categories))
    held_out = lightgbm.Dataset(matrix[stop], labels[stop], reference=data)
    watch = lightgbm.early_stopping(rounds.patience, verbose=False)
    return lightgbm.train(dict(parameters), data, rounds.most, valid_sets=[held_out], callbacks=[watch])


def log_odds(booster: lightgbm.Booster, matrix: Matrix) -> Floats:
    """Raw scores of rows."""
    return prediction.raw_scores(booster, matrix)


def mean_log_odds(members: Sequence[Floats]) -> Floats:
    """The blend's raw score: the plain mean, since weights fitted on few days do not hold."""
    mean: Floats = np.mean(np.stack(members), axis=0)
    return mean

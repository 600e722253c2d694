"""Recall and precision at capacity of many sides on the same rows, with paired bootstrap draws; no other figure.

`measure` gives a side every figure of a calibrated model; here scores only rank, and only the head of a ranking is
looked at, so that ten lots of a lottery cost no more than they tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.measure import Measured
from models.datasets import Floats
from models.ranking import CAPACITIES

Rows = NDArray[np.int64]

DRAWS = 400
_HEAD = 2.0
"""How many times the largest capacity the head of a ranking holds: a draw's head reaches no further down."""


def measure(
    labels: Floats, scores: Mapping[str, Sequence[Floats]], seed: int, draws: int = DRAWS
) -> dict[str, Measured]:
    """`recall_at_k` and `precision_at_k` of each side with their draws, `auc` and `ap`; the mean over repetitions."""
    heads = {side: [_Head.of(each) for each in repetitions] for side, repetitions in scores.items()}
    once = np.ones(len(labels))
    is_adverse = labels > 0
    adverse = float(is_adverse.sum())
    values = {side: _mean([head.figures(labels, once, adverse) for head in each]) for side, each in heads.items()}
    drawn: dict[str, list[dict[str, float]]] = {side: [] for side in scores}
    for weights in _draws(len(labels), seed, draws):
        adverse = float(weights[is_adverse].sum())
        for side, each in heads.items():
            drawn[side].append(_mean([head.figures(labels, weights, adverse) for head in each]))
    return {
        side: Measured(
            values[side] | _whole(labels, scores[side]),
            {name: np.array([draw[name] for draw in drawn[side]]) for name in values[side]},
        )
        for side in scores
    }


def found_by(groups: pl.Series, scores: Sequence[Floats], percent: float) -> dict[str, float]:
    """Of the rows of each group the share among the first `percent` of all; rows of no group (null) fill places."""
    size = max(1, round(len(groups) * percent / 100))
    shares = [
        groups.to_frame("group")
        .with_columns(is_found=pl.Series(np.argsort(np.argsort(-each, kind="stable"), kind="stable") < size))
        .drop_nulls("group")
        .group_by("group")
        .agg(pl.col("is_found").mean())
        for each in scores
    ]
    return dict(pl.concat(shares).group_by("group").agg(pl.col("is_found").mean()).sort("group").iter_rows())


@dataclass(frozen=True)
class _Head:
    """The rows that a ranking puts first; the order of equals is that of the rows."""

    rows: Rows

    @staticmethod
    def of(scores: Floats) -> "_Head":
        reach = int(np.ceil(len(scores) * min(1.0, _HEAD * max(CAPACITIES) / 100)))
        return _Head(np.argsort(-scores, kind="stable")[: max(reach, 1)])

    def figures(self, labels: Floats, weights: Floats, adverse: float) -> dict[str, float]:
        """Figures of the rows drawn as often as `weights` say, `adverse` of them; a row at the edge counts in part."""
        weight = weights[self.rows]
        taken, found = np.cumsum(weight), np.cumsum(weight * labels[self.rows])
        result: dict[str, float] = {}
        for percent in CAPACITIES:
            size = max(1, round(len(labels) * percent / 100))
            last = min(int(np.searchsorted(taken, size)), len(taken) - 1)
            hits = found[last] - max(taken[last] - size, 0.0) * labels[self.rows[last]]
            result[f"recall_at_{percent}"] = float(hits / adverse) if adverse else 0.0
            result[f"precision_at_{percent}"] = float(hits / size)
        return result


def _draws(rows: int, seed: int, draws: int) -> Iterator[Floats]:
    """How often each row is drawn, each draw as many rows as there are: the same for every side."""
    generator = np.random.default_rng(seed)
    for _ in range(draws):
        yield np.bincount(generator.integers(0, rows, rows), minlength=rows).astype(np.float64)


def _whole(labels: Floats, scores: Sequence[Floats]) -> dict[str, float]:
    return _mean(
        [
            {"auc": float(roc_auc_score(labels, each)), "ap": float(average_precision_score(labels, each))}
            for each in scores
        ]
    )


def _mean(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: fmean(each[name] for each in figures) for name in figures[0]}

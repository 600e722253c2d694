"""The twin gate: test rows that have a near-identical row in training, and what is left of the figures without them.

Where data were resampled, or one consignment is declared item by item, a model that remembers looks like one that has
learnt. Two events are twins where they say the same of themselves, but for when: equal codes, and numbers nearer than a
hundredth of the spread that training rows have. What others know of them (their pasts) may differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.neighbors import KDTree

from features.views import Feature
from models import evaluation
from models.evaluation import Figure
from models.ranking import Ordering
from warehouse.errors import NotReady

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEAR = 0.01
"""Of the inter-quartile range."""
_APART = 1e9
"""Where a missing number lies: near other missing ones only."""
ENOUGH_ALONE = 15
"""Adverse rows without a twin, and harmless ones, from which more than chance can be said of them."""
_REPEATS = 200


@dataclass(frozen=True)
class Twins:
    """How many test rows have a twin in training, and the figures on those that have none."""

    rows: int
    with_twin: int
    without: Mapping[str, Figure]
    """Figures on the rows without a twin; none where their outcomes are of one kind."""
    flattery: Figure | None = None
    """By how much the AUC of all rows lies above that of the rows without a twin; none where these are too few."""

    @property
    def share(self) -> float:
        return self.with_twin / self.rows if self.rows else 0.0


def gate(
    train: pl.DataFrame,
    test: pl.DataFrame,
    own: Sequence[Feature],
    labels: Floats,
    probabilities: Floats,
    seed: int,
) -> Twins:
    """Count the twins of test rows, and judge the scores without them."""
    single = ~has_twin(train, test, own)
    try:
        without = evaluation.with_intervals(labels[single], probabilities[single], seed=seed)
    except NotReady:
        without = {}
    return Twins(len(single), int((~single).sum()), without, _flattery(labels, probabilities, single, seed))


def _flattery(labels: Floats, probabilities: Floats, single: Mask, seed: int) -> Figure | None:
    """All rows against those without a twin, on the same draws, so that noise that both share cancels out."""
    if min(labels[single].sum(), (1 - labels[single]).sum()) < ENOUGH_ALONE:
        return None
    ordering = Ordering(labels, probabilities)

    def gap(weights: Floats) -> float:
        return ordering.auc(weights) - ordering.auc(weights * single)

    draws = evaluation.resamples(labels, seed=seed, repeats=_REPEATS)
    drawn = [gap(np.bincount(rows, minlength=len(labels)).astype(np.float64)) for rows in draws]
    return Figure(gap(np.ones(len(labels))), *evaluation.interval(np.array(drawn)))


def has_twin(train: pl.DataFrame, test: pl.DataFrame, own: Sequence[Feature]) -> Mask:
    """Whether each test row has a twin among the training rows, by the features of its `own` and the context columns
    that both have."""
    codes = [one.name for one in own if one.is_category]
    numbers = [one.name for one in own if not one.is_category]
    if train.is_empty() or test.is_empty():
        return np.zeros(test.height, dtype=bool)
    scales = [_scale(train[name]) for name in numbers]
    kinds = _kinds(train, test, [*codes, *(name for name in _TOLD if name in train.columns and name in test.columns)])
    known, asked = (
        np.column_stack(
            [kind * 2.0, *(_scaled(rows[name], scale) for name, scale in zip(numbers, scales, strict=True))]
        )
        for rows, kind in ((train, kinds[: train.height]), (test, kinds[train.height :]))
    )
    # The greatest difference over all columns; kinds lie 2 apart, so that only equal ones are near.
    distances, _ = KDTree(known, metric="chebyshev").query(asked, k=1)
    near: Mask = distances[:, 0] <= 1.0 + 1e-9
    return near


_TOLD = ("hs_code",)
"""Columns beside the features that say what the event is about."""


def _kinds(train: pl.DataFrame, test: pl.DataFrame, codes: Sequence[str]) -> Floats:
    """A number for each combination of codes, training rows first."""
    both = pl.concat([train.select(codes), test.select(codes)], how="vertical_relaxed")
    if not codes:
        return np.zeros(train.height + test.height)
    return both.select(pl.struct(codes).rank("dense")).to_series().cast(pl.Float64).to_numpy()


def _scale(values: pl.Series) -> float:
    """The difference up to which two values are near; next to none where most are equal."""
    low, high = values.quantile(0.25), values.quantile(0.75)
    spread = 0.0 if low is None or high is None else float(high) - float(low)
    return max(NEAR * spread, 1e-9)


def _scaled(values: pl.Series, scale: float) -> Floats:
    return (values.cast(pl.Float64) / scale).fill_nan(None).fill_null(_APART / scale).to_numpy()

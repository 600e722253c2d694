"""Cells: each feature's values sorted into few classes, and how many events of each day fall in each.

The classes are learnt from reference rows and then stand, so that days can be compared by counts alone. A number is
parted at values that are spread evenly over its events and over its range, a category into its most frequent values and
one cell for all others, new ones among them; what is missing has a cell of its own, the last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PARTS = 10
"""Parts of equal events, and as many of equal width, that a number's cells come from."""
WIDTH = 2 * _PARTS + 3
"""Cells of any feature, that of missing values among them; not all need be in use."""
_MISSING = WIDTH - 1
_VALUES = _PARTS - 1
"""Categories that have a cell of their own."""
_ENDS = (0.01, 0.99)
"""Beyond these shares of the reference a number is only far out, however far."""


@dataclass(frozen=True)
class Parted:
    """A number's cells part at `edges`, rising; `spread` is the reference's standard deviation between its ends."""

    edges: Floats
    spread: float


@dataclass(frozen=True)
class Cells:
    """The cells of every feature: how a number is parted, and which categories have one of their own."""

    numbers: Mapping[str, Parted]
    categories: Mapping[str, tuple[str, ...]]

    @property
    def features(self) -> tuple[str, ...]:
        return (*self.numbers, *self.categories)

    def codes(self, rows: pl.DataFrame) -> Ints:
        """The cell of each row's value, one column a feature."""
        numbers = [_of_number(rows[name], parted.edges) for name, parted in self.numbers.items()]
        categories = [_of_category(rows[name], frequent) for name, frequent in self.categories.items()]
        every = [*numbers, *categories]
        return np.stack(every, axis=1) if every else np.zeros((rows.height, 0), dtype=np.int64)


def _of_number(values: pl.Series, edges: Floats) -> Ints:
    numbers = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    cells = np.searchsorted(edges, numbers, side="left")
    return np.where(np.isnan(numbers), _MISSING, cells).astype(np.int64)


def _of_category(values: pl.Series, frequent: Sequence[str]) -> Ints:
    codes = {value: code for code, value in enumerate(frequent, start=1)}
    cells = values.cast(pl.String).replace_strict(codes, default=0, return_dtype=pl.Int64)
    return np.where(values.is_null().to_numpy(), _MISSING, cells.to_numpy()).astype(np.int64)


def learn(reference: pl.DataFrame, numbers: Sequence[str], categories: Sequence[str]) -> Cells:
    """The cells of these columns of the reference."""
    return Cells(
        {name: _parted(reference[name]) for name in numbers}, {name: _frequent(reference[name]) for name in categories}
    )


def _parted(values: pl.Series) -> Parted:
    known = values.cast(pl.Float64).drop_nulls().drop_nans().to_numpy()
    if not len(known):
        return Parted(np.zeros(1), 1.0)
    low, high = np.quantile(known, _ENDS, method="lower")
    evenly = np.quantile(known, np.arange(1, _PARTS) / _PARTS, method="lower")
    edges = np.unique(np.concatenate([np.linspace(low, high, _PARTS + 1), evenly]))
    return Parted(edges, float(np.clip(known, low, high).std()) or 1.0)


def _frequent(values: pl.Series) -> tuple[str, ...]:
    counted = values.cast(pl.String).drop_nulls().value_counts()
    ranked = counted.sort(["count", values.name], descending=[True, False])
    return tuple(ranked.head(_VALUES)[values.name])


@dataclass(frozen=True)
class Counts:
    """Events by day, feature and cell, of every calendar day from the first to the last."""

    days: tuple[date, ...]
    cells: Cells
    events: Ints
    """(days, features, cells)."""


def count(rows: pl.DataFrame, cells: Cells, day: str) -> Counts:
    """The counts of rows by their column `day`; of no rows no days."""
    if rows.is_empty():
        return Counts((), cells, np.zeros((0, len(cells.features), WIDTH), dtype=np.int64))
    first, last = rows[day].min(), rows[day].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    days = (last - first).days + 1
    place = (rows[day] - first).dt.total_days().to_numpy()
    codes = cells.codes(rows)
    events = np.zeros((days, codes.shape[1], WIDTH), dtype=np.int64)
    for feature in range(codes.shape[1]):
        counted = np.bincount(place * WIDTH + codes[:, feature], minlength=days * WIDTH)
        events[:, feature] = counted.reshape(days, WIDTH)
    return Counts(tuple(first + timedelta(days=step) for step in range(days)), cells, events)

"""The point-in-time engine: for each event, a view's values as known strictly before it.

A row of history counts for an event at time t if it became usable (happened *and* was known) before t; in a
window of d days, if it became usable in [t - d, t). A corrected row is taken back at the moment of its
correction. Rows usable at exactly t, the event itself among them, do not count.

History is laid out by (entity, time), so that "before t" is one binary search, and a windowed sum is the
difference of two running sums. Values are summed as integers (millionths), which makes every sum exact: a
backfill and a daily run agree to the last bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.views import Aggregation, FeatureView, Kind

USABLE_AT = "usable_at"
"""When a row of history may first be used."""
SIGN = "sign"
"""+1 when a row begins to count, -1 when a correction takes it back."""
EVENT_AT = "event_at"
PRIOR_OF = "jurisdiction"
"""Rates are drawn to the rate of all entities of the event's own jurisdiction."""

_MICRO = 1_000_000
_US_A_DAY = 86_400_000_000
_TIME_BITS = 32
_LEAST_ROWS = 3

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Layout:
    """History sorted by (entity, time), and where each event's entity begins in it."""

    rows: pl.DataFrame
    keys: Ints
    times: Ints
    codes: Ints
    """Entity code of each event; -1 where the entity is null or has no history."""

    def before(self, moments: Ints) -> Ints:
        """For each event, how many rows lie before (its entity, moment) in the layout."""
        rank = np.searchsorted(self.times, moments, side="left")
        return np.searchsorted(self.keys, (self.codes << _TIME_BITS) | rank, side="left")

    def start(self) -> Ints:
        """For each event, where its entity's rows begin."""
        return np.searchsorted(self.keys, self.codes << _TIME_BITS, side="left")

    def running(self, values: Ints) -> Ints:
        """Running sums with a leading zero, times the sign of each row."""
        signed = values * self.rows[SIGN].to_numpy()
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(signed, dtype=np.int64)])


def compute(view: FeatureView, events: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """The view's features for each event, one row an event in the order of `events`.

    `events` has the view's entity columns and `event_at`; `history` the entity columns of the source,
    `usable_at`, `sign`, `event_at` and the columns that the aggregations name.
    """
    moments = _microseconds(events[EVENT_AT])
    layout = _lay_out(events.select(view.entity), history, view.keys_in_source)
    everyone: _Layout | None = None
    if any(aggregation.kind is Kind.RATE for aggregation in view.aggregations):
        everyone = _lay_out(events.select(PRIOR_OF), history, (PRIOR_OF,))
    values = {
        aggregation.name: _aggregate(aggregation, layout, everyone, moments, events)
        for aggregation in view.aggregations
    }
    return pl.DataFrame(values, nan_to_null=True)


def _lay_out(entities: pl.DataFrame, history: pl.DataFrame, keys: Sequence[str]) -> _Layout:
    wanted = entities.rename(dict(zip(entities.columns, keys, strict=True)))
    distinct = wanted.unique().drop_nulls().with_row_index("code").with_columns(pl.col("code").cast(pl.Int64))
    codes = wanted.join(distinct, on=list(keys), how="left", maintain_order="left")["code"].fill_null(-1)
    known = history.join(distinct, on=list(keys), how="inner")
    rows = known.sort("code", USABLE_AT)
    usable = _microseconds(rows[USABLE_AT])
    times = np.unique(usable)
    rank = np.searchsorted(times, usable, side="left")
    return _Layout(rows, (rows["code"].to_numpy() << _TIME_BITS) | rank, times, codes.to_numpy())


def _aggregate(
    aggregation: Aggregation, layout: _Layout, everyone: _Layout | None, moments: Ints, events: pl.DataFrame
) -> Floats:
    match aggregation.kind:
        case Kind.COUNT:
            return _window_sum(layout, moments, aggregation.window_days, _ones(layout)).astype(np.float64)
        case Kind.SUM:
            return _window_sum(layout, moments, aggregation.window_days, _fixed(layout, aggregation)) / _MICRO
        case Kind.MEAN:
            return _mean(layout, moments, aggregation)
        case Kind.RATE:
            assert everyone is not None
            return _rate(layout, everyone, moments, aggregation)
        case Kind.DEVIATION:
            return _deviation(layout, moments, aggregation, events)
        case Kind.DISTINCT:
            return _distinct(layout, moments, aggregation)
        case Kind.DAYS_SINCE_LAST:
            return _days_since(layout, moments, lambda times: times.cum_max())
        case Kind.DAYS_SINCE_FIRST:
            return _days_since(layout, moments, lambda times: times.cum_min())


def _window_sum(layout: _Layout, moments: Ints, window_days: int | None, values: Ints) -> Ints:
    running = layout.running(values)
    low = layout.start() if window_days is None else layout.before(moments - window_days * _US_A_DAY)
    return running[layout.before(moments)] - running[low]


def _ones(layout: _Layout) -> Ints:
    return np.ones(layout.rows.height, np.int64)


def _present(layout: _Layout, aggregation: Aggregation) -> Ints:
    return layout.rows[_column(aggregation)].is_not_null().to_numpy().astype(np.int64)


def _fixed(layout: _Layout, aggregation: Aggregation, *, power: int = 1) -> Ints:
    """The column in millionths, nulls as zero."""
    values = layout.rows[_column(aggregation)].cast(pl.Float64).fill_null(0.0).to_numpy()
    fixed: Ints = np.rint(values**power * _MICRO).astype(np.int64)
    return fixed


def _mean(layout: _Layout, moments: Ints, aggregation: Aggregation) -> Floats:
    count = _window_sum(layout, moments, aggregation.window_days, _present(layout, aggregation))
    total = _window_sum(layout, moments, aggregation.window_days, _fixed(layout, aggregation)) / _MICRO
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _rate(layout: _Layout, everyone: _Layout, moments: Ints, aggregation: Aggregation) -> Floats:
    days = aggregation.window_days
    hits = _window_sum(layout, moments, days, _fixed(layout, aggregation)) / _MICRO
    count = _window_sum(layout, moments, days, _present(layout, aggregation))
    prior = _mean(everyone, moments, aggregation)
    weight = aggregation.prior_weight
    return np.where(layout.codes >= 0, (hits + weight * prior) / (count + weight), np.nan)


def _deviation(layout: _Layout, moments: Ints, aggregation: Aggregation, events: pl.DataFrame) -> Floats:
    days = aggregation.window_days
    count = _window_sum(layout, moments, days, _present(layout, aggregation))
    total = _window_sum(layout, moments, days, _fixed(layout, aggregation)) / _MICRO
    squares = _window_sum(layout, moments, days, _fixed(layout, aggregation, power=2)) / _MICRO
    safe = np.maximum(count, 1)
    mean = total / safe
    spread = np.sqrt(np.maximum(squares / safe - mean**2, 0.0)) + 0.05
    own = events[_column(aggregation)].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(count >= _LEAST_ROWS, (own - mean) / spread, np.nan)


def _distinct(layout: _Layout, moments: Ints, aggregation: Aggregation) -> Floats:
    column = _column(aggregation)
    first = layout.rows.select(
        pl.struct("code", column).is_first_distinct() & pl.col(column).is_not_null() & (pl.col(SIGN) > 0)
    ).to_series()
    return _window_sum(layout, moments, None, first.to_numpy().astype(np.int64)).astype(np.float64)


def _days_since(layout: _Layout, moments: Ints, running: Callable[[pl.Expr], pl.Expr]) -> Floats:
    if layout.rows.is_empty():
        return np.full(moments.shape, np.nan)
    at = layout.rows.select(running(pl.col(EVENT_AT).dt.epoch("us")).over("code")).to_series().to_numpy()
    end = layout.before(moments)
    found = end > layout.start()
    return np.where(found, (moments - at[np.maximum(end - 1, 0)]) / _US_A_DAY, np.nan)


def _column(aggregation: Aggregation) -> str:
    assert aggregation.column is not None
    return aggregation.column


def _microseconds(times: pl.Series) -> Ints:
    microseconds: Ints = times.dt.epoch("us").to_numpy()
    return microseconds

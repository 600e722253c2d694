"""The point-in-time engine: for each event, a view's values as known strictly before it.

A row of history counts for an event at time t if it became usable (happened *and* was known) before t; in a
window of d days, if it became usable in [t - d, t). A corrected row is taken back at the moment of its
correction, if it still counts then. Rows usable at exactly t, the event itself among them, do not count.

History is laid out by (entity, time), so that "before t" is one binary search, and a windowed sum is the
difference of two running sums. Values are summed as integers (millionths), which makes every sum exact: a
backfill and a daily run agree to the last bit.
"""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.views import PRIOR_OF, Aggregation, FeatureView, Kind

USABLE_AT = "usable_at"
"""When a row of history may first be used, or is taken back."""
BEGAN_AT = "began_at"
"""When what the row speaks of could first be used: `usable_at` itself, unless the row takes something back."""
SIGN = "sign"
"""+1 when a row begins to count, -1 when a correction takes it back."""
EVENT_AT = "event_at"

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
    """Entity code of each event; -1 where the entity is null."""

    def before(self, moments: Ints) -> Ints:
        """For each event, how many rows lie before (its entity, moment) in the layout."""
        rank = np.searchsorted(self.times, moments, side="left")
        return np.searchsorted(self.keys, (self.codes << _TIME_BITS) | rank, side="left")

    def by_beginning(self) -> "tuple[_Layout, Ints]":
        """The layout by when rows began to count, and where its rows stand in this one."""
        order = np.lexsort((_microseconds(self.rows[BEGAN_AT]), self.rows["code"].to_numpy()))
        return _laid(self.rows[order], BEGAN_AT, self.codes), order

    def start(self) -> Ints:
        """For each event, where its entity's rows begin."""
        return np.searchsorted(self.keys, self.codes << _TIME_BITS, side="left")

    @property
    def signs(self) -> Ints:
        signs: Ints = self.rows[SIGN].to_numpy()
        return signs


def compute(view: FeatureView, events: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """The view's features for each event, one row an event in the order of `events`.

    `events` has the view's entity columns and `event_at`; `history` the entity columns of the source,
    `usable_at`, `began_at`, `sign`, `event_at` and the columns that the aggregations name.
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
    return _laid(known.sort("code", USABLE_AT), USABLE_AT, codes.to_numpy())


def _laid(rows: pl.DataFrame, time: str, codes: Ints) -> _Layout:
    """The layout of rows that are sorted by code and `time`."""
    at = _microseconds(rows[time])
    times = np.unique(at)
    rank = np.searchsorted(times, at, side="left")
    return _Layout(rows, (rows["code"].to_numpy() << _TIME_BITS) | rank, times, codes)


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
        case Kind.GAP:
            return _own(aggregation, events) - _mean(layout, moments, aggregation)
        case Kind.DISTINCT:
            return _distinct(layout, moments, aggregation)
        case Kind.DAYS_SINCE_LAST:
            return _days_since(layout, moments, is_last=True)
        case Kind.DAYS_SINCE_FIRST:
            return _days_since(layout, moments, is_last=False)


def _window_sum(layout: _Layout, moments: Ints, window_days: int | None, values: Ints) -> Ints:
    signed = values * layout.signs
    if window_days is None:
        return _since_start(layout, moments, signed)
    span = window_days * _US_A_DAY
    taken_back = layout.signs < 0
    if not taken_back.any():
        running = _running(signed)
        return running[layout.before(moments)] - running[layout.before(moments - span)]
    # What had left the window before its correction must not be taken from it a second time.
    counted = _microseconds(layout.rows[USABLE_AT]) - _microseconds(layout.rows[BEGAN_AT]) < span
    signed = np.where(taken_back & ~counted, 0, signed)
    begun, order = layout.by_beginning()
    return _running(signed)[layout.before(moments)] - _running(signed[order])[begun.before(moments - span)]


def _since_start(layout: _Layout, moments: Ints, values: Ints) -> Ints:
    running = _running(values)
    return running[layout.before(moments)] - running[layout.start()]


def _running(values: Ints) -> Ints:
    """Running sums with a leading zero."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)])


def _ones(layout: _Layout) -> Ints:
    return np.ones(layout.rows.height, np.int64)


def _present(layout: _Layout, aggregation: Aggregation) -> Ints:
    return _values(layout, aggregation).is_not_null().to_numpy().astype(np.int64)


def _fixed(layout: _Layout, aggregation: Aggregation, *, power: int = 1) -> Ints:
    """The column in millionths, nulls as zero."""
    values = _values(layout, aggregation).fill_null(0.0).to_numpy()
    fixed: Ints = np.rint(values**power * _MICRO).astype(np.int64)
    return fixed


def _values(layout: _Layout, aggregation: Aggregation) -> pl.Series:
    """The column as numbers; what is no finite number counts as missing."""
    values = layout.rows[_column(aggregation)].cast(pl.Float64)
    return values.set(~values.is_finite(), None)


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
    return np.where(count >= _LEAST_ROWS, (_own(aggregation, events) - mean) / spread, np.nan)


def _own(aggregation: Aggregation, events: pl.DataFrame) -> Floats:
    own: Floats = events[_column(aggregation)].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return own


def _distinct(layout: _Layout, moments: Ints, aggregation: Aggregation) -> Floats:
    """Values held by at least one row: a value comes with its first row and goes when the last is taken back."""
    column = pl.col(_column(aggregation))
    holds = pl.col(SIGN).cum_sum().over("code", _column(aggregation)) > 0
    held = (pl.col(SIGN).cum_sum().over("code", _column(aggregation)) - pl.col(SIGN)) > 0
    change = holds.cast(pl.Int64) - held.cast(pl.Int64)
    changes = layout.rows.select(pl.when(column.is_not_null()).then(change).otherwise(0).alias("change"))["change"]
    return _since_start(layout, moments, changes.to_numpy()).astype(np.float64)


def _days_since(layout: _Layout, moments: Ints, *, is_last: bool) -> Floats:
    if layout.rows.is_empty():
        return np.full(moments.shape, np.nan)
    times = pl.col(EVENT_AT).dt.epoch("us")
    extremes = layout.rows.select((times.cum_max() if is_last else times.cum_min()).over("code"))
    at: Floats = extremes.to_series().to_numpy().astype(np.float64)
    codes = layout.rows["code"].to_numpy()
    mended = np.isin(codes, codes[layout.signs < 0])
    if mended.any():
        occurred = _microseconds(layout.rows[EVENT_AT])
        at[mended] = _extremes(codes[mended], occurred[mended], layout.signs[mended], is_last=is_last)
    end = layout.before(moments)
    found = end > layout.start()
    return np.where(found, (moments - at[np.maximum(end - 1, 0)]) / _US_A_DAY, np.nan)


def _extremes(codes: Ints, times: Ints, signs: Ints, *, is_last: bool) -> Floats:
    """After each row, the last (or first) time among its entity's rows that are not taken back; NaN with none."""
    result = np.full(codes.shape, np.nan)
    direction = -1 if is_last else 1
    heap: list[int] = []
    gone: Counter[int] = Counter()
    entity = None
    for row, (code, time, sign) in enumerate(zip(codes.tolist(), times.tolist(), signs.tolist(), strict=True)):
        if code != entity:
            entity, heap, gone = code, [], Counter()
        if sign > 0:
            heapq.heappush(heap, direction * time)
        else:
            gone[direction * time] += 1
        while heap and gone[heap[0]]:
            gone[heapq.heappop(heap)] -= 1
        if heap:
            result[row] = direction * heap[0]
    return result


def _column(aggregation: Aggregation) -> str:
    assert aggregation.column is not None
    return aggregation.column


def _microseconds(times: pl.Series) -> Ints:
    microseconds: Ints = times.dt.epoch("us").to_numpy()
    return microseconds

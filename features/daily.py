"""A view's features for the events of one day, from its state at that midnight: what `features.windows` gives for the
whole history, to the last bit, at the cost of the day.

What an event at t sees in a window of d days is what the window held at midnight, and what became usable since, less
what began in [midnight - d, t - d). Distinct counts and times since are given to `windows` itself, with a history that
is shorter and means the same.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features import conditions, spread, windows
from features.tiles import (
    ENTITY,
    ROWS,
    Leaving,
    State,
    edges_of,
    entity_key,
    held_columns,
    lanes,
    measure,
    measures,
    midnight,
    tile,
    value_key,
)
from features.views import Aggregation, FeatureView, Kind
from features.windows import BEGAN_AT, EVENT_AT, SIGN, USABLE_AT

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_MICRO = 1_000_000
_US_A_DAY = 86_400_000_000
_TIME_BITS = 32
_LEAST_ROWS = 3
_SINCE = {1: Kind.DAYS_SINCE_LAST, -1: Kind.DAYS_SINCE_FIRST}


def compute(
    view: FeatureView,
    state: State,
    events: pl.DataFrame,
    rows: pl.DataFrame,
    leaving: Leaving,
    priors: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row an event in the order of `events`, all of the state's day; `rows` became usable on that day.

    `priors` are the values of `tiles.prior_of(view)`, where it has one.
    """
    rows = conditions.kept(rows, view.where)
    keys = events.select(entity_key(view.entity))
    today = tile(view, rows)
    sums = _sums(view, state, keys[ENTITY], _microseconds(events[EVENT_AT]), today, leaving)
    values: dict[str, pl.Series | Floats] = {}
    for one in view.aggregations:
        if one.kind is Kind.RATE:
            assert priors is not None
            values[one.name] = _rate(one, sums, priors[one.name].fill_null(np.nan).to_numpy(), keys[ENTITY])
        elif one.kind in (Kind.DISTINCT, *_SINCE.values()):
            values[one.name] = pl.Series(one.name, [], pl.Float64)  # Keeps the order of the view.
        else:
            values[one.name] = _finished(one, sums, events)
    moments = keys.with_columns(events[EVENT_AT])
    values.update(_distinct(view, state, moments, rows))
    values.update(_since(view, state, moments, today))
    return pl.DataFrame(values, nan_to_null=True)


class _Sums(dict[tuple[str, int | None], Ints]):
    """What each event sees of each lane."""

    def of(self, name: str, aggregation: Aggregation) -> Ints:
        return self[measure(name, aggregation), aggregation.window_days]


def _sums(
    view: FeatureView, state: State, entities: pl.Series, moments: Ints, today: pl.DataFrame, leaving: Leaving
) -> _Sums:
    coded = pl.DataFrame({ENTITY: entities.unique().drop_nulls()}).with_row_index("code")
    coded = coded.with_columns(pl.col("code").cast(pl.Int64))
    codes = pl.DataFrame({ENTITY: entities}).join(coded, on=ENTITY, how="left", maintain_order="left")
    asked = codes["code"].fill_null(-1).to_numpy()
    base = coded.join(state.sums, on=ENTITY, how="left", maintain_order="left").fill_null(0)
    here = today.join(coded, on=ENTITY, how="inner")
    names = measures(view)
    at, began = _microseconds(here[USABLE_AT]), _microseconds(here[BEGAN_AT])
    matrix = here.select(names).to_numpy().astype(np.int64)
    code = here["code"].to_numpy()
    come: dict[int | None, Ints] = {}
    start = _microseconds(pl.Series([midnight(state.day)]))[0]
    for days in {lane.window_days for lane in lanes(view)}:
        if days is None:
            come[days] = _before(code, at, matrix, asked, moments)
            continue
        span = days * _US_A_DAY
        counted = at - began < span
        come[days] = _before(code[counted], at[counted], matrix[counted], asked, moments)
        gone = leaving.get(days, today.clear()).join(coded, on=ENTITY, how="inner")
        # What was taken back today may itself be of the day that leaves.
        late = counted & (began < start - span + _US_A_DAY)
        come[days] -= _before(
            np.concatenate([gone["code"].to_numpy(), code[late]]),
            np.concatenate([_microseconds(gone[BEGAN_AT]), began[late]]),
            np.concatenate([gone.select(names).to_numpy().astype(np.int64), matrix[late]]),
            asked,
            moments - span,
        )
    result = _Sums()
    for index, lane in enumerate(lanes(view)):
        held = np.append(base[str(index)].to_numpy(), 0)[asked] if base.height else np.zeros(asked.shape, np.int64)
        result[lane.measure, lane.window_days] = held + come[lane.window_days][:, names.index(lane.measure)]
    return result


def _before(codes: Ints, times: Ints, values: Ints, asked: Ints, moments: Ints) -> Ints:
    """For each event, the sums of the rows of its entity before its moment."""
    order = np.lexsort((times, codes))
    known = np.unique(times)
    keys = (codes[order] << _TIME_BITS) | np.searchsorted(known, times[order])
    running = np.concatenate([np.zeros((1, values.shape[1]), np.int64), np.cumsum(values[order], axis=0)])
    ends = np.searchsorted(keys, (asked << _TIME_BITS) | np.searchsorted(known, moments, side="left"), side="left")
    sums: Ints = running[ends] - running[np.searchsorted(keys, asked << _TIME_BITS, side="left")]
    return sums


def _finished(one: Aggregation, sums: _Sums, events: pl.DataFrame) -> Floats:
    match one.kind:
        case Kind.COUNT:
            return sums.of(ROWS, one).astype(np.float64)
        case Kind.SUM:
            return sums.of("fixed", one) / _MICRO
        case Kind.MEAN | Kind.SHARE:
            return _mean(one, sums)
        case Kind.STD:
            pieces = {name: sums.of(name, one) for name in spread.PIECES}
            return spread.std(sums.of("present", one), sums.of("fixed", one), pieces)
        case Kind.GAP:
            return _own(one, events) - _mean(one, sums)
        case _:
            return _deviation(one, sums, events)


def _mean(one: Aggregation, sums: _Sums) -> Floats:
    count = sums.of("present", one)
    return np.where(count > 0, sums.of("fixed", one) / _MICRO / np.maximum(count, 1), np.nan)


def _rate(one: Aggregation, sums: _Sums, prior: Floats, entities: pl.Series) -> Floats:
    hits, count = sums.of("fixed", one) / _MICRO, sums.of("present", one)
    drawn = (hits + one.prior_weight * prior) / (count + one.prior_weight)
    return np.where(entities.is_not_null().to_numpy(), drawn, np.nan)


def _deviation(one: Aggregation, sums: _Sums, events: pl.DataFrame) -> Floats:
    count = sums.of("present", one)
    safe = np.maximum(count, 1)
    mean = sums.of("fixed", one) / _MICRO / safe
    spread = np.sqrt(np.maximum(sums.of("squares", one) / _MICRO / safe - mean**2, 0.0)) + 0.05
    return np.where(count >= _LEAST_ROWS, (_own(one, events) - mean) / spread, np.nan)


def _own(one: Aggregation, events: pl.DataFrame) -> Floats:
    assert one.column is not None
    own: Floats = events[one.column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isinf(own), np.nan, own)


def _distinct(view: FeatureView, state: State, moments: pl.DataFrame, rows: pl.DataFrame) -> dict[str, pl.Series]:
    """Values that the entity held at midnight stand for the rows that held them."""
    made: dict[str, pl.Series] = {}
    asked = moments.select(ENTITY).unique()
    for column in held_columns(view):
        today = rows.select(entity_key(view.keys_in_source), value_key(column), USABLE_AT, BEGAN_AT, SIGN, EVENT_AT)
        today = today.join(asked, on=ENTITY, how="semi")
        lost = today.filter(pl.col(SIGN) < 0).group_by(ENTITY, "value").agg(lost=pl.len().cast(pl.Int64))
        held = state.held.filter(pl.col("column") == column).join(asked, on=ENTITY, how="semi")
        held = held.join(lost, on=[ENTITY, "value"], how="left")
        # No more rows than can be taken back today, and one.
        balance = pl.min_horizontal("balance", pl.col("lost").fill_null(0) + 1)
        past = _past(held.select(ENTITY, "value", balance=balance), state).with_columns(
            pl.lit(midnight(state.day)).cast(pl.Datetime("us", "UTC")).alias(EVENT_AT)
        )
        kinds = [
            replace(one, column="value")
            for one in view.aggregations
            if one.kind is Kind.DISTINCT and one.column == column
        ]
        made |= _in_windows(view, kinds, moments, pl.concat([past, today.select(past.columns)]))
    return made


def _since(view: FeatureView, state: State, moments: pl.DataFrame, today: pl.DataFrame) -> dict[str, pl.Series]:
    """The edges of the state stand for all rows that they lie beyond."""
    made: dict[str, pl.Series] = {}
    asked = moments.select(ENTITY).unique()
    here = today.join(asked, on=ENTITY, how="semi").filter(pl.col(ROWS) != 0)
    for edge in edges_of(view):
        known = state.edges.filter(pl.col("edge") == edge).join(asked, on=ENTITY, how="semi")
        at = (pl.col("at") * edge).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias(EVENT_AT)
        past = _past(known.select(ENTITY, at, "balance"), state)
        floors = known.group_by(ENTITY).agg(pl.col("floor").first())
        beyond = pl.col("floor").is_null() | (pl.col(EVENT_AT).dt.epoch("us") * edge > pl.col("floor"))
        since = (
            here.join(floors, on=ENTITY, how="left")
            .filter(beyond)
            .with_columns(pl.col(ROWS).sign().alias(SIGN), times=pl.col(ROWS).abs())
            .pipe(_repeated, "times")
        )
        kinds = [one for one in view.aggregations if one.kind is _SINCE[edge]]
        made |= _in_windows(view, kinds, moments, pl.concat([past, since.select(past.columns)]))
    return made


def _past(rows: pl.DataFrame, state: State) -> pl.DataFrame:
    """So many rows as `balance` says, that all came before the state's day."""
    before = pl.lit(midnight(state.day) - timedelta(microseconds=1)).cast(pl.Datetime("us", "UTC"))
    return _repeated(rows, "balance").with_columns(
        before.alias(USABLE_AT), before.alias(BEGAN_AT), pl.lit(1, pl.Int64).alias(SIGN)
    )


def _repeated(rows: pl.DataFrame, times: str) -> pl.DataFrame:
    return rows[np.repeat(np.arange(rows.height), rows[times].to_numpy())].drop(times)


def _in_windows(
    view: FeatureView, kinds: list[Aggregation], moments: pl.DataFrame, history: pl.DataFrame
) -> dict[str, pl.Series]:
    own = replace(view, entity=(ENTITY,), source_entity=(ENTITY,), aggregations=tuple(kinds), where=())
    return windows.compute(own, moments, history).to_dict()


def _microseconds(times: pl.Series) -> Ints:
    microseconds: Ints = times.dt.epoch("us").to_numpy()
    return microseconds

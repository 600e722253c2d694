"""A view's features for the events of one day, from its state at that midnight: what `features.windows` gives for the
whole history, to the last bit, at the cost of the day.

What an event at t sees in a window of d days is what the window held at midnight, and what became usable since, less
what began in [midnight - d, t - d). Distinct counts and times since are given to `windows` itself, with a history that
is shorter and means the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features import conditions, millionths, spread, windows
from features.lanes import ROWS, edges_of, held_columns, lanes, measure, measures
from features.millionths import MICRO
from features.tiles import ENTITY, Leaving, State, entity_key, midnight, tile, value_key
from features.views import Aggregation, FeatureView, Kind
from features.windows import BEGAN_AT, EVENT_AT, SIGN, USABLE_AT

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_US_A_DAY = 86_400_000_000
_TIME_BITS = 37
"""Microseconds of a day are below 2 to the power of it."""
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

    `priors` are the values of `lanes.prior_of(view)`, where it has one.
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
    start = _microseconds(pl.Series([midnight(state.day)]))[0]
    asked = _Asked(codes["code"].fill_null(coded.height).to_numpy(), moments - start, coded.height)
    base = coded.join(state.sums, on=ENTITY, how="left", maintain_order="left").fill_null(0)
    here = today.join(coded, on=ENTITY, how="inner")
    began_ago = _microseconds(here[USABLE_AT]) - _microseconds(here[BEGAN_AT])
    fresh, mended = here.filter(began_ago == 0), here.filter(began_ago != 0)
    ago = began_ago[began_ago != 0]
    result = _Sums()
    names = measures(view)
    come = dict(zip(names, asked.before(fresh, USABLE_AT, names, start).T, strict=True))
    for days in dict.fromkeys(lane.window_days for lane in lanes(view)):
        own = [(str(index), lane) for index, lane in enumerate(lanes(view)) if lane.window_days == days]
        wanted = list(dict.fromkeys(lane.measure for _, lane in own))
        change = dict.fromkeys(wanted, np.zeros(moments.shape, np.int64))
        taken = mended
        if days is not None:
            span = days * _US_A_DAY
            taken = mended.filter(ago < span)
            # What was taken back today may itself be of the day that leaves.
            late = taken.filter(_microseconds(taken[BEGAN_AT]) < start - span + _US_A_DAY)
            columns = [late.select("code", BEGAN_AT, *wanted)]
            if days in leaving:
                columns.append(leaving[days].join(coded, on=ENTITY, how="inner").select(columns[0].columns))
            less = asked.before(pl.concat(columns), BEGAN_AT, wanted, start - span)
            change = dict(zip(wanted, -less.T, strict=True))
        more = dict(zip(wanted, asked.before(taken, USABLE_AT, wanted, start).T, strict=True))
        for column, lane in own:
            name = lane.measure
            held = np.append(base[column].to_numpy(), 0)[asked.codes]
            result[name, days] = held + come[name] + more[name] + change[name]
    return result


class _Asked:
    """The events by entity and time of day, to be looked up among rows of this day, or of one that leaves."""

    def __init__(self, codes: Ints, of_day_us: Ints, kinds: int) -> None:
        self.codes, self._kinds = codes, kinds
        keys = (codes << _TIME_BITS) | of_day_us
        self._order = np.argsort(keys)
        self._keys = keys[self._order]

    def before(self, rows: pl.DataFrame, column: str, names: Sequence[str], start_us: int) -> Ints:
        """For each event, the sums of its entity's rows whose time is before its own; times count from `start_us`,
        and are of one day."""
        sums = np.zeros((self.codes.size, len(names)), np.int64)
        if not rows.height:
            return sums
        keys = (rows["code"].to_numpy() << _TIME_BITS) | (_microseconds(rows[column]) - start_us)
        order = np.argsort(keys)
        keys = keys[order]
        firsts = np.searchsorted(keys, np.arange(self._kinds + 1) << _TIME_BITS)
        ends = np.empty(self.codes.shape, np.int64)
        ends[self._order] = np.searchsorted(keys, self._keys)
        for index, name in enumerate(names):
            running = np.zeros(rows.height + 1, np.int64)
            np.cumsum(rows[name].to_numpy()[order], out=running[1:])
            sums[:, index] = running[ends] - running[firsts[self.codes]]
        return sums


def _finished(one: Aggregation, sums: _Sums, events: pl.DataFrame) -> Floats:
    match one.kind:
        case Kind.COUNT:
            return sums.of(ROWS, one).astype(np.float64)
        case Kind.SUM:
            return sums.of("fixed", one) / MICRO
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
    return np.where(count > 0, sums.of("fixed", one) / MICRO / np.maximum(count, 1), np.nan)


def _rate(one: Aggregation, sums: _Sums, prior: Floats, entities: pl.Series) -> Floats:
    hits, count = sums.of("fixed", one) / MICRO, sums.of("present", one)
    drawn = (hits + one.prior_weight * prior) / (count + one.prior_weight)
    return np.where(entities.is_not_null().to_numpy(), drawn, np.nan)


def _deviation(one: Aggregation, sums: _Sums, events: pl.DataFrame) -> Floats:
    count = sums.of("present", one)
    safe = np.maximum(count, 1)
    mean = sums.of("fixed", one) / MICRO / safe
    spread = np.sqrt(np.maximum(sums.of("squares", one) / MICRO / safe - mean**2, 0.0)) + 0.05
    return np.where(count >= _LEAST_ROWS, (_own(one, events) - mean) / spread, np.nan)


def _own(one: Aggregation, events: pl.DataFrame) -> Floats:
    assert one.column is not None
    return millionths.known(events[one.column])


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
        # When it began is not kept of the past: by when it happened, a correction finds what it takes back.
        history = pl.concat([past, since.select(past.columns)]).with_columns(pl.col(EVENT_AT).alias(BEGAN_AT))
        made |= _in_windows(view, kinds, moments, history)
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

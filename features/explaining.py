"""What stands behind one value of one event: the rows of history that counted, and those that did not and why.

It reads the rows of the entity one by one, as they are before they are laid out for the engine, and shares none of the
engine's shortcuts: so it also proves the engine right or wrong. It is for one event, and slow. No IO.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import polars as pl

from features import conditions
from features.millionths import GREATEST, MICRO
from features.spread import LEAST_ROWS_OF_A_SPREAD
from features.views import PRIOR_OF, Aggregation, FeatureView, Kind, Where

LEAST_ROWS = 3
LEAST_SPREAD = 0.05
US_A_DAY = 86_400_000_000

Row = Mapping[str, Any]


class Standing(StrEnum):
    """What a row of the entity's history is to the event."""

    COUNTS = "counts"
    OLDER = "before the window"
    APART = "does not meet the condition"
    CORRECTED = "corrected before"
    NOT_YET_KNOWN = "not yet known"
    NOT_YET_HAPPENED = "not yet happened"


@dataclass(frozen=True)
class Reading:
    """A row of history, and what it was to the event."""

    row: Row
    usable_at: datetime
    """When it had happened and was known."""
    until: datetime | None
    """When a correction or withdrawal took it back; None: it stands."""
    standing: Standing


@dataclass(frozen=True)
class Explanation:
    """A value and the rows behind it."""

    value: float | str | None
    """A text where the last value is of a category."""
    readings: tuple[Reading, ...]
    """The entity's rows in the order in which they became usable."""
    prior_rows: int | None = None
    """Of a rate: rows of the whole jurisdiction that it is drawn to."""
    prior: float | None = None

    def count(self, standing: Standing) -> int:
        return sum(reading.standing is standing for reading in self.readings)


def names_entity(view: FeatureView, event: Row) -> bool:
    """Whether the event has a value for each key column."""
    return all(event[name] is not None for name in view.entity)


def rows_of_entity(view: FeatureView, event: Row, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of a source (`event_at`, `known_at`, `superseded_at`, its columns) of the event's entity; none of a null."""
    return _where(rows, {key: event[name] for name, key in zip(view.entity, view.keys_in_source, strict=True)})


def rows_of_jurisdiction(event: Row, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of a source in the event's jurisdiction: what rates are drawn to."""
    return _where(rows, {PRIOR_OF: event[PRIOR_OF]})


def _where(rows: pl.LazyFrame, wanted: Row) -> pl.LazyFrame:
    if any(value is None for value in wanted.values()):
        return rows.clear()
    return rows.filter(pl.col(name) == value for name, value in wanted.items())


def explain(
    view: FeatureView, aggregation: Aggregation, event: Row, own: Sequence[Row], everyone: Sequence[Row] = ()
) -> Explanation:
    """The value of one feature of one event, from the rows of its entity, and for a rate those of its jurisdiction.

    `event` has `event_at`, the view's entity columns and, where the kind needs it, the aggregation's column.
    """
    if not names_entity(view, event):
        return Explanation(0.0 if aggregation.kind in (Kind.COUNT, Kind.SUM, Kind.DISTINCT) else None, ())
    where = conditions.conditions_of(view, aggregation)
    readings = _read(aggregation, where, event, own)
    counted = [reading.row for reading in readings if reading.standing is Standing.COUNTS]
    if aggregation.kind is not Kind.RATE:
        return Explanation(_value(aggregation, event, counted), readings)
    judged = [one.row for one in _read(aggregation, where, event, everyone) if one.standing is Standing.COUNTS]
    hits = measured(aggregation, judged)
    prior = sum(map(fixed, hits)) / MICRO / len(hits) if hits else None
    return Explanation(_drawn(aggregation, counted, prior), readings, len(hits), prior)


def _read(aggregation: Aggregation, where: tuple[Where, ...], event: Row, rows: Sequence[Row]) -> tuple[Reading, ...]:
    days = aggregation.days
    span = None if days is None else timedelta(microseconds=int(days * US_A_DAY))
    read = [_reading(span, where, event["event_at"], row) for row in rows]
    return tuple(sorted(read, key=lambda one: (one.usable_at, one.row["event_at"], one.until is None)))


def _reading(span: timedelta | None, where: tuple[Where, ...], moment: datetime, row: Row) -> Reading:
    usable_at = max(row["event_at"], row["known_at"])
    replaced_at = row["superseded_at"]
    until = None if replaced_at is None else max(row["event_at"], replaced_at)
    if row["event_at"] >= moment:
        standing = Standing.NOT_YET_HAPPENED
    elif usable_at >= moment:
        standing = Standing.NOT_YET_KNOWN
    elif until is not None and until < moment:
        standing = Standing.CORRECTED
    elif span is not None and usable_at < moment - span:
        standing = Standing.OLDER
    elif not conditions.meets(where, row):
        standing = Standing.APART
    else:
        standing = Standing.COUNTS
    return Reading(row, usable_at, until, standing)


def _value(aggregation: Aggregation, event: Row, counted: Sequence[Row]) -> float | str | None:
    match aggregation.kind:
        case Kind.COUNT:
            return float(len(counted))
        case Kind.DAYS_SINCE_LAST | Kind.DAYS_SINCE_FIRST:
            return _since(aggregation, event, [row["event_at"] for row in counted])
        case Kind.LAST:
            return _last(_column(aggregation), counted)
        case Kind.DISTINCT | Kind.ENTROPY | Kind.CONCENTRATION:
            return _spread(aggregation.kind, Counter(row[_column(aggregation)] for row in counted))
        case _:
            return _of_numbers(aggregation, event, measured(aggregation, counted))


def _of_numbers(aggregation: Aggregation, event: Row, values: list[float]) -> float | None:
    match aggregation.kind:
        case Kind.SUM:
            return sum(map(fixed, values)) / MICRO
        case Kind.MEAN | Kind.SHARE:
            return _mean(values)
        case Kind.STD:
            return _std(list(map(fixed, values)))
        case Kind.MIN:
            return min(values, default=None)
        case Kind.MAX:
            return max(values, default=None)
        case Kind.DEVIATION | Kind.GAP:
            return _against_usual(aggregation, event, values)
        case _:
            raise AssertionError(f"{aggregation.kind} is not of numbers, or drawn to its prior")


def _since(aggregation: Aggregation, event: Row, times: list[datetime]) -> float | None:
    if not times:
        return None
    seen = max(times) if aggregation.kind is Kind.DAYS_SINCE_LAST else min(times)
    span: timedelta = event["event_at"] - seen
    return span / timedelta(days=1)


def _last(column: str, counted: Sequence[Row]) -> float | str | None:
    held = [row for row in counted if _is_known(row[column])]
    if not held:
        return None
    value = max(held, key=lambda row: (row["event_at"], max(row["event_at"], row["known_at"]), row[column]))[column]
    return value if isinstance(value, str) else float(value)


def _is_known(value: Any) -> bool:
    return value is not None and (isinstance(value, str) or math.isfinite(value))


def _spread(kind: Kind, held: Counter[Any]) -> float | None:
    counts = [count for value, count in held.items() if value is not None]
    if kind is Kind.DISTINCT:
        return float(len(counts))
    rows = sum(counts)
    if not rows:
        return None
    if kind is Kind.CONCENTRATION:
        return sum(count * count for count in counts) / (rows * rows)
    return (rows * math.log2(rows) - math.fsum(count * math.log2(count) for count in counts)) / rows


def _std(whole: list[int]) -> float | None:
    if len(whole) < LEAST_ROWS_OF_A_SPREAD:
        return None
    total, squares = sum(whole), sum(value * value for value in whole)
    return math.sqrt(len(whole) * squares - total * total) / len(whole) / MICRO


def _drawn(aggregation: Aggregation, counted: Sequence[Row], prior: float | None) -> float | None:
    if prior is None:
        return None
    values, weight = measured(aggregation, counted), aggregation.prior_weight
    return (sum(map(fixed, values)) / MICRO + weight * prior) / (len(values) + weight)


def _against_usual(aggregation: Aggregation, event: Row, values: list[float]) -> float | None:
    own, usual = event[_column(aggregation)], _mean(values)
    if own is None or usual is None or not _is_measured(own):
        return None
    if aggregation.kind is Kind.GAP:
        return float(own) - usual
    if len(values) < LEAST_ROWS:
        return None
    return (float(own) - usual) / spread(values)


def spread(values: Sequence[float]) -> float:
    """What a deviation is measured by: the standard deviation, and a little, so that it is never 0."""
    usual = _mean(values) or 0.0
    squares = sum(fixed(value * value) for value in values) / MICRO / len(values)
    return math.sqrt(max(squares - usual * usual, 0.0)) + LEAST_SPREAD


def _mean(values: Sequence[float]) -> float | None:
    return sum(map(fixed, values)) / MICRO / len(values) if values else None


def measured(aggregation: Aggregation, rows: Sequence[Row]) -> list[float]:
    """The column's values that are numbers which can be measured."""
    if aggregation.holds is not None:
        held: list[Any] = [conditions.holds(aggregation.holds, row) for row in rows]
    else:
        held = [row[_column(aggregation)] for row in rows]
    numbers = [float(value) for value in held if value is not None]
    return [value for value in numbers if _is_measured(value)]


def _is_measured(value: float) -> bool:
    return abs(value) < GREATEST


def _column(aggregation: Aggregation) -> str:
    assert aggregation.column is not None
    return aggregation.column


def fixed(value: float) -> int:
    """Whole millionths."""
    return round(value * MICRO)

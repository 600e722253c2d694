"""What stands behind one value of one event: the rows of history that counted, and those that did not and why.

It reads the rows of the entity one by one, as they are before they are laid out for the engine, and shares none of the
engine's shortcuts: so it also proves the engine right or wrong. It is for one event, and slow. No IO.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import polars as pl

from features.views import PRIOR_OF, Aggregation, FeatureView, Kind

MILLIONTHS = 1_000_000
"""Sums are of whole millionths, and so exact (ADR 0006)."""
LEAST_ROWS = 3
LEAST_SPREAD = 0.05

Row = Mapping[str, Any]


class Standing(StrEnum):
    """What a row of the entity's history is to the event."""

    COUNTS = "counts"
    OLDER = "before the window"
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

    value: float | None
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
    readings = _read(aggregation, event, own)
    counted = [reading.row for reading in readings if reading.standing is Standing.COUNTS]
    if aggregation.kind is not Kind.RATE:
        return Explanation(_value(aggregation, event, counted), readings)
    judged = [one.row for one in _read(aggregation, event, everyone) if one.standing is Standing.COUNTS]
    hits = _values(aggregation, judged)
    prior = sum(map(_fixed, hits)) / MILLIONTHS / len(hits) if hits else None
    return Explanation(_drawn(aggregation, counted, prior), readings, len(hits), prior)


def _read(aggregation: Aggregation, event: Row, rows: Sequence[Row]) -> tuple[Reading, ...]:
    read = [_reading(aggregation.window_days, event["event_at"], row) for row in rows]
    return tuple(sorted(read, key=lambda one: (one.usable_at, one.row["event_at"], one.until is None)))


def _reading(window_days: int | None, moment: datetime, row: Row) -> Reading:
    usable_at = max(row["event_at"], row["known_at"])
    replaced_at = row["superseded_at"]
    until = None if replaced_at is None else max(row["event_at"], replaced_at)
    if row["event_at"] >= moment:
        standing = Standing.NOT_YET_HAPPENED
    elif usable_at >= moment:
        standing = Standing.NOT_YET_KNOWN
    elif until is not None and until < moment:
        standing = Standing.CORRECTED
    elif window_days is not None and usable_at < moment - timedelta(days=window_days):
        standing = Standing.OLDER
    else:
        standing = Standing.COUNTS
    return Reading(row, usable_at, until, standing)


def _value(aggregation: Aggregation, event: Row, counted: Sequence[Row]) -> float | None:
    times = [row["event_at"] for row in counted]
    match aggregation.kind:
        case Kind.COUNT:
            return float(len(counted))
        case Kind.SUM:
            return sum(map(_fixed, _values(aggregation, counted))) / MILLIONTHS
        case Kind.MEAN:
            return _mean(_values(aggregation, counted))
        case Kind.DEVIATION | Kind.GAP:
            return _against_usual(aggregation, event, _values(aggregation, counted))
        case Kind.DISTINCT:
            return float(len({row[_column(aggregation)] for row in counted} - {None}))
        case Kind.DAYS_SINCE_LAST:
            return _days(event["event_at"] - max(times)) if times else None
        case Kind.DAYS_SINCE_FIRST:
            return _days(event["event_at"] - min(times)) if times else None
        case Kind.RATE:
            raise AssertionError("a rate is drawn to its prior")


def _drawn(aggregation: Aggregation, counted: Sequence[Row], prior: float | None) -> float | None:
    if prior is None:
        return None
    values, weight = _values(aggregation, counted), aggregation.prior_weight
    return (sum(map(_fixed, values)) / MILLIONTHS + weight * prior) / (len(values) + weight)


def _against_usual(aggregation: Aggregation, event: Row, values: list[float]) -> float | None:
    own, usual = event[_column(aggregation)], _mean(values)
    if own is None or usual is None or not math.isfinite(own):
        return None
    if aggregation.kind is Kind.GAP:
        return float(own) - usual
    if len(values) < LEAST_ROWS:
        return None
    squares = sum(_fixed(value * value) for value in values) / MILLIONTHS / len(values)
    spread = math.sqrt(max(squares - usual * usual, 0.0)) + LEAST_SPREAD
    return (float(own) - usual) / spread


def _mean(values: Sequence[float]) -> float | None:
    return sum(map(_fixed, values)) / MILLIONTHS / len(values) if values else None


def _values(aggregation: Aggregation, rows: Sequence[Row]) -> list[float]:
    """The column's values that are finite numbers."""
    held = [row[_column(aggregation)] for row in rows]
    numbers = [float(value) for value in held if value is not None]
    return [value for value in numbers if math.isfinite(value)]


def _column(aggregation: Aggregation) -> str:
    assert aggregation.column is not None
    return aggregation.column


def _fixed(value: float) -> int:
    return round(value * MILLIONTHS)


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)

"""The point-in-time engine's brute-force twin: the same features, by reading rows one by one in plain Python."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from facts import Event, Row

from features.millionths import GREATEST
from features.views import Aggregation, Kind, Where


def is_met(where: Where, row: Row) -> bool | None:
    """Whether a row meets a condition; None where it does not say."""
    value = getattr(row, where.column)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if where.among:
        return value in where.among
    return (where.at_least is None or value >= where.at_least) and (where.below is None or value < where.below)


def twin(event: Event, history: Sequence[Row], aggregation: Aggregation) -> float | str | None:
    """The same feature, by reading every row of the history once for this one event."""
    column = aggregation.column
    counting = [
        row
        for row in history
        if row.counts_at(event.event_at, aggregation) and all(is_met(one, row) for one in aggregation.where)
    ]
    own = [row for row in counting if event.importer is not None and row.importer == event.importer]
    if aggregation.holds is not None:
        return mean([float(met) for row in own if (met := is_met(aggregation.holds, row)) is not None])
    is_held = is_known if aggregation.kind is Kind.LAST else is_measured
    known = [row for row in own if column and is_held(getattr(row, column))]
    values = [getattr(row, column) for row in known if column]
    match aggregation.kind:
        case Kind.COUNT:
            return float(len(own))
        case Kind.RATE:
            everyone = [r.is_adverse for r in counting if r.jurisdiction == event.jurisdiction]
            prior = mean([value for value in everyone if value is not None])
            if event.importer is None or prior is None:
                return None
            weight = aggregation.prior_weight
            return (sum(values) + weight * prior) / (len(values) + weight)
        case Kind.LAST:
            last = max(known, key=lambda r: (r.event_at, r.begins, getattr(r, str(column))), default=None)
            return None if last is None else getattr(last, str(column))
        case Kind.DAYS_SINCE_LAST:
            return (event.event_at - max(r.event_at for r in own)) / timedelta(days=1) if own else None
        case Kind.DAYS_SINCE_FIRST:
            return (event.event_at - min(r.event_at for r in own)) / timedelta(days=1) if own else None
        case Kind.DISTINCT | Kind.ENTROPY | Kind.CONCENTRATION:
            return spread(aggregation.kind, values)
        case _:
            return of_numbers(aggregation.kind, event, values)


def of_numbers(kind: Kind, event: Event, values: list[float]) -> float | None:
    usual, own = mean(values), event.value if is_measured(event.value) else None
    match kind:
        case Kind.SUM:
            return math.fsum(values)
        case Kind.MEAN | Kind.SHARE:
            return usual
        case Kind.STD:
            return statistics.pstdev(values) if len(values) >= 2 else None
        case Kind.MIN:
            return min(values, default=None)
        case Kind.MAX:
            return max(values, default=None)
        case Kind.DEVIATION:
            if len(values) < 3 or own is None or usual is None:
                return None
            return (own - usual) / (statistics.pstdev(values) + 0.05)
        case Kind.GAP:
            return own - usual if own is not None and usual is not None else None
        case _:
            raise AssertionError(kind)


def spread(kind: Kind, values: list[Any]) -> float | None:
    shares = [values.count(value) / len(values) for value in set(values)]
    if kind is Kind.DISTINCT:
        return float(len(shares))
    if not values:
        return None
    if kind is Kind.CONCENTRATION:
        return math.fsum(share * share for share in shares)
    return -math.fsum(share * math.log2(share) for share in shares)


def mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def is_known(value: float | str | None) -> bool:
    return value is not None and (isinstance(value, str) or math.isfinite(value))


def is_measured(value: float | str | None) -> bool:
    return is_known(value) and (isinstance(value, str) or abs(value or 0.0) < GREATEST)


def agree(found: float | str | None, expected: float | str | None, *, tolerance: float = 1e-9) -> bool:
    if found is None or expected is None:
        return found is expected
    if isinstance(found, str) or isinstance(expected, str):
        return found == expected
    return math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)

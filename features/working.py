"""How a value follows from the rows that count, in figures that a reader can work through by hand. No IO.

The rows and the value are `features.explaining`'s; what a feature computes, in words, is `features.dictionary`'s.
"""

from collections import Counter
from datetime import datetime
from typing import Any

from features import explaining
from features.explaining import LEAST_SPREAD, Explanation, Row, Standing
from features.millionths import MICRO
from features.views import Aggregation, Kind

_SHOWN = 8
"""Values of a category that are listed."""


def working(aggregation: Aggregation, event: Row, found: Explanation) -> str:
    """The last step to the value: `(1 + 5 x 0.0286) / (36 + 5)`; empty where nothing counts towards it."""
    rows = [one.row for one in found.readings if one.standing is Standing.COUNTS]
    match aggregation.kind:
        case Kind.COUNT:
            return f"{len(rows):,} {'row counts' if len(rows) == 1 else 'rows count'}" if rows else ""
        case Kind.DAYS_SINCE_LAST | Kind.DAYS_SINCE_FIRST:
            seen = sorted(row["event_at"] for row in rows)
            return _since(seen[-1 if aggregation.kind is Kind.DAYS_SINCE_LAST else 0], event) if seen else ""
        case Kind.LAST:
            return "of the row that happened last" if found.value is not None else ""
        case Kind.DISTINCT | Kind.ENTROPY | Kind.CONCENTRATION:
            held = Counter(row[aggregation.column or ""] for row in rows)
            return _shares(Counter({value: count for value, count in held.items() if value is not None}))
        case Kind.RATE:
            return _drawn(aggregation, found, explaining.measured(aggregation, rows))
        case _:
            return _of_numbers(aggregation, event, explaining.measured(aggregation, rows))


def _of_numbers(aggregation: Aggregation, event: Row, held: list[float]) -> str:
    if not held:
        return ""
    total, count = sum(map(explaining.fixed, held)) / MICRO, len(held)
    match aggregation.kind:
        case Kind.SUM:
            return f"the sum of {_values(count)}"
        case Kind.MEAN | Kind.SHARE:
            return f"{_figure(total)} / {count:,}"
        case Kind.MIN | Kind.MAX:
            return f"of {_values(count)} between {_figure(min(held))} and {_figure(max(held))}"
        case Kind.STD:
            return f"of {_values(count)} whose mean is {_figure(total / count)}"
        case _:
            return _against_usual(aggregation, event, held, _figure(total / count))


def _against_usual(aggregation: Aggregation, event: Row, held: list[float], usual: str) -> str:
    own = event[aggregation.column] if aggregation.column is not None else None
    if own is None:
        return f"the event has no value; the mean of {len(held):,} is {usual}"
    if aggregation.kind is Kind.GAP:
        return f"{_figure(float(own))} - {usual}, the mean of {len(held):,}"
    spread = _figure(explaining.spread(held) - LEAST_SPREAD)
    return f"({_figure(float(own))} - {usual}) / ({spread} + {LEAST_SPREAD:g}), of {_values(len(held))}"


def _since(at: datetime, event: Row) -> str:
    return f"from {at:%Y-%m-%d %H:%M:%S} to {event['event_at']:%Y-%m-%d %H:%M:%S} UTC"


def _drawn(aggregation: Aggregation, found: Explanation, held: list[float]) -> str:
    if found.prior is None:
        return ""
    weight, hits = aggregation.prior_weight, sum(held)
    return f"({_figure(hits)} + {weight:g} x {_figure(found.prior)}) / ({len(held):,} + {weight:g})"


def _shares(held: Counter[Any]) -> str:
    listed = ", ".join(f"{value}: {count:,}" for value, count in held.most_common(_SHOWN))
    more = len(held) - _SHOWN
    return f"{listed}, and {more:,} more" if more > 0 else listed


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"


def _figure(value: float) -> str:
    return f"{value:,.6g}"

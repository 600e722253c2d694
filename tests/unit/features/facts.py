"""Facts and events that never were, frames of them as the engine takes them, and a view with every kind over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from features import lanes, windows
from features.views import Aggregation, FeatureView, Kind, Where
from warehouse.contracts.base import Purpose

START = datetime(2024, 2, 27, tzinfo=UTC)  # Two days before a leap day.
HOUR = timedelta(hours=1)
WINDOWS: dict[str, dict[str, int]] = {
    "1": {"window_days": 1}, "2": {"window_days": 2}, "7": {"window_days": 7}, "life": {},
    "1h": {"window_hours": 1}, "30h": {"window_hours": 30},
}  # fmt: skip
SOAP, MIDDLING = Where("product", among=("soap",)), Where("value", at_least=2.0, below=20.0)
MOMENT = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Row:
    """One version of a fact: counts from `begins`, until `ends` if it was corrected."""

    importer: str | None
    jurisdiction: str
    event_at: datetime
    begins: datetime
    ends: datetime | None
    value: float | None
    is_adverse: int | None
    product: str | None

    def counts_at(self, moment: datetime, aggregation: Aggregation) -> bool:
        span = timedelta(days=aggregation.window_days or 0, hours=aggregation.window_hours or 0)
        in_window = not span or self.begins >= moment - span
        return self.begins < moment and in_window and (self.ends is None or self.ends >= moment)


@dataclass(frozen=True)
class Event:
    importer: str | None
    jurisdiction: str
    event_at: datetime
    value: float | None


KINDS: dict[Kind, tuple[str | None, ...]] = {
    Kind.COUNT: (None,), Kind.SUM: ("value",), Kind.MEAN: ("value",), Kind.RATE: ("is_adverse",),
    Kind.DEVIATION: ("value",), Kind.GAP: ("value",), Kind.STD: ("value",), Kind.MIN: ("value",), Kind.MAX: ("value",),
    Kind.LAST: ("value", "product", "is_adverse"), Kind.SHARE: ("is_adverse",), Kind.DISTINCT: ("product",),
    Kind.ENTROPY: ("product", "is_adverse"), Kind.CONCENTRATION: ("product",),
}  # fmt: skip


def _aggregations() -> tuple[Aggregation, ...]:
    made: list[Aggregation] = []
    for label, window in WINDOWS.items():
        for kind, columns in KINDS.items():
            for number, column in enumerate(columns):
                name = f"{kind}_{label}" if number == 0 else f"{kind}_{column}_{label}"
                made.append(Aggregation(name, kind, "d", "u", column, prior_weight=3.0, **window))  # type: ignore[arg-type]
    made.append(Aggregation("distinct", Kind.DISTINCT, "d", "u", "product"))
    made.append(Aggregation("since_last", Kind.DAYS_SINCE_LAST, "d", "u"))
    made.append(Aggregation("since_first", Kind.DAYS_SINCE_FIRST, "d", "u"))
    return tuple(made)


def _conditional() -> tuple[Aggregation, ...]:
    """A few kinds again, of rows that meet conditions."""
    soap = [
        replace(one, name=f"soap_{one.name}", where=(SOAP,))
        for one in _aggregations()
        if one.name in ("count_2", "rate_life", "max_7", "since_last", "last_30h", "std_life")
    ]
    both = Aggregation("middling_soap", Kind.SUM, "d", "u", "value", where=(SOAP, MIDDLING))
    share = Aggregation("middling_share", Kind.SHARE, "d", "u", holds=MIDDLING, window_days=7)
    adverse = Aggregation("soap_share", Kind.SHARE, "d", "u", holds=SOAP, where=(Where("is_adverse", among=(1,)),))
    return (*soap, both, share, adverse)


VIEW = FeatureView(
    "everything", ("importer",), "source", (*_aggregations(), *_conditional()), "customs",
    frozenset({Purpose.CUSTOMS_RISK}), "All kinds.",
)  # fmt: skip
ROLLING = replace(VIEW, aggregations=tuple(one for one in VIEW.aggregations if lanes.rolls(one)))
"""What a state can be rolled on with."""


def compute(events: Sequence[Event], history: Sequence[Row], view: FeatureView = VIEW) -> pl.DataFrame:
    return windows.compute(view, events_frame(events), history_frame(history))


def events_frame(events: Sequence[Event]) -> pl.DataFrame:
    schema = {"importer": pl.String, "jurisdiction": pl.String, "event_at": MOMENT, "value": pl.Float64}
    return pl.DataFrame([vars(event) for event in events], schema=schema, orient="row")


def history_frame(history: Sequence[Row]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for row in history:
        shared = {name: getattr(row, name) for name in ("importer", "jurisdiction", "event_at", "value", "is_adverse")}
        shared |= {"product": row.product, "began_at": row.begins}
        rows.append({**shared, "usable_at": row.begins, "sign": 1})
        if row.ends is not None:
            rows.append({**shared, "usable_at": row.ends, "sign": -1})
    schema = {
        "importer": pl.String, "jurisdiction": pl.String, "event_at": MOMENT, "value": pl.Float64,
        "is_adverse": pl.Int8, "product": pl.String, "began_at": MOMENT, "usable_at": MOMENT, "sign": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


hours = st.integers(0, 9 * 24).map(lambda hours: START + hours * HOUR)
"""An hour's grid over nine days: ties are frequent, and whole days apart hits the edges of windows."""
importers = st.sampled_from(["one", "two", "three", None])
jurisdictions = st.sampled_from(["XN", "XS"])
eighths = st.one_of(
    st.none(), st.integers(-40, 400).map(lambda n: n / 8), st.sampled_from([math.inf, -math.inf, math.nan, -0.0])
)
immense = st.one_of(eighths, st.sampled_from([8.5e12, 8.9e12, -8.9e12, 3.1e6, 9e12, -1e300]))
"""Numbers whose sums, or whose squares, 64 bits do not hold; the last two are too great to be measured."""


@st.composite
def rows(draw: st.DrawFn, values: st.SearchStrategy[float | None] = eighths) -> Row:
    event_at = draw(hours)
    begins = max(event_at, draw(st.one_of(st.just(event_at), hours)))
    ends = draw(st.one_of(st.none(), hours))
    return Row(
        draw(importers),
        draw(jurisdictions),
        event_at,
        begins,
        None if ends is None else max(begins, ends),
        draw(values),
        draw(st.sampled_from([0, 1, None])),
        draw(st.sampled_from(["shoes", "soap", None])),
    )


events = st.builds(Event, importers, jurisdictions, hours, eighths)
many_rows, many_events = st.lists(rows(), max_size=25), st.lists(events, min_size=1, max_size=8)
immense_rows = st.lists(rows(immense), max_size=25)
immense_events = st.lists(st.builds(Event, importers, jurisdictions, hours, immense), min_size=1, max_size=8)


EVENT = Event("one", "XN", START + timedelta(days=5), 2.0)
DAY = timedelta(days=1)


def row(**changes: Any) -> Row:
    """A plain fact of importer one, usable two days before the event."""
    at = changes.pop("event_at", EVENT.event_at - timedelta(days=2))
    plain = Row("one", "XN", at, at, None, 2.0, 1, "shoes")
    return replace(plain, **changes)

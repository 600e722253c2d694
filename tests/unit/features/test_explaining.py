"""What stands behind a value, read row by row, against the engine: on random histories, and on whole silver tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from facts import DAY, EVENT, HOUR, VIEW, Event, Row, compute, many_events, many_rows, row
from hypothesis import given, settings
from silver_world import silver

from features import explaining, vectors
from features.explaining import Explanation, Standing
from features.sources import SOURCES
from features.vectors import SUBJECTS, Subject
from features.views import Kind


def as_read(history: list[Row]) -> pl.LazyFrame:
    """Rows of a source, before they are laid out for the engine."""
    rows = [{**vars(one), "known_at": one.begins, "superseded_at": one.ends} for one in history]
    schema = {
        "importer": pl.String, "jurisdiction": pl.String, "event_at": pl.Datetime("us", "UTC"), "value": pl.Float64,
        "is_adverse": pl.Int8, "product": pl.String, "known_at": pl.Datetime("us", "UTC"),
        "superseded_at": pl.Datetime("us", "UTC"),
    }  # fmt: skip
    return pl.DataFrame([{name: one[name] for name in schema} for one in rows], schema=schema).lazy()


AGGREGATIONS = {one.name: one for one in VIEW.aggregations}


@dataclass(frozen=True)
class Told:
    """An event, and the rows of a history that its values can rest on: read once for all its values."""

    facts: Mapping[str, Any]
    own: list[Mapping[str, Any]]
    everyone: list[Mapping[str, Any]]

    def explained(self, name: str) -> Explanation:
        return explaining.explain(VIEW, AGGREGATIONS[name], self.facts, self.own, self.everyone)


def told(event: Event, history: pl.LazyFrame) -> Told:
    facts = vars(event) | {"is_adverse": None}
    own = explaining.rows_of_entity(VIEW, facts, history)
    return Told(facts, _dicts(own), _dicts(explaining.rows_of_jurisdiction(facts, history)))


def explained(event: Event, history: list[Row], name: str) -> Explanation:
    return told(event, as_read(history)).explained(name)


def same(found: float | str | None, expected: float | str | None) -> bool:
    if found is None or expected is None:
        return found is expected
    if isinstance(found, str) or isinstance(expected, str):
        return found == expected
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)


@settings(max_examples=20, deadline=None)
@given(many_events, many_rows)
def test_every_kind_is_what_the_engine_says(some: list[Event], history: list[Row]) -> None:
    made, read = compute(some, history), as_read(history)
    for at, event in enumerate(some):
        of_event = told(event, read)
        for name in made.columns:
            found = of_event.explained(name)
            assert same(found.value, made[name][at]), (name, event)


@settings(max_examples=12, deadline=None)
@given(many_events, many_rows)
def test_the_value_rests_on_the_rows_that_are_said_to_count_and_on_no_other(
    some: list[Event], history: list[Row]
) -> None:
    read = as_read(history)
    for event in some:
        of_event = told(event, read)
        for aggregation in VIEW.aggregations:
            if aggregation.kind is Kind.RATE:  # Drawn to rows of others too.
                continue
            found = of_event.explained(aggregation.name)
            counting = [one.row for one in found.readings if one.standing is Standing.COUNTS]
            assert replace(of_event, own=counting).explained(aggregation.name).value == found.value
            own = sum(one.importer == event.importer for one in history) if event.importer else 0
            assert len(found.readings) == own, "every row of the entity is accounted for"


@pytest.mark.parametrize(
    ("fact", "standing"),
    [
        pytest.param(row(), Standing.COUNTS, id="known-before"),
        pytest.param(row(event_at=EVENT.event_at), Standing.NOT_YET_HAPPENED, id="the-event-itself"),
        pytest.param(row(begins=EVENT.event_at), Standing.NOT_YET_KNOWN, id="told-at-the-same-moment"),
        pytest.param(row(begins=EVENT.event_at + DAY), Standing.NOT_YET_KNOWN, id="told-the-day-after"),
        pytest.param(row(ends=EVENT.event_at - HOUR), Standing.CORRECTED, id="taken-back-before"),
        pytest.param(row(ends=EVENT.event_at), Standing.COUNTS, id="taken-back-at-the-same-moment"),
        pytest.param(row(event_at=EVENT.event_at - 8 * DAY), Standing.OLDER, id="older-than-the-window"),
        pytest.param(row(event_at=EVENT.event_at - 7 * DAY), Standing.COUNTS, id="as-old-as-the-window"),
    ],
)
def test_each_row_says_what_it_was_to_the_event(fact: Row, standing: Standing) -> None:
    found = explained(EVENT, [fact], "count_7")
    assert [one.standing for one in found.readings] == [standing]
    assert found.count(standing) == 1
    assert found.value == float(standing is Standing.COUNTS)


def test_a_row_says_when_it_could_be_used_and_until_when() -> None:
    found = explained(EVENT, [row(begins=EVENT.event_at - DAY, ends=EVENT.event_at - HOUR)], "count_7").readings[0]
    assert (found.usable_at, found.until) == (EVENT.event_at - DAY, EVENT.event_at - HOUR)


def test_an_entity_that_is_null_has_no_rows_though_others_are_null_too() -> None:
    nobody = replace(EVENT, importer=None)
    found = explained(nobody, [row(importer=None)] * 2, "count_7")
    assert (found.value, found.readings) == (0.0, ())
    assert explained(nobody, [row(importer=None)], "rate_life").value is None


def test_a_rate_says_what_it_is_drawn_to() -> None:
    others = [row(importer="two", is_adverse=0), row(importer="two", is_adverse=None)]
    found = explained(EVENT, [row(), *others], "rate_life")
    assert (found.prior_rows, found.prior) == (2, 0.5)
    assert found.value == pytest.approx((1 + 3 * 0.5) / (1 + 3))


@pytest.mark.parametrize("subject", [pytest.param(s, id=name) for name, s in SUBJECTS.items()])
def test_every_shipped_feature_is_what_its_rows_say(subject: Subject) -> None:
    whole = silver(4)
    events = whole.shipments if subject.name == "shipments" else whole.crossings
    described = subject.attributes(events.sort("event_at", descending=True).head(12)).collect()
    made = vectors.compute(subject, described.lazy().select(events.collect_schema().names()), whole)
    sources = {name: source.rows(whole).collect() for name, source in SOURCES.items()}
    is_known: dict[str, bool] = {}
    for at, event in enumerate(described.to_dicts()):
        for view in subject.registry.views:
            own = _dicts(explaining.rows_of_entity(view, event, sources[view.source].lazy()))
            rated = any(one.kind is Kind.RATE for one in view.aggregations)
            everyone = _dicts(explaining.rows_of_jurisdiction(event, sources[view.source].lazy())) if rated else []
            for aggregation in view.aggregations:
                found = explaining.explain(view, aggregation, event, own, everyone)
                assert same(found.value, made[aggregation.name][at]), (aggregation.name, event["event_id"])
                is_known[view.name] = is_known.get(view.name, False) or bool(found.readings)
    assert sum(is_known.values()) > len(is_known) / 2, "the world is too small to prove anything"


def _dicts(rows: pl.LazyFrame) -> list[Mapping[str, Any]]:
    return list(rows.collect().to_dicts())


def test_the_window_is_of_days_to_the_microsecond() -> None:
    just = EVENT.event_at - DAY
    history = [row(event_at=just), row(event_at=just - timedelta(microseconds=1))]
    assert explained(EVENT, history, "count_1").value == 1.0


def test_a_row_that_does_not_meet_the_condition_is_shown_as_one_that_does_not_count() -> None:
    found = explained(EVENT, [row(product="soap"), row(), row(product=None)], "soap_count_2")
    assert sorted(one.standing for one in found.readings) == [Standing.COUNTS, Standing.APART, Standing.APART]
    assert found.value == 1.0


def test_the_window_is_of_hours_to_the_microsecond() -> None:
    just = EVENT.event_at - HOUR
    history = [row(event_at=just), row(event_at=just - timedelta(microseconds=1))]
    assert [one.standing for one in explained(EVENT, history, "count_1h").readings] == [
        Standing.OLDER,
        Standing.COUNTS,
    ]

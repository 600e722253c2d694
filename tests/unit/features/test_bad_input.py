"""Bad input at run time gives the documented value, never a silent wrong number: null entities, events in any order, a
source without history. What a declaration may not say is in `test_registry.py`."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from silver_world import silver

from features import vectors
from features.sources import SOURCES
from features.vectors import SUBJECTS, Subject
from features.views import Kind

EVERY_SUBJECT = pytest.mark.parametrize("subject", [pytest.param(s, id=name) for name, s in SUBJECTS.items()])
ZERO = (Kind.COUNT, Kind.SUM, Kind.DISTINCT)


def events_of(subject: Subject, seed: int) -> tuple[pl.LazyFrame, object]:
    whole = silver(seed)
    return (whole.shipments if subject.name == "shipments" else whole.crossings), whole


@EVERY_SUBJECT
def test_an_event_that_names_no_entity_has_zero_or_no_value_and_no_rate(subject: Subject) -> None:
    events, whole = events_of(subject, 3)
    stored = set(events.collect_schema().names())
    for view in subject.registry.views:
        key = next((name for name in view.entity if name in stored and name != "jurisdiction"), None)
        if key is None:
            continue
        nobody = events.with_columns(pl.lit(None, dtype=events.collect_schema()[key]).alias(key)).head(3)
        alone = replace(subject, registry=replace(subject.registry, views=[view]))
        alone.registry.features = {one.name: subject.registry.features[one.name] for one in view.aggregations}
        made = vectors.compute(alone, nobody, whole)  # type: ignore[arg-type]
        for aggregation in view.aggregations:
            expected = 0.0 if aggregation.kind in ZERO else None
            assert made[aggregation.name].to_list() == [expected] * 3, aggregation.name


@EVERY_SUBJECT
def test_events_out_of_order_get_the_same_values(subject: Subject) -> None:
    events, whole = events_of(subject, 3)
    key = ["event_id", "event_version"]
    forward = vectors.compute(subject, events.sort("event_at"), whole)  # type: ignore[arg-type]
    backward = vectors.compute(subject, events.sort("event_at", descending=True), whole)  # type: ignore[arg-type]
    assert forward.sort(key).equals(backward.sort(key))
    assert not forward.equals(backward)


@EVERY_SUBJECT
@pytest.mark.parametrize("source", sorted(SOURCES))
def test_a_source_without_history_gives_zero_or_no_value_and_leaves_the_others_alone(
    subject: Subject, source: str
) -> None:
    resting = [view for view in subject.registry.views if view.source == source]
    if not resting:
        return
    events, whole = events_of(subject, 3)
    # Emptied is only what no other source of the subject reads.
    fields = set(SOURCES[source].tables)
    emptied = replace(whole, **{name: getattr(whole, name).clear() for name in fields})  # type: ignore[type-var]
    made = vectors.compute(subject, events.head(5), emptied)  # type: ignore[arg-type]
    full = vectors.compute(subject, events.head(5), whole)  # type: ignore[arg-type]
    for view in subject.registry.views:
        for aggregation in view.aggregations:
            if view.source == source:
                expected = 0.0 if aggregation.kind in ZERO else None
                assert made[aggregation.name].to_list() == [expected] * 5, aggregation.name
            elif not fields & set(SOURCES[view.source].tables):
                assert made[aggregation.name].equals(full[aggregation.name]), aggregation.name

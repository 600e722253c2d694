"""Rows of the events' own entities, within reach of the windows, give what all rows give."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from facts import START, VIEW, Event, Row, events_frame, history_frame, many_events, many_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from silver_world import silver

from features import entities, windows
from features.sources import SOURCES
from features.vectors import SUBJECTS, Subject
from features.views import FeatureView, Kind

NO_RATES = tuple(one for one in VIEW.aggregations if one.kind is not Kind.RATE)
PLAIN = replace(VIEW, aggregations=NO_RATES)
WINDOWED = replace(PLAIN, aggregations=tuple(one for one in NO_RATES if one.window_days))


def renamed(view: FeatureView, name: str, *entity: str) -> FeatureView:
    own = tuple(replace(one, name=f"{name}_{one.name}") for one in view.aggregations)
    return replace(view, name=name, entity=entity, aggregations=own)


TWO_KEYS = (renamed(WINDOWED, "pair", "jurisdiction", "importer"), PLAIN, renamed(WINDOWED, "place", "jurisdiction"))


@pytest.mark.parametrize(
    "views",
    [
        pytest.param((PLAIN,), id="lifetime"),
        pytest.param((WINDOWED,), id="windows"),
        pytest.param(TWO_KEYS, id="several-keys"),
        pytest.param((VIEW,), id="rates"),
    ],
)
@settings(max_examples=15, deadline=None)
@given(st.data(), many_events, many_rows)
def test_what_is_left_out_changes_no_value(
    views: tuple[FeatureView, ...], data: st.DataObject, some: list[Event], history: list[Row]
) -> None:
    few = data.draw(st.sampled_from([0, 1, 8]), label="few")
    events, rows = events_frame(some), history_frame(history)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entities, "_FEW", few)
        found = entities.compute(views, events, rows.lazy())
    assert_frame_equal(found, windows.compute_all(views, events, rows), check_exact=True)


def row(importer: str | None, days_ago: int, ends: int | None = None) -> Row:
    at = START + (10 - days_ago) * timedelta(days=1)
    return Row(importer, "XN", at, at, None if ends is None else START + ends * timedelta(days=1), 1.5, 1, "shoes")


def test_rows_of_others_and_beyond_every_window_are_left_out_and_those_taken_back_go_together() -> None:
    events = events_frame([Event("one", "XN", START + timedelta(days=10), 1.0)])
    history = history_frame([row("one", 3), row("two", 3), row(None, 3), row("one", 8, ends=9), row("one", 6, ends=9)])
    assert history.height == 7
    assert entities._asked([WINDOWED], events, history).height == 3
    assert entities._asked([PLAIN], events, history).height == 5
    assert entities._asked([WINDOWED], events.clear(), history).is_empty()


@pytest.mark.parametrize("subject", [pytest.param(s, id=name) for name, s in SUBJECTS.items()])
def test_every_source_of_a_subject(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    world = silver(6, 60)
    events = subject.attributes(world.shipments if subject.name == "shipments" else world.crossings).head(9).collect()
    monkeypatch.setattr(entities, "_FEW", 0)
    for source in {view.source for view in subject.registry.views}:
        views = [view for view in subject.registry.views if view.source == source]
        history = SOURCES[source].history(world)
        expected = windows.compute_all(views, events, history.collect())
        assert_frame_equal(entities.compute(views, events, history), expected, check_exact=True)

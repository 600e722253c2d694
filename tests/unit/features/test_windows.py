"""The point-in-time engine against its brute-force twin, and what holds of whatever it is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
from facts import (
    DAY,
    EVENT,
    HOUR,
    START,
    VIEW,
    Event,
    Row,
    compute,
    events,
    events_frame,
    history_frame,
    immense_events,
    immense_rows,
    many_events,
    many_rows,
    row,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from windows_twin import agree, twin

from features import windows
from features.views import Kind


@settings(max_examples=60, deadline=None)
@given(many_events, many_rows)
def test_every_kind_agrees_with_the_twin(some: list[Event], history: list[Row]) -> None:
    made = compute(some, history)
    assert made.columns == [aggregation.name for aggregation in VIEW.aggregations]
    for aggregation in VIEW.aggregations:
        # A deviation divides rounding of the squares by a spread of at least 0.05.
        tolerance = 1e-4 if aggregation.kind is Kind.DEVIATION else 1e-9
        for event, found in zip(some, made[aggregation.name], strict=True):
            expected = twin(event, history, aggregation)
            assert agree(found, expected, tolerance=tolerance), (aggregation.name, event, found, expected)


@settings(max_examples=60, deadline=None)
@given(immense_events, immense_rows)
def test_numbers_of_any_size_agree_with_the_twin(some: list[Event], history: list[Row]) -> None:
    made = compute(some, history)
    # A deviation of such numbers is what their squares leave of it: the page on writing features says so.
    for aggregation in (one for one in VIEW.aggregations if one.kind is not Kind.DEVIATION):
        for event, found in zip(some, made[aggregation.name], strict=True):
            expected = twin(event, history, aggregation)
            assert agree(found, expected), (aggregation.name, event, found, expected)


@settings(max_examples=30, deadline=None)
@given(events, many_rows, st.randoms(use_true_random=False))
def test_what_becomes_usable_at_or_after_the_event_never_matters(event: Event, history: list[Row], random: Any) -> None:
    as_it_is = compute([event], history)
    later = [row for row in history if row.begins >= event.event_at]
    before = [
        replace(row, ends=None) if row.ends is not None and row.ends >= event.event_at else row
        for row in history
        if row.begins < event.event_at
    ]
    assert compute([event], before).equals(as_it_is)
    columns = ("importer", "value", "is_adverse", "product")
    shuffled = {name: random.sample([getattr(row, name) for row in later], len(later)) for name in columns}
    permuted = [replace(row, **{name: shuffled[name][i] for name in columns}) for i, row in enumerate(later)]
    assert compute([event], [*before, *permuted]).equals(as_it_is)


@settings(max_examples=15, deadline=None)
@given(immense_events, st.one_of(many_rows, immense_rows))
def test_day_by_day_equals_one_pass_bit_for_bit(some: list[Event], history: list[Row]) -> None:
    some = sorted(some, key=lambda event: event.event_at)
    daily = []
    for offset in range(11):
        midnight = START + timedelta(days=offset)
        end = midnight + timedelta(days=1)
        of_day = [event for event in some if midnight <= event.event_at < end]
        known = [
            replace(row, ends=None) if row.ends is not None and row.ends >= end else row
            for row in history
            if row.begins < end
        ]
        if of_day:
            daily.append(compute(of_day, known))
    assert pl.concat(daily).equals(compute(some, history))


@settings(max_examples=15, deadline=None)
@given(many_events, many_rows, st.randoms(use_true_random=False))
def test_order_of_events_and_rows_does_not_matter(some: list[Event], history: list[Row], random: Any) -> None:
    order = list(range(len(some)))
    random.shuffle(order)
    shuffled = history_frame(history).sample(fraction=1.0, shuffle=True, seed=random.randrange(1_000))
    made = windows.compute(VIEW, events_frame([some[i] for i in order]), shuffled)
    assert made.equals(compute(some, history)[order])


def test_no_events_give_no_rows_but_all_columns() -> None:
    made = compute([], [row()])
    assert made.height == 0
    assert made.columns == [aggregation.name for aggregation in VIEW.aggregations]


def test_a_key_of_several_columns_needs_all_of_them() -> None:
    view = replace(VIEW, entity=("importer", "jurisdiction"))
    history = [row(), row(jurisdiction="XS"), row(importer="two")]
    assert compute([EVENT], history, view)["count_life"].item() == 1.0


def test_a_key_named_otherwise_in_the_source_is_found() -> None:
    view = replace(VIEW, source_entity=("object_id",))
    made = windows.compute(view, events_frame([EVENT]), history_frame([row()]).rename({"importer": "object_id"}))
    assert made["count_life"].item() == 1.0


def test_the_last_and_first_that_stand_among_many_corrections_agree_with_the_twin() -> None:
    history = [
        row(event_at=START + n % 7 * DAY, begins=START + (n % 7 + n % 3) * DAY, ends=START + (9 - n % 4) * DAY)
        for n in range(40)
    ]
    history += [row(event_at=START + 3 * DAY), row(event_at=START + 2 * DAY, begins=START + 6 * DAY)]
    moments = [replace(EVENT, event_at=START + hours * HOUR) for hours in range(0, 10 * 24, 5)]
    made = compute(moments, history)
    for one in (one for one in VIEW.aggregations if one.name in ("since_last", "since_first", "last_life")):
        assert made[one.name].to_list() == [twin(moment, history, one) for moment in moments]


def test_windowed_counts_are_never_negative() -> None:
    history = [row(event_at=START + day * DAY, ends=START + (day + 3) * DAY) for day in range(6)]
    moments = [replace(EVENT, event_at=START + hours * HOUR) for hours in range(10 * 24)]
    made = compute(moments, history)
    assert all(made[f"count_{days}"].min() >= 0 for days in (1, 2, 7))

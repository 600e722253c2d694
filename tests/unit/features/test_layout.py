"""How the engine cuts its work changes no value: parts of one entity or of all, wide keys, skew, ties, nulls."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from facts import (
    HOUR,
    START,
    VIEW,
    Event,
    Row,
    compute,
    events_frame,
    history_frame,
    immense_events,
    immense_rows,
    many_events,
    many_rows,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from windows_twin import agree, twin

from features import layout, parts, windows
from warehouse.errors import BorderlakeError


@settings(max_examples=15, deadline=None)
@given(many_events, many_rows)
def test_parts_of_one_entity_give_what_one_part_of_all_gives(some: list[Event], history: list[Row]) -> None:
    whole = compute(some, history)
    with patch.object(layout, "_ROWS_A_SLICE", 1):
        assert compute(some, history).equals(whole)
        with patch.object(pl, "thread_pool_size", lambda: 3):
            assert compute(some, history).equals(whole)
    with patch.object(layout, "_KEY_BITS", 45):  # Times of ten days take 41.
        assert compute(some, history).equals(whole)


@settings(max_examples=15, deadline=None)
@given(immense_events, st.one_of(many_rows, immense_rows))
def test_sums_of_python_s_integers_are_those_of_64_bits(some: list[Event], history: list[Row]) -> None:
    whole = compute(some, history)
    with patch.object(parts, "ROOM", 0.0):
        assert compute(some, history).equals(whole)


# Signs are drawn: rows are taken back that never stood, whose spread is none.
@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt:RuntimeWarning")
@settings(max_examples=12, deadline=None)  # Each computes all kinds fourteen times.
@given(many_rows, st.randoms(use_true_random=False))
def test_events_that_are_their_own_history_need_not_be_told(history: list[Row], random: random.Random) -> None:
    """Whether the engine sees that both are the same rows, and shares the work, changes no value."""
    rows = history_frame([replace(row, begins=row.event_at, ends=None) for row in history])
    events = rows.select("importer", "jurisdiction", "event_at", "value")
    for view in (VIEW, replace(VIEW, entity=("importer", "jurisdiction"))):
        shared = windows.compute(view, events, rows)
        order = list(range(rows.height))
        random.shuffle(order)
        assert windows.compute(view, events, rows[order]).equals(shared)
        assert windows.compute(view, events[order], rows).equals(shared[order])
        assert windows.compute(view, events.head(2), rows).equals(shared.head(2))
        corrected = rows.with_columns(sign=pl.Series([random.choice((1, 1, -1)) for _ in order], dtype=pl.Int64))
        mended = windows.compute(view, events, corrected)
        assert windows.compute(view, events[order], corrected).equals(mended[order])


@pytest.mark.parametrize("changed", ["event_at", "importer", "value"])
def test_events_that_differ_from_history_in_one_value_are_not_their_own(changed: str) -> None:
    history = [Row("one", "XN", START + n * HOUR, START + n * HOUR, None, float(n), 1, "soap") for n in range(4)]
    events = [Event(row.importer, row.jurisdiction, row.event_at, row.value) for row in history]
    other = {"event_at": START + 9 * HOUR, "importer": "two", "value": 7.5}[changed]
    events[3] = replace(events[3], **{changed: other})
    made = compute(events, history)
    for aggregation in VIEW.aggregations:
        tolerance = 1e-4 if aggregation.kind == "deviation" else 1e-9
        for event, found in zip(events, made[aggregation.name], strict=True):
            assert agree(found, twin(event, history, aggregation), tolerance=tolerance), aggregation.name


def test_one_entity_with_most_rows_agrees_with_the_twin_amid_ties_and_nulls() -> None:
    draw = random.Random(5)
    names = ["one"] * 8 + ["two", "three", None]
    at = [START + draw.randrange(200) * HOUR for _ in range(300)]
    history = [
        Row(
            draw.choice(names), draw.choice(["XN", "XS"]), time, time,
            time + timedelta(days=2) if draw.random() < 0.1 else None,
            draw.choice([None, draw.randrange(80) / 8]), draw.choice([0, 1, None]),
            draw.choice(["shoes", "soap", None]),
        )
        for time in at
    ]  # fmt: skip
    some = [Event(row.importer, row.jurisdiction, row.event_at, row.value) for row in history[::6]]
    made = compute(some, history)
    for aggregation in VIEW.aggregations:
        tolerance = 1e-4 if aggregation.kind == "deviation" else 1e-9
        for event, found in zip(some, made[aggregation.name], strict=True):
            assert agree(found, twin(event, history, aggregation), tolerance=tolerance), aggregation.name


def test_a_radix_order_keeps_equals_in_their_order() -> None:
    values = np.random.default_rng(3).integers(0, 1 << 40, 2_000) >> 12 << 3
    values[::7] = values[0]
    found = layout._radix(values, None, int(values.max()))
    assert found.tolist() == np.argsort(values, kind="stable").tolist()
    backwards = np.arange(values.size)[::-1]
    again = layout._radix(values, backwards, int(values.max()))
    assert again.tolist() == backwards[np.argsort(values[backwards], kind="stable")].tolist()


@pytest.mark.parametrize("by_time", [None, np.random.default_rng(5).permutation(900)], ids=["in-time", "by-time"])
def test_a_key_too_wide_to_be_sorted_with_its_place_gives_the_same_order(by_time: layout.Ints | None) -> None:
    codes = np.random.default_rng(4).integers(-1, 40, 900).astype(np.int32)
    packed = layout._grouped(codes, by_time, 40)
    with patch.object(layout, "_KEY_BITS", 12):
        wide = layout._grouped(codes, by_time, 40)
    for one, other in zip(packed, wide, strict=True):
        assert one.tolist() == other.tolist()


def test_pairs_of_more_kinds_than_a_number_holds_stay_apart() -> None:
    wide = layout.Codes(np.array([0, 1, -1]), np.array([1, 0, 5]), 1 << 40)
    codes = layout.paired([wide, wide])
    assert codes.events[2] == -1
    assert codes.events[0] == codes.history[1] != codes.events[1] == codes.history[0] != codes.history[2]


@pytest.mark.parametrize("name", ["event_at", "usable_at"])
def test_a_time_that_is_missing_is_named(name: str) -> None:
    moment = START + 5 * HOUR
    events = events_frame([Event("one", "XN", moment, 1.0)])
    history = history_frame([Row("one", "XN", START, START, None, 1.0, 1, "soap")])
    frames = {"event_at": events, "usable_at": history}
    frames[name] = frames[name].with_columns(pl.lit(None, pl.Datetime("us", "UTC")).alias(name))
    with pytest.raises(BorderlakeError, match=f"{name} is missing in 1 of 1 rows"):
        windows.compute(VIEW, frames["event_at"], frames["usable_at"])

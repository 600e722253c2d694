"""Bucket by bucket, a view has the values of one pass, and an entity has the bucket it always had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from facts import HOUR, START, VIEW, Event, Row, events_frame, history_frame, many_events, many_rows
from hypothesis import given, settings

from features import buckets, windows

CARRIED = ("number",)


@settings(max_examples=12, deadline=None)
@given(many_events, many_rows)
def test_buckets_give_what_one_pass_gives_bit_for_bit(some: list[Event], history: list[Row]) -> None:
    events, rows = events_frame(some).with_row_index("number"), history_frame(history)
    for view in (VIEW, replace(VIEW, entity=("importer", "jurisdiction"))):
        whole = windows.compute(view, events, rows)
        parts = list(buckets.compute((view,), events.lazy(), rows.lazy(), 3, CARRIED))
        assert pl.concat(parts).sort("number").drop("number").equals(whole)
        laid_out = [buckets.bucketed(frame.lazy(), view.entity, 3).collect().lazy() for frame in (events, rows)]
        again = list(buckets.compute((view,), *laid_out, 3, CARRIED))
        assert all(one.equals(other) for one, other in zip(parts, again, strict=True))


def test_buckets_of_another_number_or_key_are_not_taken_for_these() -> None:
    moment = START + 9 * 24 * HOUR
    some = [Event(name, "XN", moment, 1.0) for name in ("one", "two", "three")]
    history = [Row(name, "XN", START, START, None, 1.0, 1, "soap") for name in ("one", "two", "three")]
    events, rows = events_frame(some).with_row_index("number"), history_frame(history)
    for keys, number in ((("importer",), 7), (("jurisdiction",), 3)):
        laid_out = [buckets.bucketed(frame.lazy(), keys, number) for frame in (events, rows)]
        made = pl.concat(buckets.compute((VIEW,), *laid_out, 3, CARRIED))
        assert made.sort("number")["count_life"].to_list() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param({"a": "one"}, 10, id="one-column"),
        pytest.param({"a": "one", "b": "two"}, 41, id="two-columns"),
        pytest.param({"a": None}, 31, id="a-key-that-is-null"),
        pytest.param({"a": ""}, 57, id="an-empty-key-is-another"),
    ],
)
def test_an_entity_keeps_its_bucket(keys: dict[str, Any], expected: int) -> None:
    frame = pl.DataFrame([keys], schema=dict.fromkeys(keys, pl.String))
    assert frame.select(buckets.bucket_of(list(keys), 64)).item() == expected

"""Small pictures stay under what the UI shows in place; days fall into blocks and partitions."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import glance
from pipelines.partitions import blocks, first_day, partition_of, range_tags

SHOWN_IN_PLACE = 1_000


@given(st.lists(st.floats(0, 1e9), max_size=500))
def test_bars_are_always_short_enough_to_be_shown_in_place(values: list[float]) -> None:
    text = glance.bars(values, "rows landed by day, at most 1,000,000").md_str
    assert len(text) < SHOWN_IN_PLACE
    assert "svg" in text


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_a_curve_is_always_short_enough_to_be_shown_in_place(points: list[tuple[float, float]]) -> None:
    assert len(glance.curve(points, "observed against predicted").md_str) < SHOWN_IN_PLACE


@given(st.lists(st.dates(date(2025, 1, 1), date(2025, 3, 1)), max_size=40))
def test_blocks_hold_each_day_once_and_have_no_holes(days: list[date]) -> None:
    found = blocks(days)
    assert [day for block in found for day in block] == sorted(set(days))
    assert all((block[-1] - block[0]).days + 1 == len(block) for block in found)


@pytest.mark.parametrize(
    ("received_on", "partition"),
    [
        pytest.param(date(2025, 5, 1), "2025-05-01", id="a-day-is-its-own-partition"),
        pytest.param(date(1999, 1, 1), first_day().isoformat(), id="what-came-before-the-first-day-belongs-to-it"),
    ],
)
def test_partition_of_a_delivery(received_on: date, partition: str) -> None:
    assert partition_of(received_on) == partition


def test_a_range_spans_its_days() -> None:
    tags = range_tags([date(2025, 2, 3), date(2025, 2, 1)])
    assert sorted(tags.values()) == ["2025-02-01", "2025-02-03"]

"""The figures that lead to a value, worked through as a reader would."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from facts import DAY, EVENT, HOUR, VIEW, Event, Row, many_events, many_rows, row
from hypothesis import given, settings
from test_explaining import explained

from features import working
from features.views import Kind

ARITHMETIC = {
    kind: [one for one in VIEW.aggregations if one.kind is kind]
    for kind in (Kind.MEAN, Kind.SHARE, Kind.RATE, Kind.GAP, Kind.DEVIATION)
}


def worked(event: Event, history: list[Row], name: str) -> str:
    aggregation = next(one for one in VIEW.aggregations if one.name == name)
    return working.working(aggregation, vars(event), explained(event, history, name))


@settings(max_examples=30, deadline=None)
@given(many_events, many_rows)
def test_what_is_written_out_comes_to_the_value(some: list[Event], history: list[Row]) -> None:
    for event in some:
        for one in (one for several in ARITHMETIC.values() for one in several):
            found = explained(event, history, one.name)
            told = working.working(one, vars(event), found)
            if not isinstance(found.value, float) or not told:
                continue
            term = told.split(", ")[0].replace(",", "").replace(" x ", " * ")
            assert math.isclose(eval(term), found.value, rel_tol=1e-3, abs_tol=1e-3), (one.name, told, found.value)


@pytest.mark.parametrize(
    ("history", "feature", "told"),
    [
        pytest.param([row()], "count_7", "1 row counts", id="one-row"),
        pytest.param([row()] * 3, "count_7", "3 rows count", id="rows"),
        pytest.param([], "count_7", "", id="nothing-counts"),
        pytest.param([], "since_last", "", id="never-seen"),
        pytest.param([], "rate_life", "", id="nothing-to-draw-to"),
        pytest.param([row(is_adverse=0), row()], "rate_life", "(1 + 3 x 0.5) / (2 + 3)", id="a-rate"),
        pytest.param([row(), row(value=5.0)], "mean_7", "7 / 2", id="a-mean"),
        pytest.param([row(), row(value=None)], "sum_7", "the sum of 1 value", id="a-sum-of-what-has-the-column"),
        pytest.param([row(), row(value=5.0)], "min_7", "of 2 values between 2 and 5", id="a-least"),
        pytest.param([row(), row(value=4.0)], "std_7", "of 2 values whose mean is 3", id="a-spread"),
        pytest.param([row(), row(value=5.0)], "gap_7", "2 - 3.5, the mean of 2", id="a-gap"),
        pytest.param(
            [row(), row(), row(value=5.0)], "deviation_7", "(2 - 3) / (1.41421 + 0.05), of 3 values", id="a-deviation"
        ),
        pytest.param([row(), row(), row(product="soap")], "entropy_7", "shoes: 2, soap: 1", id="shares"),
        pytest.param([row(), row(product="soap")], "last_product_7", "of the row that happened last", id="a-last"),
    ],
)
def test_each_kind_in_figures(history: list[Row], feature: str, told: str) -> None:
    assert worked(EVENT, history, feature) == told


def test_an_event_without_the_value_has_nothing_to_compare() -> None:
    nameless = Event("one", "XN", EVENT.event_at, None)
    assert worked(nameless, [row()] * 3, "gap_7") == "the event has no value; the mean of 3 is 2"


def test_times_since_name_both_times() -> None:
    history = [row(event_at=EVENT.event_at - 3 * DAY), row(event_at=EVENT.event_at - DAY - HOUR)]
    last = f"{EVENT.event_at - DAY - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"
    assert worked(EVENT, history, "since_last") == f"from {last} to {EVENT.event_at:%Y-%m-%d %H:%M:%S} UTC"
    first = f"{EVENT.event_at - 3 * DAY:%Y-%m-%d %H:%M:%S}"
    assert worked(EVENT, history, "since_first").startswith(f"from {first} to ")


def test_many_values_are_cut_short() -> None:
    history = [row(product=f"p{number}") for number in range(11)]
    assert worked(EVENT, history, "entropy_7").endswith("p7: 1, and 3 more")

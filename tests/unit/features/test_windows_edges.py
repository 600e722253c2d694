"""The point-in-time engine at its edges: one event, a few facts, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from facts import DAY, EVENT, HOUR, Row, compute, row


@pytest.mark.parametrize(
    ("history", "feature", "expected"),
    [
        pytest.param([row(event_at=EVENT.event_at)], "count_life", 0.0, id="the-event-itself-does-not-count"),
        pytest.param(
            [row(event_at=EVENT.event_at)] * 3, "since_last", None, id="simultaneous-events-do-not-count-as-the-last"
        ),
        pytest.param(
            [row(event_at=EVENT.event_at - timedelta(microseconds=1))],
            "count_1",
            1.0,
            id="a-microsecond-before-counts",
        ),
        pytest.param([row(event_at=EVENT.event_at - DAY)], "count_1", 1.0, id="exactly-a-day-ago-is-in-the-window"),
        pytest.param(
            [row(event_at=EVENT.event_at - DAY - timedelta(microseconds=1))],
            "count_1",
            0.0,
            id="a-microsecond-longer-ago-is-not",
        ),
        pytest.param(
            [row(begins=EVENT.event_at + DAY), row(is_adverse=0)],
            "rate_life",
            0.0,
            id="label-reported-tomorrow-is-invisible-today",
        ),
        pytest.param(
            [row(begins=EVENT.event_at - HOUR), row(is_adverse=0)], "rate_life", 0.5, id="label-reported-today-is-seen"
        ),
        pytest.param(
            [row(begins=EVENT.event_at - HOUR, event_at=EVENT.event_at - 4 * DAY)],
            "count_1",
            1.0,
            id="late-news-is-in-the-window-it-became-known-in",
        ),
        pytest.param([row(ends=EVENT.event_at - HOUR)], "count_life", 0.0, id="a-corrected-row-is-taken-back"),
        pytest.param([row(ends=EVENT.event_at)], "count_life", 1.0, id="a-correction-of-this-moment-is-not-yet-known"),
        pytest.param(
            [row(ends=EVENT.event_at - HOUR)],
            "count_1",
            0.0,
            id="a-row-that-had-left-the-window-is-not-taken-back-again",
        ),
        pytest.param(
            [row(ends=EVENT.event_at - HOUR), row(begins=EVENT.event_at - HOUR)],
            "count_1",
            1.0,
            id="its-replacement-counts-from-the-correction",
        ),
        pytest.param(
            [row(ends=EVENT.event_at - HOUR), row(event_at=EVENT.event_at - 4 * DAY)],
            "since_last",
            4.0,
            id="the-last-one-taken-back-leaves-the-one-before",
        ),
        pytest.param(
            [row(ends=EVENT.event_at - HOUR), row(product="soap")],
            "distinct",
            1.0,
            id="a-product-taken-back-is-no-longer-counted",
        ),
        pytest.param(
            [row(ends=EVENT.event_at - 2 * DAY), row(event_at=EVENT.event_at - HOUR)],
            "distinct",
            1.0,
            id="a-product-taken-back-as-it-came-does-not-hide-its-return",
        ),
        pytest.param([], "count_life", 0.0, id="no-history-counts-zero"),
        pytest.param([], "sum_7", 0.0, id="no-history-sums-to-zero"),
        pytest.param([], "distinct", 0.0, id="no-history-has-no-products"),
        pytest.param([], "mean_life", None, id="no-history-has-no-mean"),
        pytest.param([], "rate_life", None, id="no-history-anywhere-has-no-rate"),
        pytest.param([], "since_first", None, id="no-history-has-no-first"),
        pytest.param([row(importer="two")], "rate_life", 1.0, id="nothing-of-the-importer-gives-the-prior"),
        pytest.param(
            [row(importer="two"), row(importer="two", jurisdiction="XS", is_adverse=0)],
            "rate_life",
            1.0,
            id="the-prior-is-of-the-event-s-own-jurisdiction",
        ),
        pytest.param([row()] * 2, "deviation_life", None, id="two-rows-do-not-say-what-is-usual"),
        pytest.param([row()] * 3, "deviation_life", 0.0, id="three-rows-do"),
        pytest.param([row(value=None), row(value=4.0)], "mean_life", 4.0, id="a-missing-value-is-no-zero"),
        pytest.param([row(value=math.nan), row(value=4.0)], "mean_life", 4.0, id="no-number-is-a-missing-value"),
        pytest.param([row(value=math.inf), row(value=4.0)], "sum_life", 4.0, id="an-endless-value-is-a-missing-value"),
        pytest.param([row()], "std_life", None, id="one-row-has-no-spread"),
        pytest.param([row(), row(value=4.0)], "std_life", 1.0, id="two-rows-have"),
        pytest.param(
            [row(value=8.9e12), row(value=8.9e12)],
            "sum_life",
            17.8e12,
            id="a-sum-that-64-bits-of-millionths-do-not-hold",
        ),
        pytest.param(
            [row(value=-8.9e12), row(value=-8.9e12)], "mean_life", -8.9e12, id="a-mean-of-what-they-do-not-hold"
        ),
        pytest.param([row(), row(value=1e13)], "sum_life", 2.0, id="a-value-too-great-to-be-measured-is-missing"),
        pytest.param([row(), row(value=1e13)], "max_life", 2.0, id="and-no-greatest"),
        pytest.param([row(), row(value=math.inf)], "max_life", 2.0, id="an-endless-value-is-no-greatest"),
        pytest.param([row(), row(value=-math.inf)], "min_life", 2.0, id="nor-a-least"),
        pytest.param([row(), row(value=math.nan)], "last_life", 2.0, id="no-number-is-no-last-value"),
        pytest.param([row(), row(value=9.0, ends=EVENT.event_at - HOUR)], "max_7", 2.0, id="the-greatest-taken-back"),
        pytest.param(
            [row(value=9.0, ends=EVENT.event_at - HOUR), row(value=9.0)], "max_7", 9.0, id="its-like-still-stands"
        ),
        pytest.param(
            [row(begins=EVENT.event_at - HOUR), row(value=9.0)], "last_life", 2.0, id="of-simultaneous-the-last-known"
        ),
        pytest.param([row(), row(value=9.0)], "last_life", 9.0, id="known-together-the-greatest"),
        pytest.param(
            [row(begins=EVENT.event_at - HOUR, event_at=EVENT.event_at - 4 * DAY), row(value=9.0)],
            "last_life",
            9.0,
            id="late-news-of-long-ago-is-not-the-last",
        ),
        pytest.param([row(is_adverse=None), row(), row(is_adverse=0)], "share_7", 0.5, id="not-said-is-on-no-side"),
        pytest.param([row(value=None), row(value=10.0), row()], "middling_share", 1.0, id="both-are-middling"),
        pytest.param([row(value=None), row(value=1.0), row()], "middling_share", 0.5, id="one-of-two-that-say"),
        pytest.param([row(product=None)], "entropy_life", None, id="nothing-known-has-no-entropy"),
        pytest.param([row()] * 3, "entropy_life", 0.0, id="one-product-has-none-to-the-last-bit"),
        pytest.param([row(), row(product="soap")], "entropy_life", 1.0, id="two-alike-have-one-bit"),
        pytest.param([row(), row(product="soap")], "concentration_life", 0.5, id="two-alike-are-half-concentrated"),
        pytest.param([row(event_at=EVENT.event_at - HOUR)], "count_1h", 1.0, id="exactly-an-hour-ago-is-in-the-window"),
        pytest.param(
            [row(event_at=EVENT.event_at - HOUR - timedelta(microseconds=1))],
            "count_1h",
            0.0,
            id="a-microsecond-more-than-an-hour-is-not",
        ),
        pytest.param([row(product="soap"), row(), row(product=None)], "soap_count_2", 1.0, id="only-what-meets-counts"),
        pytest.param(
            [row(product="soap"), row(product="soap", is_adverse=0, importer="two"), row(is_adverse=0)],
            "soap_rate_life",
            (1 + 3 * 0.5) / 4,
            id="a-rate-is-drawn-to-what-meets-too",
        ),
    ],
)
def test_edges(history: list[Row], feature: str, expected: float | None) -> None:
    assert compute([EVENT], history)[feature].item() == pytest.approx(expected, nan_ok=True)


def test_a_last_category_is_told_as_it_stands() -> None:
    history = [row(event_at=EVENT.event_at - 3 * DAY), row(product="soap"), row(product=None)]
    made = compute([EVENT, replace(EVENT, importer=None)], history)
    assert made["last_product_life"].to_list() == ["soap", None]
    assert made["last_product_life"].dtype == pl.String


def test_an_endless_value_of_the_event_is_a_missing_one() -> None:
    made = compute([replace(EVENT, value=value) for value in (math.inf, -math.inf, math.nan, None)], [row()] * 4)
    assert made["gap_life"].to_list() == made["deviation_life"].to_list() == [None] * 4


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(lambda made: made["count_life"].item() == 0.0, id="counts-are-zero"),
        pytest.param(lambda made: made["rate_life"].item() is None, id="rates-are-null"),
        pytest.param(lambda made: made["since_last"].item() is None, id="days-since-are-null"),
        pytest.param(lambda made: made["deviation_life"].item() is None, id="deviations-are-null"),
    ],
)
def test_an_entity_that_is_null_has_no_history(count: Callable[[pl.DataFrame], bool]) -> None:
    history = [row(importer=None)] * 4 + [row()] * 4
    assert count(compute([replace(EVENT, importer=None)], history))

"""Wording: what an officer reads of a feature and its value."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.vectors import SUBJECTS
from features.views import Feature
from models.usual import Ranges
from models.wording import NOT_STATED, UNKNOWN, in_words
from warehouse.contracts.base import Purpose, Sensitivity

NOTHING = (math.nan, math.nan)


def feature(description: str, unit: str, sensitivity: Sensitivity = Sensitivity.COMMERCIAL) -> Feature:
    return Feature("f", description, unit, "customs", frozenset({Purpose.CUSTOMS_RISK}), sensitivity)


def own(subject: str) -> Mapping[str, Feature]:
    """The features of a subject as they are declared."""
    return SUBJECTS[subject].registry.features


PRICE = feature("value per kg", "log currency/kg")
RATE = feature("share of inspections of the importer that found something", "share")
GAP = feature("days since the importer's last item", "days")
CHANGE = feature("net mass against that declared at export", "log ratio")
MASSES = feature("gross mass over net mass", "ratio")


def worded(of: Feature, value: float | str | None, usual: tuple[float, float], among: str | None = None) -> str:
    ranges = Ranges(np.array([usual[0]]), np.array([usual[1]]), pl.Series([among], dtype=pl.String))
    dtype = pl.String if of.is_category else pl.Float64
    (text,) = in_words(of, pl.Series([value], dtype=dtype), ranges)
    return text


@pytest.mark.parametrize(
    ("of", "value", "usual", "among", "text"),
    [
        pytest.param(
            PRICE, math.log1p(4.1), (math.log1p(11), math.log1p(19)), "HS 640399 from VN",
            "value per kg: 4.1, where 11 to 19 is usual for HS 640399 from VN",
            id="a-logarithm-is-said-in-its-own-unit-and-of-whom",
        ),
        pytest.param(RATE, 0.4, (0.05, 0.1), None, f"{RATE.description}: 40%, where 5% to 10% is usual", id="a-share"),
        pytest.param(
            RATE, 0.004, (0.012, 0.02), None, f"{RATE.description}: 0.4%, where 1.2% to 2% is usual",
            id="a-small-share-keeps-a-decimal",
        ),
        pytest.param(
            feature("people beside", "people"), 1.0, (2.0, 3.0), None, "people beside: 1 person, where 2 to 3 is usual",
            id="one-of-them",
        ),
        pytest.param(
            feature("items", "items"), 12345.0, (1.0, 3.0), None, "items: 12,345 items, where 1 to 3 is usual",
            id="thousands",
        ),
        pytest.param(
            feature("silences", "silences"), 2.0, (0.0, 0.0), None, "silences: 2 silences, where 0 is usual",
            id="one-usual-value",
        ),
        pytest.param(
            feature("hour", "hour"), 3.0, (9.0, 15.0), None, "hour: 03:00, where 09:00 to 15:00 is usual",
            id="an-hour-is-of-the-clock",
        ),
        pytest.param(feature("stay", "days"), 3.4, NOTHING, None, "stay: 3.4 days", id="nothing-usual-is-known"),
        pytest.param(
            GAP, 0.034, (0.04, 0.5), None, "time since the importer's last item: 49 min, where 58 min to 12 h is usual",
            id="under-a-day",
        ),
        pytest.param(
            GAP, 0.0, (0.5, 3.0), None, "time since the importer's last item: 0 days, where 12 h to 3 days is usual",
            id="no-time",
        ),
        pytest.param(
            GAP, 0.108, (1.8, 6.9), None, "time since the importer's last item: 2.6 h, where 1.8 to 6.9 days is usual",
            id="what-is-usual-says-its-unit-where-the-value-has-another",
        ),
        pytest.param(
            feature("silence", "hours"), 0.67, (1.0, 120.0), None, "silence: 40 min, where 1 to 120 hours is usual",
            id="hours-under-one",
        ),
        pytest.param(
            feature("stay", "days"), 7.0, (7.0, 30.0), "nationality TUR", "stay: 7 days, within the usual 7 to 30 for "
            "nationality TUR", id="what-is-not-unusual-is-not-told-as-if-it-were",
        ),
        pytest.param(
            feature("silences", "silences"), 0.0, (0.0, 0.0), None, "silences: 0 silences, as is usual",
            id="the-one-usual-value",
        ),
        pytest.param(
            MASSES, 1.13, (1.0, 1.12), None, "gross mass over net mass: 1.13, where 1 to 1.12 is usual",
            id="what-is-outside-is-not-rounded-into-what-is-usual",
        ),
        pytest.param(
            CHANGE, 0.004, (-0.001, 0.001), None, f"{CHANGE.description}: +0.4%, where -0.1% to +0.1% is usual",
            id="a-small-change-keeps-a-decimal",
        ),
        pytest.param(
            CHANGE, -1e-9, (-1e-9, 1e-9), None, f"{CHANGE.description}: 0%, as is usual", id="nothing-has-no-sign"
        ),
        pytest.param(
            CHANGE, -0.5, (-0.1, 0.3), None, f"{CHANGE.description}: -39%, where -9.5% to +35% is usual",
            id="a-change-says-which-way",
        ),
        pytest.param(RATE, None, (0.1, 0.2), None, f"{RATE.description}: {UNKNOWN}", id="a-missing-value"),
        pytest.param(RATE, math.nan, (0.1, 0.2), None, f"{RATE.description}: {UNKNOWN}", id="no-number"),
        pytest.param(
            feature("days of stay", "days", Sensitivity.OPEN), None, (7.0, 30.0), None, f"days of stay: {NOT_STATED}",
            id="what-the-event-does-not-say-of-itself",
        ),
        pytest.param(PRICE, 1e300, NOTHING, None, "value per kg: inf", id="a-logarithm-beyond-all-numbers"),
        pytest.param(PRICE, math.inf, NOTHING, None, "value per kg: inf", id="an-endless-logarithm"),
        pytest.param(
            feature("value against usual", "standard deviations"), -3.25, (-0.5, 0.5), None,
            "value against usual: -3.2 standard deviations, where -0.5 to 0.5 is usual",
            id="a-negative-deviation",
        ),
        pytest.param(
            feature("evenly (0: all of one)", "bits"), 1.26, (0.0, 0.9), None,
            "evenly (0: all of one): 1.3, where 0 to 0.9 is usual", id="bits-are-no-word-for-an-officer",
        ),
    ],
)  # fmt: skip
def test_numbers(of: Feature, value: float | None, usual: tuple[float, float], among: str | None, text: str) -> None:
    assert worded(of, value, usual, among) == text


@pytest.mark.parametrize(
    ("subject", "name", "value", "text"),
    [
        pytest.param("shipments", "office", "XNPRT", "office of entry: XNPRT", id="a-code-without-a-list"),
        pytest.param("shipments", "transport_mode", "3", "mode of transport at the border: road (3)", id="a-mode"),
        pytest.param("shipments", "country_of_origin", "VN", "country of origin: Viet Nam (VN)", id="a-country"),
        pytest.param("shipments", "country_of_origin", "XN", "country of origin: XN", id="a-code-that-users-assign"),
        pytest.param("shipments", "country_of_origin", "Q9", "country of origin: Q9", id="a-code-of-no-list"),
        pytest.param("shipments", "trader_status", None, "status of the trader: not stated", id="no-status"),
        pytest.param("crossings", "direction", "entry", "direction of crossing: entry", id="a-word-is-said-once"),
        pytest.param("crossings", "sex", "F", "sex: female (F)", id="a-letter"),
        pytest.param("crossings", "nationality", None, "nationality: not stated", id="no-nationality"),
        pytest.param(
            "crossings", "document_last_port", None,
            "crossing point at which the document was last shown: nothing known", id="no-history",
        ),
        pytest.param("shipments", "weekday", 7.0, "lodged on a Sunday", id="a-day-of-lodging"),
        pytest.param("crossings", "weekday", 1.0, "crosses on a Monday", id="a-day-of-crossing"),
        pytest.param(
            "crossings", "weekday", None, "day of the week of crossing, Monday is 1: not stated", id="no-day"
        ),
        pytest.param(
            "crossings", "weekday", 8.0, "day of the week of crossing, Monday is 1: not stated", id="a-day-of-no-week"
        ),
    ],
)  # fmt: skip
def test_what_an_event_says_of_itself(subject: str, name: str, value: float | str | None, text: str) -> None:
    assert worded(own(subject)[name], value, (2.0, 5.0)) == text


@settings(max_examples=40, deadline=None)
@given(
    of=st.sampled_from([PRICE, RATE, GAP, CHANGE, MASSES]),
    value=st.floats(-4, 20),  # Further down a change is -100 % to all decimals.
    low=st.floats(-4, 20),
    width=st.floats(0, 10),
)
def test_a_number_outside_reads_otherwise_than_the_bound_it_lies_beyond(
    of: Feature, value: float, low: float, width: float
) -> None:
    high = low + width
    bound = low if value < low else high
    assume(not low <= value <= high and abs(value - bound) > 0.01 * max(1.0, abs(bound)))
    text = worded(of, value, (low, high))
    told, usual = text.removeprefix(f"{text.partition(': ')[0]}: ").split(", where ")
    ends = usual.removesuffix(" is usual").split(" to ")
    assert told not in (ends[0] if value < low else ends[-1],)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.sampled_from(["a", "b", None])), max_size=12))
def test_words_of_many_are_the_words_of_each(rows: list[tuple[float, float, str | None]]) -> None:
    lows, highs, among = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    values = pl.Series([low + high for low, high in zip(lows, highs, strict=True)], dtype=pl.Float64)
    together = in_words(PRICE, values, Ranges(np.array(lows), np.array(highs), pl.Series(among, dtype=pl.String)))
    each = [worded(PRICE, value, (low, high), of) for value, (low, high, of) in zip(values, rows, strict=True)]
    assert together == each

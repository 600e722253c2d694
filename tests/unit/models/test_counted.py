"""Counts of outcomes beside earlier ones, against adding up every case."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.counted import Band, Tally, beside, later_part

CHANCE = 0.01


def at_least(adverse: int, of: int, share: float) -> float:
    """Chance that so many or more of `of` fall to a part of that share."""
    return sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(adverse, of + 1))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 40), st.integers(0, 60), st.floats(1, 200), st.floats(1, 200), st.sampled_from([1.0, 1.5]))
def test_a_count_is_outside_exactly_where_it_has_less_than_half_the_chance(
    adverse: int, before: int, exposure: float, exposure_before: float, tolerance: float
) -> None:
    now, then = Tally(adverse, exposure), Tally(before, exposure_before)
    low, high = later_part(now, then, tolerance, CHANCE, together=1.0)
    together = adverse + before
    more = exposure * tolerance / (exposure * tolerance + exposure_before)
    fewer = exposure / (exposure + exposure_before * tolerance)
    assert (adverse > high) == (at_least(adverse, together, more) <= CHANCE / 2 + 1e-12)
    assert (adverse < low) == (1 - at_least(adverse + 1, together, fewer) < CHANCE / 2 - 1e-12)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        pytest.param(Tally(0, 0), Tally(9, 300), Band(None), id="nothing-examined-says-nothing"),
        pytest.param(Tally(4, 50), Tally(0, 0), Band(0.08), id="without-a-past-there-is-no-band"),
        pytest.param(Tally(4, 50), Tally(5, 300), Band(0.08), id="fewer-than-three-findings-to-expect-say-nothing"),
    ],
)
def test_too_little_known_gives_no_bounds(now: Tally, before: Tally, expected: Band) -> None:
    assert beside(now, before, 1.25, CHANCE) == expected


def test_a_rate_that_holds_is_inside_and_one_that_trebles_is_not() -> None:
    before = Tally(90, 3_000)
    assert not beside(Tally(10, 300), before, 1.25, CHANCE).is_outside
    assert beside(Tally(31, 300), before, 1.25, CHANCE).is_outside
    assert beside(Tally(0, 900), before, 1.25, CHANCE).is_outside


def test_findings_that_come_together_widen_the_band() -> None:
    now, before = Tally(20, 300), Tally(90, 3_000)
    alone, in_twos = (beside(now, before, 1.25, CHANCE, together) for together in (1.0, 2.0))
    assert alone.value == in_twos.value
    assert (in_twos.low or 0) < (alone.low or 0)
    assert (in_twos.high or 0) > (alone.high or 0)


def test_a_model_that_was_always_off_by_a_factor_has_not_changed() -> None:
    assert not beside(Tally(40, 10.0), Tally(120, 30.0), 1.5, CHANCE).is_outside


def test_a_band_without_bounds_has_nothing_outside_it() -> None:
    assert not Band(5.0).is_outside
    assert not Band(None, 0.0, 1.0).is_outside
    assert Band(5.0, None, 4.0).is_outside
    assert Band(0.5, 1.0, None).is_outside

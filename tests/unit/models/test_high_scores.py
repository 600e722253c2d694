"""High scores: counted as by hand, against weeks before, and quiet where only chance moves them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.counted import Band
from models.high_scores import BEFORE, DAYS, FEWEST_BEFORE, FEWEST_EXPECTED, SHARE, WANDER, Scores

LAST = date(2025, 6, 1)
CHANCE = 1 / 2_000


def back(days: int) -> date:
    return LAST - timedelta(days=days)


def rows_of(by_day: dict[date, list[float]]) -> pl.DataFrame:
    rows = [(day, score) for day, scores in by_day.items() for score in scores]
    return pl.DataFrame(rows, {"received_on": pl.Date(), "raw_score": pl.Float64()}, orient="row")


def drawn(a_day: int, days: int, lift: float = 0.0, seed: int = 3) -> Scores:
    """`days` of normal scores up to the last one, of which a share `lift` of the last `DAYS` is far out."""
    generator = np.random.default_rng(seed)
    made = {}
    for step in range(days):
        scores = generator.normal(-3, 1, a_day)
        if step < DAYS:
            scores[generator.random(a_day) < lift] = 4.0
        made[back(step)] = scores.tolist()
    return Scores.of(rows_of(made))


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.sampled_from([0.0, 0.3, 0.6]))
def test_share_and_limit_are_what_counting_by_hand_gives(seed: int, a_day: int, silent: float) -> None:
    generator = np.random.default_rng(seed)
    sizes = generator.integers(0, a_day, DAYS + BEFORE + 3) * (generator.random(DAYS + BEFORE + 3) >= silent)
    days = [generator.integers(-3, 4, size).astype(float).tolist() for size in sizes]
    made = {back(step): scores for step, scores in enumerate(days)}
    lately, before = ([one for one in part if one] for part in (days[:DAYS], days[DAYS : DAYS + BEFORE]))
    found = Scores.of(rows_of(made)).band(LAST, CHANCE)
    if not lately or len(before) < FEWEST_BEFORE:
        assert found == Band(None)
        return
    ranked = sorted((one for scores in before for one in scores), reverse=True)
    mark = ranked[-(-len(ranked) * 2 // 100) - 1]
    usual = sum(one >= mark for one in ranked) / len(ranked)
    events = sum(map(len, lately))
    assert found.value == pytest.approx(sum(one >= mark for scores in lately for one in scores) / events)
    if events * usual < FEWEST_EXPECTED:
        assert found.high is None
        return
    a_day = usual * len(ranked) / len(before)
    squares = [(sum(one >= mark for one in scores) - usual * len(scores)) ** 2 for scores in before]
    spread = max(sum(squares) / (len(before) - 1), a_day) / a_day**2
    variance = spread * (1 / len(lately) + 1 / len(before)) + WANDER**2
    far = stats.t.ppf(1 - CHANCE, df=len(before) - 1)
    assert found.high == pytest.approx(usual * (1 + far * variance**0.5))


def test_more_that_ranks_highest_is_beyond_what_is_usual() -> None:
    band = drawn(1_200, 40, lift=0.02).band(LAST, CHANCE)
    assert band.is_outside
    assert band.high is not None
    assert band.value is not None
    assert band.value > band.high > SHARE


@pytest.mark.parametrize("seed", range(20))
def test_chance_alone_is_within(seed: int) -> None:
    assert not drawn(1_200, 40, seed=seed).band(LAST, CHANCE).is_outside


def test_where_days_differ_much_more_is_usual() -> None:
    steady = drawn(1_200, 40)
    generator = np.random.default_rng(8)
    crowds = {
        day: np.where(generator.random(len(scores)) < generator.gamma(0.5, 0.04), 4.0, scores)
        for day, scores in steady.by_day.items()
    }
    quiet, restless = (one.band(LAST, CHANCE) for one in (steady, Scores(crowds)))
    assert quiet.high is not None
    assert restless.high is not None
    assert restless.high > 1.5 * quiet.high


def test_fewer_high_scores_are_no_alert() -> None:
    calm = drawn(1_200, 40)
    lower = {day: scores - 2 if day > back(DAYS) else scores for day, scores in calm.by_day.items()}
    band = Scores(lower).band(LAST, CHANCE)
    assert (band.is_outside, band.low) == (False, None)


@pytest.mark.parametrize(
    ("a_day", "days", "has_value"),
    [
        pytest.param(0, 40, False, id="no-events"),
        pytest.param(500, DAYS + FEWEST_BEFORE - 1, False, id="a-model-that-is-too-young"),
        pytest.param(50, 40, True, id="too-few-events-to-say-what-is-usual"),
    ],
)
def test_nothing_is_judged_that_too_little_is_known_of(a_day: int, days: int, has_value: bool) -> None:
    band = drawn(a_day, days, lift=0.5).band(LAST, CHANCE)
    assert (band.value is not None) == has_value
    assert not band.is_outside

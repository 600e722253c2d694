"""Slices: parts of the test days by hand, and gaps whose intervals are those of drawing rows."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate
from hypothesis import given, settings
from hypothesis import strategies as st

from models.slices import CAPACITY, LEAST_ROWS, gap, slices
from models.training import Trained

masks = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=150)


@settings(max_examples=80, deadline=None)
@given(masks)
def test_a_gap_is_the_rate_inside_less_the_rate_outside(drawn: list[tuple[bool, bool]]) -> None:
    inside = np.array([one for one, _ in drawn], dtype=bool)
    errors = np.array([error for _, error in drawn], dtype=bool)
    found = gap(inside, errors, seed=1)
    if min(inside.sum(), (~inside).sum()) < LEAST_ROWS:
        assert found is None
    else:
        assert found is not None
        assert found.value == pytest.approx(errors[inside].mean() - errors[~inside].mean())
        assert found.low <= found.high


def test_the_interval_is_that_of_drawing_rows() -> None:
    generator = np.random.default_rng(2)
    inside, errors = generator.random(800) < 0.3, generator.random(800) < 0.2
    found = gap(inside, errors, seed=1, repeats=2_000)
    assert found is not None
    draws = [generator.integers(0, 800, 800) for _ in range(2_000)]
    gaps = [errors[rows][inside[rows]].mean() - errors[rows][~inside[rows]].mean() for rows in draws]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(gaps, [0.025, 0.975])), abs=0.012)


def crossings(rows: int) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Half women, a third new; men are selected more often than their outcomes are adverse."""
    generator = np.random.default_rng(5)
    is_man = np.arange(rows) % 2 == 0
    labels = (generator.random(rows) < 0.3).astype(np.float64)
    frame = pl.DataFrame(
        {
            "sex": np.where(is_man, "M", "F"),
            "age_years": np.tile([12.0, 25.0, 40.0, 50.0, 70.0], rows // 5),
            "nationality": ["XA"] * (rows - 10) + [None] * 10,
            "traveller_age_days": [None, 3.0, 300.0] * (rows // 3),
            "day": [date(2025, 1, 1)] * rows,
        }
    )
    return frame, labels, np.where(is_man, 0.6, 0.1) + 0.3 * generator.random(rows)


def test_parts_are_those_of_the_subject_and_hold_every_row_that_tells() -> None:
    frame, labels, probabilities = crossings(600)
    found = slices("crossings", frame, labels, probabilities, seed=1)
    rows = {(one.by, one.value): one.rows for one in found}
    assert rows == {
        ("sex", "F"): 300,
        ("sex", "M"): 300,
        **{("age band", band): 120 for band in ("under 18", "18-29", "30-44", "45-59", "60+")},
        ("nationality", "XA"): 590,
        ("traveller", "new traveller"): 400,
        ("traveller", "known traveller"): 200,
    }
    assert sum(one.adverse for one in found if one.by == "sex") == labels.sum()


def test_false_alarms_that_fall_on_one_part_show_beyond_noise() -> None:
    frame, labels, probabilities = crossings(600)
    found = {(one.by, one.value): one for one in slices("crossings", frame, labels, probabilities, seed=1)}
    men, women = found["sex", "M"], found["sex", "F"]
    assert men.selected == pytest.approx(30 / 300)
    assert women.selected == women.false_alarms == 0.0
    assert men.false_alarm_gap is not None
    assert men.false_alarm_gap.low > 0
    assert men.miss_gap is not None
    assert men.miss_gap.high < 0
    assert found["nationality", "XA"].false_alarm_gap is None, "too few others to hold it against"


def test_rates_of_parts_are_those_of_fairlearn() -> None:
    frame, labels, probabilities = crossings(600)
    chosen = probabilities >= np.sort(probabilities)[-round(CAPACITY * 600)]
    rates = {"selected": selection_rate, "false_alarms": false_positive_rate, "misses": false_negative_rate}
    peer = MetricFrame(
        metrics=rates, y_true=labels, y_pred=chosen.astype(float), sensitive_features=frame["sex"].to_list()
    )
    found = {one.value: one for one in slices("crossings", frame, labels, probabilities, seed=1) if one.by == "sex"}
    for sex, theirs in peer.by_group.iterrows():
        ours = found[str(sex)]
        assert {name: getattr(ours, name) for name in rates} == pytest.approx(theirs.to_dict())
    between = peer.difference(method="between_groups")
    assert found["M"].false_alarm_gap is not None
    assert found["M"].false_alarm_gap.value == pytest.approx(between["false_alarms"])


def test_codes_of_modes_are_told_in_words() -> None:
    frame = pl.DataFrame({"transport_mode": ["1", "3", None] * 40})
    labels, probabilities = np.zeros(120), np.linspace(0, 1, 120)
    assert {one.title for one in slices("shipments", frame, labels, probabilities, seed=1)} == {"mode sea", "mode road"}


def test_a_trained_model_tells_its_slices(trained: Trained) -> None:
    offices = [one for one in trained.slices if one.by == "office"]
    assert {one.value for one in offices} <= set(trained.split.test["office"].drop_nulls())
    assert all(one.rows >= LEAST_ROWS for one in trained.slices)
    assert {one.by for one in trained.slices} == {"office", "mode", "importer"}

"""Evaluation: figures against a hand computation, intervals, paired gains, reliability."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from models.evaluation import (
    Floats,
    Rows,
    calibration_slope,
    figures,
    paired_gain,
    reliability,
    resamples,
    with_intervals,
)
from warehouse.errors import NotReady


def sample(rows: int, seed: int = 3) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    probabilities = generator.beta(1.0, 4.0, rows)
    return (generator.random(rows) < probabilities).astype(np.float64), probabilities


LABELS = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] * 2)
PROBABILITIES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3, 0.2, 0.1] * 2)
"""Twenty rows: by rank 1 1 0 0 1 1 and then no more."""


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        pytest.param("auc", 1 - (2 * 2) / (4 * 16), id="auc-is-the-share-of-pairs-in-order"),
        pytest.param("ap", (2 / 4) * 1.0 + (2 / 4) * (4 / 6), id="ap-is-precision-by-step-of-recall"),
        pytest.param("brier", float(np.mean((PROBABILITIES - LABELS) ** 2)), id="brier-is-the-mean-square"),
        pytest.param("precision_at_1", 1.0, id="at-1-per-cent-one-row-is-taken"),
        pytest.param("precision_at_5", 1.0, id="at-5-per-cent-one-row-is-taken"),
        pytest.param("precision_at_10", 1.0, id="at-10-per-cent-two-rows-are-taken"),
        pytest.param("recall_at_5", 1 / 4, id="one-row-finds-a-quarter"),
        pytest.param("recall_at_10", 2 / 4, id="two-rows-find-half"),
    ],
)
def test_figures_by_hand(figure: str, expected: float) -> None:
    assert figures(LABELS, PROBABILITIES)[figure] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("stretch", "expected"),
    [
        pytest.param(1.0, 1.0, id="calibrated-is-1"),
        pytest.param(2.0, 0.5, id="twice-too-sure-is-a-half"),
        pytest.param(0.5, 2.0, id="half-too-timid-is-2"),
    ],
)
def test_calibration_slope(stretch: float, expected: float) -> None:
    labels, probabilities = sample(20_000)
    log_odds = np.log(probabilities / (1 - probabilities))
    stretched = 1 / (1 + np.exp(-stretch * log_odds))
    assert calibration_slope(labels, stretched) == pytest.approx(expected, rel=0.06)


def test_a_constant_prediction_has_no_slope() -> None:
    assert calibration_slope(LABELS, np.full(20, 0.2)) == 0.0


def test_intervals_hold_the_point_and_repeat_by_seed() -> None:
    labels, probabilities = sample(800)
    made = with_intervals(labels, probabilities, seed=5, repeats=15)
    assert all(figure.low <= figure.value <= figure.high for figure in made.values()), made
    assert all(figure.low < figure.high for figure in made.values())
    assert with_intervals(labels, probabilities, seed=5, repeats=15) == made


def test_intervals_narrow_with_more_rows() -> None:
    few, many = (with_intervals(*sample(rows), seed=5, repeats=12)["auc"] for rows in (200, 3_000))
    assert many.high - many.low < 0.5 * (few.high - few.low)


def precision_of(labels: Floats) -> Callable[[Rows, Floats], float]:
    return lambda rows, scores: float(average_precision_score(labels[rows], scores[rows]))


def test_equal_scores_gain_nothing() -> None:
    labels, probabilities = sample(400)
    gain = paired_gain(labels, probabilities, probabilities, precision_of(labels), seed=1, repeats=30)
    assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)


def test_a_better_score_gains_beyond_noise_and_the_other_way_loses_as_much() -> None:
    labels, probabilities = sample(1_000)
    noise = np.random.default_rng(8).random(1_000)
    gain = paired_gain(labels, probabilities, noise, precision_of(labels), seed=1, repeats=50)
    loss = paired_gain(labels, noise, probabilities, precision_of(labels), seed=1, repeats=50)
    assert gain.low > 0
    assert (loss.value, loss.low, loss.high) == pytest.approx((-gain.value, -gain.high, -gain.low))


def test_samples_have_both_classes_and_the_size_of_the_whole() -> None:
    labels = np.array([1.0] + [0.0] * 9)
    drawn = resamples(labels, seed=1, repeats=50)
    assert len(drawn) == 50
    assert all(len(rows) == 10 and 0 < labels[rows].sum() < 10 for rows in drawn)


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(np.zeros(30), id="nothing-found"),
        pytest.param(np.ones(30), id="everything-found"),
        pytest.param(np.zeros(0), id="no-rows"),
    ],
)
def test_outcomes_of_one_kind_are_refused(labels: Floats) -> None:
    with pytest.raises(NotReady, match=f"{len(labels)} outcomes of one kind"):
        with_intervals(labels, np.linspace(0, 1, len(labels)), seed=1)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 12))
def test_bins_of_the_reliability_hold_every_row_once(rows: int, bins: int) -> None:
    labels, probabilities = sample(rows)
    made = reliability(labels, probabilities, bins)
    counts = [point["rows"] for point in made]
    assert sum(counts) == rows
    assert max(counts) - min(counts) <= 1
    assert sum(point["observed"] * point["rows"] for point in made) == pytest.approx(labels.sum())
    assert sum(point["predicted"] * point["rows"] for point in made) == pytest.approx(probabilities.sum())
    predicted = [point["predicted"] for point in made]
    assert predicted == sorted(predicted)

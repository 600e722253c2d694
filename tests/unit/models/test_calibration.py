"""Calibration: probabilities that mean what they say, in the order the scores gave."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration import IDENTITY, Calibrator, Floats, fit

slopes = st.floats(0.0, 5.0, allow_subnormal=False)
raws = st.lists(st.floats(-60, 60), min_size=2, max_size=30)


def sigmoid(x: Floats) -> Floats:
    result: Floats = 1.0 / (1.0 + np.exp(-x))
    return result


def sample(rows: int, slope: float, shift: float, seed: int = 1) -> tuple[Floats, Floats]:
    """Raw scores whose true log-odds are slope * raw + shift, and labels drawn from them."""
    generator = np.random.default_rng(seed)
    raw = generator.normal(0.0, 1.5, rows)
    return raw, (generator.random(rows) < sigmoid(slope * raw + shift)).astype(np.float64)


@given(slopes, slopes, st.floats(-5, 5), raws)
def test_a_higher_score_is_never_a_lower_probability(a: float, b: float, c: float, raw: list[float]) -> None:
    made = Calibrator("beta", a, b, c).probability(np.sort(np.array(raw)))
    assert np.all(np.diff(made) >= -1e-15)
    assert np.all((made >= 0.0) & (made <= 1.0))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000), st.floats(-3.0, 3.0))
def test_fitting_never_turns_the_ranking_round(seed: int, slope: float) -> None:
    raw, labels = sample(400, slope, 0.0, seed)
    made = fit(raw, labels)
    assert made.a >= 0
    assert made.b >= 0
    assert np.all(np.diff(made.probability(np.sort(raw))) >= 0)


@pytest.mark.parametrize(
    ("rows", "method"),
    [
        pytest.param(1_500, "platt", id="few-positives-get-two-parameters"),
        pytest.param(20_000, "beta", id="many-get-three"),
    ],
)
def test_a_known_distortion_is_recovered(rows: int, method: str) -> None:
    raw, labels = sample(rows, slope=0.5, shift=-1.0)
    made = fit(raw, labels)
    assert made.method == method
    truth = sigmoid(0.5 * raw - 1.0)
    assert np.abs(made.probability(raw) - truth).max() < (0.08 if method == "platt" else 0.03)


def test_calibrated_scores_are_left_nearly_as_they_are() -> None:
    raw, labels = sample(20_000, slope=1.0, shift=0.0)
    assert np.abs(fit(raw, labels).probability(raw) - sigmoid(raw)).max() < 0.03


def test_scores_that_rank_the_wrong_way_are_left_as_they_are() -> None:
    raw, labels = sample(2_000, slope=-1.0, shift=0.0)
    assert fit(raw, labels) == IDENTITY


def test_the_identity_gives_the_sigmoid() -> None:
    raw = np.linspace(-30, 30, 61)
    assert IDENTITY.probability(raw) == pytest.approx(sigmoid(raw), abs=1e-15)


def test_weights_count_as_that_many_rows() -> None:
    raw, labels = sample(300, slope=0.8, shift=-0.5)
    weights = np.where(labels == 1, 3.0, 1.0)
    repeated = np.concatenate([raw, raw[labels == 1], raw[labels == 1]])
    labels_repeated = np.concatenate([labels, np.ones(2 * int(labels.sum()))])
    weighted, plain = fit(raw, labels, weights), fit(repeated, labels_repeated)
    assert (weighted.a, weighted.c) == pytest.approx((plain.a, plain.c), abs=1e-3)


@given(st.floats(0, 9), st.floats(0, 9), st.floats(-9, 9))
def test_json_gives_back_every_bit(a: float, b: float, c: float) -> None:
    made = Calibrator("beta", a, b, c)
    assert Calibrator.from_json(made.to_json()) == made


def test_json_is_plain_numbers() -> None:
    assert json.loads(IDENTITY.to_json()) == {"method": "identity", "a": 1.0, "b": 1.0, "c": 0.0}

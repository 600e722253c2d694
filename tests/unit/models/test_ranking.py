"""Rows sorted once give the figures that the drawn rows give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from models.evaluation import bootstrap, figures, resamples
from models.ranking import Ordering

GENERATOR = np.random.default_rng(11)
LOG_ODDS = GENERATOR.normal(-1.5, 1.2, 3_000)
LABELS = (GENERATOR.random(3_000) < 1 / (1 + np.exp(-LOG_ODDS))).astype(np.float64)
SCORES = 1 / (1 + np.exp(-0.8 * LOG_ODDS))


def test_weights_give_what_drawn_rows_give() -> None:
    fast = bootstrap(LABELS, SCORES, seed=3, repeats=12)
    slow = [figures(LABELS[rows], SCORES[rows]) for rows in resamples(LABELS, seed=3, repeats=12)]
    for name, drawn in fast.items():
        # The penalised fit behind the slow slope stops at its own tolerance.
        within = 0.01 if name == "calibration_slope" else 1e-9
        assert drawn == pytest.approx([draw[name] for draw in slow], abs=within), name


def test_equal_scores_do_not_change_area_and_ap() -> None:
    rounded = np.round(SCORES, 1)
    fast = bootstrap(LABELS, rounded, seed=3, repeats=8)
    slow = [figures(LABELS[rows], rounded[rows]) for rows in resamples(LABELS, seed=3, repeats=8)]
    for name in ("auc", "ap", "brier"):
        assert fast[name] == pytest.approx([draw[name] for draw in slow], abs=1e-9)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30).filter(
        lambda rows: len({adverse for adverse, _, weight in rows if weight}) == 2
    )
)
def test_auc_of_weighted_rows_is_that_of_the_rows_repeated(rows: list[tuple[bool, int, int]]) -> None:
    labels, scores, weights = (np.array([one[at] for one in rows], dtype=float) for at in range(3))
    times = weights.astype(int)
    expected = roc_auc_score(np.repeat(labels, times), np.repeat(scores, times))
    assert Ordering(labels, scores).auc(weights) == pytest.approx(expected)


def test_a_constant_score_has_no_slope() -> None:
    assert set(bootstrap(LABELS, np.full(3_000, 0.2), seed=1, repeats=3)["calibration_slope"]) == {0.0}


def parts(labels: np.ndarray, scores: np.ndarray) -> bool:
    return bool(scores[labels == 1].min() > scores[labels == 0].max())


def slope(labels: np.ndarray, scores: np.ndarray) -> float:
    """Fitted until nothing moves."""
    fitted = LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-9, max_iter=1_000)
    return float(fitted.fit(np.log(scores / (1 - scores))[:, None], labels).coef_[0, 0])


def test_draws_in_which_the_classes_part_have_a_steep_slope_and_the_others_their_own() -> None:
    """A few test days hold a handful of adverse outcomes, and some draws of them are parted by the score."""
    generator = np.random.default_rng(9)
    labels = np.repeat([1.0, 0.0], [5, 60])
    scores = 1 / (1 + np.exp(-(generator.normal(0, 0.7, 65) + 2.8 * labels - 2)))
    drawn = resamples(labels, seed=4, repeats=200)
    is_parted = np.array([parts(labels[rows], scores[rows]) for rows in drawn])
    assert 10 < is_parted.sum() < 190
    fast = np.array(bootstrap(labels, scores, seed=4, repeats=200)["calibration_slope"])
    assert np.isfinite(fast).all()
    own = [slope(labels[rows], scores[rows]) for rows, parted in zip(drawn, is_parted, strict=True) if not parted]
    assert fast[~is_parted] == pytest.approx(np.array(own), rel=0.05)
    assert fast[is_parted].min() > np.median(own)

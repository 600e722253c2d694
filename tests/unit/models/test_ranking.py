"""Rows sorted once give the figures that the drawn rows give."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import bootstrap, figures, resamples

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


def test_a_constant_score_has_no_slope() -> None:
    assert set(bootstrap(LABELS, np.full(3_000, 0.2), seed=1, repeats=3)["calibration_slope"]) == {0.0}

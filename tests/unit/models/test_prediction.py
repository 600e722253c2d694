"""Predictions in slices, by leaves: LightGBM's own of all rows at once, to the last bit."""

from __future__ import annotations

import lightgbm
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import leaves, prediction
from models.leaves import Leaves

NUMBERS, CATEGORIES = 5, 4
ROWS = 500


def matrix_of(rows: int, seed: int) -> prediction.Matrix:
    """Numbers, zeros among them, and a category at the end, with some of all missing."""
    draw = np.random.default_rng(seed)
    made = np.column_stack([draw.normal(size=(rows, NUMBERS)), draw.integers(0, CATEGORIES + 2, rows)])
    made[draw.random(made.shape) < 0.1] = np.nan
    made[:, :2][draw.random((rows, 2)) < 0.1] = 0.0
    return made.astype(np.float32)


def booster_of(trees: int, learning_rate: float = 0.3) -> lightgbm.Booster:
    matrix = matrix_of(ROWS, seed=1)
    labels = np.nan_to_num(matrix[:, 0]) + (matrix[:, -1] == 1) > 0
    data = lightgbm.Dataset(matrix, labels, categorical_feature=[NUMBERS])
    parameters = {"objective": "binary", "num_leaves": 6, "min_data_per_group": 5, "verbosity": -1, "num_threads": 1}
    return lightgbm.train({**parameters, "learning_rate": learning_rate}, data, trees)


@pytest.fixture(scope="module")
def booster() -> lightgbm.Booster:
    return booster_of(40)


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "_SLICE", 7)
    monkeypatch.setattr(pl, "thread_pool_size", lambda: 3)


@pytest.mark.parametrize(
    ("predict", "asked"),
    [
        pytest.param(prediction.raw_scores, {"raw_score": True}, id="raw-scores"),
        pytest.param(prediction.outputs, {}, id="outputs"),
        pytest.param(prediction.contributions, {"pred_contrib": True}, id="contributions"),
    ],
)
@pytest.mark.usefixtures("small_slices")
def test_slices_change_nothing(booster: lightgbm.Booster, predict: object, asked: dict[str, bool]) -> None:
    matrix = matrix_of(101, seed=2)
    assert predict(booster, matrix).tobytes() == booster.predict(matrix, **asked).tobytes()  # type: ignore[operator]


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 40), seed=st.integers(0, 99), together=st.integers(1, 41), slice_rows=st.integers(1, 50))
def test_leaves_add_up_to_the_raw_scores(
    booster: lightgbm.Booster, rows: int, seed: int, together: int, slice_rows: int
) -> None:
    matrix = matrix_of(rows, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaves, "_TREES", together)
        patch.setattr(prediction, "_SLICE", slice_rows)
        summed = Leaves.of(booster).raw_scores(matrix)
    assert summed.tobytes() == booster.predict(matrix, raw_score=True).tobytes()


def test_double_precision_is_seen_as_it_is(booster: lightgbm.Booster) -> None:
    matrix = matrix_of(50, seed=3).astype(np.float64) + 1e-12
    assert Leaves.of(booster).raw_scores(matrix).tobytes() == booster.predict(matrix, raw_score=True).tobytes()


def test_trees_that_do_not_split_count_as_well() -> None:
    stump = booster_of(1)
    single = lightgbm.train(
        {"objective": "binary", "min_data_in_leaf": ROWS, "verbosity": -1},
        lightgbm.Dataset(matrix_of(ROWS, seed=1), np.arange(ROWS) % 3 == 0),
        2,
    )
    matrix = matrix_of(9, seed=4)
    for one in (stump, single):
        assert Leaves.of(one).raw_scores(matrix).tobytes() == one.predict(matrix, raw_score=True).tobytes()


def test_no_rows_have_no_scores(booster: lightgbm.Booster) -> None:
    assert Leaves.of(booster).raw_scores(matrix_of(0, seed=1)).shape == (0,)

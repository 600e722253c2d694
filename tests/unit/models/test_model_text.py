"""Texts of models: what LightGBM writes passes, what it would not write is refused, whatever was done to it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import lightgbm
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import model_text
from models.model_text import NotAModel
from models.training import Trained

COLUMNS = ("a", "b", "c", "d")


def _booster(seed: int = 0, **parameters: object) -> lightgbm.Booster:
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(600, 4))
    rows[:, 3] = generator.integers(0, 12, 600)
    labels = (rows[:, 0] + np.isin(rows[:, 3], (1, 5, 7)) + generator.normal(size=600) > 1).astype(float)
    data = lightgbm.Dataset(rows, labels, feature_name=list(COLUMNS), categorical_feature=[3])
    settings = {"objective": "binary", "num_leaves": 6, "verbosity": -1, "num_threads": 1, "seed": seed}
    return lightgbm.train({**settings, "min_data_per_group": 5, "max_cat_to_onehot": 2, **parameters}, data, 4)


TEXT = _booster().model_to_string()


def test_what_training_writes_passes(trained: Trained) -> None:
    model_text.check(trained.model.text, trained.model.bundle.encoder.columns)


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({}, id="numbers-and-categories"),
        pytest.param({"min_data_in_leaf": 500}, id="a-tree-of-one-leaf"),
        pytest.param({"monotone_constraints": [1, 0, -1, 0]}, id="monotone-constraints"),
        pytest.param({"num_leaves": 200, "min_data_in_leaf": 2}, id="deep-trees"),
    ],
)
def test_what_lightgbm_writes_passes(parameters: dict[str, object]) -> None:
    model_text.check(_booster(**parameters).model_to_string(), COLUMNS)


def test_a_split_between_any_value_and_none_passes() -> None:
    generator = np.random.default_rng(1)
    rows = np.where(generator.random((800, 4)) < 0.5, np.nan, 1.0)
    labels = (np.isnan(rows[:, 0]) ^ (generator.random(800) < 0.1)).astype(float)
    data = lightgbm.Dataset(rows, labels, feature_name=list(COLUMNS))
    text = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 3).model_to_string()
    assert re.search(r"^threshold=(.* )?inf", text, re.MULTILINE)
    model_text.check(text, COLUMNS)


def _first(pattern: str, replacement: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(_first(r"^threshold=\S+", "threshold=nan"), "tree_sizes", id="sizes-give-a-change-away"),
        pytest.param(_first(r"^num_class=1", "num_class=7"), "num_class is not 1", id="more-classes"),
        pytest.param(_first(r"^objective=.*", "objective=binary sigmoid:0"), "objective is not", id="other-objective"),
        pytest.param(_first(r"^feature_names=a b", "feature_names=b a"), "other features", id="features-swapped"),
        pytest.param(_first(r"^max_feature_idx=3", "max_feature_idx=9"), "max_feature_idx", id="more-features"),
        pytest.param(_first(r"\[data: \]", "[data: /etc/passwd]"), "is none", id="a-path-among-parameters"),
        pytest.param(_first(r"\[data: \]", "[data: secrets]"), "names a file", id="a-file-among-parameters"),
        pytest.param(_first(r"\[num_threads: 1\]", "[num_threads: 999999]"), "num_threads", id="many-threads"),
        pytest.param(lambda text: text + "\n", "no end", id="a-line-more"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), "ASCII", id="other-line-ends"),
        pytest.param(lambda _: "", "no head", id="nothing"),
        pytest.param(lambda text: text.replace("pandas_categorical:null", "pandas_categorical:[[1]]"), "no end",
                     id="categories-of-pandas"),
    ],
)  # fmt: skip
def test_a_changed_text_is_refused_by_what_is_wrong(change: Callable[[str], str], said: str) -> None:
    with pytest.raises(NotAModel, match=said):
        model_text.check(change(TEXT), COLUMNS)


def _resized(text: str) -> str:
    head, _, rest = text.partition("\n\n")
    body, end, tail = rest.partition("end of trees")
    sizes = " ".join(str(len(tree)) for tree in re.split(r"(?=^Tree=)", body, flags=re.MULTILINE)[1:])
    return re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", head) + "\n\n" + body + end + tail


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(_first(r"^threshold=\S+", "threshold=nan"), "a number that is none", id="no-number"),
        pytest.param(_first(r"^threshold=\S+", "threshold=1e999"), "a number without an end", id="endless-number"),
        pytest.param(_first(r"^leaf_value=\S+", "leaf_value=1e9"), "beyond any log-odds", id="huge-leaf"),
        pytest.param(_first(r"^left_child=\S+", "left_child=0"), "come after its parent", id="a-circle"),
        pytest.param(_first(r"^right_child=\S+", "right_child=-99"), "no tree", id="no-such-leaf"),
        pytest.param(_first(r"^split_feature=\S+", "split_feature=4"), "not there", id="no-such-feature"),
        pytest.param(_first(r"^decision_type=\S+", "decision_type=12"), "no known kind", id="no-such-decision"),
        pytest.param(_first(r"^cat_boundaries=0 \d+", "cat_boundaries=0 999"), "cat_b|another", id="no-such-bits"),
        pytest.param(_first(r"^cat_threshold=\S+", "cat_threshold=-1"), "32 bits", id="bits-below-zero"),
        pytest.param(_first(r"^num_leaves=6", "num_leaves=5"), "another length", id="fewer-leaves"),
        pytest.param(_first(r"^num_leaves=6", "num_leaves=2147483647"), "leaves", id="leaves-without-number"),
        pytest.param(_first(r"^leaf_count=\d+", "leaf_count=0"), "without rows", id="an-empty-leaf"),
        pytest.param(_first(r"^internal_count=\d+", "internal_count=1"), "more rows", id="more-rows-than-its-parent"),
        pytest.param(_first(r"^is_linear=0", "is_linear=1"), "linear", id="linear-leaves"),
        pytest.param(_first(r"^Tree=1", "Tree=2"), "begin and end as a tree", id="a-tree-twice"),
    ],
)  # fmt: skip
def test_a_tree_whose_sizes_are_right_is_refused_by_what_is_wrong(change: Callable[[str], str], said: str) -> None:
    with pytest.raises(NotAModel, match=said):
        model_text.check(_resized(change(TEXT)), COLUMNS)


def test_a_chain_of_splits_is_refused_by_its_depth() -> None:
    splits = model_text.MOST_DEPTH + 1
    left = np.array([*range(1, splits), -1])
    right = -np.arange(2, splits + 2)
    with pytest.raises(NotAModel, match="deeper"):
        model_text._check_shape(left, right, splits + 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["digit", "list", "line"]))
def test_whatever_passes_gives_finite_scores_and_reasons(seed: int, kind: str) -> None:
    """Changes that keep the sizes right, at random: what the check lets through, LightGBM can do with."""
    draw = random.Random(seed)
    text = TEXT
    for _ in range(draw.randint(1, 3)):
        if kind == "digit":
            at = draw.choice([found.start() for found in re.finditer(r"\d", text)])
            text = text[:at] + draw.choice("0123456789-.e") + text[at + 1 :]
        else:
            found = draw.choice(list(re.finditer(r"^\w+=(\S.*)$", text, re.MULTILINE)))
            values = found[1].split(" ")
            if kind == "list":
                draw.shuffle(values)
            else:
                values[draw.randrange(len(values))] = str(draw.choice([0, -1, 1, 5, 2**31, -(2**31), 1e-9]))
            text = text[: found.start(1)] + " ".join(values) + text[found.end(1) :]
    text = _resized(text) if text.count("Tree=") == TEXT.count("Tree=") and "end of trees" in text else text
    try:
        model_text.check(text, COLUMNS)
    except NotAModel:
        return
    booster = lightgbm.Booster(model_str=text)
    rows = np.random.default_rng(seed).normal(size=(40, 4)) * 5
    rows[::5] = np.nan
    raw = np.asarray(booster.predict(rows, raw_score=True))
    assert np.isfinite(raw).all()
    assert np.isfinite(np.asarray(booster.predict(rows, pred_contrib=True))).all()


def test_scores_of_the_text_that_passed_are_the_boosters(trained: Trained, fresh: pl.DataFrame) -> None:
    matrix = trained.model.bundle.encoder.matrix(fresh)
    assert np.isfinite(trained.model.raw_scores(matrix)).all()

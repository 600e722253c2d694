"""Twins: near-identical rows are found as a comparison of every pair finds them, and figures hold without them."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from features.views import Feature
from models.evaluation import Figure
from models.training import Trained
from models.twins import NEAR, gate, has_twin
from warehouse.contracts.base import Purpose, Sensitivity


def feature(name: str, *, is_category: bool = False) -> Feature:
    purposes = frozenset({Purpose.CUSTOMS_RISK})
    return Feature(name, name, "kg", "customs", purposes, Sensitivity.OPEN, is_category)


OWN = (feature("mass"), feature("origin", is_category=True), feature("rate"))
COLUMNS = {"mass": pl.Float64, "origin": pl.String, "rate": pl.Float64, "hs_code": pl.String}
Row = tuple[float | None, str | None, float | None, str | None]

rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.sampled_from([1.0, 1.004, 1.02, 5.0, 9.0])),
        st.sampled_from(["VN", "CN", None]),
        st.one_of(st.none(), st.sampled_from([0.0, 8.0])),
        st.sampled_from(["640399", "610910", None]),
    ),
    max_size=12,
)


def frame(made: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(made, COLUMNS, orient="row")


def is_near(one: float | None, other: float | None, spread: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= max(NEAR * spread, 1e-9) * (1 + 1e-9)


@settings(max_examples=150, deadline=None)
@given(rows, rows)
def test_twins_are_those_that_comparing_every_pair_finds(train: list[Row], test: list[Row]) -> None:
    known = frame(train)
    spreads = {
        name: (known[name].quantile(0.75) or 0.0) - (known[name].quantile(0.25) or 0.0) for name in ("mass", "rate")
    }
    expected = [
        any(
            is_near(one[0], other[0], spreads["mass"])
            and is_near(one[2], other[2], spreads["rate"])
            and (one[1], one[3]) == (other[1], other[3])
            for other in train
        )
        for one in test
    ]
    assert has_twin(known, frame(test), OWN).tolist() == expected


def test_rows_that_are_repeated_flatter_and_the_gate_tells(trained: Trained) -> None:
    draw = np.random.default_rng(4)
    train = frame([(float(at), "VN", 8.0, "640399") for at in range(300)])
    fresh = train.with_columns(mass=pl.col("mass") + 1_000.0)
    labels = draw.integers(0, 2, 300).astype(np.float64)
    remembered, guessed = np.where(labels == 1, 0.9, 0.1), draw.random(300)
    both = gate(
        train,
        pl.concat([train, fresh]),
        OWN,
        np.concatenate([labels, labels]),
        np.concatenate([remembered, guessed]),
        seed=1,
    )
    assert (both.rows, both.with_twin, both.share) == (600, 300, 0.5)
    assert both.without["auc"].low < 0.5 < both.without["auc"].high
    assert both.flattery is not None
    assert both.flattery.value == pytest.approx(
        roc_auc_score(np.concatenate([labels, labels]), np.concatenate([remembered, guessed]))
        - roc_auc_score(labels, guessed)
    )
    assert 0.1 < both.flattery.low < both.flattery.value < both.flattery.high


def test_where_all_have_twins_nothing_is_left_to_judge() -> None:
    train = frame([(1.0, "VN", 8.0, "640399")])
    found = gate(train, train, OWN, np.ones(1), np.ones(1), seed=1)
    assert (found.with_twin, dict(found.without), found.flattery) == (1, {}, None)


def test_a_trained_model_tells_its_twins(trained: Trained) -> None:
    assert trained.twins.rows == trained.rows["test"]
    own = trained.spec.own_features()
    assert {"hour", "weekday"}.isdisjoint(one.name for one in own)
    assert trained.twins.with_twin == has_twin(trained.split.learnt, trained.split.test, own).sum()
    assert trained.twins.without["auc"].value == pytest.approx(trained.figures["auc"].value)
    assert trained.twins.flattery == Figure(0.0, 0.0, 0.0)


def test_a_repeated_day_is_full_of_twins(trained: Trained) -> None:
    own = trained.spec.own_features()
    assert has_twin(trained.split.train, trained.split.train.tail(20), own).all()
    assert len(list(itertools.chain(own))) > 5

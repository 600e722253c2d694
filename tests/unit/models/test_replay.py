"""Replay: a stored score follows from its vector and its model, and what does not is told."""

from __future__ import annotations

from dataclasses import replace as with_changes
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from features.views import Feature
from models.calibration import IDENTITY
from models.replay import replay
from models.training import Bundle, Model, Trained
from tests.scored import score
from warehouse.catalog import table_of
from warehouse.errors import BorderlakeError

AT = datetime(2025, 4, 1, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def features(trained: Trained) -> dict[str, Feature]:
    return {feature.name: feature for feature in trained.spec.features()}


@pytest.fixture(scope="module")
def rows(trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame) -> list[dict[str, Any]]:
    scores = score(trained.model, 4, features, fresh.head(40), AT)
    return table_of("gold.shipment_scores").shape(scores).to_dicts()


@pytest.fixture(scope="module")
def read_back(trained: Trained) -> Model:
    return Model(trained.model.text, Bundle.from_json(trained.model.bundle.to_json()))


def test_every_score_comes_out_again_to_the_bit(
    read_back: Model, features: dict[str, Feature], rows: list[dict[str, Any]]
) -> None:
    for row in rows:
        compared = replay(read_back, features, row)
        assert [one.name for one in compared if not one.is_equal] == []
        assert len(compared) == 3 + len(row["reasons"])


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        pytest.param({"raw_score": 0.25}, {"raw_score"}, id="another-score"),
        pytest.param({"probability": 0.5}, {"probability"}, id="another-probability"),
        pytest.param({"event_version": 9}, {"score_id"}, id="the-score-of-another-event"),
    ],
)
def test_what_was_changed_is_told(
    read_back: Model,
    features: dict[str, Feature],
    rows: list[dict[str, Any]],
    change: dict[str, Any],
    differs: set[str],
) -> None:
    compared = replay(read_back, features, {**rows[0], **change})
    assert {one.name for one in compared if not one.is_equal} == differs


def test_a_reason_that_was_changed_is_told(
    read_back: Model, features: dict[str, Feature], rows: list[dict[str, Any]]
) -> None:
    first, *others = rows[0]["reasons"]
    forged = {**rows[0], "reasons": [{**first, "contribution": first["contribution"] * 2}, *others]}
    unequal = [one for one in replay(read_back, features, forged) if not one.is_equal]
    assert [one.stored for one in unequal] == [first["contribution"] * 2]


def test_reasons_are_left_out_where_a_feature_is_declared_no_more(
    read_back: Model, features: dict[str, Feature], rows: list[dict[str, Any]]
) -> None:
    fewer = {name: feature for name, feature in features.items() if name != "office"}
    assert [one.name for one in replay(read_back, fewer, rows[0])] == ["raw_score", "probability", "score_id"]


def test_another_model_is_refused(trained: Trained, features: dict[str, Feature], rows: list[dict[str, Any]]) -> None:
    other = Model(trained.model.text, with_changes(trained.model.bundle, calibrator=IDENTITY))
    with pytest.raises(
        BorderlakeError, match=f"{trained.model.sha256[:12]}, and the registry holds {other.sha256[:12]}"
    ):
        replay(other, features, rows[0])


def test_a_vector_of_another_length_is_refused(
    read_back: Model, features: dict[str, Feature], rows: list[dict[str, Any]]
) -> None:
    cut = {**rows[0], "vector": rows[0]["vector"][:-1]}
    with pytest.raises(BorderlakeError, match=f"its vector holds {len(cut['vector'])}"):
        replay(read_back, features, cut)

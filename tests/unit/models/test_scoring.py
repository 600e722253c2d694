"""Scoring: rows that can be replayed bit for bit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features.views import Feature
from models.training import Bundle, Model, Trained
from tests.scored import score
from warehouse.catalog import table_of
from warehouse.errors import NotReady

AT = datetime(2025, 4, 1, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def features(trained: Trained) -> dict[str, Feature]:
    return {feature.name: feature for feature in trained.spec.features()}


@pytest.fixture(scope="module")
def scores(trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame) -> pl.DataFrame:
    return score(trained.model, 4, features, fresh, AT)


def test_rows_fit_the_table_of_scores_one_an_event_in_order(scores: pl.DataFrame, fresh: pl.DataFrame) -> None:
    assert table_of("gold.shipment_scores").shape(scores).height == fresh.height
    assert scores["event_id"].equals(fresh["event_id"])


def test_probabilities_are_probabilities_in_the_order_of_the_raw_scores(scores: pl.DataFrame) -> None:
    assert scores["probability"].is_between(0.0, 1.0).all()
    assert scores.sort("raw_score")["probability"].is_sorted()


def test_the_stored_vector_is_the_row_the_model_saw(
    trained: Trained, scores: pl.DataFrame, fresh: pl.DataFrame
) -> None:
    matrix = trained.model.bundle.encoder.matrix(fresh)
    stored = np.array(scores["vector"].to_list())
    assert stored.tobytes() == matrix.tobytes()


def test_replaying_the_stored_vector_gives_the_score_bit_for_bit(trained: Trained, scores: pl.DataFrame) -> None:
    model = Model(trained.model.text, Bundle.from_json(trained.model.bundle.to_json()))
    raw = model.raw_scores(np.array(scores["vector"].to_list()))
    assert raw.tobytes() == scores["raw_score"].to_numpy().tobytes()
    assert model.bundle.calibrator.probability(raw).tobytes() == scores["probability"].to_numpy().tobytes()


def test_a_score_does_not_depend_on_the_rows_beside_it(
    trained: Trained, features: dict[str, Feature], scores: pl.DataFrame, fresh: pl.DataFrame
) -> None:
    alone = score(trained.model, 4, features, fresh[17:18], AT)
    # Frames hold NaN equal to NaN, as missing numbers of a vector must be.
    columns = ("score_id", "raw_score", "probability", "vector")
    assert alone.select(columns).equals(scores[17:18].select(columns))


def test_score_ids_are_of_event_model_and_moment(
    trained: Trained, features: dict[str, Feature], scores: pl.DataFrame, fresh: pl.DataFrame
) -> None:
    again = score(trained.model, 4, features, fresh, AT)
    assert again["score_id"].equals(scores["score_id"])
    assert scores["score_id"].n_unique() == scores.height
    others = [
        score(trained.model, 5, features, fresh, AT),
        score(trained.model, 4, features, fresh, AT + timedelta(microseconds=1)),
        score(trained.model, 4, features, fresh.with_columns(event_version=pl.lit(2, dtype=pl.Int64)), AT),
    ]
    for other in others:
        assert not set(other["score_id"]) & set(scores["score_id"])


def test_rows_name_the_model_that_made_them(trained: Trained, scores: pl.DataFrame) -> None:
    named = scores.select("model_name", "model_version", "model_sha256", "scored_at").unique()
    assert named.rows() == [("shipment_risk", 4, trained.model.sha256, AT)]


def test_events_before_the_test_days_are_marked_as_training(trained: Trained, scores: pl.DataFrame) -> None:
    expected = scores["event_at"] < trained.model.bundle.trained_until
    assert scores["in_training"].equals(expected, check_names=False)
    assert 0 < expected.sum() < scores.height


def test_an_unseen_category_scores_and_is_marked(
    trained: Trained, features: dict[str, Feature], scores: pl.DataFrame, fresh: pl.DataFrame
) -> None:
    assert not scores["has_unseen_category"].any()
    new = score(trained.model, 4, features, fresh.head(2).with_columns(office=pl.lit("XNNEW")), AT)
    assert new["has_unseen_category"].all()
    assert new["probability"].is_between(0.0, 1.0).all()


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(["importer_hit_rate"], id="a-number"),
        pytest.param(["importer_hit_rate", "office"], id="and-a-category"),
    ],
)
def test_missing_features_are_refused_by_name(
    trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame, missing: list[str]
) -> None:
    with pytest.raises(NotReady, match=f"features {', '.join(missing)} are missing"):
        score(trained.model, 4, features, fresh.drop(missing), AT)


def test_the_riskiest_of_each_location_and_day_are_explained(scores: pl.DataFrame, fresh: pl.DataFrame) -> None:
    crowded = scores.group_by("location", "received_on").len().filter(pl.col("len") > 10)
    assert crowded.is_empty(), "every row of a small day is explained"
    assert (scores.filter(pl.col("raw_score") > scores["raw_score"].median())["reasons"].list.len() > 0).all()


def test_on_a_crowded_day_only_the_riskiest_are_explained(
    trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame
) -> None:
    one_day = fresh.with_columns(location=pl.lit("XNPRT"), received_on=pl.lit(AT.date()))
    made = score(trained.model, 4, features, one_day, AT).sort("raw_score", descending=True)
    has_reasons = made["reasons"].list.len() > 0
    assert has_reasons.head(30).all()
    assert not has_reasons.tail(fresh.height - 30).any()


def test_an_empty_day_scores_nothing(trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame) -> None:
    made = score(trained.model, 4, features, fresh.clear(), AT)
    assert table_of("gold.shipment_scores").shape(made).height == 0

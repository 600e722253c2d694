"""Explanation: contributions that sum to the score, reasons in plain words."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from features.views import Feature
from models.explanation import TOP, in_words, reasons
from models.training import Trained
from warehouse.contracts.base import Purpose, Sensitivity


@pytest.fixture(scope="module")
def features(trained: Trained) -> dict[str, Feature]:
    return {feature.name: feature for feature in trained.spec.features()}


@pytest.fixture(scope="module")
def contributions(trained: Trained, fresh: pl.DataFrame) -> np.ndarray:
    matrix = trained.model.bundle.encoder.matrix(fresh)
    return np.asarray(trained.model.booster().predict(matrix, pred_contrib=True))


@pytest.fixture(scope="module")
def explained(trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame) -> pl.Series:
    return reasons(trained.model, features, fresh, trained.model.bundle.encoder.matrix(fresh))


def test_contributions_and_the_expected_value_sum_to_the_raw_score(
    trained: Trained, fresh: pl.DataFrame, contributions: np.ndarray
) -> None:
    raw = trained.model.raw_scores(trained.model.bundle.encoder.matrix(fresh))
    assert contributions.sum(axis=1) == pytest.approx(raw, abs=1e-9)


def test_reasons_are_the_strongest_contributions_in_order(
    trained: Trained, contributions: np.ndarray, explained: pl.Series
) -> None:
    columns = trained.model.bundle.encoder.columns
    for row, found in enumerate(explained):
        by_feature = dict(zip(columns, contributions[row, :-1].tolist(), strict=True))
        strongest = sorted((value for value in by_feature.values() if value > 0), reverse=True)[:TOP]
        assert [reason["contribution"] for reason in found] == strongest
        assert all(by_feature[reason["feature"]] == reason["contribution"] for reason in found)


def test_no_reason_speaks_for_the_event(explained: pl.Series) -> None:
    given = explained.explode(empty_as_null=False).struct.field("contribution")
    assert given.len() > 0
    assert given.min() > 0


def test_every_reason_names_its_owner_and_reads_as_the_feature_says(
    trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame, explained: pl.Series
) -> None:
    usual = trained.model.bundle.usual
    for row, found in enumerate(explained):
        for reason in found:
            feature = features[reason["feature"]]
            assert reason["owner"] == feature.owner
            assert reason["text"] == in_words(feature, fresh[feature.name][row], usual.get(feature.name))


def test_no_rows_have_no_reasons(trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame) -> None:
    nothing = fresh.clear()
    assert reasons(trained.model, features, nothing, np.zeros((0, 1))).len() == 0


def feature(description: str, unit: str) -> Feature:
    purposes = frozenset({Purpose.CUSTOMS_RISK})
    return Feature("f", description, unit, "customs", purposes, Sensitivity.OPEN)


PRICE = feature("declared value per kg", "log currency/kg")
RATE = feature("share of inspections of the importer that found something", "share")


@pytest.mark.parametrize(
    ("of", "value", "usual", "text"),
    [
        pytest.param(
            PRICE,
            math.log1p(4.1),
            (math.log1p(11), math.log1p(19)),
            "declared value per kg: 4.1 currency/kg (usually 11 to 19)",
            id="a-logarithm-is-said-in-its-own-unit",
        ),
        pytest.param(RATE, 0.4, (0.05, 0.1), f"{RATE.description}: 40% (usually 5% to 10%)", id="a-share-is-per-cent"),
        pytest.param(
            feature("items", "items"), 12345.0, (1.0, 3.0), "items: 12,345 items (usually 1 to 3)", id="thousands"
        ),
        pytest.param(
            feature("silences", "silences"), 2.0, (0.0, 0.0), "silences: 2 silences (usually 0)", id="one-usual-value"
        ),
        pytest.param(feature("hour", "hour"), 3.0, (9.0, 15.0), "hour: 3 (usually 9 to 15)", id="an-hour-has-no-unit"),
        pytest.param(feature("gap", "days"), 0.034, None, "gap: 0.034 days", id="nothing-usual-is-known"),
        pytest.param(RATE, None, (0.1, 0.2), f"{RATE.description}: nothing known", id="a-missing-value"),
        pytest.param(RATE, math.nan, (0.1, 0.2), f"{RATE.description}: nothing known", id="no-number"),
        pytest.param(feature("office of entry", "code"), "XNPRT", None, "office of entry: XNPRT", id="a-category"),
        pytest.param(
            feature("value against usual", "standard deviations"),
            -3.25,
            (-0.5, 0.5),
            "value against usual: -3.2 standard deviations (usually -0.5 to 0.5)",
            id="a-negative-deviation",
        ),
    ],
)
def test_words(of: Feature, value: float | str | None, usual: tuple[float, float] | None, text: str) -> None:
    assert in_words(of, value, usual) == text

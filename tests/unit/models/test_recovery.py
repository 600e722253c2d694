"""Expected recovery: amounts learnt in one currency, sums that come out, revenue by rank against a count row by row."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.growing import grow
from models.prediction import raw_scores
from models.recovery import LEAST_ROWS, amounts_of, currency_of, revenue_share
from models.replay import replay
from models.training import Bundle, Model, Trained
from tests.scored import score
from warehouse.catalog import table_of

AT = datetime(2025, 4, 1, 6, tzinfo=UTC)


def test_the_currency_is_that_of_most_outcomes(told: pl.DataFrame) -> None:
    assert currency_of(told) == "EUR"
    assert currency_of(told.drop("recovered")) is None
    assert currency_of(told.filter(pl.col("is_adverse")).head(LEAST_ROWS - 1)) is None


def test_amounts_of_other_currencies_do_not_count(told: pl.DataFrame) -> None:
    amounts = amounts_of(told, "EUR")
    assert amounts[(told["recovered_in"] == "USD").to_numpy()].sum() == 0
    assert amounts.sum() == pytest.approx(told.filter(pl.col("recovered_in") == "EUR")["recovered"].sum())


def test_what_is_expected_sums_to_what_came_in_on_the_validation_days(with_amounts: Trained) -> None:
    """By the trees that had not seen them: of rows it has learnt from, a model expects too much."""
    bundle, split = with_amounts.model.bundle, with_amounts.split
    assert bundle.recovery is not None
    stopped = grow(with_amounts.spec, bundle.encoder, split.train, split.valid, split.late).stopped
    matrix = bundle.encoder.matrix(split.valid)
    expected = bundle.recovery.expected(matrix, bundle.calibrator.probability(raw_scores(stopped, matrix)))
    assert expected.sum() == pytest.approx(amounts_of(split.valid, "EUR").sum())
    assert (expected > 0).all()


def test_ranking_by_money_brings_more_than_by_probability_alone(with_amounts: Trained) -> None:
    by_money, by_chance = (with_amounts.revenue[f"revenue_at_10_by_{way}"] for way in ("recovery", "probability"))
    assert by_money.value > by_chance.value
    assert by_chance.low <= by_chance.value <= by_chance.high


def test_outcomes_without_amounts_give_no_recovery(trained: Trained) -> None:
    assert trained.model.bundle.recovery is None
    assert trained.revenue == {}


def test_scores_tell_it_and_replay_it_to_the_bit(with_amounts: Trained, fresh: pl.DataFrame) -> None:
    features = {feature.name: feature for feature in with_amounts.spec.features()}
    rows = table_of("gold.shipment_scores").shape(score(with_amounts.model, 1, features, fresh.head(20), AT))
    assert rows["recovery_currency"].unique().to_list() == ["EUR"]
    read = Model(with_amounts.model.text, Bundle.from_json(with_amounts.model.bundle.to_json()))
    for row in rows.to_dicts():
        compared = {one.name: one for one in replay(read, features, row)}
        assert compared["expected_recovery"].is_equal
        assert all(one.is_equal for one in compared.values())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), min_size=1, max_size=40), st.sampled_from([1, 5, 10, 50])
)
def test_a_share_of_revenue_is_that_of_the_first_seats(rows: list[tuple[int, int]], percent: int) -> None:
    amounts, weights = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    seated = [amount for amount, times in rows for _ in range(times)]
    seats = max(1, round(len(seated) * percent / 100))
    expected = sum(seated[:seats]) / sum(seated) if sum(seated) else 0.0
    assert revenue_share(amounts, weights, percent / 100) == pytest.approx(expected)

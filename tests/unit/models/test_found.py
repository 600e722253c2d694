"""Found at capacity: against counting row by row, and ranked as lanes are filled."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.capacity import Capacities, Capacity
from models.found import Brought, brought, part_in_best, standing
from models.priority import Priority
from models.selection import select
from models.training import Trained

WAYS = ("probability", "money", "mix:0.4")


def ranked_by(*ways: str) -> Capacities:
    """One office for each way to rank, in the order of the places of `conftest`; others by probability."""
    places = ("XNPRT", "XNAIR", "XNRLY")
    return Capacities(
        locations={
            place: Capacity(rank_by=Priority.of(way)) for place, way in zip(places[: len(ways)], ways, strict=True)
        }
    )


ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 50), st.sampled_from([0.0, 0.4, 1.0]), st.floats(0, 1)),
    min_size=1,
    max_size=40,
)


@given(ROWS, st.floats(0.01, 1.0))
def test_found_is_what_counting_office_by_office_gives(
    rows: list[tuple[bool, int, float, float]], share: float
) -> None:
    expected = 0.0
    for weight in {row[2] for row in rows}:
        group = [row for row in rows if row[2] == weight]
        best = sorted(group, key=lambda row: -row[3])[: max(1, round(len(group) * share))]
        hits, money = (sum(row[column] for row in group) for column in (0, 1))
        in_hits = sum(row[0] for row in best) / hits if hits else 0.0
        in_money = sum(row[1] for row in best) / money if money else 0.0
        expected += (weight * in_hits + (1 - weight) * in_money) * len(group) / len(rows)
    labels, amounts, weights, scores = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    made = Brought(labels, amounts, weights, "EUR")
    assert made.found(np.arange(len(rows)), scores, share) == pytest.approx(expected)


@given(ROWS, st.floats(0.01, 1.0))
def test_where_all_rank_by_probability_it_is_recall(rows: list[tuple[bool, int, float, float]], share: float) -> None:
    labels, amounts, _, scores = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    every = Brought(labels, amounts, np.ones(len(rows)), None)
    assert every.found(np.arange(len(rows)), scores, share) == pytest.approx(part_in_best(labels, scores, share))


@pytest.mark.parametrize("way", WAYS)
def test_rows_stand_as_lanes_are_filled(with_amounts: Trained, fresh: pl.DataFrame, way: str) -> None:
    model, declared = with_amounts.model, Capacities(Capacity(rank_by=Priority.of(way)))
    recovery = model.bundle.recovery
    assert recovery is not None
    matrix = model.bundle.encoder.matrix(fresh)
    raw = model.raw_scores(matrix)
    probability = model.bundle.calibrator.probability(raw)
    scores = fresh.select(
        "event_id",
        location=pl.lit("XNPRT"),
        received_on=date(2025, 4, 1),
        raw_score=pl.Series(raw),
        probability=pl.Series(probability),
        expected_recovery=pl.Series(recovery.expected(matrix, probability)),
    )
    placed = scores.select("event_id").join(select(scores, declared, b"key"), on="event_id", maintain_order="left")
    weight = np.full(fresh.height, declared.default.rank_by.weight)
    order = placed["rank"].to_numpy()[np.argsort(-standing(model, fresh, weight), kind="stable")]
    assert (np.diff(order) > 0).mean() > 0.99, "but for equal scores, which lanes part by lot"


def test_each_office_is_counted_as_it_declares(with_amounts: Trained) -> None:
    test = with_amounts.split.test
    made = brought(test, ranked_by(*WAYS), "EUR")
    assert dict(zip(test["location"], made.weight, strict=True)) == {"XNPRT": 1.0, "XNAIR": 0.0, "XNRLY": 0.4}
    in_euro = test.filter(pl.col("recovered_in") == "EUR")["recovered"].sum()
    assert made.amounts.sum() == pytest.approx(in_euro)


@pytest.mark.parametrize(
    "currency",
    [
        pytest.param(None, id="neither-model-has-learnt-amounts"),
        pytest.param("CHF", id="none-came-in-in-their-currency"),
    ],
)
def test_without_amounts_hits_are_counted_and_it_is_told(with_amounts: Trained, currency: str | None) -> None:
    made = brought(with_amounts.split.test, ranked_by("money"), currency)
    assert made.is_without_amounts
    assert made.currency is None
    assert (made.weight == 1).all()

"""What is usual: quartiles of the narrowest kind of which enough is known, against a computation row by row."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training import Trained
from models.usual import KINDS, LEAST_ROWS, Kind, Usual, learn

GOODS = (Kind(("code", "origin"), "{} from {}"), Kind(("code",), "{}"))

events = st.lists(
    st.tuples(st.sampled_from(["A", "B"]), st.sampled_from(["X", "Y", None]), st.one_of(st.none(), st.integers(0, 50))),
    min_size=1,
    max_size=120,
)


def frame(rows: list[tuple[str, str | None, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, {"code": pl.String, "origin": pl.String, "price": pl.Float64}, orient="row", strict=False)


def quartiles(values: list[int]) -> tuple[float, float]:
    """The values nearest to a quarter and three quarters of the way."""
    ordered = pl.Series(values, dtype=pl.Float64)
    return float(ordered.quantile(0.25)), float(ordered.quantile(0.75))


def by_hand(
    rows: list[tuple[str, str | None, int | None]], event: tuple[str, str | None, int | None]
) -> tuple[float, float, str | None]:
    code, origin, _ = event
    alike = [v for c, o, v in rows if (c, o) == (code, origin) and v is not None]
    if origin is not None and len(alike) >= LEAST_ROWS:
        return *quartiles(alike), f"{code} from {origin}"
    of_code = [v for c, _, v in rows if c == code and v is not None]
    if len(of_code) >= LEAST_ROWS:
        return *quartiles(of_code), code
    everything = [v for _, _, v in rows if v is not None]
    return (*quartiles(everything), None) if everything else (np.nan, np.nan, None)


@settings(max_examples=60, deadline=None)
@given(events)
def test_ranges_are_those_of_the_narrowest_kind_that_is_known(rows: list[tuple[str, str | None, int | None]]) -> None:
    held = frame(rows)
    found = learn(held, ["price"], ["price"], GOODS).ranges("price", held)
    expected = [by_hand(rows, event) for event in rows]
    assert np.array_equal(found.low, [low for low, _, _ in expected], equal_nan=True)
    assert np.array_equal(found.high, [high for _, high, _ in expected], equal_nan=True)
    assert found.among.to_list() == [among for _, _, among in expected]


@settings(max_examples=30, deadline=None)
@given(events)
def test_what_is_written_is_read_back(rows: list[tuple[str, str | None, int | None]]) -> None:
    learnt = learn(frame(rows), ["price"], ["price"], GOODS)
    assert Usual.of(json.loads(json.dumps(asdict(learnt)))) == learnt


def test_a_kind_whose_columns_are_missing_is_passed_over() -> None:
    held = frame([("A", "X", price) for price in range(LEAST_ROWS)])
    learnt = learn(held, ["price"], ["price"], GOODS)
    assert learnt.ranges("price", held.head(1)).among.to_list() == ["A from X"]
    assert learnt.ranges("price", held.head(1).drop("origin")).among.to_list() == ["A"]


def test_a_kind_never_seen_is_held_against_all() -> None:
    held = frame([("A", "X", price) for price in range(LEAST_ROWS)])
    found = learn(held, ["price"], ["price"], GOODS).ranges("price", frame([("C", "Z", 1)]))
    assert found.among.to_list() == [None]
    assert (found.low[0], found.high[0]) == quartiles(list(range(LEAST_ROWS)))


def test_a_model_learns_what_is_usual_for_the_kinds_of_its_subject(trained: Trained) -> None:
    usual = trained.model.bundle.usual
    assert usual.kinds == KINDS["shipments"]
    chapter = trained.split.train["hs2"].drop_nulls()[0]
    alike = trained.split.train.filter(pl.col("hs2") == chapter)["log_value_per_kg"]
    assert usual.of_kinds["log_value_per_kg"][f"HS chapter {chapter}"] == pytest.approx(
        (alike.quantile(0.25), alike.quantile(0.75))
    )

"""Cells and counts, against sorting values by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from models import cells

DAY = date(2025, 3, 1)
NUMBERS = st.one_of(st.none(), st.just(float("nan")), st.floats(-50, 50).map(lambda x: round(x, 1)))
CATEGORIES = st.one_of(st.none(), st.sampled_from("abcdefghijklm"))
ROWS = st.lists(st.tuples(st.integers(0, 5), NUMBERS, CATEGORIES), min_size=1, max_size=60)


def frame(rows: list[tuple[int, float | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "day": [DAY + timedelta(days=day) for day, _, _ in rows],
            "mass": pl.Series([number for _, number, _ in rows], dtype=pl.Float64),
            "office": pl.Series([category for _, _, category in rows], dtype=pl.String),
        }
    )


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS)
def test_counts_are_those_of_sorting_each_value_by_hand(
    reference: list[tuple[int, float | None, str | None]], rows: list[tuple[int, float | None, str | None]]
) -> None:
    learnt = cells.learn(frame(reference), ["mass"], ["office"])
    counts = cells.count(frame(rows), learnt, "day")
    first = min(day for day, _, _ in rows)
    edges, frequent = learnt.numbers["mass"].edges.tolist(), learnt.categories["office"]
    expected = np.zeros_like(counts.events)
    for day, number, category in rows:
        missing = number is None or number != number
        cell = cells.WIDTH - 1 if missing else sum(edge < number for edge in edges)
        expected[day - first, 0, cell] += 1
        coded = 0 if category not in frequent else 1 + frequent.index(category)
        expected[day - first, 1, cells.WIDTH - 1 if category is None else coded] += 1
    assert np.array_equal(counts.events, expected)
    assert counts.days == tuple(DAY + timedelta(days=first + step) for step in range(len(counts.days)))


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_edges_rise_and_lie_within_the_reference(rows: list[tuple[int, float | None, str | None]]) -> None:
    parted = cells.learn(frame(rows), ["mass"], []).numbers["mass"]
    known = [number for _, number, _ in rows if number is not None and number == number]
    assert (np.diff(parted.edges) > 0).all()
    assert len(parted.edges) < cells.WIDTH
    assert parted.spread > 0
    if known:
        assert min(known) <= parted.edges[0]
        assert parted.edges[-1] <= max(known)


def test_the_most_frequent_categories_have_cells_of_their_own_and_new_ones_share_one() -> None:
    seen = [letter for weight, letter in enumerate("abcdefghijkl", start=1) for _ in range(weight)]
    learnt = cells.learn(frame([(0, None, letter) for letter in seen]), [], ["office"])
    assert set(learnt.categories["office"]) == set("defghijkl")
    codes = learnt.codes(frame([(0, None, "a"), (0, None, "new"), (0, None, "l"), (0, None, None)]))
    assert codes[:, 0].tolist() == [0, 0, 1, cells.WIDTH - 1]


def test_a_feature_that_nothing_is_known_of_has_one_cell_for_what_may_come() -> None:
    learnt = cells.learn(frame([(0, None, None)]), ["mass"], ["office"])
    counts = cells.count(frame([(0, 3.0, "a"), (0, None, None)]), learnt, "day")
    assert counts.events[0].sum(axis=1).tolist() == [2, 2]
    assert counts.events[0, :, -1].tolist() == [1, 1]


def test_no_rows_have_no_days() -> None:
    learnt = cells.learn(frame([(0, 1.0, "a")]), ["mass"], ["office"])
    assert cells.count(frame([]), learnt, "day").events.shape == (0, 2, cells.WIDTH)

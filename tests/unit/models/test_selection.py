"""Selection: the seats of each lane, who takes them, and what a row says of it."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_rows import scores, seats, select, sizes

from models.capacity import LANES, Capacities, Capacity
from models.priority import Priority


def lanes(made: pl.DataFrame) -> dict[str, int]:
    counts = dict(made.group_by("lane").len().iter_rows())
    return {lane: counts.get(lane, 0) for lane in LANES}


@settings(max_examples=50, deadline=None)
@given(sizes, seats, seats, seats, seats)
def test_seats_are_kept_at_each_location_and_day(
    days: dict[tuple[str | None, int], int], red: float, yellow: float, blue: float, exploration: float
) -> None:
    made = select(scores(days), Capacities(Capacity(red, yellow, blue, exploration)))
    assert made.height == sum(days.values())
    for _, of_day in made.group_by("location", "received_on"):
        rows = of_day.height
        by_risk = of_day.filter(~pl.col("is_exploration"))
        limit = {lane: seats if seats >= 1 else seats * rows for lane, seats in (("red", red), ("yellow", yellow))}
        for lane, most in limit.items():
            assert by_risk.filter(pl.col("lane") == lane).height < most + 1
        looked_at = of_day.filter((pl.col("propensity") == 1.0) & ~pl.col("is_exploration"))
        drawn = of_day["is_exploration"].sum()
        rest = rows - by_risk["lane"].is_in(["red", "yellow"]).sum()
        assert drawn <= rest
        assert looked_at.height + rest >= rows
        expected = drawn / rest if rest else 1.0
        of_rest = of_day.filter(pl.col("is_exploration") | ~pl.col("lane").is_in(["red", "yellow"]))
        assert of_rest["propensity"].to_list() == pytest.approx([expected] * of_rest.height)
        assert of_day["rank"].sort().to_list() == list(range(1, rows + 1))
        assert of_day.sort("rank")["raw_score"].is_sorted(descending=True)


@pytest.mark.parametrize(
    ("rows", "capacity", "expected"),
    [
        pytest.param(
            100,
            Capacity(0.03, 0.05, 0.10, 0.0),
            {"red": 3, "yellow": 5, "blue": 10, "green": 82},
            id="shares-of-the-day",
        ),
        pytest.param(
            100, Capacity(4, 2, 1, 0.0), {"red": 4, "yellow": 2, "blue": 1, "green": 93}, id="numbers-of-events"
        ),
        pytest.param(
            100, Capacity(0.07, 0.0, 0.28, 0.0), {"red": 7, "yellow": 0, "blue": 28, "green": 65}, id="exact-shares"
        ),
        pytest.param(
            3,
            Capacity(0.03, 0.0, 0.0, 0.0),
            {"red": 1, "yellow": 0, "blue": 0, "green": 2},
            id="a-share-begun-is-a-seat",
        ),
        pytest.param(
            3, Capacity(5, 5, 5, 5), {"red": 3, "yellow": 0, "blue": 0, "green": 0}, id="more-seats-than-events"
        ),
        pytest.param(
            10, Capacity(0, 0, 0, 0), {"red": 0, "yellow": 0, "blue": 0, "green": 10}, id="an-office-without-officers"
        ),
    ],
)
def test_lanes(rows: int, capacity: Capacity, expected: dict[str, int]) -> None:
    assert lanes(select(scores({("XNPRT", 1): rows}), Capacities(capacity))) == expected


def worth_by_hand(rows: list[dict[str, float]], weight: float) -> list[float]:
    """Of each row of one office and day its part in all expected hits and in all expected money, as weighed."""
    hits, money = (sum(row[name] for row in rows) for name in ("probability", "expected_recovery"))
    return [
        weight * row["probability"] / hits + (1 - weight) * (row["expected_recovery"] / money if money else 0.0)
        for row in rows
    ]


@settings(max_examples=25, deadline=None)
@given(sizes, st.floats(0, 1), st.integers(0, 12), st.booleans())
def test_seats_go_to_what_is_worth_most_to_the_office(
    days: dict[tuple[str | None, int], int], weight: float, red: int, pays: bool
) -> None:
    given = scores(days).with_columns(pl.col("expected_recovery") * float(pays))
    made = select(given, Capacities(Capacity(red, 0, 0, 0, rank_by=Priority(weight))))
    for _, of_day in made.group_by("location", "received_on"):
        rows = of_day.sort("rank").to_dicts()
        worth = worth_by_hand(rows, weight)
        assert worth == pytest.approx(sorted(worth, reverse=True), abs=1e-12)
        # No other choice of as many rows would be worth more.
        chosen = [one for one, row in zip(worth, rows, strict=True) if row["lane"] == "red"]
        assert sum(chosen) == pytest.approx(sum(sorted(worth, reverse=True)[: len(chosen)]))


def test_offices_rank_each_in_their_own_way_and_rows_say_how() -> None:
    ways = {place: Capacity(2, 0, 0, 1, rank_by=Priority.of(way)) for place, way in
            {"XNPRT": "money", "XNAIR": "mix:0.7"}.items()}  # fmt: skip
    made = select(scores({("XNPRT", 1): 30, ("XNAIR", 1): 30, ("XNRLY", 1): 30}), Capacities(Capacity(), ways))
    first = {row["location"]: row for row in made.filter(pl.col("rank") == 1).to_dicts()}
    assert first["XNPRT"]["reason"] == "by expected recovery: rank 1 of 30"
    assert first["XNPRT"]["expected_recovery"] == made.filter(pl.col("location") == "XNPRT")["expected_recovery"].max()
    assert first["XNAIR"]["reason"] == "by a mix of 70 % risk and 30 % expected recovery: rank 1 of 30"
    assert first["XNRLY"]["reason"] == "by risk: rank 1 of 30"
    assert first["XNRLY"]["raw_score"] == made.filter(pl.col("location") == "XNRLY")["raw_score"].max()


@pytest.mark.parametrize(
    "without",
    [
        pytest.param(pl.lit(None, pl.Float64), id="a-model-that-learnt-no-amounts"),
        pytest.param(
            pl.when(pl.col("event_id").str.ends_with("-3")).then(None).otherwise("expected_recovery"),
            id="one-row-lacks-it",
        ),
    ],
)
def test_where_amounts_are_missing_risk_ranks_and_rows_say_so(without: pl.Expr) -> None:
    rows = scores({("XNPRT", 1): 20}).with_columns(expected_recovery=without)
    made = select(rows, Capacities(Capacity(2, 2, 2, 0, rank_by=Priority.of("money"))))
    assert made.sort("rank")["raw_score"].is_sorted(descending=True)
    assert made["reason"].str.starts_with("by risk, since no amounts are known: rank ").all()


def test_the_riskiest_fill_the_lanes_from_red_down() -> None:
    made = select(scores({("XNPRT", 1): 50}), Capacities(Capacity(2, 3, 4, 0))).sort("raw_score", descending=True)
    assert made["lane"].to_list() == ["red"] * 2 + ["yellow"] * 3 + ["blue"] * 4 + ["green"] * 41


def test_a_location_s_own_capacity_goes_before_the_default() -> None:
    capacities = Capacities(Capacity(1, 0, 0, 0), {"XNAIR": Capacity(3, 0, 0, 0)})
    made = select(scores({("XNPRT", 1): 20, ("XNAIR", 1): 20, (None, 1): 20}), capacities)
    red = dict(made.filter(pl.col("lane") == "red").group_by("location").len().iter_rows())
    assert red == {"XNPRT": 1, "XNAIR": 3, None: 1}


@pytest.mark.parametrize(
    "tied", [pytest.param(False, id="scores-of-their-own"), pytest.param(True, id="all-scores-equal")]
)
def test_order_of_rows_does_not_matter(tied: bool) -> None:
    rows = scores({("XNPRT", 1): 60, ("XNAIR", 2): 60}, tied=tied)
    capacities = Capacities(Capacity(4, 6, 8, 5))
    straight, turned = (
        select(r, capacities).sort("event_id") for r in (rows, rows.sample(fraction=1.0, shuffle=True, seed=2))
    )
    assert straight.select("event_id", "lane", "rank", "is_exploration", "propensity").equals(
        turned.select("event_id", "lane", "rank", "is_exploration", "propensity")
    )


def test_ties_are_not_broken_by_arrival() -> None:
    made = select(scores({("XNPRT", 1): 200}, tied=True), Capacities(Capacity(20, 0, 0, 0)))
    arrived = made.filter(pl.col("lane") == "red")["event_id"].str.split("-").list.last().cast(pl.Int64)
    assert arrived.max() > 100


def test_no_scores_have_no_lanes() -> None:
    assert select(scores({("XNPRT", 1): 1}).clear(), Capacities()).is_empty()


def test_a_row_says_why_it_is_in_its_lane() -> None:
    made = select(scores({("XNPRT", 1): 100}), Capacities(Capacity(5, 5, 10, 9)))
    assert made.filter("is_exploration")["reason"].unique().to_list() == [
        "drawn at random: 9 of the 90 events that rank would let pass, a chance of 10.0 %"
    ]
    assert made.filter(pl.col("rank") == 7)["reason"].item() == "by risk: rank 7 of 100"


def test_a_day_that_comes_in_parts_has_its_seats_once() -> None:
    rows = scores({("XNPRT", 1): 90, (None, 1): 30})
    capacities = Capacities(Capacity(6, 0.1, 0, 2))
    made: pl.DataFrame | None = None
    for part in range(3):
        placed = select(rows.gather_every(3, part), capacities, made)
        made = placed if made is None else pl.concat([made.select(placed.columns), placed])
    assert made is not None
    by_risk = made.filter(~pl.col("is_exploration")).group_by("location", "lane").len()
    assert dict(by_risk.filter(pl.col("location") == "XNPRT").select("lane", "len").iter_rows()) == {
        "red": 6, "yellow": 9, "green": 90 - 6 - 9 - 2
    }  # fmt: skip
    assert dict(by_risk.filter(pl.col("location").is_null()).select("lane", "len").iter_rows()) == {
        "red": 6, "yellow": 3, "green": 30 - 6 - 3 - 2
    }  # fmt: skip

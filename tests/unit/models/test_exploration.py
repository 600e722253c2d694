"""Exploration: who is drawn, by which chance, and that nobody can tell beforehand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from score_rows import KEY, priorities, scores, select

from models.capacity import Capacities, Capacity
from models.priority import Priority
from models.selection import select as select_with

BY_CHANCE = 1e-9
"""What is rarer is no chance: an example has dozens of rows, and nights of examples are to pass."""


def test_exploration_is_examined_like_red_and_says_its_chance() -> None:
    made = select(scores({("XNPRT", 1): 100}), Capacities(Capacity(5, 5, 10, 9)))
    drawn = made.filter("is_exploration")
    assert drawn.height == 9
    assert drawn["lane"].unique().to_list() == ["red"]
    assert (drawn["rank"] > 10).all()
    assert made.filter(pl.col("rank") <= 10)["propensity"].unique().to_list() == [1.0]
    assert made.filter(pl.col("rank") > 10)["propensity"].unique().to_list() == [9 / 90]


def test_exploration_does_not_follow_the_score() -> None:
    made = select(scores({("XNPRT", 1): 4_000}), Capacities(Capacity(0, 0, 0, 0.25)))
    assert made.filter("is_exploration")["rank"].mean() == pytest.approx(2_000, rel=0.05)


def test_without_the_key_nobody_knows_who_is_drawn_and_with_it_the_draw_is_the_same() -> None:
    rows = scores({("XNPRT", 1): 400})
    capacities = Capacities(Capacity(0, 0, 0, 40))

    def drawn(key: bytes) -> set[str]:
        return set(select_with(rows, capacities, key).filter("is_exploration")["event_id"])

    assert drawn(KEY) == drawn(KEY)
    # Of 400, 40 and 40 share 4 by chance.
    assert len(drawn(KEY) & drawn(bytes(32))) < 15


def test_the_same_event_delivered_again_has_another_lot() -> None:
    first = scores({("XNPRT", 1): 400})
    again = first.with_columns(received_on=pl.lit(date(2025, 1, 2)))
    made = select(pl.concat([first, again]), Capacities(Capacity(0, 0, 0, 40))).filter("is_exploration")
    assert made.height == 80
    assert made["event_id"].n_unique() > 60


def test_two_models_explore_alike() -> None:
    rows = scores({("XNPRT", 1): 400})
    other = rows.with_columns(raw_score=-pl.col("raw_score"))
    first, second = (
        set(select(one, Capacities(Capacity(0, 0, 0, 40))).filter("is_exploration")["event_id"])
        for one in (rows, other)
    )
    assert first == second


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 40), st.integers(0, 5), st.integers(0, 5), st.floats(0.02, 0.6), st.booleans(), priorities)
def test_over_many_draws_each_row_is_looked_at_as_often_as_its_propensity_says(
    rows: int, red: int, blue: int, share: float, tied: bool, rank_by: Priority
) -> None:
    # As many offices a draw, each with the same scores: all are drawn for apart.
    office = scores({("XNPRT", 1): rows}, tied=tied).with_columns(event=pl.int_range(rows))
    events = pl.concat(
        office.with_columns(event_id=pl.format(f"{number}-{{}}", "event_id"), location=pl.lit(f"XN{number:03}"))
        for number in range(30)
    )
    capacities = Capacities(Capacity(red, 0, blue, share, rank_by=rank_by))
    draws = pl.concat(select_with(events, capacities, bytes([draw] * 32)) for draw in range(10))
    # Where scores are tied, chance also says who is in which lane: within a lane the propensity still holds.
    by = ["lane_by_risk"] if tied else ["event"]
    looked = draws.group_by(by).agg(pl.len(), pl.col("propensity").mean(), times=(pl.col("lane") == "red").sum())
    times, draws_of, chance = (looked[name].to_numpy() for name in ("times", "len", "propensity"))
    assert (binom.cdf(times, draws_of, chance) > BY_CHANCE).all()
    assert (binom.sf(times - 1, draws_of, chance) > BY_CHANCE).all()


def test_the_lane_by_risk_is_the_lane_without_the_draw() -> None:
    rows = scores({("XNPRT", 1): 100})
    made = select(rows, Capacities(Capacity(5, 5, 10, 30))).sort("event_id")
    without = select(rows, Capacities(Capacity(5, 5, 10, 0))).sort("event_id")
    assert made["lane_by_risk"].equals(without["lane"].alias("lane_by_risk"))
    assert made.filter("is_exploration")["lane_by_risk"].unique().sort().to_list() == ["blue", "green"]


def test_of_a_day_that_comes_in_parts_every_row_has_a_chance_where_exploration_is_a_share() -> None:
    first = select(scores({("XNPRT", 1): 10}), Capacities(Capacity(0, 0, 0, 0.05)))
    second = select(scores({("XNPRT", 1): 20}, seed=2), Capacities(Capacity(0, 0, 0, 0.05)), first)
    assert first["propensity"].unique().to_list() == [1 / 10]
    assert second["propensity"].unique().to_list() == [1 / 20]

"""Trusted traders, officers with eyes of their own, posts with hours and queues."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from simulation import scenario
from simulation.calendars import midnight
from simulation.geography import OFFICES
from simulation.inspection import RULE_CHANCE, select_goods
from simulation.officers import MISSED, WRONGED, draw_officers
from simulation.posts import let_through
from simulation.trade import day_of_trade
from simulation.travel import day_of_travel
from simulation.voyages import calls_of
from simulation.world import World, draw_world

START = date(2025, 3, 3)
OSTERMOOR = [o.code for o in OFFICES].index("XNOST")


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(START, 1.0, 5, scenario.load("calm"))


@pytest.fixture(scope="module")
def goods(world: World) -> pl.DataFrame:
    days = [START + timedelta(days=k) for k in range(20)]
    return pl.concat(day_of_trade(world, day, calls_of(world, day))[0] for day in days)


@pytest.fixture(scope="module")
def come_and_go(world: World) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A day's crossings as they come, and as they are let through."""
    arrivals = day_of_trade(world, START, calls_of(world, START))[1]
    begins, ends = midnight(START), midnight(START + timedelta(days=1))
    come = day_of_travel(world, START, arrivals).filter(pl.col("at").is_between(begins, ends - 200))
    come = come.with_columns(recorded=pl.col("at") + 60)
    return come, let_through(world, START, come)


def hour(rows: pl.DataFrame) -> pl.Series:
    return (rows["at"] - midnight(START)) // 3600


def test_the_small_post_sees_nobody_by_night(come_and_go: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    come, through = come_and_go
    assert hour(come.filter(office=OSTERMOOR)).is_between(5, 21).mean() < 1.0  # type: ignore[operator]
    assert hour(through.filter(office=OSTERMOOR)).is_between(5, 21).all()
    assert not hour(through.filter(pl.col("office") != OSTERMOOR)).is_between(5, 21).all()


def test_a_rush_spreads_and_nobody_is_let_through_early(come_and_go: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    come, through = come_and_go
    busiest = [
        rows.filter(lane="CAR", direction="entry", office=3).with_columns(slot=pl.col("at") // 900)["slot"]
        .value_counts()["count"].max()
        for rows in (come, through)
    ]  # fmt: skip
    assert busiest[1] < 0.85 * busiest[0]  # type: ignore[operator]
    waits = (through["at"] - come["at"]).filter(come["office"] != OSTERMOOR)
    assert waits.min() == 0
    assert 600 < waits.max() <= 7200  # type: ignore[operator]
    assert through["recorded"].to_list() == (come["recorded"] + (through["at"] - come["at"])).to_list()
    aside = come["mode"] != "land"
    assert through.filter(aside).equals(come.filter(aside))


def test_a_party_waits_together(come_and_go: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    come, through = come_and_go
    rows = come.with_columns(wait=through["at"] - come["at"]).filter(
        pl.col("plate") != "", pl.col("office") != OSTERMOOR, mode="land"
    )
    apart = rows.group_by("plate", "direction", "office", "lane").agg(pl.col("wait").n_unique())
    assert (apart["wait"] == 1).all()


def test_trusted_traders_are_busy_and_mostly_spared(world: World, goods: pl.DataFrame) -> None:
    share = goods["trusted"].mean()
    assert 0.08 < share < 0.4  # type: ignore[operator]
    assert share > 1.5 * world.firms.trusted.mean()  # type: ignore[operator]
    numbered = goods.with_columns(decl_no=pl.col("consignment"))
    chosen = select_goods(np.random.default_rng(1), world.products, numbered)
    trusted = goods["trusted"].to_numpy()[chosen.row]
    by_rule = np.array(chosen.reason) == "rule"
    assert set(chosen.probability[by_rule & ~trusted]) >= {RULE_CHANCE}
    assert chosen.probability[by_rule & trusted].max() < 0.2
    assert (np.array(chosen.reason)[trusted] == "random").any()


def test_rings_hide_behind_a_trusted_trader_now_and_then(goods: pl.DataFrame) -> None:
    hidden = goods.filter(pl.col("ring") >= 0, "is_illicit")["trusted"].mean()
    assert 0.02 < hidden < 0.4  # type: ignore[operator]


def test_each_officer_has_an_eye_of_their_own() -> None:
    corps, _ = draw_officers(np.random.default_rng(4))
    assert corps.missed.mean() == pytest.approx(MISSED)
    assert corps.wronged.mean() == pytest.approx(WRONGED)
    assert corps.missed.max() > 2 * corps.missed.min()
    rng, n = np.random.default_rng(5), 600_000
    officer = corps.on_duty(rng, n)
    wrong = ~corps.judge(rng, officer, np.ones(n, bool))
    shares = np.bincount(officer, wrong) / np.bincount(officer)
    assert np.corrcoef(shares, corps.missed)[0, 1] > 0.9

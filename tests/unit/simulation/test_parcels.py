"""Small declarations: parts of a broken order stay below the formal value, and couriers send series too."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from simulation import scenario
from simulation.inspection import RULE_CHANCE, RULE_CHANCE_SMALL, select_goods
from simulation.parcels import FORMAL_EUR, parcels_of
from simulation.products import load
from simulation.world import draw_world

START = date(2025, 3, 3)


@pytest.fixture(scope="module")
def parcels() -> pl.DataFrame:
    world = draw_world(START, 1.0, 5, scenario.load("calm"))
    days = [(k, parcels_of(world, START + timedelta(days=k))) for k in range(40)]
    return pl.concat(pl.DataFrame({"day": k, **vars(found)}) for k, found in days if len(found.firm))


def test_parts_of_a_broken_order_stay_below_the_formal_value(parcels: pl.DataFrame) -> None:
    value = parcels.filter("split")["value_eur"].to_numpy()
    assert value.max() < FORMAL_EUR
    assert np.median(value) > 0.7 * FORMAL_EUR


def test_a_broken_order_is_of_one_seller_and_goods_through_several_hands(parcels: pl.DataFrame) -> None:
    orders = (
        parcels.filter("split")
        .group_by("firm", "seller", "product")
        .agg(
            pl.len(),
            pl.col("day").min().alias("first"),
            pl.col("day").max().alias("last"),
            pl.col("declarant").n_unique(),
        )
    )
    several = orders.filter(pl.col("len") > 1)
    assert several["len"].sum() > 0.9 * orders["len"].sum()
    assert (several["last"] - several["first"] <= 2).mean() > 0.9  # type: ignore[operator]
    assert (several["declarant"] > 1).mean() > 0.5  # type: ignore[operator]


def test_honest_firms_send_more_series_than_there_are_broken_orders(parcels: pl.DataFrame) -> None:
    honest = parcels.filter(~pl.col("split"))
    assert honest.height > parcels.height / 2
    assert (honest["value_eur"] > 0.7 * FORMAL_EUR).mean() > 0.05  # type: ignore[operator]


def test_about_one_illicit_item_in_ten_is_part_of_a_broken_order(world_dir: Path) -> None:
    illicit = pl.read_parquet(world_dir / "truth" / "shipments.parquet").filter("is_illicit")
    assert 0.03 < (illicit["kind"] == "split_consignment").mean() < 0.2  # type: ignore[operator]


def test_low_values_are_mostly_let_through() -> None:
    goods = pl.DataFrame(
        {
            "decl_no": ["one", "two", "two"],
            "product": [0, 0, 0],
            "origin": ["CN"] * 3,
            "age_days": [10] * 3,
            "value_eur": [FORMAL_EUR - 1, FORMAL_EUR - 1, 2.0],
            "ring": [-1] * 3,
            "trusted": [False] * 3,
            "is_illicit": [False] * 3,
        }
    )
    many = pl.concat([goods.with_columns(decl_no=pl.col("decl_no") + str(k)) for k in range(400)])
    chosen = select_goods(np.random.default_rng(1), load(), many)
    by_rule = pl.DataFrame({"item": chosen.row % 3, "why": chosen.reason, "p": chosen.probability}).filter(why="rule")
    assert set(by_rule.filter(item=0)["p"]) == {RULE_CHANCE_SMALL}
    assert set(by_rule.filter(pl.col("item") > 0)["p"]) == {RULE_CHANCE}
    assert by_rule.filter(item=0).height == pytest.approx(400 * RULE_CHANCE_SMALL, rel=0.3)

"""Small declarations: parts of a broken order stay below the formal value, and couriers send series too."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from simulation import scenario
from simulation.inspection import RULE_CHANCE_SMALL
from simulation.parcels import FORMAL_EUR, parcels_of
from simulation.world import draw_world

pytestmark = pytest.mark.xdist_group("world")

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


def test_low_values_are_mostly_let_through(world_dir: Path) -> None:
    files = (world_dir / "inbox" / "customs" / "inspections").glob("*.ndjson")
    reports = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    chances = [r["selectionProbability"] for r in reports if r["selection"] == "rule"]
    assert 0 < chances.count(RULE_CHANCE_SMALL) < len(chances) / 4

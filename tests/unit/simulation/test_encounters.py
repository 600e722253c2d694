"""Vessels that meet: seen from their positions alone, far out for rings and near port for others."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from simulation import scenario
from simulation.geography import OFFICES, OFFICES_OF
from simulation.tracks import REPORTS_A_DAY, day_of_reports
from simulation.voyages import calls_of
from simulation.world import World, draw_world

START, DAYS = date(2025, 3, 3), 40
NEAR_M, SLOW, NEAR_PORT_MILES, BERTHED_MILES = 500.0, 30, 7.0, 1.0


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(START, 1.0, 5, scenario.load("calm"))


def metres(rows: pl.DataFrame, other_latitude: pl.Expr, other_longitude: pl.Expr) -> pl.Series:
    north, east = pl.col("latitude") - other_latitude, pl.col("longitude") - other_longitude
    return rows.select(m=60 * 1852 * (north**2 + (east * np.cos(np.radians(37))) ** 2).sqrt())["m"]


def meetings(world: World, day: date) -> pl.DataFrame:
    """Pairs of a caller and a small craft side by side and slow: minutes from first to last, miles from a port."""
    heard = day_of_reports(world, day, calls_of(world, day)).filter("heard", pl.col("sog") < SLOW)
    heard = heard.with_columns(slot=pl.col("at") // 600)
    small = pl.col("vessel") >= world.vessels.callers
    pairs = heard.filter(~small).join(heard.filter(small), on="slot", suffix="_other")
    near = metres(pairs, pl.col("latitude_other"), pl.col("longitude_other")) < NEAR_M
    pairs = pairs.filter(near)
    ports = [OFFICES[i] for i in OFFICES_OF["sea"]]
    away = [metres(pairs, pl.lit(o.latitude), pl.lit(o.longitude)).to_numpy() / 1852 for o in ports]
    pairs = pairs.with_columns(miles=pl.Series(np.minimum(*away))).filter(pl.col("miles") > BERTHED_MILES)
    found = pairs.group_by("vessel", "vessel_other").agg(
        minutes=(pl.col("at").max() - pl.col("at").min()) / 60, miles=pl.col("miles").median()
    )
    return found.filter(pl.col("minutes") > 30)


def test_rings_meet_far_out_and_others_near_port(world: World) -> None:
    far = {True: 0, False: 0}
    near, total = {True: 0, False: 0}, {True: 0, False: 0}
    for k in range(DAYS):
        day = START + timedelta(days=k)
        calls = calls_of(world, day)
        led = dict(zip(calls.vessel.tolist(), (calls.ring >= 0).tolist(), strict=True))
        for value in led.values():
            total[value] += 1
        for vessel, _, _, miles in meetings(world, day).rows():
            (far if miles > NEAR_PORT_MILES else near)[led[vessel]] += 1
    assert far[True] / total[True] > 0.2
    # Honest calls are many more, so that meeting far out decides nothing alone.
    assert far[True] / total[True] > 3 * far[False] / total[False]
    assert far[False] > 4
    assert near[False] > 3 * far[False]


def test_feeders_have_ordinary_business_most_days(world: World) -> None:
    craft = world.vessels.callers + np.arange(world.vessels.feeders)
    out, alone = 0, 0
    for k in range(DAYS):
        day = START + timedelta(days=k)
        moved = day_of_reports(world, day, calls_of(world, day)).filter(pl.col("vessel").is_in(craft.tolist()))
        meets = set(meetings(world, day)["vessel_other"].to_list())
        days = set(moved["vessel"].to_list())
        out, alone = out + len(days), alone + len(days - meets)
    assert alone > 0.6 * out > 0.2 * DAYS * len(craft)


def test_small_craft_have_numbers_and_names_of_their_own(world: World) -> None:
    vessels = world.vessels
    assert len(set(vessels.mmsi.tolist())) == len(vessels.mmsi)
    assert (vessels.imo[vessels.callers :] == 0).all()
    assert (vessels.imo[: vessels.callers] > 0).all()
    assert len(vessels.name) == len(vessels.callsign) == len(vessels.operator) == len(vessels.phase)


def test_positions_stay_as_dense_as_the_scale_says(world: World) -> None:
    day = START + timedelta(days=3)
    assert len(day_of_reports(world, day, calls_of(world, day))) == pytest.approx(REPORTS_A_DAY, rel=0.1)

"""What agencies know of the same thing differs: enough to be worth sharing, never enough to decide alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from simulation import hearsay, scenario
from simulation.detections import day_of_detections
from simulation.geography import CAMERAS, OFFICES_OF, SECTORS_TO
from simulation.tracks import day_of_reports
from simulation.trade import day_of_trade
from simulation.travel import day_of_travel
from simulation.voyages import calls_of
from simulation.world import World, draw_world

START, DAYS = date(2025, 3, 3), 25


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(START, 1.0, 5, scenario.load("calm"))


@pytest.fixture(scope="module")
def goods(world: World) -> pl.DataFrame:
    days = [START + timedelta(days=k) for k in range(DAYS)]
    return pl.concat(day_of_trade(world, day, calls_of(world, day))[0] for day in days)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def exports(world: World, goods: pl.DataFrame) -> pl.DataFrame:
    by_road = goods.filter(pl.col("office").is_in(list(OFFICES_OF["land"])))
    return hearsay.exported(world, rng(), by_road).with_columns(
        gap=(pl.col("value_eur") / pl.col("export_value_eur")).log().abs()
    )


def test_honest_exporters_differ_too(exports: pl.DataFrame) -> None:
    honest = exports.filter(~pl.col("is_illicit"))
    assert 0.4 < (honest["gap"] > 0.001).mean() < 0.6  # type: ignore[operator]
    assert honest["gap"].max() < 0.14  # type: ignore[operator]
    assert 0.4 < (honest["export_net_kg"] != honest["net_kg"]).mean() < 0.85  # type: ignore[operator]


def test_goods_codes_differ_in_their_last_digits_now_and_then(world: World, exports: pl.DataFrame) -> None:
    honest = exports.with_columns(hs=world.products.hs.gather(exports["product"])).filter(~pl.col("is_illicit"))
    assert 0.04 < (honest["hs"] != honest["export_hs"]).mean() < 0.08  # type: ignore[operator]
    assert (honest["hs"].str.slice(0, 4) == honest["export_hs"].str.slice(0, 4)).all()


def test_nearly_half_of_those_in_league_say_what_the_papers_say(exports: pl.DataFrame) -> None:
    cheap = exports.filter(kind="undervaluation")
    assert 0.3 < (cheap["gap"] < 0.14).mean() < 0.7  # type: ignore[operator]
    elsewhere = exports.filter(kind="false_origin")
    assert 0.25 < (elsewhere["export_origin"] == elsewhere["origin"]).mean() < 0.7  # type: ignore[operator]


def test_a_consignment_is_stated_by_one_exporter(exports: pl.DataFrame) -> None:
    honest = exports.filter(~pl.col("is_illicit")).with_columns(ratio=pl.col("export_value_eur") / pl.col("value_eur"))
    spread = honest.group_by("consignment").agg(pl.col("ratio").max() - pl.col("ratio").min())["ratio"]
    assert spread.max() < 1e-9  # type: ignore[operator]


def test_manifests_say_true_goods_half_of_the_time_or_what_was_declared_or_nothing(
    world: World, goods: pl.DataFrame
) -> None:
    others = (pl.col("true_product") + 1) % len(world.products.hs)
    sailed = goods.filter(pl.col("office").is_in(list(OFFICES_OF["sea"]))).with_columns(product=others)
    said = hearsay.shipped(world, rng(), sailed)["manifest_text"]
    truly = (said == world.products.description.gather(sailed["true_product"])).mean()
    declared = (said == world.products.description.gather(sailed["product"])).mean()
    assert (truly, declared) == (pytest.approx(0.55, abs=0.05), pytest.approx(0.25, abs=0.04))


def test_manifests_weigh_what_is_there_within_three_parts_in_a_hundred(world: World, goods: pl.DataFrame) -> None:
    listed = hearsay.shipped(world, rng(), goods.filter(pl.col("office").is_in(list(OFFICES_OF["sea"]))))
    ratio = listed.with_columns(ratio=pl.col("manifest_kg") / pl.col("gross_kg"))
    honest, hiding = ratio.filter(kind="")["ratio"], ratio.filter(kind="concealment")["ratio"]
    assert honest.is_between(0.969, 1.031).all()
    assert 0.1 < (hiding < 0.969).mean() < 0.6  # type: ignore[operator]


@pytest.fixture(scope="module")
def landed(world: World) -> pl.DataFrame:
    found = []
    for k in range(DAYS):
        day = START + timedelta(days=k)
        arrivals = day_of_trade(world, day, calls_of(world, day))[1]
        found.append(day_of_travel(world, day, arrivals).filter(mode="air", direction="entry"))
    return pl.concat(found)


def test_who_is_not_what_the_document_says_showed_another_at_check_in(landed: pl.DataFrame) -> None:
    before = hearsay.checked_in(rng(), landed)
    other = landed.with_columns(other=landed["document_number"] != before["document_number"])
    assert not other.filter(~pl.col("kind").is_in(["document_fraud", "impostor"]))["other"].any()
    assert 0.3 < other.filter(kind="document_fraud")["other"].mean() < 0.7  # type: ignore[operator]


def test_airlines_mistype_two_document_numbers_in_a_hundred(landed: pl.DataFrame) -> None:
    typed = hearsay.mistyped(rng(), landed)
    assert 0.012 < (typed["document_number"] != landed["document_number"]).mean() < 0.028  # type: ignore[operator]
    assert (typed["document_number"].str.len_chars() == 9).all()


def test_who_changes_vehicles_by_night_is_noticed_on_the_way_to_the_post(world: World) -> None:
    sensors: dict[bool, list[bool]] = {True: [], False: []}
    for k in range(DAYS):
        day = START + timedelta(days=k)
        seen = day_of_detections(world, day, day_of_reports(world, day, calls_of(world, day)))
        tomorrow = world.outings(day + timedelta(days=1))
        jobs = world.jobs(day + timedelta(days=1))
        posts = {*tomorrow.office[tomorrow.by_road].tolist(), *jobs.office[~jobs.by_sea].tolist()}
        leads = {CAMERAS[c].site for post in posts for c in SECTORS_TO[post]}
        hour = pl.from_epoch("at").dt.convert_time_zone("Europe/Vienna").dt.hour()
        land = seen.filter(pl.col("sort") != "radar").with_columns(hour=hour, site=pl.col("sensor").str.slice(4))
        night = land.filter((pl.col("hour") >= 22) | (pl.col("hour") < 3))
        sensors[True] += night["site"].is_in(list(leads)).to_list()
        sensors[False] += land.filter(pl.col("hour").is_between(9, 17))["site"].is_in(list(leads)).to_list()
    assert np.mean(sensors[True]) > np.mean(sensors[False]) + 0.05

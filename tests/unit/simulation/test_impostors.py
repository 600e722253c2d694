"""Others' documents and groups in several cars: what crossings show of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from simulation import scenario
from simulation.travel import residents
from simulation.visits import visits
from simulation.world import World, draw_world

START, DAYS = date(2025, 3, 3), 30


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(START, 1.0, 5, scenario.load("calm"))


@pytest.fixture(scope="module")
def trips(world: World) -> pl.DataFrame:
    return pl.concat(residents(world, START + timedelta(days=k)) for k in range(DAYS))


def test_impostors_show_documents_of_people_who_exist(world: World, trips: pl.DataFrame) -> None:
    owners = pl.concat([world.people.residents, world.people.commuters])
    shown = trips.filter(kind="impostor")
    same = shown.join(owners, on=["document_number", "surname", "given_names", "birth_date"], how="semi")
    assert same.height == shown.height > 30
    assert {"CAR", "EGATE"} <= set(shown["lane"])


def test_a_ring_rents_the_documents_of_its_own_people(world: World, trips: pl.DataFrame) -> None:
    numbers = world.people.residents["document_number"]
    rented = trips.filter(pl.col("ring") >= 0, kind="impostor")
    assert rented.height > 5
    for ring, number in rented.select("ring", "document_number").rows():
        assert number in numbers.gather(world.rings.mules[ring].ravel()).to_list()


def test_some_documents_are_shown_twice_within_impossible_times(trips: pl.DataFrame) -> None:
    def twice(rows: pl.DataFrame) -> float:
        pairs = rows.join(trips, on="document_number").filter(
            pl.col("office") != pl.col("office_right"), (pl.col("at") - pl.col("at_right")).abs() < 3 * 3600
        )
        return pairs["document_number"].n_unique() / rows["document_number"].n_unique()

    assert twice(trips.filter(kind="impostor")) > 5 * twice(trips.filter(kind=""))


def test_honest_people_ride_in_others_cars_too(world: World, trips: pl.DataFrame) -> None:
    honest = trips.filter(pl.col("plate") != "", kind="", direction="entry")
    share = honest["plate"].is_in(world.people.regular_cars.to_list()).mean()
    assert 0.05 < share < 0.2  # type: ignore[operator]


def test_an_impostor_is_one_adverse_crossing_in_fifteen(world_dir: Path) -> None:
    adverse = pl.read_parquet(world_dir / "truth" / "crossings.parquet").filter("is_illicit")
    assert 0.02 < (adverse["kind"] == "impostor").mean() < 0.13  # type: ignore[operator]


def test_some_of_a_rings_parties_come_in_two_cars_minutes_apart(world: World) -> None:
    follows = [world.outings(START + timedelta(days=k)) for k in range(DAYS)]
    share = sum(int((o.follows >= 0).sum()) for o in follows) / sum(len(o.ring) for o in follows)
    assert 0.05 < share < 0.3
    together = []
    for k, outings in enumerate(follows):
        behind = outings.follows >= 0
        assert (outings.ring[behind] == outings.ring[outings.follows[behind]]).all()
        cars = visits(world, START + timedelta(days=k)).filter(pl.col("ring") >= 0, direction="entry")
        plates = world.people.regular_cars.gather(outings.car)
        for one, two in zip(plates.gather(outings.follows[behind]), plates.filter(pl.Series(behind)), strict=True):
            both = cars.filter(plate=one).join(cars.filter(plate=two), on="office")
            together.append((both["at"] - both["at_right"]).abs().min())
    near = [gap for gap in together if isinstance(gap, int) and gap < 1000]
    assert len(near) > 0.95 * len(together) > 5


def test_no_look_of_a_row_gives_an_impostor_away(trips: pl.DataFrame) -> None:
    looks = trips.filter(direction="entry").group_by(
        "mode", "lane", "visa", "residence", "issuer", "party_size", home_plate=pl.col("plate_country") == "XN"
    )
    found = looks.agg(rows=pl.len(), impostors=(pl.col("kind") == "impostor").sum()).filter(pl.col("impostors") > 2)
    assert found["impostors"].sum() > 20
    assert (found["impostors"] / found["rows"]).max() < 0.3  # type: ignore[operator]

"""The world of `bench bound`: its silver without a lake is the lake's, and its scenario happens in the lake's days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from benchmarks import world
from benchmarks.world import Span
from pipelines import flows
from pipelines.deployment import Deployment
from simulation import scenario
from warehouse import conform
from warehouse.catalog import ENTITY_LINKS, SHIPMENTS, Table
from warehouse.errors import BorderlakeError
from warehouse.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = Span(seed=3, days=14, scale=0.1, scenario="calm", history_times=1, test_days=2)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Path]:
    """The same extracts conformed by a lake, and laid out as frames; ids are keyed alike."""
    home = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "TAIL_DAYS", 0)
        patch.setattr(world, "_GROUP_ROWS", 500)  # Several groups a feed: versions are told apart across them.
        patch.setenv("BORDERLAKE_VAULT_KEY", world._KEY.hex())
        world.live(SPAN, home / "world", lambda _: None)
        world.read(SPAN, home / "world" / "inbox", home / "parts", lambda _: None, at_once=1)
        for table in world.tables():
            world.lay_out(home / "parts", home / "silver", table, SPAN.in_lake())
        world.lay_out_links(home / "parts", home / "silver", SPAN.in_lake())
        (home / "world" / "inbox").rename(home / "inbox")
        deployment = Deployment(Settings(home, str(home / "lake")))
        deliveries = [
            item for item in flows.waiting_deliveries(deployment, NOW) if item.received_on <= SPAN.last_delivery
        ]
        days = sorted({item.received_on for item in deliveries})
        flows.land_all(deployment, deliveries, NOW)
        for table in world.tables():
            conform.conform(deployment.lake, table, days, deployment.vault_key)
        return deployment, home / "silver"


@pytest.mark.parametrize("table", world.tables(), ids=lambda table: table.name)
def test_silver_without_a_lake_is_the_lakes(both: tuple[Deployment, Path], table: Table) -> None:
    deployment, silver = both
    theirs = deployment.lake.scan(table).sort(table.key).collect()
    ours = world.frames(silver, table).sort(table.key).collect()
    assert ours.height > 0
    assert ours.equals(theirs.select(ours.columns))


def test_links_are_the_lakes_and_an_identity_counts_from_its_first_mention_at_the_latest(
    both: tuple[Deployment, Path],
) -> None:
    deployment, silver = both
    key = list(ENTITY_LINKS.key)
    theirs = deployment.lake.scan(ENTITY_LINKS).sort(key).collect()
    ours = world.frames(silver, ENTITY_LINKS).sort(key).collect()
    assert ours.drop("known_at").equals(theirs.select(ours.columns).drop("known_at"))
    # A lake conforms a day's tables one by one: of two first mentions it keeps that of the earlier table.
    assert (ours["known_at"] <= theirs["known_at"]).all()


def test_corrections_and_links_of_vessels_are_among_what_is_compared(both: tuple[Deployment, Path]) -> None:
    _, silver = both
    assert world.frames(silver, SHIPMENTS).collect()["superseded_at"].drop_nulls().len() > 0
    assert "ais-static" in set(world.frames(silver, ENTITY_LINKS).collect()["method"])


@pytest.mark.parametrize("name", scenario.known())
def test_all_that_a_scenario_says_happens_later(name: str, tmp_path: Path) -> None:
    later = tmp_path / f"{name}.toml"
    later.write_text(world.shift_days(world._scenario_text(name), 100), encoding="utf-8")
    plain, shifted = scenario.load(name), scenario.load(later)
    assert shifted.new_rings == {day + 100: share for day, share in plain.new_rings.items()}
    assert shifted.displaced == tuple(replace(move, from_day=move.from_day + 100) for move in plain.displaced)
    assert shifted.injects == tuple(replace(inject, day=inject.day + 100) for inject in plain.injects)
    assert (shifted.title, shifted.ports, shifted.file_faults) == (plain.title, plain.ports, plain.file_faults)
    for number in range(1, 200):
        assert shifted.smuggling_factor(number + 100) == plain.smuggling_factor(number)
        assert shifted.travel_factor(number + 100) == plain.travel_factor(number)


def test_the_lake_opens_when_the_world_is_ten_histories_old() -> None:
    span = Span(seed=0, days=120, scale=1.0, scenario="calm", history_times=10, test_days=30)
    assert (span.before, span.first) == (810, date(2022, 10, 14))
    assert span.test_from == datetime(2025, 4, 1, tzinfo=UTC)
    on = pl.DataFrame({"received_on": [date(2025, 1, 1), date(2025, 1, 2), date(2025, 5, 1), date(2025, 5, 2)]})
    assert on.select(span.in_lake())["received_on"].to_list() == [False, True, True, False]


@pytest.mark.parametrize(
    "span",
    [
        pytest.param(replace(SPAN, test_days=14), id="no-history"),
        pytest.param(replace(SPAN, test_days=0), id="no-test"),
        pytest.param(replace(SPAN, history_times=0), id="history-no-times"),
    ],
)
def test_spans_that_leave_nothing_are_refused(span: Span) -> None:
    with pytest.raises(BorderlakeError, match="give more days"):
        span.check()


def test_an_unknown_scenario_names_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(BorderlakeError, match="calm"):
        world.live(replace(SPAN, scenario="storm"), tmp_path / "world", lambda _: None)

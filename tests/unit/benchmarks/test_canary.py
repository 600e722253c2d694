"""bench canary: that its scan sees, its count is right, and a canary flies into no place by chance."""

import gzip
import sqlite3
from pathlib import Path

import polars as pl
import pytest

from benchmarks import canary
from benchmarks.canary_breaks import told
from benchmarks.canary_entries import command
from benchmarks.canary_landing import refused
from benchmarks.canary_paths import PATHS
from benchmarks.canary_scan import scan
from benchmarks.canary_values import Canary, crossing, csv, deliver
from benchmarks.canary_values import canary as canary_of
from pipelines.deployment import Deployment
from warehouse.catalog import BRONZE, QUARANTINE
from warehouse.settings import Settings

ONE = canary_of(3)


def test_there_are_at_least_twenty_paths_of_six_formats() -> None:
    assert canary._count(tuple(PATHS), ONE) >= 20
    assert canary._count(["killed", "landed_to_the_end"], ONE) == 1


def test_the_same_seed_gives_the_same_canary_and_no_other_does() -> None:
    assert canary_of(3) == ONE
    others = {form for seed in range(20) if seed != 3 for forms in canary_of(seed).forms().values() for form in forms}
    assert not others & {form for name, forms in ONE.forms().items() if name != "born" for form in forms}


def _as_text(path: Path, one: Canary) -> None:
    path.write_text(f"log: {told(one)}")


def _as_gzip(path: Path, one: Canary) -> None:
    path.write_bytes(gzip.compress(told(one).encode()))


def _as_utf_16(path: Path, one: Canary) -> None:
    path.write_bytes(told(one).encode("utf-16"))


def _as_parquet(path: Path, one: Canary) -> None:
    pl.DataFrame({"list": [[{"text": told(one)}]]}).write_parquet(path)


def _as_sqlite(path: Path, one: Canary) -> None:
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE logs (event TEXT)")
        base.execute("INSERT INTO logs VALUES (?)", (told(one),))
    base.close()


@pytest.mark.parametrize("write", [_as_text, _as_gzip, _as_utf_16, _as_parquet, _as_sqlite])
def test_the_scan_sees_a_leak_however_it_is_packed(tmp_path: Path, write: object) -> None:
    assert callable(write)
    folder = tmp_path / "home" / "dagster"
    folder.mkdir(parents=True)
    write(folder / "some.file", ONE)
    assert {one.value for one in scan(tmp_path, ONE) if not one.is_permitted} == set(ONE.forms())


def test_a_leak_into_a_name_or_a_delta_log_is_seen(tmp_path: Path) -> None:
    log = tmp_path / "home/lake/bronze/immigration__crossings/_delta_log"
    log.mkdir(parents=True)
    (log / f"{ONE.document}.json").write_text("{}")
    (found,) = scan(tmp_path, ONE)
    assert (found.value, found.is_permitted) == ("document", False)


def test_refused_rows_and_files_are_where_they_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("BORDERLAKE_HOME", str(home))
    deployment = Deployment(Settings(home, str(home / "lake"), {}))
    monkeypatch.setattr("benchmarks.canary_landing.job", lambda _: _land(deployment))
    refused(deployment, ONE)
    found = scan(tmp_path, ONE)
    assert {one.value for one in found} == set(ONE.forms())
    assert [one for one in found if not one.is_permitted] == []
    for contract in ("immigration.crossings", "immigration.outcomes", "surveillance.vehicle_sightings"):
        assert deployment.lake.size(BRONZE[contract])[0], contract
        assert deployment.lake.size(QUARANTINE[contract])[0], contract


def _land(deployment: Deployment) -> None:
    from datetime import UTC, datetime

    from pipelines import flows

    now = datetime(2025, 3, 4, tzinfo=UTC)
    flows.land_all(deployment, flows.waiting_deliveries(deployment, now), now)


def test_a_command_of_the_bench_is_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path / "home"))
    path = deliver(tmp_path, "x", "crossings.csv", csv([crossing(ONE, "K1")]))
    command("land", "immigration.crossings", str(path))
    assert (
        Deployment(Settings(tmp_path / "home", str(tmp_path / "home/lake"))).lake.size(BRONZE["immigration.crossings"])[
            0
        ]
        == 1
    )

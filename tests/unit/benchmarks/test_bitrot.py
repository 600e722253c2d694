"""The bench of damage at its smallest, and that it counts what verifying misses and what repairing gets wrong."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from benchmarks import bitrot, bitrot_lake
from benchmarks.bitrot_kinds import KINDS
from pipelines.cli import bench
from pipelines.deployment import Deployment
from warehouse.catalog import SHIPMENTS, TABLES

runner = CliRunner()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Path, dict[str, pl.DataFrame]]:
    folder = tmp_path_factory.mktemp("bitrot")
    made = bitrot_lake.made(folder / "home", 1)
    bitrot_lake.change_feed(made)
    shutil.copytree(folder / "home", folder / "whole")
    return made, folder / "whole", {name: bitrot_lake.rows(made, table) for name, table in TABLES.items()}


@pytest.fixture
def lake(whole: tuple[Deployment, Path, dict[str, pl.DataFrame]]) -> Iterator[Deployment]:
    yield whole[0]
    bitrot_lake.restore(whole[0], whole[1])


def test_the_undamaged_lake_has_every_kind_of_file_and_gives_no_finding(lake: Deployment) -> None:
    groups = {bitrot_lake.group(lake, path) for path in bitrot_lake.files(lake)}
    assert groups == {
        "anchors",
        "archived",
        "change_feed",
        "checkpoints",
        "commits",
        "data",
        "hints",
        "manifests",
    }
    assert bitrot_lake.look(lake) == []


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("wrongly named commit", "repaired"),
        ("missing data file", "repaired"),
        ("swapped entries", "repaired"),
        ("missing data file of silver", "refused"),
        ("commit and entry rolled back", "refused"),
        ("missing archived file", "refused"),
        ("swapped archived files", "refused"),
        ("missing archive", "refused"),
    ],
)
def test_kinds_of_damage_are_done_found_and_repaired_or_refused(
    lake: Deployment, whole: tuple[Deployment, Path, dict[str, pl.DataFrame]], kind: str, outcome: str
) -> None:
    assert bitrot.outcome(lake, KINDS[kind], whole[2], random.Random(3)) == outcome


def test_a_repair_that_loses_rows_without_a_word_is_wrong(
    lake: Deployment, whole: tuple[Deployment, Path, dict[str, pl.DataFrame]]
) -> None:
    other = whole[2] | {SHIPMENTS.name: whole[2][SHIPMENTS.name].head(1)}
    assert bitrot.outcome(lake, KINDS["missing last entry"], other, random.Random(3)) == "wrong"


def test_what_verifying_does_not_see_is_counted_and_ends_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: tuple[Deployment, Path, dict[str, pl.DataFrame]]
) -> None:
    def copied(home: Path, _: int) -> Deployment:
        shutil.copytree(whole[1], home)
        return Deployment(type(whole[0].settings)(home, str(home / "lake")))

    monkeypatch.setattr(bitrot, "made", copied)
    monkeypatch.setattr(bitrot, "change_feed", lambda _: None)
    monkeypatch.setattr(bitrot, "look", lambda _: [])
    monkeypatch.setattr(bitrot, "KINDS", {"missing last entry": KINDS["missing last entry"]})
    out = tmp_path / "bitrot.json"
    done = runner.invoke(bench.app, ["bitrot", "--flips", "5", "--json", str(out)])
    figures = json.loads(out.read_text())["figures"]
    assert done.exit_code == 3
    assert (figures["found"], figures["missed"], figures["kinds"], figures["kinds_found"]) == (0, 5, 1, 0)

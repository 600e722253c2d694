"""Repairing the manifest: entries and anchors are made again where all the rest proves them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from damage import commit, entry, flip, folder, found, halve, written
from repairs import repaired
from test_delta import EVENTS, rows

from warehouse.delta import Lake
from warehouse.errors import TableDamaged
from warehouse.findings import Kind


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"), anchors=tmp_path / "home" / "anchors")


def test_a_table_whose_manifest_is_damaged_is_not_repaired_from_it(lake: Lake) -> None:
    flip(entry(written(lake), 2))
    commit(lake, 2).unlink()
    commit(lake, 6).unlink()
    steps = repaired(lake)
    assert not any(step.is_safe for step in steps)
    assert {step.finding.kind for step in steps if "restore the lake's _manifests folder" in step.what} == {
        Kind.MANIFEST_CHANGED
    }


@pytest.mark.parametrize(
    "versions",
    [pytest.param([v], id=f"version-{v}") for v in (0, 3, 6)]
    + [pytest.param([2, 3], id="two"), pytest.param(list(range(7)), id="all")],
)
@pytest.mark.parametrize(
    "damage", [pytest.param(Path.unlink, id="deleted"), pytest.param(flip, id="flipped"), pytest.param(halve, id="cut")]
)
def test_entries_are_made_again_to_the_byte(lake: Lake, versions: list[int], damage: Callable[[Path], None]) -> None:
    written(lake)
    whole = {version: entry(lake, version).read_bytes() for version in range(7)}
    for version in versions:
        damage(entry(lake, version))
    repaired(lake)
    assert {version: entry(lake, version).read_bytes() for version in range(7)} == whole
    assert found(lake, deep=True) == []


@pytest.mark.parametrize("what", ["a-data-file", "a-commit", "no-anchor"])
def test_an_entry_that_is_not_proven_is_not_made_again(lake: Lake, what: str) -> None:
    written(lake)
    flip(entry(lake, 6))
    damaged = entry(lake, 6).read_bytes()
    if what == "a-data-file":
        added = sorted(folder(lake).glob("event_date=2025-03-01/*.parquet"), key=lambda one: one.stat().st_mtime_ns)[-1]
        flip(added)
    elif what == "a-commit":
        path = commit(lake, 6)
        path.write_bytes(path.read_bytes().replace(b"WRITE", b"WRIGHT"))
    else:
        (lake.anchors or Path()).joinpath(f"{EVENTS.name}.json").unlink()
    steps = repaired(lake)
    of_manifest = [step for step in steps if step.finding.kind in (Kind.MANIFEST_CUT, Kind.MANIFEST_CHANGED)]
    assert entry(lake, 6).read_bytes() == damaged
    assert of_manifest
    assert not any(step.is_safe for step in of_manifest)


@pytest.mark.parametrize("way", ["missing", "damaged", "behind"])
def test_an_anchor_is_written_anew_where_nothing_else_is_wrong(lake: Lake, way: str) -> None:
    lake.append(EVENTS, rows("a"))
    assert lake.anchors is not None
    anchor = lake.anchors / f"{EVENTS.name}.json"
    older = anchor.read_bytes()
    lake.append(EVENTS, rows("b"))
    if way == "behind":
        anchor.write_bytes(older)
    elif way == "damaged":
        halve(anchor)
    else:
        anchor.unlink()
    if way == "damaged":
        with pytest.raises(TableDamaged):
            lake.append(EVENTS, rows("c"))
        assert not commit(lake, 3).exists()
    repaired(lake)
    assert found(lake, deep=True) == []
    lake.append(EVENTS, rows("d"))
    assert found(lake, deep=True) == []


def test_an_anchor_that_fits_nothing_is_left_to_a_person(lake: Lake) -> None:
    written(lake)
    assert lake.anchors is not None
    anchor = lake.anchors / f"{EVENTS.name}.json"
    said = json.loads(anchor.read_text())
    anchor.write_text(json.dumps(said | {"head": "0" * 64}) + "\n")
    with pytest.raises(TableDamaged, match="ends otherwise than was anchored"):
        lake.append(EVENTS, rows("c"))
    (step,) = repaired(lake)
    assert not step.is_safe
    assert "restore the home's anchors folder" in step.what

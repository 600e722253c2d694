"""Repairing: what can be put back is put back to the byte or the row; what cannot is refused by name."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from agency import DECLARATION, deliver, landed, write
from deltalake import DeltaTable, write_deltalake
from polars.testing import assert_frame_equal
from test_delta import DAYS, EVENTS, rows
from test_verify import commit, entry, flip, folder, found, live_file, written

from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, TABLES, Table
from warehouse.delivery import Delivery, file_sha256
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError, TableDamaged
from warehouse.findings import Kind
from warehouse.repair import Step, Workshop

NOW = datetime.now(UTC) + timedelta(hours=1)
DECLARATIONS, QUARANTINED = BRONZE["customs.declarations"], QUARANTINE["customs.declarations"]
BAD = DECLARATION | {"HS": "none"}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"), anchors=tmp_path / "home" / "anchors")


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def nothing_archived(_: Mapping[str, Any]) -> Delivery | None:
    return None


def repaired(
    lake: Lake,
    *tables: Table,
    archived: Callable[[Mapping[str, Any]], Delivery | None] = nothing_archived,
    now: datetime = NOW,
) -> list[Step]:
    steps = []
    for step in Workshop(lake, now, archived, TABLES | {EVENTS.name: EVENTS}).plan(
        found(lake, *tables, deep=True, now=now)
    ):
        if step.run is not None:
            step.run()
        steps.append(step)
    return steps


@pytest.mark.parametrize("version", [0, 2, 6])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(Path.unlink, id="deleted"),
        pytest.param(lambda path: path.write_bytes(b""), id="emptied"),
        pytest.param(flip, id="bit-flipped"),
    ],
)
def test_a_commit_comes_back_to_the_byte(lake: Lake, version: int, damage: Callable[[Path], None]) -> None:
    before = commit(written(lake), version).read_bytes()
    held = lake.scan(EVENTS).collect()
    damage(commit(lake, version))
    assert any(step.is_safe for step in repaired(lake))
    assert commit(lake, version).read_bytes() == before
    assert found(lake, deep=True) == []
    assert_frame_equal(lake.scan(EVENTS).collect(), held, check_row_order=False)
    lake.append(EVENTS, rows("next"))


def test_a_commit_whose_place_another_took_is_not_overwritten(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    lake.append(EVENTS, rows("b"))
    commit(lake, 2).unlink()
    write_deltalake(str(folder(lake)), EVENTS.shape(rows("intruder")), mode="append")
    steps = repaired(lake)
    assert any("another commit has taken this version" in step.what and not step.is_safe for step in steps)
    assert lake.scan(EVENTS).collect()["event_id"].to_list() == ["intruder", "a"]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(flip, id="bit-flipped"),
        pytest.param(lambda path: os.truncate(path, path.stat().st_size // 2), id="cut"),
        pytest.param(Path.unlink, id="deleted"),
    ],
)
def test_a_checkpoint_is_rebuilt(lake: Lake, damage: Callable[[Path], None]) -> None:
    written(lake).checkpoint(EVENTS)
    lake.append(EVENTS, rows("last"))
    held = lake.scan(EVENTS).collect()
    damage(folder(lake) / "_delta_log" / f"{6:020d}.checkpoint.parquet")
    repaired(lake)
    assert found(lake, deep=True) == []
    assert_frame_equal(lake.scan(EVENTS).collect(), held, check_row_order=False)


def test_two_damaged_checkpoints_are_rebuilt_together(lake: Lake) -> None:
    written(lake).checkpoint(EVENTS)
    lake.append(EVENTS, rows("last"))
    lake.checkpoint(EVENTS)
    for version in (6, 7):
        flip(folder(lake) / "_delta_log" / f"{version:020d}.checkpoint.parquet", 0.9)
    repaired(lake)
    assert found(lake, deep=True) == []


def test_an_orphan_is_removed_after_seven_days(lake: Lake) -> None:
    orphan = folder(written(lake)) / "event_date=2025-03-01" / "part-00000-orphan.parquet"
    orphan.write_bytes(b"PAR1")
    (young,) = repaired(lake)
    assert not young.is_safe
    assert "younger than 7 days" in young.what
    (old,) = repaired(lake, now=NOW + timedelta(days=7))
    assert old.is_safe
    assert not orphan.exists()
    assert found(lake, deep=True) == []


def test_a_table_whose_manifest_is_damaged_is_not_repaired_from_it(lake: Lake) -> None:
    flip(entry(written(lake), 2))
    commit(lake, 2).unlink()
    commit(lake, 6).unlink()
    steps = repaired(lake)
    assert not any(step.is_safe for step in steps)
    assert {step.finding.kind for step in steps if "restore the lake's _manifests folder" in step.what} == {
        Kind.MANIFEST_CHANGED
    }


def test_a_derived_table_is_refused_by_name(lake: Lake) -> None:
    live_file(written(lake)).unlink()
    steps = repaired(lake)
    assert not any(step.is_safe for step in steps)
    assert any("silver.examples is not landed from the archive" in step.what for step in steps)


@pytest.fixture
def files(lake: Lake, tmp_path: Path) -> dict[str, Path]:
    """Three files landed, with a refused row each, by their hash."""
    made = {}
    for at, name in enumerate("ABC"):
        records = [DECLARATION | {"DECL_NO": f"{name}{nth}"} for nth in range(3)]
        records += [BAD | {"DECL_NO": f"bad {name}"}]
        path = write(tmp_path / f"declarations-{name}.csv", records)
        landed(lake, deliver(path, on=DAYS[0]), at=datetime(2025, 3, 4, at, tzinfo=UTC))
        made[file_sha256(path)] = path
    return made


def archive(files: Mapping[str, Path]) -> Callable[[Mapping[str, Any]], Delivery | None]:
    def archived(row: Mapping[str, Any]) -> Delivery | None:
        path = files.get(row["sha256"])
        return None if path is None else deliver(path, on=DAYS[0])

    return archived


DAMAGES = pytest.mark.parametrize(
    "damage",
    [
        pytest.param(Path.unlink, id="deleted"),
        pytest.param(lambda path: os.truncate(path, 100), id="cut"),
        pytest.param(flip, id="bit-flipped"),
    ],
)


@DAMAGES
@pytest.mark.parametrize("table", [DECLARATIONS, QUARANTINED], ids=lambda table: table.layer)
def test_rows_of_a_damaged_file_land_again_from_the_archive(
    lake: Lake, files: dict[str, Path], table: Table, damage: Callable[[Path], None]
) -> None:
    before = lake.scan(table).collect()
    paths = [Path(uri) for uri in DeltaTable(str(folder(lake, table))).file_uris()]
    for path in paths[:2]:
        damage(path)
    repaired(lake, *TABLES.values(), archived=archive(files))
    assert found(lake, *TABLES.values(), deep=True) == []
    order = ["batch_id", "source_line"]
    assert_frame_equal(lake.scan(table).collect().sort(order), before.sort(order))
    if damage is not Path.unlink:
        assert len(list((Path(lake.root) / "_damaged").rglob("*.parquet"))) == 2, "set aside, not lost"


def test_rows_whose_file_is_not_in_the_archive_are_refused_by_name(lake: Lake, files: dict[str, Path]) -> None:
    victim = live_file(lake, DECLARATIONS)
    flip(victim)
    damaged = victim.read_bytes()
    steps = repaired(lake, *TABLES.values())
    assert not any(step.is_safe for step in steps)
    assert any("the archive does not hold declarations-" in step.what for step in steps)
    assert victim.read_bytes() == damaged, "nothing was changed"


def test_rows_of_a_compacted_file_land_again_too(lake: Lake, files: dict[str, Path]) -> None:
    before = lake.scan(DECLARATIONS).collect()
    lake.compact(DECLARATIONS, datetime.now(UTC))
    live_file(lake, DECLARATIONS).unlink()
    repaired(lake, *TABLES.values(), archived=archive(files))
    assert found(lake, *TABLES.values(), deep=True) == []
    order = ["batch_id", "source_line"]
    assert_frame_equal(lake.scan(DECLARATIONS).collect().sort(order), before.sort(order))


def test_rows_that_drifted_land_again_once(lake: Lake, files: dict[str, Path]) -> None:
    before = lake.scan(DECLARATIONS).collect().sort("batch_id", "source_line")
    kept = before.filter(pl.int_range(pl.len()) % 4 != 1)  # Of two batches a row is gone.
    lake.replace_days(DECLARATIONS, kept, [DAYS[0]])
    drifted = [finding for finding in found(lake, *TABLES.values(), deep=True) if finding.kind is Kind.DRIFTED_ROWS]
    assert len(drifted) == 2
    repaired(lake, *TABLES.values(), archived=archive(files))
    assert found(lake, *TABLES.values(), deep=True) == []
    assert_frame_equal(lake.scan(DECLARATIONS).collect().sort("batch_id", "source_line"), before)


def test_a_repair_stopped_before_its_rows_landed_is_finished_by_the_next(
    lake: Lake, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    live_file(lake, DECLARATIONS).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            repaired(lake, *TABLES.values(), archived=archive(files))
    assert {finding.kind for finding in found(lake, *TABLES.values(), deep=True)} == {Kind.DRIFTED_ROWS}
    repaired(lake, *TABLES.values(), archived=archive(files))
    assert found(lake, *TABLES.values(), deep=True) == []
    assert lake.scan(DECLARATIONS).collect().height == 9


def test_a_lost_last_commit_of_the_ledger_comes_back(lake: Lake, tmp_path: Path, files: dict[str, Path]) -> None:
    (folder(lake, LEDGER) / "_delta_log" / f"{3:020d}.json").unlink()
    fresh = deliver(write(tmp_path / "declarations-N.csv", [DECLARATION]), on=DAYS[0])
    again = [deliver(path, on=DAYS[0]) for path in files.values()]
    with pytest.raises(BorderlakeError, match=r"ledger\.landings: version 3"):
        landed(lake, fresh, *again)
    repaired(lake, *TABLES.values())
    findings = found(lake, *TABLES.values(), deep=True)
    assert {finding.kind for finding in findings} <= {Kind.UNACCOUNTED}
    assert lake.scan(LEDGER).collect().height == 3
    landed(lake, fresh, *again)
    assert found(lake, *TABLES.values(), deep=True) == []
    assert lake.scan(DECLARATIONS).collect().height == 10


@pytest.mark.parametrize("days", [0, 1, 6])
def test_vacuum_refuses_less_than_seven_days(lake: Lake, days: int) -> None:
    written(lake)
    with pytest.raises(BorderlakeError, match="keeps at least 7 days"):
        lake.vacuum(EVENTS, days, dry_run=False)


def test_vacuum_is_a_dry_run_and_keeps_what_recent_versions_need(lake: Lake) -> None:
    written(lake)
    orphan = folder(lake) / "event_date=2025-03-01" / "part-00000-orphan.parquet"
    orphan.write_bytes(b"PAR1")
    past = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    os.utime(orphan, (past, past))
    files = len(list(folder(lake).rglob("*.parquet")))
    assert [Path(path).name for path in lake.vacuum(EVENTS, 7)] == [orphan.name]
    assert orphan.exists()
    lake.vacuum(EVENTS, 7, dry_run=False)
    assert not orphan.exists()
    assert len(list(folder(lake).rglob("*.parquet"))) == files - 1
    assert found(lake, deep=True) == []


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


def test_a_copy_of_a_commit_is_set_aside(lake: Lake) -> None:
    held = written(lake).scan(EVENTS).collect()
    for stray in (commit(lake, 7), commit(lake, 6).with_suffix(".json.bak")):
        stray.write_bytes(commit(lake, 3).read_bytes())
    repaired(lake)
    assert found(lake, deep=True) == []
    assert_frame_equal(lake.scan(EVENTS).collect(), held, check_row_order=False)
    lake.append(EVENTS, rows("next"))


def test_swapped_commits_are_put_back(lake: Lake) -> None:
    held = written(lake).scan(EVENTS).collect()
    one, other = commit(lake, 2).read_bytes(), commit(lake, 4).read_bytes()
    commit(lake, 2).write_bytes(other)
    commit(lake, 4).write_bytes(one)
    repaired(lake)
    assert found(lake, deep=True) == []
    assert_frame_equal(lake.scan(EVENTS).collect(), held, check_row_order=False)


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

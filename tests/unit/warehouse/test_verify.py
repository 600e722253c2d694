"""Verifying: each kind of damage, inflicted on a real table, is found and named; a sound lake gives no finding."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from agency import DECLARATION, deliver, landed, write
from deltalake import DeltaTable, write_deltalake
from deltalake._internal import DeltaFileSystemHandler
from deltalake.exceptions import DeltaError
from test_delta import DAYS, EVENTS, rows

from warehouse import manifest as manifests
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, TABLES, Table
from warehouse.delta import Lake
from warehouse.errors import TableDamaged
from warehouse.findings import Finding, Kind
from warehouse.storage import ObjectStore
from warehouse.verify import verify

LATER = datetime.now(UTC) + timedelta(hours=1)
DECLARATIONS, QUARANTINED = BRONZE["customs.declarations"], QUARANTINE["customs.declarations"]


@pytest.fixture(params=["disk", "object-store"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """A lake whose files are reached as on a disk, or as in an object store."""
    root = tmp_path / "lake"
    root.mkdir()
    made = Lake(str(root), anchors=tmp_path / "home" / "anchors")
    if request.param == "object-store":
        vars(made)["store"] = ObjectStore(DeltaFileSystemHandler(root.as_uri()))
    return made


def written(lake: Lake) -> Lake:
    """Six versions: made, three appends, a replaced day, a compaction."""
    for at, day in enumerate(DAYS):
        lake.append(EVENTS, rows(f"{at}x", f"{at}y", day=day, batch=f"b{at}"), batches=[f"b{at}"])
    lake.append(EVENTS, rows("0z", day=DAYS[0], batch="b9"), batches=["b9"])
    lake.replace_days(EVENTS, rows("1r", day=DAYS[1], batch="b1"), [DAYS[1]])
    assert lake.compact(EVENTS, LATER) == 6
    return lake


def folder(lake: Lake, table: Table = EVENTS) -> Path:
    return Path(lake.root) / table.name.replace(".", "/")


def commit(lake: Lake, version: int) -> Path:
    return folder(lake) / "_delta_log" / f"{version:020d}.json"


def entry(lake: Lake, version: int) -> Path:
    return Path(lake.root) / "_manifests" / "silver" / "examples" / f"{version:020d}.json"


def live_file(lake: Lake, table: Table = EVENTS) -> Path:
    return Path(sorted(DeltaTable(str(folder(lake, table))).file_uris())[0].removeprefix("file://"))


def flip(path: Path, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0x10
    path.write_bytes(content)


def found(lake: Lake, *tables: Table, deep: bool = False, now: datetime = LATER) -> list[Finding]:
    return verify(lake, tables or (EVENTS,), now, deep=deep)


def kinds(findings: list[Finding]) -> set[tuple[Kind, int | None]]:
    return {(finding.kind, finding.version) for finding in findings}


def test_a_sound_table_gives_no_finding(lake: Lake) -> None:
    assert found(written(lake), deep=True) == []


def test_a_table_that_was_never_made_gives_no_finding(lake: Lake) -> None:
    assert found(lake, *TABLES.values(), deep=True) == []


def test_every_commit_has_its_entry_with_the_hashes_of_its_files(lake: Lake) -> None:
    manifest = written(lake).manifest(EVENTS)
    assert manifest.versions() == list(range(7))
    entries = [manifest.entry(version) for version in manifest.versions()]
    assert all(one is not None and one.is_ours for one in entries)
    assert [one.operation for one in entries if one] == ["CREATE TABLE", *["WRITE"] * 6]
    assert [one.count for one in entries if one] == list(range(1, 8))
    last = entries[-1]
    assert last is not None
    assert len(last.removed) == 2
    assert {path.relative_to(folder(lake)).as_posix() for path in folder(lake).glob("event_date=2025-03-01/*")} == {
        *last.removed,
        *(one.path for one in last.added),
    }


def test_a_bit_flipped_in_a_data_file_is_found_by_the_deep_look_only(lake: Lake) -> None:
    flip(live_file(written(lake)))
    assert found(lake) == []
    (finding,) = found(lake, deep=True)
    assert finding.kind is Kind.DAMAGED_FILE
    assert finding.path == live_file(lake).relative_to(folder(lake)).as_posix()


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        pytest.param(Path.unlink, Kind.MISSING_FILE, id="deleted"),
        pytest.param(lambda path: os.truncate(path, 100), Kind.DAMAGED_FILE, id="cut"),
    ],
)
def test_a_data_file_that_is_not_whole_is_found_by_the_quick_look(
    lake: Lake, damage: Callable[[Path], None], kind: Kind
) -> None:
    path = live_file(written(lake))
    damage(path)
    (finding,) = found(lake)
    assert (finding.kind, finding.path) == (kind, path.relative_to(folder(lake)).as_posix())


@pytest.mark.parametrize("version", [2, 6])
@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        pytest.param(Path.unlink, Kind.LOST_COMMIT, id="deleted"),
        pytest.param(lambda path: path.write_bytes(b""), Kind.EMPTY_COMMIT, id="emptied"),
        pytest.param(flip, Kind.DAMAGED_COMMIT, id="bit-flipped"),
    ],
)
def test_a_damaged_commit_is_found(lake: Lake, version: int, damage: Callable[[Path], None], kind: Kind) -> None:
    damage(commit(written(lake), version))
    findings = found(lake)
    assert (kind, version) in kinds(findings)
    assert all(finding.kind in (kind, Kind.DRIFTED_ROWS, Kind.UNREADABLE) for finding in findings)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(Path.unlink, id="deleted"),
        pytest.param(lambda path: path.write_bytes(b""), id="emptied"),
        pytest.param(flip, id="bit-flipped"),
    ],
)
def test_nothing_is_written_on_a_damaged_last_commit(lake: Lake, damage: Callable[[Path], None]) -> None:
    lake.append(EVENTS, rows("a"))
    lake.append(EVENTS, rows("b"))
    damage(commit(lake, 2))
    # The library may find a flipped bit by itself; what it reads without a word we must refuse.
    unreadable = () if damage is not flip else (DeltaError,)
    with pytest.raises((TableDamaged, *unreadable)):
        lake.append(EVENTS, rows("c"))
    assert not commit(lake, 3).exists()
    assert commit(lake, 2).exists() == (damage is not Path.unlink)


def test_nothing_is_written_to_a_table_whose_log_is_gone(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    for path in sorted((folder(lake) / "_delta_log").iterdir()):
        path.unlink()
    with pytest.raises(TableDamaged, match="its log is gone"):
        lake.append(EVENTS, rows("b"))
    assert (Kind.LOST_COMMIT, 1) in kinds(found(lake))


def checkpointed(lake: Lake) -> Path:
    written(lake).checkpoint(EVENTS)
    lake.append(EVENTS, rows("last"))
    assert found(lake, deep=True) == []
    return folder(lake) / "_delta_log" / f"{6:020d}.checkpoint.parquet"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(flip, id="bit-flipped"),
        pytest.param(lambda path: os.truncate(path, path.stat().st_size // 2), id="cut"),
        pytest.param(lambda path: path.write_bytes(b""), id="emptied"),
        pytest.param(Path.unlink, id="deleted"),
    ],
)
def test_a_damaged_checkpoint_is_found(lake: Lake, damage: Callable[[Path], None]) -> None:
    damage(checkpointed(lake))
    findings = found(lake)
    assert Kind.DAMAGED_CHECKPOINT in {finding.kind for finding in findings}
    assert {finding.kind for finding in findings} <= {Kind.DAMAGED_CHECKPOINT, Kind.UNREADABLE, Kind.DRIFTED_ROWS}


def test_a_checkpoint_that_tells_fewer_files_is_found_though_its_hash_was_forged(lake: Lake) -> None:
    path = checkpointed(lake)
    whole = pl.read_parquet(path)
    whole.filter(
        pl.col("add").is_null() | pl.col("add").struct.field("path").str.contains("03-03").not_()
    ).write_parquet(path)
    manifest = lake.manifest(EVENTS)
    lake.store.delete(manifest.checkpoint_note(6))
    manifest.note_checkpoint(6)
    assert (Kind.DAMAGED_CHECKPOINT, 6) in kinds(found(lake))


def test_an_orphan_is_found_once_no_writer_can_be_at_work_on_it(lake: Lake) -> None:
    written(lake)
    orphan = folder(lake) / "event_date=2025-03-01" / "part-00000-orphan.parquet"
    orphan.write_bytes(b"PAR1")
    assert found(lake, now=datetime.now(UTC)) == []
    (finding,) = found(lake)
    assert (finding.kind, finding.path) == (Kind.ORPHAN, "event_date=2025-03-01/part-00000-orphan.parquet")


def test_a_replaced_entry_of_the_manifest_is_found(lake: Lake) -> None:
    path = entry(written(lake), 3)
    said = json.loads(path.read_text())
    said["added"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n")
    assert (Kind.MANIFEST_CHANGED, 4) in kinds(found(lake))


def test_a_replaced_last_entry_is_found_by_its_anchor(lake: Lake) -> None:
    path = entry(written(lake), 6)
    said = json.loads(path.read_text())
    said["added"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n")
    assert kinds(found(lake)) == {(Kind.MANIFEST_CHANGED, 6)}


@pytest.mark.parametrize("version", [0, 3, 6])
def test_a_flipped_bit_in_the_manifest_is_found(lake: Lake, version: int) -> None:
    flip(entry(written(lake), version))
    assert Kind.MANIFEST_CHANGED in {finding.kind for finding in found(lake)}


def test_a_removed_entry_of_the_manifest_is_found(lake: Lake) -> None:
    entry(written(lake), 3).unlink()
    assert (Kind.MANIFEST_CHANGED, 4) in kinds(found(lake))


def test_a_cut_end_of_the_manifest_is_found_by_its_anchor(lake: Lake) -> None:
    written(lake)
    for version in (5, 6):
        entry(lake, version).unlink()
    assert (Kind.MANIFEST_CUT, 6) in kinds(found(lake))
    with pytest.raises(TableDamaged, match="cut or changed"):
        lake.append(EVENTS, rows("new"))


def test_the_last_commit_removed_with_its_entry_is_found_by_the_anchor(lake: Lake) -> None:
    written(lake)
    entry(lake, 6).unlink()
    commit(lake, 6).unlink()
    assert (Kind.MANIFEST_CUT, 6) in kinds(found(lake))


def test_a_crash_between_commit_and_entry_is_no_tampering_and_the_next_write_heals_it(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.append(EVENTS, rows("a"))
    with monkeypatch.context() as patch:
        patch.setattr(manifests.Manifest, "complete", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            lake.append(EVENTS, rows("b"))
    assert found(lake, now=datetime.now(UTC)) == [], "a writer may be at work"
    assert kinds(found(lake)) == {(Kind.UNLISTED_COMMIT, 2)}
    lake.append(EVENTS, rows("c"))
    assert found(lake, deep=True) == []
    assert lake.manifest(EVENTS).versions() == [0, 1, 2, 3]


def test_a_commit_whose_file_was_cut_by_the_crash_is_not_taken_into_the_manifest(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(manifests.Manifest, "complete", lambda *_: None)
        lake.append(EVENTS, rows("a", batch="b1"), batches=["b1"])
    os.truncate(live_file(lake), 10)
    assert Kind.DAMAGED_FILE in {finding.kind for finding in found(lake)}
    with pytest.raises(TableDamaged, match="missing or cut"):
        lake.append(EVENTS, rows("a", batch="b1"), batches=["b1"])


def test_a_commit_of_another_tool_is_found_before_and_after_our_next_write(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    write_deltalake(str(folder(lake)), EVENTS.shape(rows("intruder")), mode="append")
    assert kinds(found(lake)) == {(Kind.FOREIGN_COMMIT, 2)}
    lake.append(EVENTS, rows("b"))
    assert kinds(found(lake, deep=True)) == {(Kind.FOREIGN_COMMIT, 2)}


def test_a_table_from_before_the_manifest_is_named_and_the_next_write_begins_one(lake: Lake) -> None:
    folder(lake).mkdir(parents=True)
    for at in range(3):
        write_deltalake(str(folder(lake)), EVENTS.shape(rows(str(at))), mode="append", partition_by=["event_date"])
    DeltaTable(str(folder(lake))).optimize.compact()
    assert kinds(found(lake)) == {(Kind.UNCOVERED, 3)}
    lake.append(EVENTS, rows("b"))
    assert found(lake, deep=True) == []
    assert lake.manifest(EVENTS).versions() == [4]
    flip(live_file(lake))
    assert {finding.kind for finding in found(lake, deep=True)} == {Kind.DAMAGED_FILE}


def land_three(lake: Lake, tmp_path: Path) -> None:
    bad = DECLARATION | {"HS": "none", "DECL_NO": "X"}
    for name in "ABC":
        landed(lake, deliver(write(tmp_path / f"declarations-{name}.csv", [DECLARATION | {"DECL_NO": name}, bad])))
        bad = bad | {"DECL_NO": f"X{name}"}


def test_a_landing_gives_no_finding_and_the_ledger_is_covered_like_any_table(lake: Lake, tmp_path: Path) -> None:
    land_three(lake, tmp_path)
    broken = tmp_path / "declarations-D.csv"
    broken.write_text("no header\n")
    landed(lake, deliver(broken))
    assert found(lake, *TABLES.values(), deep=True) == []
    (folder(lake, LEDGER) / "_delta_log" / f"{4:020d}.json").unlink()
    assert (Kind.LOST_COMMIT, 4) in kinds(found(lake, LEDGER))


def _without_line(lake: Lake, table: Table, **options: object) -> None:
    """A whole, well-made commit of ours that loses a row: only counting finds it."""
    held = lake.scan(table).collect()
    lake.replace_days(table, held.head(held.height - 1), held["received_on"].unique().to_list())


@pytest.mark.parametrize("table", [DECLARATIONS, QUARANTINED], ids=lambda table: table.layer)
def test_rows_that_drift_from_the_ledger_are_found_by_the_deep_look(lake: Lake, tmp_path: Path, table: Table) -> None:
    land_three(lake, tmp_path)
    _without_line(lake, table)
    assert found(lake, *TABLES.values()) == []
    (finding,) = found(lake, *TABLES.values(), deep=True)
    assert (finding.kind, finding.table) == (Kind.DRIFTED_ROWS, table.name)
    assert finding.detail == "0 rows, the ledger says 1"
    assert finding.batch in set(lake.scan(LEDGER).collect()["batch_id"])


def test_rows_landed_twice_are_found_by_the_deep_look(lake: Lake, tmp_path: Path) -> None:
    land_three(lake, tmp_path)
    lake.append(DECLARATIONS, lake.scan(DECLARATIONS).collect().head(1))
    lake.append(LEDGER, lake.scan(LEDGER).collect().head(1))
    findings = found(lake, *TABLES.values(), deep=True)
    assert sorted((finding.kind, finding.table, finding.detail) for finding in findings) == [
        (Kind.DRIFTED_ROWS, DECLARATIONS.name, "2 rows, the ledger says 1"),
        (Kind.DRIFTED_ROWS, LEDGER.name, "2 rows for customs.declarations, one is due"),
    ]


def test_a_batch_that_the_ledger_does_not_know_is_found_once_its_landing_has_stopped(
    lake: Lake, tmp_path: Path
) -> None:
    land_three(lake, tmp_path)
    held = lake.scan(DECLARATIONS).collect().head(1)
    lake.append(DECLARATIONS, held.with_columns(batch_id=pl.lit("stopped")))
    assert {(f.kind, f.batch) for f in found(lake, DECLARATIONS, deep=True)} == {(Kind.UNACCOUNTED, "stopped")}
    at: Iterator[datetime] = iter([held["landed_at"].item()])
    assert found(lake, DECLARATIONS, deep=True, now=next(at)) == []


def hint(lake: Lake) -> Path:
    return folder(lake) / "_delta_log" / "_last_checkpoint"


def note(lake: Lake, version: int = 6) -> Path:
    return entry(lake, version).with_suffix(".checkpoint")


@pytest.mark.parametrize("which", [hint, note], ids=["hint", "note"])
def test_every_flipped_bit_of_a_checkpoints_hint_and_note_is_found(lake: Lake, which: Callable[[Lake], Path]) -> None:
    checkpointed(lake)
    whole = which(lake).read_bytes()
    missed = []
    for at in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        which(lake).write_bytes(damaged)
        if Kind.DAMAGED_CHECKPOINT not in {finding.kind for finding in found(lake)}:
            missed.append((at, at % 8))
    assert missed == []
    which(lake).write_bytes(whole)
    assert found(lake, deep=True) == []


def test_a_lost_hint_is_found(lake: Lake) -> None:
    checkpointed(lake)
    hint(lake).unlink()
    (finding,) = found(lake)
    assert (finding.kind, finding.detail) == (Kind.DAMAGED_CHECKPOINT, "it is lost")


def anchor(lake: Lake) -> Path:
    assert lake.anchors is not None
    return lake.anchors / f"{EVENTS.name}.json"


def test_every_flipped_bit_of_an_anchor_is_found(lake: Lake) -> None:
    whole = anchor(written(lake)).read_bytes()
    missed = []
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        anchor(lake).write_bytes(damaged)
        if not found(lake):
            missed.append(at)
    assert missed == []


def test_a_missing_anchor_and_one_that_is_behind_are_found_once_no_writer_can_be_at_work(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    older = anchor(lake).read_bytes()
    lake.append(EVENTS, rows("b"))
    anchor(lake).write_bytes(older)
    assert found(lake, now=datetime.now(UTC)) == []
    assert kinds(found(lake)) == {(Kind.ANCHOR_BEHIND, 2)}
    anchor(lake).unlink()
    assert kinds(found(lake)) == {(Kind.MISSING_ANCHOR, 2)}


def test_an_anchor_that_was_left_behind_catches_up_with_a_landing_that_finds_its_rows_there(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    older = anchor(lake).read_bytes()
    batch = rows("b")
    lake.append(EVENTS, batch, batches=batch["batch_id"].unique().to_list())
    anchor(lake).write_bytes(older)  # As a full disk leaves it: the entry is written, the anchor is not.
    lake.append(EVENTS, batch, batches=batch["batch_id"].unique().to_list())
    assert found(lake) == []


@pytest.mark.parametrize("version", [7, 9], ids=["next", "later"])
def test_a_copy_of_an_earlier_commit_is_found_and_nothing_is_written_upon_it(lake: Lake, version: int) -> None:
    commit(lake, version).write_bytes(commit(written(lake), 3).read_bytes())
    assert (Kind.REPEATED_COMMIT, version) in kinds(found(lake, now=datetime.now(UTC)))
    if version == 7:
        with pytest.raises(TableDamaged, match="a copy of an earlier commit"):
            lake.append(EVENTS, rows("new"))
        assert not commit(lake, 8).exists()


def test_files_that_no_log_and_no_manifest_has_are_found(lake: Lake) -> None:
    written(lake)
    strays = [commit(lake, 6).with_suffix(".json.bak"), entry(lake, 6).with_name(".draft-1")]
    for stray in strays:
        stray.write_bytes(b"{}")
    assert found(lake, now=datetime.now(UTC)) == []
    assert {(one.kind, str(one.path).rsplit("/", 1)[-1]) for one in found(lake)} == {
        (Kind.ORPHAN, stray.name) for stray in strays
    }


def test_a_file_of_the_past_is_missed_until_a_vacuum_may_have_taken_it(lake: Lake) -> None:
    written(lake)
    removed = lake.manifest(EVENTS).entry(6)
    assert removed is not None
    victim = folder(lake) / removed.removed[0]
    victim.unlink()
    (finding,) = found(lake)
    assert (finding.kind, finding.path) == (Kind.MISSING_FILE, removed.removed[0])
    assert "past" in finding.meaning
    assert found(lake, now=LATER + timedelta(days=7)) == []


def test_no_damage_of_a_commit_or_an_entry_ends_verifying_in_an_error(lake: Lake) -> None:
    checkpointed(lake)
    nasty = (b"[]", b"null", b'{"commitInfo":{"timestamp":1e30}}', b'{"add":{}}', b'{"add":null}', b"\xff")
    nasty += (b"[" * 9_999,)
    for path in (commit(lake, 7), commit(lake, 8), entry(lake, 3), note(lake), hint(lake)):
        before = path.read_bytes() if path.exists() else None
        for content in nasty:
            path.write_bytes(content)
            assert found(lake, deep=True), (path.name, content[:20])
        path.unlink() if before is None else path.write_bytes(before)
    assert found(lake, deep=True) == []

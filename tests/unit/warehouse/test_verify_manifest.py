"""Verifying the manifest: its entries and its anchor, what it leaves out, and what it was never told of."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from damage import anchor, commit, entry, flip, folder, found, kinds, live_file, reached, written
from deltalake import DeltaTable, write_deltalake
from test_delta import EVENTS, rows

from warehouse import manifest as manifests
from warehouse.delta import Lake
from warehouse.errors import TableDamaged
from warehouse.findings import Kind


@pytest.fixture(params=["disk", "object-store"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    return reached(tmp_path / "lake", tmp_path / "home" / "anchors", by_object_store=request.param == "object-store")


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

"""Verifying: each kind of damage, inflicted on a real table, is found and named; a sound lake gives no finding."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from damage import (
    LATER,
    checkpointed,
    commit,
    entry,
    flip,
    folder,
    found,
    hint,
    kinds,
    live_file,
    note,
    reached,
    written,
)
from deltalake.exceptions import DeltaError
from test_delta import EVENTS, rows

from warehouse.catalog import TABLES
from warehouse.delta import Lake
from warehouse.errors import TableDamaged
from warehouse.findings import Kind


@pytest.fixture(params=["disk", "object-store"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    return reached(tmp_path / "lake", tmp_path / "home" / "anchors", by_object_store=request.param == "object-store")


def test_a_sound_table_gives_no_finding(lake: Lake) -> None:
    assert found(written(lake), deep=True) == []


def test_a_table_that_was_never_made_gives_no_finding(lake: Lake) -> None:
    assert found(lake, *TABLES.values(), deep=True) == []


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

"""Repairing a table's log and files: what can be put back is put back to the byte; what cannot is refused by name."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from damage import LATER, commit, flip, folder, found, halve, live_file, written
from deltalake import write_deltalake
from polars.testing import assert_frame_equal
from repairs import repaired
from test_delta import EVENTS, rows

from warehouse.delta import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"), anchors=tmp_path / "home" / "anchors")


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
        pytest.param(halve, id="cut"),
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
    (old,) = repaired(lake, now=LATER + timedelta(days=7))
    assert old.is_safe
    assert not orphan.exists()
    assert found(lake, deep=True) == []


def test_a_derived_table_is_refused_by_name(lake: Lake) -> None:
    live_file(written(lake)).unlink()
    steps = repaired(lake)
    assert not any(step.is_safe for step in steps)
    assert any("silver.examples is not landed from the archive" in step.what for step in steps)


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

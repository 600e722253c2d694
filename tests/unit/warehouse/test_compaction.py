"""Joined files: the same rows, whoever else writes meanwhile, and never a damaged one among them."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from tests.unit.warehouse.test_delta import DAYS, EVENTS, rows
from warehouse import datafiles
from warehouse.catalog import Table
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError, TableDamaged
from warehouse.verify import verify

PLAIN = replace(EVENTS, name="silver.plain", partition_by=())
NOW = datetime.now(UTC)
Row = tuple[str, date, str]


@dataclass(frozen=True)
class Crossed(Lake):
    """A lake in which another writer commits when a write has just opened its table."""

    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def _sound(self, table: Table) -> tuple[DeltaTable, str]:
        opened = super()._sound(table)
        if self.meanwhile:
            self.meanwhile.pop()()
        return opened


@dataclass(frozen=True)
class Act:
    """A write, and what it makes of the rows that stand when it is committed."""

    name: str
    write: Callable[[Lake, Table, str], object]
    made_of: Callable[[Sequence[Row], str], list[Row]]


ACTS = (
    Act(
        "append",
        lambda lake, table, mark: lake.append(table, rows(mark, batch=mark), batches=[mark]),
        lambda held, mark: [*held, (mark, DAYS[0], mark)],
    ),
    Act("compact", lambda lake, table, _: lake.compact(table, NOW), lambda held, _: list(held)),
    Act(
        "replace a day",
        lambda lake, table, mark: lake.replace_days(table, rows(mark, batch=mark), [DAYS[0]]),
        lambda held, mark: [*(one for one in held if one[1] != DAYS[0]), (mark, DAYS[0], mark)],
    ),
    Act(
        "remove a batch",
        lambda lake, table, _: lake.remove_batches(table, ["b1"]),
        lambda held, _: [one for one in held if one[2] != "b1"],
    ),
    Act(
        "overwrite",
        lambda lake, table, mark: lake.overwrite(table, rows(mark, batch=mark)),
        lambda _, mark: [(mark, DAYS[0], mark)],
    ),
)


def pairs() -> list[tuple[Table, Act, Act]]:
    """Each act upon each; days are replaced where there are partitions, all is overwritten where there are none."""
    of_table = ((EVENTS, "overwrite"), (PLAIN, "replace a day"))
    return [
        (table, first, second)
        for table, never in of_table
        for first, second in itertools.product(ACTS, ACTS)
        if never not in (first.name, second.name)
    ]


def held(lake: Lake, table: Table) -> list[Row]:
    return sorted(lake.scan(table).select("event_id", "event_date", "batch_id").collect().iter_rows())


def in_three_files(lake: Lake, table: Table) -> None:
    for batch in ("b0", "b1", "b2"):
        lake.append(table, rows(f"{batch}x", f"{batch}y", batch=batch), batches=[batch])
    lake.append(table, rows("z", day=DAYS[1], batch="b3"), batches=["b3"])


@pytest.mark.parametrize(
    ("table", "first", "second"),
    [pytest.param(*one, id=f"{one[0].name}, {one[1].name}, {one[2].name}") for one in pairs()],
)
def test_a_write_that_another_crosses_is_as_if_it_came_after(
    tmp_path: Path, table: Table, first: Act, second: Act
) -> None:
    root, anchors = str(tmp_path / "lake"), tmp_path / "home"
    lake = Lake(root, anchors=anchors)
    in_three_files(lake, table)
    before = held(lake, table)
    crossed = Crossed(root, anchors=anchors, meanwhile=[lambda: first.write(lake, table, "first")])
    second.write(crossed, table, "second")
    assert not crossed.meanwhile, "the other writer was first"
    assert held(lake, table) == sorted(second.made_of(first.made_of(before, "first"), "second"))
    assert verify(lake, [table], NOW, deep=True) == []


def test_files_of_each_day_are_joined_and_a_second_time_nothing_happens(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    in_three_files(lake, EVENTS)
    before = lake.scan(EVENTS).collect()
    version = lake.compact(EVENTS, NOW)
    assert_frame_equal(lake.scan(EVENTS).collect(), before, check_row_order=False)
    snapshot = lake.snapshot(EVENTS)
    assert snapshot is not None
    assert sorted((file.partition["event_date"], file.rows) for file in snapshot.files) == [
        ("2025-03-01", 6),
        ("2025-03-02", 1),
    ]
    assert lake.compact(EVENTS, NOW) == version
    assert lake.compact(PLAIN, NOW) == 0, "a table that is not there has no files"


def test_full_files_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafiles, "FILE_ROWS", 4)
    lake = Lake(str(tmp_path / "lake"))
    lake.append(PLAIN, rows("a", "b", "c", "d"))
    full = [one.path for one in lake.files(PLAIN)]
    for one in "efg":
        lake.append(PLAIN, rows(one))
    lake.compact(PLAIN, NOW)
    assert sorted(one.rows or 0 for one in lake.files(PLAIN)) == [3, 4]
    assert set(full) < {one.path for one in lake.files(PLAIN)}


def test_rows_of_before_a_column_was_declared_hold_nothing_in_it(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    in_three_files(lake, EVENTS)
    wider = replace(EVENTS, columns={**EVENTS.columns, "note": dy.String(nullable=True)})
    lake.append(wider, rows("w").with_columns(pl.lit("seen").alias("note")))
    lake.compact(wider, NOW)
    notes = lake.scan(wider).filter(event_date=DAYS[0]).select("event_id", "note").collect()
    assert notes.filter(pl.col("note").is_not_null()).rows() == [("w", "seen")]
    assert notes.height == 7


def test_a_column_that_is_no_longer_declared_is_not_lost(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    in_three_files(lake, EVENTS)
    narrower = replace(EVENTS, columns={name: one for name, one in EVENTS.columns.items() if name != "numbers"})
    version, files = lake.version(EVENTS), lake.files(EVENTS)
    with pytest.raises(BorderlakeError, match="numbers, which this release does not declare"):
        lake.compact(narrower, NOW)
    assert (lake.version(EVENTS), lake.files(EVENTS)) == (version, files)


def test_a_damaged_file_is_not_given_a_sound_hash(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    in_three_files(lake, PLAIN)
    victim = Path(lake.uri(PLAIN), lake.files(PLAIN)[0].path)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(bytes(content))
    there, version = set(Path(lake.uri(PLAIN)).glob("*.parquet")), lake.version(PLAIN)
    with pytest.raises(TableDamaged, match="not what was committed"):
        lake.compact(PLAIN, NOW)
    assert lake.version(PLAIN) == version
    assert set(Path(lake.uri(PLAIN)).glob("*.parquet")) == there

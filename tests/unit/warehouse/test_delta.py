"""Our Delta writer: replays safely, replaces whole days, retries on conflict and says so when it gives up."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier

import dataframely as dy
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import CommitFailedError
from polars.testing import assert_frame_equal

from warehouse.catalog import Table
from warehouse.delta import Lake, committing
from warehouse.errors import BorderlakeError, FileRefused, StepFailed, WriteConflict

EVENTS = Table(
    name="silver.examples",
    description="Examples.",
    columns={
        "event_id": dy.String(),
        "event_date": dy.Date(),
        "batch_id": dy.String(),
        "surname": dy.String(nullable=True),
        "mass_kg": dy.Decimal(16, 3, nullable=True),
        "seen_at": dy.Datetime(nullable=True, time_unit="us", time_zone="UTC"),
        "numbers": dy.List(dy.Float64(nullable=True), nullable=True),
    },
    key=("event_id",),
    owner="platform",
    partition_by=("event_date",),
    personal=frozenset({"surname"}),
)
DAYS = [date(2025, 3, day) for day in (1, 2, 3)]


def rows(*ids: str, day: date = DAYS[0], batch: str = "b1") -> pl.DataFrame:
    made = [
        {
            "event_id": one,
            "event_date": day,
            "batch_id": batch,
            "surname": "CANARY",
            "mass_kg": None,
            "seen_at": datetime(2025, 3, 1, tzinfo=UTC),
            "numbers": [1.0, None],
        }
        for one in ids
    ]
    return pl.DataFrame(made, schema=EVENTS.dtypes)


def data_files(lake: Lake) -> list[Path]:
    return sorted(Path(lake.uri(EVENTS)).rglob("*.parquet"))


def held(lake: Lake) -> list[str]:
    return sorted(lake.scan(EVENTS).collect()["event_id"])


def test_a_table_that_does_not_exist_reads_as_no_rows(lake: Lake) -> None:
    assert lake.version(EVENTS) is None
    assert lake.scan(EVENTS).collect().schema == EVENTS.dtypes
    assert lake.size(EVENTS) == (0, 0, 0)
    assert lake.commits(EVENTS) == []


def test_what_is_written_is_read_back_to_the_type(lake: Lake) -> None:
    lake.append(EVENTS, rows("a", "b"))
    assert_frame_equal(lake.scan(EVENTS).collect(), rows("a", "b"), check_row_order=False)
    assert lake.size(EVENTS)[:2] == (2, 1)


def test_ensuring_a_table_twice_makes_it_once(lake: Lake) -> None:
    assert lake.ensure(EVENTS).version() == 0
    assert lake.ensure(EVENTS).version() == 0
    lake.append(EVENTS, rows("a"))
    assert lake.ensure(EVENTS).version() == 1


def test_many_writers_may_make_the_table_at_the_same_moment(lake: Lake) -> None:
    gate = Barrier(6)

    def write(name: str) -> None:
        gate.wait(30)
        lake.append(EVENTS, rows(name, batch=name), batches=[name])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, "abcdef"))
    assert held(lake) == list("abcdef")


def test_many_openers_of_a_table_that_is_not_there_all_get_it(tmp_path: Path) -> None:
    gate = Barrier(8)

    def ensure(number: int) -> str:
        gate.wait(30)
        return Lake(str(tmp_path / str(number // 8))).ensure(EVENTS).metadata().name

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ensure, range(8 * 15))) == {EVENTS.name}


def test_an_append_leaves_out_batches_that_the_table_holds(lake: Lake) -> None:
    first = lake.append(EVENTS, rows("a", batch="b1"), batches=["b1"])
    assert lake.append(EVENTS, rows("a", batch="b1"), batches=["b1"]) == first, "no commit"
    lake.append(EVENTS, pl.concat([rows("a", batch="b1"), rows("c", batch="b2")]), batches=["b1", "b2"])
    assert held(lake) == ["a", "c"]
    lake.append(EVENTS, rows("a", batch="b1"))
    assert held(lake) == ["a", "a", "c"], "without batches an append is an append"


def test_writers_of_the_same_batch_at_once_write_it_once(lake: Lake) -> None:
    lake.ensure(EVENTS)
    gate = Barrier(6)

    def write(_: int) -> None:
        gate.wait(30)
        lake.append(EVENTS, rows("a"), batches=["b1"])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert held(lake) == ["a"]


def test_replacing_days_replaces_those_days_only(lake: Lake) -> None:
    for day in DAYS:
        lake.append(EVENTS, rows(f"{day.day}x", f"{day.day}y", day=day))
    lake.replace_days(EVENTS, pl.concat([rows("1z", day=DAYS[0]), rows("3z", day=DAYS[2])]), [DAYS[0], DAYS[2]])
    assert held(lake) == ["1z", "2x", "2y", "3z"]
    lake.replace_days(EVENTS, rows(), [DAYS[0]])
    assert held(lake) == ["2x", "2y", "3z"], "a day may become empty"


def test_rows_of_removed_batches_are_gone_and_do_not_come_again(lake: Lake) -> None:
    assert lake.remove_batches(EVENTS, ["b1"]) == 0
    lake.append(EVENTS, pl.concat([rows("a", batch="b1"), rows("b", batch="b2")]), batches=["b1", "b2"])
    lake.append(EVENTS, rows("c", batch="b3", day=DAYS[1]), batches=["b3"])
    untouched = [path for path in data_files(lake) if DAYS[1].isoformat() in str(path)]
    lake.remove_batches(EVENTS, ["b1", "b9"])
    assert held(lake) == ["b", "c"]
    assert [path for path in data_files(lake) if DAYS[1].isoformat() in str(path)] == untouched
    lake.append(EVENTS, rows("a", batch="b1"), batches=["b1"])
    assert held(lake) == ["b", "c"]
    version = lake.version(EVENTS)
    assert lake.remove_batches(EVENTS, []) == version


def test_replacing_no_day_does_nothing(lake: Lake) -> None:
    assert lake.replace_days(EVENTS, rows(), []) == 0
    lake.append(EVENTS, rows("a"))
    assert lake.replace_days(EVENTS, rows(), []) == 1
    assert held(lake) == ["a"]


def test_an_older_version_can_be_read(lake: Lake) -> None:
    first = lake.append(EVENTS, rows("a"))
    lake.replace_days(EVENTS, rows("b"), [DAYS[0]], facts={"borderlake.step": "test"})
    assert lake.scan(EVENTS, first).collect()["event_id"].to_list() == ["a"]
    assert held(lake) == ["b"]
    assert lake.commits(EVENTS, 1)[0]["borderlake.step"] == "test"


@pytest.mark.parametrize("failures", [1, 3])
def test_a_conflict_is_tried_again(lake: Lake, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    write, left = DeltaTable.create_write_transaction, [failures]

    def conflict(*args: object, **options: object) -> None:
        if left[0]:
            left[0] -= 1
            raise CommitFailedError("another writer")
        write(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(DeltaTable, "create_write_transaction", conflict)
    monkeypatch.setattr(committing.time, "sleep", lambda _: None)
    lake.append(EVENTS, rows("a"), batches=["b1"])
    assert held(lake) == ["a"]
    assert len(data_files(lake)) == 1, "written once, however often the commit was tried"


WRITES = {
    "append": lambda lake: lake.append(EVENTS, rows("b")),
    "replaced days": lambda lake: lake.replace_days(EVENTS, rows("b"), [DAYS[0]]),
    "joined files": lambda lake: lake.compact(EVENTS, datetime.now(UTC)),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_conflict_without_end_is_told_with_the_next_step(
    lake: Lake, write: Callable[[Lake], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in ("a1", "a2"):
        lake.append(EVENTS, rows(one))
    before = data_files(lake)

    def conflict(*args: object, **options: object) -> None:
        raise CommitFailedError("another writer")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", conflict)
    monkeypatch.setattr(committing.time, "sleep", lambda _: None)
    with pytest.raises(WriteConflict, match=r"silver\.examples: .*run the step again"):
        write(lake)
    assert held(lake) == ["a1", "a2"]
    assert data_files(lake) == before, "nothing is left of what was not committed"


def test_rows_that_fail_to_come_leave_nothing(lake: Lake) -> None:
    def failing() -> Iterator[pl.DataFrame]:
        yield rows("a")
        raise FileRefused("row-count", "cut")

    with pytest.raises(FileRefused, match="cut"):
        lake.append(EVENTS, failing(), batches=["b1"])
    assert data_files(lake) == []
    lake.append(EVENTS, iter([rows("a"), rows("b")]), batches=["b1"])
    assert held(lake) == ["a", "b"]


def test_a_commit_that_stands_though_its_writer_was_told_otherwise_keeps_its_files(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = DeltaTable.create_write_transaction

    def told_otherwise(*args: object, **options: object) -> None:
        write(*args, **options)  # type: ignore[arg-type]
        raise OSError("the checkpoint failed")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", told_otherwise)
    with pytest.raises(StepFailed, match="writing to silver"):
        lake.append(EVENTS, rows("a"), batches=["b1"])
    monkeypatch.undo()
    lake.append(EVENTS, rows("a"), batches=["b1"])
    assert held(lake) == ["a"]


def test_a_column_that_a_release_adds_is_null_in_what_was_there(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    grown = replace(EVENTS, columns={**EVENTS.columns, "lane": dy.String(nullable=True)})
    lake.append(grown, rows("b").with_columns(lane=pl.lit("red")))
    lanes = lake.scan(grown).select("event_id", "lane").sort("event_id").collect().rows()
    assert lanes == [("a", None), ("b", "red")]


def test_a_column_of_another_type_is_refused_by_name(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    changed = replace(EVENTS, columns={**EVENTS.columns, "surname": dy.Int64(nullable=True)})
    with pytest.raises(BorderlakeError, match=r"silver\.examples: .*surname"):
        lake.append(changed, rows("b").with_columns(surname=pl.lit(1)))


def test_a_table_has_its_description_change_feed_and_no_statistics_of_personal_columns(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    properties = lake.ensure(EVENTS).metadata()
    assert (properties.name, properties.description) == (EVENTS.name, EVENTS.description)
    assert properties.configuration["delta.enableChangeDataFeed"] == "true"
    log = "".join(path.read_text() for path in Path(lake.uri(EVENTS), "_delta_log").glob("*.json"))
    assert '\\"seen_at\\"' in log, "bounds of times are there"
    assert "CANARY" not in log


def test_a_frame_without_a_declared_column_is_no_row_of_the_table(lake: Lake) -> None:
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        lake.append(EVENTS, rows("a").drop("mass_kg"))


def test_a_column_that_a_table_was_given_later_is_null_in_the_rows_before(lake: Lake) -> None:
    lake.append(EVENTS, rows("a"))
    grown = replace(EVENTS, columns={**EVENTS.columns, "notes": dy.List(dy.String(), nullable=True)})
    assert lake.scan(grown).select("event_id", "notes").collect().rows() == [("a", None)]
    assert lake.scan(grown).collect_schema()["notes"] == pl.List(pl.String)


def test_every_engine_reads_files_with_and_without_nulls_as_one_table(lake: Lake) -> None:
    whole = rows("a").with_columns(mass_kg=pl.lit("1.5").cast(pl.Decimal(16, 3)))
    parts = [whole, rows("b").with_columns(surname=pl.lit(None, pl.String)), rows("c")]
    for at, part in enumerate(parts):
        lake.append(EVENTS, iter([part]), batches=[f"b{at}"])
    expected = pl.concat(parts).sort("event_id")
    table = DeltaTable(lake.uri(EVENTS))
    by_sql = QueryBuilder().register("events", table).execute("select * from events")
    for read in (pl.from_arrow(table.to_pyarrow_table()), pl.from_arrow(pa.table(by_sql.read_all()))):
        assert isinstance(read, pl.DataFrame)
        found = read.select(expected.columns).cast(expected.schema).sort("event_id")
        assert_frame_equal(found, expected)
    table.optimize.compact()
    assert_frame_equal(lake.scan(EVENTS).collect().sort("event_id"), expected)

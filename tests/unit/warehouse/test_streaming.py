"""A large file lands as a small one does: the same rows and refusals, once, whole or not at all."""

import json
from pathlib import Path

import pytest
from agency import AT, DECLARATION, declare, deliver, landed, write

from warehouse import datafiles, repeats, streaming
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
from warehouse.datafiles import DataFile
from warehouse.delivery import Delivery, file_sha256
from warehouse.delta import Lake
from warehouse.errors import FileRefused
from warehouse.ledger import LANDED, REFUSED
from warehouse.storage import Store
from warehouse.streaming import Sorting

BRONZE_TABLE, QUARANTINE_TABLE = BRONZE["customs.declarations"], QUARANTINE["customs.declarations"]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is large, and of parts of seven rows."""
    monkeypatch.setattr(streaming, "LARGE_BYTES", 0)
    monkeypatch.setattr(streaming, "PART_ROWS", 7)
    monkeypatch.setattr(repeats, "_RECENT", 10)


def land_rows(lake: Lake, delivery: Delivery) -> None:
    with streaming.opened(delivery) as parts:
        assert parts is not None
        streaming.land_rows(lake, delivery, parts, AT, {})


def records() -> list[dict[str, str]]:
    made = [DECLARATION | {"DECL_NO": f"D{i}"} for i in range(40)]
    made[5] |= {"HS": "12", "CURRENCY": ""}
    made[30] |= {"NET_KG": "heavy"}
    made[38] = dict(made[2])  # Many parts later.
    made[8] = dict(made[7])
    made[39] = made[2] | {"NET_KG": "1"}
    return made


def content(lake: Lake) -> list[list[dict[str, object]]]:
    frames = [lake.scan(table).collect() for table in (BRONZE_TABLE, QUARANTINE_TABLE, LEDGER)]
    return [frame.sort("source_line" if "source_line" in frame.columns else "batch_id").to_dicts() for frame in frames]


def test_it_gives_the_very_rows_refusals_and_ledger_of_a_small_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "declarations-1.csv", records())
    declare(path, rows=40, sha256=file_sha256(path))
    small, streamed = Lake(str(tmp_path / "small")), Lake(str(tmp_path / "streamed"))
    (account,) = landed(small, deliver(path))
    monkeypatch.setattr(streaming, "LARGE_BYTES", 0)
    monkeypatch.setattr(streaming, "PART_ROWS", 7)
    (other,) = landed(streamed, deliver(path))
    assert (other.status, other.rows_landed, other.rows_refused) == (LANDED, 36, 4)
    assert other.by_rule == account.by_rule
    assert other.by_rule["repeated-in-file"] == 2
    mine, theirs = content(streamed), content(small)
    for ledger in (mine[2], theirs[2]):
        ledger[0]["refused_by_rule"] = json.loads(str(ledger[0]["refused_by_rule"]))
    assert mine == theirs
    assert len(streamed.commits(BRONZE_TABLE)) == len(small.commits(BRONZE_TABLE)) == 2, "created, then one commit"


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        pytest.param({"rows": 41}, "row-count", id="a-row-lost-on-the-way"),
        pytest.param({"sha256": "0" * 64}, "hash", id="other-bytes"),
    ],
)
def test_a_file_that_is_not_as_declared_lands_no_row(
    lake: Lake, tmp_path: Path, large: None, declared: dict[str, object], rule: str
) -> None:
    path = write(tmp_path / "declarations-1.csv", records())
    declare(path, **declared)
    (account,) = landed(lake, deliver(path))
    assert (account.status, account.by_rule) == (REFUSED, {rule: 1})
    assert lake.scan(BRONZE_TABLE).collect().is_empty()
    assert lake.scan(QUARANTINE_TABLE).select("source_line").collect().rows() == [(0,)]


def test_a_file_of_another_layout_makes_no_table(lake: Lake, tmp_path: Path, large: None) -> None:
    path = tmp_path / "declarations-1.csv"
    path.write_text("JANE;DOE\nP1;P2\n")
    (account,) = landed(lake, deliver(path))
    assert (account.status, account.by_rule) == (REFUSED, {"header": 1})
    assert lake.version(BRONZE_TABLE) is None


def test_a_landing_that_was_stopped_before_its_ledger_is_finished_and_doubles_nothing(
    lake: Lake, tmp_path: Path, large: None
) -> None:
    one = deliver(write(tmp_path / "declarations-1.csv", records()))
    land_rows(lake, one)
    (account,) = landed(lake, one)
    assert (account.rows_landed, account.rows_refused) == (36, 4)
    assert lake.scan(BRONZE_TABLE).collect().height == 36
    assert lake.scan(QUARANTINE_TABLE).collect().height == 4


def test_what_ends_the_reading_ends_the_write_as_itself(
    lake: Lake, tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Sorting, _: object) -> None:
        raise FileRefused("truncated", "cut")

    monkeypatch.setattr(Sorting, "_count", broken)
    with pytest.raises(FileRefused, match="cut"):
        land_rows(lake, deliver(write(tmp_path / "declarations-1.csv", records())))
    assert lake.scan(BRONZE_TABLE).collect().is_empty()


def test_a_landing_that_fails_takes_its_own_files_away_and_no_others(
    lake: Lake, tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-0.csv", [DECLARATION])))
    folder = Path(lake.root) / BRONZE_TABLE.name.replace(".", "/")
    of_another = folder / "received_on=2025-03-03" / "part-00000-of-another-writer.parquet"
    of_another.write_bytes(next(folder.rglob("*.parquet")).read_bytes())
    before = {path.name for path in folder.rglob("*.parquet")}
    written: list[list[DataFile]] = []
    taken_away = datafiles.remove

    def watched(store: Store, folder: str, files: list[DataFile]) -> None:
        written.append(files)
        taken_away(store, folder, files)

    monkeypatch.setattr(datafiles, "remove", watched)
    monkeypatch.setattr(datafiles, "FILE_ROWS", 4_000)
    monkeypatch.setattr(streaming, "PART_ROWS", 4_000)
    path = write(tmp_path / "declarations-1.csv", [DECLARATION | {"DECL_NO": f"E{i}"} for i in range(40_000)])
    declare(path, rows=40_001)
    (account,) = landed(lake, deliver(path))
    assert account.status == REFUSED
    assert any(written), "files were written before the count was known to be wrong"
    assert {path.name for path in folder.rglob("*.parquet")} == before

"""Drift of a layout: a new column is named in the ledger and kept aside, a vanished one refuses the file by name."""

import json
from pathlib import Path

import polars as pl
import pytest
from agency import DECLARATION, INSPECTION, deliver, landed, norvale, write

from warehouse import streaming
from warehouse.catalog import LEDGER
from warehouse.delta import Lake
from warehouse.ledger import LANDED, REFUSED

NEW = {"SEALS": "2", "ARRIVAL_PLACE": "HALL 3"}


def unmapped(lake: Lake) -> list[list[str] | None]:
    return lake.scan(LEDGER).collect()["columns_unmapped"].to_list()


def test_a_new_column_is_named_and_costs_no_row(lake: Lake, tmp_path: Path) -> None:
    (account,) = landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION | NEW])))
    assert (account.status, account.rows_landed) == (LANDED, 1)
    assert account.columns_unmapped == ("ARRIVAL_PLACE", "SEALS")
    assert unmapped(lake) == [["ARRIVAL_PLACE", "SEALS"]]


def test_a_layout_as_agreed_has_no_other_columns(lake: Lake, tmp_path: Path) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION])))
    assert unmapped(lake) == [[]]


def test_each_file_tells_its_own_columns_though_they_land_together(lake: Lake, tmp_path: Path) -> None:
    old = deliver(write(tmp_path / "declarations-1.csv", [DECLARATION]))
    new = deliver(write(tmp_path / "declarations-2.csv", [DECLARATION | NEW]))
    assert [account.columns_unmapped for account in landed(lake, old, new)] == [(), ("ARRIVAL_PLACE", "SEALS")]


def test_a_column_that_the_dialect_ignores_is_not_reported(lake: Lake, tmp_path: Path) -> None:
    ignoring = norvale(changes={'options = { delimiter = ";"': 'ignores = ["SEALS"]\noptions = { delimiter = ";"'})
    (account,) = landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION | NEW]), ignoring))
    assert account.columns_unmapped == ("ARRIVAL_PLACE",)


def test_a_new_field_of_any_line_is_named_by_its_path(lake: Lake, tmp_path: Path) -> None:
    later = INSPECTION | {"itemNumber": 2, "officerUnit": {"code": "N"}}
    (account,) = landed(lake, deliver(write(tmp_path / "inspections-1.ndjson", [INSPECTION, later])))
    assert account.columns_unmapped == ("officerUnit.code",)


def test_a_large_file_tells_them_as_well(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LARGE_BYTES", 1)
    (account,) = landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION | NEW])))
    assert account.columns_unmapped == ("ARRIVAL_PLACE", "SEALS")


@pytest.mark.parametrize(
    ("file", "records", "gone"),
    [
        pytest.param("declarations-1.csv", [DECLARATION], "NET_KG", id="delimited"),
        pytest.param("inspections-1.ndjson", [INSPECTION], "result", id="ndjson"),
    ],
)
def test_a_vanished_column_refuses_the_file_and_is_named(
    lake: Lake, tmp_path: Path, file: str, records: list[dict[str, object]], gone: str
) -> None:
    cut = [{name: value for name, value in record.items() if name != gone} for record in records]
    (account,) = landed(lake, deliver(write(tmp_path / file, cut)))
    assert account.status == REFUSED
    assert gone in (account.reason or "")
    assert unmapped(lake) == [None]


def test_what_stands_in_a_new_column_of_a_refused_row_is_in_the_quarantine(lake: Lake, tmp_path: Path) -> None:
    from warehouse.catalog import QUARANTINE

    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION | NEW | {"HS": "x"}])))
    (raw,) = lake.scan(QUARANTINE["customs.declarations"]).select(pl.col("raw")).collect().to_series()
    assert json.loads(raw)["SEALS"] == "2"

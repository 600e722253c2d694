"""Quarantine, read: what is open, what a later reading has replaced, and no row as received for who did not ask."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from agency import AT, DAY, DECLARATION, declare, deliver, landed, norvale, write

from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.ledger import unaccounted
from warehouse.quarantine import chosen, of_name, readings, refused, rows_of

LATER = AT + timedelta(hours=1)
BAD = DECLARATION | {"DECL_NO": "B", "HS": "none"}


def states(lake: Lake) -> list[tuple[int, bool, bool]]:
    """Rows refused, whole file, open: in the order of landing."""
    found = sorted(readings(lake), key=lambda one: one.landed_at)
    return [(one.rows_refused, one.is_whole_file, one.is_open) for one in found]


def test_a_refused_row_is_open_until_its_file_is_read_again(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION, BAD])
    landed(lake, deliver(path))
    (reading,) = readings(lake)
    assert (reading.rows_read, reading.rows_landed, reading.by_rule) == (2, 1, {"hs_code|regex": 1})
    assert states(lake) == [(1, False, True)]
    landed(
        lake,
        deliver(
            path,
            norvale(9, {'hs_code = "HS"': 'hs_code = { column = "HS", otherwise = "1", codes = { none = "999999" } }'}),
        ),
        at=LATER,
    )
    assert states(lake) == [(1, False, False), (1, False, True)]
    old, new = sorted(readings(lake), key=lambda one: one.landed_at)
    assert old.replaced_by == new.batch_id


def test_a_file_without_refusals_is_not_listed(lake: Lake, tmp_path: Path) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION])))
    assert len(readings(lake)) == 1
    assert refused(readings(lake)) == []
    assert not readings(lake)[0].is_open


def test_a_file_refused_whole_is_open_until_any_reading_of_it_follows(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION])
    declare(path, rows=5)
    landed(lake, deliver(path))
    assert states(lake) == [(0, True, True)]
    declare(path, rows=6)
    landed(lake, deliver(path), at=LATER)
    assert states(lake) == [(0, True, False), (0, True, True)]
    declare(path, rows=1)
    landed(lake, deliver(path), at=LATER + timedelta(hours=1))
    assert states(lake) == [(0, True, False), (0, True, False), (0, False, False)]


def test_a_refused_reading_does_not_replace_one_that_landed(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION, BAD])
    landed(lake, deliver(path))
    landed(lake, deliver(path, norvale(9, {'hs_code = "HS"': 'hs_code = "TARIFF"'})), at=LATER)
    assert states(lake) == [(1, False, True), (0, True, True)]


def test_readings_are_narrowed_by_agency_dataset_and_day(lake: Lake, tmp_path: Path) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [BAD])))
    landed(lake, deliver(write(tmp_path / "declarations-2.csv", [BAD | {"DECL_NO": "C"}]), on=date(2025, 3, 9)))
    assert len(readings(lake, agency="customs", dataset="declarations")) == 2
    assert readings(lake, agency="customs", dataset="inspections") == []
    assert [one.file_name for one in refused(readings(lake), date(2025, 3, 4))] == ["declarations-2.csv"]


def test_a_file_is_chosen_by_name_or_by_the_beginning_of_its_batch(lake: Lake, tmp_path: Path) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [BAD])))
    found = readings(lake)
    assert chosen(found, "declarations-1.csv") == chosen(found, found[0].batch_id[:8]) == found
    assert of_name(found, found[0].batch_id[:3]) == []
    with pytest.raises(BorderlakeError, match=re.escape("nothing was refused of 'x.csv'; borderlake quarantine list")):
        chosen(found, "x.csv")


def test_one_name_of_two_deliveries_must_be_told_apart(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "declarations-1.csv"
    landed(lake, deliver(write(path, [BAD])))
    landed(lake, deliver(write(path, [BAD | {"DECL_NO": "C"}]), on=date(2025, 3, 9)))
    with pytest.raises(BorderlakeError, match="several deliveries; name one by its batch"):
        chosen(readings(lake), path.name)


def test_rows_come_as_received_only_for_who_asks(lake: Lake, tmp_path: Path) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [BAD | {"IMPORTER_NAME": "CANARY"}])))
    (reading,) = readings(lake)
    rows = rows_of(lake, reading)
    assert rows.select("source_line", "rules").rows() == [(2, ["hs_code|regex"])]
    assert "CANARY" not in str(rows.to_dicts())
    assert "CANARY" not in str(reading)
    assert "CANARY" in rows_of(lake, reading, with_raw=True)["raw"].item()


def test_a_row_that_is_gone_from_a_table_is_missed_and_another_batch_does_not_make_up_for_it(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = landed(
        lake,
        deliver(write(tmp_path / "declarations-1.csv", [DECLARATION, BAD])),
        deliver(write(tmp_path / "declarations-2.csv", [DECLARATION | {"DECL_NO": "C"}]), on=DAY),
    )
    assert unaccounted(lake, accounts) == {}
    first, second = (account.batch_id for account in accounts)
    scan = Lake.scan

    def one_moved(self: Lake, table: object, *args: object) -> object:
        """The first batch lacks its bronze row, the second has one too many."""
        rows = scan(self, table, *args).collect()  # type: ignore[arg-type]
        return (
            rows.with_columns(rows["batch_id"].replace(first, second)).lazy()
            if table.layer == "bronze"
            else rows.lazy()
        )  # type: ignore[attr-defined]

    monkeypatch.setattr(Lake, "scan", one_moved)
    assert unaccounted(lake, accounts) == {first: 1, second: 1}

"""Backlog: every day that conforming would change is named, and none once it has been conformed."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from agency import AT, DAY, DECLARATION, WITHDRAWAL, deliver, landed, norvale, write

from warehouse.backlog import days_behind
from warehouse.catalog import SHIPMENTS
from warehouse.conform import conform
from warehouse.delta import Lake

KEY = b"k" * 32
LATER, LATER_DAY = AT + timedelta(days=5), DAY + timedelta(days=5)
OTHER = DECLARATION | {"DECL_NO": "B", "ORIGIN": "PT"}
NO_GERMAN_GOODS = {'country_of_origin = "ORIGIN"': 'country_of_origin = { column = "ORIGIN", codes = { PT = "PT" } }'}
NO_GOODS = {'country_of_origin = "ORIGIN"': 'country_of_origin = { column = "ORIGIN", codes = { AQ = "AQ" } }'}
NO_TIME = {'time = "%d.%m.%Y %H:%M:%S"': 'time = "%Y/%m/%d"'}


def land_as(lake: Lake, path: Path, version: int, changes: Mapping[str, str] | None = None, on: date = DAY) -> None:
    landed(lake, deliver(path, norvale(version, changes), on), at=AT + timedelta(days=version))


def catch_up(lake: Lake) -> set[date]:
    """Conform what is behind; the days that were."""
    days = days_behind(lake, KEY)
    conform(lake, SHIPMENTS, sorted(days), KEY)
    return days


def shown(lake: Lake) -> list[str]:
    return sorted(lake.scan(SHIPMENTS).collect()["declaration_id"])


def test_what_has_landed_is_behind_until_it_is_conformed(lake: Lake, tmp_path: Path) -> None:
    land_as(lake, write(tmp_path / "declarations-1.csv", [DECLARATION, OTHER]), 3)
    assert catch_up(lake) == {DAY}
    assert shown(lake) == ["25XN1", "B"]
    assert days_behind(lake, KEY) == set()


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        pytest.param(NO_GERMAN_GOODS, ["B"], id="it-gives-fewer-rows"),
        pytest.param(NO_GOODS, [], id="it-gives-none"),
        pytest.param(None, ["25XN1", "B"], id="it-gives-the-same"),
    ],
)
@pytest.mark.parametrize("on", [DAY, LATER_DAY], ids=["of-the-same-day", "that-came-later"])
def test_rows_that_a_new_reading_no_longer_gives_leave_silver(
    lake: Lake, tmp_path: Path, changes: Mapping[str, str] | None, left: list[str], on: date
) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION, OTHER])
    land_as(lake, path, 3)
    catch_up(lake)
    land_as(lake, path, 4, changes, on)
    assert catch_up(lake) == {on}
    assert shown(lake) == left
    assert days_behind(lake, KEY) == set()


def test_of_readings_in_a_row_the_last_counts_even_where_none_was_conformed_between(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION, OTHER])
    land_as(lake, path, 3)
    catch_up(lake)
    land_as(lake, path, 4)
    land_as(lake, path, 5, NO_GERMAN_GOODS, LATER_DAY)
    catch_up(lake)
    assert shown(lake) == ["B"]
    assert days_behind(lake, KEY) == set()


def test_a_withdrawal_that_a_new_reading_no_longer_gives_is_undone(lake: Lake, tmp_path: Path) -> None:
    land_as(lake, write(tmp_path / "declarations-1.csv", [DECLARATION]), 3)
    path = write(tmp_path / "withdrawals-1.csv", [WITHDRAWAL])
    land_as(lake, path, 3)
    catch_up(lake)
    assert lake.scan(SHIPMENTS).collect()["withdrawn_at"].null_count() == 0
    land_as(lake, path, 4, NO_TIME, LATER_DAY)
    assert catch_up(lake) == {LATER_DAY}
    row = lake.scan(SHIPMENTS).collect().row(0, named=True)
    assert (row["withdrawn_at"], row["superseded_at"]) == (None, None)
    assert days_behind(lake, KEY) == set()

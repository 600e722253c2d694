"""Refused rows that came again in a later file are closed by its batch; those whose key cannot be read stay open."""

from datetime import timedelta
from pathlib import Path

import pytest
from agency import AT, DAY, DECLARATION, INSPECTION, deliver, landed, norvale, write

from warehouse.corrected import with_corrections
from warehouse.delta import Lake
from warehouse.quarantine import Reading, readings

LATER = AT + timedelta(days=1)
BAD = DECLARATION | {"HS": "none", "CURRENCY": ""}


def states(lake: Lake) -> list[Reading]:
    found = with_corrections(lake, readings(lake), lambda _: norvale())
    return [one for one in sorted(found, key=lambda one: one.landed_at) if one.rows_refused]


def send(lake: Lake, folder: Path, number: int, *records: dict[str, str], days: int = 0) -> str:
    path = write(folder / f"declarations-{number}.csv", records)
    (account,) = landed(lake, deliver(path, on=DAY + timedelta(days=days)), at=AT + timedelta(days=days))
    return account.batch_id


def test_a_row_that_came_again_is_closed_by_its_batch(lake: Lake, tmp_path: Path) -> None:
    send(lake, tmp_path, 1, DECLARATION, BAD | {"DECL_NO": "R1"}, BAD | {"DECL_NO": "R2"})
    assert [(one.rows_open, one.is_open) for one in states(lake)] == [(2, True)]
    first = send(lake, tmp_path, 2, DECLARATION | {"DECL_NO": "R1"}, days=1)
    (reading,) = states(lake)
    assert (reading.rows_open, reading.rows_corrected, reading.corrected_by) == (1, 1, (first,))
    second = send(lake, tmp_path, 3, DECLARATION | {"DECL_NO": "R2"}, days=2)
    (reading,) = states(lake)
    assert (reading.is_open, reading.rows_open) == (False, 0)
    assert reading.corrected_by == tuple(sorted((first, second)))


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(DECLARATION | {"DECL_NO": "R9"}, id="another-key"),
        pytest.param(BAD | {"DECL_NO": "R1", "PACKAGES": "9"}, id="refused-again"),
        pytest.param(DECLARATION | {"DECL_NO": "R1", "ITEM_NO": "2"}, id="another-item"),
    ],
)
def test_a_row_that_did_not_come_again_stays_open(lake: Lake, tmp_path: Path, again: dict[str, str]) -> None:
    send(lake, tmp_path, 1, DECLARATION, BAD | {"DECL_NO": "R1"})
    send(lake, tmp_path, 2, again, days=1)
    assert states(lake)[0].rows_open == 1


def test_what_landed_before_closes_nothing(lake: Lake, tmp_path: Path) -> None:
    send(lake, tmp_path, 1, DECLARATION | {"DECL_NO": "R1"})
    send(lake, tmp_path, 2, BAD | {"DECL_NO": "R1"}, days=1)
    assert [one.rows_open for one in states(lake)] == [1]


@pytest.mark.parametrize("lost", ["DECL_NO", "ITEM_NO"])
def test_a_row_whose_key_cannot_be_read_stays_open(lake: Lake, tmp_path: Path, lost: str) -> None:
    send(lake, tmp_path, 1, DECLARATION, BAD | {"DECL_NO": "R1", lost: ""})
    send(lake, tmp_path, 2, DECLARATION | {"DECL_NO": "R1"}, days=1)
    assert [one.rows_open for one in states(lake)] == [1]


def test_a_dialect_that_is_gone_leaves_rows_open(lake: Lake, tmp_path: Path) -> None:
    send(lake, tmp_path, 1, DECLARATION, BAD | {"DECL_NO": "R1"})
    send(lake, tmp_path, 2, DECLARATION | {"DECL_NO": "R1"}, days=1)
    (reading,) = [one for one in with_corrections(lake, readings(lake), lambda _: None) if one.rows_refused]
    assert reading.rows_open == 1


def test_records_that_were_json_are_known_again_too(lake: Lake, tmp_path: Path) -> None:
    bad = INSPECTION | {"result": "who knows", "itemNumber": 7}
    landed(lake, deliver(write(tmp_path / "inspections-1.ndjson", [INSPECTION, bad])))
    landed(lake, deliver(write(tmp_path / "inspections-2.ndjson", [INSPECTION | {"itemNumber": 7}])), at=LATER)
    assert [(one.rows_refused, one.rows_open) for one in states(lake)] == [(1, 0)]

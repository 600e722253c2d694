"""Deliveries: what a sidecar declares, what waits in an inbox, and what makes a batch."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from agency import DAY, DECLARATION, declare, deliver, norvale, write

from warehouse.delivery import Sidecar, read_sidecar, sidecar_of, waiting
from warehouse.errors import BorderlakeError


def test_a_sidecar_declares_rows_hash_and_time(tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION])
    assert read_sidecar(path) == Sidecar()
    declare(path, rows=1, sha256="AB", extracted_at="2025-03-01T23:00:00Z")
    assert read_sidecar(path) == Sidecar(1, "AB", datetime(2025, 3, 1, 23, tzinfo=UTC))
    assert deliver(path).received_on == date(2025, 3, 1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no-json"),
        pytest.param("[1]", id="no-object"),
        pytest.param('{"rows": "1"}', id="rows-as-text"),
        pytest.param('{"rows": true}', id="rows-as-yes"),
        pytest.param('{"sha256": 7}', id="hash-as-number"),
        pytest.param('{"extracted_at": "yesterday"}', id="time-in-words"),
        pytest.param('{"extracted_at": 20250301}', id="time-as-number"),
    ],
)
def test_a_sidecar_that_cannot_be_understood_is_a_fault_of_its_file_alone(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION])
    sidecar_of(path).write_text(text)
    fault = deliver(path).sidecar.fault
    assert fault is not None
    assert "declarations-1.csv.manifest.json is no sidecar" in fault


def test_an_inbox_waits_for_whole_files(tmp_path: Path) -> None:
    names = ["b.csv", "a.csv", "c.csv.part", "d.tmp", ".hidden", "a.csv.manifest.json", "e.csv~", "f.crdownload"]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert [path.name for path in waiting(tmp_path)] == ["a.csv", "b.csv"]
    assert waiting(tmp_path / "none") == []


def test_a_batch_is_content_agency_and_dialect_and_never_the_name(tmp_path: Path) -> None:
    one = deliver(write(tmp_path / "declarations-1.csv", [DECLARATION]))
    same = deliver(write(tmp_path / "declarations-2.csv", [DECLARATION]), on=date(2025, 4, 1))
    assert one.batch_id == same.batch_id
    others = [
        deliver(write(tmp_path / "declarations-3.csv", [DECLARATION | {"HS": "010121"}])),
        deliver(one.path, norvale(2)),
        deliver(one.path, jurisdiction="YY"),
    ]
    assert len({one.batch_id, *(other.batch_id for other in others)}) == 4
    assert one.content_id == others[1].content_id
    assert one.received_on == DAY


def test_a_path_without_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BorderlakeError, match="give the path of an extract"):
        deliver(tmp_path / "declarations-9.csv")

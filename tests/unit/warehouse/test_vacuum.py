"""Vacuum: what it may take, and what it leaves."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from damage import folder, found, written
from test_delta import EVENTS

from warehouse.delta import Lake
from warehouse.errors import BorderlakeError


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"), anchors=tmp_path / "home" / "anchors")


@pytest.mark.parametrize("days", [0, 1, 6])
def test_vacuum_refuses_less_than_seven_days(lake: Lake, days: int) -> None:
    written(lake)
    with pytest.raises(BorderlakeError, match="keeps at least 7 days"):
        lake.vacuum(EVENTS, days, dry_run=False)


def test_vacuum_is_a_dry_run_and_keeps_what_recent_versions_need(lake: Lake) -> None:
    written(lake)
    orphan = folder(lake) / "event_date=2025-03-01" / "part-00000-orphan.parquet"
    orphan.write_bytes(b"PAR1")
    past = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    os.utime(orphan, (past, past))
    files = len(list(folder(lake).rglob("*.parquet")))
    assert [Path(path).name for path in lake.vacuum(EVENTS, 7)] == [orphan.name]
    assert orphan.exists()
    lake.vacuum(EVENTS, 7, dry_run=False)
    assert not orphan.exists()
    assert len(list(folder(lake).rglob("*.parquet"))) == files - 1
    assert found(lake, deep=True) == []

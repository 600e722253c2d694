"""A trial says of a file what its landing then does, large or small, and writes nothing."""

from pathlib import Path

import pytest
from agency import AT, DECLARATION, declare, deliver, landed, write
from polars.testing import assert_frame_equal

from warehouse import streaming
from warehouse.catalog import QUARANTINE
from warehouse.delta import Lake
from warehouse.trial import tried

QUARANTINED = QUARANTINE["customs.declarations"]
RECORDS = [
    *(DECLARATION | {"DECL_NO": f"D{number}"} for number in range(20)),
    DECLARATION | {"DECL_NO": "D20", "HS": "12", "CURRENCY": ""},
    DECLARATION | {"DECL_NO": "D3"},
]


@pytest.mark.parametrize("declared", [{"rows": 22}, {"rows": 23}, {"sha256": "0" * 64}], ids=str)
@pytest.mark.parametrize("large_bytes", [0, 1 << 40], ids=["large", "small"])
def test_a_trial_says_what_a_landing_does(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_bytes: int, declared: dict[str, object]
) -> None:
    monkeypatch.setattr(streaming, "LARGE_BYTES", large_bytes)
    monkeypatch.setattr(streaming, "PART_ROWS", 7)
    path = write(tmp_path / "declarations-1.csv", RECORDS)
    declare(path, **declared)
    (one,) = tried(deliver(path), AT)
    assert not Path(lake.root).exists() or not any(Path(lake.root).iterdir())
    (account,) = landed(lake, deliver(path))
    assert one.account == account
    assert_frame_equal(one.refused, lake.scan(QUARANTINED).sort("source_line").collect(), check_column_order=False)

"""Files of tests lie in memory only where there is room for them."""

from pathlib import Path

import pytest

from tests.scratch import SPARE_BYTES, place


@pytest.mark.parametrize(
    ("available", "is_there", "expected"),
    [
        pytest.param(SPARE_BYTES, True, True, id="room"),
        pytest.param(SPARE_BYTES - 1024, True, False, id="little-memory"),
        pytest.param(SPARE_BYTES, False, False, id="no-such-folder"),
    ],
)
def test_memory_is_taken_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, available: int, is_there: bool, expected: bool
) -> None:
    meminfo, memory = tmp_path / "meminfo", tmp_path if is_there else tmp_path / "none"
    meminfo.write_text(f"MemTotal:       99999999 kB\nMemAvailable:   {available >> 10} kB\n")
    monkeypatch.setattr("tests.scratch.ROOM_BYTES", 0)
    assert place(memory, meminfo) == (memory if expected else None)
    assert place(memory, tmp_path / "no such file") is None
    monkeypatch.setattr("tests.scratch.ROOM_BYTES", 1 << 62)
    assert place(memory, meminfo) is None

"""`bench sharing` on a small table: both sides read the same rows, and a crowd is answered."""

import pytest

from benchmarks import sharing
from benchmarks.sharing_sides import DISK
from tests.unit.benchmarks.conftest import PATIENCE_S


def test_both_sides_read_the_same_and_a_crowd_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_STARTS_WITHIN_S", PATIENCE_S)
    result = sharing.run(rows=2_000, clients=3, seconds=1, seed=4, watch=lambda _: None, repeats=1)
    assert result.faults == []
    assert result.figures["rows_read"] == result.peers[DISK].figures["rows_read"] == 2_000
    assert result.figures["metadata_calls"] > 0
    assert result.figures["server_peak_rss_mb"] > 0

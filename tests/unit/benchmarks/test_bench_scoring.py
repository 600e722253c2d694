"""`bench scoring`: both sides give every row the same score, to the bit."""

import pytest

from benchmarks import scoring
from benchmarks.scoring_sides import BARE

pytestmark = pytest.mark.usefixtures("trials_in_process")


def test_both_sides_score_alike_and_figures_are_those_asked_for() -> None:
    work = scoring.Work(rows=1_000, explained=50, trees=4, seed=2)
    result = scoring.run(work, lambda _: None, repeats=1)
    assert result.faults == []
    assert result.figures["rows_scored"] == result.peers[BARE].figures["rows_scored"] == 1_000
    assert result.figures["reasons_rows"] == 50
    assert result.figures["wall_s_ratio"] == result.figures["wall_s"] / result.peers[BARE].figures["wall_s"]
    assert "more_peak_rss_mb" not in result.figures

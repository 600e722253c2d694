"""Withdrawn scores in the house: in no list of what to look at, marked where they are shown, and still on record."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines import deciding, recalling, summary, whatif
from pipelines.cli import app
from pipelines.deployment import Deployment
from pipelines.flows import score_table, selection_table
from tests.unit.pipelines.judged_world import DAY, SPEC, Judged, end_of, write
from warehouse import recalls
from warehouse.errors import BorderlakeError

STANDS, GONE = Judged("stands", "A", 0.5, "yellow"), Judged("gone-one", "A", 0.9, "red")
NOON = end_of(DAY) + timedelta(hours=12)


@pytest.fixture
def deployment(deployment: Deployment) -> Deployment:
    write(deployment, [STANDS, GONE])
    scores = recalling.by_id(deployment, GONE.score_id).scores
    assert recalls.recall(deployment.lake, scores, reason="a broken scale", by="analyst", at=NOON) == 1
    return deployment


def test_it_is_not_among_what_stands_and_its_lane_neither(deployment: Deployment) -> None:
    for table in (score_table(SPEC), selection_table(SPEC)):
        assert recalls.standing(deployment.lake, table).collect()["event_id"].to_list() == ["stands"]
        assert deployment.lake.scan(table).collect().height == 2


def test_the_summary_counts_what_stands(deployment: Deployment) -> None:
    assert [row["event_id"] for row in summary.riskiest(deployment, SPEC)] == ["stands"]
    assert {row["lane"]: row["events"] for row in summary.lane_counts(deployment, SPEC) if row["events"]} == {
        "yellow": 1
    }


def test_how_many_of_a_day_are_left_out_is_told(deployment: Deployment) -> None:
    assert whatif.withdrawn_of_day(deployment, SPEC, DAY) == 1
    assert whatif.withdrawn_of_day(deployment, SPEC, DAY + timedelta(days=1)) == 0


def test_tables_that_are_shown_say_which_rows_flow_to_nobody(deployment: Deployment, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    for where, withdrawn in (("true", 1), ("event_id = 'stands'", 0)):
        words = ["show", score_table(SPEC).name, "--columns", "event_id", "--where", where, "--json", str(out)]
        told = CliRunner().invoke(app, words)
        assert ("rest on scores that were withdrawn" in told.output) == bool(withdrawn)
        assert json.loads(out.read_text())["withdrawn"] == withdrawn


def test_a_decision_on_it_is_recorded_only_if_it_was_made_before(deployment: Deployment) -> None:
    said = {"officer": "K-17", "action": "inspect", "reason": "seal broken"}
    with pytest.raises(BorderlakeError, match=r"withdrawn on 2025-02-02 12:00 UTC by analyst \(a broken scale\)"):
        deciding.record(deployment, GONE.score_id, decided_at=NOON, **said)
    deciding.record(deployment, GONE.score_id, decided_at=NOON - timedelta(hours=1), **said)
    deciding.record(deployment, STANDS.score_id, decided_at=NOON, **said)
    assert deciding.recorded(deployment).collect().height == 2


def test_estimates_still_count_the_advice_that_was_given(deployment: Deployment) -> None:
    judged = deciding.selections_with_outcomes(deployment, SPEC, [DAY], NOON)
    assert set(judged["event_id"]) == {"stands", "gone-one"}

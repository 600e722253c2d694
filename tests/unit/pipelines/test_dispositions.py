"""Decisions of officers: recorded, refused, replaced, counted, and fed back with the outcome that they led to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from models import datasets, dispositions
from models.catalogue import MODELS
from pipelines import deciding, runs
from pipelines.assets import DEPLOYMENT
from pipelines.assets.dispositions import dispositions_asset
from pipelines.cli import app
from pipelines.cli.output import Exit
from pipelines.deployment import Deployment
from tests.unit.pipelines.judged_world import DAY, SPEC, Judged, end_of, report, write
from warehouse.catalog import OUTCOMES
from warehouse.errors import BorderlakeError, UnknownName

runner = CliRunner()
NOON = end_of(DAY) + timedelta(hours=12)
RED = Judged("r1", "A", 0.9, "red")
YELLOW = Judged("y1", "A", 0.5, "yellow")
DRAWN = Judged("d1", "A", 0.1, "red", drawn=True, propensity=0.25)
GREEN = Judged("g1", "A", 0.1, propensity=0.25)
ELSEWHERE = Judged("e1", "B", 0.9, "red")


@pytest.fixture
def deployment(deployment: Deployment) -> Deployment:
    write(deployment, [RED, YELLOW, DRAWN, GREEN, ELSEWHERE])
    return deployment


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Dagster instance to tell."""
    monkeypatch.setattr(runs, "report", lambda *_: None)


def decide(deployment: Deployment, row: Judged, action: str, at: datetime = NOON, **changed: str) -> dict[str, Any]:
    said = {"officer": "K-17", "reason": "cartons of two sizes"} | changed
    return dict(deciding.record(deployment, row.score_id, action=action, decided_at=at, **said))


def run(tmp_path: Path, *arguments: str, code: Exit = Exit.DONE) -> tuple[dict[str, Any], str]:
    out = tmp_path / "out.json"
    result = runner.invoke(app, ["disposition", *arguments, "--json", str(out)])
    if isinstance(result.exception, BorderlakeError):
        raise result.exception
    assert result.exit_code == code, result.output
    return json.loads(out.read_text()), result.output


@pytest.mark.parametrize(
    ("row", "action", "is_override", "is_inspected"),
    [
        pytest.param(RED, "inspect", False, True, id="red-inspected-as-advised"),
        pytest.param(YELLOW, "documents", False, True, id="yellow-checked-as-advised"),
        pytest.param(GREEN, "release", False, False, id="green-released-as-advised"),
        pytest.param(RED, "release", True, False, id="red-released"),
        pytest.param(GREEN, "inspect", True, True, id="green-inspected"),
        pytest.param(YELLOW, "other", True, False, id="something-else"),
    ],
)
def test_another_action_than_the_advised_one_is_an_override(
    deployment: Deployment, row: Judged, action: str, is_override: bool, is_inspected: bool
) -> None:
    decide(deployment, row, action)
    kept = deciding.recorded(deployment).collect().to_dicts()[0]
    assert (kept["is_override"], kept["is_inspected"]) == (is_override, is_inspected)
    assert (kept["lane"], kept["propensity"], kept["is_exploration"]) == (
        row.lane, row.propensity if row.propensity is not None else 1.0, row.drawn
    )  # fmt: skip
    assert (kept["score_id"], kept["model_name"], kept["model_version"]) == (row.score_id, SPEC.name, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"score_id": "f" * 32}, "no score has that id", id="an-unknown-score"),
        pytest.param({"score_id": "r1"}, "no score has that id", id="too-short-a-beginning"),
        pytest.param({"reason": "  "}, "needs a reason", id="an-empty-reason"),
        pytest.param({"reason": "one\ntwo"}, "one line", id="a-reason-of-two-lines"),
        pytest.param({"reason": "x" * 401}, "at most 400", id="too-long-a-reason"),
        pytest.param({"officer": " "}, "needs an officer", id="no-officer"),
        pytest.param({"action": "wave"}, "unknown action 'wave'. Known: audit, documents", id="an-unknown-action"),
        pytest.param({"decided_at": end_of(DAY) - timedelta(hours=1)}, "after this decision", id="before-the-score"),
    ],
)
def test_what_cannot_be_a_decision_is_refused_and_nothing_is_recorded(
    deployment: Deployment, change: dict[str, Any], message: str
) -> None:
    right = {"officer": "K-17", "action": "inspect", "reason": "seal broken", "decided_at": NOON}
    said: dict[str, Any] = {"score_id": RED.score_id} | right | change
    with pytest.raises(BorderlakeError, match=message):
        deciding.record(deployment, **said)
    assert deciding.recorded(deployment).collect().is_empty()


def test_recorded_again_the_later_decision_counts_and_the_earlier_one_stays(deployment: Deployment) -> None:
    decide(deployment, RED, "release")
    decide(deployment, RED, "inspect", NOON + timedelta(hours=1), reason="a second look")
    every = deciding.recorded(deployment)
    assert every.sort("decided_at").collect()["action"].to_list() == ["release", "inspect"]
    assert dispositions.last(every).collect()["action"].to_list() == ["inspect"]
    with pytest.raises(BorderlakeError, match="recorded already"):
        decide(deployment, RED, "release", NOON)
    assert every.collect().height == 2


def test_no_officers_own_id_is_kept_and_the_same_officer_has_the_same_keyed_id(deployment: Deployment) -> None:
    decide(deployment, RED, "inspect", officer="K-17")
    decide(deployment, YELLOW, "documents", officer="k 17")
    officers = deciding.recorded(deployment).collect()["officer"]
    assert officers.n_unique() == 1
    assert officers.str.contains("^[0-9a-f]{32}$").all()
    written = [
        path for path in (deployment.settings.home / "lake" / "gold" / "dispositions").rglob("*") if path.is_file()
    ]
    assert written
    assert not [path for path in written if b"K-17" in path.read_bytes()]


def test_overrides_are_counted_by_lane_and_office_over_the_decisions_that_count(deployment: Deployment) -> None:
    decide(deployment, RED, "release")
    decide(deployment, RED, "inspect", NOON + timedelta(hours=1))
    decide(deployment, DRAWN, "release")
    decide(deployment, ELSEWHERE, "release")
    rates = dispositions.override_rates(
        dispositions.last(deciding.recorded(deployment)).collect(), ("location", "lane")
    )
    assert rates.rows() == [("A", "red", 2, 1, 0.5), ("B", "red", 1, 1, 1.0)]


def test_a_decision_and_its_later_outcome_become_a_label_with_its_chance(
    deployment: Deployment,
) -> None:
    decide(deployment, DRAWN, "inspect")
    decide(deployment, RED, "release")
    found = [
        Judged("d1", "A", 0.1, adverse=True, selection="intelligence"),
        Judged("g1", "A", 0.1, adverse=False, selection="random", chance=0.02),
    ]
    report(deployment, found)
    known = end_of(DAY) + timedelta(days=10)
    vectors = pl.DataFrame({"event_id": ["d1", "r1", "g1"], "event_at": [end_of(DAY)] * 3})
    outcomes = deployment.lake.scan(OUTCOMES).collect()
    assert datasets.with_labels(vectors, outcomes, known - timedelta(seconds=1)).is_empty()
    labelled = datasets.with_labels(vectors, outcomes, known)
    fed_back = dispositions.with_propensities(labelled, deciding.recorded(deployment).collect())
    columns = ["event_id", "is_adverse", "selection", "selection_probability", "label_known_at"]
    assert fed_back.select(columns).rows() == [
        ("d1", True, "random", 0.25, known),
        ("g1", False, "random", 0.02, known),
    ]
    assert fed_back.columns == labelled.columns


def test_what_an_officer_looks_at_against_the_advice_is_no_draw_of_the_lanes(deployment: Deployment) -> None:
    """A chance of 1 in 4 of being drawn is not the chance of being suspected."""
    decide(deployment, GREEN, "inspect", reason="a hunch")
    decide(deployment, YELLOW, "inspect")
    report(deployment, [Judged("g1", "A", 0.1, adverse=True), Judged("y1", "A", 0.5, adverse=False)])
    known = end_of(DAY) + timedelta(days=10)
    vectors = pl.DataFrame({"event_id": ["g1", "y1"], "event_at": [end_of(DAY)] * 2})
    labelled = datasets.with_labels(vectors, deployment.lake.scan(OUTCOMES).collect(), known)
    fed_back = dispositions.with_propensities(labelled, deciding.recorded(deployment).collect())
    assert fed_back.select("event_id", "selection", "selection_probability").rows() == [
        ("g1", "intelligence", None),
        ("y1", "rule", 1.0),
    ]


def test_only_what_an_officer_decided_to_look_at_counts_as_sampled_by_the_lanes(deployment: Deployment) -> None:
    decide(deployment, DRAWN, "inspect")
    decide(deployment, YELLOW, "release")
    report(deployment, [Judged(one.event, one.location, 0.5, adverse=True) for one in (DRAWN, YELLOW, RED, ELSEWHERE)])
    rows = deciding.selections_with_outcomes(deployment, SPEC, [DAY], datetime(2025, 3, 1, tzinfo=UTC))
    sampled = dict(rows.select("event_id", "is_sampled").iter_rows())
    # Of A's lanes only the drawn one was looked at on their advice; at B nobody decides on lanes.
    assert sampled == {"d1": True, "y1": False, "r1": False, "g1": False, "e1": False}
    assert dict(rows.select("event_id", "chance").iter_rows()) == {"d1": 0.25, "y1": 1, "r1": 1, "g1": 0.25, "e1": None}


@pytest.fixture
def checked(deployment: Deployment) -> Iterator[Any]:
    def materialise() -> tuple[dict[str, dg.AssetCheckEvaluation], dict[str, Any]]:
        with dg.instance_for_test() as instance:
            result = dg.materialize([dispositions_asset], instance=instance, resources={DEPLOYMENT: deployment})
            assert result.success
            checks = {one.check_name: one for one in result.get_asset_check_evaluations()}
            return checks, dict(result.asset_materializations_for_node("gold__dispositions")[0].metadata)

    return materialise


def test_without_a_decision_the_checks_pass_and_nothing_is_shown(checked: Any) -> None:
    checks, shown = checked()
    assert all(one.passed for one in checks.values())
    assert shown["decisions"].value == 0


def test_an_outcome_of_what_the_lanes_advised_without_a_decision_fails_the_check(
    deployment: Deployment, checked: Any
) -> None:
    decide(deployment, YELLOW, "release")
    report(deployment, [Judged(one.event, one.location, 0.5, adverse=True) for one in (YELLOW, RED, ELSEWHERE, GREEN)])
    checks, shown = checked()
    missing = checks["nothing_acted_on_without_disposition"]
    assert not missing.passed
    assert missing.metadata["acted on without a decision"].value == 1
    assert missing.metadata["where"].value == f"A {DAY}"
    assert RED.score_id[:12] in missing.metadata["next step"].value
    assert checks["every_disposition_has_its_score"].passed
    assert "| shipment_risk | A | yellow | 1 | 100% |" in shown["overrides by lane and office"].value
    # The drawn one is of green by risk, and awaited.
    assert "| green | 2 | 0, 1 | nothing is known |" in shown["what lanes miss, shipment_risk"].value
    decide(deployment, RED, "inspect")
    assert checked()[0]["nothing_acted_on_without_disposition"].passed


def test_a_decision_on_one_model_asks_for_none_on_another_at_the_same_office(
    deployment: Deployment, checked: Any
) -> None:
    write(deployment, [Judged("c1", "A", 0.9, "red", adverse=True, spec=MODELS["crossing_risk"])])
    decide(deployment, RED, "inspect")
    assert checked()[0]["nothing_acted_on_without_disposition"].passed


@pytest.mark.usefixtures("untold")
def test_the_command_records_lists_and_says_what_is_an_override(deployment: Deployment, tmp_path: Path) -> None:
    assert "No decision is recorded" in run(tmp_path, "list", code=Exit.NOTHING)[1]
    officer = ("--officer", "K-17", "--at", "2025-02-02T12:00")
    told, output = run(tmp_path, "record", RED.score_id[:10], *officer, "--action", "release", "--reason", "known load")
    assert told["is_override"]
    assert "an override (the red lane advises inspect)" in output
    run(tmp_path, "record", YELLOW.score_id, *officer, "--action", "documents", "--reason", "invoice checked")
    listed, output = run(tmp_path, "list")
    assert {row["action"] for row in listed["dispositions"]} == {"release", "documents"}
    assert "known load" in output
    assert [row["event_id"] for row in run(tmp_path, "list", "--overrides")[0]["dispositions"]] == ["r1"]
    later = ("--officer", "K-18", "--at", "2025-02-02T13:00", "--action", "inspect", "--reason", "seal broken")
    run(tmp_path, "record", RED.score_id, *later)
    assert len(run(tmp_path, "list", "--score", RED.score_id)[0]["dispositions"]) == 1
    assert len(run(tmp_path, "list", "--score", RED.score_id, "--history")[0]["dispositions"]) == 2
    with pytest.raises(UnknownName):
        run(tmp_path, "record", RED.score_id, "--officer", "K", "--action", "wave", "--reason", "x")

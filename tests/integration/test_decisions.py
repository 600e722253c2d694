"""From lanes to decisions to labels, through the command line, on a world whose road has been run."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from models import datasets, dispositions
from models.catalogue import MODELS
from models.spec import ModelSpec
from pipelines import deciding, flows, runs
from pipelines.cli import app
from pipelines.instance import open_instance
from pipelines.reporting import DATA_VERSION, key_of
from tests.integration.conftest import Road, at_home
from warehouse import catalog

SPEC = MODELS["shipment_risk"]
runner = CliRunner()


@pytest.fixture(autouse=True)
def home(road: Road) -> Iterator[None]:
    with at_home(road.deployment.settings.home):
        yield


def run(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    out = tmp_path / "out.json"
    result = runner.invoke(app, [*arguments, "--json", str(out)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(out.read_text())
    return told


def stored(road: Road) -> pl.DataFrame:
    return road.deployment.lake.scan(flows.selection_table(SPEC)).collect()


def missing(road: Road, spec: ModelSpec) -> list[str]:
    """Scores that a lane sent for a look, with an outcome and no decision, at an office that decided on that day."""
    scan = road.deployment.lake.scan
    selected = scan(flows.selection_table(spec)).sort("scored_at", "model_version").collect().to_dicts()
    firsts = {(one["event_id"], one["event_version"]): one for one in reversed(selected)}
    outcomes = scan(catalog.OUTCOMES).filter(pl.col("subject_kind") == spec.outcome).collect()
    known = set(outcomes.filter(pl.col("superseded_at").is_null())["subject_id"])
    decisions = scan(deciding.DISPOSITIONS).filter(pl.col("model_name") == spec.name).collect().to_dicts()
    decided = {one["score_id"] for one in decisions}
    offices = {(one["location"], one["received_on"], one["model_version"]) for one in decisions}
    return [
        one["score_id"]
        for one in firsts.values()
        if one["lane"] in ("red", "yellow")
        and one["event_id"] in known
        and one["score_id"] not in decided
        and (one["location"], one["received_on"], one["model_version"]) in offices
    ]


def test_a_day_selected_again_has_the_lanes_that_scoring_gave(road: Road, tmp_path: Path) -> None:
    lanes = stored(road)
    day = lanes["received_on"].value_counts(sort=True)["received_on"][0]
    told = run(tmp_path, "select", "--date", str(day))
    of_day = lanes.filter(pl.col("received_on") == day)
    columns = ["score_id", "lane", "lane_by_risk", "rank", "is_exploration", "propensity", "reason", "abstained_for"]
    again = pl.DataFrame(told["rows"], schema_overrides={"abstained_for": pl.String}).select(columns)
    assert again.sort("score_id").equals(of_day.select(columns).sort("score_id"))
    assert sum(office["events"] for office in told["offices"]) == of_day.height
    drawn = again.filter("is_exploration")
    assert drawn.height > 0
    assert drawn["reason"].str.starts_with("drawn at random: ").all()


def test_past_days_under_the_same_lanes_are_as_they_were_also_when_scored_anew(road: Road, tmp_path: Path) -> None:
    days = stored(road)["received_on"]
    when = ("--from", str(days.min()), "--to", str(days.max()))
    plain = run(tmp_path, "whatif", *when)
    anew = run(tmp_path, "whatif", *when, "--version", "champion")
    assert plain["what_if"]["looked_at"] == plain["as_it_was"]["looked_at"] > 0
    assert anew["what_if"] == plain["what_if"]
    assert anew["gain"]["value"] == pytest.approx(0)
    assert (anew["seen_in_training"], anew["without_vector"]) == (plain["seen_in_training"], 0)


def test_a_decision_is_recorded_overridden_told_and_becomes_a_label(road: Road, tmp_path: Path) -> None:
    deployment = road.deployment
    outcomes = deployment.lake.scan(catalog.OUTCOMES).filter(pl.col("subject_kind") == SPEC.outcome).collect()
    known = outcomes.select(event_id="subject_id").unique()
    acted = stored(road).join(known, on="event_id", how="semi").sort("lane", "score_id", descending=[True, False])
    row = acted.filter(pl.col("lane").is_in(["red", "yellow"])).row(0, named=True)
    at = (row["scored_at"] + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S")
    said = ("--officer", "K-17", "--at", at, "--action", "release", "--reason", "known load")
    assert run(tmp_path, "disposition", "record", row["score_id"], *said)["is_override"]
    later = (row["scored_at"] + timedelta(minutes=40)).strftime("%Y-%m-%dT%H:%M:%S")
    advised = dispositions.ADVISED[row["lane"]]
    mended = ("--officer", "K-18", "--at", later, "--action", advised, "--reason", "a second look")
    assert not run(tmp_path, "disposition", "record", row["score_id"], *mended)["is_override"]
    assert [one["action"] for one in run(tmp_path, "disposition", "list")["dispositions"]] == [advised]

    version = f"gold.dispositions@{deployment.lake.version(deciding.DISPOSITIONS)}"
    with open_instance(deployment.settings) as instance:
        event = instance.get_latest_materialization_event(key_of(deciding.DISPOSITIONS))
    assert event is not None
    assert event.asset_materialization is not None
    assert (event.asset_materialization.tags or {})[DATA_VERSION] == version

    run_id = runs.run(deployment, "decisions")
    with open_instance(deployment.settings) as instance:
        records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    checks = [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in records]
    passed = {check.check_name: check.passed for check in checks}
    assert passed["every_disposition_has_its_score"]
    assert passed["nothing_acted_on_without_disposition"] == (not any(map(partial(missing, road), MODELS.values())))

    vectors = flows.stored_vectors(deployment, deployment.subject(SPEC.subject), [row["received_on"]])
    labelled = datasets.with_labels(vectors, outcomes, datetime.now(UTC))
    fed_back = dispositions.with_propensities(labelled, deciding.recorded(deployment).collect())
    label = fed_back.filter(pl.col("event_id") == row["event_id"]).row(0, named=True)
    assert label["selection_probability"] == row["propensity"]
    assert label["selection"] == ("random" if row["is_exploration"] else "rule")
    assert label["label_known_at"] in outcomes.filter(pl.col("subject_id") == row["event_id"])["known_at"].to_list()

"""`borderlake features`: what is declared, and the rows behind a value, over deliveries that come late or correct."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from features.vectors import SUBJECTS, feature_set
from pipelines import flows
from pipelines.cli import app
from pipelines.cli.output import Exit, console
from pipelines.deployment import Deployment
from tests.unit.pipelines.declarations import extract, inbox_of
from warehouse.catalog import SHIPMENTS
from warehouse.conform import conform

runner = CliRunner()
NOW = datetime(2025, 3, 1, tzinfo=UTC)


def item(number: str, lodged: str, importer: str = "XN1", mass: str = "10,5", amended: str = "") -> str:
    return (
        f"{number};1;{lodged};XNPRT;4000;3;{importer};Muster AG;D1;S1;C1;AB123;"
        f"K1;850440;CN;CN;3,3;{mass};99,0;5;100,50;EUR;Goods;{amended};AEO"
    )


@pytest.fixture
def deployment(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    monkeypatch.setattr(console, "width", 80)
    return deployment


def delivered(deployment: Deployment, day: date, *items: str) -> None:
    """Land and conform a file of a day, and compute the vectors of what came."""
    path = extract(inbox_of(deployment.settings.home), *items, name=f"declarations_{day}.csv")
    Path(f"{path}.manifest.json").write_text(json.dumps({"extract_date": day.isoformat()}))
    flows.land_all(deployment, flows.waiting_deliveries(deployment, NOW), NOW)
    received = deployment.lake.scan(SHIPMENTS).select("received_on")
    days = sorted(flows.days_to_conform(deployment))
    conform(deployment.lake, SHIPMENTS, days, deployment.vault_key, deployment.places)
    flows.compute_features(deployment, deployment.subject("shipments"), received.collect()["received_on"].unique())
    flows.compute_features(deployment, deployment.subject("shipments"), days)


def last_event(deployment: Deployment) -> str:
    events = deployment.lake.scan(SHIPMENTS).sort("event_at").select("event_id").collect()["event_id"]
    return str(events[-1])


def run(*arguments: str) -> tuple[int, str]:
    result = runner.invoke(app, ["features", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


def explained(tmp_path: Path, event: str, *arguments: str, code: Exit = Exit.DONE) -> tuple[dict[str, Any], str]:
    out = tmp_path / "out.json"
    exit_code, output = run("explain", event, *arguments, "--json", str(out))
    assert exit_code == code, output
    told = json.loads(out.read_text())
    return told | {"by_name": {one["name"]: one for one in told["features"]}}, output


FIRST = item("25XN1", "02.01.2025 04:34:15")
SECOND = item("25XN2", "03.01.2025 04:34:15")
OTHERS = item("25XN3", "03.01.2025 04:34:15", importer="XN9")
JUDGED = item("25XN4", "04.01.2025 09:00:00")


def test_every_feature_is_what_its_rows_say_and_rows_are_told_with_their_standing(
    deployment: Deployment, tmp_path: Path
) -> None:
    delivered(deployment, date(2025, 1, 2), FIRST)
    corrected = item("25XN1", "02.01.2025 04:34:15", mass="11,5", amended="03.01.2025 12:00:00")
    delivered(deployment, date(2025, 1, 4), corrected, SECOND, OTHERS, JUDGED)
    event = last_event(deployment)
    told, output = explained(tmp_path, event[:12], "importer_count_90d", "importer_age_days", "hs2")
    assert all(one["is_same"] and one["is_accounted"] for one in told["features"])
    counted = told["by_name"]["importer_count_90d"]
    assert (counted["stored"], counted["recomputed"]) == (2.0, 2.0)
    standings = [row["standing"] for row in counted["rows"]]
    assert sorted(standings) == ["corrected before", "counts", "counts", "not yet happened"]
    assert counted["counts"]["corrected before"] == 1
    assert "corrected before" in output
    assert told["by_name"]["hs2"]["rows"] is None
    everything, _ = explained(tmp_path, event)
    assert [one["name"] for one in everything["features"]] == list(SUBJECTS["shipments"].registry.features)
    assert all(one["is_same"] for one in everything["features"])


def test_late_data_is_told_as_the_reason_and_the_stored_vector_stays(deployment: Deployment, tmp_path: Path) -> None:
    delivered(deployment, date(2025, 1, 4), FIRST, JUDGED)
    event = last_event(deployment)
    delivered(deployment, date(2025, 1, 6), SECOND)
    told, output = explained(tmp_path, event, "importer_count_7d")
    one = told["by_name"]["importer_count_7d"]
    assert (one["stored"], one["recomputed"], one["is_same"], one["is_accounted"]) == (1.0, 2.0, False, True)
    assert "late data" in one["why"]
    assert "1 rows that count came and 0 went" in one["why"]
    assert "late data" in output


def test_a_stored_value_that_nothing_accounts_for_is_exit_code_3(deployment: Deployment, tmp_path: Path) -> None:
    delivered(deployment, date(2025, 1, 4), FIRST, JUDGED)
    import polars as pl

    table = flows.feature_table("shipments")
    at = feature_set(SUBJECTS["shipments"].registry).numbers.index("importer_count_7d")
    rows = deployment.lake.scan(table).collect()
    numbers = [[9.0 if i == at else number for i, number in enumerate(vector)] for vector in rows["numbers"]]
    forged = rows.with_columns(pl.Series("numbers", numbers, dtype=rows["numbers"].dtype))
    deployment.lake.replace_days(table, forged, rows["event_date"].unique().to_list())
    told, _ = explained(tmp_path, last_event(deployment), "importer_count_7d", "importer_age_days", code=Exit.PARTLY)
    assert told["by_name"]["importer_count_7d"]["is_accounted"] is False
    assert "neither value" in told["by_name"]["importer_count_7d"]["why"]
    assert told["by_name"]["importer_age_days"]["is_same"]


def test_no_identifying_value_is_told(deployment: Deployment, tmp_path: Path) -> None:
    delivered(deployment, date(2025, 1, 4), FIRST, SECOND, JUDGED)
    told, output = explained(tmp_path, last_event(deployment))
    for value in ("Muster", "25XN", "AB123"):
        assert value not in output
        assert value not in json.dumps(told)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["explain", "abc"], "too short to name an event", id="a-short-id"),
        pytest.param(["explain", "0123456789"], "no event of silver.shipments or silver.crossings", id="unknown-event"),
        pytest.param(["describe", "importer_hit_rat"], "near it: importer_hit_rate", id="a-slip"),
        pytest.param(["list", "--subject", "parcels"], "unknown subject 'parcels'", id="unknown-subject"),
        pytest.param(["list", "--owner", "mars"], "unknown owner of features 'mars'", id="unknown-owner"),
    ],
)
def test_what_cannot_be_answered_says_why(deployment: Deployment, arguments: list[str], message: str) -> None:
    Path(deployment.lake.root).mkdir(parents=True)
    result = runner.invoke(app, ["features", *arguments])
    assert message in str(result.exception)


def test_an_unknown_feature_or_version_of_an_event_is_refused(deployment: Deployment) -> None:
    delivered(deployment, date(2025, 1, 4), JUDGED)
    event = last_event(deployment)
    nothing = runner.invoke(app, ["features", "explain", event, "nothing"])
    assert "unknown feature 'nothing'" in str(nothing.exception)
    other = runner.invoke(app, ["features", "explain", event, "--version", "5"])
    assert "the event has no version 5; it has" in str(other.exception)


def test_an_event_without_a_vector_is_explained_all_the_same(deployment: Deployment, tmp_path: Path) -> None:
    delivered(deployment, date(2025, 1, 4), FIRST, JUDGED)
    deployment.lake.replace_days(
        flows.feature_table("shipments"), flows.feature_table("shipments").empty(), [date(2025, 1, 2), date(2025, 1, 4)]
    )
    told, output = explained(tmp_path, last_event(deployment), "importer_count_7d")
    assert (told["is_stored"], told["by_name"]["importer_count_7d"]["recomputed"]) == (False, 1.0)
    assert "No vector" in output


def test_the_list_fits_a_terminal_of_80_columns_and_names_all(deployment: Deployment, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code, output = run("list", "--json", str(out))
    assert code == Exit.DONE
    assert max(map(len, output.splitlines())) <= 80
    told = json.loads(out.read_text())["features"]
    assert [one["name"] for one in told] == [n for s in SUBJECTS.values() for n in s.registry.features]
    for one in told:
        assert one["name"] in output
        assert {"meaning", "unit", "owner", "window", "sensitivity", "source"} <= set(one)
    code, output = run("list", "--owner", "partner-customs", "--subject", "shipments", "--json", str(out))
    assert {one["owner"] for one in json.loads(out.read_text())["features"]} == {"partner-customs"}


def test_a_feature_is_described_in_words_and_as_data(deployment: Deployment, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code, output = run("describe", "importer_hit_rate", "--json", str(out))
    assert code == Exit.DONE
    assert max(map(len, output.splitlines())) <= 80
    (told,) = json.loads(out.read_text())["features"]
    assert told["entity"] == ["importer_id"]
    assert told["tables"] == ["silver.outcomes", "silver.shipments"]
    assert told["columns"] == ["silver.outcomes.is_adverse", "silver.shipments.importer_id"]
    assert (told["source"], told["kind"], told["prior_weight"]) == ("shipment_outcomes", "rate", 5.0)
    assert (told["purposes"], told["models"]) == (["customs-risk-management"], ["shipment_risk"])
    assert "drawn to the share" in output
    code, _ = run("describe", "sex", "--json", str(out))
    assert json.loads(out.read_text())["features"][0]["models"] == []

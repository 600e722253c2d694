"""`borderlake share refresh | rotate-key`: said before it is done, and then done as it was said."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest
from typer.testing import CliRunner

from benchmarks.leak_world import draw_rows, frame_of
from pipelines.cli import app
from pipelines.cli.share import audit_of, signer_of
from pipelines.deployment import Deployment
from sharing.audit import Action, Entry
from sharing.outlook import Outlook, outlooks
from sharing.pseudonyms import VARIABLE_PREFIX
from sharing.shares import by_name
from tests.unit.sharing.house import refresh_all
from warehouse.agreements.templates import template
from warehouse.catalog import table_of
from warehouse.errors import BorderlakeError
from warehouse.recalls import RECALLS

runner = CliRunner()
SCORES = table_of("gold.shipment_scores")
SHARE = by_name("shares.xs_customs__shipment_scores")
DICTIONARY = "shares.xs_customs__dictionary__norvale_sudmark_land_border"


@pytest.fixture
def deployment(deployment: Deployment) -> Deployment:
    ends = datetime.now(UTC).date() + timedelta(days=365)
    text = template("bilateral-land-border").replace("2027-01-31", str(ends)).replace("2028-01-31", str(ends))
    deployment.settings.agreements.mkdir(parents=True)
    (deployment.settings.agreements / "one.yaml").write_text(text, encoding="utf-8")
    scored(deployment, 5)
    return deployment


def scored(deployment: Deployment, count: int) -> None:
    """Scores of a day, none of which any condition of the agreement keeps back."""
    told = {"jurisdiction": "XN", "probability": 0.5, "scored_at": datetime(2026, 3, 1, tzinfo=UTC)}
    names = ({"score_id": f"{at:032x}", "event_id": f"{count + at:032x}"} for at in range(count))
    rows = [row | told | name for row, name in zip(draw_rows(Random(count), SCORES, count), names, strict=True)]
    deployment.lake.append(SCORES, frame_of(rows, SCORES))


def run(*words: str) -> str:
    result = runner.invoke(app, ["share", *words])
    assert result.exit_code == 0, result.output
    return result.output


def outlook(deployment: Deployment, name: str = SHARE.name) -> Outlook:
    agreements, keys = Deployment(deployment.settings).agreements, deployment.pseudonym_keys
    return next(one for one in outlooks(deployment.lake, agreements, keys, datetime.now(UTC)) if one.table == name)


def refreshed(deployment: Deployment) -> None:
    fresh = Deployment(deployment.settings)
    refresh_all(fresh.lake, fresh.agreements, fresh.pseudonym_keys, datetime.now(UTC))


def test_a_refresh_is_said_and_then_done(deployment: Deployment) -> None:
    said = run("refresh", "xs-customs")
    assert "made for the first time" in said
    assert "borderlake share refresh xs-customs --yes" in said
    assert deployment.lake.version(SHARE) is None
    done = run("refresh", "xs-customs", "--yes", "--json", "-")
    (share,) = [one for one in json.loads(done[done.index("{") :])["shares"] if one["share"] == SHARE.name]
    assert (share["rows"], share["taken_back"]) == (5, 0)
    assert deployment.lake.size(SHARE)[0] == 5
    assert not any(one.is_change for one in [outlook(deployment), outlook(deployment, DICTIONARY)])


def test_what_is_to_come_is_told_of_each_share(deployment: Deployment) -> None:
    refreshed(deployment)
    assert outlook(deployment).what == "up to date"
    scored(deployment, 3)
    later = outlook(deployment)
    assert "days of gold.shipment_scores that have changed" in later.what
    assert (later.is_change, later.is_anew) == (True, False)
    (agreement,) = deployment.settings.agreements.glob("*.yaml")
    agreement.write_text(agreement.read_text().replace("version: 1", "version: 2"))
    assert "other terms" in outlook(deployment).what
    agreement.unlink()
    assert outlook(deployment).what == "emptied: no agreement speaks of it any more"
    refreshed(deployment)
    assert outlook(deployment).what == "empty: no agreement speaks of it any more"
    assert not outlook(deployment, DICTIONARY).is_change


def test_a_rotated_key_gives_other_pseudonyms_at_the_next_refresh(deployment: Deployment) -> None:
    refreshed(deployment)
    before = deployment.lake.scan(SHARE).select("score_id").collect()
    assert "score_id, event_id" in run("rotate-key", "xs-customs")
    assert outlook(deployment).what == "up to date"
    assert "key 2" in run("rotate-key", "xs-customs", "--yes")
    assert outlook(deployment).what == "made anew: its pseudonyms are under key 2 now"
    refreshed(deployment)
    after = deployment.lake.scan(SHARE).select("score_id").collect()
    assert after.height == before.height
    assert after.join(before, on="score_id").is_empty()
    assert after["score_id"].dtype == pl.String


def test_a_withdrawn_score_is_taken_back_at_the_next_refresh(deployment: Deployment) -> None:
    refreshed(deployment)
    row = deployment.lake.scan(SCORES).collect().row(0, named=True)
    ids = ["score", "withdraw", row["score_id"]]
    said = runner.invoke(app, ids).output
    assert SHARE.name in said
    assert "A dry run" in said
    assert isinstance(runner.invoke(app, [*ids, "--yes"]).exception, BorderlakeError), "without a reason"
    assert deployment.lake.version(RECALLS) is None
    done = runner.invoke(app, [*ids, "--reason", "a wrong feed", "--by", "officer", "--yes"])
    assert done.exit_code == 0, done.output
    recorded = deployment.lake.scan(RECALLS).collect().row(0, named=True)
    assert (recorded["score_id"], recorded["reason"], recorded["recalled_by"]) == (
        row["score_id"],
        "a wrong feed",
        "officer",
    )
    assert "1 days of gold.shipment_scores" in outlook(deployment).what
    refreshed(deployment)
    assert deployment.lake.size(SHARE)[0] == 4
    assert deployment.lake.size(SCORES)[0] == 5
    assert isinstance(runner.invoke(app, ids).exception, BorderlakeError), "it does not stand any more"


def test_every_score_of_a_model_version_is_withdrawn_at_once(deployment: Deployment) -> None:
    refreshed(deployment)
    versions = deployment.lake.scan(SCORES).collect()["model_version"]
    of_version = ["score", "withdraw", "--model", "shipment_risk", "--model-version", str(versions[0])]
    done = runner.invoke(app, [*of_version, "--reason", "trained on wrong labels", "--yes"])
    assert done.exit_code == 0, done.output
    refreshed(deployment)
    assert deployment.lake.size(SHARE)[0] == (versions != versions[0]).sum()


@pytest.mark.parametrize(
    "words", [[], ["--model", "shipment_risk"], ["0" * 12, "--model-version", "1"]], ids=["nothing", "half", "both"]
)
def test_what_is_withdrawn_is_said_in_one_way(deployment: Deployment, words: list[str]) -> None:
    assert runner.invoke(app, ["score", "withdraw", *words]).exit_code == 2


def test_a_record_is_traced_to_who_received_it(deployment: Deployment) -> None:
    refreshed(deployment)
    row = deployment.lake.scan(SCORES).collect().row(0, named=True)
    report = ["audit", "report", "--person", row["event_id"], "--json", "-"]
    assert json.loads(json_of(runner.invoke(app, report).output))["receipts"] == []
    snapshot = deployment.lake.snapshot(SHARE)
    assert snapshot is not None
    signer = signer_of(deployment)
    audit_of(deployment).record(
        *(
            Entry(
                at=datetime(2026, 6, 1, tzinfo=UTC),
                action=Action.FILE,
                recipient="xs-customs",
                agreement_id="norvale-sudmark-land-border version 1",
                table=SCORES.name,
                purpose="customs-risk-management",
                file_id=signer.file_id(snapshot.table_id, file.path),
            )
            for file in snapshot.files
        )
    )
    (receipt,) = json.loads(json_of(runner.invoke(app, report).output))["receipts"]
    assert (receipt["recipient"], receipt["is_certain"]) == ("xs-customs", True)
    assert receipt["purpose"] == "customs-risk-management"
    assert json.loads(json_of(runner.invoke(app, [*report, "--agreement", "other"]).output))["receipts"] == []


def json_of(output: str) -> str:
    return output[output.index("{\n") :]


def test_nothing_is_rotated_or_refreshed_for_nobody(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["rotate-key", "xx"], ["refresh", "xx"]):
        result = runner.invoke(app, ["share", *words])
        assert isinstance(result.exception, BorderlakeError)
        assert "agreement check" in str(result.exception)
    monkeypatch.setenv(f"{VARIABLE_PREFIX}XS_CUSTOMS", "ab" * 32)
    result = runner.invoke(app, ["share", "rotate-key", "xs-customs", "--yes"])
    assert isinstance(result.exception, BorderlakeError)
    assert f"{VARIABLE_PREFIX}XS_CUSTOMS" in str(result.exception)

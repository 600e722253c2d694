"""`borderlake agreement`: from a template to what it would reveal."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from warehouse.agreements.form import schema
from warehouse.catalog import table_of
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError

runner = CliRunner()
SCORES = table_of("gold.shipment_scores")


def run(*words: str) -> Result:
    return runner.invoke(app, ["agreement", *words])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def written(home: Path, regime: str = "bilateral-land-border") -> Path:
    path = home / "agreements" / f"{regime}.yaml"
    assert run("new", regime, "--out", str(path)).exit_code == 0
    return path


def test_a_template_becomes_an_agreement_of_this_home(home: Path) -> None:
    path = written(home)
    assert "xs-customs" in run("check").stdout
    told = run("explain", str(path))
    assert "Article 7" in told.stdout
    again = run("new", "bilateral-land-border", "--out", str(path))
    assert isinstance(again.exception, BorderlakeError)


def test_a_wrong_one_is_refused_with_its_line(home: Path) -> None:
    path = written(home)
    path.write_text(path.read_text().replace("location: keep", "locatoin: keep"))
    result = run("check")
    assert isinstance(result.exception, BorderlakeError)
    line = next(at for at, text in enumerate(path.read_text().splitlines(), 1) if "locatoin" in text)
    assert f"line {line}," in str(result.exception)


def test_a_draft_is_held_against_what_counts_already(home: Path, tmp_path: Path) -> None:
    text = written(home).read_text()
    draft = tmp_path / "draft.yaml"
    draft.write_text(text.replace("agreement: norvale", "agreement: another"))
    assert "both share gold.shipment_scores with xs-customs" in str(run("check", str(draft)).exception)
    draft.write_text(text.replace("version: 1", "version: 2"))
    assert run("check", str(draft)).exit_code == 0


def test_what_can_be_shared_is_listed_with_what_may_become_of_it(home: Path) -> None:
    assert "gold.shipment_scores" in run("columns").stdout
    out = home.parent / "columns.json"
    assert run("columns", "silver.shipments", "--json", str(out)).exit_code == 0
    may = {one["column"]: one["may_become"] for one in json.loads(out.read_text())["columns"]}
    assert may["importer_id"] == "pseudonym"
    assert may["net_mass_kg"] == "keep, band, round"
    assert may["batch_id"] == ""
    assert "only tables of gold and silver" in str(run("columns", "bronze.customs__declarations").exception)


def test_a_change_that_tells_more_has_its_own_exit_code(home: Path, tmp_path: Path) -> None:
    old = written(home)
    wider, narrower = tmp_path / "wider.yaml", tmp_path / "narrower.yaml"
    wider.write_text(old.read_text().replace("at_least: 0.1", "at_least: 0.0"))
    narrower.write_text(old.read_text().replace("{round: 0.05}", "{round: 0.1}"))
    assert run("diff", str(old), str(old)).exit_code == 0
    assert run("diff", str(old), str(narrower)).exit_code == 0
    assert run("diff", str(old), str(wider)).exit_code == 3


def test_what_it_would_reveal_is_counted_on_the_lake(home: Path) -> None:
    path = written(home)
    lake = Lake(str(home / "lake"), {}, home / "anchors")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [{"score_id": f"s{at}", "event_id": f"e{at // 2}", "probability": at / 10} for at in range(4)]
    said = {"jurisdiction": "XN", "scored_at": moment, "event_at": moment, "event_date": moment.date(), "reasons": []}
    frame = pl.DataFrame([row | said for row in rows], schema_overrides={"reasons": SCORES.dtypes["reasons"]})
    absent = [pl.lit(None).alias(name) for name in SCORES.columns if name not in frame.columns]
    lake.overwrite(SCORES, SCORES.shape(frame.with_columns(absent)))
    out = home / "revealed.json"
    assert run("simulate", str(path), "--json", str(out)).exit_code == 0
    (found,) = json.loads(out.read_text())["revealed"]
    assert (found["rows"], found["cells"], found["subjects"]) == (3, 3 * 10, 2)


def test_the_form_is_given_for_editors(home: Path) -> None:
    out = home.parent / "agreement.schema.json"
    assert run("schema", "--out", str(out)).exit_code == 0
    assert json.loads(out.read_text()) == json.loads(run("schema").stdout) == schema()


def test_a_home_without_agreements_is_told_how_to_start_one(home: Path) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert "borderlake agreement new bilateral-land-border" in result.output

"""`borderlake contract` and `borderlake dictionary`: what is agreed, as text, as a file, and as what has changed."""

import json
from pathlib import Path

import dagster as dg
import pytest
import yaml
from typer.testing import CliRunner

from pipelines import reporting
from pipelines.assets.bronze import bronze_assets
from pipelines.cli import app
from pipelines.cli.output import Exit, console
from warehouse.catalog import BRONZE
from warehouse.contracts import CONTRACTS, Contract, history

runner = CliRunner()
DECLARATIONS = CONTRACTS["customs.declarations"]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "width", 250)


def test_the_list_names_every_contract_with_its_version_and_bounds(tmp_path: Path) -> None:
    result = runner.invoke(app, ["contract", "list", "--json", str(tmp_path / "out.json")])
    assert result.exit_code == Exit.DONE
    assert all(name in result.output for name in CONTRACTS)
    written = json.loads((tmp_path / "out.json").read_text())["contracts"]
    assert [one["dataset"] for one in written] == list(CONTRACTS)
    assert all(one["ceiling"] > one["floor"] for one in written)


def test_a_contract_is_shown_and_exported(tmp_path: Path) -> None:
    shown = runner.invoke(app, ["contract", "show", "customs.declarations"])
    assert shown.exit_code == Exit.DONE
    assert "`net_mass_kg` | decimal, 16 digits, 3 after the point | kg | 0 to 1,000,000,000" in shown.output
    out = tmp_path / "made" / "declarations.yaml"
    assert runner.invoke(app, ["contract", "export", "customs.declarations", "--out", str(out)]).exit_code == Exit.DONE
    assert yaml.safe_load(out.read_text("utf-8")) == history.present(DECLARATIONS)


def test_the_dictionary_is_of_one_dataset_or_of_all(tmp_path: Path) -> None:
    one = runner.invoke(app, ["dictionary", "immigration.crossings"])
    assert one.exit_code == Exit.DONE
    assert "## Border crossings" in one.output
    assert "## Goods declarations" not in one.output
    out = tmp_path / "dictionary.md"
    assert runner.invoke(app, ["dictionary", "--out", str(out)]).exit_code == Exit.DONE
    assert all(f"`{name}`, version" in out.read_text("utf-8") for name in CONTRACTS)


def test_what_a_version_breaks_is_told_and_is_the_exit_code(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert runner.invoke(app, ["contract", "snapshot", "--kept", str(kept)]).exit_code == Exit.DONE
    same = runner.invoke(app, ["contract", "diff", "customs.declarations", "--kept", str(kept)])
    assert (same.exit_code, "0 changes" in same.output) == (Exit.DONE, True)
    path = kept / history.file_of(DECLARATIONS, DECLARATIONS.version)
    text = path.read_text("utf-8").replace("decimal(16,3)", "decimal(18,3)")
    (kept / history.file_of(DECLARATIONS, DECLARATIONS.version - 1)).write_text(text, encoding="utf-8")
    result = runner.invoke(app, ["contract", "diff", "customs.declarations", "--kept", str(kept), "--json", "-"])
    assert result.exit_code == Exit.PARTLY
    assert "type decimal(18,3) is now decimal(16,3)" in result.output
    assert '"breaking": 2' in result.output


@pytest.mark.parametrize("made", CONTRACTS.values(), ids=list(CONTRACTS))
def test_the_asset_page_of_a_contract_shows_units_ranges_and_who_is_recognised(made: Contract) -> None:
    columns = {one.name: one for one in reporting.schema_of(BRONZE[made.name]).columns}
    for column in made.columns():
        facts = made.facts_of(column)
        if facts["unit"]:
            assert f"Unit: {facts['unit']}." in (columns[column].description or "")
        if facts["identifies"]:
            assert columns[column].tags["identifies"] == facts["identifies"]
        assert (columns[column].tags.get("sensitivity") == "personal") == (column in made.personal())
    assert columns["event_at"].constraints.other == ["1990-01-01 to 2099-12-31"]


def test_every_bronze_asset_has_the_checks_of_its_contract() -> None:
    for asset in bronze_assets:
        assert isinstance(asset, dg.AssetsDefinition)
        names = {spec.name for spec in asset.check_specs}
        assert {"every_row_accounted_for", "floor_of_rows", "ceiling_of_rows", "rows_agree"} <= names

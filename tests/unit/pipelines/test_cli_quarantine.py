"""`borderlake quarantine` as a user meets it: from a refused row by the report and a mended dialect to landed."""

import json
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipelines import flows, reporting
from pipelines.assets.bronze import bronze_assets, landing_events
from pipelines.cli import app
from pipelines.cli.output import Exit, console
from pipelines.deployment import from_environment
from pipelines.instance import open_instance
from tests.unit.pipelines.declarations import GOOD as PLAIN
from tests.unit.pipelines.declarations import extract, inbox_of
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, Table
from warehouse.delta import Lake
from warehouse.dialect import dialects
from warehouse.errors import BorderlakeError

runner = CliRunner()

GOOD = PLAIN.replace("Muster", "CANARY").replace("AB123", "CANARY1")
CHINESE = GOOD.replace("25XN1", "25XN2").replace(";CN;CN;", ";PRC;CN;")
FOREVER_BAD = GOOD.replace("25XN1", "25XN3").replace("850440", "CANARY")
NORVALE = resources.files("warehouse").joinpath("dialects").joinpath("norvale.toml").read_text("utf-8")
VERSION = int(re.search(r"version = (\d+)", NORVALE).group(1))  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(console, "width", 250)
    yield tmp_path / "home"
    dialects.cache_clear()


@pytest.fixture
def inbox(home: Path) -> Path:
    return inbox_of(home)


def land_inbox() -> None:
    """What the sensor's run does, without the run."""
    deployment, now = from_environment(), datetime(2025, 1, 3, 6, tzinfo=UTC)
    flows.land_all(deployment, flows.waiting_deliveries(deployment, now), now)


def mend(home: Path) -> None:
    """Norvale's dialect one version on: it knows the office's own code of a country."""
    text = NORVALE.replace(f"version = {VERSION}", f"version = {VERSION + 1}", 1)
    codes = 'country_of_origin = { column = "ORIGIN", codes = { CN = "CN", PRC = "CN" } }'
    assert 'country_of_origin = "ORIGIN"' in text
    (home / "dialects").mkdir(parents=True)
    (home / "dialects" / "norvale.toml").write_text(text.replace('country_of_origin = "ORIGIN"', codes))
    dialects.cache_clear()


def ask(*arguments: str) -> tuple[Result, dict[str, Any]]:
    """A command's result, and what it wrote as JSON."""
    out = Path(from_environment().settings.home) / "out.json"
    out.parent.mkdir(exist_ok=True)
    out.unlink(missing_ok=True)
    result = runner.invoke(app, ["quarantine", *arguments, "--json", str(out)])
    if isinstance(result.exception, BorderlakeError):
        raise result.exception
    return result, json.loads(out.read_text("utf-8")) if out.exists() else {}


def bronze_rows() -> int:
    return from_environment().lake.size(BRONZE["customs.declarations"])[0]


@pytest.mark.parametrize("command", [[], ["list"], ["show"], ["export"], ["redrive"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    result = runner.invoke(app, ["quarantine", *command, "--help"])
    assert result.exit_code == Exit.DONE
    assert len(result.output) > 200


def test_an_empty_lake_says_how_to_fill_it_and_a_clean_one_that_nothing_was_refused(home: Path, inbox: Path) -> None:
    (home / "lake").mkdir()
    result, _ = ask("list")
    assert result.exit_code == Exit.NOTHING
    assert "borderlake demo" in result.output
    extract(inbox, GOOD)
    land_inbox()
    result, found = ask("list")
    assert result.exit_code == Exit.DONE
    assert "Nothing was refused" in result.output
    assert found["readings"] == []


def test_the_list_counts_by_file_and_rule_and_can_be_narrowed(inbox: Path) -> None:
    extract(inbox, GOOD, CHINESE, FOREVER_BAD)
    (inbox / "other.csv").write_text("another;layout\n1;2\n")
    land_inbox()
    result, found = ask("list")
    assert result.exit_code == Exit.DONE
    assert "hs_code|regex 1" in result.output
    assert "whole file" in result.output
    assert found["totals"] == {
        "files": 2,
        "rows_refused": 2,
        "rows_open": 2,
        "rows_corrected": 0,
        "whole_files_refused": 1,
        "whole_files_open": 1,
        "open_by_rule": {"country_of_origin|check": 1, "header": 1, "hs_code|regex": 1},
    }
    assert ask("list", "--dataset", "customs.inspections")[0].exit_code == Exit.NOTHING
    assert ask("list", "--since", "2025-01-04")[1]["readings"] == []
    with pytest.raises(BorderlakeError, match="unknown dataset of customs"):
        ask("list", "--dataset", "customs.rovers")


def test_rows_are_shown_with_reasons_and_as_received_only_with_raw(inbox: Path) -> None:
    extract(inbox, GOOD, FOREVER_BAD)
    land_inbox()
    result, found = ask("show", "declarations.csv")
    assert result.exit_code == Exit.DONE
    assert "the value has another form" in result.output
    assert "2 read = 1 landed + 1 refused" in result.output
    assert "CANARY" not in result.output + json.dumps(found)
    assert found["readings"][0]["rows"][0]["source_line"] == 3
    result, found = ask("show", found["readings"][0]["batch_id"][:8], "--raw")
    assert "CANARY" in result.output
    assert "may hold personal data" in result.output
    assert "CANARY" in json.dumps(found)


def test_each_complaint_of_a_row_names_the_sender_s_column_and_the_next_step_is_told(inbox: Path) -> None:
    extract(inbox, GOOD, FOREVER_BAD.replace("02.01.2025", "31.02.2025"))
    land_inbox()
    result, found = ask("show", "declarations.csv")
    (row,) = found["readings"][0]["rows"]
    told = found["readings"][0]["told"]
    assert {entry["rule"] for entry in told} < set(row["rules"]), "that one column cannot be read is told once"
    assert sorted(entry["columns"] for entry in told) == [["HS"], ["LODGED"]]
    cells = {cell.strip() for line in result.output.splitlines() for cell in line.split("│")}
    assert {"HS", "LODGED", *(entry["rule"] for entry in told)} <= cells
    assert "a time that exists, such as 31.12.2025" in result.output
    assert "\N{REPLACEMENT CHARACTER}" not in result.output
    assert f"quarantine export {found['readings'][0]['batch_id'][:8]}" in result.output


def test_of_a_code_that_is_refused_the_known_ones_are_told(inbox: Path) -> None:
    extract(inbox, CHINESE, GOOD.replace(";4000;3;", ";4000;Q;").replace("25XN1", "25XN4"))
    land_inbox()
    told = {entry["columns"][0]: entry for entry in ask("show", "declarations.csv")[1]["readings"][0]["told"]}
    assert "a code of ISO 3166-1 alpha-2" in told["ORIGIN"]["mend"]
    assert "4 air" in told["MODE"]["mend"]


def test_what_a_row_holds_neither_marks_up_nor_steers_the_terminal(inbox: Path) -> None:
    extract(inbox, "[bold]\x1b[2J\x07;x")
    land_inbox()
    result, _ = ask("show", "declarations.csv", "--raw")
    assert "[bold]\N{REPLACEMENT CHARACTER}[2J" in result.output
    assert "\x1b[2J" not in result.output


def test_the_report_for_the_sender_is_written_both_ways_and_holds_no_row_unless_asked(
    inbox: Path, tmp_path: Path
) -> None:
    extract(inbox, GOOD, FOREVER_BAD)
    land_inbox()
    folder = tmp_path / "reports"
    _, found = ask("export", "declarations.csv", "--out", str(folder))
    assert sorted(path.suffix for path in folder.iterdir()) == [".csv", ".html"]
    assert found["entries"] == 1
    for path in folder.iterdir():
        assert "HS" in path.read_text("utf-8")
        assert "CANARY" not in path.read_text("utf-8")
    _, _ = ask("export", "declarations.csv", "--out", str(tmp_path / "one.csv"), "--raw")
    assert "CANARY" in (tmp_path / "one.csv").read_text("utf-8-sig")
    assert (tmp_path / "one.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "a spreadsheet reads it as UTF-8"
    assert stat.S_IMODE((tmp_path / "one.csv").stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.part"))


def test_of_a_file_refused_as_a_whole_it_is_told_that_one_of_its_name_has_landed_since(inbox: Path) -> None:
    (inbox / "declarations.csv").write_text("another;layout\n1;2\n")
    land_inbox()
    assert "open; a file" not in ask("list")[0].output
    extract(inbox, GOOD)
    deployment, now = from_environment(), datetime(2025, 1, 3, 7, tzinfo=UTC)
    (account,) = flows.land_all(deployment, flows.waiting_deliveries(deployment, now), now)
    result, found = ask("list")
    assert f"open; a file of its name landed since: batch {account.batch_id[:8]}" in result.output
    assert [one["open"] for one in found["readings"]] == [True], "whether it was sent in its place nobody has said"
    assert account.batch_id[:8] in ask("show", "declarations.csv")[0].output


def test_redrive_says_first_and_does_with_yes(inbox: Path, home: Path) -> None:
    extract(inbox, GOOD, CHINESE, FOREVER_BAD)
    land_inbox()
    result, found = ask("redrive")
    assert result.exit_code == Exit.NOTHING
    assert found["files"][0]["held"] == f"dialect 'norvale' is still version {VERSION}"
    assert "raise its version and redrive" in result.output
    mend(home)
    result, found = ask("redrive")
    assert (result.exit_code, bronze_rows()) == (Exit.DONE, 1)
    assert "Would land 1 more row of 1 file" in result.output
    assert "--yes does it" in result.output
    result, found = ask("redrive", "--yes")
    assert result.exit_code == Exit.PARTLY, "a row is still refused"
    assert "1 more row of 1 file landed; 1 row of them still refused: borderlake quarantine list" in result.output
    assert (found["files"][0]["landed_before"], found["files"][0]["landed_after"]) == (1, 2)
    assert bronze_rows() == 1 + 2, "the earlier reading stays in bronze"
    _, found = ask("list")
    assert [(one["rows_refused"], one["open"], one["file"]) for one in found["readings"]] == [
        (1, True, "declarations.csv"),
        (2, False, "declarations.csv"),
    ]
    assert ask("redrive", "--yes")[0].exit_code == Exit.NOTHING
    assert bronze_rows() == 3


def test_redrive_of_a_file_from_outside_the_inbox_asks_for_its_path(tmp_path: Path, home: Path) -> None:
    path = extract(tmp_path, GOOD, CHINESE)
    runner.invoke(app, ["land", "customs.declarations", str(path)])
    mend(home)
    result, found = ask("redrive")
    assert result.exit_code == Exit.NOTHING
    assert "give its path" in found["files"][0]["held"]
    result, _ = ask("redrive", str(path), "--yes")
    assert result.exit_code == Exit.DONE
    assert path.exists(), "a file outside the inbox is left where it is"
    assert ask("list")[1]["totals"]["rows_open"] == 0


def test_redrive_with_nothing_open_or_an_unknown_file_says_so(inbox: Path) -> None:
    extract(inbox, GOOD)
    land_inbox()
    assert ask("redrive")[0].exit_code == Exit.NOTHING
    with pytest.raises(BorderlakeError, match=re.escape("nothing is open of 'x.csv': no such file was read here")):
        ask("redrive", "x.csv")


def test_landing_points_to_the_rows_it_refused(tmp_path: Path) -> None:
    result = runner.invoke(app, ["land", "customs.declarations", str(extract(tmp_path, GOOD, FOREVER_BAD))])
    command = re.search(r"borderlake quarantine show ([0-9a-f]{8})", result.output)
    assert command is not None
    assert "the value has another form" in ask("show", command.group(1))[0].output


def test_the_ledger_s_page_tells_what_each_feed_delivered_and_refusals_are_told_in_words(tmp_path: Path) -> None:
    runner.invoke(app, ["land", "customs.declarations", str(extract(tmp_path, GOOD, FOREVER_BAD))])
    deployment = from_environment()
    with open_instance(deployment.settings) as instance:
        events = {
            table.name: instance.get_latest_materialization_event(reporting.key_of(table))
            for table in (LEDGER, QUARANTINE["customs.declarations"])
        }
    ledger, quarantine = ({k: v.value for k, v in e.asset_materialization.metadata.items()} for e in events.values())
    assert "| customs | customs.declarations | 1 | 2 = 1 + 1 | 0 |" in str(ledger["delivered so far"])
    assert "hs\\_code has another form" in str(quarantine["refused of this delivery by rule"])


def checks(name: str = "every_row_accounted_for") -> list[bool]:
    """What the UI has been told of a check of a landing, in order."""
    deployment = from_environment()
    with open_instance(deployment.settings) as instance:
        key = dg.AssetCheckKey(reporting.key_of(BRONZE["customs.declarations"]), name)
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    return [record.status.name == "SUCCEEDED" for record in reversed(records)]


def test_landing_by_hand_tells_the_ui_that_every_row_is_accounted_for_or_says_which_batch_lacks_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["land", "customs.declarations"]
    assert runner.invoke(app, [*arguments, str(extract(tmp_path, GOOD, FOREVER_BAD))]).exit_code == Exit.PARTLY
    assert checks() == [True]
    append = Lake.append

    def lossy(self: Lake, table: Table, frame: pl.DataFrame, **options: Any) -> int:
        return append(self, table, frame.head(1) if table.layer == "bronze" else frame, **options)

    monkeypatch.setattr(Lake, "append", lossy)
    second = extract(tmp_path, GOOD.replace("XN1;", "XN7;"), GOOD.replace("XN1;", "XN8;"), name="second.csv")
    result = runner.invoke(app, [*arguments, str(second)])
    assert isinstance(result.exception, BorderlakeError)
    assert "1 rows are not accounted for, of batches" in str(result.exception)
    assert checks() == [True, False]


def test_landing_by_hand_tells_the_ui_of_every_check_of_a_run(tmp_path: Path) -> None:
    runner.invoke(app, ["land", "customs.declarations", str(extract(tmp_path, GOOD, FOREVER_BAD))])
    specs = [spec for asset in bronze_assets for spec in asset.check_specs]
    mine = [spec.name for spec in specs if spec.asset_key == reporting.key_of(BRONZE["customs.declarations"])]
    assert len(mine) > 5
    assert {name: checks(name) for name in mine} == {name: [name != "refused_share"] for name in mine}


def test_the_ui_is_told_what_was_refused_of_each_file_without_its_rows(inbox: Path) -> None:
    extract(inbox, GOOD, FOREVER_BAD, name="a|b.csv")
    extract(inbox, GOOD.replace("25XN1", "25XN9"), name="clean.csv")
    deployment, now = from_environment(), datetime(2025, 1, 3, 6, tzinfo=UTC)
    accounts = flows.land_all(deployment, flows.waiting_deliveries(deployment, now), now)
    told = reporting.refused_by_file(accounts)
    assert told is not None
    head, _, row = str(told.value).splitlines()
    assert len(re.findall(r"(?<!\\)\|", head)) == len(re.findall(r"(?<!\\)\|", row)), (
        "a pipe in a name stays in its cell"
    )
    assert f"`{accounts[0].batch_id[:8]}`" in row
    assert "2 = 1 + 1" in row
    assert "clean.csv" not in str(told.value)
    assert "CANARY" not in str(told.value)
    assert reporting.refused_by_file([account for account in accounts if not account.rows_refused]) is None
    (bronze,) = [event for event in landing_events(deployment, accounts) if event.asset_key.path[0] == "bronze"]
    assert bronze.metadata["refused by file"] == told
    assert bronze.metadata["rows"].value == "3 read = 2 landed + 1 refused"
    steps = str(bronze.metadata["what to do next"].value)
    assert "`borderlake quarantine list --dataset customs.declarations`" in steps
    assert f"`borderlake quarantine show {accounts[0].batch_id[:8]}`" in steps

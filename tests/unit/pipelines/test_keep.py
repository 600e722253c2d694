"""Keeping the lake: what has left the inbox is on the disk, and the keeping commands as a user meets them."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from pipelines import flows
from pipelines.cli import app
from pipelines.cli.output import Exit
from pipelines.deployment import Deployment, alone
from tests.unit.pipelines.declarations import NOW, delivered, land_inbox
from warehouse import homes
from warehouse import verify as verifying
from warehouse.archive import missing_originals
from warehouse.catalog import BRONZE, LEDGER
from warehouse.delivery import to_keep
from warehouse.errors import BorderlakeError
from warehouse.findings import Kind
from warehouse.landing import land
from warehouse.settings import Settings

runner = CliRunner()
DECLARATIONS = "bronze.customs__declarations"


def table_folder(deployment: Deployment, table: str = DECLARATIONS) -> Path:
    return Path(deployment.lake.root) / table.replace(".", "/")


def run(*arguments: str) -> tuple[int, str]:
    result = runner.invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


def test_everything_is_on_the_disk_before_the_file_leaves_the_inbox(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = delivered(deployment)
    synced: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted(number: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{number}").readlink()))
        fsync(number)

    def moved(source: Path, target: Path) -> Path:
        if source == path:
            synced.append("left the inbox")
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(Path, "replace", moved)
    land_inbox(deployment)
    assert not path.exists()
    before = synced[: synced.index("left the inbox")]
    root = Path(deployment.lake.root)
    for table in (DECLARATIONS, "quarantine.customs__declarations", "ledger.landings"):
        folder = table_folder(deployment, table)
        data, log = sorted(folder.rglob("*.parquet")), folder / "_delta_log"
        commits = sorted(log.glob("*.json"))
        assert data
        assert len(commits) == 2
        folders = {folder, log, folder.parent, root, *(file.parent for file in data)}
        assert {str(one) for one in (*data, *commits, *folders)} <= set(before)
        # An entry never stands before what it covers is durable.
        entries = root / "_manifests" / table.replace(".", "/")
        entry = max(at for at, one in enumerate(before) if one == str(entries))
        assert all(before.index(str(one)) < entry for one in (*data, *commits))
    assert any(one.startswith(str(deployment.settings.anchors)) for one in before)


def test_a_sound_lake_is_sound(deployment: Deployment, tmp_path: Path) -> None:
    delivered(deployment)
    land_inbox(deployment)
    out = tmp_path / "out.json"
    for deep in ((), ("--deep",)):
        code, said = run("verify", *deep, "--json", str(out))
        assert (code, json.loads(out.read_text())) == (Exit.DONE, {"deep": bool(deep), "sound": True, "findings": []})
        assert "Sound" in said
    assert run("repair")[0] == Exit.DONE


def test_a_lost_commit_is_told_and_put_back_only_when_asked(deployment: Deployment, tmp_path: Path) -> None:
    delivered(deployment)
    land_inbox(deployment)
    lost = table_folder(deployment) / "_delta_log" / f"{1:020d}.json"
    content = lost.read_bytes()
    lost.unlink()
    out = tmp_path / "out.json"
    code, said = run("verify", "--json", str(out))
    (finding,) = json.loads(out.read_text())["findings"]
    assert (code, finding["kind"], finding["table"], finding["version"]) == (3, "lost-commit", DECLARATIONS, 1)
    assert "readers silently miss its changes" in said
    assert "borderlake repair --yes" in said
    code, said = run("repair")
    assert code == Exit.PARTLY
    assert "dry run" in said
    assert not lost.exists()
    assert run("repair", "--yes")[0] == Exit.DONE
    assert lost.read_bytes() == content
    assert run("verify", "--deep")[0] == Exit.DONE


def test_rows_come_back_from_the_archive(deployment: Deployment, tmp_path: Path) -> None:
    for name, number in (("declarations-1.csv", "25XN1"), ("declarations-2.csv", "25XN3")):
        delivered(deployment, name, number)
    land_inbox(deployment)
    for table in (DECLARATIONS, "quarantine.customs__declarations"):
        (victim,) = table_folder(deployment, table).rglob("*.parquet")
        content = bytearray(victim.read_bytes())
        content[len(content) // 3] ^= 4
        victim.write_bytes(content)
    assert run("verify")[0] == Exit.DONE
    assert run("verify", "--deep")[0] == Exit.PARTLY
    assert run("repair", "--deep", "--yes")[0] == Exit.DONE
    out = tmp_path / "rows.json"
    run("show", "quarantine.customs__declarations", "--columns", "file_name", "--json", str(out))
    shown = {row["file_name"] for row in json.loads(out.read_text())["rows"]}
    assert shown == {"declarations-1.csv", "declarations-2.csv"}


def test_what_cannot_be_repaired_is_refused_by_name(deployment: Deployment, tmp_path: Path) -> None:
    delivered(deployment)
    land_inbox(deployment)
    for kept in deployment.settings.archive.rglob("*.csv"):
        kept.unlink()
    (victim,) = table_folder(deployment).rglob("*.parquet")
    victim.unlink()
    out = tmp_path / "out.json"
    assert run("repair", "--yes", "--table", DECLARATIONS, "--json", str(out))[0] == Exit.PARTLY
    refused = {step["what"] for step in json.loads(out.read_text())["steps"] if step["done"] == "refused"}
    assert any("the archive does not hold declarations.csv" in what for what in refused)


def test_compact_runs_dry_then_joins_what_landings_left_and_then_has_nothing_to_do(deployment: Deployment) -> None:
    for number in ("25XN1", "25XN7", "25XN8"):
        delivered(deployment, f"{number}.csv", number)
        land_inbox(deployment)
    table = BRONZE["customs.declarations"]
    before = deployment.lake.scan(table).collect().sort("event_id")
    code, said = run("compact")
    assert (code, "dry run" in said, DECLARATIONS in said) == (Exit.DONE, True, True)
    assert deployment.lake.size(table)[:2] == (3, 3)
    assert run("compact", "--yes")[0] == Exit.DONE
    assert deployment.lake.size(table)[:2] == (3, 1)
    assert deployment.lake.scan(table).collect().sort("event_id").equals(before)
    assert "No table has small files" in run("compact")[1]
    assert run("verify", "--deep")[0] == Exit.DONE


def test_vacuum_refuses_a_short_retention_and_runs_dry(deployment: Deployment) -> None:
    delivered(deployment)
    land_inbox(deployment)
    result = runner.invoke(app, ["vacuum", "--days", "6", "--yes"])
    assert isinstance(result.exception, BorderlakeError)
    assert "at least 7 days" in str(result.exception)
    orphan = table_folder(deployment) / "part-orphan.parquet"
    orphan.write_bytes(b"PAR1")
    old = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    os.utime(orphan, (old, old))
    code, said = run("vacuum")
    assert code == Exit.DONE
    assert "dry run" in said
    assert orphan.exists()
    assert run("vacuum", "--yes")[0] == Exit.DONE
    assert not orphan.exists()
    assert run("verify", "--deep")[0] == Exit.DONE


def test_an_archived_file_of_other_bytes_is_not_taken(deployment: Deployment) -> None:
    delivered(deployment)
    land_inbox(deployment)
    (kept,) = deployment.settings.archive.rglob("*.csv")
    row = {
        "source_agency": "customs",
        "dataset": "declarations",
        "received_on": date(2025, 1, 3),
        "file_name": "declarations.csv",
        "sha256": "0" * 64,
        "jurisdiction": "XN",
        "dialect": "norvale",
    }
    assert kept.parent.name == "2025-01-03"
    assert flows.archived(deployment, row) is None


def test_a_commit_of_another_tool_is_accepted_by_name_and_shown(deployment: Deployment, tmp_path: Path) -> None:
    delivered(deployment)
    land_inbox(deployment)
    rows = deployment.lake.scan(BRONZE["customs.declarations"]).collect()
    write_deltalake(str(table_folder(deployment)), rows.clear(), mode="append")
    assert run("verify")[0] == Exit.PARTLY
    assert runner.invoke(app, ["verify", "--accept", DECLARATIONS, "--reason", "why"]).exit_code == Exit.USAGE
    assert isinstance(runner.invoke(app, ["verify", "--accept", f"{DECLARATIONS}@2"]).exception, BorderlakeError)
    out = tmp_path / "out.json"
    accept = ("--accept", f"{DECLARATIONS}@2", "--reason", "the vendor's repair", "--by", "keeper")
    code, said = run("verify", *accept, "--json", str(out))
    assert code == Exit.DONE
    assert "the vendor's repair" in said
    (accepted,) = json.loads(out.read_text())["accepted"]
    assert (accepted["table"], accepted["version"], accepted["by"]) == (DECLARATIONS, 2, "keeper")
    assert run("verify", "--deep")[0] == Exit.DONE


def test_two_pieces_of_one_kind_of_work_do_not_run_at_once(deployment: Deployment) -> None:
    Path(deployment.lake.root).mkdir(parents=True)
    with alone(deployment, "redrive"), alone(deployment, "repair"):
        result = runner.invoke(app, ["quarantine", "redrive", "--yes"])
        assert "another redrive of this home is at work" in str(result.exception)
        assert runner.invoke(app, ["quarantine", "redrive"]).exit_code == Exit.NOTHING


def test_of_two_homes_over_one_lake_each_looks_for_the_files_that_it_keeps(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    delivered(deployment)
    land_inbox(deployment)
    other = Deployment(Settings(tmp_path / "other", deployment.lake.root))
    delivered(other, "more.csv", number="25XN7")
    land_inbox(other)
    ledger = deployment.lake.scan(LEDGER).collect()
    assert ledger["kept_by"].n_unique() == ledger["kept_by"].drop_nulls().n_unique() == 2
    monkeypatch.setenv("BORDERLAKE_LAKE_URL", str(deployment.lake.root))
    kept = homes.kept_elsewhere(deployment.lake)
    assert kept == {homes.named(other.settings.anchors): 1}
    found = verifying.verify(deployment.lake, [LEDGER], later, archive=deployment.settings.archive)
    assert {one.kind for one in found} == {Kind.ANCHOR_BEHIND}, "the other home has written since"
    _, output = run("verify", "--table", LEDGER.name)
    assert f"in their archives ({next(iter(kept))} 1): verify there as well" in output
    (original,) = deployment.settings.archive.glob("*/*/*/*declarations.csv")
    original.unlink()
    missing = verifying.verify(deployment.lake, [LEDGER], later, archive=deployment.settings.archive)
    assert [one.path for one in missing if one.kind is Kind.MISSING_ARCHIVE] == [
        f"archive/{original.relative_to(deployment.settings.archive).as_posix()}"
    ]
    theirs = verifying.verify(other.lake, [LEDGER], later, archive=other.settings.archive)
    assert Kind.MISSING_ARCHIVE not in {one.kind for one in theirs}


def test_a_file_of_before_homes_had_names_is_looked_for_by_each(deployment: Deployment) -> None:
    item = delivered(deployment)
    unnamed = to_keep(flows.waiting_deliveries(deployment, NOW)[0], deployment.settings.inbox, item.parent / "archive")
    landed = list(land(deployment.lake, [unnamed], NOW))
    assert landed
    assert homes.kept_elsewhere(deployment.lake) == {}
    (found,) = missing_originals(deployment.lake, deployment.settings.archive)
    assert found.kind is Kind.MISSING_ARCHIVE

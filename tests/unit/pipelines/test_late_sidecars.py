"""Sidecars and the archive against the ledger: what came late, what was changed, what is kept under which name."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.cli.output import Exit
from pipelines.deployment import Deployment
from tests.unit.pipelines.declarations import BAD, GOOD, HEADER, NOW, delivered, land_inbox
from warehouse.catalog import LEDGER, TABLES
from warehouse.delivery import file_sha256, sidecar_of
from warehouse.findings import Finding, Kind
from warehouse.verify import verify


def found(deployment: Deployment) -> list[Finding]:
    settings = deployment.settings
    now = datetime.now(UTC) + timedelta(hours=1)
    tables = list(TABLES.values())
    return verify(deployment.lake, tables, now, deep=True, archive=settings.archive, inbox=settings.inbox)


def declare(path: Path, **said: object) -> Path:
    beside = sidecar_of(path)
    beside.write_text(json.dumps(said))
    return beside


def kept(deployment: Deployment) -> list[str]:
    return sorted(path.name for path in deployment.settings.archive.rglob("*") if path.is_file())


def test_a_late_sidecar_that_agrees_goes_to_the_archive_under_its_own_hash(deployment: Deployment) -> None:
    path = delivered(deployment)
    sha256 = file_sha256(path)
    land_inbox(deployment)
    beside = declare(path, rows=2, sha256=sha256)
    own = file_sha256(beside)
    assert found(deployment) == []
    land_inbox(deployment)
    assert not beside.exists()
    name, late = kept(deployment)
    assert late == f"{name}.{own[:16]}.manifest.json"
    assert found(deployment) == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        pytest.param({"rows": 3}, "it declares 3 rows, 2 were read", id="another-count"),
        pytest.param({"sha256": "0" * 64}, "another SHA-256", id="another-hash"),
        pytest.param({"rows": "many"}, "is no sidecar", id="not-readable"),
    ],
)
def test_a_late_sidecar_that_differs_is_a_finding_and_stays(
    deployment: Deployment, said: dict[str, object], fault: str
) -> None:
    path = delivered(deployment)
    land_inbox(deployment)
    beside = declare(path, **said)
    land_inbox(deployment)
    (finding,) = found(deployment)
    assert (finding.kind, finding.path) == (Kind.LATE_SIDECAR, f"inbox/customs/declarations/{beside.name}")
    assert fault in finding.detail
    assert beside.exists()


def test_a_sidecar_whose_file_is_still_to_come_is_no_finding(deployment: Deployment) -> None:
    path = delivered(deployment)
    land_inbox(deployment)
    beside = declare(path.with_name("declarations-2.csv"), rows=9)
    land_inbox(deployment)
    assert found(deployment) == []
    assert beside.exists()


def test_a_file_that_comes_again_leaves_the_sidecar_that_it_landed_with(deployment: Deployment) -> None:
    path = delivered(deployment)
    declare(path, rows=2)
    land_inbox(deployment)
    declare(delivered(deployment), rows=2, extracted_at=NOW.isoformat())
    land_inbox(deployment)
    assert len(kept(deployment)) == 3
    assert found(deployment) == []


@pytest.mark.parametrize("name", ["*.csv", "*.manifest.json"])
def test_a_changed_file_of_the_archive_is_found(deployment: Deployment, name: str) -> None:
    declare(delivered(deployment), rows=2, extracted_at=NOW.isoformat())
    land_inbox(deployment)
    assert found(deployment) == []
    (victim,) = deployment.settings.archive.rglob(name)
    content = bytearray(victim.read_bytes())
    content[-3] ^= 1
    victim.write_bytes(content)
    (finding,) = found(deployment)
    assert (finding.kind, finding.table) == (Kind.DAMAGED_ARCHIVE, LEDGER.name)
    assert str(finding.path).endswith(victim.name)


def test_a_sidecar_that_is_gone_from_beside_its_file_is_found(deployment: Deployment) -> None:
    declare(delivered(deployment), rows=2)
    land_inbox(deployment)
    (beside,) = deployment.settings.archive.rglob("*.manifest.json")
    beside.unlink()
    (finding,) = found(deployment)
    assert finding.kind == Kind.MISSING_ARCHIVE
    assert finding.path == f"archive/{beside.relative_to(deployment.settings.archive).as_posix()}"
    assert "sidecar" in finding.meaning
    (file,) = deployment.settings.archive.rglob("*.csv")
    file.unlink()
    (whole,) = found(deployment)
    assert str(whole.path).endswith(file.name), "with its file gone it is not missed apart"


def test_a_sidecar_that_an_erasure_took_is_not_missed_and_one_that_it_redacted_is_right(
    deployment: Deployment,
) -> None:
    declare(delivered(deployment, "declarations-1.csv", "25XN0"), rows=2, sent_by="document:Q7731908")
    unreadable = sidecar_of(delivered(deployment, "declarations-2.csv", "25XN1"))
    unreadable.write_bytes(b"\x1f\x8b\x00")
    land_inbox(deployment)
    unreadable_kept = list(deployment.settings.archive.rglob("*-declarations-2.csv.manifest.json"))
    assert found(deployment) == []
    said = ["--yes", "--by", "a clerk", "--reason", "a court's order"]
    done = CliRunner().invoke(app, ["erase", "--from", "-", *said], input="document:Q7731908\n")
    assert done.exit_code == Exit.DONE, done.output
    assert not unreadable_kept[0].exists()
    assert found(deployment) == []


def test_findings_hold_no_value_of_a_row(deployment: Deployment) -> None:
    path = delivered(deployment)
    land_inbox(deployment)
    declare(path, rows=3)
    (victim,) = deployment.settings.archive.rglob("*.csv")
    victim.write_bytes(b"\n".join(line.encode("iso-8859-1") for line in (HEADER, GOOD, BAD, GOOD)))
    told = " ".join(f"{one.meaning} {one.repair} {one.where}" for one in found(deployment))
    assert "Muster AG" not in told
    assert "AB123" not in told

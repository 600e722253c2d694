"""Originals in the archive: one that is gone is found, one that was never kept is not missed, one sent again heals."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources
from pathlib import Path

import pytest
from test_keep import run

from pipelines import flows
from pipelines.cli.output import Exit
from pipelines.deployment import Deployment
from tests.unit.pipelines.declarations import NOW, delivered, land_inbox
from warehouse.catalog import LEDGER, TABLES
from warehouse.findings import Finding, Kind
from warehouse.repair import Workshop
from warehouse.verify import verify

NEXT_DAY = NOW + timedelta(days=1)


def found(deployment: Deployment, *, deep: bool = False) -> list[Finding]:
    settings = deployment.settings
    now = datetime.now(UTC) + timedelta(hours=1)
    tables = list(TABLES.values())
    return verify(deployment.lake, tables, now, deep=deep, archive=settings.archive, inbox=settings.inbox)


def landed(deployment: Deployment, *names: str) -> list[Path]:
    """Files that came through the inbox, as the archive keeps them."""
    for at, name in enumerate(names):
        delivered(deployment, name, f"25XN{at}")
    land_inbox(deployment)
    return sorted(deployment.settings.archive.rglob("*.csv"), key=lambda path: path.name.split("-", 1)[1])


def mended(deployment: Deployment) -> None:
    """The dialect in a higher version, in the deployment's own folder."""
    own = deployment.settings.home / "dialects"
    own.mkdir()
    shipped = resources.files("warehouse").joinpath("dialects").joinpath("norvale.toml").read_text("utf-8")
    (own / "norvale.toml").write_text(re.sub(r"version = \d+", "version = 99", shipped, count=1), "utf-8")


@pytest.mark.parametrize("deep", [False, True], ids=["quick", "deep"])
def test_a_file_that_is_gone_is_found(deployment: Deployment, deep: bool) -> None:
    first, _ = landed(deployment, "declarations-1.csv", "declarations-2.csv")
    assert found(deployment, deep=deep) == []
    first.unlink()
    (finding,) = found(deployment, deep=deep)
    ledger = deployment.lake.scan(LEDGER).filter(file_name="declarations-1.csv").collect()
    place = first.relative_to(deployment.settings.archive).as_posix()
    assert ledger["archived_as"].to_list() == [place]
    assert finding == Finding(
        Kind.MISSING_ARCHIVE, LEDGER.name, path=f"archive/{place}", batch=ledger["batch_id"].item()
    )


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(Path.unlink, id="it-was-gone"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-9]), id="it-was-cut"),
    ],
)
def test_the_same_file_sent_again_takes_its_place(deployment: Deployment, lost: Callable[[Path], object]) -> None:
    (kept,) = landed(deployment, "declarations.csv")
    rows = deployment.lake.scan(LEDGER).collect()
    lost(kept)
    assert found(deployment, deep=True) != []
    delivered(deployment, "sent-again.csv", "25XN0")
    flows.land_all(deployment, flows.waiting_deliveries(deployment, NEXT_DAY), NEXT_DAY)
    assert found(deployment, deep=True) == []
    assert sorted(deployment.settings.archive.rglob("*.csv")) == [kept]
    assert deployment.lake.scan(LEDGER).collect().equals(rows)


def test_a_copy_of_a_file_that_is_there_is_kept_beside_it(deployment: Deployment) -> None:
    (kept,) = landed(deployment, "declarations.csv")
    delivered(deployment, "sent-again.csv", "25XN0")
    land_inbox(deployment)
    assert len(sorted(kept.parent.iterdir())) == 2
    assert found(deployment, deep=True) == []


def test_what_came_from_outside_the_inbox_is_not_missed(deployment: Deployment, tmp_path: Path) -> None:
    outside = delivered(deployment).rename(tmp_path / "declarations.csv")
    assert run("land", "customs.declarations", str(outside), "--dialect", "norvale")[0] == Exit.PARTLY
    outside.unlink()
    assert deployment.lake.scan(LEDGER).collect()["archived_as"].to_list() == [None]
    assert found(deployment, deep=True) == []


def test_a_file_whose_landing_was_cut_short_waits_in_the_inbox(deployment: Deployment) -> None:
    (kept,) = landed(deployment, "declarations.csv")
    waiting = deployment.settings.inbox / "customs" / "declarations" / "declarations.csv"
    kept.rename(waiting)
    assert found(deployment) == []
    waiting.write_bytes(b"another file of that name")
    assert [one.kind for one in found(deployment)] == [Kind.MISSING_ARCHIVE]


def test_a_file_read_again_is_there_where_either_reading_left_it(deployment: Deployment) -> None:
    (kept,) = landed(deployment, "declarations.csv")
    mended(deployment)
    delivered(deployment, "declarations.csv", "25XN0")
    land_inbox(deployment)
    places = deployment.lake.scan(LEDGER).collect()["archived_as"].to_list()
    assert len(set(places)) == 2
    kept.unlink()
    assert found(deployment, deep=True) == []
    shutil.rmtree(deployment.settings.archive)
    assert [one.path for one in found(deployment)] == [f"archive/{places[-1]}"]


def test_a_folder_that_is_gone_is_one_finding(deployment: Deployment) -> None:
    kept = landed(deployment, "declarations-1.csv", "declarations-2.csv", "declarations-3.csv")
    shutil.rmtree(kept[0].parent)
    (finding,) = found(deployment)
    assert (finding.path, finding.batch) == ("archive/customs/declarations/2025-01-03", None)
    assert "3 files" in finding.meaning
    shutil.rmtree(deployment.settings.archive)
    assert [one.path for one in found(deployment)] == ["archive"]


def test_files_of_one_feed_that_changed_places_are_found(deployment: Deployment) -> None:
    one, other = landed(deployment, "declarations-1.csv", "declarations-2.csv")
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    assert [finding.kind for finding in found(deployment, deep=True)] == [Kind.DAMAGED_ARCHIVE] * 2


def test_a_gap_in_the_archive_is_for_a_person_and_hinders_no_other_repair(deployment: Deployment) -> None:
    (kept,) = landed(deployment, "declarations.csv")
    kept.unlink()
    (deployment.settings.anchors / f"{LEDGER.name}.json").unlink()
    workshop = Workshop(deployment.lake, datetime.now(UTC), partial(flows.archived, deployment))
    steps = {step.finding.kind: step for step in workshop.plan(found(deployment))}
    assert {kind: step.is_safe for kind, step in steps.items()} == {
        Kind.MISSING_ANCHOR: True,
        Kind.MISSING_ARCHIVE: False,
    }
    assert "drop it into the inbox" in steps[Kind.MISSING_ARCHIVE].what

"""Landing as the kernel sees it: what is fsynced before a file leaves the inbox, and a disk that runs full."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines import flows
from pipelines.deployment import Deployment
from simulation.run import simulate
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, TABLES
from warehouse.errors import DiskFull
from warehouse.settings import Settings
from warehouse.verify import verify

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 3, 5, tzinfo=UTC)
DECLARATIONS, REFUSED = BRONZE["customs.declarations"], QUARANTINE["customs.declarations"]
LAND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipelines import flows
from pipelines.deployment import Deployment
from warehouse.settings import Settings
home = Path(sys.argv[1])
opened, now = Deployment(Settings(home, str(home / "lake"))), datetime(2025, 3, 5, tzinfo=UTC)
assert flows.land_all(opened, flows.waiting_deliveries(opened, now), now)
"""
CALLS = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,link,linkat"
COMPLETE = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)")
UNFINISHED = re.compile(r"^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)")


def declarations(home: Path) -> Path:
    """One extract of declarations in the inbox of a home, one of its lines bad."""
    simulate(NOW.date() - timedelta(days=2), 1, 0.05, 1, home / "world")
    source = max(
        (home / "world" / "inbox" / "customs" / "declarations").glob("*.csv"), key=lambda one: one.stat().st_size
    )
    header, *lines = source.read_text("iso-8859-1").splitlines()
    last = lines[-1].split(";")
    last[header.split(";").index("HS")] = "none"
    path = home / "inbox" / "customs" / "declarations" / source.name
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([header, *lines[:-1], ";".join(last), ""]), "iso-8859-1")
    shutil.rmtree(home / "world")
    return path


def calls(trace: Path) -> list[tuple[str, str, str]]:
    """What the kernel was asked, in order: (`begun` or `done`, the call, its arguments)."""
    happened: list[tuple[str, str, str]] = []
    open_calls: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        if done := COMPLETE.match(line):
            happened += [("begun", done[2], done[3]), *([("done", done[2], done[3])] if done[4] == "0" else [])]
        elif begun := UNFINISHED.match(line):
            open_calls[begun[1]] = begun[3]
            happened.append(("begun", begun[2], begun[3]))
        elif (resumed := RESUMED.match(line)) and resumed[4] == "0":
            happened.append(("done", resumed[2], open_calls.pop(resumed[1], "")))
    return happened


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (Debian: apt-get install strace)")
def test_data_commits_and_their_folders_are_fsynced_before_the_file_leaves_the_inbox(tmp_path: Path) -> None:
    path, trace = declarations(tmp_path), tmp_path / "trace"
    traced = ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={CALLS}", "-o", str(trace)]
    done = subprocess.run(
        [*traced, sys.executable, "-c", LAND, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in done.stderr.lower() and done.returncode:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    happened = calls(trace)
    leaves = [at for at, (when, call, said) in enumerate(happened) if when == "begun" and f'"{path}"' in said]
    assert leaves, "the file left the inbox by a call that was traced"
    assert not path.exists()
    synced = {
        found[1]
        for when, call, said in happened[: leaves[0]]
        if when == "done" and call in ("fsync", "fdatasync") and (found := re.match(r"\d+<(.*)>$", said))
    }
    lake = tmp_path / "lake"
    for table in (DECLARATIONS, REFUSED, LEDGER):
        folder = lake / table.name.replace(".", "/")
        entries = lake / "_manifests" / table.name.replace(".", "/")
        data = list(folder.rglob("*.parquet"))
        commits = list((folder / "_delta_log").glob("*.json"))
        assert data
        assert len(commits) == 2
        folders = {folder, folder / "_delta_log", folder.parent, lake, entries, *(one.parent for one in data)}
        missing = {str(one) for one in (*data, *commits, *folders)} - synced
        assert missing == set(), "not fsynced before the file left the inbox"
    assert any(one.startswith(f"{tmp_path}/anchors") for one in synced)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 6 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here (it needs the rights of root)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, left: int) -> Path:
    """Leave so many bytes of the disk."""
    ballast = place / "ballast"
    stat = os.statvfs(place)
    ballast.write_bytes(bytes(max(stat.f_bavail * stat.f_frsize - left, 0)))
    return ballast


@pytest.mark.parametrize("left_kb", [0, 4, 16, 36, 48, 64, 84, 100, 140])
def test_a_full_disk_loses_nothing_and_the_same_landing_succeeds_once_there_is_space(
    small_disk: Path, left_kb: int
) -> None:
    opened = Deployment(Settings(small_disk, str(small_disk / "lake")))
    path = declarations(small_disk)
    waiting = flows.waiting_deliveries(opened, NOW)
    ballast = fill(small_disk, left_kb << 10)
    said = ""
    try:
        flows.land_all(opened, waiting, NOW)
    except DiskFull as error:
        said = str(error)
    is_full = bool(said)
    assert is_full == ("free space" in said and "stays in the inbox" in said)
    ledger = opened.lake.scan(LEDGER).collect()
    if is_full:
        assert path.exists(), "what has not landed stays in the inbox"
        assert ledger.height == 0 or ledger["rows_read"].sum() > 0
    for batch, landed, refused in ledger.select("batch_id", "rows_landed", "rows_refused").iter_rows():
        assert opened.lake.scan(DECLARATIONS).filter(batch_id=batch).collect().height == landed
        assert opened.lake.scan(REFUSED).filter(batch_id=batch).collect().height == refused
    ballast.unlink()
    if is_full:
        flows.land_all(opened, flows.waiting_deliveries(opened, NOW), NOW)
    assert not path.exists()
    settled = datetime.now(UTC) + timedelta(hours=1)
    assert verify(opened.lake, list(TABLES.values()), settled, deep=True, archive=opened.settings.archive) == []
    rows = opened.lake.scan(LEDGER).collect()
    assert rows.height == 1
    assert opened.lake.scan(DECLARATIONS).collect().height == rows["rows_landed"].item() > 0
    assert opened.lake.scan(REFUSED).collect().height == rows["rows_refused"].item() == 1

"""The lake that `bench bitrot` damages: a small simulated border, landed and conformed, and what is compared of it.

Every kind of file is there: several deliveries a table, replaced days (and so a change feed), a compaction, checkpoints
with commits after them, the manifest, the anchors, the archive with its sidecars.
"""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable

from pipelines import flows
from pipelines.deployment import Deployment
from warehouse import delivery
from warehouse.catalog import BRONZE, LEDGER, SHIPMENTS, SILVER, TABLES, Table
from warehouse.commits import MARK
from warehouse.conform import conform
from warehouse.findings import Finding
from warehouse.settings import Settings
from warehouse.verify import verify

CHECKED = (BRONZE["customs.declarations"], LEDGER)
"""Tables with a checkpoint and commits after it."""
_START, _DAYS, _SCALE = date(2025, 3, 3), 2, 0.02
_KEY = b"bitrot" * 8
SETTLED = timedelta(hours=1)
"""Verified as if so much later: nothing is young enough to be another writer's work."""


def made(home: Path, seed: int) -> Deployment:
    """Simulate, land one day after the other, conform, compact and checkpoint."""
    from simulation.run import simulate

    simulate(_START, _DAYS, _SCALE, seed, home, extended=True)
    opened = Deployment(Settings(home, str(home / "lake")))
    for path in delivery.waiting(opened.settings.inbox / "customs" / "declarations"):
        _send_again_badly(path)
    waiting = flows.waiting_deliveries(opened, _moment(_DAYS + 1))
    for nth, day in enumerate(sorted({item.received_on for item in waiting})):
        today = [item for item in waiting if item.received_on == day]
        flows.land_all(opened, today, _moment(nth))
        for table in SILVER:
            conform(opened.lake, table, [day], _KEY)
        if nth == 0:
            for table in CHECKED:
                opened.lake.checkpoint(table)
    opened.lake.compact(BRONZE["customs.declarations"], datetime.now(UTC))
    return opened


def change_feed(deployment: Deployment) -> None:
    """Rewrite rows of a table in place, as an erasure does, which leaves files of the change feed."""
    lake = deployment.lake
    last = lake.manifest(SHIPMENTS).entry(lake.version(SHIPMENTS) or 0)
    assert last is not None
    DeltaTable(lake.uri(SHIPMENTS)).update(
        predicate="goods_item_number = 1",
        updates={"office": "'XN000X'"},
        commit_properties=CommitProperties(custom_metadata={MARK: last.digest}),
    )
    lake.heal(SHIPMENTS)


def look(deployment: Deployment) -> list[Finding]:
    """`borderlake verify --deep` in this process."""
    settings = deployment.settings
    now = datetime.now(UTC) + SETTLED
    tables = list(TABLES.values())
    return verify(deployment.lake, tables, now, deep=True, archive=settings.archive, inbox=settings.inbox)


def files(deployment: Deployment) -> list[Path]:
    """Every file that damage must be seen in."""
    home = deployment.settings.home
    roots = (Path(deployment.lake.root), deployment.settings.anchors, deployment.settings.archive)
    found = (path for root in roots for path in root.rglob("*"))
    return sorted(path for path in found if path.is_file() and path.name != ".lock" and home in path.parents)


def group(deployment: Deployment, path: Path) -> str:
    """What kind of file it is."""
    settings, name = deployment.settings, path.name
    if settings.anchors in path.parents:
        return "anchors"
    if settings.archive in path.parents:
        return "archived"
    if "_manifests" in path.parts:
        return "manifests"
    if "_delta_log" in path.parts:
        if name == "_last_checkpoint":
            return "hints"
        return "checkpoints" if name.endswith(".parquet") else "commits"
    return "change_feed" if "_change_data" in path.parts else "data"


def rows(deployment: Deployment, table: Table) -> pl.DataFrame:
    """The rows of a table in an order of their own."""
    held = deployment.lake.scan(table).collect()
    return held[held.hash_rows().arg_sort()]


def restore(deployment: Deployment, whole: Path) -> None:
    """Put the home back as it was."""
    home = deployment.settings.home
    for folder in ("lake", "anchors", "archive"):
        shutil.rmtree(home / folder, ignore_errors=True)
        shutil.copytree(whole / folder, home / folder)


def flip(path: Path, at: int, bit: int) -> bytes:
    """Flip a bit; returns what the file held before."""
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[at] ^= 1 << bit
    path.write_bytes(damaged)
    return content


def _send_again_badly(path: Path) -> None:
    """The same extract under another name, its last line with a code that no list has: that line is refused."""
    header, *lines = path.read_text("iso-8859-1").splitlines()
    names, last = header.split(";"), lines[-1].split(";")
    last[names.index("HS")] = "none"
    again = "\n".join([header, *lines[:-1], ";".join(last), ""])
    path.with_name(f"{path.stem}-again{path.suffix}").write_text(again, "iso-8859-1")


def _moment(days: int) -> datetime:
    return datetime.combine(_START, datetime.min.time(), UTC) + timedelta(days=days + 2)

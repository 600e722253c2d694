"""A table with a history, the files that make it up, and ways to damage them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deltalake import DeltaTable
from deltalake._internal import DeltaFileSystemHandler
from test_delta import DAYS, EVENTS, rows

from warehouse.catalog import Table
from warehouse.delta import Lake
from warehouse.findings import Finding, Kind
from warehouse.storage import ObjectStore
from warehouse.verify import verify

LATER = datetime.now(UTC) + timedelta(days=1)
"""When no writer can be at work any longer, however long the tests before have taken."""


def reached(root: Path, anchors: Path, *, by_object_store: bool) -> Lake:
    """A lake whose files are reached as on a disk, or as in an object store."""
    root.mkdir()
    made = Lake(str(root), anchors=anchors)
    if by_object_store:
        vars(made)["store"] = ObjectStore(DeltaFileSystemHandler(root.as_uri()))
    return made


def written(lake: Lake) -> Lake:
    """Six versions: made, three appends, a replaced day, a compaction."""
    for at, day in enumerate(DAYS):
        lake.append(EVENTS, rows(f"{at}x", f"{at}y", day=day, batch=f"b{at}"), batches=[f"b{at}"])
    lake.append(EVENTS, rows("0z", day=DAYS[0], batch="b9"), batches=["b9"])
    lake.replace_days(EVENTS, rows("1r", day=DAYS[1], batch="b1"), [DAYS[1]])
    assert lake.compact(EVENTS, LATER) == 6
    return lake


def checkpointed(lake: Lake) -> Path:
    written(lake).checkpoint(EVENTS)
    lake.append(EVENTS, rows("last"))
    assert found(lake, deep=True) == []
    return folder(lake) / "_delta_log" / f"{6:020d}.checkpoint.parquet"


def folder(lake: Lake, table: Table = EVENTS) -> Path:
    return Path(lake.root) / table.name.replace(".", "/")


def commit(lake: Lake, version: int) -> Path:
    return folder(lake) / "_delta_log" / f"{version:020d}.json"


def entry(lake: Lake, version: int) -> Path:
    return Path(lake.root) / "_manifests" / "silver" / "examples" / f"{version:020d}.json"


def live_file(lake: Lake, table: Table = EVENTS) -> Path:
    return Path(sorted(DeltaTable(str(folder(lake, table))).file_uris())[0].removeprefix("file://"))


def hint(lake: Lake) -> Path:
    return folder(lake) / "_delta_log" / "_last_checkpoint"


def note(lake: Lake, version: int = 6) -> Path:
    return entry(lake, version).with_suffix(".checkpoint")


def anchor(lake: Lake) -> Path:
    assert lake.anchors is not None
    return lake.anchors / f"{EVENTS.name}.json"


def flip(path: Path, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0x10
    path.write_bytes(content)


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def found(lake: Lake, *tables: Table, deep: bool = False, now: datetime = LATER) -> list[Finding]:
    return verify(lake, tables or (EVENTS,), now, deep=deep)


def kinds(findings: list[Finding]) -> set[tuple[Kind, int | None]]:
    return {(finding.kind, finding.version) for finding in findings}

"""Kinds of damage that `bench bitrot` does to a whole lake, one at a time: logs, manifest, anchors, files, counts.

Each is what a disk, a hasty hand, a restored backup or another tool does. `draw` chooses the victim.
"""

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from deltalake import DeltaTable, write_deltalake

from benchmarks.bitrot_lake import CHECKED
from pipelines.deployment import Deployment
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, SHIPMENTS, TABLES, Table
from warehouse.delivery import SIDECAR

Damage = Callable[[Deployment, random.Random], None]

_DECLARATIONS = BRONZE["customs.declarations"]
_REFUSED = QUARANTINE["customs.declarations"]
_SIGHTINGS = BRONZE["surveillance.vehicle_sightings"]
_EIGHT_DAYS_S = 8 * 86_400
_FEWEST_COMMITS = 2


def table_folder(deployment: Deployment, table: Table) -> Path:
    """Where the files of a table lie."""
    return Path(deployment.lake.root) / table.name.replace(".", "/")


def _log(deployment: Deployment, table: Table) -> list[Path]:
    return sorted((table_folder(deployment, table) / "_delta_log").glob("*.json"))


def _entries(deployment: Deployment, table: Table) -> list[Path]:
    return sorted((Path(deployment.lake.root) / "_manifests" / table.name.replace(".", "/")).glob("*.json"))


def _anchor(deployment: Deployment, table: Table) -> Path:
    return deployment.settings.anchors / f"{table.name}.json"


def _live(deployment: Deployment, table: Table) -> list[Path]:
    opened = DeltaTable(str(table_folder(deployment, table)))
    return sorted(Path(uri.removeprefix("file://")) for uri in opened.file_uris())


def _checkpoint(deployment: Deployment) -> Path:
    log = table_folder(deployment, CHECKED[0]) / "_delta_log"
    return max(log.glob("*.checkpoint.parquet"))


def _cut(path: Path, draw: random.Random) -> None:
    os.truncate(path, draw.randrange(path.stat().st_size))


def _swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _any_table(lake: Deployment, draw: random.Random) -> Table:
    """A table of any layer that has a first, a middle and a last commit."""
    return draw.choice([table for table in TABLES.values() if len(_log(lake, table)) > _FEWEST_COMMITS])


def _last_commit(act: Callable[[Path, random.Random], None]) -> Damage:
    return lambda lake, draw: act(_log(lake, _any_table(lake, draw))[-1], draw)


def _unlink(path: Path, _: random.Random) -> None:
    path.unlink()


def _empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def _middle(paths: list[Path], draw: random.Random) -> Path:
    return draw.choice(paths[1:-1])


def _named_wrongly(lake: Deployment, draw: random.Random) -> None:
    last = _log(lake, _any_table(lake, draw))[-1]
    version = int(last.stem)
    last.rename(last.with_name(draw.choice([f"{version:019d}.json", f"{version + 3:020d}.json", f"{last.name}.bak"])))


def _repeated(lake: Deployment, draw: random.Random) -> None:
    log = _log(lake, _any_table(lake, draw))
    shutil.copy(draw.choice(log[1:]), log[-1].with_name(f"{len(log):020d}.json"))


def _rolled_back(lake: Deployment, draw: random.Random) -> None:
    table = _any_table(lake, draw)
    for path in (_log(lake, table)[-1], _entries(lake, table)[-1]):
        path.unlink()


def _all_entries(lake: Deployment, draw: random.Random) -> None:
    for path in _entries(lake, _any_table(lake, draw)):
        path.unlink()


def _two_entries(lake: Deployment, draw: random.Random) -> None:
    entries = _entries(lake, _any_table(lake, draw))
    at = draw.randrange(len(entries) - 1)
    for path in entries[at : at + 2]:
        path.unlink()


def _anchor_behind(lake: Deployment, draw: random.Random) -> None:
    table = _any_table(lake, draw)
    version = draw.randrange(len(_entries(lake, table)) - 1)
    entry = lake.lake.manifest(table).entry(version)
    assert entry is not None
    _anchor(lake, table).write_text(f'{{"version": {version}, "count": {entry.count}, "head": "{entry.digest}"}}\n')


def _orphan(lake: Deployment, draw: random.Random) -> None:
    victim = draw.choice(_live(lake, _DECLARATIONS))
    orphan = victim.with_name("part-00000-00000000-0000-4000-8000-000000000000-c000.zstd.parquet")
    shutil.copy(victim, orphan)
    old = time.time() - _EIGHT_DAYS_S
    os.utime(orphan, (old, old))


def _fewer_rows(lake: Deployment, draw: random.Random) -> None:
    held = lake.lake.scan(_DECLARATIONS).collect()
    day = draw.choice(sorted(held["received_on"].unique()))
    of_day = held.filter(received_on=day)
    lake.lake.replace_days(_DECLARATIONS, of_day.head(of_day.height - 1), [day])


def _more_rows(lake: Deployment, draw: random.Random) -> None:
    lake.lake.append(_SIGHTINGS, lake.lake.scan(_SIGHTINGS).collect().sample(1, seed=draw.randrange(1 << 30)))


def _foreign(lake: Deployment, _: random.Random) -> None:
    path = str(table_folder(lake, SHIPMENTS))
    write_deltalake(path, lake.lake.scan(SHIPMENTS).head(1).collect(), mode="append")


def _whole_log(lake: Deployment, draw: random.Random) -> None:
    shutil.rmtree(table_folder(lake, _any_table(lake, draw)) / "_delta_log")


def _change_feed(lake: Deployment, draw: random.Random) -> None:
    draw.choice(sorted(table_folder(lake, SHIPMENTS).rglob("_change_data/**/*.parquet"))).unlink()


def _archived(lake: Deployment) -> list[Path]:
    """Files that landed, without their sidecars."""
    return sorted(one for one in lake.settings.archive.glob("*/*/*/*") if not one.name.endswith(SIDECAR))


def _archived_of_one_feed(lake: Deployment, draw: random.Random) -> tuple[Path, Path]:
    """Two files of one agency's dataset: bytes that the ledger knows, each in the other's place."""
    feeds: dict[Path, list[Path]] = {}
    for path in _archived(lake):
        feeds.setdefault(path.parent.parent, []).append(path)
    one, other = draw.sample(feeds[draw.choice([feed for feed in feeds if len(feeds[feed]) > 1])], 2)
    return one, other


KINDS: dict[str, Damage] = {
    "empty last commit": _last_commit(_empty),
    "missing last commit": _last_commit(_unlink),
    "truncated last commit": _last_commit(_cut),
    "empty middle commit": lambda lake, draw: _empty(_middle(_log(lake, _any_table(lake, draw)), draw), draw),
    "missing middle commit": lambda lake, draw: _unlink(_middle(_log(lake, _any_table(lake, draw)), draw), draw),
    "missing first commit": lambda lake, draw: _log(lake, _any_table(lake, draw))[0].unlink(),
    "truncated middle commit": lambda lake, draw: _cut(_middle(_log(lake, _any_table(lake, draw)), draw), draw),
    "swapped commits": lambda lake, draw: _swap(*draw.sample(_log(lake, _any_table(lake, draw)), 2)),
    "wrongly named commit": _named_wrongly,
    "duplicated commit": _repeated,
    "missing log": _whole_log,
    "commit and entry rolled back": _rolled_back,
    "commit of another tool": _foreign,
    "truncated newest checkpoint": lambda lake, draw: _cut(_checkpoint(lake), draw),
    "empty newest checkpoint": lambda lake, draw: _empty(_checkpoint(lake), draw),
    "missing newest checkpoint": lambda lake, draw: _unlink(_checkpoint(lake), draw),
    "damaged _last_checkpoint": lambda lake, draw: _cut(_checkpoint(lake).with_name("_last_checkpoint"), draw),
    "empty _last_checkpoint": lambda lake, draw: _empty(_checkpoint(lake).with_name("_last_checkpoint"), draw),
    "missing _last_checkpoint": lambda lake, _: _checkpoint(lake).with_name("_last_checkpoint").unlink(),
    "missing data file": lambda lake, draw: draw.choice(_live(lake, _DECLARATIONS)).unlink(),
    "missing data file of quarantine": lambda lake, draw: draw.choice(_live(lake, _REFUSED)).unlink(),
    "missing data file of silver": lambda lake, draw: draw.choice(_live(lake, SHIPMENTS)).unlink(),
    "missing data file of the ledger": lambda lake, draw: draw.choice(_live(lake, LEDGER)).unlink(),
    "truncated data file": lambda lake, draw: _cut(draw.choice(_live(lake, _SIGHTINGS)), draw),
    "empty data file": lambda lake, draw: _empty(draw.choice(_live(lake, _SIGHTINGS)), draw),
    "swapped data files": lambda lake, draw: _swap(*draw.sample(_live(lake, _SIGHTINGS), 2)),
    "swapped data files of two tables": lambda lake, draw: _swap(
        draw.choice(_live(lake, _SIGHTINGS)), draw.choice(_live(lake, _DECLARATIONS))
    ),
    "missing change feed file": _change_feed,
    "orphan data file": _orphan,
    "missing middle entry": lambda lake, draw: _unlink(_middle(_entries(lake, _any_table(lake, draw)), draw), draw),
    "missing last entry": lambda lake, draw: _entries(lake, _any_table(lake, draw))[-1].unlink(),
    "missing first entry": lambda lake, draw: _entries(lake, _any_table(lake, draw))[0].unlink(),
    "two missing entries": _two_entries,
    "all entries missing": _all_entries,
    "truncated entry": lambda lake, draw: _cut(draw.choice(_entries(lake, _any_table(lake, draw))), draw),
    "swapped entries": lambda lake, draw: _swap(*draw.sample(_entries(lake, _any_table(lake, draw)), 2)),
    "missing anchor": lambda lake, draw: _anchor(lake, _any_table(lake, draw)).unlink(),
    "truncated anchor": lambda lake, draw: _cut(_anchor(lake, _any_table(lake, draw)), draw),
    "anchor behind": _anchor_behind,
    "anchor of another table": lambda lake, _: _swap(_anchor(lake, SHIPMENTS), _anchor(lake, LEDGER)),
    "rows lost by a whole commit": _fewer_rows,
    "rows doubled by a whole commit": _more_rows,
    "truncated archived file": lambda lake, draw: _cut(draw.choice(_archived(lake)), draw),
    "missing archived file": lambda lake, draw: draw.choice(_archived(lake)).unlink(),
    "swapped archived files": lambda lake, draw: _swap(*_archived_of_one_feed(lake, draw)),
    "missing archive": lambda lake, _: shutil.rmtree(lake.settings.archive),
}

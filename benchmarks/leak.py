"""`borderlake bench leak`: agreements drawn at random over a small lake, and what is then in the files that are served.

Each table of the lake changes (a day is added, rows are corrected and taken away), some agreements are revoked, and
keys are rotated, with a refresh of every share between. Then the files that the Delta logs name are read as Parquet
and counted against what a plain twin lets go: `cells_extra`, `cells_missing`. A row that lies in any other file of a
share whose agreement allows neither history nor changes is extra, too. `joinable` counts pseudonyms that two
recipients have in common, or that are the very value they stand for.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks.harness import Watch
from benchmarks.leak_twin import Cells, allowed, live, rows_in, served
from benchmarks.leak_world import BEGAN, FIRST_DAY, TABLES, Rows, changed, draw_agreement, draw_rows, frame_of
from benchmarks.trial_result import TrialResult
from sharing.materialise import Refreshed, refresh
from sharing.pseudonyms import Keys
from sharing.shares import Share, shares_of
from warehouse.agreements import Agreement
from warehouse.agreements.model import Mask
from warehouse.catalog import table_of
from warehouse.delta import Lake

ROWS = 24
_REVOKED, _ROTATED = 0.1, 0.05
"""Shares of the agreements that are revoked, and of the recipients whose key is rotated."""


@dataclass
class World:
    """A lake, what its tables hold, and its agreements."""

    home: Path
    draw: random.Random
    agreements: list[Agreement]
    rows: dict[str, Rows] = field(default_factory=dict)

    @property
    def lake(self) -> Lake:
        return Lake(str(self.home / "lake"), anchors=self.home / "anchors")

    @property
    def keys(self) -> Keys:
        return Keys(self.home / "secrets")

    @property
    def shares(self) -> Iterator[Share]:
        for agreement in self.agreements:
            for shared in agreement.tables.values():
                yield Share(agreement, shared)

    def folder(self, share: Share) -> Path:
        return Path(self.lake.uri(share.table))


def run(agreements: int, seed: int, watch: Watch) -> TrialResult:
    """Share, change, share again, count."""
    began, draw = time.perf_counter(), random.Random(seed)
    with TemporaryDirectory(prefix="borderlake-bench-") as folder:
        drawn = [draw_agreement(draw, f"agency-{number}") for number in range(agreements)]
        world = World(Path(folder), draw, drawn)
        for name in TABLES:
            world.rows[name] = draw_rows(draw, table_of(name), ROWS)
            world.lake.append(table_of(name), frame_of(world.rows[name], table_of(name)))
        done = _refreshed(world, BEGAN, watch)
        at = BEGAN + timedelta(hours=26)
        _happen(world, at)
        done += _refreshed(world, at, watch)
        watch("reading what is served")
        extra, missing, cells = _compared(world, at)
        figures = {
            "agreements": float(agreements),
            "shares": float(len(list(world.shares))),
            "cells_served": float(cells),
            "cells_extra": float(extra),
            "cells_missing": float(missing),
            "joinable": float(_joinable(world)),
            "rows_added": float(sum(one.rows_added for one in done)),
            "rows_retracted": float(sum(one.rows_retracted for one in done)),
            "wall_s": time.perf_counter() - began,
        }
    arguments = {"agreements": f"{agreements:,}"}
    must_be_zero = ("cells_extra", "cells_missing", "joinable")
    return TrialResult("leak", seed, cells, figures, {}, arguments, must_be_zero=must_be_zero)


def _refreshed(world: World, at: datetime, watch: Watch) -> list[Refreshed]:
    done = []
    for number, share in enumerate(shares_of(world.agreements, at)):
        if not number % 25:
            watch(f"share {number:,}, round of {at:%Y-%m-%d %H:%M}")
        done.append(refresh(world.lake, share.agreement, share.shared, world.keys, at))
    return done


def _happen(world: World, at: datetime) -> None:
    """One more day, a correction and a deletion in each table; agreements revoked, keys rotated."""
    for name in TABLES:
        table = table_of(name)
        rows, days = changed(world.draw, world.rows[name], table)
        frame = frame_of(rows, table)
        if table.partition_by:
            world.lake.replace_days(table, frame.filter(pl.col(table.partition_by[0]).is_in(days)), days)
        else:
            world.lake.overwrite(table, frame)
        fresh = draw_rows(world.draw, table, ROWS // 4, FIRST_DAY + timedelta(days=3))
        world.lake.append(table, frame_of(fresh, table))
        world.rows[name] = [*rows, *fresh]
    for number, agreement in enumerate(world.agreements):
        if world.draw.random() < _REVOKED:
            world.agreements[number] = replace(agreement, revoked_at=at)
        elif world.draw.random() < _ROTATED:
            world.keys.rotate(agreement.recipient.code)


def _compared(world: World, at: datetime) -> tuple[int, int, int]:
    """Cells too many, cells too few, and all cells that are served."""
    extra = missing = cells = 0
    for share in world.shares:
        folder, name = world.folder(share), share.source.name
        secret = world.keys.current(share.agreement.recipient.code).secret
        due, found = allowed(world.rows[name], share.agreement, name, secret, at), served(folder)
        extra += _cells(found - due) + _cells(_lying_about(share, folder, at))
        missing += _cells(due - found)
        cells += _cells(found)
    return extra, missing, cells


def _lying_about(share: Share, folder: Path, at: datetime) -> Cells:
    """Rows in files that nobody may be served."""
    is_old_allowed = share.shared.has_history or share.shared.has_changes
    if is_old_allowed and share.agreement.is_in_force(at):
        return Counter()
    named = live(folder)
    return rows_in(path for path in folder.rglob("*.parquet") if path.relative_to(folder).as_posix() not in named)


def _cells(rows: Cells) -> int:
    return sum(len(row) * count for row, count in rows.items())


def _joinable(world: World) -> int:
    """Pseudonyms that more than one recipient has, or that are a value of the source."""
    seen: dict[str, set[str]] = defaultdict(set)
    raw = {str(value) for rows in world.rows.values() for row in rows for value in row.values()}
    for share in world.shares:
        names = [name for name, masking in share.shared.columns.items() if masking.mask is Mask.PSEUDONYM]
        for row in served(world.folder(share)):
            told = dict(cell.split("=", 1) for cell in row)
            for name in names:
                if len(told[name]) > 1:  # Null is a sign of its own.
                    seen[told[name]].add(share.agreement.recipient.code)
    return sum(len(recipients) > 1 or value in raw for value, recipients in seen.items())

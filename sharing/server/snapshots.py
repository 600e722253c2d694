"""Opened versions of shared tables, kept for as long as they are asked for: a table's log is not replayed each time."""

import threading
from collections import OrderedDict

from sharing.naming import TERMS
from warehouse.catalog import Table
from warehouse.commits import commit_path
from warehouse.delta import Lake
from warehouse.snapshots import Changes, Snapshot, changes, versions_back
from warehouse.storage import Store

_KEPT = 128


class Snapshots:
    """Snapshots by table and version; the latest is asked for anew whenever the log has gone on."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._kept: OrderedDict[tuple[str, int], Snapshot] = OrderedDict()
        self._latest: dict[str, int] = {}
        self._firsts: OrderedDict[tuple[str, int, str], int | None] = OrderedDict()
        self._lock = threading.Lock()

    def latest(self, table: str) -> Snapshot | None:
        """The latest version of a table; None where there is no such table."""
        with self._lock:
            version = self._latest.get(table)
            held = None if version is None else self._kept.get((table, version))
        if held is not None and self._lake.store.size(commit_path(held.folder, held.version + 1)) is None:
            return held
        opened = self._lake.snapshot(_named(table))
        if opened is not None:
            with self._lock:
                self._latest[table] = opened.version
            self._keep(opened)
        return opened

    def at(self, table: str, version: int) -> Snapshot | None:
        """A version of a table; None where there is no such version."""
        with self._lock:
            held = self._kept.get((table, version))
        if held is None:
            held = self._lake.snapshot(_named(table), version)
        if held is not None:
            self._keep(held)
        return held

    def changes(self, snapshot: Snapshot, version: int) -> Changes | None:
        """What a version of the snapshot's table changed."""
        return changes(self._lake.store, snapshot.folder, version)

    def first_cut_to(self, snapshot: Snapshot, terms: str) -> int | None:
        """The first of the versions up to this one that are cut to the same terms without a break; None where the
        version itself is cut to others, or does not say to which.

        Commits that say nothing (a compaction) are cut to what the one before them is.
        """
        key = (snapshot.table, snapshot.version, terms)
        with self._lock:
            if key in self._firsts:
                return self._firsts[key]
        first = _first_cut_to(self._lake.store, snapshot, terms)
        with self._lock:
            self._firsts[key] = first
            while len(self._firsts) > _KEPT:
                self._firsts.popitem(last=False)
        return first

    def _keep(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._kept[snapshot.table, snapshot.version] = snapshot
            self._kept.move_to_end((snapshot.table, snapshot.version))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


def _first_cut_to(store: Store, snapshot: Snapshot, terms: str) -> int | None:
    first: int | None = None
    is_blank = False
    for commit in versions_back(store, snapshot.folder, snapshot.version):
        told = commit.facts.get(TERMS)
        if told is not None and told != terms:
            return first
        if told == terms:
            first, is_blank = commit.version, True
        is_blank = is_blank and (told == terms or not commit.files)
        if commit.version == 0 and is_blank:
            return 0  # What came before the first rows is a table without any.
    return first


def _named(table: str) -> Table:
    return Table(table, description="", columns={}, key=(), owner="sharing")

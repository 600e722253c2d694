"""Opened versions of shared tables, kept for as long as they are asked for: a table's log is not replayed each time."""

import threading
from collections import OrderedDict

from sharing.shares import by_name
from warehouse.commits import commit_path
from warehouse.delta import Lake
from warehouse.snapshots import Changes, Snapshot, changes

_KEPT = 128


class Snapshots:
    """Snapshots by table and version; the latest is asked for anew whenever the log has gone on."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._kept: OrderedDict[tuple[str, int], Snapshot] = OrderedDict()
        self._latest: dict[str, int] = {}
        self._lock = threading.Lock()

    def latest(self, table: str) -> Snapshot | None:
        """The latest version of a table; None where there is no such table."""
        with self._lock:
            version = self._latest.get(table)
            held = None if version is None else self._kept.get((table, version))
        if held is not None and self._lake.store.size(commit_path(held.folder, held.version + 1)) is None:
            return held
        opened = self._lake.snapshot(by_name(table))
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
            held = self._lake.snapshot(by_name(table), version)
        if held is not None:
            self._keep(held)
        return held

    def changes(self, snapshot: Snapshot, version: int) -> Changes | None:
        """What a version of the snapshot's table changed."""
        return changes(self._lake.store, snapshot.folder, version)

    def _keep(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._kept[snapshot.table, snapshot.version] = snapshot
            self._kept.move_to_end((snapshot.table, snapshot.version))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

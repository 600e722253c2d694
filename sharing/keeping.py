"""Keeping the shares as they were committed: which tables they are, which of their files nobody may ask for any more,
and how one comes back whose files are damaged.

What is wrong with a table is found by `warehouse.verify`, for shares as for any other; a share is derived, so that
what is lost of it is cut from the lake once more.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sharing.dictionary import Dictionary, dictionaries_of
from sharing.materialise import alone_with, give_up_past, needed_by_readers, refresh, refresh_dictionary
from sharing.progress import noted, standing
from sharing.pseudonyms import Keys
from sharing.shares import LAYER, Share, by_name, shares_of
from warehouse.agreements import Agreement
from warehouse.catalog import Table
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.findings import Finding, Kind
from warehouse.manifest import FOLDER
from warehouse.reland import CannotRepair

_UNTRUSTED = (Kind.MISSING_FILE, Kind.DAMAGED_FILE, Kind.UNREADABLE, Kind.DRIFTED_ROWS, Kind.LOST_COMMIT)


def every_share(lake: Lake) -> list[Table]:
    """Every table that was ever shared: by its notes, its files, its manifest or its anchor, whichever is left."""
    found = set(noted(lake))
    for folder in (f"{FOLDER}/{LAYER}", LAYER):
        found |= {f"{LAYER}.{one.path.removeprefix(f'{folder}/').split('/')[0]}" for one in lake.store.list(folder)}
    if lake.anchors is not None:
        found |= {path.name.removesuffix(".json") for path in lake.anchors.glob(f"{LAYER}.*.json")}
    return [by_name(name) for name in sorted(found)]


def vacuum(lake: Lake, table: Table, at: datetime, *, dry_run: bool = True) -> list[str]:
    """Files of a share that no reader may ask for; deleted unless `dry_run`.

    A refresh removes its own as it ends: here go those of one that was stopped. Nothing is committed. A share that
    another tool has written to is left to its next refresh.
    """
    with alone_with(lake, table.name):
        last = standing(lake, table)
        if last.version is None or last.progress is None:
            return []
        _, needed = needed_by_readers(lake, table, last.version, last.progress, at)
        folder = lake.manifest(table).folder
        unused = [path for path in lake.unneeded(table) if path.removeprefix(f"{folder}/") not in needed]
        if unused and not dry_run:
            lake.manifest(table).note_purge(last.version)
            for path in unused:
                lake.store.delete(path)
    return [path.removeprefix(f"{folder}/") for path in unused]


@dataclass(frozen=True)
class Deriving:
    """What it takes to cut a damaged share anew."""

    lake: Lake
    agreements: Callable[[], Iterable[Agreement]]
    """Asked only when a share is to be cut; raises where one of them cannot be read."""
    keys: Keys
    at: datetime

    def plan(self, table: Table, paths: Sequence[str], findings: Sequence[Finding]) -> tuple[str, Callable[[], object]]:
        """What bringing back these files of a share would do, and how; raises where it is not safe."""
        past = "its earlier versions, and its changes up to now, can no longer be read"
        if not {one.path for one in self.lake.files(table)} & set(paths):
            return f"give up {len(paths)} files of the past; {past}", lambda: self._give_up_past(table)
        made = self._made(table.name)
        source = made.source.name if isinstance(made, Share) else None
        if any(one.table == source and one.kind in _UNTRUSTED for one in findings):
            raise CannotRepair(f"{source}, which it is cut from, is damaged too; repair that first, then verify again")

        def derive() -> None:
            folder = self.lake.manifest(table).folder
            with alone_with(self.lake, table.name):
                for path in paths:  # Not set aside: a copy would outlive what is taken back from the share.
                    self.lake.store.delete(f"{folder}/{path}")
                self.lake.forget_missing(table)
            if isinstance(made, Share):
                refresh(self.lake, made.agreement, made.shared, self.keys, self.at)
            else:
                refresh_dictionary(self.lake, made, self.at)

        of = source or "its agreement"
        return f"cut {len(paths)} files anew from {of}; {past}", derive

    def _give_up_past(self, table: Table) -> None:
        with alone_with(self.lake, table.name):
            give_up_past(self.lake, table, standing(self.lake, table))

    def _made(self, name: str) -> Share | Dictionary:
        try:
            known = tuple(self.agreements())
        except BorderlakeError as error:
            raise CannotRepair(f"the agreements cannot be read: {error}") from None
        made: list[Share | Dictionary] = [*shares_of(known, self.at), *dictionaries_of(known, self.at)]
        for one in made:
            if one.name == name and one.agreement.is_in_force(self.at):
                return one
        raise CannotRepair("no agreement in force speaks of it; `borderlake share refresh --yes` takes its rows away")

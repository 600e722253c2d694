"""Repairing: for each finding what can be done safely, or why nothing can. Planned first, done only when asked.

Commits come back from the manifest, entries of the manifest from commits and files (`warehouse.mending`), checkpoints
from the commits, rows from the archive (`warehouse.reland`). What is damaged is set aside under `_damaged/`, never
lost.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from warehouse import homes
from warehouse.anchor import Anchor, set_anchor_aside, write_anchor
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, TABLES, Table
from warehouse.chain import Chain, read_chain
from warehouse.commits import checkpoint_path, commit_path, hint_path, parse_commit
from warehouse.delta import LEAST_RETENTION_DAYS, Lake
from warehouse.findings import Finding, Kind
from warehouse.manifest import FOLDER
from warehouse.mending import CannotMend, mended
from warehouse.reland import Archived, CannotRepair, Loss, lost_with, plan_rows
from warehouse.rollings import held_since
from warehouse.storage import Store

ASIDE = "_damaged"
"""Where in the lake damaged files are set aside."""
_COMMITS = (Kind.LOST_COMMIT, Kind.EMPTY_COMMIT, Kind.DAMAGED_COMMIT)
_FILES = (Kind.MISSING_FILE, Kind.DAMAGED_FILE)
_MANIFEST = (Kind.MANIFEST_CUT, Kind.MANIFEST_CHANGED)
_ANCHORS = (Kind.DAMAGED_ANCHOR, Kind.MISSING_ANCHOR, Kind.ANCHOR_BEHIND)
_ARCHIVE = (Kind.MISSING_ARCHIVE, Kind.DAMAGED_ARCHIVE, Kind.LATE_SIDECAR)
_HARMLESS = (
    *_ANCHORS,
    *_ARCHIVE,
    Kind.DAMAGED_HOME,
    Kind.ORPHAN,
    Kind.ORPHAN_ROWS,
    Kind.FOREIGN_COMMIT,
    Kind.UNACCOUNTED,
)
"""What may be found of a table whose manifest is whole to its end."""


@dataclass(frozen=True)
class Step:
    """One repair, or the reason why there is none."""

    finding: Finding
    what: str
    run: Callable[[], object] | None = None

    @property
    def is_safe(self) -> bool:
        """Whether it can be done without risk to a row."""
        return self.run is not None


Derived = Callable[[Table, Sequence[str], Sequence[Finding]], tuple[str, Callable[[], object]]]
"""What would bring back files of a table, and how; it is told all findings. Raises `CannotRepair`."""


@dataclass(frozen=True)
class Workshop:
    """What repairs need: the lake, the moment, and the archive's deliveries by their ledger row."""

    lake: Lake
    now: datetime
    archived: Archived
    tables: Mapping[str, Table] = field(default_factory=lambda: TABLES)
    derived: Derived | None = None
    """How files of tables beyond the catalog come back, which are derived from its tables; none do without it."""

    def plan(self, findings: Sequence[Finding]) -> Iterator[Step]:
        """A step a finding, in the order in which they must be done: manifests, commits, checkpoints, then rows."""
        order = [
            *_MANIFEST,
            *_COMMITS,
            Kind.REPEATED_COMMIT,
            Kind.DAMAGED_CHECKPOINT,
            Kind.UNLISTED_COMMIT,
            Kind.UNCOVERED,
            *_ANCHORS,
            *_FILES,
            Kind.DRIFTED_ROWS,
        ]
        ranked = sorted(findings, key=lambda one: order.index(one.kind) if one.kind in order else len(order))
        untrusted = {one.table for one in findings if one.kind in _MANIFEST}
        for finding in ranked:
            try:
                if finding.table in untrusted and finding.kind not in (*_MANIFEST, Kind.ORPHAN):
                    raise CannotRepair(
                        f"the manifest of {finding.table} is itself damaged; repair that first, then verify again"
                    )
                what, run = self._step(finding, findings)
                yield Step(finding, what, run)
            except (CannotRepair, CannotMend) as refusal:
                yield Step(finding, str(refusal))

    def _step(self, finding: Finding, findings: Sequence[Finding]) -> tuple[str, Callable[[], object]]:
        table = self.tables[finding.table]
        chain = read_chain(self.lake.manifest(table))
        kind = finding.kind
        if kind in _MANIFEST:
            return self._manifest(table, findings, finding)
        if kind in _ANCHORS:
            return self._anchor(table, chain, findings)
        if kind is Kind.REPEATED_COMMIT:
            return self._repeated(table, finding)
        if kind in _COMMITS:
            return self._commit(table, chain, finding)
        if kind is Kind.DAMAGED_CHECKPOINT:
            return self._checkpoint(table, chain, findings, finding)
        if kind in (Kind.UNLISTED_COMMIT, Kind.UNCOVERED):
            return "complete the manifest", lambda: self.lake.heal(table)
        if kind is Kind.DAMAGED_HOME:
            return self._home()
        if kind is Kind.ORPHAN:
            return self._orphan(table, chain, finding)
        if kind is Kind.ORPHAN_ROWS:
            return self._orphan_rows(table, findings, finding)
        if kind in _FILES:
            return self._files(table, chain, findings, finding)
        if kind is Kind.DRIFTED_ROWS and finding.batch is not None:
            if any(one.table == table.name and one.kind in _FILES for one in findings):
                raise CannotRepair("repair the table's files first, then verify again")
            return self._rows(table, Loss(table, ()), finding.batch)
        raise CannotRepair(finding.repair)

    def _manifest(
        self, table: Table, findings: Sequence[Finding], finding: Finding
    ) -> tuple[str, Callable[[], object]]:
        manifest, store = self.lake.manifest(table), self.lake.store
        of_table = [one for one in findings if one.table == table.name and one.kind in _MANIFEST]
        entries = mended(manifest)
        if not entries:
            raise CannotRepair(finding.repair)
        if finding is not of_table[0]:
            return f"together with version {of_table[0].version}", lambda: None

        def restore() -> None:
            for entry in entries:
                set_aside(store, manifest.path(entry.version))
                store.put(manifest.path(entry.version), entry.content)

        listed = ", ".join(str(entry.version) for entry in entries)
        return f"make the entries of versions {listed} again from commits and files, proven by their hashes", restore

    def _anchor(self, table: Table, chain: Chain, findings: Sequence[Finding]) -> tuple[str, Callable[[], object]]:
        anchors = self.lake.anchors
        if anchors is None or not chain.entries:
            raise CannotRepair("there is no manifest to anchor; restore the home's anchors folder from its backup")
        if any(one.table == table.name and one.kind not in _HARMLESS for one in findings):
            raise CannotRepair("repair the other findings of this table first, then verify again")
        last = chain.entries[chain.last]

        def write() -> None:
            if any(one.kind is Kind.DAMAGED_ANCHOR for one in chain.findings):
                set_anchor_aside(anchors, table.name)
            write_anchor(anchors, table.name, Anchor(last.version, last.count, last.digest))

        return f"anchor the manifest at its last entry, version {last.version}", write

    def _home(self) -> tuple[str, Callable[[], object]]:
        anchors = self.lake.anchors
        assert anchors is not None
        names = list(homes.names_in(self.lake, lambda row: self.archived(row) is not None))
        if len(names) > 1:
            raise CannotRepair("this archive holds files of several homes; restore the name from the home's backup")
        if not names:
            return "take it away: nothing in this archive landed under a name", lambda: homes.rename(anchors, None)
        return "write the name under which what is in this archive landed", lambda: homes.rename(anchors, names[0])

    def _repeated(self, table: Table, finding: Finding) -> tuple[str, Callable[[], object]]:
        assert finding.version is not None
        folder, store = self.lake.manifest(table).folder, self.lake.store
        if store.size(commit_path(folder, finding.version + 1)) is not None:
            raise CannotRepair("later commits build on it; restore a backup of the log")
        return "set the copy aside", lambda: set_aside(store, commit_path(folder, finding.version))

    def _commit(self, table: Table, chain: Chain, finding: Finding) -> tuple[str, Callable[[], object]]:
        version = finding.version
        assert version is not None
        folder, store = self.lake.manifest(table).folder, self.lake.store
        path = commit_path(folder, version)
        entry = chain.entries.get(version)
        if entry is None:
            if store.size(commit_path(folder, version + 1)) is not None:
                raise CannotRepair(
                    "the manifest does not hold this commit and later ones build on it; restore a backup"
                )
            return "set the unfinished commit aside: its writer never said it was done", lambda: set_aside(store, path)
        other = parse_commit(store.read(path) or b"")
        known = chain.known()
        stands = other is not None and any(
            one.path not in known and store.size(f"{folder}/{one.path}") == one.size for one in other.added
        )
        if stands:
            raise CannotRepair(
                "another commit has taken this version and its rows are there; restore a backup of the log"
            )

        def restore() -> None:
            set_aside(store, path)
            store.put(path, entry.commit.encode())

        return "put the commit back, byte for byte, from the manifest", restore

    def _checkpoint(
        self, table: Table, chain: Chain, findings: Sequence[Finding], finding: Finding
    ) -> tuple[str, Callable[[], object]]:
        damaged = [one for one in findings if (one.kind, one.table) == (finding.kind, table.name)]
        if finding is not damaged[0]:  # While one of them is there the table may not open.
            return "together with the checkpoint before", lambda: None
        manifest, store = self.lake.manifest(table), self.lake.store
        if chain.baseline != 0:
            needed = (commit_path(manifest.folder, version) for version in range(chain.baseline))
            if any(store.size(path) is None for path in needed):
                raise CannotRepair("the commits before the manifest's begin are gone: nothing to rebuild it from")

        def rebuild() -> None:
            for version, entry in chain.entries.items():  # Commits that the log has cleared away since.
                store.put(commit_path(manifest.folder, version), entry.commit.encode())
            for version in (one.version for one in damaged if one.version is not None):
                set_aside(store, checkpoint_path(manifest.folder, version))
                store.delete(manifest.checkpoint_note(version))
            store.delete(hint_path(manifest.folder))
            self.lake.checkpoint(table)

        return "rebuild the checkpoint from the commits", rebuild

    def _orphan(self, table: Table, chain: Chain, finding: Finding) -> tuple[str, Callable[[], object]]:
        path = str(finding.path)
        if not path.startswith(f"{FOLDER}/"):
            path = f"{self.lake.manifest(table).folder}/{path}"
            digest = self.lake.store.sha256(path)
            if any(entry.commit_sha256 == digest for entry in chain.entries.values()):
                return "set the copy of a commit aside", lambda: set_aside(self.lake.store, path)
        young = [
            found
            for found in self.lake.store.list(path.rsplit("/", 1)[0])
            if found.path == path and found.modified_at > self.now - timedelta(days=LEAST_RETENTION_DAYS)
        ]
        if young:
            raise CannotRepair(f"younger than {LEAST_RETENTION_DAYS} days: a writer may yet commit it; wait")
        return "remove the orphan", lambda: self.lake.store.delete(path)

    def _orphan_rows(
        self, table: Table, findings: Sequence[Finding], finding: Finding
    ) -> tuple[str, Callable[[], object]]:
        batch = str(finding.batch)
        if any(one.table == table.name and one.kind not in _HARMLESS for one in findings):
            raise CannotRepair("repair the other findings of this table first, then verify again")
        if not held_since(self.lake, table, batch, self.now - timedelta(days=LEAST_RETENTION_DAYS)):
            raise CannotRepair(f"younger than {LEAST_RETENTION_DAYS} days: a rolling may yet come to its end; wait")
        return f"remove {finding.detail}", lambda: self.lake.remove_batches(table, [batch])

    def _files(
        self, table: Table, chain: Chain, findings: Sequence[Finding], finding: Finding
    ) -> tuple[str, Callable[[], object]]:
        derived = self.derived if table.name not in TABLES else None
        mendable = chain.live() if derived is None else chain.known()
        if finding.path not in mendable:
            if finding.path in chain.known():
                raise CannotRepair(
                    "only older versions of the table have this file; `borderlake vacuum --yes` removes it in time"
                )
            raise CannotRepair("its commit never came into the manifest; restore the file from a backup")
        # All damaged files of a table are one repair: the rows of each are known only when all are set aside.
        damaged = [one.path for one in findings if one.table == table.name and one.kind in _FILES]
        paths = tuple(sorted({path for path in damaged if path in mendable}))
        if derived is not None:
            what, run = derived(table, paths, findings)
        else:
            what, run = self._rows(table, lost_with(self.lake, table, chain, paths), None)
        return (what, run) if finding.path == paths[0] else (f"together with {paths[0]}", lambda: None)

    def _rows(self, table: Table, loss: Loss, batch: str | None) -> tuple[str, Callable[[], object]]:
        if table not in (*BRONZE.values(), *QUARANTINE.values()):
            if table is LEDGER:
                raise CannotRepair("the ledger says what every other table should hold: restore the file from a backup")
            raise CannotRepair(
                f"{table.name} is not landed from the archive: restore the file from a backup, or make the table anew "
                "from the tables before it"
            )
        rows = plan_rows(self.lake, loss, self.archived, batch)

        def reland() -> None:
            for path in loss.paths:
                set_aside(self.lake.store, f"{self.lake.manifest(table).folder}/{path}")
            if loss.paths:
                self.lake.forget_missing(table)
            missing = plan_rows(self.lake, Loss(table, ()), self.archived, batch)  # As the table is now.
            if missing.height:
                self.lake.append(table, missing, facts={"borderlake.step": "repair"})

        batches = rows["batch_id"].n_unique()
        return f"land {rows.height:,} rows of {batches} batches again from the archive", reland


def set_aside(store: Store, path: str) -> None:
    """Move a damaged file out of the way, where a person can still look at it."""
    content = store.read(path)
    if content is not None:
        store.put(f"{ASIDE}/{path}", content, replace=True)
        store.delete(path)

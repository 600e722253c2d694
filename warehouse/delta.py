"""The lake's Delta tables: the only module that imports deltalake.

Writes replay safely. A batch is recorded as a Delta application transaction of the commit that writes it; an
append leaves out the batches the table already holds, and a replacement rewrites whole days. Conflicting
writers reload and try again. No call returns before its commit is durable and in the table's manifest, and none
writes to a table whose last commit is not the one that was made.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import polars as pl
from deltalake import (
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake import (
    Schema as DeltaSchema,
)
from deltalake._internal import DeltaFileSystemHandler
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from warehouse import datafiles
from warehouse.catalog import Table
from warehouse.commits import LOG, MARK, Added
from warehouse.datafiles import DataFile
from warehouse.errors import BorderlakeError, TableDamaged, WriteConflict, silenced
from warehouse.manifest import Manifest
from warehouse.snapshots import LiveFile, Snapshot
from warehouse.storage import Disk, ObjectStore, Store, telling_full_disk
from warehouse.writers import Writers

_ATTEMPTS = 12
_TRANSACTION = 1
LEAST_RETENTION_DAYS = 7
"""A shorter vacuum deletes files that a concurrent writer is about to commit."""
_WRITER = WriterProperties(compression="ZSTD", compression_level=1)
_TELLING_NO_ROW = (BorderlakeError, pl.exceptions.ColumnNotFoundError, MemoryError)
"""What may be raised from a write as it is; a missing column is told by its name."""


@dataclass(frozen=True)
class Upon:
    """Rows that depend on the table as it is when they are written."""

    make: Callable[[pl.LazyFrame], pl.DataFrame]


@dataclass(frozen=True)
class Lake:
    """Tables under one root URL (a folder, or any S3-compatible store)."""

    root: str
    storage_options: Mapping[str, str] = field(default_factory=dict)
    anchors: Path | None = None
    """Folder outside the lake that remembers the ends of the manifests."""

    def uri(self, table: Table) -> str:
        return f"{self.root.rstrip('/')}/{table.name.replace('.', '/', 1)}"

    @cached_property
    def store(self) -> Store:
        """The lake's files as they lie."""
        if self._is_local:
            return Disk(Path(unquote(self.root.removeprefix("file://"))))
        return ObjectStore(DeltaFileSystemHandler(self.root, dict(self.storage_options), None))

    @cached_property
    def writers(self) -> Writers:
        """Who writes to the lake from this home."""
        return Writers(self.anchors)

    @property
    def _is_local(self) -> bool:
        return "://" not in self.root or self.root.startswith("file://")

    def manifest(self, table: Table) -> Manifest:
        """The hashes of everything that was committed to a table."""
        return Manifest(self.store, table.name, table.name.replace(".", "/", 1), self.anchors)

    def version(self, table: Table) -> int | None:
        """The table's latest version; None while it does not exist."""
        opened = self._open(table)
        return None if opened is None else opened.version()

    def scan(self, table: Table, version: int | datetime | None = None) -> pl.LazyFrame:
        """The table's rows, lazily; no rows while it does not exist."""
        opened = self._open(table)
        if opened is None:
            return table.empty().lazy()
        if version is not None:
            opened.load_as_version(version)
        return pl.scan_delta(opened).with_columns(
            pl.lit(None, dtype=dtype).alias(name) for name, dtype in _added(table, opened).items()
        )

    def snapshot(self, table: Table, version: int | None = None) -> Snapshot | None:
        """The files of a version (default: the latest); None where there is no such table or version."""
        opened = self._open(table)
        if opened is None:
            return None
        if version is not None and version != opened.version():
            try:
                opened.load_as_version(version)
            except DeltaError:  # Not made yet, or no longer in the log.
                return None
        metadata, protocol = opened.metadata(), opened.protocol()
        return Snapshot(
            table=table.name,
            folder=self.manifest(table).folder,
            version=opened.version(),
            table_id=str(metadata.id),
            schema=opened.schema().to_json(),
            partition_by=tuple(metadata.partition_columns),
            configuration={key: str(value) for key, value in metadata.configuration.items()},
            created_ms=metadata.created_time,
            reader_version=protocol.min_reader_version,
            writer_version=protocol.min_writer_version,
            files=tuple(_live_files(opened, metadata.partition_columns)),
        )

    def append(
        self,
        table: Table,
        frame: pl.DataFrame | Iterator[pl.DataFrame] | Upon,
        *,
        batches: Sequence[str] = (),
        facts: Mapping[str, str] | None = None,
    ) -> int:
        """Append rows and return the version; rows of batches the table already holds are left out.

        With `batches`, `frame` has a `batch_id` column. Frames of one batch are written as they come, in one commit;
        what they raise ends the write, and none is taken where the table holds the batch. `Upon` makes the rows from
        the table that they are written upon.

        Safe against a second writer of the same batches: the check and the write share one snapshot, so the loser's
        commit conflicts and it looks again.
        """

        self._fit(table)
        store, folder = self.store, self.manifest(table).folder
        drafts: dict[tuple[str, ...], list[DataFile]] = {}  # Written once, however often the commit is tried.
        hashes: dict[str, str] = {}

        def write(opened: DeltaTable, head: str) -> None:
            missing = tuple(batch for batch in batches if opened.transaction_version(batch) is None)
            if batches and not missing:
                return
            if isinstance(frame, Upon):
                self._remove_drafts(table, drafts.pop(missing, []))  # Of another moment.
            if missing not in drafts:
                rows = frame.make(pl.scan_delta(opened)) if isinstance(frame, Upon) else frame
                frames = rows if isinstance(rows, Iterator) else iter((_only(rows, missing) if batches else rows,))
                drafts[missing] = datafiles.write(store, folder, table, frames)
                hashes.update((file.path, file.sha256) for file in drafts[missing])
            opened.create_write_transaction(
                [_add_action(file) for file in drafts[missing]],
                "append",
                opened.schema(),
                list(table.partition_by),
                commit_properties=_properties(head, facts, missing, is_retried_here=True),
            )
            del drafts[missing]
            opened.update_incremental()

        try:
            return self._retried(table, write, hashes)
        finally:
            self._remove_drafts(table, [file for files in drafts.values() for file in files])

    def replace_days(
        self, table: Table, frame: pl.DataFrame, days: Sequence[date], *, facts: Mapping[str, str] | None = None
    ) -> int:
        """Make `frame` the table's rows of `days` (its partition column) and return the version."""
        column = table.partition_by[0]
        listed = ", ".join(f"'{day.isoformat()}'" for day in sorted(days))

        def write(opened: DeltaTable, head: str) -> None:
            write_deltalake(
                opened,
                table.shape(frame),
                mode="overwrite",
                predicate=f"{column} IN ({listed})",
                writer_properties=_WRITER,
                commit_properties=_properties(head, facts),
            )

        if not days:
            return self.version(table) or 0
        self._fit(table)
        return self._retried(table, write)

    def exchange(
        self,
        table: Table,
        files: Sequence[DataFile],
        gone: Sequence[Added | DataFile],
        at: datetime,
        *,
        is_change: bool = True,
        facts: Mapping[str, str] | None = None,
    ) -> int:
        """Put data files of `datafiles.write` in the place of others, in one commit, and return the version.

        The change feed tells of the rows of both as a whole; without `is_change` of none, for then they are the same
        rows. Raises `WriteConflict` where another writer has taken one of the others away.
        """
        gone_ms = int(at.timestamp() * 1000)

        def write(opened: DeltaTable, head: str) -> None:
            if {one.path for one in gone} - {one.path for one in _live(opened)}:
                raise WriteConflict(f"{table.name}: another writer has changed it meanwhile; run the step again")
            opened.create_write_transaction(
                [
                    *(RemoveAction(quote(one.path, safe="/="), is_change, gone_ms, one.size, {}) for one in gone),
                    *(_add_action(file, is_change=is_change) for file in files),
                ],
                "append",
                opened.schema(),
                [],
                commit_properties=_properties(head, facts, is_retried_here=True),
            )
            opened.update_incremental()

        return self._retried(table, write, {file.path: file.sha256 for file in files})

    def renew(self, table: Table, files: Sequence[DataFile], *, facts: Mapping[str, str] | None = None) -> int:
        """Make data files all that a table without partitions holds, and its columns those declared; the version."""

        def write(opened: DeltaTable, head: str) -> None:
            opened.create_write_transaction(
                [_add_action(file) for file in files],
                "overwrite",
                _declared(table),
                [],
                commit_properties=_properties(head, facts, is_retried_here=True),
            )
            opened.update_incremental()

        return self._retried(table, write, {file.path: file.sha256 for file in files})

    def files(self, table: Table) -> list[Added]:
        """The data files of the latest version; none while the table does not exist."""
        opened = self._open(table)
        return [] if opened is None else _live(opened)

    def is_as_declared(self, table: Table) -> bool:
        """Whether the table exists with the columns and types that are declared, and no others."""
        opened = self._open(table)
        held = [] if opened is None else [(one.name, one.type) for one in opened.schema().fields]
        return held == [(one.name, one.type) for one in _declared(table).fields]

    def remove_batches(self, table: Table, batches: Sequence[str]) -> int:
        """Delete the rows of batches (by `batch_id`) and return the version; files without one are not read.

        That the table held them stays on record: an append leaves them out as before.
        """
        listed = ", ".join(f"'{batch}'" for batch in sorted(batches))
        if not batches or self.version(table) is None:
            return self.version(table) or 0
        return self._retried(
            table,
            lambda opened, head: opened.delete(
                f"batch_id IN ({listed})", writer_properties=_WRITER, commit_properties=_properties(head, None)
            ),
        )

    def overwrite(self, table: Table, frame: pl.DataFrame, *, facts: Mapping[str, str] | None = None) -> int:
        """Make `frame` all the rows of a table without partitions; returns the version."""

        def write(opened: DeltaTable, head: str) -> None:
            properties = _properties(head, facts)
            write_deltalake(
                opened,
                table.shape(frame),
                mode="overwrite",
                writer_properties=_WRITER,
                commit_properties=properties,
            )

        return self._retried(table, write)

    def unneeded(self, table: Table) -> list[str]:
        """Files in a table's folder, but its log, that its latest version does not need: old ones, the change feed's
        and orphans. Within the store."""
        opened = self._open(table)
        folder = table.name.replace(".", "/", 1)
        added = [] if opened is None else _live(opened)
        live = {f"{folder}/{path}" for one in added for path in (one.path, unquote(one.path))}
        log = f"{folder}/{LOG}/"
        return [one.path for one in self.store.list(folder) if one.path not in live and not one.path.startswith(log)]

    def compact(self, table: Table) -> int:
        """Join small files; the rows stay the same. Returns the version."""
        return self._retried(
            table,
            lambda opened, head: opened.optimize.compact(
                writer_properties=_WRITER, commit_properties=_properties(head, None)
            ),
        )

    def vacuum(self, table: Table, days: int, *, dry_run: bool = True) -> list[str]:
        """Files that no version of the last `days` needs, orphans too; deleted unless `dry_run`."""
        if days < LEAST_RETENTION_DAYS:
            raise BorderlakeError(
                f"vacuum keeps at least {LEAST_RETENTION_DAYS} days, not {days}: a shorter one deletes files that "
                f"writers and readers still use; choose --days {LEAST_RETENTION_DAYS} or more"
            )
        unused: list[str] = []

        def clean(opened: DeltaTable, head: str) -> None:
            properties = _properties(head, None)
            unused[:] = opened.vacuum(days * 24, dry_run=dry_run, full=True, commit_properties=properties)

        if self.version(table) is not None:
            self._retried(table, clean)
        return unused

    def forget_missing(self, table: Table) -> int:
        """Take files that are not there out of the table, so that the rest can be read; returns the version."""
        return self._retried(table, lambda opened, head: opened.repair(commit_properties=_properties(head, None)))

    def checkpoint(self, table: Table) -> None:
        """Write a checkpoint of the latest version."""
        opened = self.ensure(table)
        opened.create_checkpoint()
        self.manifest(table).note_checkpoint(opened.version())

    def heal(self, table: Table) -> None:
        """Bring the manifest up to the table: what a writer does that was stopped after its commit."""
        opened = self._open(table)
        if opened is not None:
            self._cover(table, opened)

    def ensure(self, table: Table) -> DeltaTable:
        """The table, created with its properties if it does not exist."""
        opened = self._open(table)
        if opened is not None:
            return opened
        if self.manifest(table).has_begun():
            opened = self._open(table)  # Another writer has just made it, or it is lost.
            if opened is None:
                raise TableDamaged(f"{table.name}: its log is gone, its manifest is not; run `borderlake verify`")
            return opened
        self._make_folder(table)
        try:
            made = DeltaTable.create(
                self.uri(table),
                table.dtypes,
                mode="ignore",
                name=table.name,
                description=table.description,
                partition_by=list(table.partition_by) or None,
                configuration={
                    "delta.enableChangeDataFeed": "true",
                    "delta.dataSkippingStatsColumns": ",".join(table.bounded),
                },
                storage_options=dict(self.storage_options),
                commit_properties=_properties("", None),
            )
        except CommitFailedError:
            opened = self._open(table)  # Another writer made it at the same moment.
            if opened is None:
                raise
            made = opened
        self._cover(table, made)
        return made

    def commits(self, table: Table, limit: int = 20) -> list[dict[str, Any]]:
        """Latest commits of a table, newest first."""
        opened = self._open(table)
        return [] if opened is None else opened.history(limit)

    def size(self, table: Table) -> tuple[int, int, int]:
        """Rows, files and bytes of the latest version."""
        opened = self._open(table)
        if opened is None:
            return 0, 0, 0
        actions = pl.DataFrame(opened.get_add_actions(flatten=True))
        return int(actions["num_records"].sum()), actions.height, int(actions["size_bytes"].sum())

    def _open(self, table: Table) -> DeltaTable | None:
        try:
            return DeltaTable(self.uri(table), storage_options=dict(self.storage_options))
        except TableNotFoundError:
            return None

    def _fit(self, table: Table) -> None:
        """Give the table the columns that a release has added; raises where a column has become another type."""
        with telling_full_disk(table.name):
            held = {one.name: one for one in self.ensure(table).schema().fields}
        declared = _declared(table).fields
        changed = [one.name for one in declared if one.name in held and one.type != held[one.name].type]
        if changed:
            raise BorderlakeError(
                f"{table.name}: {', '.join(changed)} has another type in the lake than in this release; nothing was "
                "written: land into a new lake from the archive, or stay on the release that made the table"
            )
        added = [one for one in declared if one.name not in held]
        if added:
            self._retried(
                table,
                lambda opened, head: opened.alter.add_columns(added, commit_properties=_properties(head, None)),
            )

    def _make_folder(self, table: Table) -> None:
        if "://" not in self.root:
            Path(self.uri(table)).mkdir(parents=True, exist_ok=True)

    def _retried(
        self, table: Table, write: Callable[[DeltaTable, str], object], hashes: Mapping[str, str] | None = None
    ) -> int:
        for attempt in range(_ATTEMPTS):
            opened, head = self._sound(table)
            with self.writers.among():
                try:
                    with telling_full_disk(table.name):
                        write(opened, head)
                except CommitFailedError:
                    time.sleep(random.uniform(0.01, 0.05) * 2 ** min(attempt, 5))
                    continue
                except (*_TELLING_NO_ROW, KeyboardInterrupt, SystemExit):
                    raise
                except BaseException as error:  # A broken constraint prints the row, and so does a panic.
                    if isinstance(error, OSError) and error.errno is not None:  # The system's own.
                        raise
                    raise silenced(error, f"writing to {table.name}") from None
                with telling_full_disk(table.name):
                    self._cover(table, opened, hashes)
                return opened.version()
        raise WriteConflict(f"{table.name}: other writers kept committing; run the step again")

    def _sound(self, table: Table) -> tuple[DeltaTable, str]:
        """The table and its manifest's head; raises where its last commit is lost or damaged."""
        opened, manifest = self.ensure(table), self.manifest(table)
        while True:
            try:
                head = manifest.check_head(opened.version())
                if head or not manifest.versions():
                    return opened, head
                self._cover(table, opened)  # A writer stopped before its entry, or is about to write it.
                return opened, manifest.check_head(opened.version())
            except TableDamaged:
                before, opened = opened.version(), self.ensure(table)
                if opened.version() <= before:  # Else another writer was only faster.
                    raise

    def _remove_drafts(self, table: Table, drafts: Sequence[DataFile]) -> None:
        """Delete files of an append that failed; a commit may stand although its writer was told otherwise."""
        if not drafts:
            return
        opened = self._open(table)
        named = {added.path for added in _live(opened)} if opened is not None else set()
        datafiles.remove(self.store, self.manifest(table).folder, [file for file in drafts if file.path not in named])

    def _cover(self, table: Table, opened: DeltaTable, hashes: Mapping[str, str] | None = None) -> None:
        """Make the commits up to this version durable, and part of the manifest."""
        manifest = self.manifest(table)
        manifest.complete(opened.version(), lambda: _live(opened), hashes)
        manifest.note_checkpoint(opened.version())


def _declared(table: Table) -> DeltaSchema:
    """The table's columns as Delta types."""
    return DeltaSchema.from_arrow(table.empty().to_arrow().schema)


def _added(table: Table, opened: DeltaTable) -> dict[str, pl.DataType]:
    """Columns that the table was declared to have after it was made."""
    there = {field.name for field in opened.schema().fields}
    return {name: dtype for name, dtype in table.dtypes.items() if name not in there}


def _live(opened: DeltaTable) -> list[Added]:
    actions = pl.DataFrame(opened.get_add_actions(flatten=True)).select("path", "size_bytes", "num_records")
    return [Added(*row) for row in actions.iter_rows()]


def _live_files(opened: DeltaTable, partition_by: Sequence[str]) -> Iterator[LiveFile]:
    actions = pl.DataFrame(opened.get_add_actions(flatten=True))
    values = [f"partition.{name}" for name in partition_by]
    wanted = actions.select("path", "size_bytes", "num_records", "modification_time", *values)
    for path, size, rows, modified_ms, *partition in wanted.iter_rows():
        texts = [None if value is None else str(value) for value in partition]
        yield LiveFile(unquote(path), size, rows or 0, modified_ms, dict(zip(partition_by, texts, strict=True)))


def _only(frame: pl.DataFrame, batches: Sequence[str]) -> pl.DataFrame:
    return frame.filter(pl.col("batch_id").is_in(batches))


def _add_action(file: DataFile, *, is_change: bool = True) -> AddAction:
    path = quote(file.path, safe="/=")
    modified_ms = int(file.modified_at.timestamp() * 1000)
    return AddAction(path, file.size, file.partition, modified_ms, data_change=is_change, stats=file.stats)


def _properties(
    head: str, facts: Mapping[str, str] | None, batches: Sequence[str] = (), *, is_retried_here: bool = False
) -> CommitProperties:
    return CommitProperties(
        custom_metadata={MARK: head, **(facts or {})},
        max_commit_retries=0 if is_retried_here else None,
        app_transactions=[Transaction(batch, _TRANSACTION) for batch in batches] or None,
    )

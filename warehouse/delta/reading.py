"""Tables as they are: versions, rows, files, commits. Nothing here writes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable
from deltalake import Schema as DeltaSchema
from deltalake._internal import DeltaFileSystemHandler
from deltalake.exceptions import DeltaError, TableNotFoundError

from warehouse.catalog import Table
from warehouse.commits import LOG, Added
from warehouse.manifest import Manifest
from warehouse.snapshots import LiveFile, Snapshot
from warehouse.storage import Disk, ObjectStore, Store
from warehouse.writers import Writers


@dataclass(frozen=True)
class Reading:
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
            files=tuple(live_files(opened)),
        )

    def files(self, table: Table) -> list[Added]:
        """The data files of the latest version; none while the table does not exist."""
        opened = self._open(table)
        return [] if opened is None else added_files(opened)

    def is_as_declared(self, table: Table) -> bool:
        """Whether the table exists with the columns and types that are declared, and no others."""
        opened = self._open(table)
        held = [] if opened is None else [(one.name, one.type) for one in opened.schema().fields]
        return held == [(one.name, one.type) for one in declared_schema(table).fields]

    def unneeded(self, table: Table) -> list[str]:
        """Files in a table's folder, but its log, that its latest version does not need: old ones, the change feed's
        and orphans. Within the store."""
        opened = self._open(table)
        folder = table.name.replace(".", "/", 1)
        added = [] if opened is None else added_files(opened)
        live = {f"{folder}/{path}" for one in added for path in (one.path, unquote(one.path))}
        log = f"{folder}/{LOG}/"
        return [one.path for one in self.store.list(folder) if one.path not in live and not one.path.startswith(log)]

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


def declared_schema(table: Table) -> DeltaSchema:
    """The table's columns as Delta types."""
    return DeltaSchema.from_arrow(table.empty().to_arrow().schema)


def _added(table: Table, opened: DeltaTable) -> dict[str, pl.DataType]:
    """Columns that the table was declared to have after it was made."""
    there = {field.name for field in opened.schema().fields}
    return {name: dtype for name, dtype in table.dtypes.items() if name not in there}


def added_files(opened: DeltaTable) -> list[Added]:
    """The data files of a version, as its log names them."""
    actions = pl.DataFrame(opened.get_add_actions(flatten=True)).select("path", "size_bytes", "num_records")
    return [Added(*row) for row in actions.iter_rows()]


def live_files(opened: DeltaTable) -> Iterator[LiveFile]:
    """The data files of a version, as they lie in the table's folder."""
    actions = pl.DataFrame(opened.get_add_actions(flatten=True))
    partition_by = opened.metadata().partition_columns
    values = [f"partition.{name}" for name in partition_by]
    wanted = actions.select("path", "size_bytes", "num_records", "modification_time", *values)
    for path, size, rows, modified_ms, *partition in wanted.iter_rows():
        texts = [None if value is None else str(value) for value in partition]
        yield LiveFile(unquote(path), size, rows or 0, modified_ms, dict(zip(partition_by, texts, strict=True)))

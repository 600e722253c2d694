"""Tables kept small and whole: compaction, vacuum, files that are lost."""

import contextlib
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from deltalake import DeltaTable

from warehouse import datafiles
from warehouse.catalog import Table
from warehouse.datafiles import DataFile
from warehouse.delta.committing import commit_properties, telling_no_row
from warehouse.delta.writing import Writing
from warehouse.errors import BorderlakeError, TableDamaged, WriteConflict
from warehouse.snapshots import LiveFile

LEAST_RETENTION_DAYS = 7
"""A shorter vacuum deletes files that a concurrent writer is about to commit."""
_COMPACTIONS = 3
"""Tries of a compaction whose files another writer takes away meanwhile."""


@dataclass(frozen=True)
class Keeping(Writing):
    """Tables that can be tidied; their rows stay the same."""

    def small_files(self, table: Table) -> list[list[LiveFile]]:
        """Files that are worth joining, by partition: several of less than half of what a file is made to hold."""
        snapshot = self.snapshot(table)
        by_partition: dict[tuple[str | None, ...], list[LiveFile]] = {}
        for one in sorted(snapshot.files if snapshot else (), key=lambda file: (file.modified_ms, file.path)):
            if one.rows < datafiles.FILE_ROWS // 2:
                by_partition.setdefault(tuple(one.partition.values()), []).append(one)
        return [together for together in by_partition.values() if len(together) > 1]

    def compact(self, table: Table, at: datetime) -> int:
        """Join the small files of each partition and return the version; rows, and what the change feed tells, stay.

        `at` is now: of the joined files vacuum then keeps what earlier versions need. Raises `TableDamaged` where a
        file is not what was committed: a damaged one must not get a sound hash; `BorderlakeError` where one holds a
        column that is no longer declared. The library's own compaction is not used, for it lets two at once stand, and
        every row twice.
        """
        for _ in range(_COMPACTIONS - 1):
            with contextlib.suppress(WriteConflict):
                return self._join(table, at)
        return self._join(table, at)

    def _join(self, table: Table, at: datetime) -> int:
        with self.writers.among(), telling_no_row(table):
            small = self.small_files(table)
            if not small:
                return self.version(table) or 0
            self.heal(table)  # The entry of the latest commit may not be written yet.
            manifest, gone, made = self.manifest(table), [one for files in small for one in files], list[DataFile]()
            hashes = manifest.hashes({one.path for one in gone})
            try:
                for files in small:
                    made += datafiles.write(self.store, manifest.folder, table, self._read(table, files, hashes))
                return self.exchange(table, made, gone, at, is_change=False)
            except BaseException:
                self._remove_drafts(table, made)
                raise

    def _read(self, table: Table, files: Sequence[LiveFile], hashes: Mapping[str, str]) -> Iterator[pl.DataFrame]:
        """The rows of each file, as the table's columns are declared today."""
        for one in files:
            content = self.store.read(f"{self.manifest(table).folder}/{one.path}") or b""
            if hashlib.sha256(content).hexdigest() != hashes.get(one.path):
                raise TableDamaged(
                    f"{table.name}: a file is missing or not what was committed ({one.path}); run `borderlake verify`"
                )
            rows, dtypes = pl.read_parquet(io.BytesIO(content)), table.dtypes
            if unknown := sorted(set(rows.columns) - set(dtypes)):
                raise BorderlakeError(
                    f"{table.name}: files hold {', '.join(unknown)}, which this release does not declare and joining "
                    "would lose; nothing was changed: join files with the release that wrote them"
                )
            partition = {name: datafiles.partition_value(text, dtypes[name]) for name, text in one.partition.items()}
            told = dict.fromkeys(set(dtypes) - set(rows.columns)) | partition
            yield table.shape(
                rows.with_columns(pl.lit(value, dtypes[name]).alias(name) for name, value in told.items())
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
            made = commit_properties(head, None)
            unused[:] = opened.vacuum(days * 24, dry_run=dry_run, full=True, commit_properties=made)

        if self.version(table) is not None:
            self._retried(table, clean)
        return unused

    def forget_missing(self, table: Table) -> int:
        """Take files that are not there out of the table, so that the rest can be read; returns the version."""
        return self._retried(table, lambda opened, head: opened.repair(commit_properties=commit_properties(head, None)))

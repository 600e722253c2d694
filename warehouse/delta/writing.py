"""Rows and data files into a table.

Writes replay safely. A batch is recorded as a Delta application transaction of the commit that writes it; an append
leaves out the batches the table already holds, and a replacement rewrites whole days.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

import polars as pl
from deltalake import DeltaTable
from deltalake import Schema as DeltaSchema
from deltalake.transaction import AddAction, RemoveAction

from warehouse import datafiles
from warehouse.catalog import Table
from warehouse.commits import Added
from warehouse.datafiles import DataFile
from warehouse.delta.committing import WRITER, Committing, commit_properties, telling_no_row
from warehouse.delta.reading import added_files, declared_schema, live_files
from warehouse.errors import WriteConflict
from warehouse.snapshots import LiveFile

Partitions = list[tuple[str, str, list[str]]]
"""Column, operator and values, as deltalake filters partitions."""


@dataclass(frozen=True)
class Upon:
    """Rows that depend on the table as it is when they are written."""

    make: Callable[[pl.LazyFrame], pl.DataFrame]


@dataclass(frozen=True)
class Writing(Committing):
    """Tables whose rows can be added, replaced and taken away."""

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
                commit_properties=commit_properties(head, facts, missing, is_retried_here=True),
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
        if not days:
            return self.version(table) or 0
        of_days = [(table.partition_by[0], "in", sorted(day.isoformat() for day in days))]
        return self._put(table, frame, of_days, facts)

    def overwrite(self, table: Table, frame: pl.DataFrame, *, facts: Mapping[str, str] | None = None) -> int:
        """Make `frame` all the rows of a table without partitions; returns the version."""
        return self._put(table, frame, None, facts)

    def exchange(
        self,
        table: Table,
        files: Sequence[DataFile],
        gone: Sequence[Added | DataFile | LiveFile],
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
            live = {one.path: one.partition for one in live_files(opened)}
            if not {one.path for one in gone} <= live.keys():
                raise WriteConflict(f"{table.name}: another writer has changed it meanwhile; run the step again")
            opened.create_write_transaction(
                [
                    *(_remove_action(one, live[one.path], gone_ms, is_change) for one in gone),
                    *(_add_action(file, is_change=is_change) for file in files),
                ],
                "append",
                opened.schema(),
                list(table.partition_by),
                commit_properties=commit_properties(head, facts, is_retried_here=True),
            )
            opened.update_incremental()

        return self._retried(table, write, {file.path: file.sha256 for file in files})

    def renew(self, table: Table, files: Sequence[DataFile], *, facts: Mapping[str, str] | None = None) -> int:
        """Make data files all that a table without partitions holds, and its columns those declared; the version."""
        return self._in_place(table, files, None, facts, declared_schema(table))

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
                f"batch_id IN ({listed})", writer_properties=WRITER, commit_properties=commit_properties(head, None)
            ),
        )

    def _put(self, table: Table, frame: pl.DataFrame, of: Partitions | None, facts: Mapping[str, str] | None) -> int:
        """Make `frame` all that partitions hold; None: all that the table holds."""
        self._fit(table)
        with self.writers.among():
            with telling_no_row(table):
                files = datafiles.write(self.store, self.manifest(table).folder, table, iter([frame]))
            try:
                return self._in_place(table, files, of, facts)
            except BaseException:
                self._remove_drafts(table, files)
                raise

    def _in_place(
        self,
        table: Table,
        files: Sequence[DataFile],
        of: Partitions | None,
        facts: Mapping[str, str] | None,
        schema: DeltaSchema | None = None,
    ) -> int:
        """Commit data files in the place of all that partitions, or the table, hold.

        What was committed since the table was looked at must not stand beside them, so the library is not to try again
        by itself: it would keep the rows of an append, and the file that a compaction has made.
        """

        def write(opened: DeltaTable, head: str) -> None:
            opened.create_write_transaction(
                [_add_action(file) for file in files],
                "overwrite",
                schema or opened.schema(),
                list(table.partition_by),
                of,
                commit_properties=commit_properties(head, facts, is_retried_here=True),
            )
            opened.update_incremental()

        return self._retried(table, write, {file.path: file.sha256 for file in files})

    def _remove_drafts(self, table: Table, drafts: Sequence[DataFile]) -> None:
        """Delete files of a write that failed; a commit may stand although its writer was told otherwise."""
        if not drafts:
            return
        opened = self._open(table)
        named = {added.path for added in added_files(opened)} if opened is not None else set()
        datafiles.remove(self.store, self.manifest(table).folder, [file for file in drafts if file.path not in named])


def _only(frame: pl.DataFrame, batches: Sequence[str]) -> pl.DataFrame:
    return frame.filter(pl.col("batch_id").is_in(batches))


def _remove_action(
    file: Added | DataFile | LiveFile, partition: Mapping[str, str | None], gone_ms: int, is_change: bool
) -> RemoveAction:
    return RemoveAction(quote(file.path, safe="/="), is_change, gone_ms, file.size, dict(partition))


def _add_action(file: DataFile, *, is_change: bool = True) -> AddAction:
    path = quote(file.path, safe="/=")
    modified_ms = int(file.modified_at.timestamp() * 1000)
    return AddAction(path, file.size, file.partition, modified_ms, data_change=is_change, stats=file.stats)

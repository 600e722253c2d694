"""How anything is committed: durable and in the table's manifest before a call returns, upon a sound table, and tried
again where another writer was first.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties
from deltalake.exceptions import CommitFailedError

from warehouse.catalog import Table
from warehouse.commits import MARK
from warehouse.delta.reading import Reading, added_files, declared_schema
from warehouse.errors import BorderlakeError, TableDamaged, WriteConflict, silenced
from warehouse.storage import telling_full_disk

_ATTEMPTS = 12
_TRANSACTION = 1
WRITER = WriterProperties(compression="ZSTD", compression_level=1)
_TELLING_NO_ROW = (BorderlakeError, pl.exceptions.ColumnNotFoundError, MemoryError)
"""What may be raised from a write as it is; a missing column is told by its name."""


@dataclass(frozen=True)
class Committing(Reading):
    """Tables that can be made and committed to."""

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
                commit_properties=commit_properties("", None),
            )
        except CommitFailedError:
            opened = self._open(table)  # Another writer made it at the same moment.
            if opened is None:
                raise
            made = opened
        self._cover(table, made)
        return made

    def heal(self, table: Table) -> None:
        """Bring the manifest up to the table: what a writer does that was stopped after its commit."""
        opened = self._open(table)
        if opened is not None:
            self._cover(table, opened)

    def checkpoint(self, table: Table) -> None:
        """Write a checkpoint of the latest version."""
        opened = self.ensure(table)
        opened.create_checkpoint()
        self.manifest(table).note_checkpoint(opened.version())

    def _fit(self, table: Table) -> None:
        """Give the table the columns that a release has added; raises where a column has become another type."""
        with telling_full_disk(table.name):
            held = {one.name: one for one in self.ensure(table).schema().fields}
        declared = declared_schema(table).fields
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
                lambda opened, head: opened.alter.add_columns(added, commit_properties=commit_properties(head, None)),
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
                    with telling_no_row(table):
                        write(opened, head)
                except CommitFailedError:
                    time.sleep(random.uniform(0.01, 0.05) * 2 ** min(attempt, 5))
                    continue
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

    def _cover(self, table: Table, opened: DeltaTable, hashes: Mapping[str, str] | None = None) -> None:
        """Make the commits up to this version durable, and part of the manifest."""
        manifest = self.manifest(table)
        manifest.complete(opened.version(), lambda: added_files(opened), hashes)
        manifest.note_checkpoint(opened.version())


@contextlib.contextmanager
def telling_no_row(table: Table) -> Iterator[None]:
    """Write here: what a library says when it fails may hold a row, so only where and how it failed is told."""
    try:
        with telling_full_disk(table.name):
            yield
    except (*_TELLING_NO_ROW, CommitFailedError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # A broken constraint prints the row, and so does a panic.
        if isinstance(error, OSError) and error.errno is not None:  # The system's own.
            raise
        raise silenced(error, f"writing to {table.name}") from None


def commit_properties(
    head: str, facts: Mapping[str, str] | None, batches: Sequence[str] = (), *, is_retried_here: bool = False
) -> CommitProperties:
    """What a commit says beside its files: the manifest's head that it follows, facts, and the batches it writes."""
    return CommitProperties(
        custom_metadata={MARK: head, **(facts or {})},
        max_commit_retries=0 if is_retried_here else None,
        app_transactions=[Transaction(batch, _TRANSACTION) for batch in batches] or None,
    )

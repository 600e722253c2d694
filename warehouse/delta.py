"""The lake's Delta tables: the only module that imports deltalake.

Writes replay safely. A batch is recorded as a Delta application transaction of the commit that writes it; an
append leaves out the batches the table already holds, and a replacement rewrites whole days. Conflicting
writers reload and try again.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from warehouse.catalog import Table
from warehouse.errors import WriteConflict

_ATTEMPTS = 12
_TRANSACTION = 1
_WRITER = WriterProperties(compression="ZSTD", compression_level=1)
_ALL_DIFFERENT = ("row_hash", "source_line")
Frames = Callable[[], Iterator[pl.DataFrame]]
"""Rows that come one frame after the other, from the beginning at each call."""


@dataclass(frozen=True)
class Lake:
    """Tables under one root URL (a folder, or any S3-compatible store)."""

    root: str
    storage_options: Mapping[str, str] = field(default_factory=dict)

    def uri(self, table: Table) -> str:
        return f"{self.root.rstrip('/')}/{table.name.replace('.', '/', 1)}"

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
        return pl.scan_delta(opened)

    def append(
        self,
        table: Table,
        frame: pl.DataFrame | Frames,
        *,
        batches: Sequence[str] = (),
        facts: Mapping[str, str] | None = None,
    ) -> int:
        """Append rows and return the version; rows of batches the table already holds are left out.

        With `batches`, `frame` has a `batch_id` column. `Frames` hold the rows of one batch and are written as they
        come, in one commit, anew where another writer was first; what they raise ends the write.

        Safe against a second writer of the same batches: the check and the write share one snapshot, so the loser's
        commit conflicts and it looks again.
        """

        def write(opened: DeltaTable) -> None:
            missing = [batch for batch in batches if opened.transaction_version(batch) is None]
            if batches and not missing:
                return
            rows = frame.filter(pl.col("batch_id").is_in(missing)) if batches and not callable(frame) else frame
            write_deltalake(
                opened,
                _stream(table, rows) if callable(rows) else table.shape(rows),
                mode="append",
                writer_properties=_appender(table),
                commit_properties=_properties(facts, missing),
            )

        return self._retried(table, write)

    def replace_days(
        self, table: Table, frame: pl.DataFrame, days: Sequence[date], *, facts: Mapping[str, str] | None = None
    ) -> int:
        """Make `frame` the table's rows of `days` (its partition column) and return the version."""
        column = table.partition_by[0]
        listed = ", ".join(f"'{day.isoformat()}'" for day in sorted(days))

        def write(opened: DeltaTable) -> None:
            write_deltalake(
                opened,
                table.shape(frame),
                mode="overwrite",
                predicate=f"{column} IN ({listed})",
                writer_properties=_WRITER,
                commit_properties=_properties(facts, ()),
            )

        return self._retried(table, write) if days else (self.version(table) or 0)

    def ensure(self, table: Table) -> DeltaTable:
        """The table, created with its properties if it does not exist."""
        opened = self._open(table)
        if opened is not None:
            return opened
        shown = [name for name in table.columns if name not in table.personal]
        self._make_folder(table)
        try:
            return DeltaTable.create(
                self.uri(table),
                table.dtypes,
                mode="ignore",
                name=table.name,
                description=table.description,
                partition_by=list(table.partition_by) or None,
                configuration={
                    "delta.enableChangeDataFeed": "true",
                    "delta.dataSkippingStatsColumns": ",".join(_indexable(table, shown)),
                },
                storage_options=dict(self.storage_options),
            )
        except CommitFailedError:
            opened = self._open(table)  # Another writer made it at the same moment.
            if opened is None:
                raise
            return opened

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

    def _make_folder(self, table: Table) -> None:
        if "://" not in self.root:
            Path(self.uri(table)).mkdir(parents=True, exist_ok=True)

    def _retried(self, table: Table, write: Callable[[DeltaTable], None]) -> int:
        for attempt in range(_ATTEMPTS):
            opened = self.ensure(table)
            try:
                write(opened)
            except CommitFailedError:
                time.sleep(random.uniform(0.01, 0.05) * 2 ** min(attempt, 5))
                continue
            return opened.version()
        raise WriteConflict(f"{table.name}: other writers kept committing; run the step again")


def _appender(table: Table) -> WriterProperties:
    """Without dictionaries of values that hardly repeat: each is built, found too large, and thrown away."""
    rare = [name for name, dtype in table.dtypes.items() if dtype != pl.String and not dtype.is_nested()]
    plain = ColumnProperties(dictionary_enabled=False)
    names = {*rare, *table.key, *_ALL_DIFFERENT} & set(table.dtypes) - {"batch_id", *table.partition_by}
    return WriterProperties(
        compression="ZSTD", compression_level=1, column_properties=dict.fromkeys(sorted(names), plain)
    )


def _stream(table: Table, frames: Frames) -> pyarrow.RecordBatchReader:
    """Frames as Arrow batches in the table's shape."""
    batches = (batch for frame in frames() for batch in table.shape(frame).rechunk().to_arrow().to_batches())
    return pyarrow.RecordBatchReader.from_batches(table.empty().to_arrow().schema, batches)


def _properties(facts: Mapping[str, str] | None, batches: Sequence[str]) -> CommitProperties:
    return CommitProperties(
        custom_metadata=dict(facts or {}),
        max_commit_retries=0 if batches else None,
        app_transactions=[Transaction(batch, _TRANSACTION) for batch in batches] or None,
    )


def _indexable(table: Table, names: Sequence[str]) -> list[str]:
    """Columns worth min/max statistics: scalars, the first 32."""
    scalars = [name for name in names if not table.dtypes[name].is_nested()]
    return scalars[:32]

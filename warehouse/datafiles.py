"""Data files of appends: rows as Parquet under a table's folder, durable before any commit names them.

What a file is called, holds and hashes to is settled here; that the table has it is said by a commit, in `delta`.
Files are encoded, written and made durable by threads of their own while the next rows are made.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from warehouse.catalog import Table
from warehouse.encoding import encoded
from warehouse.storage import Store

FILE_ROWS = 140_000
"""A file is closed once it has so many: large enough to read fast, small enough to hold as bytes."""
_WRITERS = 2
"""Files that are made at once; while so many are, rows are not asked for, so that few are held."""
_PLAIN = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class DataFile:
    """A file that lies in the table's folder; `path` is relative to it."""

    path: str
    partition: Mapping[str, str | None]
    size: int
    modified_at: datetime
    rows: int
    sha256: str
    stats: str
    """What Delta readers skip files by, as JSON: rows, and bounds of the table's `bounded` columns."""


def write(
    store: Store, folder: str, table: Table, frames: Iterator[pl.DataFrame], *, under: str = ""
) -> list[DataFile]:
    """Write rows as they come, in a folder `under` the table's. What frames raise is raised, and no file is left."""
    files: list[DataFile] = []
    pending: list[Future[DataFile]] = []
    with ThreadPoolExecutor(_WRITERS) as pool:
        try:
            for rows in _by_file(table.shape(frame) for frame in frames):
                for partition, part in _by_partition(table, rows):
                    pending.append(pool.submit(_make, store, folder, under, table, partition, part))
                    if len(pending) >= _WRITERS:
                        files.append(pending.pop(0).result())
            return [*files, *(one.result() for one in pending)]
        except BaseException:
            made = (one.result() for one in pending if one.exception() is None)
            remove(store, folder, [*files, *made])
            raise


def remove(store: Store, folder: str, files: Sequence[DataFile]) -> None:
    """Delete files that no commit names."""
    for file in files:
        store.delete(f"{folder}/{file.path}")


def _by_file(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    held: list[pl.DataFrame] = []
    for frame in frames:
        held.append(frame)
        if sum(one.height for one in held) >= FILE_ROWS:
            yield pl.concat(held)
            held = []
    if any(one.height for one in held):
        yield pl.concat(held)


def _by_partition(table: Table, rows: pl.DataFrame) -> Iterator[tuple[dict[str, str | None], pl.DataFrame]]:
    """Rows of each partition, without the columns that the partition says."""
    columns = list(table.partition_by)
    if not columns:
        yield {}, rows
        return
    parts = rows.partition_by(columns, as_dict=True) if rows.select(columns).n_unique() > 1 else None
    for values, part in parts.items() if parts else [(rows.select(columns).row(0), rows)]:
        yield {name: _text(value) for name, value in zip(columns, values, strict=True)}, part.drop(columns)


def _text(value: object) -> str | None:
    """A partition's value as the Delta protocol writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no table is partitioned by {type(value).__name__}")


def partition_value(text: str | None, dtype: pl.DataType) -> str | date | None:
    """A partition's value, of what the Delta protocol writes."""
    return date.fromisoformat(text) if text is not None and dtype == pl.Date else text


def _stats(table: Table, rows: pl.DataFrame) -> dict[str, Any]:
    names = [name for name in table.bounded if name in rows.columns]
    bounds = rows.select(
        pl.len().alias("rows"),
        *(pl.col(name).min().alias(f"min {name}") for name in names),
        *(pl.col(name).max().alias(f"max {name}") for name in names),
        *(pl.col(name).null_count().alias(f"null {name}") for name in names),
    ).row(0, named=True)
    return {
        "numRecords": rows.height,
        "minValues": {name: _bound(bounds[f"min {name}"]) for name in names if bounds[f"min {name}"] is not None},
        "maxValues": {name: _bound(bounds[f"max {name}"]) for name in names if bounds[f"max {name}"] is not None},
        "nullCount": {name: bounds[f"null {name}"] for name in names},
    }


def _bound(value: object) -> object:
    """A bound as the Delta protocol writes it in JSON."""
    if isinstance(value, datetime):
        # A time without a zone is written as it stands: the zone of the machine has no part in it.
        is_moment = value.tzinfo is not None
        stands = value.astimezone(UTC).replace(tzinfo=None) if is_moment else value
        return stands.isoformat(timespec="microseconds") + ("Z" if is_moment else "")
    return value.isoformat() if isinstance(value, date) else value


def _make(
    store: Store, folder: str, under: str, table: Table, partition: Mapping[str, str | None], rows: pl.DataFrame
) -> DataFile:
    stats, content = _stats(table, rows), encoded(rows, table.bounded)
    named = [f"{name}={value}" for name, value in partition.items() if _PLAIN.fullmatch(value or "")]
    path = "/".join([*([under] if under else []), *named, f"part-{uuid.uuid4()}.parquet"])
    made = store.create(f"{folder}/{path}", content)
    return DataFile(
        path=path,
        partition=partition,
        size=len(content),
        modified_at=made.modified_at,
        rows=rows.height,
        sha256=hashlib.sha256(content).hexdigest(),
        stats=json.dumps(stats),
    )

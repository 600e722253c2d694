"""Apache Parquet: columns bound by name, types as the file has them."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from warehouse.errors import FileRefused
from warehouse.readers.port import LINE, Chunk, nothing_refused


def read(path: Path, columns: frozenset[str]) -> Iterator[Chunk]:
    """Rows of a Parquet file; `source_line` is the record number, from 1.

    Raises `FileRefused` when it is no Parquet file, is cut, or lacks any of `columns`.
    """
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FileRefused("parquet", "not a whole Parquet file; it may be cut, ask for it again") from error
    missing = sorted(columns - set(frame.columns))
    if missing:
        raise FileRefused(
            "header", f"the file lacks the column {', '.join(missing)}; check the dialect, or ask for the agreed layout"
        )
    if frame.is_empty():
        raise FileRefused("empty", "the file holds no row; ask the sender whether the day had no records")
    lines = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(LINE)
    yield Chunk(frame.select(lines, pl.all().exclude(LINE)), nothing_refused())

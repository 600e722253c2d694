"""Apache Parquet: columns bound by name, types as the file has them.

Read through pyarrow, which raises on a damaged file; Polars' own reader panics across threads on flipped bytes,
and takes the process with it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow
import pyarrow.parquet

from warehouse.errors import FileRefused
from warehouse.readers.port import LINE, Chunk, beside_line, nothing_refused


def read(path: Path, columns: frozenset[str]) -> Iterator[Chunk]:
    """Rows of a Parquet file; `source_line` is the record number, from 1.

    Raises `FileRefused` when it is no Parquet file, is cut, or lacks any of `columns`.
    """
    try:
        with path.open("rb") as stream:
            table = pyarrow.parquet.ParquetFile(stream).read()
        frame = pl.DataFrame(table)
    except (pyarrow.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise FileRefused("parquet", "not a whole Parquet file; it may be cut, ask for it again") from error
    missing = sorted(columns - set(frame.columns))
    if missing:
        raise FileRefused(
            "header", f"the file lacks the column {', '.join(missing)}; check the dialect, or ask for the agreed layout"
        )
    if frame.is_empty():
        raise FileRefused("empty", "the file holds no row; ask the sender whether the day had no records")
    lines = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias(LINE)
    yield Chunk(pl.DataFrame([lines, *(_scalar(column) for column in frame)]), nothing_refused())


def _scalar(column: pl.Series) -> pl.Series:
    """Nested values, binaries and durations as JSON text, the others as they are."""
    column = column.alias(beside_line(column.name))
    if not (column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Duration)):
        return column
    texts = (None if value is None else json.dumps(value, default=str) for value in column.to_list())
    return pl.Series(column.name, list(texts), dtype=pl.String)

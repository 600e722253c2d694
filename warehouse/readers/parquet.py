"""Apache Parquet: columns bound by name, types as the file has them.

Read through pyarrow, which raises on a damaged file; Polars' own reader panics across threads on flipped bytes,
and takes the process with it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import polars as pl
import pyarrow
import pyarrow.parquet

from warehouse.errors import FileRefused
from warehouse.readers.port import LINE, Chunk, beside_line, nothing_refused

_T = TypeVar("_T")
_ZERO = (
    "zero-byte",
    "a text in it holds a zero byte, which is never of a text: it was damaged, or padded; ask for it again without",
)


def read(path: Path, columns: frozenset[str], *, block_rows: int = 100_000) -> Iterator[Chunk]:
    """Rows of a Parquet file, so many a chunk; `source_line` is the record number, from 1.

    Raises `FileRefused` when it is no Parquet file, holds no row or lacks any of `columns`, and, while it is read, when
    it is damaged or cut.
    """
    with path.open("rb") as stream:
        file = _sound(lambda: pyarrow.parquet.ParquetFile(stream, page_checksum_verification=True))
        _require(columns, file.schema_arrow)
        if file.metadata.num_rows == 0:
            raise FileRefused("empty", "the file holds no row; ask the sender whether the day had no records")
        batches = _sound(lambda: file.iter_batches(block_rows))
        read = 0
        while (frame := _sound(lambda: _next(batches))) is not None:
            lines = pl.int_range(read + 1, read + frame.height + 1, dtype=pl.Int64, eager=True).alias(LINE)
            read += frame.height
            yield _chunk(pl.DataFrame([lines, *(_scalar(column) for column in frame)]))
        if read != file.metadata.num_rows:
            raise _damaged()


def _require(columns: frozenset[str], schema: pyarrow.Schema) -> None:
    """Raises `FileRefused` where the file has other columns than can be bound and read."""
    if missing := sorted(columns - set(schema.names)):
        named = ", ".join(missing)
        raise FileRefused(
            "header", f"the file lacks the column {named}; check the dialect, or ask for the agreed layout"
        )
    if twice := sorted({name for name in schema.names if schema.names.count(name) > 1}):
        raise FileRefused("header", f"the file names {', '.join(twice)} more than once; ask for each name once")
    if wide := [field.name for field in schema if "decimal256" in str(field.type)]:
        found = f"the numbers of {', '.join(wide)} are of a type for more than 38 digits, which cannot be read"
        raise FileRefused("parquet", f"{found}; ask for decimals of 38 digits at most")


def _next(batches: Iterator[pyarrow.RecordBatch]) -> pl.DataFrame | None:
    batch = next(batches, None)
    return None if batch is None else pl.DataFrame(pyarrow.Table.from_batches([batch]))


def _sound(step: Callable[[], _T]) -> _T:
    """What a step of reading gives; a file that it fails on is not whole."""
    try:
        return step()
    except (
        pyarrow.ArrowException,
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        UnicodeDecodeError,
        OverflowError,
    ) as error:
        raise _damaged() from error


def _damaged() -> FileRefused:
    return FileRefused("parquet", "not a whole Parquet file; it may be cut, ask for it again")


def _chunk(rows: pl.DataFrame) -> Chunk:
    """Rows but for those with a zero byte in a text, which are refused."""
    zeros = (column.str.contains("\0", literal=True) for column in rows if column.dtype == pl.String)
    damaged = [found for found in zeros if found.any()]
    if not damaged:
        return Chunk(rows, nothing_refused())
    is_damaged = pl.select(pl.any_horizontal(found.fill_null(False) for found in damaged)).to_series()
    fields = pl.struct(pl.exclude(LINE).cast(pl.String)).struct.json_encode()
    rule, message = map(pl.lit, _ZERO)
    refused = rows.filter(is_damaged).select(LINE, raw=fields, rule=rule, message=message)
    return Chunk(rows.filter(~is_damaged), refused)


def _scalar(column: pl.Series) -> pl.Series:
    """Nested values and durations as JSON text, binaries as text, the others as they are."""
    column = column.alias(beside_line(column.name))
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)  # Each chunk has categories of its own.
    if column.dtype == pl.Binary:
        return pl.Series(column.name, [None if value is None else _text(value) for value in column], dtype=pl.String)
    if not (column.dtype.is_nested() or column.dtype == pl.Duration):
        return column
    texts = (None if value is None else json.dumps(value, default=_plain) for value in column.to_list())
    return pl.Series(column.name, list(texts), dtype=pl.String)


def _plain(value: object) -> str:
    return _text(value) if isinstance(value, bytes) else str(value)


def _text(value: bytes) -> str:
    """A binary as the text it is, for older writers do not mark texts as such; else its digits: `0xff00`."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"0x{value.hex()}"

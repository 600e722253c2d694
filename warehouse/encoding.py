"""Rows as Parquet, with the encoding that suits each column: what is written most is written cheapest.

A column that repeats itself goes by dictionary; of one of ever new values, numbers go as steps from one to the next,
long texts one behind the other and short ones plainly; one of a single value, and a lake has many (the agency, the
batch, what an agency never sends), is encoded once, whatever its length. Bounds are kept for the columns that readers
skip files by.
"""

from collections.abc import Collection, Iterator

import numpy as np
import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

_LOOKED_AT = 4_096
"""Rows by which a column is judged."""
_MOST_DISTINCT = 0.3
"""Share of them that differ, above which a dictionary is as long as the column."""
_LONG_TEXT = 24
"""Bytes of a text, from which it pays to keep its length apart from it: ids that are hashes."""
_WRITTEN_AT_ONCE = 1 << 15
"""Values that the writer takes at a time."""
_WIDEST_INTEGER = 18
"""Digits of a decimal that is stored as an integer of 64 bits."""


def encoded(rows: pl.DataFrame, bounded: Collection[str] = ()) -> memoryview:
    """The rows as one Parquet file of one row group, bounds of the `bounded` columns in its footer."""
    columns = {column.name: _single(column) for column in rows}
    several = rows.select(name for name, single in columns.items() if single is None)
    repeating = set(_repeating(several)) | {name for name, single in columns.items() if single is not None}
    # Texts as views of Polars' own, not copied, but for lists and records: Arrow cannot slice views there.
    flat = several.select(~cs.nested()).to_arrow(compat_level=pl.CompatLevel.newest())
    nested = several.select(cs.nested()).to_arrow(compat_level=pl.CompatLevel.oldest())
    given = {name: part[name] for part in (flat, nested) for name in part.column_names}
    whole = [given[name] if single is None else single for name, single in columns.items()]
    fields = [_field(name, values) for name, values in zip(columns, whole, strict=True)]
    memory = pa.system_memory_pool()  # Takes less time over large pieces than Arrow's own.
    stream = pa.BufferOutputStream(memory)
    pq.write_table(
        pa.table(whole, pa.schema(fields)),
        stream,
        row_group_size=max(rows.height, 1),
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in rows.columns if name in repeating],
        column_encoding=dict(_encodings(several.drop(repeating, strict=False))),
        write_statistics=[name for name in rows.columns if name in bounded],
        store_schema=False,
        store_decimal_as_integer=True,
        write_batch_size=_WRITTEN_AT_ONCE,
        memory_pool=memory,
    )
    return memoryview(stream.getvalue())


def _field(name: str, values: pa.Array | pa.ChunkedArray) -> pa.Field:
    """A column without nulls says so: then no row has to tell that it has a value."""
    return pa.field(name, values.type, nullable=values.null_count > 0)


def _single(column: pl.Series) -> pa.Array | None:
    """The column as the one value it has in every row, null or a text; None of any other."""
    if column.dtype != pl.String or not len(column):
        return None
    if column.null_count() == len(column):
        return pa.nulls(len(column), pa.string())
    if column.null_count() or column[0] != column[-1] or not _is_constant(column):
        return None
    every = column.head(1).to_arrow(compat_level=pl.CompatLevel.oldest())
    zeros = pa.py_buffer(bytes(len(column)))  # No `pa.scalar`: it would import pandas.
    return pa.DictionaryArray.from_arrays(pa.Array.from_buffers(pa.int8(), len(column), [None, zeros]), every)


def _is_constant(texts: pl.Series) -> bool:
    """Whether all texts are the same; most that are lie at one place, and need not be read."""
    first = texts[0]
    pieces = (piece for piece in texts.get_chunks() if len(piece))
    return all(piece[0] == first and (_is_one_view(piece) or bool((piece == first).all())) for piece in pieces)


def _is_one_view(texts: pl.Series) -> bool:
    """Whether the texts, of one piece and without nulls, are the same view: texts at several places may be equal."""
    given = texts.to_arrow(compat_level=pl.CompatLevel.newest())
    words = np.frombuffer(given.buffers()[1], np.uint64)[2 * given.offset : 2 * (given.offset + len(given))]
    return bool((words[2:] == words[:-2]).all())


def _repeating(rows: pl.DataFrame) -> Iterator[str]:
    """Columns of which few values differ."""
    sample = rows.head(_LOOKED_AT)
    for column in sample:
        if not column.dtype.is_nested() and column.n_unique() <= _MOST_DISTINCT * len(column):
            yield column.name


def _encodings(rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """How columns of ever new values are encoded, where not plainly."""
    for column in rows.head(_LOOKED_AT):
        if _is_stored_as_integer(column.dtype):
            yield column.name, "DELTA_BINARY_PACKED"
        elif column.dtype == pl.String and _mean_bytes(column) >= _LONG_TEXT:
            yield column.name, "DELTA_LENGTH_BYTE_ARRAY"


def _is_stored_as_integer(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.Decimal):
        return dtype.precision <= _WIDEST_INTEGER
    return dtype.is_integer() or isinstance(dtype, pl.Datetime | pl.Date)


def _mean_bytes(texts: pl.Series) -> float:
    lengths = texts.str.len_bytes().drop_nulls().to_numpy()
    return float(lengths.mean()) if len(lengths) else 0.0

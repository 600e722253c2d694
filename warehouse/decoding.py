"""Decoding: every text that a file holds, whatever it is packed in. For looking, not for reading rows.

Parquet gives its cells (nested ones as JSON), SQLite the cells of its tables, compressed files what is in them; from
all others come their lines. What a damaged file still shows is given as it lies.
"""

import gzip
import io
import sqlite3
import zlib
from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

_GZIP, _ZSTD, _PARQUET, _SQLITE = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"SQLite format 3\x00"
_MARKED = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_OVERLAP = 8
"""Lines that are given once more together with their neighbours: messages are wrapped anywhere."""


def texts(content: bytes, *, with_pages: bool = True) -> Iterator[str]:
    """Texts of a file, in which a value that is sought stands whole; of a database its raw pages too."""
    if content.startswith(_PARQUET):
        yield from _cells(content)
    elif content.startswith(_SQLITE):
        yield from _rows(content, with_pages=with_pages)
    elif content.startswith(_GZIP):
        yield from texts_of(_inflated(content))
    elif content.startswith(_ZSTD):
        yield from texts_of(_unzstd(content))
    else:
        yield from texts_of(content)


def texts_of(plain: bytes) -> Iterator[str]:
    """Lines of what is not packed, and each with those that follow it."""
    encoding = next((name for mark, name in _MARKED.items() if plain.startswith(mark)), None)
    lines = _decoded(plain, encoding).split("\n")
    if len(lines) == 1:
        yield lines[0]
        return
    for at in range(0, len(lines), _OVERLAP):
        yield "\n".join(lines[at : at + 2 * _OVERLAP])


def _decoded(plain: bytes, encoding: str | None) -> str:
    for name in (encoding, "utf-8"):
        if name is not None:
            try:
                return plain.decode(name)
            except UnicodeError:
                continue
    return plain.decode("latin-1")


def _inflated(content: bytes) -> bytes:
    """As much as can be had of a gzip file, cut or not."""
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        stream, made = zlib.decompressobj(31), b""
        try:
            made = stream.decompress(content)
        except zlib.error:
            return b""
        return made


def _unzstd(content: bytes) -> bytes:
    made = io.BytesIO()
    try:
        with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
            while chunk := stream.read(1 << 16):
                made.write(chunk)
    except (pa.ArrowException, OSError, ValueError):
        pass
    return made.getvalue()


def _cells(content: bytes) -> Iterator[str]:
    """Rows of a Parquet file, each as one text, so that values which belong together are seen together."""
    try:
        groups = [pl.DataFrame(batch) for batch in pq.ParquetFile(io.BytesIO(content)).iter_batches()]
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError):
        return
    for frame in groups:
        yield from _as_texts(frame)


def _as_texts(frame: pl.DataFrame) -> list[str]:
    shown = []
    for name, dtype in frame.schema.items():
        if dtype == pl.Binary:
            continue
        value = pl.col(name)
        if isinstance(dtype, pl.Struct):
            value = value.struct.json_encode()
        elif isinstance(dtype, pl.List | pl.Array):
            value = pl.struct(name).struct.json_encode()
        shown.append(value.cast(pl.String, strict=False))
    if not shown:
        return []
    return frame.select(pl.concat_str(shown, separator="\n", ignore_nulls=True)).to_series().to_list()


def _rows(content: bytes, *, with_pages: bool) -> Iterator[str]:
    """Cells of every table of an SQLite database, and its pages as they lie: deleted rows stay in them."""
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(content)
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in base.execute(f'SELECT * FROM "{name}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        yield from texts(cell) if cell else ()
                    elif cell is not None:
                        yield str(cell)
    except sqlite3.DatabaseError:
        pass
    finally:
        base.close()
    if with_pages:
        yield content.decode("latin-1")

"""Delimited text: any delimiter and encoding, bound by header name, every line accounted for.

Polars parses a file whose lines all have the header's number of fields; any other line, or one that is not of
the declared encoding, is refused with its position. Files with quoted fields take the standard library's
parser, since a quoted field may hold delimiters and line ends.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from warehouse.errors import FileRefused
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk, beside_line, nothing_refused

_UNDECODABLE = ("encoding", "bytes are not valid in the declared encoding; send the file in that encoding")

_BYTE_ORDER_MARK = "\ufeff"


def read(
    path: Path,
    columns: frozenset[str],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    quote: str = '"',
) -> Iterator[Chunk]:
    """Rows of a delimited file, all as text, empty fields as null.

    Raises `FileRefused` when the file is empty or its header lacks any of `columns`.
    """
    text, damaged = _decode(_bytes_of(path), encoding)
    header, _, body = text.partition("\n")
    names = _names(header.rstrip("\r"), delimiter, quote)
    _require(columns, names, delimiter)
    if quote in body:
        yield _parse_quoted(body, names, delimiter, quote, damaged)
    else:
        yield _parse_plain(body, names, delimiter, damaged)


def _bytes_of(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise FileRefused("truncated", "the gzip file ends early or is damaged; ask for it again") from error
    if not data.strip():
        raise FileRefused("empty", "the file holds nothing; ask the sender whether the day had no records")
    return data


def _decode(data: bytes, encoding: str) -> tuple[str, frozenset[int]]:
    """Text, and the 1-based lines that are not of the encoding (kept, with replacement characters)."""
    try:
        return data.decode(encoding).removeprefix(_BYTE_ORDER_MARK), frozenset()
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace").removeprefix(_BYTE_ORDER_MARK)
        lines = text.split("\n")
        return text, frozenset(i for i, line in enumerate(lines, start=1) if "\ufffd" in line)


def _names(header: str, delimiter: str, quote: str) -> list[str]:
    try:
        names = next(csv.reader([header], delimiter=delimiter, quotechar=quote), [])
    except csv.Error:
        raise FileRefused(
            "header",
            "the first line cannot be read as a header; check the dialect's delimiter, and that lines end in LF",
        ) from None
    return [beside_line(name.strip()) for name in names]


def _require(columns: frozenset[str], names: list[str], delimiter: str) -> None:
    """Names of what is missing only: a file without a header has a person's data in its first line."""
    missing = sorted(columns - set(names))
    if missing:
        raise FileRefused(
            "header",
            f"the header lacks {', '.join(missing)} ({len(names)} columns when split at '{delimiter}'); "
            "check the dialect, or ask the sender for the agreed layout",
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileRefused("header", f"{len(twice)} column names occur twice; names must be unique to bind by name")


def _parse_plain(body: str, names: list[str], delimiter: str, damaged: frozenset[int]) -> Chunk:
    lines = pl.DataFrame({"raw": body.split("\n")}).with_row_index(LINE, offset=2)
    lines = lines.with_columns(pl.col(LINE).cast(pl.Int64), pl.col("raw").str.strip_chars_end("\r"))
    lines = lines.filter(pl.col("raw") != "")
    whole = pl.col("raw").str.count_matches(delimiter, literal=True) == len(names) - 1
    readable = ~pl.col(LINE).is_in(list(damaged))
    good = lines.filter(whole & readable)
    refused = pl.concat(
        [
            _refuse(lines.filter(~readable), *_UNDECODABLE),
            _refuse(lines.filter(readable & ~whole), "field-count", _count_message(len(names))),
        ]
    )
    fields = good.select(
        LINE,
        pl.col("raw").str.split_exact(delimiter, len(names) - 1).struct.rename_fields(names).alias("fields"),
    )
    return Chunk(_tidy(fields.unnest("fields"), names), refused)


def _parse_quoted(body: str, names: list[str], delimiter: str, quote: str, damaged: frozenset[int]) -> Chunk:
    rows: list[list[str]] = []
    at: list[int] = []
    bad: list[tuple[int, str, str, str]] = []
    lines = [f"{line}\n" for line in body.split("\n")]
    for first, end, fields in _records(lines, delimiter, quote):
        number, raw = first + 2, "".join(lines[first:end]).rstrip("\r\n")
        if fields is None:
            bad.append((number, raw, "quoting", "a quote is not closed or not doubled; close it or double it"))
        elif not damaged.isdisjoint(range(number, end + 2)):
            bad.append((number, raw, *_UNDECODABLE))
        elif fields and len(fields) != len(names):
            bad.append((number, raw, "field-count", _count_message(len(names))))
        elif fields:
            rows.append(fields)
            at.append(number)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String()), orient="row")
    frame = frame.select(pl.Series(LINE, at, dtype=pl.Int64), *names)
    refused = pl.DataFrame(bad, schema=REFUSED_SCHEMA, orient="row") if bad else nothing_refused()
    return Chunk(_tidy(frame, names), refused)


def _records(lines: Sequence[str], delimiter: str, quote: str) -> Iterator[tuple[int, int, list[str] | None]]:
    """First line, end and fields of each record; no fields where its quotes cannot be read.

    Reading then starts anew at the next line: a stray quote costs its own line, not the rest of the file.
    """
    first = 0
    while first < len(lines):
        offset = first
        rest = (lines[at] for at in range(offset, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, quotechar=quote, strict=True)
        try:
            for fields in reader:
                end = offset + reader.line_num
                yield first, end, fields
                first = end
        except csv.Error:
            yield first, first + 1, None
            first += 1


def _tidy(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    trimmed = (pl.col(name).str.strip_chars() for name in names)
    return frame.with_columns(trimmed).with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in names
    )


def _refuse(lines: pl.DataFrame, rule: str, message: str) -> pl.DataFrame:
    return lines.select(LINE, "raw", rule=pl.lit(rule), message=pl.lit(message))


def _count_message(expected: int) -> str:
    return f"the line does not have {expected} fields; it may be cut, or hold an unquoted delimiter"

"""Lines of delimited text to fields. Files, encodings and headers are the business of `delimited`.

Polars parses all lines of a block that have the header's number of fields and whose quotes, if any, stand around whole
fields. Where a quoted field may go on over the line's end, the standard library's parser takes the record.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from warehouse.readers.delimited_bytes import stand_around_fields, survey
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk, nothing_refused

_UNDECODABLE = ("encoding", "bytes are not valid in the declared encoding; send the file in that encoding")
_QUOTING = ("quoting", "a quote is not closed or not doubled; close it or double it")
_ZERO = (
    "zero-byte",
    "the line holds a zero byte, which is never of a text: it was damaged, or padded; ask for it again without",
)
_WRONG_COUNT = "field-count"
_LONGEST_RECORD = 1 << 16
"""Characters: a quote that is not closed within so many is a stray one, and costs its own line only."""
_MARK = "\x01"
_END, _END_NAME = b"\x02", "__end__"
"""What is put at each line's end to see that Polars finds it there, and not sooner or later."""
_LOOKED_AT = 1 << 16
"""Bytes by which it is told whether a file's lines may end with an empty field."""
_UNDONE_BY_POLARS = (b"\xef\xbb\xbf", b"\x1f\x8b", b"(\xb5/\xfd", b"x\x01", b"x^", b"x\x9c", b"x\xda")
"""First bytes that Polars takes for a mark to drop, or for a packed file: gzip, zstd, zlib. "x^" is text, too."""


@dataclass(frozen=True)
class Layout:
    """What the lines of a file must look like."""

    names: tuple[str, ...]
    delimiter: str
    quote: str

    def wrong_count(self, fields: int) -> str:
        """What to say of a line with so many fields."""
        has = f"{fields:,} field{'' if fields == 1 else 's'}"
        found = f"the line has {has} and the header {len(self.names):,}: it may be cut, or hold a bare delimiter"
        return f"{found}; ask for it whole, with quotes around a field that holds the delimiter"


@dataclass(frozen=True)
class Block:
    """Lines of a file from line `number` on, in UTF-8.

    `damaged` are those, from 0, that are not of the file's encoding; None where bytes were not looked at yet.
    """

    data: bytes
    number: int
    damaged: frozenset[int] | None = None
    is_last: bool = True

    def looked_at(self) -> tuple[str, frozenset[int]]:
        """Text, with replacement characters in lines that are damaged, and which those are."""
        if self.damaged is not None:
            return self.data.decode(), self.damaged
        return decoded(self.data, "utf-8")


def decoded(data: bytes, encoding: str) -> tuple[str, frozenset[int]]:
    """Text, and the lines, from 0, that are not of the encoding; those have replacement characters."""
    try:
        return data.decode(encoding), frozenset()
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
    suspects = [at for at, line in enumerate(text.split("\n")) if "\ufffd" in line]
    sent = data.split(b"\n")
    return text, frozenset(at for at in suspects if not _is_text(sent[at], encoding))


def _is_text(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True)
class Parsed:
    """What became of a block: rows and refusals, and the lines at its end, if any, that make no whole record yet."""

    chunk: Chunk
    lines: int
    """How many lines the block has, with those."""
    open_record: Block | None = None


@dataclass
class _Records:
    """What the standard library's parser has read, by line of the block; `open_from` is a record that goes on."""

    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    refused: list[tuple[int, str, str, str]] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    open_from: int | None = None


def parse(block: Block, layout: Layout) -> Parsed:
    """Rows and refusals of a block of whole lines."""
    rows = None if block.damaged else _at_once(block, layout)
    if rows is not None:
        at = pl.int_range(block.number, block.number + rows.height, dtype=pl.Int64, eager=True)
        return Parsed(Chunk(rows.select(at.alias(LINE), pl.all()), nothing_refused()), rows.height)
    text, damaged = block.looked_at()
    sent = text.split("\n")
    records = _records(sent, block, damaged, layout)
    chunk = _chunk(sent[: records.open_from], records, block.number, damaged, layout)
    lines = len(sent) - 1
    if records.open_from is None:
        return Parsed(chunk, lines)
    first = records.open_from
    later = frozenset(at - first for at in damaged if at >= first)
    rest = Block("\n".join(sent[first:]).encode(), block.number + first, later, is_last=False)
    return Parsed(chunk, lines, rest)


def _at_once(block: Block, layout: Layout) -> pl.DataFrame | None:
    """Fields of lines that are all sound, parsed together; None where any line needs a closer look."""
    if len(layout.names) < 2 or not (layout.delimiter + layout.quote).isascii():
        return None
    data = block.data
    if b"\0" in data:
        return None
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
        if b"\r" in data:
            return None
    if not data.endswith(b"\n"):
        data += b"\n"
    seen = survey(data, layout.delimiter, layout.quote)
    is_quoted = len(seen.quotes) > 0
    if is_quoted and not stand_around_fields(data, seen.quotes, layout.delimiter, layout.quote):
        return None
    frame = _counted(data, layout, seen.lines, quoted=is_quoted)
    if frame is None:
        return None
    if seen.has_blank_edge:
        return _tidy(frame)
    # Quotes side by side are an empty field, or a doubled one.
    return _with_nulls(frame) if (np.diff(seen.quotes) == 1).any() else frame


def _counted(data: bytes, layout: Layout, height: int, *, quoted: bool) -> pl.DataFrame | None:
    """Fields of lines that all have as many as the header; None where one has not, or a field has several lines."""
    delimiter, names = layout.delimiter.encode(), layout.names
    if delimiter + b"\n" not in data[:_LOOKED_AT]:
        frame = _parsed(data, names, layout, height, quoted=quoted)
        # Of a line with more fields Polars makes no row, and a null of a field that a line lacks.
        if frame is None or not frame[names[-1]].has_nulls():
            return frame
    if _END in data:
        return None
    ended = data.replace(b"\n", delimiter + _END + b"\n")
    frame = _parsed(ended, [*names, _END_NAME], layout, height, quoted=quoted)
    if frame is None or not (frame[_END_NAME] == _END.decode()).all(ignore_nulls=False):
        return None
    return frame.drop(_END_NAME)


def _parsed(content: bytes, names: Sequence[str], layout: Layout, height: int, *, quoted: bool) -> pl.DataFrame | None:
    """Sound lines as columns of text; None where Polars makes anything but a row a line of them."""
    if content.startswith(_UNDONE_BY_POLARS):
        return None
    try:
        frame = pl.read_csv(
            content,
            has_header=False,
            separator=layout.delimiter,
            quote_char=layout.quote if quoted else None,
            new_columns=list(names),
            infer_schema=False,
        )
    except (pl.exceptions.PolarsError, OSError):
        return None
    # Columns of several pieces would be joined again by whatever makes a column of one piece beside them.
    return frame.rechunk() if frame.shape == (height, len(names)) else None


def _records(sent: list[str], block: Block, damaged: frozenset[int], layout: Layout) -> _Records:
    """Records that begin at a line whose quotes do not stand in pairs around whole fields."""
    found = _Records()
    free = 0
    for odd in _odd(sent, layout):
        at = odd
        if at < free:
            continue
        fields, length, ran_out = _record(sent, at, layout)
        if fields is None and ran_out and not block.is_last:
            found.open_from = at
            break
        free = at + length
        found.taken.update(range(at, free))
        number, raw = block.number + at, "\n".join(sent[at:free]).rstrip("\r\n")
        if fields is None:
            found.refused.append((number, raw, *_QUOTING))
        elif not damaged.isdisjoint(range(at, free)):
            found.refused.append((number, raw, *_UNDECODABLE))
        elif "\0" in raw:
            found.refused.append((number, raw, *_ZERO))
        elif len(fields) != len(layout.names):
            found.refused.append((number, raw, _WRONG_COUNT, layout.wrong_count(len(fields))))
        else:
            found.rows.append((number, fields))
    return found


def _odd(sent: list[str], layout: Layout) -> list[int]:
    delimiter = re.escape(layout.delimiter)
    beside = f"{re.escape(layout.quote)}|[^{delimiter}]{_MARK}|{_MARK}[^{delimiter}]"
    raw = pl.col("raw").str.strip_chars_end("\r")
    quoted = (
        pl.DataFrame({"raw": sent}, schema={"raw": pl.String()})
        .with_row_index("at")
        .filter(pl.col("raw").str.contains(layout.quote, literal=True))
    )
    odd = raw.str.contains(_MARK, literal=True) | _bare(raw, layout).str.contains(beside)
    return quoted.filter(odd)["at"].to_list()


def _bare(raw: pl.Expr, layout: Layout) -> pl.Expr:
    """Lines with a mark in place of what stands between quotes; a doubled quote goes with the field it is in."""
    quote = re.escape(layout.quote)
    return raw.str.replace_all(f"(?:{quote}[^{quote}]*{quote})+", _MARK)


def _record(sent: list[str], at: int, layout: Layout) -> tuple[list[str] | None, int, bool]:
    """Fields of the record that begins at a line, how many lines it takes, and whether the lines ran out.

    No fields where its quotes cannot be read: then it takes one line, and reading starts anew with the next.
    """
    ran_out = False

    def lines() -> Iterator[str]:
        nonlocal ran_out
        length = 0
        for line in (sent[index] for index in range(at, len(sent))):
            length += len(line) + 1
            if length > _LONGEST_RECORD and length > len(line) + 1:
                return
            yield f"{line}\n"
        ran_out = True

    reader = csv.reader(lines(), delimiter=layout.delimiter, quotechar=layout.quote, strict=True)
    try:
        fields = next(reader, [])
    except csv.Error:
        return None, 1, ran_out
    return fields, reader.line_num, False


def _chunk(sent: list[str], records: _Records, number: int, damaged: frozenset[int], layout: Layout) -> Chunk:
    lines = pl.DataFrame(
        {LINE: range(number, number + len(sent)), "raw": sent},
        schema={LINE: pl.Int64(), "raw": pl.String()},
    )
    lines = lines.with_columns(pl.col("raw").str.strip_chars_end("\r")).filter(pl.col("raw") != "")
    if records.taken:
        lines = lines.filter(~pl.col(LINE).is_in([number + at for at in records.taken]))
    has_quotes = any(layout.quote in line for line in sent)
    fields = _bare(pl.col("raw"), layout) if has_quotes else pl.col("raw")
    count = fields.str.count_matches(layout.delimiter, literal=True) + 1
    whole = count == len(layout.names)
    is_text = ~pl.col(LINE).is_in([number + at for at in damaged])
    has_zero = pl.col("raw").str.contains("\0", literal=True)
    readable = is_text & ~has_zero
    good = lines.filter(whole & readable)
    frame = _fields(good, layout, has_quotes)
    if records.rows:
        more = pl.DataFrame(
            [row for _, row in records.rows], schema=dict.fromkeys(layout.names, pl.String()), orient="row"
        )
        numbers = pl.Series(LINE, [number for number, _ in records.rows], dtype=pl.Int64)
        frame = pl.concat([frame, _tidy(more.select(numbers, pl.all()))]).sort(LINE)
    refused = [
        _refuse(lines.filter(~is_text), *_UNDECODABLE),
        _refuse(lines.filter(is_text & has_zero), *_ZERO),
        _miscounted(lines.with_columns(fields=count).filter(readable & ~whole), layout),
    ]
    if records.refused:
        refused.append(pl.DataFrame(records.refused, schema=REFUSED_SCHEMA, orient="row"))
    return Chunk(frame, pl.concat(refused).sort(LINE))


def _fields(good: pl.DataFrame, layout: Layout, quoted: bool) -> pl.DataFrame:
    """Fields of sound lines, tidied."""
    raw = good["raw"].to_list()
    frame = None
    if raw and layout.delimiter.isascii():
        frame = _parsed("\n".join([*raw, ""]).encode(), layout.names, layout, len(raw), quoted=quoted)
    if frame is None:
        mark, quote = layout.delimiter, layout.quote
        rows = [
            next(csv.reader([line], delimiter=mark, quotechar=quote)) if quoted else line.split(mark) for line in raw
        ]
        frame = pl.DataFrame(rows, schema=dict.fromkeys(layout.names, pl.String()), orient="row")
    return _tidy(frame.select(good[LINE], pl.all()))


def _tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """White space around values gone, and empty fields null."""
    return _with_nulls(frame.with_columns(pl.selectors.string().str.strip_chars()))


def _with_nulls(frame: pl.DataFrame) -> pl.DataFrame:
    texts = frame.select(pl.selectors.string())
    sparse = pl.col([text.name for text in texts if (text == "").any()])
    return frame.with_columns(pl.when(sparse != "").then(sparse))


def _miscounted(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Refusals of lines that have another number of `fields` than the header."""
    messages = {count: layout.wrong_count(count) for count in lines["fields"].unique()}
    told = pl.col("fields").replace_strict(messages, default=None, return_dtype=pl.String)
    return lines.select(LINE, "raw", rule=pl.lit(_WRONG_COUNT), message=told)


def _refuse(lines: pl.DataFrame, rule: str, message: str) -> pl.DataFrame:
    return lines.select(LINE, "raw", rule=pl.lit(rule), message=pl.lit(message))

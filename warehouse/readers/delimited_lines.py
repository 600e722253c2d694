"""Lines of delimited text to fields. Files, encodings and headers are the business of `delimited`.

Polars parses all lines of a block that have the header's number of fields and whose quotes, if any, stand around whole
fields. Where a quoted field may go on over the line's end, the standard library's parser takes the record.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from warehouse.readers.nmea_bytes import Bytes, Ints
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk, nothing_refused

_UNDECODABLE = ("encoding", "bytes are not valid in the declared encoding; send the file in that encoding")
_QUOTING = ("quoting", "a quote is not closed or not doubled; close it or double it")
_LONGEST_RECORD = 1 << 16
"""Characters: a quote that is not closed within so many is a stray one, and costs its own line only."""
_MARK = "\x01"


@dataclass(frozen=True)
class Layout:
    """What the lines of a file must look like."""

    names: list[str]
    delimiter: str
    quote: str

    @property
    def wrong_count(self) -> tuple[str, str]:
        count = len(self.names)
        return "field-count", f"the line does not have {count} fields; it may be cut, or hold an unquoted delimiter"


@dataclass(frozen=True)
class Block:
    """Lines of a file from line `number` on; `damaged` are those, from 0, that are not of the encoding."""

    text: str
    number: int
    damaged: frozenset[int] = frozenset()
    is_last: bool = True


@dataclass
class _Records:
    """What the standard library's parser has read, by line of the block; `open_from` is a record that goes on."""

    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    refused: list[tuple[int, str, str, str]] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    open_from: int | None = None


def parse(block: Block, layout: Layout) -> tuple[Chunk, Block | None]:
    """Rows and refusals of a block, and the lines at its end, if any, that make no whole record yet."""
    rows = None if block.damaged else _at_once(block.text, layout)
    if rows is not None:
        at = pl.int_range(block.number, block.number + rows.height, dtype=pl.Int64, eager=True)
        return Chunk(rows.select(at.alias(LINE), pl.all()), nothing_refused()), None
    sent = block.text.split("\n")
    records = _records(sent, block, layout)
    chunk = _chunk(sent[: records.open_from], records, block, layout)
    if records.open_from is None:
        return chunk, None
    first = records.open_from
    later = frozenset(at - first for at in block.damaged if at >= first)
    return chunk, Block("\n".join(sent[first:]), block.number + first, later, is_last=False)


def _at_once(text: str, layout: Layout) -> pl.DataFrame | None:
    """Fields of lines that are all sound, parsed together; None where any line needs a closer look."""
    if len(layout.names) < 2 or not (layout.delimiter + layout.quote).isascii():
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    text = text.removesuffix("\n")
    if not text or "\r" in text:
        return None
    content = f"\n{text}\n".encode()
    data = np.frombuffer(content, np.uint8)
    quotes = np.flatnonzero(data == ord(layout.quote)) if layout.quote in text else np.empty(0, np.int64)
    ends = np.flatnonzero(data == 10)
    between = np.flatnonzero(data == ord(layout.delimiter))
    if len(quotes):
        if not _stand_around_fields(data, quotes, layout):
            return None
        inside = np.cumsum(data == ord(layout.quote), dtype=np.uint8) & 1
        between = between[inside[between] == 0]
        if inside[ends].any():  # A field goes on over the line's end.
            return None
    if (np.diff(np.searchsorted(between, ends)) != len(layout.names) - 1).any():
        return None
    frame = _parsed(content[1:], layout, len(ends) - 1, quoted=len(quotes) > 0)
    # Quotes side by side are an empty field, or a doubled one.
    if frame is None or not ((np.diff(quotes) == 1).any() or _has_blank_edge(data, ends, between, quotes)):
        return frame
    return _tidy(frame)


def _stand_around_fields(data: Bytes, quotes: Ints, layout: Layout) -> bool:
    """Whether each quote that opens has a separator before it, and each that closes one behind it.

    Where a doubled quote closes and opens again, the other of the two stands there.
    """
    if len(quotes) % 2:
        return False
    beside = np.array([10, ord(layout.delimiter), ord(layout.quote)])
    opening, closing = data[quotes[0::2] - 1], data[quotes[1::2] + 1]
    return bool(np.isin(opening, beside).all() and np.isin(closing, beside).all())


def _has_blank_edge(data: Bytes, *separators: Ints) -> bool:
    """Whether a field may begin or end with white space: a blank, or a byte beyond ASCII, stands at a separator."""
    for at in separators:
        for beside in (data[at - 1], data[np.minimum(at + 1, len(data) - 1)]):
            # A line feed beside a separator is no blank: the field is empty.
            if (((beside <= 32) & (beside != 10)) | (beside > 126)).any():
                return True
    return False


def _parsed(content: bytes, layout: Layout, height: int, *, quoted: bool) -> pl.DataFrame | None:
    """Sound lines as columns of text; None where Polars makes anything but a row a line of them."""
    try:
        frame = pl.read_csv(
            content,
            has_header=False,
            separator=layout.delimiter,
            quote_char=layout.quote if quoted else None,
            new_columns=layout.names,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.shape == (height, len(layout.names)) else None


def _records(sent: list[str], block: Block, layout: Layout) -> _Records:
    """Records that begin at a line whose quotes do not stand in pairs around whole fields."""
    found = _Records()
    if layout.quote not in block.text:
        return found
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
        elif not block.damaged.isdisjoint(range(at, free)):
            found.refused.append((number, raw, *_UNDECODABLE))
        elif len(fields) != len(layout.names):
            found.refused.append((number, raw, *layout.wrong_count))
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


def _chunk(sent: list[str], records: _Records, block: Block, layout: Layout) -> Chunk:
    lines = pl.DataFrame(
        {LINE: range(block.number, block.number + len(sent)), "raw": sent},
        schema={LINE: pl.Int64(), "raw": pl.String()},
    )
    lines = lines.with_columns(pl.col("raw").str.strip_chars_end("\r")).filter(pl.col("raw") != "")
    if records.taken:
        lines = lines.filter(~pl.col(LINE).is_in([block.number + at for at in records.taken]))
    has_quotes = layout.quote in block.text
    fields = _bare(pl.col("raw"), layout) if has_quotes else pl.col("raw")
    whole = fields.str.count_matches(layout.delimiter, literal=True) == len(layout.names) - 1
    readable = ~pl.col(LINE).is_in([block.number + at for at in block.damaged])
    good = lines.filter(whole & readable)
    frame = _fields(good, layout, has_quotes)
    if records.rows:
        more = pl.DataFrame(
            [row for _, row in records.rows], schema=dict.fromkeys(layout.names, pl.String()), orient="row"
        )
        numbers = pl.Series(LINE, [number for number, _ in records.rows], dtype=pl.Int64)
        frame = pl.concat([frame, _tidy(more.select(numbers, pl.all()))]).sort(LINE)
    refused = [
        _refuse(lines.filter(~readable), *_UNDECODABLE),
        _refuse(lines.filter(readable & ~whole), *layout.wrong_count),
    ]
    if records.refused:
        refused.append(pl.DataFrame(records.refused, schema=REFUSED_SCHEMA, orient="row"))
    return Chunk(frame, pl.concat(refused).sort(LINE))


def _fields(good: pl.DataFrame, layout: Layout, quoted: bool) -> pl.DataFrame:
    """Fields of sound lines, tidied."""
    raw = good["raw"].to_list()
    frame = None
    if raw and layout.delimiter.isascii():
        frame = _parsed("\n".join([*raw, ""]).encode(), layout, len(raw), quoted=quoted)
    if frame is None:
        mark, quote = layout.delimiter, layout.quote
        rows = [
            next(csv.reader([line], delimiter=mark, quotechar=quote)) if quoted else line.split(mark) for line in raw
        ]
        frame = pl.DataFrame(rows, schema=dict.fromkeys(layout.names, pl.String()), orient="row")
    return _tidy(frame.select(good[LINE], pl.all()))


def _tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """White space around values gone, and empty fields null."""
    text = pl.selectors.string().str.strip_chars()
    return frame.with_columns(text).with_columns(pl.when(pl.selectors.string() != "").then(pl.selectors.string()))


def _refuse(lines: pl.DataFrame, rule: str, message: str) -> pl.DataFrame:
    return lines.select(LINE, "raw", rule=pl.lit(rule), message=pl.lit(message))

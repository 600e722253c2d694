"""Delimited text: any delimiter and encoding, bound by header name, every line accounted for.

The file is read in blocks of whole lines, so that memory does not grow with it; what lines hold is `delimited_lines`.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from warehouse.errors import FileRefused
from warehouse.readers import headers
from warehouse.readers.delimited_lines import Block, Layout, decoded, parse
from warehouse.readers.port import Chunk, beside_line
from warehouse.readers.unpacked import PackedDamage, as_utf8, unpacked

_BYTE_ORDER_MARK = codecs.BOM_UTF8
_LONGEST_LINE = 1 << 24
_AGREED = "check the dialect, or ask the sender for the agreed layout"
_LINE_SAFE = re.compile(r"utf-8(-sig)?|ascii|iso8859-\d+|cp(12|8|4|7)\d+|koi8-\w+|mac-\w+|tis-620")
"""Encodings in which the byte of a line feed is always one, and a line can be decoded alone."""


def read(
    path: Path,
    columns: frozenset[str],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    quote: str = '"',
    block_bytes: int = 28 << 20,
) -> Iterator[Chunk]:
    """Rows of a delimited file, all as text, empty fields as null; a chunk a block.

    Raises `FileRefused` when the file is empty or its header lacks any of `columns`, and, while it is read, when it is
    a gzip or zstd file that is cut, no text of lines, or UTF-8 where another encoding was agreed.
    """
    with path.open("rb") as packed:
        stream = unpacked(packed)
        if not _is_line_safe(encoding):
            stream, encoding = as_utf8(stream, encoding), "utf-8"
        layout: Layout | None = None
        open_record: Block | None = None
        number = 1
        is_as_agreed = _is_utf8(encoding)
        for data, is_last in _whole_lines(stream, block_bytes):
            is_as_agreed = is_as_agreed or _has_letters_of(data, encoding)
            block = _block(data, encoding, number, is_last)
            if layout is None:
                header, _, rest = block.data.removeprefix(_BYTE_ORDER_MARK).partition(b"\n")
                first = header.decode(errors="replace").rstrip("\r")
                names = _names(first, delimiter, quote)
                _require(columns, names, first, delimiter)
                layout = Layout(tuple(names), delimiter, quote)
                damaged = None if block.damaged is None else frozenset(at - 1 for at in block.damaged)
                block = Block(rest, 2, damaged, is_last)
            if open_record is not None:
                block = _joined(open_record, block)
            parsed = parse(block, layout)
            number, open_record = block.number + parsed.lines, parsed.open_record
            yield parsed.chunk


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _has_letters_of(data: bytes, encoding: str) -> bool:
    """Whether there is text beyond ASCII, which tells the file's encoding; raises `FileRefused` where that is UTF-8.

    Any bytes are text of an encoding of one byte a letter, and would land as other letters. That letters of such a text
    happen to be UTF-8, all of them, is next to impossible: each would have to stand beside one of few signs.
    """
    if data.isascii():
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    raise FileRefused(
        "encoding",
        f"the file's text is UTF-8 and {encoding} was agreed; send it in that, or have UTF-8 declared for it",
    )


def _block(data: bytes, encoding: str, number: int, is_last: bool) -> Block:
    """Lines in UTF-8; those that are sent in it are looked at later, and only where that is needed."""
    if _is_utf8(encoding):
        return Block(data, number, None, is_last)
    text, damaged = decoded(data, encoding)
    return Block(text.encode(), number, damaged, is_last)


def _joined(one: Block, other: Block) -> Block:
    """A record that a block left open, and the block that follows."""
    (before, broken), (after, later) = one.looked_at(), other.looked_at()
    lines = before.count("\n")
    damaged = broken | {at + lines for at in later}
    return replace(one, data=(before + after).encode(), damaged=damaged, is_last=other.is_last)


def _whole_lines(stream: IO[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Blocks of whole lines, the last with True."""
    begun = False
    while True:
        try:
            whole = _up_to_line_end(stream, size)
        except PackedDamage as error:
            raise FileRefused("truncated", f"{error}; ask for it again") from error
        is_last = len(whole) < size
        if is_last and not begun and not whole.strip():
            raise FileRefused("empty", "the file holds nothing; ask the sender whether the day had no records")
        begun = True
        yield whole, is_last
        if is_last:
            return


def _up_to_line_end(stream: IO[bytes], size: int) -> bytes:
    """So many bytes, and the rest of the line that they end in; fewer at the file's end."""
    if stream.seekable():  # The line's end is sought first, so that a large block is not copied together.
        begin = stream.tell()
        stream.seek(size - 1, io.SEEK_CUR)
        more = len(_rest_of_line(stream))
        stream.seek(begin)
        return stream.read(size - 1 + more)
    fresh = stream.read(size)
    return fresh if len(fresh) < size or fresh.endswith(b"\n") else fresh + _rest_of_line(stream)


def _rest_of_line(stream: IO[bytes]) -> bytes:
    rest = stream.readline(_LONGEST_LINE)
    if len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
        raise FileRefused("header", "a line goes on for more than 16 MiB; check that lines end in LF")
    return rest


def _is_line_safe(encoding: str) -> bool:
    return _LINE_SAFE.fullmatch(codecs.lookup(encoding).name) is not None


def _names(header: str, delimiter: str, quote: str) -> list[str]:
    """The columns' names; a column without one is called by its place, for exports end lines with empty ones."""
    try:
        names = next(csv.reader([header], delimiter=delimiter, quotechar=quote), [])
    except csv.Error:
        found = headers.other_kind(header) or "the first line cannot be read as a header"
        raise FileRefused("header", f"{found}; {_AGREED}") from None
    return [beside_line(name.strip()) or f"column {at} (no name)" for at, name in enumerate(names, start=1)]


def _require(columns: frozenset[str], names: list[str], header: str, delimiter: str) -> None:
    if lacking := headers.fault(columns, names, header, delimiter):
        raise FileRefused("header", f"{lacking}; {_AGREED}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FileRefused("header", f"the header names {', '.join(twice)} more than once; ask for each name once")

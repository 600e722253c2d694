"""Rows of EDIFACT messages as the chunks of the port; what a message's segments mean is told by its own reader."""

import shutil
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, NamedTuple

import polars as pl

from warehouse.errors import FileRefused
from warehouse.readers import edifact, edifact_envelope, edifact_values
from warehouse.readers.edifact import OFF_CHARSET, Message, Refused
from warehouse.readers.edifact_segment import Segment, Total, contradicted
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk, Notes, Part, Wording
from warehouse.readers.searched import SearchedFile
from warehouse.readers.unpacked import PackedDamage, unpacked

STRICT, LENIENT = "strict", "lenient"
_CHUNK_ROWS, _CHUNK_CHARS = 10_000, 16 << 20
_HELD_BYTES = 16 << 20
_DIGITS_OF_PART = 4

# Columns that every message's rows have, and where a message says them.
_HEADER_PLACES = {
    "sender": "UNB sender",
    "interchange_reference": "UNB reference",
    "message_reference": "UNH reference",
    "access_reference": "UNH common access reference",
    "message_id": "references of UNB and UNH",
    "prepared_at": "UNB date and time",
}
HEADER = tuple(_HEADER_PLACES)
_SEGMENTS = "Lines are segments, counted from 1 through the file; UNA is one, and so is text outside of an interchange."


class Row(NamedTuple):
    """A row: the number of its first segment, what it tells by column, and what all rows of its message tell.

    What no column is named for, or an empty text, is null.
    """

    number: int
    values: Mapping[str, str]
    shared: Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """One kind of message: its type in UNH, its columns, and how it becomes rows."""

    kind: str
    columns: Sequence[str]
    begins: Callable[[Sequence[Segment]], list[int]]
    """Where of a message's segments begins what speaks of one traveller, booking or consignment."""
    rows: Callable[[Message, Mapping[str, str]], Iterator[Row | Refused]]
    """From a message and the values of `HEADER`, which are among those that its rows share."""
    subject: str
    """What a row is, in the singular."""
    totals: Callable[[Sequence[Segment]], Iterator[Total]]
    """What a message's segments count of what is in it."""

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema({LINE: pl.Int64(), **dict.fromkeys((*HEADER, *self.columns), pl.String())})


def wording(places: Mapping[str, str], days: str) -> Wording:
    """How senders of a message call its columns."""
    return Wording({**_HEADER_PLACES, **places}, days, _SEGMENTS)


def read(layout: Layout, path: Path, columns: frozenset[str], control: str) -> Iterator[Chunk]:
    """Chunks of the rows of a file's messages; `source_line` is the number of a row's first segment.

    Raises `FileRefused` when the file is empty, no interchange, or a gzip or zstd file that is cut, or when `columns`
    asks for what the message does not say.
    """
    unknown = sorted(columns - set(layout.schema))
    if unknown:
        offered = ", ".join(layout.schema)
        raise FileRefused("header", f"{layout.kind} gives no {', '.join(unknown)}; its columns are {offered}")
    if control not in (STRICT, LENIENT):
        raise FileRefused("dialect", f"control is {STRICT} or {LENIENT}; mend the options of the dialect")
    with path.open("rb") as packed, _whole(packed) as stream:
        yield from _chunks(layout, SearchedFile(stream), is_strict=control == STRICT)


def lenient(layout: Layout, stream: IO[bytes]) -> Iterator[Chunk]:
    """The same of an open file that is not packed, whatever its counts and references say."""
    yield from _chunks(layout, SearchedFile(stream), is_strict=False)


@contextmanager
def _whole(packed: BinaryIO) -> Iterator[IO[bytes]]:
    """The file to search in; of one that is packed what was packed, in a file without a name where that is long."""
    stream = unpacked(packed)
    if stream is packed:
        yield packed
        return
    with SpooledTemporaryFile(_HELD_BYTES) as plain:
        try:
            shutil.copyfileobj(stream, plain)
        except PackedDamage as error:
            raise FileRefused("truncated", f"{error}; ask for it again") from error
        yield plain


def _chunks(layout: Layout, data: SearchedFile, *, is_strict: bool) -> Iterator[Chunk]:
    if not edifact_envelope.holds_interchange(data):
        if edifact_envelope.is_blank(data):
            raise FileRefused("empty", "the file holds nothing; ask the sender whether the day had no records")
        raise FileRefused("edifact-no-interchange", "no UNB begins an interchange in it; ask for the agreed format")
    rows: list[Row] = []
    refused: list[Refused] = []
    parts: list[Part] = []
    let_pass = Counter[str]()
    held, is_empty = 0, True
    for message in edifact.messages(data, layout.kind, None if is_strict else let_pass):
        before = len(refused)
        if isinstance(message, Refused):
            refused.append(message)
            held += len(message.raw)
        else:
            _sort(layout, message, rows, refused)
            if all(one.number != message.number for one in refused[before:]):  # It was not refused whole.
                refused += _wrong_totals(layout, message, None if is_strict else let_pass)
            parts += _part_of(message)
        if len(rows) + len(refused) >= _CHUNK_ROWS or held >= _CHUNK_CHARS:
            yield _chunk(layout, rows, refused, Notes(let_pass.copy(), tuple(parts)))
            rows, refused, parts, held, is_empty = [], [], [], 0, False
            let_pass.clear()
    if rows or refused or (let_pass and not is_empty):
        yield _chunk(layout, rows, refused, Notes(let_pass, tuple(parts)))
    elif is_empty:
        raise FileRefused("empty", "the interchange holds no message; ask the sender whether the day had no records")


def _wrong_totals(layout: Layout, message: Message, let_pass: Counter[str] | None) -> Iterator[Refused]:
    """Totals that are not those of what the message holds; they are refused alone, what they count stands.

    In a report of several messages each may tell that of the whole.
    """
    if _number_and_mark(message) is not None:
        return
    for total in layout.totals(message.segments):
        if (broken := contradicted(total)) is None:
            continue
        if let_pass is None:
            yield message.refused(total.segment.number, total.segment.number, *broken)
        else:
            let_pass.update(broken[:1])


def _part_of(message: Message) -> Iterator[Part]:
    """Which part of a report the message says it is, if of several that have a reference."""
    unb, unh = message.interchange, message.header
    if unh.value(3) and (told := _number_and_mark(message)) is not None:
        number, mark = told
        yield Part(f"{unb.value(2)}/{unh.value(3)}", _made_at(unb), number, mark if mark in ("C", "F") else "")


def _number_and_mark(message: Message) -> tuple[int, str] | None:
    """Number, and C or F, of a message that says it is one of several (S010 of UNH)."""
    told, mark = message.header.value(4), message.header.value(4, 1)
    number = int(told) if told.isascii() and told.isdigit() and len(told) <= _DIGITS_OF_PART else 0
    return (number, mark) if number and (number, mark) != (1, "F") else None


def _made_at(unb: Segment) -> str:
    return edifact_values.moment(unb.value(4) + unb.value(4, 1))


def _sort(layout: Layout, message: Message, rows: list[Row], refused: list[Refused]) -> None:
    """The rows and refusals of one message; one that gives neither is refused."""
    unb, unh = message.interchange, message.header
    header = {
        "sender": unb.value(2),
        "interchange_reference": unb.value(5),
        "message_reference": unh.value(1),
        "access_reference": unh.value(3),
        "message_id": f"{unb.value(2)}/{unb.value(5)}/{unh.value(1)}",
        "prepared_at": _made_at(unb),
    }
    before = len(rows) + len(refused)
    found_rows = layout.rows(message, header)
    for found in _undamaged(layout, message, found_rows) if message.damaged else found_rows:
        if isinstance(found, Refused):
            refused.append(found)
        else:
            rows.append(found)
    if len(rows) + len(refused) == before:
        told = f"the message names no {layout.subject}; ask the sender whether that is meant"
        refused.append(message.refused_whole("edifact-empty-message", told))


def _undamaged(layout: Layout, message: Message, found: Iterator[Row | Refused]) -> Iterator[Row | Refused]:
    """What is found where no byte is off the character set; the rest of what it stands in is refused, once.

    Travellers, bookings or consignments without damage stand: their numbers count those that are refused, too. Before
    the first of them, damage is of all.
    """
    starts = [message.segments[index].number for index in layout.begins(message.segments)]
    ends = [*(number - 1 for number in starts[1:]), message.last_number - 1]
    damaged = {bisect(starts, number) - 1 for number in message.damaged}
    if -1 in damaged:
        yield message.refused_whole(*OFF_CHARSET)
        return
    yield from (message.refused(starts[at], ends[at], *OFF_CHARSET) for at in sorted(damaged))
    yield from (one for one in found if bisect(starts, one.number) - 1 not in damaged)


def _chunk(layout: Layout, rows: Sequence[Row], refused: Sequence[Refused], notes: Notes) -> Chunk:
    """Columns of what rows tell one by one; of what they share, each value once and then spread."""
    shared = {id(row.shared): row.shared for row in rows}
    place = {key: at for at, key in enumerate(shared)}
    of_row = pl.Series([place[id(row.shared)] for row in rows], dtype=pl.UInt32)
    own = {name for row in rows for name in row.values}
    series = [pl.Series(LINE, [row.number for row in rows], dtype=pl.Int64)]
    for name in layout.schema.names()[1:]:
        if name in own:
            series.append(pl.Series(name, [row.values.get(name) or None for row in rows], dtype=pl.String))
        else:
            told = pl.Series(name, [values.get(name) or None for values in shared.values()], dtype=pl.String)
            series.append(told.gather(of_row))
    unread = pl.DataFrame(refused, schema=REFUSED_SCHEMA, orient="row")
    return Chunk(pl.DataFrame(series), unread, notes=notes)

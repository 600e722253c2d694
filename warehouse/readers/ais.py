"""AIS logs: NMEA lines in, a row a message out; every line is in a message, ignored on purpose, or refused.

This module streams the file and keeps the account of its lines. Sentences are read by `nmea`, joined by
`nmea_join`, and decoded by `ais_payload`. Of each block the last `WINDOW_LINES` lines, and the lines that
belong to them, are kept back for the next, so that the block size changes nothing but memory.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast
from zoneinfo import available_timezones

import numpy as np
import numpy.typing as npt
import polars as pl

from warehouse.errors import FileRefused
from warehouse.readers import ais_payload, nmea, nmea_join
from warehouse.readers.nmea_bytes import NONE, PAD, Ints, slices
from warehouse.readers.nmea_join import WINDOW_LINES
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk
from warehouse.readers.unpacked import PackedDamage, as_utf8, unpacked

_LONGEST_LINE = 65_536  # a longer one is no NMEA; its first bytes stand for it among the refused
_LONGEST_RAW = 4_096

_TIME = pl.Datetime("us", "UTC")
SCHEMA = pl.Schema(
    {
        LINE: pl.Int64(),
        "received_at": _TIME,
        "logged_at": _TIME,
        "station": pl.String(),
        "channel": pl.String(),
        **ais_payload.FIELDS,
        "raw": pl.String(),
    }
)

_CHANNELS = pl.Series([None] + [chr(code) if 32 < code < 127 else None for code in range(1, 256)], dtype=pl.String)

_LOOSE = 100
_REASONS = {
    **nmea.RULES,
    **ais_payload.RULES,
    _LOOSE: (
        "ais-multipart-incomplete",
        f"the other parts are not within {WINDOW_LINES} lines, in order; ask for the log as recorded",
    ),
}


@dataclass(frozen=True)
class AisChunk(Chunk):
    """A chunk and its account: `lines == rows.height + further_parts + ignored + refused.height`.

    `further_parts` are the second to last sentences of messages in `rows`; `ignored` are blank lines,
    comments (#), `$PGHP` and other NMEA sentences, and tag blocks alone on a line.
    """

    lines: int
    further_parts: int
    ignored: int


def read(
    path: Path, columns: frozenset[str] = frozenset(), *, clock: str | None = None, block_bytes: int = 4 << 20
) -> Iterator[AisChunk]:
    """Messages of an AIS log with the columns of `SCHEMA`, in each chunk by their first line.

    `received_at` is the tag block's time, else that of the `$PGHP` line, else `logged_at`: the time after the
    checksum, else the one before the sentence. `clock` is the IANA zone of times that name none; without it, such lines
    are refused. Memory is bounded by a small multiple of `block_bytes`, whatever the
    length of file and lines.

    Raises `FileRefused` when the file is empty or `columns` asks for what AIS does not say, and, while it is read, when
    it is a gzip or zstd file that is cut.
    """
    unknown = sorted(columns - set(SCHEMA))
    if unknown:
        raise FileRefused("header", f"AIS gives no {', '.join(unknown)}; its columns are {', '.join(SCHEMA)}")
    if clock is not None and clock not in available_timezones():
        raise FileRefused("dialect", "clock is an IANA time zone, such as UTC; mend the options of the dialect")
    text, number, groups, lines = b"", np.empty(0, np.int64), nmea_join.no_groups(), 0
    with path.open("rb") as packed:
        for fresh, last in _whole_lines(_pieces(packed, block_bytes)):
            count = fresh.count(b"\n")
            number = np.concatenate((number, np.arange(lines + 1, lines + count + 1)))
            lines += count
            if not len(number):
                continue
            block = nmea.parse(text + fresh, number, clock)
            groups = nmea_join.inherit(block, groups)
            chunk, kept = _chunk(block, last)
            yield chunk
            text = b"".join(block.lines.as_sent(at) + b"\n" for at in kept)
            number = number[kept]
    if not lines:
        raise FileRefused("empty", "the file holds nothing; ask the sender whether the receiver was off")


def _in_ascii(packed: BinaryIO) -> IO[bytes]:
    """The log without gzip or zstd, and without the marks that editors and shells of Windows put before it."""
    stream = cast(io.BufferedReader, unpacked(packed))
    first = stream.peek(len(codecs.BOM_UTF8))
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return as_utf8(stream, "utf-16")
    if first.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
    return stream


def _pieces(packed: BinaryIO, size: int) -> Iterator[bytes]:
    try:
        stream = _in_ascii(packed)
        while data := stream.read(size):
            yield data
    except PackedDamage as error:
        raise FileRefused("truncated", f"{error}; ask for it again") from error


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks of whole lines, each ended by a line feed; the last block, perhaps empty, comes with True."""
    tail, skipping = b"", False
    for data in pieces:
        if skipping:
            feed = data.find(b"\n")
            if feed < 0:
                continue
            data, skipping = data[feed:], False
        data = tail + data
        cut = data.rfind(b"\n") + 1
        tail = data[cut:]
        if len(tail) > _LONGEST_LINE:
            tail, skipping = tail[:_LONGEST_LINE], True
        if cut:
            yield data[:cut], False
    yield (tail + b"\n" if tail else b""), True


def _chunk(block: nmea.Block, last: bool) -> tuple[AisChunk, list[int]]:
    """Decode a block; gives its chunk and the lines (by index) to keep for the next block."""
    lines, s = block.lines, block.sentences
    messages = nmea_join.assemble(s, lines.number[s.line])
    gatehouse = nmea_join.gatehouse_of(block)
    part_line = s.line[messages.sentence]

    # What ends in the last lines may still get parts or a $PGHP: it waits, with all lines that belong to it.
    # One line more: the last $PGHP may be for the sentence right behind it.
    horizon = np.inf if last else int(lines.number[-1]) - WINDOW_LINES - 1
    keep = lines.number > horizon
    ends = np.append(messages.first[1:], len(messages.sentence))[: len(messages.first)] - 1
    waits = keep[part_line[ends]]
    keep[part_line[waits[messages.message]]] = True
    timed = np.flatnonzero(gatehouse >= 0)
    keep[block.gatehouse.line[gatehouse[timed]]] = keep[s.line[timed]]

    rows, verdict = _rows(block, messages, gatehouse, np.flatnonzero(~waits))
    rule = np.minimum(lines.status, 0)
    rule[part_line] = verdict[messages.message]
    rule[s.line[messages.loose]] = _LOOSE
    refused = np.flatnonzero(~keep & (rule != 0))
    used = int((~keep[part_line] & (rule[part_line] == 0)).sum())
    settled = len(keep) - int(keep.sum())
    chunk = AisChunk(
        rows,
        _refused(block, refused, rule[refused]),
        lines=settled,
        further_parts=used - rows.height,
        ignored=settled - used - len(refused),
    )
    return chunk, np.flatnonzero(keep).tolist()


def _rows(
    block: nmea.Block, messages: nmea_join.Messages, gatehouse: Ints, ready: Ints
) -> tuple[pl.DataFrame, npt.NDArray[np.int8]]:
    """The rows of `ready` messages, and the rule that refuses each message (0: none)."""
    s = block.sentences
    first = messages.sentence[messages.first]
    text, start, end = _payloads(block, messages)
    size = np.diff(np.append(messages.first, len(messages.sentence)))
    fill_bits = s.fill_bits[messages.sentence[messages.first + size - 1]]
    verdict = np.zeros(len(first), np.int8)
    data = block.lines.data if text is block.lines.text else np.frombuffer(text + bytes(PAD), np.uint8)
    fields, verdict[ready] = ais_payload.decode(data, start[ready], end[ready], fill_bits[ready])

    at = ready[fields["index"].to_numpy()]
    times = np.append(block.gatehouse.received_us, NONE)[gatehouse]
    logged = messages.first_known(s.logged_us)
    received = messages.first_known(s.tagged_us)
    for later in (messages.first_known(times), logged):
        received = np.where(received == NONE, later, received)
    named = messages.first_known(np.where(s.station.is_not_null().to_numpy(), np.arange(len(s.line)), -1))
    station = _pick(s.station, named[at]).fill_null(_pick(block.gatehouse.station, messages.first_known(gatehouse)[at]))
    head = pl.DataFrame(
        {
            LINE: block.lines.number[s.line[first[at]]],
            "received_at": _times(received[at]),
            "logged_at": _times(logged[at]),
            "station": station,
            "channel": _CHANNELS.gather(s.channel[first[at]]),
        }
    )
    rows = head.hstack(fields.drop("index")).with_columns(slices(text, start[at], end[at]).alias("raw"))
    return rows.sort(LINE), verdict


def _payloads(block: nmea.Block, messages: nmea_join.Messages) -> tuple[bytes, Ints, Ints]:
    """The text with the payloads of multipart messages put together behind it; where each payload lies."""
    s, text = block.sentences, block.lines.text
    first = messages.sentence[messages.first]
    start, end = s.payload_start[first], s.payload_end[first]
    size = np.diff(np.append(messages.first, len(messages.sentence)))
    many = np.flatnonzero(size > 1)
    if not len(many):
        return text, start, end
    parts = messages.sentence[np.repeat(size > 1, size)]
    begins, stops = s.payload_start[parts], s.payload_end[parts]
    pieces = [text[a:b] for a, b in zip(begins.tolist(), stops.tolist(), strict=True)]
    length = np.add.reduceat(stops - begins, np.cumsum(size[many]) - size[many])
    end[many] = len(text) + np.cumsum(length)
    start[many] = end[many] - length
    return text + b"".join(pieces), start, end


def _pick(values: pl.Series, index: Ints) -> pl.Series:
    """`values` at `index`, null at -1."""
    if not (index != NONE).any():
        return pl.repeat(None, len(index), dtype=values.dtype, eager=True)
    return values.gather(pl.Series(index).set(pl.Series(index == NONE), None))


def _times(epoch_us: Ints) -> pl.Series:
    missing = np.datetime64("NaT", "us")
    return pl.Series(np.where(epoch_us == NONE, missing, epoch_us.view("M8[us]"))).dt.replace_time_zone("UTC")


def _refused(block: nmea.Block, at: Ints, rule: npt.NDArray[np.int8]) -> pl.DataFrame:
    reasons = [_REASONS[code] for code in rule.tolist()]
    return pl.DataFrame(
        {
            LINE: block.lines.number[at],
            "raw": [
                block.lines.as_sent(index)[:_LONGEST_RAW].decode("utf-8", "backslashreplace") for index in at.tolist()
            ],
            "rule": [name for name, _ in reasons],
            "message": [message for _, message in reasons],
        },
        schema=REFUSED_SCHEMA,
    )

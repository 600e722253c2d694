"""NMEA 0183 lines: framing, checksums, sentences of AIS receivers, a block of lines at once.

What a sentence says lives here; times before it are `nmea_prefix`, other wrappings `nmea_wrapped`, tag blocks
`nmea_tags`, which sentences belong together is `nmea_join`, what an AIS payload means is `ais_payload`. No line that
is not wrapped costs a Python call.

Sources: IEC 61162-1 / NMEA 0183 (framing, XOR checksum, the fields of `!--VDM` and `!--VDO`); Gatehouse's
`$PGHP,1`: when and where the sentence was received whose checksum the line ends in.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from warehouse.readers import nmea_wrapped
from warehouse.readers.nmea_bytes import (
    NONE,
    PAD,
    Bytes,
    Ints,
    Marks,
    Mask,
    epoch_us,
    hex_pair,
    numbers,
    slices,
    windows,
    xor,
)
from warehouse.readers.nmea_prefix import Prefixes, behind
from warehouse.readers.nmea_tags import TagBlocks

# What a line is; below 0 it is refused.
IGNORED, SENTENCE, GATEHOUSE = 0, 1, 2
FRAMING, CHECKSUM, FIELDS, TAG_BLOCK, TIME, ZONE = -1, -2, -3, -4, -5, -6

_ASK = "ask for the log as recorded"
RULES = {
    FRAMING: (
        "nmea-framing",
        "no sentence, or more than one: it starts with ! or $, where a time with its zone may stand before, and ends "
        "in *hh; strip what else was put around it",
    ),
    CHECKSUM: (
        "nmea-checksum",
        f"the bytes do not give this checksum: damaged on the way, or edited; {_ASK}",
    ),
    FIELDS: (
        "nmea-fields",
        f"the name is not in capitals, or the fields not total,part,sequence,channel,payload,fill bits; {_ASK}",
    ),
    TAG_BLOCK: (
        "nmea-tag-block",
        f"the tag block does not end in its right checksum and a backslash; {_ASK}",
    ),
    TIME: ("nmea-time", "$PGHP,1 without a time and the checksum of a sentence; ask the receiver's owner"),
    ZONE: (
        "nmea-time-zone",
        "the time beside the sentence names no zone, or no year; have the logger write it whole, with Z, or how far "
        'its clock is from UTC; where that is known, name it in the dialect: options = { clock = "UTC" }',
    ),
}

# The first eight bytes as one number: "!..VDM," or "!..VDO,", and "$PGHP,1,". Some loggers write a $ for the !.
_VDM = int.from_bytes(b"\0\0\0VDM,\0", "little")
_VDO = int.from_bytes(b"\0\0\0VDO,\0", "little")
_FORMATTER = int.from_bytes(b"\0\0\0\xdf\xdf\xdf\xff\0", "little")  # In small letters, too: these are refused.
_FIRST_US = 10**15  # 2001: later than which Unix times have ten digits.
_NAME = int.from_bytes(b"\0\0\0\xdf\xdf\xdf\0\0", "little")
_PGHP = int.from_bytes(b"$PGHP,1,", "little")


@dataclass
class Lines:
    """The lines of one block, an array element a line; offsets leave line end and outer spaces out."""

    text: bytes
    data: Bytes  # text as an array, `PAD` zeros behind
    number: Ints  # 1-based line number in the file
    start: Ints
    end: Ints
    status: npt.NDArray[np.int8]
    wrapped: "Lines | None" = None
    """The lines as they were sent, where sentences were taken out of wrappings."""

    def as_sent(self, at: int) -> bytes:
        """A line as it stands in the file."""
        lines = self.wrapped or self
        return lines.text[int(lines.start[at]) : int(lines.end[at])]


@dataclass
class Sentences:
    """`!--VDM` and `!--VDO` sentences, an array element a sentence."""

    line: Ints  # index into Lines
    talker: Ints  # its two letters and the last of VDM or VDO, packed
    total: Ints
    part: Ints
    sequence: Ints  # NONE where empty
    channel: Bytes  # 0 where empty
    payload_start: Ints
    payload_end: Ints
    fill_bits: Ints
    checksum: Ints
    logged_us: Ints  # the time behind the checksum, else the one before the sentence
    tagged_us: Ints  # the tag block's time
    group: Ints  # the tag block's group
    station: pl.Series


@dataclass
class Gatehouse:
    """`$PGHP,1` lines, an array element a line; `checksum` is that of the sentence they speak of."""

    line: Ints
    checksum: Ints
    received_us: Ints
    logged_us: Ints
    station: pl.Series


@dataclass
class Block:
    """What one block of lines holds; `headers` are tag blocks alone on a line."""

    lines: Lines
    sentences: Sentences
    gatehouse: Gatehouse
    headers: pl.DataFrame


def parse(text: bytes, number: Ints, clock: str | None = None) -> Block:
    """Read a block of whole lines, each ended by a line feed; `number` gives their place in the file.

    `clock` is the zone of times that name none.
    """
    block = _parsed(text, number, clock)
    lines = block.lines
    unframed = np.flatnonzero(lines.status == FRAMING)
    if (inner := nmea_wrapped.unwrapped(text, lines.start, lines.end, unframed)) is not None:
        block = _parsed(inner, number, clock)
        block.lines.wrapped = lines
    if number[0] == 1 and block.lines.status[0] == FRAMING and nmea_wrapped.is_heading(lines.as_sent(0)):
        block.lines.status[0] = IGNORED
    return block


def _parsed(text: bytes, number: Ints, clock: str | None) -> Block:
    data = np.frombuffer(text + bytes(PAD), np.uint8)
    marks = Marks(data[: len(text)])
    lines = _lines(text, data, number)
    before = Prefixes(text, data, lines.start, lines.end, clock)
    tags = TagBlocks(text, data, marks, before.begin, lines.end)
    begin, star = tags.body, _stars(lines, marks, tags.body)
    said, hexadecimal = hex_pair(data, np.minimum(star + 1, len(text)))
    head = np.ascontiguousarray(windows(data, begin, 8)).view("<u8").ravel()

    first = head & 255
    framed = ((first == 33) | (first == 36)) & (star > begin + 1) & (star + 3 <= lines.end) & hexadecimal
    framed &= (star + 3 == lines.end) | (data[np.minimum(star + 3, len(text))] == 44)
    something = (lines.end > lines.start) & (data[lines.start] != 35) & ~tags.alone
    lines.status[something & ~framed] = FRAMING
    rows = np.flatnonzero(something & framed)
    lines.status[rows[xor(data, begin[rows] + 1, star[rows]) != said[rows]]] = CHECKSUM
    lines.status[tags.damaged] = TAG_BLOCK
    rows = rows[lines.status[rows] == IGNORED]

    logged, zoneless = _logged_us(lines, marks, rows, star, clock)
    logged = np.where(logged == NONE, before.time_us, logged)
    zoneless |= before.zoneless
    if zoneless.any():  # Of a line that tells another time, or is of a group that does, that one counts.
        lines.status[zoneless & (logged == NONE) & (tags.times_us() == NONE) & (tags.groups() == NONE)] = ZONE
        rows = rows[lines.status[rows] == IGNORED]
    formatter = head[rows] & _FORMATTER
    is_vdm = (formatter == _VDM) | (formatter == _VDO)
    name = head[rows] & _NAME
    lines.status[rows[((name == (_VDM & _NAME)) | (name == (_VDO & _NAME))) & ~is_vdm]] = FIELDS
    vdm = rows[is_vdm]
    sentences = _sentences(lines, vdm, tags, star, said, logged)
    gatehouse = _gatehouse(lines, marks, rows[head[rows] == _PGHP], begin, star, logged)
    return Block(lines, sentences, gatehouse, tags.headers(number))


def _lines(text: bytes, data: Bytes, number: Ints) -> Lines:
    end = np.flatnonzero(data[: len(text)] == 10)
    start = np.concatenate(([0], end[:-1] + 1))
    end = end - ((end > start) & (data[end - 1] == 13))
    for row in np.flatnonzero((end > start) & ((data[end - 1] <= 32) | (data[start] <= 32))).tolist():
        line = text[start[row] : end[row]]
        start[row] += len(line) - len(line.lstrip())
        end[row] = start[row] + len(line.strip())
    return Lines(text, data, number, start, end, np.zeros(len(start), np.int8))


def _stars(lines: Lines, marks: Marks, begin: Ints) -> Ints:
    """Where each sentence's checksum starts: three bytes before the end, else at its first star."""
    star = np.maximum(lines.end - 3, begin)
    other = np.flatnonzero(lines.data[star] != 42)
    if len(other):
        star[other] = marks.after(marks.stars, begin[other])[0]
    return star


def _logged_us(lines: Lines, marks: Marks, rows: Ints, star: Ints, clock: str | None) -> tuple[Ints, Mask]:
    """The time behind the checksum (`*hh,1327992119157`): when the collecting system logged the line.

    With it which lines have one that names no zone.
    """
    logged, zoneless = np.full(len(lines.start), NONE), np.zeros(len(lines.start), bool)
    rows = rows[star[rows] + 3 < lines.end[rows]]
    if len(rows):
        logged[rows] = _number_us(lines, star[rows] + 4, lines.end[rows])
        more = rows[logged[rows] == NONE]
        logged[more] = _number_us(lines, marks.before(marks.commas, lines.end[more]) + 1, lines.end[more])
        more = more[logged[more] == NONE]
        if len(more):
            told = behind(slices(lines.text, star[more] + 4, lines.end[more]), clock)
            logged[more] = told["time"].to_numpy()
            zoneless[more] = told["zoneless"].to_numpy()
    return logged, zoneless


def _number_us(lines: Lines, start: Ints, end: Ints) -> Ints:
    """Numbers behind checksums that can be times: a small one is a strength, or a count."""
    found = epoch_us(lines.data, start, end)
    return np.where(found < _FIRST_US, NONE, found)


def _sentences(lines: Lines, rows: Ints, tags: TagBlocks, star: Ints, said: Ints, logged: Ints) -> Sentences:
    """`!ttVDM,total,part,sequence,channel,payload,fill*hh`: commas can stand at few places only."""
    data, begin, stop = lines.data, tags.body[rows], star[rows]
    head = windows(data, begin, 16)
    comma = head == 44
    total, part = head[:, 7].astype(np.int64) - 48, head[:, 9].astype(np.int64) - 48
    digits = np.where(comma[:, 11], 0, np.where(comma[:, 12], 1, 2))  # of the sequence number
    ones = head[:, 11].astype(np.int64) - 48
    sequence = np.select([digits == 0, digits == 1], [NONE, ones], ones * 10 + head[:, 12] - 48)
    channel_at = begin + 12 + digits
    channel = np.where(data[channel_at] == 44, 0, data[channel_at]).astype(np.uint8)
    payload_start = channel_at + 1 + (channel > 0)
    no_fill = data[stop - 1] == 44
    payload_end = np.where(no_fill, stop - 1, stop - 2)
    fill = np.where(no_fill, 0, data[stop - 1].astype(np.int64) - 48)

    good = comma[:, 8] & comma[:, 10] & (part >= 1) & (part <= total) & (total <= 9)
    digit = head[:, 11:13] - np.uint8(48) < 10
    good &= (data[channel_at - 1] == 44) & (digit[:, 0] | (digits < 1)) & (digit[:, 1] | (digits < 2))
    good &= (data[payload_start - 1] == 44) & (data[payload_end] == 44) & (payload_end >= payload_start)
    good &= (fill >= 0) & (fill <= 5) & (head[:, 1:6] < 97).all(axis=1)
    lines.status[rows] = np.where(good, SENTENCE, FIELDS)
    kept = np.flatnonzero(good)
    at = rows[kept]
    talker = head[kept, 1].astype(np.int64) << 16 | head[kept, 2].astype(np.int64) << 8 | head[kept, 5]
    return Sentences(
        line=at,
        talker=talker,
        total=total[kept],
        part=part[kept],
        sequence=sequence[kept],
        channel=channel[kept],
        payload_start=payload_start[kept],
        payload_end=payload_end[kept],
        fill_bits=fill[kept],
        checksum=said[at],
        logged_us=logged[at],
        tagged_us=tags.times_us()[at],
        group=tags.groups()[at],
        station=_stations(lines, at, star, tags),
    )


def _stations(lines: Lines, rows: Ints, star: Ints, tags: TagBlocks) -> pl.Series:
    """The tag block's source, else the `r...` or `b...` that the US Coast Guard puts behind the checksum."""
    station = tags.stations(rows) if tags.any else pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    behind = np.flatnonzero((star[rows] + 4 < lines.end[rows]) & (lines.data[star[rows] + 4] > 57))
    if len(behind):
        fields = slices(lines.text, star[rows[behind]] + 3, lines.end[rows[behind]])
        receiver = fields.str.extract(r",([rb][A-Za-z0-9_]+)(?:,|$)")
        station = station.scatter(behind, station.gather(behind).fill_null(receiver))
    return station.alias("station")


def _gatehouse(lines: Lines, marks: Marks, rows: Ints, begin: Ints, star: Ints, logged: Ints) -> Gatehouse:
    """`$PGHP,1,year,month,day,hour,minute,second,millisecond,country,region,station,online,checksum*hh`."""
    if not len(rows):
        none = np.empty(0, np.int64)
        return Gatehouse(none, none, none, none, pl.Series("station", dtype=pl.String))
    comma = marks.after(marks.commas, begin[rows], 14)
    good = (comma[12] + 3 == star[rows]) & (comma[13] > star[rows])
    parts = np.zeros((7, len(rows)), np.int64)
    for field in range(7):
        parts[field], digits = numbers(lines.data, comma[field + 1] + 1, comma[field + 2])
        good &= digits
    received, exists = _time_us(parts)
    said, hexadecimal = hex_pair(lines.data, np.minimum(comma[12] + 1, marks.behind))
    good &= exists & hexadecimal
    lines.status[rows] = np.where(good, GATEHOUSE, TIME)
    kept = np.flatnonzero(good)
    station = slices(lines.text, comma[10, kept] + 1, comma[11, kept])
    return Gatehouse(rows[kept], said[kept], received[kept], logged[rows[kept]], station)


def _time_us(parts: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Microseconds since 1970 of (year, month, day, hour, minute, second, millisecond), and which exist."""
    low, high = np.array([[1970, 1, 1, 0, 0, 0, 0], [2261, 12, 31, 23, 59, 60, 999]])[:, :, None]
    exists = ((parts >= low) & (parts <= high)).all(axis=0)
    year, month, day, hour, minute, second, milli = np.where(exists, parts, low)
    months = (year - 1970) * 12 + month - 1
    date = months.astype("M8[M]").astype("M8[D]") + (day - 1)
    exists &= date.astype("M8[M]").astype(np.int64) == months
    seconds = ((date.astype(np.int64) * 24 + hour) * 60 + minute) * 60 + second
    return (seconds * 1_000 + milli) * 1_000, exists

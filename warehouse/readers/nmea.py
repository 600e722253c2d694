"""NMEA 0183 lines: framing, checksums, tag blocks and times, a block of lines at once.

What a sentence says lives here; which sentences belong together is `nmea_join`, what an AIS payload means is
`ais_payload`. Everything works on one `uint8` array of the block's bytes with numpy, so that no line costs a
Python call.

Sources: IEC 61162-1 / NMEA 0183 (sentences, `!--VDM`/`!--VDO` fields, XOR checksum); NMEA 0183 4.10 (tag
blocks `\\s:..,c:..,g:..*hh\\`); Gatehouse `$PGHP` (reception time of the sentence whose checksum it ends in).
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

NO_TIME = np.int64(-1)
PAD = 128  # zero bytes behind the block: fixed-width windows may look past the last line

# Status of a line; refusals are negative, so that `status < 0` is "refused".
IGNORED, SENTENCE, GATEHOUSE = 0, 1, 2
FRAMING, CHECKSUM, FIELDS, TAG_BLOCK, TIME = -1, -2, -3, -4, -5

RULES = {
    FRAMING: ("nmea-framing", "not an NMEA sentence: it must start with ! or $ and end in *hh; strip what was put around it"),
    CHECKSUM: ("nmea-checksum", "the bytes do not give this checksum; the line was damaged or edited, ask for the log as recorded"),
    FIELDS: ("nmea-fields", "an AIS sentence is !--VDM,total,number,sequence,channel,payload,fill*hh; ask for the log as recorded"),
    TAG_BLOCK: ("nmea-tag-block", "the tag block is not \\code:value,...*hh\\ with its right checksum; ask for the log as recorded"),
    TIME: ("nmea-time", "$PGHP,1 must hold year to millisecond, nine more fields and a checksum; ask the receiver's owner"),
}  # fmt: skip

_HEX = np.full(256, 255, np.uint8)
for _digit in range(16):
    _HEX[ord(f"{_digit:x}")] = _HEX[ord(f"{_digit:X}")] = _digit


@dataclass
class Lines:
    """The lines of one block, an array element a line."""

    text: bytes
    data: Bytes  # text as an array, `PAD` zeros behind
    number: Ints  # 1-based line number in the file
    start: Ints
    end: Ints  # without line end and spaces
    status: npt.NDArray[np.int8]


@dataclass
class Sentences:
    """`!--VDM` and `!--VDO` sentences, an array element a sentence; positions are offsets into the block."""

    line: Ints  # index into Lines
    talker: Ints  # two letters and the last of VDM/VDO, packed
    total: Ints
    part: Ints
    sequence: Ints  # -1 where empty
    channel: Bytes  # 0 where empty
    payload_start: Ints
    payload_end: Ints
    fill_bits: Ints
    checksum: Ints
    logged_us: Ints  # the time after the checksum
    tagged_us: Ints  # the tag block's c:
    group: Ints  # the tag block's group id, -1 where none
    station: pl.Series


@dataclass
class Gatehouse:
    """`$PGHP,1` lines: when, where and (by checksum) which sentence was received."""

    line: Ints
    checksum: Ints
    received_us: Ints
    logged_us: Ints
    station: pl.Series


@dataclass
class Block:
    """What one block of lines holds. `headers` are tag blocks alone on a line: group, line number, time, station."""

    lines: Lines
    sentences: Sentences
    gatehouse: Gatehouse
    headers: pl.DataFrame


def windows(data: Bytes, start: Ints, width: int) -> Bytes:
    """(n, width) bytes from each start."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(data, width)[start])


def slices(data: bytes, start: Ints, end: Ints) -> pl.Series:
    """Strings cut out of `data`; null where empty. They share its memory."""
    frame = pl.DataFrame({"start": start, "length": np.maximum(end - start, 0)})
    cut = (
        pl.lit(data, dtype=pl.Binary)
        .bin.slice(pl.col("start"), pl.col("length"))
        .cast(pl.String, strict=False)
    )
    return frame.select(pl.when(pl.col("length") > 0).then(cut).alias("text"))["text"]


def parse(text: bytes, number: Ints) -> Block:
    """Read a block of whole lines, each ended by a line feed; `number` gives their place in the file."""
    data = np.frombuffer(text + bytes(PAD), np.uint8)
    body = data[: len(text)]
    feeds = np.flatnonzero(body == 10)
    lines = Lines(
        text, data, number, np.concatenate(([0], feeds[:-1] + 1)), feeds, np.zeros(len(feeds), np.int8)
    )
    _strip(lines)
    marks = _Marks(body)
    tags = _TagBlocks(lines, marks)
    begin = tags.sentence_start
    star, logged_end = marks.next_of(marks.stars, begin), lines.end
    xor = np.concatenate((np.zeros(1, np.uint8), np.bitwise_xor.accumulate(data)))

    said, hexadecimal = _hex_pair(data, star + 1)
    first = data[begin]
    framed = ((first == 33) | (first == 36)) & (star > begin) & (star + 3 <= lines.end) & hexadecimal
    framed &= (star + 3 == lines.end) | (data[np.minimum(star + 3, len(text))] == 44)
    agrees = (xor[np.minimum(star, len(text))] ^ xor[begin + 1]) == said
    something = (lines.end > lines.start) & (data[lines.start] != 35) & ~tags.alone
    lines.status[something & ~framed] = FRAMING
    lines.status[something & framed & ~agrees] = CHECKSUM
    lines.status[tags.damaged(xor)] = TAG_BLOCK
    good = something & (lines.status == IGNORED)

    logged = _logged_us(lines, marks, np.flatnonzero(good), star, logged_end)
    gatehouse = _gatehouse(
        lines, marks, np.flatnonzero(good & _spells(data, begin, b"$PGHP,1,")), begin, star, logged
    )
    vdm = _spells(data, begin, b"!") & (_spells(data, begin + 3, b"VDM,") | _spells(data, begin + 3, b"VDO,"))
    sentences = _sentences(lines, marks, np.flatnonzero(good & vdm), tags, star, said, logged)
    return Block(lines, sentences, gatehouse, tags.headers())


class _Marks:
    """Sorted offsets of the separators, each ended by sentinels just behind the block."""

    def __init__(self, body: Bytes) -> None:
        self.body, self.behind = body, len(body)
        self.commas, self.stars = self._of(44), self._of(42)

    def _of(self, character: int) -> Ints:
        return np.concatenate((np.flatnonzero(self.body == character), np.full(16, self.behind)))

    def next_of(self, marks: Ints, at: Ints) -> Ints:
        return marks[np.searchsorted(marks[:-15], at)]

    def last_comma(self, end: Ints) -> Ints:
        index = np.searchsorted(self.commas, end) - 1
        return np.where(index >= 0, self.commas[index], -1)


class _TagBlocks:
    """Tag blocks at the start of lines: where they end and what their c:, s: and g: say."""

    def __init__(self, lines: Lines, marks: _Marks) -> None:
        self.lines, self.marks = lines, marks
        self.present: Mask = lines.data[lines.start] == 92
        self.sentence_start = lines.start
        self.close = self.star = lines.start
        self.alone: Mask = np.zeros(len(lines.start), bool)
        self.any = bool(self.present.any())
        if self.any:
            self.close = marks.next_of(marks._of(92), lines.start + 1)
            self.star = marks.next_of(marks.stars, lines.start)
            self.present &= self.close < lines.end  # else no sentence starts here: refused for its framing
            self.sentence_start = np.where(self.present, self.close + 1, lines.start)
            self.alone = self.present & (self.sentence_start == lines.end)
            self.colons = marks._of(58)[:-16]

    def damaged(self, xor: Bytes) -> Mask:
        if not self.any:
            return self.alone
        said, hexadecimal = _hex_pair(self.lines.data, np.minimum(self.star + 1, self.marks.behind))
        agrees = (xor[np.minimum(self.star, self.marks.behind)] ^ xor[self.lines.start + 1]) == said
        return self.present & ~(hexadecimal & agrees & (self.star == self.close - 3))

    def field(self, code: bytes) -> tuple[Ints, Ints]:
        """Start and end of a field's value in each line; empty where the line has none."""
        start, end = np.zeros((2, len(self.lines.start)), np.int64)
        if not self.any:
            return start, end
        data, colons = self.lines.data, self.colons[self.colons > 1]
        before = data[colons - 2]
        at = colons[(data[colons - 1] == code[0]) & ((before == 44) | (before == 92))]
        line = np.searchsorted(self.lines.start, at, side="right") - 1
        inside = self.present[line] & (at < self.star[line])
        at, line = at[inside] + 1, line[inside]
        start[line], end[line] = at, np.minimum(self.marks.next_of(self.marks.commas, at), self.star[line])
        return start, end

    def times_us(self) -> Ints:
        return (
            _epoch_us(self.lines.data, *self.field(b"c")) if self.any else np.full(len(self.alone), NO_TIME)
        )

    def groups(self) -> Ints:
        """The group id of `g:part-total-id`, -1 where none."""
        if not self.any:
            return np.full(len(self.alone), -1)
        start, end = self.field(b"g")
        dashes = np.concatenate(([-1], self.marks._of(45)[:-16]))
        dash = dashes[np.searchsorted(dashes, end) - 1]
        value, digits = numbers(self.lines.data, dash + 1, end)
        return np.where(digits & (dash > start), value, -1)

    def headers(self) -> pl.DataFrame:
        at = np.flatnonzero(self.alone & (self.lines.status == IGNORED))
        start, end = self.field(b"s")
        return pl.DataFrame(
            {
                "group": self.groups()[at],
                "line": self.lines.number[at],
                "time": self.times_us()[at],
                "station": slices(self.lines.text, start[at], end[at]),
            }
        )


def numbers(data: Bytes, start: Ints, end: Ints) -> tuple[Ints, Mask]:
    """Decimal numbers of 1 to 18 digits between offsets, and whether each is one."""
    value, valid = np.zeros(len(start), np.int64), np.zeros(len(start), bool)
    length = end - start
    for width in np.unique(length):
        if 1 <= width <= 18:
            rows = np.flatnonzero(length == width)
            digits = windows(data, start[rows], int(width)) - np.uint8(48)
            valid[rows] = (digits < 10).all(axis=1)
            value[rows] = digits.astype(np.int64) @ (10 ** np.arange(width, dtype=np.int64)[::-1])
    return value, valid


def _epoch_us(data: Bytes, start: Ints, end: Ints) -> Ints:
    """Unix seconds, milliseconds or microseconds (told by their size; seconds may have a fraction)."""
    value, valid = numbers(data, start, end)
    for row in np.flatnonzero(~valid & (end - start > 2) & (end - start < 24)):
        fraction = re.fullmatch(rb"(\d{1,11})\.(\d{1,9})", data[start[row] : end[row]].tobytes())
        if fraction:
            value[row] = int(fraction[1]) * 1_000_000 + int(fraction[2].ljust(6, b"0")[:6])
            value[row] = -value[row]  # marks microseconds, whatever their size
    us = np.select(
        [value < 0, value < 10**11, value < 10**14], [-value, value * 1_000_000, value * 1_000], value
    )
    return np.where((valid | (value < 0)) & (us > 0) & (us < 10**17), us, NO_TIME)


def _strip(lines: Lines) -> None:
    """Leave carriage returns and spaces out of the lines."""
    body = lines.data
    filled = lines.end > lines.start
    lines.end = lines.end - (filled & (body[lines.end - 1] == 13))
    filled = lines.end > lines.start
    spaced = filled & ((body[lines.end - 1] <= 32) | (body[lines.start] <= 32))
    for row in np.flatnonzero(spaced):
        line = lines.text[lines.start[row] : lines.end[row]]
        lines.start[row] += len(line) - len(line.lstrip())
        lines.end[row] = lines.start[row] + len(line.strip())


def _hex_pair(data: Bytes, at: Ints) -> tuple[Ints, Mask]:
    high, low = _HEX[data[at]], _HEX[data[at + 1]]
    return high.astype(np.int64) * 16 + low, (high < 16) & (low < 16)


def _spells(data: Bytes, at: Ints, word: bytes) -> Mask:
    same = data[at] == word[0]
    for offset in range(1, len(word)):
        same &= data[at + offset] == word[offset]
    return same


def _logged_us(lines: Lines, marks: _Marks, rows: Ints, star: Ints, end: Ints) -> Ints:
    """The number after the checksum (`*hh,1327992119157`): when the collecting system logged the line."""
    logged = np.full(len(lines.start), NO_TIME)
    rows = rows[star[rows] + 3 < end[rows]]
    logged[rows] = _epoch_us(lines.data, marks.last_comma(end[rows]) + 1, end[rows])
    return logged


def _gatehouse(lines: Lines, marks: _Marks, rows: Ints, begin: Ints, star: Ints, logged: Ints) -> Gatehouse:
    comma = marks.commas[np.searchsorted(marks.commas[:-15], begin[rows])[:, None] + np.arange(14)]
    right = (comma[:, 12] + 3 == star[rows]) & (comma[:, 13] > star[rows])
    of, part_ok = np.zeros((7, len(rows)), np.int64), right
    for field in range(7):
        of[field], digits = numbers(lines.data, comma[:, field + 1] + 1, comma[:, field + 2])
        part_ok = part_ok & digits
    year, month, day, hour, minute, second, milli = of
    months = (year - 1970) * 12 + month - 1
    part_ok &= (1970 <= year) & (year < 2262) & (1 <= month) & (month <= 12) & (1 <= day) & (day <= 31)
    months = np.where(part_ok, months, 0)
    date = months.astype("M8[M]").astype("M8[D]") + np.where(part_ok, day - 1, 0)
    part_ok &= date.astype("M8[M]").astype(np.int64) == months
    part_ok &= (hour < 24) & (minute < 60) & (second <= 60) & (milli < 1000)
    said, hexadecimal = _hex_pair(lines.data, np.minimum(comma[:, 12] + 1, marks.behind))
    part_ok &= hexadecimal
    seconds = ((date.astype(np.int64) * 24 + hour) * 60 + minute) * 60 + second
    received = (seconds * 1_000 + milli) * 1_000
    lines.status[rows] = np.where(part_ok, GATEHOUSE, TIME)
    keep = np.flatnonzero(part_ok)
    kept = rows[keep]
    station = slices(lines.text, comma[keep, 10] + 1, comma[keep, 11])
    return Gatehouse(kept, said[keep], received[keep], logged[kept], station)


def _sentences(
    lines: Lines, marks: _Marks, rows: Ints, tags: _TagBlocks, star: Ints, said: Ints, logged: Ints
) -> Sentences:
    data, begin = lines.data, tags.sentence_start
    comma = marks.commas[np.searchsorted(marks.commas[:-15], begin[rows])[:, None] + np.arange(7)].T
    comma = np.ascontiguousarray(comma)
    total, part = data[comma[0] + 1].astype(np.int64) - 48, data[comma[1] + 1].astype(np.int64) - 48
    sequence, sequence_ok = numbers(data, comma[2] + 1, comma[3])
    fill = np.where(
        comma[5] + 1 == star[rows], 0, data[np.minimum(comma[5] + 1, marks.behind)].astype(np.int64) - 48
    )
    ok = (
        (comma[5] < star[rows])
        & (comma[6] > star[rows])
        & (comma[1] - comma[0] == 2)
        & (comma[2] - comma[1] == 2)
    )
    ok &= (
        (1 <= part)
        & (part <= total)
        & (total <= 9)
        & (sequence_ok | (comma[3] == comma[2] + 1))
        & (sequence < 100)
    )
    ok &= (comma[4] - comma[3] <= 2) & (star[rows] - comma[5] <= 2) & (0 <= fill) & (fill <= 5)
    lines.status[rows] = np.where(ok, SENTENCE, FIELDS)
    keep = np.flatnonzero(ok)
    rows, comma, at = rows[keep], comma[:, keep], begin[rows[keep]]
    talker = (data[at + 1].astype(np.int64) << 16) | (data[at + 2].astype(np.int64) << 8) | data[at + 5]
    channel = np.where(comma[4] - comma[3] == 2, data[comma[3] + 1], 0).astype(np.uint8)
    return Sentences(
        line=rows, talker=talker, total=total[keep], part=part[keep],
        sequence=np.where(sequence_ok[keep], sequence[keep], -1), channel=channel,
        payload_start=comma[4] + 1, payload_end=comma[5], fill_bits=fill[keep], checksum=said[rows],
        logged_us=logged[rows], tagged_us=tags.times_us()[rows], group=tags.groups()[rows],
        station=_stations(lines, marks, rows, star, tags),
    )  # fmt: skip


def _stations(lines: Lines, marks: _Marks, rows: Ints, star: Ints, tags: _TagBlocks) -> pl.Series:
    """The tag block's s:, else the `r...`/`b...` field that the US Coast Guard's network puts behind the checksum."""
    start, end = tags.field(b"s")
    station = slices(lines.text, start[rows], end[rows])
    if (marks.last_comma(lines.end[rows]) > star[rows] + 3).any():
        behind = slices(lines.text, star[rows] + 3, lines.end[rows])
        station = station.fill_null(behind.str.extract(r",([rb][A-Za-z0-9_]+)(?:,|$)"))
    return station.alias("station")

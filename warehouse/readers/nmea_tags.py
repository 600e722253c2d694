"""Tag blocks at the start of lines (NMEA 0183 4.10): `\\s:station,c:time,g:part-total-group*hh\\`."""

import numpy as np
import polars as pl

from warehouse.readers.nmea_bytes import (
    NONE,
    Bytes,
    Ints,
    Marks,
    Mask,
    epoch_us,
    hex_pair,
    numbers,
    slices,
    xor,
)

HEADERS = pl.Schema({"group": pl.Int64(), "line": pl.Int64(), "time": pl.Int64(), "station": pl.String()})


class TagBlocks:
    """The tag blocks of lines, an array element a line. `body` is where the rest of the line starts."""

    def __init__(self, text: bytes, data: Bytes, marks: Marks, start: Ints, end: Ints) -> None:
        self.text, self.data, self.marks, self.start = text, data, marks, start
        self.present: Mask = np.asarray(data[start] == 92)
        self.body = self.close = self.star = start
        self.damaged: Mask = np.zeros(len(start), bool)
        self.alone: Mask = self.damaged
        self.any = bool(self.present.any())
        if not self.any:
            return
        self.close = marks.after(marks.of(b"\\"), start + 1)[0]
        self.present &= self.close < end  # an open block is left to the framing of its line
        self.star = marks.after(marks.stars, start)[0]
        self.body = np.where(self.present, self.close + 1, start)
        self.alone = self.present & (self.body == end)
        self.damaged = self.present.copy()
        rows = np.flatnonzero(self.present & (self.star == self.close - 3) & (self.star > start + 1))
        said, hexadecimal = hex_pair(data, self.star[rows] + 1)
        self.damaged[rows] = ~hexadecimal | (xor(data, start[rows] + 1, self.star[rows]) != said)

    def times_us(self) -> Ints:
        """The receiver's time (`c:`)."""
        return epoch_us(self.data, *self._field(b"c")) if self.any else np.full(len(self.start), NONE)

    def groups(self) -> Ints:
        """The group id (`g:part-total-id`)."""
        if not self.any:
            return np.full(len(self.start), NONE)
        start, end = self._field(b"g")
        dash = self.marks.before(self.marks.of(b"-"), end)
        value, digits = numbers(self.data, dash + 1, end)
        return np.where(digits & (dash > start), value, NONE)

    def stations(self, rows: Ints) -> pl.Series:
        """The source (`s:`) of some lines."""
        start, end = self._field(b"s")
        return slices(self.text, start[rows], end[rows])

    def headers(self, number: Ints) -> pl.DataFrame:
        """Tag blocks alone on a line, which speak for the lines of their group that follow."""
        at = np.flatnonzero(self.alone & ~self.damaged)
        if not len(at):
            return pl.DataFrame(schema=HEADERS)
        group, time = self.groups()[at], self.times_us()[at]
        station = self.stations(at)
        return pl.DataFrame({"group": group, "line": number[at], "time": time, "station": station}, schema=HEADERS)

    def _field(self, code: bytes) -> tuple[Ints, Ints]:
        """Start and end of a field's value in each line; empty where the line has none."""
        start, end = np.zeros((2, len(self.start)), np.int64)
        colons = np.flatnonzero(self.marks.body == 58)
        colons = colons[colons > 1]
        before = self.data[colons - 2]
        at = colons[(self.data[colons - 1] == code[0]) & ((before == 44) | (before == 92))]
        line = np.searchsorted(self.start, at, side="right") - 1
        inside = self.present[line] & (at < self.star[line])
        at, line = at[inside] + 1, line[inside]
        start[line], end[line] = at, np.minimum(self.marks.after(self.marks.commas, at)[0], self.star[line])
        return start, end

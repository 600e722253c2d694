"""Times that loggers write around a sentence: `2012-01-31T05:07:02Z !AIVDM`, `[1327986422.5] $PGHP`, all lines at once.

A time is one in ISO 8601 with its zone, or a Unix time in seconds or milliseconds; one without a zone, or without a
year, is told from these, since it could be of any clock. What else stands before a sentence is `nmea_wrapped`. Of the
times behind one, a number that stands last or alone is read by `nmea`, the others here.
"""

import numpy as np
import polars as pl

from warehouse.readers.nmea_bytes import NONE, Bytes, Ints, Mask, slices
from warehouse.readers.nmea_wrapped import YEARLESS

_LONGEST = 48
_DAY, _CLOCK, _OFFSET = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d:\d\d", r"Z|UTC|GMT|[+-]\d\d(?::?\d\d)?"
_ISO = rf"(?<day>{_DAY})[T ](?<clock>{_CLOCK})(?:[.,](?<fraction>\d{{1,9}}))? ?(?<offset>{_OFFSET})?"
_UNIX = r"(?<seconds>\d{10})(?:\.(?<parts>\d{1,9}))?|(?<milliseconds>\d{13})"
_BEHIND = rf"^(?:.*,)?(?:{_ISO}|{_UNIX})(?:,.*)?$"
# What is before the sentence, which begins with ! or $, or with its tag block.
_PREFIX = rf"^(?<prefix>\[?(?:{_ISO}|{_UNIX}|(?<yearless>{YEARLESS}))\]?[ \t,;]{{1,3}})[!$\\]"


class Prefixes:
    """The times before sentences, an array element a line; `begin` is where the rest of the line starts.

    `clock` is the zone of times that name none; None where that is not known.
    """

    def __init__(self, text: bytes, data: Bytes, start: Ints, end: Ints, clock: str | None) -> None:
        self.begin, self.time_us = start, np.full(len(start), NONE)
        self.zoneless: Mask = np.zeros(len(start), bool)
        first = data[start]
        rows = np.flatnonzero((end > start) & ((first == 91) | (first - np.uint8(48) < 10)))
        if not len(rows):
            return
        found = _parted(slices(text, start[rows], np.minimum(end[rows], start[rows] + _LONGEST)), clock)
        self.begin = start.copy()
        self.begin[rows] += found["length"].to_numpy()
        self.time_us[rows] = found["time"].to_numpy()
        self.zoneless[rows] = found["zoneless"].to_numpy()


def _parted(heads: pl.Series, clock: str | None) -> pl.DataFrame:
    """The length of each prefix, its time in microseconds, and whether that lacks a zone."""
    parts = heads.alias("head").to_frame().select(pl.col("head").str.extract_groups(_PREFIX)).unnest("head")
    c = pl.col
    time, zoneless = _told(clock)
    zoneless |= c("yearless").is_not_null()
    # 30 February is no time: it stays where it is, and no sentence begins there.
    length = pl.when(time.is_not_null() | zoneless).then(c("prefix").str.len_bytes())
    return parts.select(length=length.fill_null(0).cast(pl.Int64), time=time.fill_null(NONE), zoneless=zoneless)


def behind(texts: pl.Series, clock: str | None) -> pl.DataFrame:
    """The time among the fields behind each checksum, in microseconds, and whether it lacks a zone."""
    parts = texts.alias("text").to_frame().select(pl.col("text").str.extract_groups(_BEHIND)).unnest("text")
    time, zoneless = _told(clock)
    return parts.select(time=time.fill_null(NONE), zoneless=zoneless)


def _told(clock: str | None) -> tuple[pl.Expr, pl.Expr]:
    """Of the groups of `_ISO` and `_UNIX`: the time in microseconds, and whether there is one that lacks a zone."""
    c = pl.col
    whole = pl.concat_str(c("day"), pl.lit("T"), c("clock")).str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False)
    digits = c("offset").str.replace("Z|UTC|GMT", "+00").str.replace(":", "").str.pad_end(5, "0")
    minutes = digits.str.slice(1, 2).cast(pl.Int64) * 60 + digits.str.slice(3, 2).cast(pl.Int64)
    ahead = pl.when(digits.str.starts_with("-")).then(-minutes).otherwise(minutes)
    iso = whole.dt.epoch("us") + _micros("fraction") - ahead * 60_000_000
    if clock is not None:
        by_clock = whole.dt.replace_time_zone(clock, ambiguous="earliest", non_existent="null")
        iso = pl.coalesce(iso, by_clock.dt.epoch("us") + _micros("fraction"))
    unix = c("seconds").cast(pl.Int64) * 1_000_000 + _micros("parts")
    time = pl.coalesce(iso, unix, c("milliseconds").cast(pl.Int64) * 1_000)
    return time, c("day").is_not_null() & c("offset").is_null() & pl.lit(clock is None)


def _micros(digits: str) -> pl.Expr:
    """A fraction of a second."""
    return pl.col(digits).str.pad_end(6, "0").str.head(6).fill_null("0").cast(pl.Int64)

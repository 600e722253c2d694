"""A block of text as a `uint8` array: windows, slices, separators, numbers and times, for all lines at once.

What the bytes mean is not known here, except that a number may be a Unix time.
"""

import re
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

NONE = -1  # of times, groups and indexes
PAD = 256  # zero bytes behind the block: windows may look past the last line
_BEHIND = 16  # sentinels behind the separators: so many may be looked for past the last

_IN_VIEW = 12  # bytes of the longest text that a view holds itself

_ASCII = bytes(range(128)) + b"?" * 128
_HEX = np.full(256, 255, np.int64)
for _digit in range(16):
    _HEX[ord(f"{_digit:x}")] = _HEX[ord(f"{_digit:X}")] = _digit


def windows(data: Bytes, start: Ints, width: int) -> Bytes:
    """(n, width) bytes from each start."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(data, width)[start])


def slices(text: bytes, start: Ints, end: Ints) -> pl.Series:
    """Strings cut out of `text`, whose memory they share; null where empty. Bytes beyond ASCII become ?.

    They are made as Arrow keeps views of text: the length, then a short text itself, or where a long one lies.
    """
    if not text.isascii():
        text = text.translate(_ASCII)
    start = np.clip(start, 0, len(text))
    length = np.clip(end, start, len(text)) - start
    views = np.zeros((len(start), 4), np.uint32)
    views[:, 0] = length
    first = windows(np.frombuffer(text + bytes(_IN_VIEW), np.uint8), start, _IN_VIEW)
    views.view(np.uint8)[:, -_IN_VIEW:] = first * (np.arange(_IN_VIEW) < length[:, None])
    far = length > _IN_VIEW
    views[far, 2], views[far, 3] = 0, start[far]
    is_there = np.packbits(length > 0, bitorder="little")
    buffers = [pa.py_buffer(each) for each in (is_there, views, text)]
    return pl.Series("text", pa.Array.from_buffers(pa.string_view(), len(start), buffers))


class Marks:
    """Sorted offsets of separators, each ended by sentinels just behind the block."""

    def __init__(self, body: Bytes) -> None:
        self.body, self.behind = body, len(body)

    def of(self, character: bytes) -> Ints:
        """Offsets of a character and the sentinels."""
        found = np.flatnonzero(self.body == character[0])
        return np.concatenate((found, np.full(_BEHIND, self.behind)))

    @cached_property
    def commas(self) -> Ints:
        return self.of(b",")

    @cached_property
    def stars(self) -> Ints:
        return self.of(b"*")

    def after(self, marks: Ints, at: Ints, count: int = 1) -> Ints:
        """(count, n) first marks at or behind each offset."""
        index = np.searchsorted(marks[: 1 - _BEHIND], at)
        found: Ints = marks[index + np.arange(count)[:, None]]
        return found

    def before(self, marks: Ints, at: Ints) -> Ints:
        """The last mark before each offset, -1 where there is none."""
        last: Ints = np.concatenate(([-1], marks))[np.searchsorted(marks, at)]
        return last


def hex_pair(data: Bytes, at: Ints) -> tuple[Ints, Mask]:
    """The byte that two hexadecimal digits write, and whether they are such."""
    high, low = _HEX[data[at]], _HEX[data[at + 1]]
    return high * 16 + low, (high | low) < 16


def xor(data: Bytes, start: Ints, end: Ints) -> Ints:
    """XOR of the bytes of each slice; slices are not empty, ascending and do not overlap."""
    if not len(start):
        return np.empty(0, np.int64)
    edges = np.stack((start, end), axis=1).ravel()
    return np.bitwise_xor.reduceat(data, edges)[::2].astype(np.int64)


def numbers(data: Bytes, start: Ints, end: Ints) -> tuple[Ints, Mask]:
    """Decimal numbers of 1 to 18 digits, and whether each slice is one."""
    value, valid = np.zeros(len(start), np.int64), np.zeros(len(start), bool)
    length = end - start
    for width in np.unique(length).tolist():
        if 1 <= width <= 18:
            rows = np.flatnonzero(length == width)
            digits = windows(data, start[rows], width) - np.uint8(48)
            valid[rows] = (digits < 10).all(axis=1)
            value[rows] = digits.astype(np.int64) @ (10 ** np.arange(width, dtype=np.int64)[::-1])
    return value, valid


def epoch_us(data: Bytes, start: Ints, end: Ints) -> Ints:
    """Unix times in microseconds; written as seconds (perhaps with a fraction), milli- or microseconds."""
    value, valid = numbers(data, start, end)
    scale = np.select([value < 10**11, value < 10**14], [1_000_000, 1_000], 1)
    us = np.where(valid & (value < 10**17), value * scale, 0)
    for row in np.flatnonzero(~valid & (end - start > 2) & (end - start < 24)).tolist():
        fraction = re.fullmatch(rb"(\d{1,11})\.(\d{1,9})", data[start[row] : end[row]].tobytes())
        if fraction:
            us[row] = int(fraction[1]) * 1_000_000 + int(fraction[2].ljust(6, b"0")[:6])
    return np.where(us > 0, us, NONE)

"""How the engine lays rows out: by entity and time, in slices of whole entities that fit a processor's cache.

Keys become codes, rows are ordered by (code, time) with a radix sort over 16 bits at a time, and the order is cut where
one entity ends and the next begins. What is computed of a slice is `features.windows`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.errors import BorderlakeError

_DIGIT_BITS = 16
_KEY_BITS = 62
_ROWS_A_SLICE = 1 << 17

Ints = NDArray[np.int64]
AnyInts = NDArray[np.integer]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Codes:
    """A key as numbers from 0, the same for events and history; -1 where it is null."""

    events: AnyInts
    history: AnyInts
    kinds: int
    """Every code is below it."""


@dataclass(frozen=True)
class Part:
    """Whole entities: their rows of history and their events, each by (code, time)."""

    rows: Ints
    """Where the rows stand in the history."""
    events: Ints
    row_codes: Ints
    """From 0 within the part, ascending."""
    event_codes: Ints


def microseconds(frame: pl.DataFrame, name: str) -> Ints:
    """A time as microseconds of the epoch; raises `BorderlakeError` where one is missing."""
    missing = frame[name].null_count()
    if missing:
        raise BorderlakeError(f"{name} is missing in {missing:,} of {frame.height:,} rows; leave those rows out")
    found: Ints = frame[name].dt.epoch("us").to_numpy()
    return found


def coded(events: pl.Series, history: pl.Series) -> Codes:
    """One column of a key as codes."""
    both = pl.concat([history.alias("key"), events.alias("key")])
    if both.dtype == pl.String:
        # Categories of their own, so that codes are dense and gone with the frame.
        both = both.cast(pl.Categorical(pl.Categories.random())).to_physical()
    else:
        both = both.rank("dense") - 1
    codes: AnyInts = both.cast(pl.Int32).fill_null(-1).to_numpy()
    kinds = int(codes.max(initial=-1)) + 1
    return Codes(codes[len(history) :], codes[: len(history)], kinds)


def paired(codes: Sequence[Codes]) -> Codes:
    """A key of several columns as one code, null where any of them is."""
    events, history, kinds = codes[0].events, codes[0].history, codes[0].kinds
    for other in codes[1:]:
        if kinds * other.kinds >= 1 << _KEY_BITS:
            events, history, kinds = _dense(events, history)
        events = _product(events, other.events, other.kinds)
        history = _product(history, other.history, other.kinds)
        kinds *= other.kinds
    return Codes(events, history, kinds)


def _product(codes: AnyInts, others: AnyInts, kinds: int) -> Ints:
    return np.where((codes < 0) | (others < 0), -1, codes.astype(np.int64) * kinds + others)


def _dense(events: AnyInts, history: AnyInts) -> tuple[Ints, Ints, int]:
    distinct, dense = np.unique(np.concatenate([[-1], history, events]), return_inverse=True)
    return dense[1 + len(history) :] - 1, dense[1 : 1 + len(history)] - 1, len(distinct) - 1


def by_time(times: Ints) -> Ints | None:
    """The order of rows by time; None where they are in it."""
    if times.size == 0 or bool((times[1:] >= times[:-1]).all()):
        return None
    least = times.min()
    return _radix(times - least, None, int(times.max() - least))


def parts_of(codes: Codes, events_by_time: Ints | None, rows_by_time: Ints | None, time_bits: int) -> Iterator[Part]:
    """All events whose key is known, entity by entity, in parts whose codes and times fit one 64-bit key."""
    events, event_codes = _grouped(codes.events, events_by_time, codes.kinds)
    rows, row_codes = _grouped(codes.history, rows_by_time, codes.kinds)
    if not events.size:
        return
    entities, starts = _groups(event_codes)
    ends = np.append(starts[1:], event_codes.size)
    first = np.searchsorted(row_codes, entities, side="left")
    last = np.searchsorted(row_codes, entities, side="right")
    held = np.cumsum((last - first) + (ends - starts))
    most = 1 << (_KEY_BITS - time_bits)
    begin = 0
    while begin < entities.size:
        before = held[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(held, before + _ROWS_A_SLICE, side="right")))
        end = min(end, begin + most, entities.size)
        own = slice(begin, end)
        locals_ = np.arange(end - begin)
        picked = rows[first[begin] : last[end - 1]]
        of_rows = row_codes[first[begin] : last[end - 1]]
        counts = last[own] - first[own]
        if counts.sum() != picked.size:  # Between them stand entities without an event.
            kept = entities[own][np.minimum(np.searchsorted(entities[own], of_rows), end - begin - 1)] == of_rows
            picked = picked[kept]
        yield Part(
            picked,
            events[starts[begin] : ends[end - 1]],
            np.repeat(locals_, counts),
            np.repeat(locals_, ends[own] - starts[own]),
        )
        begin = end


def _grouped(codes: AnyInts, in_time: Ints | None, kinds: int) -> tuple[Ints, AnyInts]:
    """Rows with a key by (code, time), and their codes."""
    order = _radix(codes + 1, in_time, kinds)
    ordered = codes[order]
    unknown = int(np.searchsorted(ordered, 0))
    return order[unknown:], ordered[unknown:]


def _groups(ordered: AnyInts) -> tuple[AnyInts, Ints]:
    """Distinct values of an ordered array, and where each begins."""
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return ordered[starts], starts


def _radix(values: AnyInts, order: Ints | None, most: int) -> Ints:
    """The stable order of `values`, none above `most` and none negative, that keeps `order` among equals."""
    for shift in range(0, max(1, most.bit_length()), _DIGIT_BITS):
        digits = (values >> shift).astype(np.uint16)
        within = digits if order is None else digits[order]
        finer = np.argsort(within, kind="stable")
        order = finer if order is None else order[finer]
    assert order is not None
    return order

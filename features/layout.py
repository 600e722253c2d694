"""How the engine lays rows out: by entity and time, in slices of whole entities that fit a processor's cache.

Keys become codes, rows are ordered by (code, time), and the order is cut where one entity ends and the next begins.
Where the events are their own history, codes and orders are made once and stand for both. What is computed of a slice
is `features.parts`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.errors import BorderlakeError

_DIGIT_BITS = 16
_KEY_BITS = 62
_ROWS_A_SLICE = 1 << 16
_INT32 = 1 << 31

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

    @property
    def are_shared(self) -> bool:
        """Whether events and history are the same rows, as far as the key tells."""
        return self.events is self.history


@dataclass(frozen=True)
class Part:
    """Whole entities: their rows of history and their events, each by (code, time)."""

    rows: Ints
    """Where the rows stand in the history."""
    events: Ints
    """Where the events stand among all; `rows` itself where the events are their own history."""
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
    shared = alike(events, history)
    both = history if shared else pl.concat([history.alias("key"), events.alias("key")])
    if both.dtype == pl.String:
        # Categories of their own, so that codes are dense and gone with the frame.
        both = both.cast(pl.Categorical(pl.Categories.random())).to_physical()
    else:
        both = both.rank("dense") - 1
    codes: AnyInts = both.cast(pl.Int32).fill_null(-1).to_numpy()
    kinds = int(codes.max(initial=-1)) + 1
    return Codes(codes, codes, kinds) if shared else Codes(codes[len(history) :], codes[: len(history)], kinds)


def alike(one: pl.Series, other: pl.Series) -> bool:
    """Whether both hold the same values in the same order: far cheaper to ask than to prepare both."""
    return len(one) == len(other) and one.dtype == other.dtype and one.equals(other)


def paired(codes: Sequence[Codes]) -> Codes:
    """A key of several columns as one code, null where any of them is."""
    events, history, kinds = codes[0].events, codes[0].history, codes[0].kinds
    for other in codes[1:]:
        if kinds * other.kinds >= 1 << _KEY_BITS:
            events, history, kinds = _dense(events, history)
        are_shared = events is history and other.are_shared
        history = _product(history, other.history, kinds, other.kinds)
        events = history if are_shared else _product(events, other.events, kinds, other.kinds)
        kinds *= other.kinds
    return Codes(events, history, kinds)


def _product(codes: AnyInts, others: AnyInts, kinds: int, other_kinds: int) -> AnyInts:
    product: AnyInts = codes.astype(_places(kinds * other_kinds))
    np.multiply(product, other_kinds, out=product)
    np.add(product, others, out=product)
    product[(codes < 0) | (others < 0)] = -1
    return product


def _dense(events: AnyInts, history: AnyInts) -> tuple[Ints, Ints, int]:
    distinct, dense = np.unique(np.concatenate([[-1], history, events]), return_inverse=True)
    return dense[1 + len(history) :] - 1, dense[1 : 1 + len(history)] - 1, len(distinct) - 1


def by_time(times: Ints) -> AnyInts | None:
    """The order of rows by time; None where they are in it."""
    if times.size == 0 or bool((times[1:] >= times[:-1]).all()):
        return None
    least = times.min()
    return _radix(times - least, None, int(times.max() - least)).astype(_places(times.size))


def parts_of(
    codes: Codes, events_by_time: AnyInts | None, rows_by_time: AnyInts | None, time_bits: int, *, are_shared: bool
) -> Iterator[Part]:
    """All events whose key is known, entity by entity, in parts whose codes and times fit one 64-bit key.

    `are_shared` says that the events are their own history: the same keys at the same times.
    """
    events, event_codes = _grouped(codes.events, events_by_time, codes.kinds)
    if not events.size:
        return
    entities, starts = _groups(event_codes)
    ends = np.append(starts[1:], event_codes.size)
    if are_shared:
        rows, row_codes, first, last = events, event_codes, starts, ends
    else:
        rows, row_codes = _grouped(codes.history, rows_by_time, codes.kinds)
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
        # Copies of a part's own: 64 bits are what numpy gathers by.
        of_events = events[starts[begin] : ends[end - 1]].astype(np.int64)
        event_locals = np.repeat(locals_, ends[own] - starts[own])
        begin, entity, (low, high) = end, entities[own], (first[begin], last[end - 1])
        if are_shared:
            yield Part(of_events, of_events, event_locals, event_locals)
            continue
        picked = rows[low:high].astype(np.int64)
        counts = last[own] - first[own]
        if counts.sum() != picked.size:  # Between them stand entities without an event.
            of_rows = row_codes[low:high]
            kept = entity[np.minimum(np.searchsorted(entity, of_rows), entity.size - 1)] == of_rows
            picked = picked[kept]
        yield Part(picked, of_events, np.repeat(locals_, counts), event_locals)


def _places(most: int) -> type[np.int32] | type[np.int64]:
    """Integers that count so far: codes and orders are held for all rows, at half the memory where that does."""
    return np.int32 if most < _INT32 else np.int64


def _grouped(codes: AnyInts, in_time: AnyInts | None, kinds: int) -> tuple[AnyInts, AnyInts]:
    """Rows with a key by (code, time), and their codes."""
    bits = codes.size.bit_length()
    if kinds.bit_length() + bits > _KEY_BITS:
        order = _radix(codes + 1, in_time, kinds)
        ordered = codes[order]
        unknown = int(np.searchsorted(ordered, 0))
        return order[unknown:], ordered[unknown:]
    # Code and place in one number: sorting numbers is faster than finding their order, and ties cannot be.
    packed = (codes if in_time is None else codes[in_time]).astype(np.int64)
    packed += 1
    packed <<= bits
    packed |= np.arange(codes.size)
    packed.sort()
    packed = packed[np.searchsorted(packed, 1 << bits) :]
    order = (packed & ((1 << bits) - 1)).astype(_places(codes.size))
    packed >>= bits
    packed -= 1
    return order if in_time is None else in_time[order], packed.astype(codes.dtype)


def _groups(ordered: AnyInts) -> tuple[AnyInts, Ints]:
    """Distinct values of an ordered array, and where each begins."""
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return ordered[starts], starts


def _radix(values: AnyInts, order: AnyInts | None, most: int) -> AnyInts:
    """The stable order of `values`, none above `most` and none negative, that keeps `order` among equals."""
    for shift in range(0, max(1, most.bit_length()), _DIGIT_BITS):
        digits = (values >> shift).astype(np.uint16)
        within = digits if order is None else digits[order]
        finer = np.argsort(within, kind="stable")
        order = finer if order is None else order[finer]
    assert order is not None
    return order

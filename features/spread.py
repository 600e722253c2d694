"""How rows spread: the standard deviation of numbers, and how many values of a category they hold and how evenly.

All of it from integers. Squares of millionths are summed in pieces of 21 bits, exactly; counts of values change one
by one as rows come and go, and a sum over values changes by what each of those changes makes of it.
"""

from collections.abc import Callable, Mapping

import numpy as np

from features.layout import Floats, Ints
from features.millionths import MICRO
from features.spells import Spells

LEAST_ROWS_OF_A_SPREAD = 2
_PIECE_BITS = 21
_MASK = (1 << _PIECE_BITS) - 1
_FINE = 2.0**32
"""Parts of a bit that c log2 c is rounded to, so that its sums do not depend on an order."""
PIECES = {"square_0": 0, "square_1": 1, "square_2": 2, "square_3": 3, "square_4": 4}
"""Sums that make a sum of squares: each counts in units of 2 to the power of 21 times its number."""


def piece(name: str, fixed: Ints) -> Ints:
    """What the squares of numbers below 2 to the 63 have in one piece."""
    size = np.abs(fixed)
    low, middle, high = size & _MASK, (size >> _PIECE_BITS) & _MASK, size >> (2 * _PIECE_BITS)
    match PIECES[name]:
        case 0:
            return low * low
        case 1:
            return 2 * low * middle
        case 2:
            return 2 * low * high + middle * middle
        case 3:
            return 2 * middle * high
        case _:
            return high * high


def std(count: Ints, total: Ints, pieces: Mapping[str, Ints]) -> Floats:
    """Standard deviation of `count` numbers, from sums of their millionths and of the pieces of their squares.

    Exact up to the last step; NaN under two.
    """
    spread = np.full(count.shape, np.nan)
    some = count >= LEAST_ROWS_OF_A_SPREAD
    squares = sum(
        pieces[name][some].astype(object) * (1 << (_PIECE_BITS * number))
        for name, number in PIECES.items()
        if pieces[name].any()
    )
    whole = total[some].astype(object)
    variance = np.asarray(count[some].astype(object) * squares - whole * whole, dtype=np.float64)
    spread[some] = np.sqrt(variance) / count[some] / MICRO
    return spread


class Tally:
    """How many rows hold each value of a category, as it changes from event to event."""

    def __init__(self, spells: Spells, events_at: Ints, entity_bits: int) -> None:
        keys = np.concatenate([spells.begins, spells.ends])
        held = np.concatenate([spells.held, spells.held])
        change = np.repeat(np.array([1, -1]), spells.held.size)
        # A value's count begins and ends at nothing, so that one entity or value never reaches into the next.
        order = np.lexsort((-change, keys, held, keys >> entity_bits))
        change = change[order]
        self._after = np.cumsum(change)
        self._before = self._after - change
        in_time = np.argsort(keys[order], kind="stable")
        self._in_time = in_time
        self._begun = np.searchsorted(keys[order][in_time], events_at, side="left")

    def sum(self, of_count: Callable[[Ints], Ints]) -> Ints:
        """For each event the sum of `of_count` over the values; it is 0 of 0."""
        most = int(self._after.max(initial=0)) + 1
        table = of_count(np.arange(most))
        steps = (table[self._after] - table[self._before])[self._in_time]
        return np.concatenate([[0], np.cumsum(steps)])[self._begun]

    def distinct(self) -> Floats:
        """Values that some row holds."""
        return self.sum(lambda counts: (counts > 0).astype(np.int64)).astype(np.float64)

    def concentration(self) -> Floats:
        """Sum of the squared shares; NaN of nothing."""
        rows = self.sum(lambda counts: counts)
        squares = self.sum(lambda counts: counts * counts)
        with np.errstate(invalid="ignore"):
            shares: Floats = squares / (rows * rows)
        return shares

    def entropy(self) -> Floats:
        """Bits of Shannon's entropy; NaN of nothing."""
        rows = self.sum(lambda counts: counts)
        scattered = _bits(rows) - self.sum(_bits)
        with np.errstate(invalid="ignore"):
            entropy: Floats = scattered / _FINE / rows
        return entropy


def _bits(counts: Ints) -> Ints:
    """c log2 c in fine parts of a bit."""
    fine: Ints = np.rint(counts * np.log2(np.maximum(counts, 1)) * _FINE).astype(np.int64)
    return fine

"""From when until when a row of a part counts: until its correction, or until it leaves the window.

What is no difference of two running sums (an extreme, a count of values) rests on these spells: a row counts for the
events of its entity after `begins` up to and with `ends`, whatever was corrected meanwhile.
"""

from dataclasses import dataclass

import numpy as np

from features.layout import Ints


@dataclass(frozen=True)
class Spells:
    """Of each row that counts for some time: what it holds, and the keys (entity, time) between which it does."""

    held: Ints
    begins: Ints
    ends: Ints


@dataclass(frozen=True)
class Rows:
    """Rows of a part: the entity's base of a key, and times below the next entity's."""

    base: Ints
    usable: Ints
    began: Ints | None
    signs: Ints | None
    """None where nothing is taken back; `began` is not needed then."""
    never: int
    """The last time that a key has room for."""

    def spells(self, held: Ints, span: int | None) -> Spells:
        """When rows count in a window of `span` microseconds (None: for good). `held` is from 0, the same for a row
        and its correction; a row with less is left out."""
        ends = np.full(self.usable.shape, self.never)
        counts = held >= 0
        if self.signs is not None:
            assert self.began is not None
            _end_by_correction(ends, self.base, self.began, self.usable, self.signs, held)
            counts &= self.signs > 0
        if span is not None:
            ends = np.minimum(ends, self.usable + span)
        counts &= ends > self.usable
        base = self.base[counts]
        return Spells(held[counts], base | self.usable[counts], base | ends[counts])


def _end_by_correction(ends: Ints, base: Ints, began: Ints, usable: Ints, signs: Ints, held: Ints) -> None:
    """Of rows alike in entity, beginning and what they hold, the first correction ends the first, and so on."""
    order = np.lexsort((usable, -signs, held, began, base))
    key = np.stack([base[order], began[order], held[order]])
    starts = np.flatnonzero(np.append(True, (key[:, 1:] != key[:, :-1]).any(axis=0))[: order.size])
    sizes = np.diff(np.append(starts, order.size))
    begun = np.add.reduceat(signs[order] > 0, starts, dtype=np.int64) if starts.size else starts
    correction = np.arange(order.size) + np.repeat(begun, sizes)
    is_ended = (signs[order] > 0) & (correction < np.repeat(starts + sizes, sizes))
    ends[order[is_ended]] = usable[order[correction[is_ended]]]

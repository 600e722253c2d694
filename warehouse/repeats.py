"""Records that stood earlier in a large file, of which nothing is kept but their hashes.

What a record says, and what becomes of one that stands twice, is the business of `sorting`.
"""

import mmap

import numpy as np
import polars as pl

_MERGED = 1_000_000
"""Records that are searched as one."""
_FIRST_BITS = 26
"""Of a hash, 64 MB of flags: of ten million records, one in seven begins as another does."""
_Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
_Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


class Records:
    """Records of a file, each by a 64-bit hash of its ids: 8 bytes a row.

    Two of ten million different records agree by chance in one file of 370,000; the later is then refused as a repeat,
    with its reason. A record whose first bits no earlier one had is new; only the others are searched for.
    """

    def __init__(self) -> None:
        self._is_begun = np.zeros(1 << _FIRST_BITS, bool)
        self._merged: list[_Hashes] = []
        self._recent: list[_Hashes] = []
        self._room = self._whole = _room(_MERGED)
        """For those to come; the recent ones lie before it, in the same piece."""

    def before(self, records: pl.Series) -> pl.Series:
        """Whether each stood in an earlier part."""
        hashes = records.to_numpy()
        order = np.argsort(hashes)  # Neighbours in order are neighbours in memory, too.
        ascending = hashes[order]
        firsts = (ascending >> np.uint64(64 - _FIRST_BITS)).view(np.int64)
        suspects = np.flatnonzero(self._is_begun.take(firsts))
        self._is_begun[firsts] = True
        found = np.zeros(len(hashes), bool)
        found[order[suspects]] = self._hold(ascending[suspects])
        self._keep(ascending)
        return pl.Series(found, dtype=pl.Boolean)

    def _hold(self, ascending: _Hashes) -> _Flags:
        found = np.zeros(len(ascending), bool)
        for earlier in (*self._merged, *self._recent):
            at = np.minimum(np.searchsorted(earlier, ascending), len(earlier) - 1)
            found |= earlier[at] == ascending
        return found

    def _keep(self, ascending: _Hashes) -> None:
        if not len(ascending):
            return
        if len(ascending) > len(self._room):
            self._merge()
            self._room = self._whole = _room(max(_MERGED, len(ascending)))
        kept, self._room = self._room[: len(ascending)], self._room[len(ascending) :]
        kept[:] = ascending
        self._recent.append(kept)

    def _merge(self) -> None:
        """Those of the room in order, where they lie."""
        if self._recent:
            merged = self._whole[: sum(map(len, self._recent))]
            merged.sort()
            self._merged.append(merged)
            self._recent = []


def _room(length: int) -> _Hashes:
    """Memory that is the system's own: what stays for long would keep what is freed around it from being given back."""
    return np.frombuffer(mmap.mmap(-1, 8 * length), np.uint64, length)

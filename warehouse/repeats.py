"""Records that stood earlier in a large file, of which nothing is kept but their hashes, most of them on disk.

What a record says, and what becomes of one that stands twice, is the business of `sorting`.
"""

import mmap
import tempfile
from itertools import pairwise

import numpy as np

_RECENT = 1 << 20
"""Records that are held in memory, before they go to disk in order."""
_FIRST_BITS, _NEXT_BITS = 26, 3
"""Of a hash: its first bits name a byte of 64 MB, its next ones a bit of it."""
Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
_Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
_Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]


class Records:
    """Records of a file, each by a 64-bit hash of its ids, in memory that does not grow with the file.

    Two of ten million different records agree by chance in one file of 370,000; the later is then refused as a repeat,
    with its reason. A record is new whose first bits no earlier one had; only the others are searched for: of ten
    million records one in a hundred.
    """

    def __init__(self) -> None:
        self._begun: _Bytes = np.zeros(1 << _FIRST_BITS, np.uint8)
        self._recent: list[Hashes] = []
        self._room = _room(_RECENT)
        self._earlier = _Runs()

    def stood(self, ascending: Hashes) -> Hashes:
        """Those of a part's hashes that stood in an earlier part. Neighbours in order are neighbours in memory, too."""
        suspects = ascending[self._begin(ascending)]
        found = suspects[self._hold(suspects)]
        self._keep(ascending)
        return found

    def _begin(self, ascending: Hashes) -> _Flags:
        """Whether an earlier part had one that begins as each does; from now on these have begun, too."""
        begins = ascending >> np.uint64(64 - _FIRST_BITS - _NEXT_BITS)
        firsts = (begins >> np.uint64(_NEXT_BITS)).view(np.int64)
        bits = np.uint8(1) << (begins & np.uint64((1 << _NEXT_BITS) - 1)).astype(np.uint8)
        earlier = self._begun.take(firsts)
        self._begun[firsts] = earlier | bits
        (again,) = np.nonzero(firsts[1:] == firsts[:-1])  # Of several in one byte only the last has set its bit.
        np.bitwise_or.at(self._begun, firsts[again], bits[again])
        is_begun: _Flags = (earlier & bits) != 0
        return is_begun

    def _hold(self, suspects: Hashes) -> _Flags:
        found = self._earlier.hold(suspects)
        for earlier in self._recent:
            found |= _among(earlier, suspects)
        return found

    def _keep(self, ascending: Hashes) -> None:
        used = sum(map(len, self._recent))
        if used and used + len(ascending) > len(self._room):
            merged = self._room[:used]
            merged.sort(kind="stable")  # Of runs that ascend: a fifth of the time of sorting anew.
            self._earlier.add(merged)
            self._recent, used = [], 0
        if len(ascending) > len(self._room):
            self._earlier.add(ascending)
        elif len(ascending):
            kept = self._room[used : used + len(ascending)]
            kept[:] = ascending
            self._recent.append(kept)


class _Runs:
    """Runs of ascending hashes in a file without a name, which ends with whoever has it open."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._ends = [0]

    def add(self, ascending: Hashes) -> None:
        self._file.write(ascending.data)
        self._file.flush()
        self._ends.append(self._ends[-1] + len(ascending))

    def hold(self, suspects: Hashes) -> _Flags:
        """Whether each is in a run."""
        found = np.zeros(len(suspects), bool)
        if len(suspects) and self._ends[-1]:
            pages = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            every = np.frombuffer(pages, np.uint64)
            for begin, end in pairwise(self._ends):
                found |= _among(every[begin:end], suspects)
                pages.madvise(mmap.MADV_DONTNEED)  # Else all runs come to count as memory of ours.
        return found


def _among(ascending: Hashes, wanted: Hashes) -> _Flags:
    at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    is_there: _Flags = ascending[at] == wanted
    return is_there


def _room(length: int) -> Hashes:
    """Memory that is the system's own: what stays for long would keep what is freed around it from being given back."""
    return np.frombuffer(mmap.mmap(-1, 8 * length), np.uint64, length)

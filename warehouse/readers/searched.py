"""A file's bytes searched forwards and cut out piece by piece: of any size, in the memory of a window."""

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

WINDOW_BYTES = 1 << 20
LOOKAHEAD_BYTES = 256
"""What a pattern may look at from where it begins, so that a window's end never hides a match."""


class Found(NamedTuple):
    """A match: where in the file it begins and ends, and its bytes."""

    start: int
    end: int
    text: bytes


class SearchedFile:
    """The bytes of an open file. A window of it is held; windows begin at multiples of their size."""

    def __init__(self, stream: IO[bytes], window_bytes: int = WINDOW_BYTES) -> None:
        self._stream, self._window_bytes = stream, window_bytes
        self.size = stream.seek(0, 2)
        self._start, self._held = 0, b""

    def byte(self, at: int) -> int:
        """The byte at an index."""
        self._hold(at // self._window_bytes)
        return self._held[at - self._start]

    def piece(self, start: int, end: int) -> bytes:
        """The bytes from one index to another, or to the file's end."""
        if start >= self._start and end <= self._start + len(self._held):
            return self._held[start - self._start : end - self._start]
        self._stream.seek(start)
        return self._stream.read(max(end - start, 0))

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """The same, a window's size at a time."""
        for at in range(start, end, self._window_bytes):
            yield self.piece(at, min(at + self._window_bytes, end))

    def matches(self, pattern: re.Pattern[bytes], start: int) -> Iterator[Found]:
        """Matches from an index on, none within another; a match must not look further than `LOOKAHEAD_BYTES`."""
        for window in range(start // self._window_bytes, -(-self.size // self._window_bytes)):
            at = window * self._window_bytes
            while True:
                self._hold(window)  # Again, since what is done with a match may have moved it.
                match = pattern.search(self._held, max(start - at, 0))
                if match is None or match.start() >= self._window_bytes:
                    break
                yield Found(at + match.start(), at + match.end(), match[0])
                start = at + match.end()

    def _hold(self, window: int) -> None:
        start = window * self._window_bytes
        if start != self._start or not self._held:
            self._stream.seek(start)
            self._start, self._held = start, self._stream.read(self._window_bytes + LOOKAHEAD_BYTES)

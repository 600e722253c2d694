"""The files of the audit log: the one that is written to, and those before it that are closed.

A file that has grown large is closed under the number of its last line, and is not written to again; the next one goes
on with the number and the digest after it. Which lines they hold, and whether they are whole, is not known here.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import BorderlakeError
from warehouse.storage import make_durable

LOG_NAME = "audit.jsonl"
_CLOSED = "audit-{:012d}.jsonl"
_CLOSED_ALL = "audit-*.jsonl"
_TAIL_BYTES = 1 << 16


class TooLong(BorderlakeError):
    """The last line of a file is longer than any that is written."""


@dataclass(frozen=True)
class Segments:
    """The files of one log, in a folder of its own."""

    folder: Path

    @property
    def current(self) -> Path:
        """The file that is written to."""
        return self.folder / LOG_NAME

    def closed(self) -> list[Path]:
        """The files before it, oldest first."""
        return sorted(self.folder.glob(_CLOSED_ALL))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold off the other writers, those of other processes too."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = os.open(self.folder / "audit.lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(number, "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def close(self, last: int) -> Path:
        """Close the current file, which ends with line `last`. For writers that are alone."""
        self.current.chmod(0o400)
        closed = self.current.rename(self.folder / _CLOSED.format(last))
        make_durable(self.folder)
        return closed

    def contents(self) -> Iterator[bytes]:
        """Every line with its end, oldest first; a file that is closed meanwhile is read once."""
        try:
            stream = self.current.open("rb")
        except FileNotFoundError:
            for path in self.closed():
                yield from _lines(path)
            return
        with stream:
            inode, is_closed = os.fstat(stream.fileno()).st_ino, False
            for path in self.closed():
                is_closed = is_closed or path.stat().st_ino == inode
                yield from _lines(path)
            if not is_closed:
                yield from stream


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from stream


def last_line(number: int) -> tuple[int, bytes | None]:
    """Where the last whole line of an open file ends, and its content; None where there is no whole line."""
    size = os.fstat(number).st_size
    start = max(0, size - _TAIL_BYTES)
    tail = os.pread(number, size - start, start)
    end = tail.rfind(b"\n")
    begin = tail.rfind(b"\n", 0, max(end, 0)) + 1
    if end < 0 and start == 0:
        return 0, None
    if end < 0 or (begin == 0 and start > 0):
        raise TooLong("its last line is longer than any that is written")
    return start + end + 1, tail[begin : end + 1]

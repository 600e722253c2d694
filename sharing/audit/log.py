"""The log itself: written to by many, durable before what it tells of leaves the house, verified as a whole.

Lines of JSON, each with its number and the digest of the line before it, in files that follow each other
(`sharing.audit.segments`). The number and digest of the last one are anchored outside the log, so that a cut end is
found, too. Where a line cannot be written nothing leaves. Lines of threads that wait share a write.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sharing.audit.faults import Counted, Fault, Finding, chain_faults
from sharing.audit.lines import FIRST, Entry, Line, digest_of, parse
from sharing.audit.segments import LOG_NAME, Segments, TooLong, last_line
from warehouse.anchor import Anchor, read_anchor, write_anchor
from warehouse.errors import BorderlakeError, TableDamaged
from warehouse.storage import make_durable

ANCHOR_NAME = "sharing.audit"
SEGMENT_BYTES = 64 << 20
"""A file is closed, and the next begun, once it has grown to this."""
_NOTHING = Anchor(0, 0, FIRST)


class AuditDamaged(BorderlakeError):
    """The log is not the one that was written; nothing more is recorded, and so nothing more is served."""


@dataclass
class _Waiting:
    """Entries of one thread, until they are durable."""

    entries: Sequence[Entry]
    turn: threading.Event = field(default_factory=threading.Event)
    """Set once they are written, or once it is for this thread to write."""
    is_done: bool = False
    error: BaseException | None = None


class AuditLog:
    """The log of a folder; `anchors` is the folder outside it that remembers its end."""

    def __init__(self, folder: Path, anchors: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.segments = Segments(folder)
        self._anchors = anchors
        self._segment_bytes = segment_bytes
        self._end: tuple[int, int, Anchor] | None = None
        """Inode and size of the current file when this process last wrote, and the log's last line."""
        self._queue: list[_Waiting] = []
        self._is_led = False
        """Whether a thread is writing, or has been told to."""
        self._queueing = threading.Lock()

    @property
    def path(self) -> Path:
        """The file that is written to."""
        return self.segments.current

    def record(self, *entries: Entry) -> None:
        """Append entries; they are durable and anchored when the call returns. Raises `AuditDamaged`."""
        if not entries:
            return
        mine = _Waiting(entries)
        with self._queueing:
            self._queue.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.turn.wait()
        if not mine.is_done:
            self._lead()
        if mine.error is not None:
            raise mine.error

    def close_segment(self) -> Path | None:
        """Close the current file, so that it may be put away for good; None where it has no line."""
        with self.segments.alone(), _opened(self.path) as number:
            end = self._end_of(number)
            return self._closed(end) if os.fstat(number).st_size else None

    def lines(self) -> Iterator[Line]:
        """Every line that can be read, in order."""
        for content in self.segments.contents():
            line = parse(content)
            if line is not None:
                yield line

    def verify(self) -> tuple[Finding, ...]:
        """What is wrong with the log, over all its files. Streams; a log that grows meanwhile is no fault."""
        try:
            anchor = read_anchor(self._anchors, ANCHOR_NAME)  # Before the log: writers move it last.
        except TableDamaged:
            return (Finding(Fault.ANCHOR, 0), *chain_faults(self.segments.contents()))
        contents = Counted(self.segments.contents(), None if anchor is None else anchor.count)
        found = list(chain_faults(contents))
        if anchor is None:
            return (*found, *([Finding(Fault.NO_ANCHOR, 0)] if contents.count else []))
        if contents.count < anchor.count:
            found.append(Finding(Fault.CUT, contents.count, f"{contents.count} lines of {anchor.count}"))
        elif contents.anchored_digest != anchor.head:
            found.append(Finding(Fault.CHAIN, anchor.count, "it is not the anchored one"))
        later = read_anchor(self._anchors, ANCHOR_NAME)
        if later is not None and contents.count > later.count:
            found.append(Finding(Fault.NOT_ANCHORED, later.count + 1, f"{contents.count - later.count} lines"))
        return tuple(found)

    def head(self) -> Anchor | None:
        """Number and digest of the last anchored line: note it elsewhere, and later ask `holds`."""
        return read_anchor(self._anchors, ANCHOR_NAME)

    def holds(self, number: int, digest: str) -> bool:
        """Whether a line that was noted elsewhere still stands in its place."""
        contents = Counted(self.segments.contents(), number)
        for _ in contents:
            if contents.count == number:
                break
        return contents.anchored_digest == digest

    def _lead(self) -> None:
        """Write what waits, and hand over to the first that has come meanwhile."""
        with self._queueing:
            waiting, self._queue = self._queue, []
        error: BaseException | None = None
        try:
            self._append([entry for one in waiting for entry in one.entries])
        except BaseException as raised:
            error = raised
        for one in waiting:
            one.is_done, one.error = True, error
        with self._queueing:
            heir = self._queue[:1]
            self._is_led = bool(heir)
        for one in (*heir, *waiting):
            one.turn.set()

    def _append(self, entries: Sequence[Entry]) -> None:
        with self.segments.alone():
            with _opened(self.path) as number:
                end = self._end_of(number)
                is_full = os.fstat(number).st_size >= self._segment_bytes
                if not is_full:
                    self._write(number, end, entries)
            if is_full:
                self._closed(end)
                with _opened(self.path) as number:
                    self._write(number, end, entries)

    def _write(self, number: int, end: Anchor, entries: Sequence[Entry]) -> None:
        """Append to the current file, which is open, and move the anchor."""
        written = bytearray()
        for entry in entries:
            line = Line(end.count + 1, end.head, entry)
            content = line.content
            written += content + b"\n"
            end = Anchor(line.number, line.number, digest_of(content))
        self._end = None
        is_new = not os.fstat(number).st_size
        with os.fdopen(os.dup(number), "ab") as stream:
            stream.write(written)
        os.fsync(number)
        if is_new:
            make_durable(self.segments.folder)
        write_anchor(self._anchors, ANCHOR_NAME, end)
        status = os.fstat(number)
        self._end = (status.st_ino, status.st_size, end)

    def _closed(self, end: Anchor) -> Path:
        self._end = None
        return self.segments.close(end.count)

    def _end_of(self, number: int) -> Anchor:
        """The log's last line; what a stopped writer left of one in the current file is taken off."""
        status = os.fstat(number)
        if self._end is not None and self._end[:2] == (status.st_ino, status.st_size):
            return self._end[2]
        try:
            anchor = read_anchor(self._anchors, ANCHOR_NAME) or _NOTHING
        except TableDamaged:
            raise _damaged("its anchor cannot be read") from None
        whole, end = _last_of(number)
        if end is None:
            end = self._end_of_closed()
        if end.count < anchor.count or (end.count == anchor.count and end.head != anchor.head):
            raise _damaged(f"it does not end with line {anchor.count}, which was anchored")
        if whole < status.st_size:
            os.ftruncate(number, whole)
        return end

    def _end_of_closed(self) -> Anchor:
        """The last line of the files that are closed."""
        for path in reversed(self.segments.closed()):
            with path.open("rb") as stream:
                _, end = _last_of(stream.fileno())
            if end is not None:
                return end
        return _NOTHING


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The current file, made where there is none, by its number."""
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield number
    finally:
        os.close(number)


def _last_of(number: int) -> tuple[int, Anchor | None]:
    """Where the last whole line of a file ends, and which it is; raises where it cannot be read."""
    try:
        whole, content = last_line(number)
    except TooLong as error:
        raise _damaged(str(error)) from None
    line = None if content is None else parse(content)
    if content is not None and line is None:
        raise _damaged("its last line cannot be read")
    return whole, None if line is None else Anchor(line.number, line.number, line.digest)


def _damaged(what: str) -> AuditDamaged:
    return AuditDamaged(
        f"the audit log is damaged: {what}; nothing is served until `borderlake audit verify` is clean: restore "
        f"{LOG_NAME}, the files that it goes on from and the anchor {ANCHOR_NAME}.json from the home's backup"
    )

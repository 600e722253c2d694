"""The audit log: what was told, issued and served to whom, under which agreement, and what was refused.

Lines of JSON in one file, each with its number and the digest of the line before it. The number and digest of the last
one are anchored outside the log, so that a cut end is found, too. A line is durable before what it tells of leaves the
house: where it cannot be written nothing leaves. Several processes may write; lines of threads that wait share a write.
"""

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from warehouse.anchor import Anchor, read_anchor, write_anchor
from warehouse.errors import BorderlakeError, TableDamaged

LOG_NAME = "audit.jsonl"
ANCHOR_NAME = "sharing.audit"
_TAIL_BYTES = 1 << 16
_FIRST = ""
"""What the first line holds in place of the digest of a line before it."""


class Action(StrEnum):
    """What an entry tells of."""

    LIST = "list"
    METADATA = "metadata"
    QUERY = "query"
    CHANGES = "changes"
    URL = "url"
    FILE = "file"
    REFUSED = "refused"


@dataclass(frozen=True)
class Entry:
    """One thing that was told, served or refused. `rows` are those of the files that it names."""

    at: datetime
    action: Action
    recipient: str = ""
    agreement_id: str = ""
    table: str = ""
    version: int | None = None
    rows: int = 0
    purpose: str = ""
    detail: str = ""
    credential_id: str = ""
    address: str = ""
    file_id: str = ""
    size: int = 0
    """Bytes."""


@dataclass(frozen=True)
class Line:
    """An entry as it stands in the log."""

    number: int
    previous: str
    entry: Entry

    @property
    def content(self) -> bytes:
        """The line, without its end."""
        told = {"number": self.number, "previous": self.previous, **vars(self.entry), "at": self.entry.at.isoformat()}
        return json.dumps(told, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """What the next line and the anchor hold of this one."""
        return digest_of(self.content)


class Fault(StrEnum):
    """What can be wrong with a log."""

    UNREADABLE = "unreadable-line"
    NUMBER = "wrong-number"
    CHAIN = "broken-chain"
    CUT = "cut-end"
    ANCHOR = "damaged-anchor"
    NO_ANCHOR = "missing-anchor"
    NOT_ANCHORED = "unanchored-lines"


_MEANING = {
    Fault.UNREADABLE: "the line is not as the log writes lines: it was changed, or a writer was stopped within it",
    Fault.NUMBER: "lines before it are missing, repeated or out of order",
    Fault.CHAIN: "it does not continue the line before it: one of the two was changed or replaced",
    Fault.CUT: "the log ends before the line that was last anchored: lines were removed",
    Fault.ANCHOR: "the memory of where the log ends is damaged, or is not of this log",
    Fault.NO_ANCHOR: "there is a log, and no memory of where it ends: its anchor was removed",
    Fault.NOT_ANCHORED: "lines follow the one that was last anchored: a writer was stopped, or another appended them",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, by the place of its line (from 1)."""

    fault: Fault
    place: int
    detail: str = ""

    @property
    def meaning(self) -> str:
        """What it means, for a person."""
        return _MEANING[self.fault] + (f" ({self.detail})" if self.detail else "")


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

    def __init__(self, folder: Path, anchors: Path) -> None:
        self.path = folder / LOG_NAME
        self._anchors = anchors
        self._end: tuple[int, int, Anchor] | None = None
        """Inode and size of the log when this process last wrote, and its last line."""
        self._queue: list[_Waiting] = []
        self._is_led = False
        """Whether a thread is writing, or has been told to."""
        self._queueing = threading.Lock()

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

    def lines(self) -> Iterator[Line]:
        """Every line that can be read, in order."""
        for content in self._contents():
            line = parse(content)
            if line is not None:
                yield line

    def verify(self) -> tuple[Finding, ...]:
        """What is wrong with the log. Streams; a log that grows meanwhile is no fault."""
        try:
            anchor = read_anchor(self._anchors, ANCHOR_NAME)  # Before the log: writers move it last.
        except TableDamaged:
            return (Finding(Fault.ANCHOR, 0), *_chain_faults(self._contents()))
        contents = _Counted(self._contents(), None if anchor is None else anchor.count)
        found = list(_chain_faults(contents))
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
        contents = _Counted(self._contents(), number)
        for _ in contents:
            if contents.count == number:
                break
        return contents.anchored_digest == digest

    def _contents(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as stream:
                yield from stream
        except FileNotFoundError:
            return

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
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(number, "r+b", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            end = self._end_of(stream.fileno())
            written = bytearray()
            for entry in entries:
                line = Line(end.count + 1, end.head, entry)
                content = line.content
                written += content + b"\n"
                end = Anchor(line.number, line.number, digest_of(content))
            self._end = None
            stream.write(written)
            os.fsync(stream.fileno())
            write_anchor(self._anchors, ANCHOR_NAME, end)
            status = os.fstat(stream.fileno())
            self._end = (status.st_ino, status.st_size, end)

    def _end_of(self, number: int) -> Anchor:
        """The last line of the log, which is locked; what a stopped writer left of a line is taken off."""
        status = os.fstat(number)
        if self._end is not None and self._end[:2] == (status.st_ino, status.st_size):
            return self._end[2]
        try:
            anchor = read_anchor(self._anchors, ANCHOR_NAME) or Anchor(0, 0, _FIRST)
        except TableDamaged:
            raise _damaged("its anchor cannot be read") from None
        whole, last = _last_line(number, status.st_size)
        line = None if last is None else parse(last)
        if last is not None and line is None:
            raise _damaged("its last line cannot be read")
        end = Anchor(0, 0, _FIRST) if line is None else Anchor(line.number, line.number, line.digest)
        if end.count < anchor.count or (end.count == anchor.count and end.head != anchor.head):
            raise _damaged(f"it does not end with line {anchor.count}, which was anchored")
        if whole < status.st_size:
            os.ftruncate(number, whole)
        return end


class _Counted:
    """Lines as they pass: how many, and the digest of one of them."""

    def __init__(self, contents: Iterator[bytes], number: int | None) -> None:
        self._contents = contents
        self._number = number
        self.count = 0
        self.anchored_digest = _FIRST

    def __iter__(self) -> Iterator[bytes]:
        for content in self._contents:
            self.count += content.endswith(b"\n")
            if self.count == self._number and content.endswith(b"\n"):
                self.anchored_digest = digest_of(content[:-1])
            yield content


def parse(content: bytes) -> Line | None:
    """The line; None where the content is none, or not as it was written to the byte."""
    try:
        told = json.loads(content)
        number, previous = told.pop("number"), told.pop("previous")
        told["at"] = datetime.fromisoformat(told["at"])
        told["action"] = Action(told["action"])
        line = Line(number, previous, Entry(**told))
        return line if content == line.content + b"\n" and type(number) is int else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def digest_of(content: bytes) -> str:
    """SHA-256 of a line without its end, in hex."""
    return hashlib.sha256(content).hexdigest()


def _chain_faults(contents: "Iterator[bytes] | _Counted") -> Iterator[Finding]:
    """Where lines do not continue each other. After a fault the line is taken as it is, so that each is told once."""
    number, previous = 0, _FIRST
    for place, content in enumerate(contents, start=1):
        line = parse(content)
        if line is None:
            yield Finding(Fault.UNREADABLE, place)
            number, previous = number + 1, digest_of(content.removesuffix(b"\n"))
            continue
        if line.number != number + 1:
            yield Finding(Fault.NUMBER, place, f"line {line.number} where {number + 1} belongs")
        elif line.previous != previous:
            yield Finding(Fault.CHAIN, place)
        number, previous = line.number, line.digest


def _last_line(number: int, size: int) -> tuple[int, bytes | None]:
    """Where the last whole line of a file ends, and its content; None where there is no whole line."""
    start = max(0, size - _TAIL_BYTES)
    tail = os.pread(number, size - start, start)
    end = tail.rfind(b"\n")
    begin = tail.rfind(b"\n", 0, max(end, 0)) + 1
    if end < 0 and start == 0:
        return 0, None
    if end < 0 or (begin == 0 and start > 0):
        raise _damaged("its last line is longer than any that is written")
    return start + end + 1, tail[begin : end + 1]


def _damaged(what: str) -> AuditDamaged:
    return AuditDamaged(
        f"the audit log is damaged: {what}; nothing is served until `borderlake audit verify` is clean: restore "
        f"{LOG_NAME} and the anchor {ANCHOR_NAME}.json from the home's backup"
    )

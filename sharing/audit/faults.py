"""What can be wrong with the lines of an audit log, and how it is found. Files are not known here."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sharing.audit.lines import FIRST, digest_of, parse


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


class Counted:
    """Lines as they pass: how many, and the digest of one of them."""

    def __init__(self, contents: Iterator[bytes], number: int | None) -> None:
        self._contents = contents
        self._number = number
        self.count = 0
        self.anchored_digest = FIRST

    def __iter__(self) -> Iterator[bytes]:
        for content in self._contents:
            self.count += content.endswith(b"\n")
            if self.count == self._number and content.endswith(b"\n"):
                self.anchored_digest = digest_of(content[:-1])
            yield content


def chain_faults(contents: "Iterator[bytes] | Counted") -> Iterator[Finding]:
    """Where lines do not continue each other. After a fault the line is taken as it is, so that each is told once."""
    number, previous = 0, FIRST
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

"""A segment of UN/EDIFACT, and what one that counts says otherwise than what it counts: a trailer (UNT, UNE, UNZ) what
it ends, a total (CNT, EQN) the travellers, bookings or consignments of its message."""

from collections.abc import Iterator
from typing import NamedTuple

_ENDED_BY = {"UNT": ("UNH", "messages"), "UNE": ("UNG", "groups"), "UNZ": ("UNB", "interchanges")}
"""By the trailer: the header that it answers to, and what both are around."""
_COUNTS_OTHERWISE = 'ask for it again, or read this sender with control = "lenient" if it always counts so'
_IS_NOT_WHOLE = (
    "ask whether the message is whole, and for it again if not, or read this sender with "
    'control = "lenient" if it always counts so'
)
_REFERS_OTHERWISE = 'ask for it again, or read this sender with control = "lenient" if it always refers so'


class Segment(NamedTuple):
    """A segment: its number in the file, its tag, and its elements as lists of components; the tag is the first."""

    number: int
    tag: str
    elements: list[list[str]]

    def value(self, element: int, component: int = 0) -> str:
        """A component without the blanks around it; empty where the segment does not have it."""
        if element < len(self.elements) and component < len(self.elements[element]):
            return self.elements[element][component].strip()
        return ""

    def composite(self, element: int) -> list[str]:
        """All components of an element."""
        return self.elements[element] if element < len(self.elements) else []


class Total(NamedTuple):
    """What a segment says is in its message, and how many are."""

    segment: Segment
    told: str
    """Its number, as it stands there."""
    found: int
    what: str


def contradicted(total: Total) -> tuple[str, str] | None:
    """The rule that a total breaks which is not that of what was read, and what to say."""
    count = _count(total.told)
    if count == total.found:
        return None
    tag = total.segment.tag
    is_more = count is not None and count > total.found
    why = "some may be missing" if is_more else "the total may be of another list"
    found = f"{tag} counts {'no' if count is None else count} {total.what}, the message holds {total.found}: {why}"
    return f"edifact-{tag.lower()}-count", f"{found}; {_IS_NOT_WHOLE}"


def contradictions(trailer: Segment, counted: int, reference: str, what: str) -> Iterator[tuple[str, str]]:
    """The rules that a trailer breaks whose count or reference is not that of what it ends, and what to say.

    Nothing is said in the file's own text, which may be damaged, or personal.
    """
    rule, count = f"edifact-{trailer.tag.lower()}", _count(trailer.value(1))
    header, ended = _ENDED_BY[trailer.tag]
    if count != counted:
        is_less = count is not None and count < counted
        why = f"two {ended} may have been joined" if is_less else "some may be missing"
        found = f"{trailer.tag} counts {'no' if count is None else count} {what}: {why}"
        yield f"{rule}-count", f"{found}; {_COUNTS_OTHERWISE}"
    if _plain(trailer.value(2)) != _plain(reference):
        why = f"two {ended} may have been mixed up"
        found = f"the reference of {trailer.tag} is not that of {header}: {why}"
        yield f"{rule}-reference", f"{found}; {_REFERS_OTHERWISE}"


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _plain(reference: str) -> str:
    """A reference without the blanks that wrapping left in it."""
    return reference.replace(" ", "")

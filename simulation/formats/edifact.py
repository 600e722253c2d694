"""UN/EDIFACT interchanges (ISO 9735 syntax, service characters of UNA): segments to bytes. No message is here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from simulation.romanisation import plain

# A segment: tag, then elements; an element is a text or a sequence of components.
Element = str | Sequence[str]
Segment = tuple[Element, ...]
_RELEASE = str.maketrans({c: "?" + c for c in "?+:'"})
UNA = "UNA:+.? '"


def written(segment: Segment) -> str:
    """One segment with its terminator; special characters are released, what is empty at the end is left out."""
    elements = [_released(e) if isinstance(e, str) else ":".join(_released(c) for c in e).rstrip(":") for e in segment]
    return "+".join(elements).rstrip("+") + "'"


def _released(text: str) -> str:
    # A mark that cannot be written must not become `?`, which releases the character after it.
    return plain(text).translate(_RELEASE)


def message(number: int, kind: Sequence[str], body: Sequence[Segment]) -> list[Segment]:
    """UNH to UNT around `body`; the count of segments includes both."""
    return [("UNH", str(number), kind), *body, ("UNT", str(len(body) + 2), str(number))]


def interchange(
    syntax: Sequence[str],
    sender: str,
    recipient: str,
    at: datetime,
    reference: str,
    messages: Sequence[Sequence[Segment]],
) -> bytes:
    """UNA, UNB, the messages, UNZ; a segment a line, as most senders do."""
    head: Segment = ("UNB", syntax, sender, recipient, (f"{at:%y%m%d}", f"{at:%H%M}"), reference)
    tail: Segment = ("UNZ", str(len(messages)), reference)
    segments = [head, *(segment for one in messages for segment in one), tail]
    return "\r\n".join([UNA, *map(written, segments), ""]).encode("ascii")

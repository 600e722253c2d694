"""UN/EDIFACT interchanges (ISO 9735 syntax, service characters of UNA): segments to bytes. No message is here."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime

# A segment: tag, then elements; an element is a text or a sequence of components.
Element = str | Sequence[str]
Segment = tuple[Element, ...]
_RELEASE = str.maketrans({c: "?" + c for c in "?+:'"})
UNA = "UNA:+.? '"
# As ICAO 9303-3 section 6 recommends; other letters lose their marks.
_LETTERS = str.maketrans({
    "Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA", "Æ": "AE", "Ø": "OE", "ß": "SS", "Ł": "L", "Đ": "D",
    "Þ": "TH", "Ð": "D",
    "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "æ": "ae", "ø": "oe", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "ı": "i",
})  # fmt: skip


def plain(text: str) -> str:
    """The text in the letters of UNOA's alphabet, as airlines and shipping lines transliterate."""
    bare = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    # A mark that cannot be written must not become `?`, which releases the character after it.
    return bare.encode("ascii", "ignore").decode("ascii")


def written(segment: Segment) -> str:
    """One segment with its terminator; special characters are released, what is empty at the end is left out."""
    elements = [_released(e) if isinstance(e, str) else ":".join(_released(c) for c in e).rstrip(":") for e in segment]
    return "+".join(elements).rstrip("+") + "'"


def _released(text: str) -> str:
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

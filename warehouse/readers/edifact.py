"""UN/EDIFACT syntax (ISO 9735): a file's bytes in, messages of numbered segments out; what they mean is not here.

Segments are numbered through the file from 1; a UNA counts as one, and so does stray text. In a file that writes
a segment a line, that number is the line's.

Every segment is in a message, is a service segment whose count and reference hold, or is refused: a message that
is broken, with all its text, at its UNH; a trailer that contradicts, and segments outside of messages, on their own.
Interchanges are found by `edifact_envelope`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from warehouse.readers.edifact_envelope import Envelope, Service, Stray, envelopes

# Stand for released characters while the text is split. Lone surrogates: no character set decodes to them.
_HELD = "\ud800\ud801\ud802\ud803\ud804"
_IS_HELD = re.compile(f"[{_HELD}]")
_OFF_CHARSET = re.compile("[\udc80-\udcff]")
_TAG = re.compile("[A-Z][A-Z0-9]{2}")
_SERVICE_TAGS = frozenset(("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ"))
_LONGEST_RAW = 1 << 20


class Segment(NamedTuple):
    """A segment: its number in the file, and its elements as lists of components; the first element is the tag."""

    number: int
    elements: list[list[str]]

    @property
    def tag(self) -> str:
        return self.elements[0][0]

    def value(self, element: int, component: int = 0) -> str:
        """A component without the blanks around it; empty where the segment does not have it."""
        if element < len(self.elements) and component < len(self.elements[element]):
            return self.elements[element][component].strip()
        return ""

    def composite(self, element: int) -> list[str]:
        """All components of an element."""
        return self.elements[element] if element < len(self.elements) else []


class Refused(NamedTuple):
    """What cannot be read: the number of its first segment, its text, the rule it breaks and what to do."""

    number: int
    raw: str
    rule: str
    message: str


@dataclass(frozen=True)
class Message:
    """A whole message: the headers it stands under, and its segments between UNH and UNT."""

    interchange: Segment
    header: Segment
    segments: list[Segment]
    reading: "_Interchange" = field(repr=False)

    @property
    def number(self) -> int:
        """The number of its UNH."""
        return self.header.number

    def refused(self, first: int, last: int, rule: str, message: str) -> Refused:
        """The refusal of its segments from number `first` to `last`."""
        return self.reading.refused(first, last, rule, message)

    def refused_whole(self, rule: str, message: str) -> Refused:
        """The refusal of all of it, its header and trailer with it."""
        return self.reading.refused(self.number, self.number + len(self.segments) + 1, rule, message)


_NO_TRAILER = ("edifact-no-unt", "the message has no UNT; it was cut, ask for it again")
_CUT = ("edifact-cut", "the file or interchange ends inside a segment; ask for it again")
_OUTSIDE = ("edifact-outside", "the segments stand in no message; a UNH is missing before them")
_OFF = ("edifact-encoding", "bytes are not of the character set that UNB names; send them in it, or name theirs")
_RELEASE = (
    "edifact-release",
    "a release character stands before a character that needs none; double it where it is meant as text",
)
_NO_END = ("edifact-no-unz", "the interchange has no UNZ: messages may be missing; ask for it again")


def messages(data: bytes, kind: str, *, strict: bool = True) -> Iterator[Message | Refused]:
    """The messages of a kind (CUSCAR, PAXLST, ...) of all interchanges, in order, and what is refused.

    Not strict: a count or reference in UNT, UNE or UNZ that contradicts, and a release character before a
    character that needs none (which then is text), are let pass.
    """
    number = 1
    for found in envelopes(data):
        if isinstance(found, Stray):
            yield Refused(number, found.raw[:_LONGEST_RAW], found.rule, found.message)
            number += 1
        else:
            reading = _Interchange(found, number + found.has_una, kind, strict)
            yield from reading.messages()
            number = reading.following


class _Interchange:
    """One interchange while it is read."""

    def __init__(self, envelope: Envelope, first: int, kind: str, strict: bool) -> None:
        self.envelope, self.service, self.kind, self.strict = envelope, envelope.service, kind, strict
        text, self.has_released = _held(envelope.text, self.service)
        self.has_loose_release = self.has_released and self.service.release in text
        self.parts = [part.lstrip() for part in text.split(self.service.terminator)]
        self.first = first
        self.header = Segment(first, [["UNB"]])
        self.group: Segment | None = None
        self.groups = self.total = self.in_group = 0
        self.has_end = False

    @property
    def following(self) -> int:
        """The number behind it; its last own number is that of its UNZ, or of the unended rest in its place."""
        return self.first + len(self.parts) - self.has_end

    def messages(self) -> Iterator[Message | Refused]:
        opened: list[tuple[int, str]] = []
        outside: list[tuple[int, str]] = []
        for number, part in enumerate(self.parts[:-1], self.first):
            tag = self._service_tag(part) if part.startswith("UN") else ""
            if not tag:
                (opened or outside).append((number, part))
                continue
            if outside and (refused := self._outside(outside)):
                yield refused
            outside = []
            if opened and tag == "UNT":
                yield self._message([*opened, (number, part)])
                opened = []
                continue
            if opened:
                yield self._no_trailer(opened)
                opened = []
            if tag == "UNH":
                opened = [(number, part)]
                self.total += 1
                self.in_group += 1
            elif tag == "UNT":
                yield self._refused([(number, part)], *_OUTSIDE)
            elif refused := self._envelope_segment(tag, number, part):
                yield refused
        yield from self._rest(opened, outside)

    def _rest(self, opened: list[tuple[int, str]], outside: list[tuple[int, str]]) -> Iterator[Refused]:
        rest = (self.first + len(self.parts) - 1, self.parts[-1])
        is_cut = bool(rest[1])
        if is_cut:
            (opened or outside).append(rest)
        if opened:
            yield self._refused(opened, *_CUT) if is_cut else self._no_trailer(opened)
        elif is_cut:
            yield self._refused(outside, *_CUT)
            return
        elif refused := self._outside(outside):
            yield refused
        if not self.has_end:
            yield self._refused([rest], *_NO_END)

    def _service_tag(self, part: str) -> str:
        """The tag, if it is one of the service segments'."""
        tag, rest = part[:3], part[3:].lstrip(" ")
        is_whole = not rest or rest[0] in (self.service.element, self.service.component)
        return tag if tag in _SERVICE_TAGS and is_whole else ""

    def _outside(self, parts: list[tuple[int, str]]) -> Refused | None:
        """Segments outside of messages; none where there are only blanks, as behind a doubled terminator."""
        texts = [(number, part) for number, part in parts if part]
        return self._refused(texts, *_OUTSIDE) if texts else None

    def _envelope_segment(self, tag: str, number: int, part: str) -> Refused | None:
        segment = self._segment(number, part)
        if tag == "UNB":
            self.header = segment
        elif tag == "UNG":
            self.group, self.in_group = segment, 0
            self.groups += 1
        elif tag == "UNE":
            wrong = self._contradiction(segment, self.in_group, self.group, 5, "messages of the group")
            self.group = None
            return wrong
        elif tag == "UNZ":
            self.has_end = True
            counted, what = (self.groups, "groups") if self.groups else (self.total, "messages")
            return self._contradiction(segment, counted, self.header, 5, what)
        return None

    def _contradiction(
        self, trailer: Segment, counted: int, header: Segment | None, reference_at: int, what: str
    ) -> Refused | None:
        """A trailer whose count or reference is not what was read; the messages before it stand."""
        number, tag = trailer.number, trailer.tag.lower()
        if header is None:
            return self.refused(number, number, f"edifact-{tag}", "the trailer ends what no header began")
        if not self.strict:
            return None
        if _count(trailer.value(1)) != counted:
            message = f"it counts other {what} than the {counted} that stand before it; some may be missing"
            return self.refused(number, number, f"edifact-{tag}-count", message)
        if _plain(trailer.value(2)) != _plain(header.value(reference_at)):
            message = "its reference is not that of the header; two interchanges may have been mixed up"
            return self.refused(number, number, f"edifact-{tag}-reference", message)
        return None

    def _message(self, parts: list[tuple[int, str]]) -> Message | Refused:
        if self.envelope.is_damaged and any(
            _OFF_CHARSET.search(part) for part in (self.parts[0], *(p for _, p in parts))
        ):
            return self._refused(parts, *_OFF)
        if self.strict and self.has_loose_release and any(self.service.release in part for _, part in parts):
            return self._refused(parts, *_RELEASE)
        header, *segments, trailer = [self._segment(number, part) for number, part in parts if part]
        if not header.value(1) or not header.value(2):
            message = "UNH lacks the message's reference or type; without them it cannot be told what it is"
            return self._refused(parts, "edifact-unh", message)
        if wrong := [segment for segment in segments if not _TAG.fullmatch(segment.tag)]:
            message = f"segment {wrong[0].number} has no tag of three capitals; the message may be damaged"
            return self._refused(parts, "edifact-tag", message)
        if header.value(2) != self.kind:
            message = f"the message is no {self.kind}; deliver other messages as their own dataset"
            return self._refused(parts, "edifact-unknown-message", message)
        if self.strict:
            counted = len(segments) + 2
            if _count(trailer.value(1)) != counted:
                message = f"UNT does not count the {counted} segments that are there; the message may be cut"
                return self._refused(parts, "edifact-unt-count", message + self._hint(parts))
            if _plain(trailer.value(2)) != _plain(header.value(1)):
                message = "the reference of UNT is not that of UNH; two messages may have been mixed up"
                return self._refused(parts, "edifact-unt-reference", message)
        return Message(self.header, header, segments, self)

    def _no_trailer(self, parts: Sequence[tuple[int, str]]) -> Refused:
        rule, message = _NO_TRAILER
        return self._refused(parts, rule, message + self._hint(parts))

    def _hint(self, parts: Sequence[tuple[int, str]]) -> str:
        """Where a released terminator is followed by what looks like a segment: the likeliest reason."""
        element = re.escape(self.service.element)
        swallowed = re.compile(f"{_HELD[3]}\\s*[A-Z]{{3}}{element}")
        numbers = [str(number) for number, part in parts if swallowed.search(part)]
        where = f"; a release character before the terminator of segment {', '.join(numbers)} joins it to the next"
        return where if numbers else ""

    def _segment(self, number: int, part: str) -> Segment:
        service = self.service
        elements = [element.split(service.component) for element in part.split(service.element)]
        if self.has_released and _IS_HELD.search(part):
            plain = {ord(held): mark for held, mark in zip(_HELD, _marks(service), strict=True)}
            elements = [[component.translate(plain) for component in element] for element in elements]
        elements[0][0] = elements[0][0].strip()
        return Segment(number, elements)

    def refused(self, first: int, last: int, rule: str, message: str) -> Refused:
        numbers = range(first, last + 1)
        return self._refused([(number, self.parts[number - self.first]) for number in numbers], rule, message)

    def _refused(self, parts: Sequence[tuple[int, str]], rule: str, message: str) -> Refused:
        raw = self._raw(parts)[:_LONGEST_RAW]
        if self.envelope.is_damaged:
            raw = raw.encode(self.envelope.charset, "surrogateescape").decode(self.envelope.charset, "backslashreplace")
        return Refused(parts[0][0], raw, rule, message)

    def _raw(self, parts: Sequence[tuple[int, str]]) -> str:
        """The text of segments as it was sent, but for wrapped lines and padding before tags."""
        text = "".join(part + self.service.terminator for _, part in parts)
        if parts[-1][0] == self.first + len(self.parts) - 1:
            text = text.removesuffix(self.service.terminator)  # The rest behind the last terminator has none.
        if self.has_released:
            sent = zip(_HELD, _marks(self.service), strict=True)
            text = text.translate({ord(held): self.service.release + mark for held, mark in sent})
        return text


def _marks(service: Service) -> tuple[str, ...]:
    """What a release character may stand before, in the order of `_HELD`."""
    return (service.release, service.element, service.component, service.terminator, service.reserved)


def _held(text: str, service: Service) -> tuple[str, bool]:
    """The text with released characters held by others, so that it can be split; whether there are any.

    The release character itself goes first: of a run of them, each pair is one that is meant.
    """
    if not service.release or service.release not in text:
        return text, False
    for held, mark in zip(_HELD, _marks(service), strict=True):
        if mark:
            text = text.replace(service.release + mark, held)
    return text, True


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _plain(reference: str) -> str:
    """A reference without the blanks that wrapping left in it."""
    return reference.replace(" ", "")

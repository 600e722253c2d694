"""UN/EDIFACT syntax (ISO 9735): a file in, messages of numbered segments out; what they mean is not here.

Of a file only the message that is read is held, so that its size is never the memory it takes.

Segments are numbered through the file from 1; a UNA counts as one, and so does stray text. In a file that writes
a segment a line, that number is the line's.

Every segment is in a message, is a service segment whose count and reference hold, or is refused: a message that
is broken, with all its text, at its UNH; a trailer that contradicts, and segments outside of messages, on their own.
Interchanges are found by `edifact_envelope`; what a trailer contradicts is in `edifact_segment`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from string import whitespace
from typing import NamedTuple

from warehouse.errors import FileRefused
from warehouse.readers import edifact_release as release
from warehouse.readers.edifact_envelope import Envelope, Stray, envelopes
from warehouse.readers.edifact_segment import Segment, contradictions
from warehouse.readers.searched import SearchedFile

_OFF_CHARSET = re.compile("[\0\udc80-\udcff]")
"""Bytes that could not be decoded, and the zero byte, which is of no text."""
_PADDING = f"\0{whitespace}"
"""What some fill the room between segments with."""
_TAG = re.compile("[A-Z][A-Z0-9]{2}")
_SERVICE_TAGS = frozenset(("UNB", "UNG", "UNH", "UNT", "UNE", "UNZ"))
_LONGEST_RAW = 1 << 20
_LONGEST_MESSAGE = 32 << 20


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
    last_number: int
    """The number of its UNT."""
    damaged: frozenset[int]
    """The numbers of the segments with bytes off the character set, which stand in them as lone surrogates."""
    reading: "_Interchange" = field(repr=False)
    """Holds its text until the next message is asked for."""

    @property
    def number(self) -> int:
        """The number of its UNH."""
        return self.header.number

    def refused(self, first: int, last: int, rule: str, message: str) -> Refused:
        """The refusal of its segments from number `first` to `last`."""
        return self.reading.refused(first, last, rule, message)

    def refused_whole(self, rule: str, message: str) -> Refused:
        """The refusal of all of it, its header and trailer with it."""
        return self.reading.refused(self.number, self.last_number, rule, message)


_NO_TRAILER = ("edifact-no-unt", "the message has no UNT: it was cut; ask for it again, whole")
_CUT = (
    "edifact-cut",
    "the file or interchange ends inside a segment; ask for it again, whole, its last segment with the terminator",
)
_OUTSIDE = (
    "edifact-outside",
    "the segments stand in no message: a UNH is missing before them; ask for them again in a message of their own",
)
_ENDLESS = (
    "edifact-terminator",
    "no segment of it ends; ask for it again, whole, with the terminator that its UNA names (' without a UNA)",
)
OFF_CHARSET = (
    "edifact-encoding",
    "bytes are not of the character set that UNB names; send them in it, or name theirs",
)
_RELEASE = (
    "edifact-release",
    "a release character stands before a character that needs none; double it where it is meant as text",
)
_OVERLONG = f"no message ends for {_LONGEST_MESSAGE >> 20} MiB; ask for the agreed format, or for more messages"
_NO_END = ("edifact-no-unz", "the interchange has no UNZ: messages may be missing; ask for it again, whole")


def messages(data: SearchedFile, kind: str, let_pass: Counter[str] | None = None) -> Iterator[Message | Refused]:
    """The messages of a kind (CUSCAR, PAXLST, ...) of all interchanges, in order, and what is refused.

    With `let_pass`, a count or reference in UNT, UNE or UNZ that contradicts, and a release character before a
    character that needs none (which then is text), are let pass, and counted there by the rule that they break.
    Raises `FileRefused` where nothing ends for so long that it cannot be a message.
    """
    number = 1
    for found in envelopes(data):
        if isinstance(found, Stray):
            yield Refused(number, found.raw[:_LONGEST_RAW], found.rule, found.message)
            number += 1
        else:
            reading = _Interchange(found, number + found.has_una, kind, let_pass)
            yield from reading.messages()
            number = reading.following


class _Interchange:
    """One interchange while it is read. `parts` are its segments from number `base` on that nothing accounts for yet;
    of what is behind the last terminator the number is `rest`."""

    def __init__(self, envelope: Envelope, first: int, kind: str, let_pass: Counter[str] | None) -> None:
        self.envelope, self.service, self.kind, self.let_pass = envelope, envelope.service, kind, let_pass
        self.parts: list[str] = []
        self.base, self.rest = first, -1
        self.header_text = ""
        self.header: Segment | None = None
        self.group: Segment | None = None
        self.groups = self.total = self.in_group = 0
        self.has_released = self.has_loose_release = self.is_damaged = self.has_end = False

    @property
    def following(self) -> int:
        """The number behind it; its last own number is that of its UNZ, or of the unended rest in its place."""
        return self.rest + 1 - self.has_end

    def messages(self) -> Iterator[Message | Refused]:
        opened = -1  # The UNH of the message that is read.
        for part in self._ended():
            number = self.base + len(self.parts)
            self.parts.append(part)
            if self.header is None:
                self.header, self.header_text = self._segment(number), part
            tag = self._service_tag(part) if part.startswith("UN") else ""
            if not tag:
                continue
            if opened >= 0:
                yield self._message(opened, number) if tag == "UNT" else self._no_trailer(opened, number - 1)
            elif refused := self._outside(self.base, number - 1):
                yield refused
            if tag == "UNT" and opened < 0:
                yield self.refused(number, number, *_OUTSIDE)
            elif refused := self._envelope_segment(tag, number):
                yield refused
            opened = number if tag == "UNH" else -1
            self._let_go(number if tag == "UNH" else number + 1)
        yield from self._rest(opened)

    def _ended(self) -> Iterator[str]:
        """Segments that a terminator ends, without it and without the blanks before it; then `parts` has the rest."""
        text = ""
        for more in self.envelope.texts():
            text += more
            cut = release.behind_last(text, self.service)
            if cut:
                whole, text = text[:cut], text[cut:]
                yield from self._split(whole)[:-1]
            if len(text) + sum(map(len, self.parts)) > _LONGEST_MESSAGE:
                raise FileRefused("edifact-overlong", _OVERLONG)
        self.rest = self.base + len(self.parts)
        self.parts += self._split(text)

    def _split(self, text: str) -> list[str]:
        if "\0" in text or (not text.isascii() and _OFF_CHARSET.search(text)):
            self.is_damaged = True
        if self.service.release and self.service.release in text:
            text = release.held(text, self.service)
            self.has_released = True
            self.has_loose_release |= self.service.release in text
        padding = _PADDING if "\0" in text else None
        return [part.lstrip(padding) for part in text.split(self.service.terminator)]

    def _let_go(self, number: int) -> None:
        """Forget the segments before a number."""
        del self.parts[: number - self.base]
        self.base = number

    def _rest(self, opened: int) -> Iterator[Refused]:
        is_cut = bool(self.parts[-1])
        if opened >= 0:
            yield self.refused(opened, self.rest, *_CUT) if is_cut else self._no_trailer(opened, self.rest - 1)
        elif is_cut:
            yield self.refused(self.base, self.rest, *(_CUT if self.header else _ENDLESS))
            return
        elif refused := self._outside(self.base, self.rest - 1):
            yield refused
        if not self.has_end:
            yield self.refused(self.rest, self.rest, *_NO_END)

    def _service_tag(self, part: str) -> str:
        """The tag, if it is one of the service segments'."""
        tag, rest = part[:3], part[3:].lstrip(" ")
        is_whole = not rest or rest[0] in (self.service.element, self.service.component)
        return tag if tag in _SERVICE_TAGS and is_whole else ""

    def _outside(self, first: int, last: int) -> Refused | None:
        """Segments outside of messages; none where there are only blanks, as behind a doubled terminator."""
        filled = [number for number in range(first, last + 1) if self._text(number)]
        return self.refused(filled[0], last, *_OUTSIDE) if filled else None

    def _envelope_segment(self, tag: str, number: int) -> Refused | None:
        match tag:
            case "UNB":
                self.header = self._segment(number)
            case "UNG":
                self.group, self.in_group = self._segment(number), 0
                self.groups += 1
            case "UNH":
                self.total += 1
                self.in_group += 1
            case "UNE":
                wrong = self._contradiction(number, self.in_group, self.group, "messages of the group")
                self.group = None
                return wrong
            case "UNZ":
                self.has_end = True
                counted, what = (self.groups, "groups") if self.groups else (self.total, "messages")
                return self._contradiction(number, counted, self.header, what)
        return None

    def _contradiction(self, number: int, counted: int, header: Segment | None, what: str) -> Refused | None:
        """A trailer whose count or reference is not what was read; the messages before it stand."""
        trailer = self._segment(number)
        rule = f"edifact-{trailer.tag.lower()}"
        if header is None:
            told = f"{trailer.tag} ends what no header began; ask for it again, whole"
            return self.refused(number, number, rule, told)
        broken = self._admitted(contradictions(trailer, counted, header.value(5), f"{what}, {counted} before it"))
        return None if broken is None else self.refused(number, number, *broken)

    def _admitted(self, broken: Iterator[tuple[str, str]]) -> tuple[str, str] | None:
        """The first of the rules that are broken, and what to say; none where such are let pass."""
        if self.let_pass is None:
            return next(broken, None)
        self.let_pass.update(rule for rule, _ in broken)
        return None

    def _message(self, first: int, last: int) -> Message | Refused:
        """The message from its UNH to its UNT, or why it is refused."""
        assert self.header is not None  # The first segment of all is one.
        parts = self.parts[first - self.base :]
        damaged = self._damaged(first, parts) if self.is_damaged else frozenset()
        if damaged & {first, last} or (self.is_damaged and _OFF_CHARSET.search(self.header_text)):
            return self.refused(first, last, *OFF_CHARSET)
        is_loose = self.has_loose_release and any(self.service.release in part for part in parts)
        if is_loose and (broken := self._admitted(iter((_RELEASE,)))):
            return self.refused(first, last, *broken)
        header, *segments, trailer = [self._segment(number) for number, part in enumerate(parts, first) if part]
        if wrong := self._wrong(header, segments, trailer):
            rule, message = wrong
            hinted = self._hinted(message, first, last) if rule.startswith("edifact-unt") else message
            return self.refused(first, last, rule, hinted)
        return Message(self.header, header, segments, trailer.number, damaged, self)

    def _damaged(self, first: int, parts: Sequence[str]) -> frozenset[int]:
        return frozenset(number for number, part in enumerate(parts, first) if _OFF_CHARSET.search(part))

    def _wrong(self, header: Segment, segments: Sequence[Segment], trailer: Segment) -> tuple[str, str] | None:
        """The rule that a message breaks, and what to do."""
        if not header.value(1) or not header.value(2):
            return "edifact-unh", "UNH lacks the message's reference or type; ask for it again with both"
        if bad := {tag for tag in {segment.tag for segment in segments} if not _TAG.fullmatch(tag)}:
            number = next(segment.number for segment in segments if segment.tag in bad)
            told = f"segment {number} has no tag of three capitals: the message may be damaged; ask for it again"
            return "edifact-tag", told
        if header.value(2) != self.kind:
            told = f"the message is no {self.kind}; deliver other messages as their own dataset"
            return "edifact-unknown-message", told
        counted = len(segments) + 2
        said = f"segments, {counted} are there with UNH and UNT"
        return self._admitted(contradictions(trailer, counted, header.value(1), said))

    def _no_trailer(self, first: int, last: int) -> Refused:
        rule, message = _NO_TRAILER
        return self.refused(first, last, rule, self._hinted(message, first, last))

    def _hinted(self, message: str, first: int, last: int) -> str:
        """The reason with the likeliest cause: a released terminator that is followed by what looks like a segment."""
        swallowed = re.compile(f"{release.TERMINATOR}\\s*[A-Z]{{3}}{re.escape(self.service.element)}")
        numbers = [str(number) for number in range(first, last + 1) if swallowed.search(self._text(number))]
        if not numbers:
            return message
        where = f", and a release character before the terminator of segment {', '.join(numbers)} joins it to the next"
        found, _, mend = message.partition("; ")
        return f"{found}{where}; {mend}"

    def _text(self, number: int) -> str:
        return self.parts[number - self.base]

    def _segment(self, number: int) -> Segment:
        part, component = self._text(number), self.service.component
        elements = [element.split(component) for element in part.split(self.service.element)]
        if self.has_released and release.is_held(part):
            elements = [[release.let_go(text, self.service) for text in element] for element in elements]
        tag = elements[0][0] = elements[0][0].strip()
        return Segment(number, tag, elements)

    def refused(self, first: int, last: int, rule: str, message: str) -> Refused:
        """The refusal of the segments from number `first` to `last`."""
        raw = self._raw(first, last)[:_LONGEST_RAW]
        if self.is_damaged:
            raw = raw.encode(self.envelope.charset, "surrogateescape").decode(self.envelope.charset, "backslashreplace")
        return Refused(first, raw, rule, message)

    def _raw(self, first: int, last: int) -> str:
        """The text of segments as it was sent, but for wrapped lines and padding before tags."""
        text = "".join(self._text(number) + self.service.terminator for number in range(first, last + 1))
        if last == self.rest:
            text = text.removesuffix(self.service.terminator)  # The rest behind the last terminator has none.
        if self.has_released:
            text = release.as_sent(text, self.service)
        return text

"""Where EDIFACT interchanges lie in a file, and how each is written: service characters and character set.

What is inside an interchange is read by `edifact`. Between interchanges there may be line ends, the framing
bytes of airline networks and the address lines of a Type B telegram; any other text is stray.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from warehouse.readers.searched import Found, SearchedFile

# SOH, STX, ETX, EOT, ETB of airline networks, the SUB of old editors, NUL padding, white space.
BLANK = b"\x00\x01\x02\x03\x04\x17\x1a \t\r\n"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A tag of the service segments may be wrapped like any text; UNA is of one piece.
_TAG = rb"U[\r\n]{0,2}N[\r\n]{0,2}"
_UNB = re.compile(_TAG + rb"B")
_SERVICE = re.compile(rb"(?s)" + _TAG + rb"[ZB](?=[ \r\n]{0,8}[^\w\s])|UNA(?=.{4,8}?[\x00-\x20]{0,128}" + _TAG + rb"B)")
_OPENS_A_LINE = re.compile(rb"UNB[^\w\s][A-Z]{4}[^\w\s][0-9]|UNA")
_SYNTAX = re.compile(rb"UNB[ ]{0,8}[^\w\s]\s*([A-Z]{4})")
_PRIORITY = re.compile(rb"Q[A-Z]([ ]+[A-Z0-9]{7})+")
_LONGEST_STRAY = 1 << 20
_ORIGIN = re.compile(rb"\.[A-Z0-9]{7}([ ][ -~]{0,40})?")
_ADDRESS = re.compile(rb"([A-Z0-9]{7}[ ]*)+|PDM|" + _ORIGIN.pattern)
_HEADING = re.compile(rb"[A-Z0-9]{1,16}([ ]+[A-Z0-9]{1,16}){0,6}")
_LONGEST_HEADING = 6

# ISO 9735-1 annex A and its later code list 0001; the airlines' IATA and IATB are letters of ASCII.
CHARSETS = {
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOL": "iso8859-15",
    "UNOW": "utf-8",
    "UNOY": "utf-8",
}


class Service(NamedTuple):
    """The service characters of an interchange; an empty `release` or `reserved` means: none."""

    component: str = ":"
    element: str = "+"
    release: str = "?"
    reserved: str = ""
    terminator: str = "'"


DEFAULT = Service()
# Level B of ISO 9735:1988 parts by the information separators IS1, IS3 and IS4, which need no release.
_LEVEL_B = Service("\x1f", "\x1d", "", "", "\x1c")


@dataclass(frozen=True)
class Envelope:
    """One interchange, from its UNB on."""

    service: Service
    charset: str
    has_una: bool
    source: SearchedFile
    start: int
    end: int

    def texts(self) -> Iterator[str]:
        """Its text piece by piece: wrapped lines joined, bytes off its character set as surrogates."""
        decoder = codecs.getincrementaldecoder(self.charset)("surrogateescape")
        for piece in self.source.pieces(self.start, self.end):
            yield decoder.decode(_joined(piece, self.service))
        yield decoder.decode(b"", final=True)


@dataclass(frozen=True)
class Stray:
    """Bytes that no interchange holds, or whose UNA cannot be understood."""

    raw: str
    rule: str
    message: str


_STRAY = (
    "edifact-stray",
    "text stands outside of any interchange; leave out what mail or a network puts around one, and ask for one that "
    "was cut again, whole",
)
_BAD_UNA = (
    "edifact-una",
    "UNA does not name six different marks of ASCII, and nothing can be told apart; ask for it again with its marks "
    "written plainly (UNA:+.? '), as no word processor has changed them",
)


def holds_interchange(data: SearchedFile) -> bool:
    """Whether anything in a file is the start of an interchange."""
    return _next_start(data, _behind_mark(data)) is not None


def is_blank(data: SearchedFile) -> bool:
    """Whether a file has nothing but padding and white space."""
    return not any(piece.strip(b"\x00 \t\r\n") for piece in data.pieces(0, data.size))


def envelopes(data: SearchedFile) -> Iterator[Envelope | Stray]:
    """The interchanges of a file in order, and what lies between them."""
    at = _behind_mark(data)
    while at < data.size:
        found = _next_start(data, at)
        start = data.size if found is None else found.start
        yield from _between(data, at, start)
        if found is None:
            return
        service, body = _service_at(data, found)
        if service is None:
            following = _next_start(data, body + 3)
            at = data.size if following is None else following.start
            yield Stray(_shown(data.piece(start, min(at, start + _LONGEST_STRAY))), *_BAD_UNA)
            continue
        at = _end(data, body, service)
        yield Envelope(service, _charset(data, body, at, service), body != start, data, body, at)


def _behind_mark(data: SearchedFile) -> int:
    return len(_BYTE_ORDER_MARK) if data.piece(0, len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK else 0


def _next_start(data: SearchedFile, at: int) -> Found | None:
    """The next UNA or UNB that stands at the start of a segment or of a line; None: there is none."""
    for match in data.matches(_SERVICE, at):
        if not match.text.endswith(b"Z") and _opens(data, at, match.start, None):
            return match
    return None


def _end(data: SearchedFile, start: int, service: Service) -> int:
    """Where the interchange at `start` ends: behind its UNZ, else before the next interchange, else with the file."""
    for match in data.matches(_SERVICE, start + 3):
        if not _opens(data, start, match.start, service):
            continue
        is_unz = match.text.endswith(b"Z")
        return _behind_segment(data, match.start, service) if is_unz else match.start
    return data.size


def _opens(data: SearchedFile, first: int, at: int, service: Service | None) -> bool:
    """Whether the service segment at `at` begins there, and is not text of another segment."""
    terminator = ord(service.terminator) if service else -1
    before = at - 1
    while before >= first and (mark := data.byte(before)) in BLANK and mark != terminator:
        before -= 1
    if before < first:
        return True
    if data.byte(before) == terminator and not _is_released(data, before, service):
        return True
    # Behind an interchange that was cut, the next one still begins a line.
    begins_a_line = data.byte(at - 1) in b"\r\n\x01\x02\x03"
    return begins_a_line and _OPENS_A_LINE.match(data.piece(at, at + 16)) is not None


def _is_released(data: SearchedFile, at: int, service: Service | None) -> bool:
    if service is None or not service.release:
        return False
    mark, count = ord(service.release), 0
    for before in range(at - 1, -1, -1):
        byte = data.byte(before)
        if byte == mark:
            count += 1
        elif byte not in b"\r\n":
            break
    return count % 2 == 1


def _behind_segment(data: SearchedFile, start: int, service: Service) -> int:
    terminator = re.compile(re.escape(service.terminator.encode()))
    for match in data.matches(terminator, start):
        if not _is_released(data, match.start, service):
            return match.end
    return data.size


def _service_at(data: SearchedFile, found: Found) -> tuple[Service | None, int]:
    """The service characters of an interchange, and where its UNB stands; no characters where UNA makes no sense."""
    start = found.start
    if not found.text.endswith(b"A"):
        is_level_b = data.piece(found.end, found.end + 3).lstrip(b"\r\n").startswith(b"\x1d")
        return (_LEVEL_B if is_level_b else DEFAULT), start
    unb = next(data.matches(_UNB, start + 3))  # The tag of UNA is only found before one.
    marks = data.piece(start + 3, start + 9)
    if marks[4:5] == b"'" and marks[5:6] in (b"\r", b"\n", b"U"):
        # One of the six is left out: the decimal mark, or the space that stands for the reserved one.
        two = marks[2:4]
        marks = marks[:2] + (two + b" " if two[:1] in (b".", b",") else b"." + two) + b"'"
    return _meaning(marks), unb.start


def _meaning(marks: bytes) -> Service | None:
    if len(marks) != 6 or any(mark > 126 or mark == 0 or chr(mark).isalnum() for mark in marks):
        return None
    component, element, _, release, reserved, terminator = (chr(mark) for mark in marks)
    service = Service(component, element, release.strip(), reserved.strip(), terminator)
    if service.reserved in service[:3]:
        service = service._replace(reserved="")
    told = [mark for mark in (*service[:3], terminator) if mark]
    if len(set(told)) != len(told) or not (component.strip() and element.strip()) or terminator in " \t":
        return None
    return service


def _joined(data: bytes, service: Service) -> bytes:
    """Bytes without line ends and framing, unless one of them is the terminator; a zero byte, perhaps damage, stays."""
    return data.translate(None, bytes(set(BLANK) - {0, ord(" "), ord("\t"), ord(service.terminator)}))


def _charset(data: SearchedFile, start: int, end: int, service: Service) -> str:
    """The character set that UNB names; ASCII where it names none that is known."""
    syntax = _SYNTAX.match(_joined(data.piece(start, min(end, start + 256)), service))
    return CHARSETS.get(syntax[1].decode() if syntax else "", "ascii")


def _between(data: SearchedFile, start: int, end: int) -> Iterator[Stray]:
    """The text between interchanges, if it is any; what is shown of a long one is its beginning."""
    text = b""
    for piece in data.pieces(start, end):
        text += piece if text else piece.lstrip(BLANK)
        if len(text) >= _LONGEST_STRAY:
            break
    lines = [line for line in (line.strip(BLANK) for line in text.splitlines()) if line not in (b"", b"NNNN")]
    if lines and not _is_telegram(lines):
        yield Stray(_shown(text.strip(BLANK)), *_STRAY)


def _is_telegram(lines: Sequence[bytes]) -> bool:
    """Whether lines are what a Type B telegram begins with: a priority and addresses, or any heading and the origin."""
    if _PRIORITY.fullmatch(lines[0]):
        return all(map(_ADDRESS.fullmatch, lines[1:]))
    *heading, origin = lines
    is_short = len(heading) <= _LONGEST_HEADING
    return is_short and _ORIGIN.fullmatch(origin) is not None and all(map(_HEADING.fullmatch, heading))


def _shown(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")

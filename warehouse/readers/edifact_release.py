"""Released characters of EDIFACT text: what stands behind a release character is text, and parts nothing.

While text is split, released characters are held by others.
"""

import re

from warehouse.readers.edifact_envelope import Service

# Lone surrogates: no character set decodes to them.
_HELD = "\ud800\ud801\ud802\ud803\ud804"
_IS_HELD = re.compile(f"[{_HELD}]")
TERMINATOR = _HELD[3]
"""Holds a released terminator."""


def is_held(text: str) -> bool:
    """Whether a text has characters that are held."""
    return _IS_HELD.search(text) is not None


def let_go(text: str, service: Service) -> str:
    """A text with the characters that were released in it."""
    return text.translate(dict(zip(map(ord, _HELD), _marks(service), strict=True)))


def as_sent(text: str, service: Service) -> str:
    """A text with its release characters, as it was sent."""
    sent = [service.release + mark for mark in _marks(service)]
    return text.translate(dict(zip(map(ord, _HELD), sent, strict=True)))


def _marks(service: Service) -> tuple[str, ...]:
    """What a release character may stand before, in the order of `_HELD`."""
    return (service.release, service.element, service.component, service.terminator, service.reserved)


def held(text: str, service: Service) -> str:
    """The text with released characters held by others, so that it can be split.

    The release character itself goes first: of a run of them, each pair is one that is meant.
    """
    for stand_in, mark in zip(_HELD, _marks(service), strict=True):
        if mark:
            text = text.replace(service.release + mark, stand_in)
    return text


def behind_last(text: str, service: Service) -> int:
    """Where the last segment that a terminator ends is over; 0: none is."""
    at = text.rfind(service.terminator)
    while at >= 0 and _releases_before(text, at, service) % 2:
        at = text.rfind(service.terminator, 0, at)
    return at + 1


def _releases_before(text: str, at: int, service: Service) -> int:
    count = 0
    while service.release and count < at and text[at - count - 1] == service.release:
        count += 1
    return count

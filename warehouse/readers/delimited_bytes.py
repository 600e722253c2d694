"""What stands where in a block of delimited text, seen in one pass over its bytes.

Bytes are looked at in slices that stay in the processor's cache; what they mean for a record is `delimited_lines`.
"""

from dataclasses import dataclass

import numpy as np

from warehouse.readers.nmea_bytes import Bytes, Ints, Mask

_LOOKED_AT = 1 << 18
_LINE_FEED = ord("\n")
_FIRST_BLANK, _BLANKS = np.uint8(127), np.uint8(161)
"""Counted from 127 and over 255 to 32: DEL, every byte beyond ASCII, and the control characters with the blank."""


@dataclass(frozen=True)
class Survey:
    """What a block of lines holds."""

    quotes: Ints
    """Offsets of all quotes, ascending."""
    has_blank_edge: bool
    """Whether a field may begin or end with white space."""


def lines_in(data: bytes) -> int:
    """How many line feeds there are."""
    content = np.frombuffer(data, np.uint8)
    slices = (content[first : first + _LOOKED_AT] for first in range(0, len(content), _LOOKED_AT))
    return sum(int(np.count_nonzero(one == _LINE_FEED)) for one in slices)


def survey(data: bytes, delimiter: str, quote: str) -> Survey:
    """Look at a block of whole lines, the last with its line feed; `delimiter` and `quote` are an ASCII character each.

    Quotes, and blanks beside a quote or a separator, are few: only they are looked at one by one.
    """
    content = np.frombuffer(data, np.uint8)
    found = [np.empty(0, np.int64)]
    memory = [np.empty(_LOOKED_AT + 1, dtype) for dtype in (bool, bool, bool, np.uint8)]  # The same for every slice.
    for first in range(0, len(content), _LOOKED_AT):
        one = content[first : first + _LOOKED_AT + 1]  # One more, so that each pair of neighbours is seen.
        bounds, quotes, blanks, shifted = (each[: len(one)] for each in memory)
        np.equal(one, _LINE_FEED, out=bounds)
        bounds |= np.equal(one, ord(delimiter), out=quotes)
        bounds |= np.equal(one, ord(quote), out=quotes)
        np.less_equal(np.subtract(one, _FIRST_BLANK, out=shifted), _BLANKS, out=blanks)
        sought = quotes[:-1]
        beside = shifted[:-1].view(bool)
        sought |= np.logical_and(blanks[:-1], bounds[1:], out=beside)
        sought |= np.logical_and(bounds[:-1], blanks[1:], out=beside)
        found.append(np.flatnonzero(sought) + first)
    offsets = np.concatenate(found)
    all_quotes = offsets[content[offsets] == ord(quote)]
    return Survey(all_quotes, _has_blank_edge(content, offsets, all_quotes, delimiter, quote))


def _has_blank_edge(content: Bytes, offsets: Ints, quotes: Ints, delimiter: str, quote: str) -> bool:
    """Whether white space stands at a field's edge; `offsets` hold all quotes and the first byte of each such pair."""
    first, second = content[offsets], content[offsets + 1]
    with_blank = _is_blank(first, delimiter) | _is_blank(second, delimiter)
    edges, first, second = offsets[with_blank], first[with_blank], second[with_blank]
    at_quote = (first == ord(quote)) | (second == ord(quote))
    # Between quotes a delimiter separates nothing.
    outside = np.searchsorted(quotes, edges) % 2 == 0
    return bool(_is_blank(content[:1], delimiter).any() or (at_quote | outside).any())


def _is_blank(content: Bytes, delimiter: str) -> Mask:
    return np.asarray((content - _FIRST_BLANK <= _BLANKS) & (content != _LINE_FEED) & (content != ord(delimiter)))


def stand_around_fields(data: bytes, quotes: Ints, delimiter: str, quote: str) -> bool:
    """Whether each quote that opens has a separator before it, and each that closes one behind it.

    Where a doubled quote closes and opens again, the other of the two stands there. The block ends with a line feed.
    """
    if len(quotes) % 2:
        return False
    content = np.frombuffer(data, np.uint8)
    beside = np.array([_LINE_FEED, ord(delimiter), ord(quote)])
    opening, closing = content[quotes[0::2] - 1], content[quotes[1::2] + 1]
    return bool(np.isin(opening, beside).all() and np.isin(closing, beside).all())

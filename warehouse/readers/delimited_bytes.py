"""What stands where in a block of delimited text, seen in one pass over its bytes.

Bytes are looked at in slices that stay in the processor's cache; what they mean for a record is `delimited_lines`.
"""

from dataclasses import dataclass

import numpy as np

from warehouse.readers.nmea_bytes import Bytes, Ints

_LOOKED_AT = 1 << 18
_LINE_FEED = ord("\n")
_FIRST_BLANK, _BLANKS = np.uint8(127), np.uint8(161)
"""Counted from 127 and over 255 to 32: DEL, every byte beyond ASCII, and the control characters with the blank."""


@dataclass(frozen=True)
class Survey:
    """What a block of lines holds."""

    lines: int
    """Line feeds, wherever they stand."""
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
    """Look at a block of whole lines; `delimiter` and `quote` are one ASCII character each."""
    content = np.frombuffer(data, np.uint8)
    lines, quotes, edges = 0, [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    memory = [np.empty(_LOOKED_AT + 1, dtype) for dtype in (bool, bool, np.uint8)]  # The same for every slice.
    for first in range(0, len(content), _LOOKED_AT):
        one = content[first : first + _LOOKED_AT + 1]  # One more, so that each pair of neighbours is seen.
        bounds, found, shifted = (each[: len(one)] for each in memory)
        np.equal(one, _LINE_FEED, out=bounds)
        lines += int(np.count_nonzero(bounds[:_LOOKED_AT]))
        bounds |= np.equal(one, ord(delimiter), out=found)
        bounds |= np.equal(one, ord(quote), out=found)
        quotes.append(np.flatnonzero(found[:_LOOKED_AT]) + first)
        blanks = np.less_equal(np.subtract(one, _FIRST_BLANK, out=shifted), _BLANKS, out=found)
        edges.append(np.flatnonzero((blanks[:-1] & bounds[1:]) | (bounds[:-1] & blanks[1:])) + first)
    all_quotes = np.concatenate(quotes)
    has_blank_edge = _has_blank_edge(content, np.concatenate(edges), all_quotes, delimiter, quote)
    return Survey(lines, all_quotes, has_blank_edge)


def _has_blank_edge(content: Bytes, edges: Ints, quotes: Ints, delimiter: str, quote: str) -> bool:
    """Whether white space stands at a field's edge, of which `edges` are all candidates, first bytes of pairs."""
    first, second = content[edges], content[edges + 1]
    separators = np.array([_LINE_FEED, ord(delimiter)])
    is_blank = [(one - _FIRST_BLANK <= _BLANKS) & ~np.isin(one, separators) for one in (content[:1], first, second)]
    at_blank = is_blank[1] | is_blank[2]
    at_quote = (first == ord(quote)) | (second == ord(quote))
    # Between quotes a delimiter separates nothing.
    outside = np.searchsorted(quotes, edges) % 2 == 0
    return bool(is_blank[0].any() or (at_blank & (at_quote | outside)).any())


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

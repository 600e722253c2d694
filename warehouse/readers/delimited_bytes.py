"""What stands where in a block of delimited text, seen in one pass over its bytes.

Bytes are looked at in slices that stay in the processor's cache; what they mean for a record is `delimited_lines`.
"""

from dataclasses import dataclass

import numpy as np

from warehouse.readers.nmea_bytes import Bytes, Ints, Mask

_LOOKED_AT = 1 << 18
_LINE_FEED = ord("\n")
_LAST_BLANK = np.int8(32)
"""Read as bytes with a sign, every byte beyond ASCII is below the control characters and the blank."""


@dataclass(frozen=True)
class Survey:
    """What a block of lines holds."""

    lines: int
    """Line feeds."""
    quotes: Ints
    """Offsets of all quotes, ascending."""
    has_blank_edge: bool
    """Whether a field may begin or end with white space."""


def survey(data: bytes, delimiter: str, quote: str) -> Survey:
    """Look at a block of whole lines, the last with its line feed; `delimiter` and `quote` are an ASCII character each.

    Quotes, and blanks beside a quote or a separator, are few: only they are looked at one by one.
    """
    content = np.frombuffer(data, np.uint8)
    lines, quotes, edges = 0, [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    memory = np.empty((4, _LOOKED_AT + 1), bool)  # The same for every slice.
    for first in range(0, len(content), _LOOKED_AT):
        one = content[first : first + _LOOKED_AT + 1]  # One more, so that each pair of neighbours is seen.
        bounds, others, blanks, beside = memory[:, : len(one)]
        np.equal(one, _LINE_FEED, out=bounds)
        lines += int(np.count_nonzero(bounds[:_LOOKED_AT]))
        bounds |= np.equal(one, ord(delimiter), out=others)
        np.less_equal(one.view(np.int8), _LAST_BLANK, out=blanks)
        np.greater(blanks, bounds, out=blanks)  # A line feed is none here, nor a tab where it parts fields.
        bounds |= np.equal(one, ord(quote), out=others)
        quotes.append(np.flatnonzero(others[:_LOOKED_AT]) + first)
        np.logical_and(blanks[:-1], bounds[1:], out=others[:-1])
        others[:-1] |= np.logical_and(bounds[:-1], blanks[1:], out=beside[:-1])
        edges.append(np.flatnonzero(others[:-1]) + first)
    all_quotes = np.concatenate(quotes)
    return Survey(lines, all_quotes, _has_blank_edge(content, np.concatenate(edges), all_quotes, delimiter, quote))


def _has_blank_edge(content: Bytes, edges: Ints, quotes: Ints, delimiter: str, quote: str) -> bool:
    """Whether white space stands at a field's edge; `edges` hold the first byte of each pair of it and a bound."""
    at_quote = (content[edges] == ord(quote)) | (content[edges + 1] == ord(quote))
    # Between quotes a delimiter separates nothing.
    outside = np.searchsorted(quotes, edges) % 2 == 0
    return bool(_is_blank(content[:1], delimiter).any() or (at_quote | outside).any())


def _is_blank(content: Bytes, delimiter: str) -> Mask:
    return np.asarray((content.view(np.int8) <= _LAST_BLANK) & (content != _LINE_FEED) & (content != ord(delimiter)))


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

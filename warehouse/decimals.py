"""Decimals: which numbers have more of them than a column keeps. Reading them is the business of `mapping`.

An amount that loses digits is another amount; it is refused, and only a dialect's word may round it.
"""

import re

import numpy as np
import polars as pl

_WIDEST = 20
_VIEW_BITS, _LENGTH_BYTES = 4, 4
_VIEW_BYTES = 1 << _VIEW_BITS
_FLOAT_NOISE = 1e-14
"""Share of a number within which its binary form is taken for the decimal one: 0.1 + 0.2 has one decimal."""


def beyond_scale(sent: pl.Series, kept: pl.Series, mark: str) -> pl.Series:
    """Whether each number, as sent, has more decimals than `kept`, the same in the column's own type, has room for.

    `mark` parts the whole from the fraction where numbers are text. What could not be read at all is not meant.
    """
    dtype = kept.dtype
    assert isinstance(dtype, pl.Decimal)
    if isinstance(sent.dtype, pl.Decimal):
        is_lost = sent != kept if sent.dtype.scale > dtype.scale else None
    elif sent.dtype.is_float():
        is_lost = (sent - kept.cast(pl.Float64)).abs() > sent.abs() * _FLOAT_NOISE
    elif sent.dtype == pl.String:
        is_lost = _lost_of_text(sent, kept, mark, dtype.scale)
    else:
        is_lost = None
    return pl.repeat(False, len(sent), eager=True) if is_lost is None else is_lost.fill_null(False)


def _lost_of_text(sent: pl.Series, kept: pl.Series, mark: str, scale: int) -> pl.Series | None:
    """Most columns are cleared by one look at where their marks stand; only the rest is read again."""
    if _marks_stand_near_the_end(sent, mark, scale):
        return None
    suspect = (sent.str.contains(rf"{re.escape(mark)}.{{{scale + 1}}}|[eE]") & kept.is_not_null()).fill_null(False)
    if not suspect.any():
        return None
    text = sent.filter(suspect).str.replace(mark, ".", literal=True)
    fraction = text.str.strip_chars_end("0").str.split(".").list.get(1, null_on_oob=True).str.len_chars()
    exact = text.cast(pl.Decimal(38, _WIDEST), strict=False)
    is_lost = (exact != kept.filter(suspect)).fill_null(True) | (fraction > _WIDEST).fill_null(False)
    return suspect.scatter(suspect.arg_true(), is_lost)


def _marks_stand_near_the_end(sent: pl.Series, mark: str, scale: int) -> bool:
    """Whether no text has more than `scale` characters behind a mark, or an exponent, as far as is seen at a look.

    Arrow keeps a text of at most twelve bytes beside its length, padded with zeros, in 16 bytes a row; what is longer
    is not looked at.
    """
    texts = sent.to_arrow(compat_level=pl.CompatLevel.newest())
    rows = slice(texts.offset * _VIEW_BYTES, (texts.offset + len(texts)) * _VIEW_BYTES)
    views = np.frombuffer(texts.buffers()[1], np.uint8)[rows]
    lengths = views.view("<i4")[:: _VIEW_BYTES // _LENGTH_BYTES]
    if len(mark.encode()) != 1 or lengths.max(initial=0) > _VIEW_BYTES - _LENGTH_BYTES:
        return False
    # Lengths are looked at with the rest: so small, they are neither a mark nor a letter.
    if ((views | 0x20) == ord("e")).any():  # Small and capital letters differ by one bit.
        return False
    marks = np.flatnonzero(views == ord(mark))
    at = (marks & (_VIEW_BYTES - 1)) - _LENGTH_BYTES  # A mask and a shift take a tenth of the time of a division.
    behind = lengths[marks >> _VIEW_BITS] - at - 1
    return bool((behind <= scale).all())

"""Decimals: no digit is lost in silence, whatever type a number comes in."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.decimals import beyond_scale

KEPT = pl.Decimal(16, 3)


def beyond(values: list[object], dtype: pl.DataType, mark: str = ".") -> list[bool]:
    sent = pl.Series(values, dtype=dtype)
    text = sent.str.replace(mark, ".", literal=True) if dtype == pl.String else sent
    return beyond_scale(sent, text.cast(KEPT, strict=False), mark).to_list()


@pytest.mark.parametrize(
    ("sent", "is_beyond"),
    [
        pytest.param("1.234", False, id="as-many-as-there-is-room-for"),
        pytest.param("1.2345", True, id="one-too-many"),
        pytest.param("1.23400", False, id="zeros-at-the-end-say-nothing"),
        pytest.param("1.2340000000000000000000000001", True, id="far-behind"),
        pytest.param("-0.0005", True, id="negative"),
        pytest.param("1e-7", True, id="exponent-that-would-become-nothing"),
        pytest.param("1.5E3", False, id="exponent-of-a-whole-number"),
        pytest.param("12345", False, id="whole"),
        pytest.param("word", False, id="no-number-breaks-another-rule"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_a_number_as_text(sent: str | None, is_beyond: bool) -> None:
    assert beyond([sent], pl.String()) == [is_beyond]
    if sent is not None:
        assert beyond([sent.replace(".", ",")], pl.String(), ",") == [is_beyond]


@pytest.mark.parametrize(
    ("sent", "is_beyond"),
    [
        pytest.param(0.1 + 0.2, False, id="noise-of-binary-fractions"),
        pytest.param(120.1234, True, id="one-too-many"),
        pytest.param(1e9 + 0.0004, True, id="a-small-part-of-a-large-number"),
        pytest.param(98765432.125, False, id="exact"),
    ],
)
def test_a_number_as_a_float(sent: float, is_beyond: bool) -> None:
    assert beyond([sent], pl.Float64()) == [is_beyond]


def test_a_number_as_a_finer_decimal_and_as_a_whole_one() -> None:
    assert beyond([Decimal("1.2340"), Decimal("1.2345")], pl.Decimal(20, 4)) == [False, True]
    assert beyond([7, None], pl.Int64()) == [False, False]


_DIGITS = st.text("0123456789", max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_DIGITS, _DIGITS), min_size=1, max_size=20))
def test_it_says_what_exact_arithmetic_says(parts: list[tuple[str, str]]) -> None:
    sent = [f"{whole or '0'}.{fraction}" for whole, fraction in parts]
    exact = [Decimal(text) != round(Decimal(text), 3) for text in sent]
    assert beyond(list(sent), pl.String()) == exact


_WRITTEN = st.text("0123456789.eE-+", max_size=14)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.none() | _WRITTEN, max_size=12), st.integers(0, 3))
def test_a_column_says_of_each_text_what_it_says_of_it_alone(texts: list[str | None], cut: int) -> None:
    beside = pl.Series(["9.99999", *texts], dtype=pl.String())  # Of one that is too fine, each text is looked at.
    sent = beside[1:]
    closely = beyond_scale(beside, beside.cast(KEPT, strict=False), ".")[1:]
    assert beyond_scale(sent, sent.cast(KEPT, strict=False), ".").to_list() == closely.to_list()
    part = sent[cut:]
    assert beyond_scale(part, part.cast(KEPT, strict=False), ".").to_list() == closely[cut:].to_list()

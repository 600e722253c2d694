"""Rows in a terminal: whatever its width, each word of each value can be copied."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipelines.cli.listing import Listing, shared_out

WIDTHS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), min_size=1, max_size=6)
VALUES = st.lists(st.text("abcd_", min_size=1, max_size=20), min_size=1, max_size=8).map(" ".join)
TABLE = "quarantine.surveillance__vehicle_sightings"


def _shown(listing: Listing, width: int) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(listing)
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


@given(columns=WIDTHS, room=st.integers(0, 300))
def test_room_is_shared_out_between_what_each_column_needs_and_what_it_fills(
    columns: list[tuple[int, int]], room: int
) -> None:
    least, whole = [need for need, _ in columns], [need + more for need, more in columns]
    widths = shared_out(least, whole, room)
    assert all(low <= width <= high for low, width, high in zip(least, widths, whole, strict=True))
    assert sum(widths) == max(sum(least), min(sum(whole), room))


@given(
    rows=st.lists(VALUES, min_size=3, max_size=3),
    width=st.integers(30, 120),
)
def test_no_word_is_cut_at_any_width(rows: list[str], width: int) -> None:
    shown = _shown(Listing("rows", ("one", "two", "three"), [rows], [False] * 3), width)
    assert set(" ".join(rows).split()) <= set(shown.replace(",", " ").split())


@pytest.mark.parametrize(("width", "is_table"), [(80, False), (160, True)])
def test_a_table_where_it_fits_and_a_paragraph_a_row_where_not(width: int, is_table: bool) -> None:
    row = (TABLE, "124,526", "75", "4.620", "1", "Number plate readings: refused rows, each with its reasons.")
    listing = Listing("Tables", ("table", "rows", "files", "MB", "version", "what it holds"), [row], [False] * 6)
    shown = _shown(listing, width)
    assert ("│" in shown) is is_table
    assert TABLE in shown
    if not is_table:
        assert "  rows 124,526, files 75, MB 4.620, version 1" in shown
        assert "what it holds: Number plate readings" in shown


def test_a_listing_without_rows_shows_its_columns() -> None:
    assert "files" in _shown(Listing("Tables", ("table", "files"), [], [False, False]), 80)

"""Parts of reports: what is missing is told, whatever order parts land in, and nothing of a report that is whole."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.readers import Part
from warehouse.transmissions import Lacking, lacking

AT = datetime(2025, 3, 1, 6)


def part(number: int, *, last: bool = False, after: int = 0, of: str = "XY/XY123") -> Part:
    """A part made so many minutes after the first."""
    mark = "F" if last else "C" if number == 1 else ""
    return Part(of, (AT + timedelta(minutes=after)).isoformat(timespec="minutes"), number, mark)


def told(parts: Sequence[Part]) -> list[tuple[str, str]]:
    return [(one.of, one.numbers) for one in lacking(parts)]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([part(1), part(2), part(3, last=True)], [], id="whole"),
        pytest.param([part(1, last=True)], [], id="one-part-that-is-the-last"),
        pytest.param([part(1), part(3, last=True)], ["2"], id="one-between"),
        pytest.param([part(1), part(2)], ["the last"], id="the-last"),
        pytest.param([part(1)], ["the last"], id="all-but-the-first"),
        pytest.param([part(1)._replace(mark="")], [], id="one-that-is-numbered-and-no-more"),
        pytest.param([part(1)._replace(mark=""), part(3)], ["2, the last"], id="a-first-without-its-mark"),
        pytest.param([part(2), part(5)], ["1, 3, 4, the last"], id="several"),
        pytest.param([part(1, after=1), part(2, last=True)], [], id="clocks-that-differ"),
        pytest.param([part(1), part(2, last=True), part(2, last=True)], [], id="a-part-twice"),
        pytest.param(
            [part(1), part(1, after=30), part(2, last=True, after=30)], ["the last"], id="numbers-that-begin-anew"
        ),
        pytest.param(
            [part(1), part(2, last=True), part(2, last=True, after=600)], ["1"], id="long-after-the-part-before"
        ),
        pytest.param([part(1), part(2, last=True, of="XY/XY9")], ["the last", "1"], id="of-two-references"),
        pytest.param([part(1)._replace(made_at="later"), part(2, last=True)], [], id="a-time-that-is-none"),
    ],
)
def test_which_parts_a_report_lacks(parts: list[Part], expected: list[str]) -> None:
    assert [numbers for _, numbers in told(parts)] == expected
    assert told(parts[::-1]) == told(parts), "the order of landing says nothing"


@given(
    st.lists(st.tuples(st.integers(2, 6), st.sets(st.integers(1, 6))), max_size=4),
    st.randoms(use_true_random=False),
)
def test_of_any_reports_just_what_was_lost_is_lacking(made: list[tuple[int, set[int]]], rng: object) -> None:
    """Reports of one flight, hours apart, of which some parts are lost."""
    landed: list[Part] = []
    expected: list[Lacking] = []
    for at, (size, lost) in enumerate(made):
        kept = [part(n, last=n == size, after=at * 1_000) for n in range(1, size + 1) if n not in lost]
        landed += kept
        numbers = [one.number for one in kept]
        missing = tuple(n for n in range(1, max(numbers, default=0)) if n in lost)
        if kept and len(kept) < size:
            expected.append(Lacking(kept[0].of, kept[0].made_at, missing, size in lost))
    rng.shuffle(landed)  # type: ignore[attr-defined]
    assert list(lacking(landed)) == expected

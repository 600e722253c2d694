"""Strings cut out of a block, against cutting them one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.readers.nmea_bytes import slices

OFFSETS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("aB1,\\é\0"), max_size=30), offsets=OFFSETS)
def test_strings_are_those_between_their_offsets(text: str, offsets: list[tuple[int, int]]) -> None:
    sent = text.encode()
    start, end = (np.array([pair[side] for pair in offsets], np.int64) for side in (0, 1))
    said = sent.decode("latin-1").translate(dict.fromkeys(range(128, 256), "?"))
    expected = [said[first:last] or None for first, last in offsets]
    found = slices(sent, start, end)
    assert found.to_list() == expected
    assert found.str.len_bytes().to_list() == [None if one is None else len(one) for one in expected]
    assert found.unique().len() == len(set(expected))

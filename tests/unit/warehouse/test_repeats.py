"""Repeats in a large file: whatever the parts, a record that stood earlier is known again, and no other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import repeats

# Few, of which many begin alike: bits that differ stand at both ends.
HASHES = st.integers(0, 40).map(lambda drawn: (drawn % 5) << 61 | drawn)


def ascending(*hashes: int) -> repeats.Hashes:
    return np.array(sorted(hashes), np.uint64)


@settings(max_examples=100, deadline=None)
@given(parts=st.lists(st.lists(HASHES, max_size=8, unique=True), max_size=8), merged=st.integers(1, 20))
def test_a_record_is_known_just_where_it_stood_in_an_earlier_part(parts: list[list[int]], merged: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "_RECENT", merged)
        patch.setattr(repeats, "_FIRST_BITS", 3)
        seen, stood = repeats.Records(), set[int]()
        for part in parts:
            assert seen.stood(ascending(*part)).tolist() == sorted(one for one in part if one in stood)
            stood.update(part)


def test_a_record_that_only_begins_as_another_is_none() -> None:
    seen = repeats.Records()
    assert not seen.stood(ascending(1 << 60, 5)).any()
    assert seen.stood(ascending(6, (1 << 60) + 1, 5)).tolist() == [5]

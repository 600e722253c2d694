"""A file searched window by window: what a search of all its bytes finds, wherever the windows end."""

import io
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interchanges import interchange, message

from warehouse.errors import FileRefused
from warehouse.readers import edifact
from warehouse.readers.edifact import Message, Refused
from warehouse.readers.searched import SearchedFile

PATTERN = re.compile(rb"U[\r\n]{0,2}N(?=[AB])|UNA(?=.{0,3}B)", re.DOTALL)
PIECES = st.lists(st.sampled_from([b"UN", b"A", b"B", b"\r\n", b"U", b"N", b"x", b"x" * 7, b"x" * 40]), max_size=60)


@settings(max_examples=200, deadline=None)
@given(pieces=PIECES, window=st.integers(1, 50), start=st.integers(0, 30))
def test_matches_are_those_of_the_whole(pieces: list[bytes], window: int, start: int) -> None:
    data = b"".join(pieces)
    file = SearchedFile(io.BytesIO(data), window)
    found = []
    for match in file.matches(PATTERN, start):
        found.append((match.start, match.end, match.text))
        file.byte(0)  # Moves the window.
    assert found == [(one.start(), one.end(), one[0]) for one in PATTERN.finditer(data, start)]
    assert b"".join(file.pieces(start, len(data))) == data[start:]
    assert bytes(file.byte(at) for at in range(len(data))) == data


def told(data: bytes, window: int) -> list[object]:
    return [
        one if isinstance(one, Refused) else (one.header, one.segments, one.refused_whole("all", "of it"))
        for one in edifact.messages(SearchedFile(io.BytesIO(data), window), "PAXLST")
    ]


BODIES = st.lists(
    st.sampled_from(["NAD+FL+++O?'NEIL:JO??'", "RFF+TN:?+1'", "ATT+2++é'", "LOC+1", "??" * 9, "?", "\r\n", "'"]),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(bodies=st.lists(BODIES, min_size=1, max_size=4), window=st.integers(1, 90), cut=st.integers(0, 60))
def test_messages_are_the_same_in_any_windows(bodies: list[list[str]], window: int, cut: int) -> None:
    text = "".join(interchange(message("PAXLST", "".join(body)), message("PAXLST", "BGM+745")) for body in bodies)
    data = text.encode()[: -cut or None]
    assert told(data, window) == told(data, 1 << 20)


def test_of_an_interchange_only_a_message_is_held() -> None:
    data = interchange(*[message("PAXLST", "BGM+745", f"FTX+AAA+++{'x' * 500}")] * 4_000).encode()
    file = SearchedFile(io.BytesIO(data), 1 << 14)
    tracemalloc.start()
    try:
        read = sum(isinstance(one, Message) for one in edifact.messages(file, "PAXLST"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == 4_000
    assert peak < len(data) // 8


def test_what_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edifact, "_LONGEST_MESSAGE", 10_000)
    endless = interchange(message("PAXLST", "BGM+745")).replace("UNT", "FTX" + "+x'FTX" * 5_000)
    with pytest.raises(FileRefused, match="no message ends"):
        told(endless.encode(), 1_000)

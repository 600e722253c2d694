"""The survey of a block against the plainest way to find the same."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from warehouse.readers import delimited_bytes
from warehouse.readers.delimited_bytes import survey

BLANK = frozenset(range(33)) | frozenset(range(128, 256))


def plainly(data: bytes) -> bool:
    """Whether white space stands beside a quote, or outside quotes beside a separator, or first of all."""
    separators = {ord(","), ord("\n")}
    quotes = 0
    for at, byte in enumerate(data):
        before = data[at - 1] if at else ord("\n")
        for one, other in ((before, byte), (byte, before)):
            if one in BLANK - separators and (other == ord('"') or (other in separators and not quotes % 2)):
                return True
        quotes += byte == ord('"')
    return False


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"a", b" ", b",", b'"', b"\n", b"\t", b"\x7f", "é".encode()]), max_size=12))
@example([b'"', b"a", b",", b" ", b'"', b"\n"])
def test_a_survey_sees_what_stands_where(pieces: list[bytes]) -> None:
    data = b"".join([*pieces, b"\n"])
    before, delimited_bytes._LOOKED_AT = delimited_bytes._LOOKED_AT, 3
    try:
        seen = survey(data, ",", '"')
    finally:
        delimited_bytes._LOOKED_AT = before
    assert seen.lines == data.count(b"\n")
    assert seen.quotes.tolist() == [at for at, byte in enumerate(data) if byte == ord('"')]
    assert seen.has_blank_edge == plainly(data)

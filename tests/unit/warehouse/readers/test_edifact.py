"""EDIFACT syntax: what is a message, what is refused and where, and a slow twin that agrees on all of it."""

import io
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interchanges import UNA, interchange, message

from warehouse.readers import edifact
from warehouse.readers.edifact import Message, Refused
from warehouse.readers.edifact_envelope import holds_interchange
from warehouse.readers.searched import SearchedFile

ONE = message("PAXLST", "BGM+745")


def found(content: str | bytes, *, strict: bool = True) -> tuple[list[Message], list[Refused]]:
    data = content if isinstance(content, bytes) else content.encode()
    read = list(edifact.messages(SearchedFile(io.BytesIO(data)), "PAXLST", None if strict else Counter()))
    return [m for m in read if isinstance(m, Message)], [r for r in read if isinstance(r, Refused)]


def rules(content: str | bytes, *, strict: bool = True) -> list[tuple[int, str]]:
    return [(refused.number, refused.rule.removeprefix("edifact-")) for refused in found(content, strict=strict)[1]]


def bodies(content: str | bytes) -> list[list[tuple[int, list[list[str]]]]]:
    """The segments of the messages; fails where anything is refused."""
    messages, refused = found(content)
    assert refused == []
    return [[(segment.number, segment.elements) for segment in one.segments] for one in messages]


BGM = [(4, [["BGM"], ["745"]])]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(interchange(ONE), [BGM], id="a-segment-a-line-is-numbered-by-its-line"),
        pytest.param(interchange(ONE).replace("\n", ""), [BGM], id="all-in-one-line"),
        pytest.param(interchange(ONE).replace("\n", "\r\n"), [BGM], id="lines-end-in-crlf"),
        pytest.param(interchange(ONE).replace("BGM+745", "BG\r\nM+7\n45"), [BGM], id="lines-are-wrapped-anywhere"),
        pytest.param(interchange(ONE).replace("\n", "\n  "), [BGM], id="tags-are-indented"),
        pytest.param(interchange(ONE).replace("BGM+", "BGM +"), [BGM], id="a-tag-is-padded"),
        pytest.param("\ufeff" + interchange(ONE), [BGM], id="a-byte-order-mark-stands-before"),
        pytest.param(
            f"\x01QD XNVXXYY ABCDEFG\r\n.NVTAPIS 010600\r\n\x02{interchange(ONE)}\x03", [BGM], id="a-telegram"
        ),
        pytest.param(f"\nABCD\t \n\n.NVTAPIS 010600\n{interchange(ONE)}", [BGM], id="a-telegram-without-its-priority"),
        pytest.param(interchange(ONE) + "\x1a\x00\r\n", [BGM], id="padding-stands-behind"),
        pytest.param(
            interchange(ONE).removeprefix(UNA), [[(3, [["BGM"], ["745"]])]], id="without-una-the-defaults-count"
        ),
        pytest.param(
            interchange(ONE).translate({ord("'"): "~", ord("+"): "*", ord(":"): "|"}),
            [BGM],
            id="other-service-characters",
        ),
        pytest.param(
            interchange(ONE).replace("'", "\n").replace("\n\n", "\n"), [BGM], id="a-line-end-is-the-terminator"
        ),
        pytest.param(
            interchange(ONE).replace(UNA, "UNA:+\\*'").replace("745", "7\\*\\\\4\\'5"),
            [[(4, [["BGM"], ["7*\\4'5"]])]],
            id="una-lacks-the-decimal-mark",
        ),
        pytest.param(interchange(ONE).replace(UNA, "UNA:+.?'"), [BGM], id="una-lost-its-blank"),
        pytest.param(
            interchange(ONE).removeprefix(UNA).translate({ord(":"): 31, ord("+"): 29, ord("'"): 28}),
            [[(3, [["BGM"], ["745"]])]],
            id="level-b-parts-by-information-separators",
        ),
        pytest.param(
            interchange(message("PAXLST", "NAD+FL+++O?'NEIL?:X:A?+B??")),
            [[(4, [["NAD"], ["FL"], [""], [""], ["O'NEIL:X", "A+B?"]])]],
            id="released-characters-are-text",
        ),
        pytest.param(
            interchange(message("PAXLST", "NAD+FL+++O?\r\n'NEIL")),
            [[(4, [["NAD"], ["FL"], [""], [""], ["O'NEIL"]])]],
            id="a-line-is-wrapped-behind-a-release-character",
        ),
        pytest.param(interchange(ONE).replace("BGM+745'", "BGM+745''"), [BGM], id="a-terminator-is-doubled"),
        pytest.param(
            interchange(ONE, ONE.replace("+1+", "+2+").replace("+3+1", "+3+2")),
            [BGM, [(7, [["BGM"], ["745"]])]],
            id="several-messages",
        ),
        pytest.param(
            interchange(ONE) + interchange(ONE).replace("UNA:+.? '\n", ""),
            [BGM, [(9, [["BGM"], ["745"]])]],
            id="several-interchanges",
        ),
        pytest.param(
            interchange(f"UNG+PAXLST+S+R+250301:0600+G1+UN+D:02B'\n{ONE}\nUNE+1+G1'"),
            [[(5, [["BGM"], ["745"]])]],
            id="a-group",
        ),
        pytest.param(interchange(ONE).replace("UNT+3+1", "UNT+0003+1 "), [BGM], id="a-count-has-leading-zeros"),
    ],
)
def test_a_sound_interchange_gives_its_messages(content: str, expected: list[object]) -> None:
    assert bodies(content) == expected


@pytest.mark.parametrize(
    ("syntax", "encoding"), [("UNOC:3", "iso8859-1"), ("UNOE:3", "iso8859-5"), ("UNOY:4", "utf-8"), ("UNOW:4", "utf-8")]
)
def test_text_is_of_the_character_set_that_unb_names(syntax: str, encoding: str) -> None:
    name = "Жуков" if encoding in ("iso8859-5", "utf-8") else "Ångström"
    content = interchange(message("PAXLST", f"NAD+FL+++{name}"), syntax=syntax)
    ((segment,),) = [one.segments for one in found(content.encode(encoding))[0]]
    assert segment.value(4) == name


TWO = ONE.replace("+1+", "+2+").replace("+3+1", "+3+2")
CUT = interchange(ONE, TWO).rsplit("+2'", 1)[0]


@pytest.mark.parametrize(
    ("content", "expected", "sound"),
    [
        pytest.param(
            interchange(message("PAXLST", "BGM+745", count=4), TWO), [(3, "unt-count")], 1, id="unt-counts-otherwise"
        ),
        pytest.param(interchange(ONE.replace("UNT+3", "UNT+x"), TWO), [(3, "unt-count")], 1, id="unt-counts-nothing"),
        pytest.param(
            interchange(ONE.replace("UNT+3+1", "UNT+3+9"), TWO), [(3, "unt-reference")], 1, id="unt-refers-elsewhere"
        ),
        pytest.param(interchange(ONE.replace("UNT+3+1'", ""), TWO), [(3, "no-unt")], 1, id="no-unt"),
        pytest.param(interchange(TWO, ONE.replace("UNT+3+1'", "")), [(6, "no-unt")], 1, id="no-unt-before-unz"),
        pytest.param(
            interchange(ONE.replace("PAXLST", "CONTRL"), TWO), [(3, "unknown-message")], 1, id="an-unknown-message"
        ),
        pytest.param(interchange(ONE.replace("+PAXLST:D:02B:UN", ""), TWO), [(3, "unh")], 1, id="a-message-of-no-type"),
        pytest.param(
            interchange(ONE.replace("745'", "745?'"), TWO), [(3, "no-unt")], 1, id="a-release-character-dangles"
        ),
        pytest.param(
            interchange(ONE.replace("745'", "7?45'"), TWO), [(3, "release")], 1, id="a-release-character-releases-text"
        ),
        pytest.param(interchange(ONE.replace("BGM", "+GM"), TWO), [(3, "tag")], 1, id="a-segment-without-a-tag"),
        pytest.param(interchange(ONE.replace("BGM", "BGMX"), TWO), [(3, "tag")], 1, id="a-tag-of-four-letters"),
        pytest.param(interchange(ONE, count=2), [(6, "unz-count")], 1, id="unz-counts-otherwise"),
        pytest.param(interchange(ONE).replace("UNZ+1+R1", "UNZ+1+R2"), [(6, "unz-reference")], 1, id="unz-of-another"),
        pytest.param(interchange(ONE).replace("UNZ+1+R1'\n", ""), [(6, "no-unz")], 1, id="no-unz"),
        pytest.param(interchange(ONE).removesuffix("'\n"), [(6, "cut")], 1, id="unz-is-cut"),
        pytest.param(CUT, [(6, "cut"), (8, "no-unz")], 1, id="the-file-is-cut-inside-a-message"),
        pytest.param(
            CUT + "\n" + interchange(ONE),
            [(6, "cut"), (8, "no-unz")],
            2,
            id="an-interchange-follows-one-that-is-cut",
        ),
        pytest.param(
            interchange(ONE).replace("UNZ+1+R1'\n", "") + interchange(ONE),
            [(6, "no-unz")],
            2,
            id="an-interchange-follows-one-without-unz",
        ),
        pytest.param(interchange("BGM+745'", ONE, count=1), [(3, "outside")], 1, id="a-segment-outside-of-messages"),
        pytest.param(interchange("UNT+3+1'", ONE, count=1), [(3, "outside")], 1, id="a-trailer-outside-of-messages"),
        pytest.param(interchange("UNE+1+1'", ONE, count=1), [(3, "une")], 1, id="a-group-ends-that-never-began"),
        pytest.param(
            interchange(f"UNG+PAXLST+S+R+250301:0600+G1'\n{ONE}\nUNE+2+G1'"),
            [(7, "une-count")],
            1,
            id="une-counts-otherwise",
        ),
        pytest.param("hello\n" + interchange(ONE), [(1, "stray")], 1, id="stray-text-before"),
        pytest.param(f"NAD+FL'\n.NVTAPIS 010600\n{interchange(ONE)}", [(1, "stray")], 1, id="a-rest-before-an-origin"),
        pytest.param(interchange(ONE).removeprefix(UNA).replace("'", ""), [(1, "terminator")], 0, id="nothing-ends"),
        pytest.param(interchange(ONE) + "hello", [(7, "stray")], 1, id="stray-text-behind"),
        pytest.param(interchange(ONE).replace(UNA, "UNA::.? '"), [(1, "una")], 0, id="una-with-one-mark-twice"),
        pytest.param(
            interchange(ONE).replace(UNA, "UNAAB.? '") + interchange(ONE), [(1, "una")], 1, id="una-of-letters"
        ),
        pytest.param(
            interchange(ONE.replace("PAXLST:D", "PAXLST:\xe9"), TWO).encode("latin-1"),
            [(3, "encoding")],
            1,
            id="a-byte-off-the-character-set-in-its-header",
        ),
        pytest.param(
            interchange(ONE, TWO).replace("SENDER", "S\xe9").encode("latin-1"),
            [(3, "encoding"), (6, "encoding")],
            0,
            id="a-byte-off-the-character-set-in-that-of-all",
        ),
    ],
)
def test_what_is_broken_is_refused_at_its_segment_and_the_rest_is_read(
    content: str | bytes, expected: list[tuple[int, str]], sound: int
) -> None:
    messages, refused = found(content)
    assert rules(content) == expected
    assert len(messages) == sound
    assert all(one.message for one in refused)


def test_a_refused_message_comes_with_its_text_as_sent() -> None:
    (refused,) = found(interchange(message("PAXLST", "NAD+FL+++O?'NEIL", count=9)))[1]
    assert refused.raw == "UNH+1+PAXLST:D:02B:UN'NAD+FL+++O?'NEIL'UNT+9+1'"
    (cut,) = found(interchange(ONE).removesuffix("'\n"))[1]
    assert cut.raw == "UNZ+1+R1"
    (damaged,) = found(interchange(ONE.replace("PAXLST:D", "PAXLST:\xe9")).encode("latin-1"))[1]
    assert "PAXLST:\\xe9" in damaged.raw


def test_segments_with_bytes_off_the_character_set_are_told() -> None:
    one, two = found(interchange(ONE.replace("745", "7\xe95"), TWO).encode("latin-1"))[0]
    assert (one.damaged, two.damaged) == ({4}, frozenset())


def test_no_reason_repeats_what_a_damaged_header_holds() -> None:
    mixed_up = interchange(ONE).replace("UNZ+1+R1", "UNZ+1+R2").encode()
    content = mixed_up.replace(b"UNB+", b"UNBSMITH\xca+", 1)
    _, refused = found(content)
    assert "edifact-unz-reference" in {one.rule for one in refused}
    assert not any("SMITH" in one.message or not one.message.isascii() for one in refused)


@pytest.mark.parametrize(("count", "told"), [(9, "some may be missing"), (2, "two messages may have been joined")])
def test_a_count_that_is_wrong_says_what_may_have_happened(count: int, told: str) -> None:
    (refused,) = found(interchange(message("PAXLST", "BGM+745", count=count)))[1]
    assert f"UNT counts {count} segments, 3 are there with UNH and UNT: {told}; ask" in refused.message


def test_a_dangling_release_character_is_named_in_the_reason() -> None:
    (refused,) = found(interchange(message("PAXLST", "NAD+FL+++SMITH?", "ATT+2++F")))[1]
    assert "segment 4 joins it to the next" in refused.message


def test_lenient_reading_lets_pass_what_contradicts_but_not_what_is_cut() -> None:
    wrong = interchange(message("PAXLST", "BGM+7?45", count=50), reference="A").replace("UNZ+1+A", "UNZ+9+B")
    assert len(found(wrong)[1]) == 2
    (read,), refused = found(wrong, strict=False)
    assert refused == []
    assert read.segments[0].value(1) == "7?45"
    let_pass = Counter[str]()
    list(edifact.messages(SearchedFile(io.BytesIO(wrong.encode())), "PAXLST", let_pass))
    assert let_pass == dict.fromkeys(
        ("edifact-release", "edifact-unt-count", "edifact-unz-count", "edifact-unz-reference"), 1
    )
    assert rules(CUT, strict=False) == [(6, "cut"), (8, "no-unz")]


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"UNB", b"NAD+FL'UNH+1+PAXLST'", b"\xff\xfeU\0N\0B\0+\0", b"PK\x03\x04"]
)
def test_what_is_no_interchange_holds_none(content: bytes) -> None:
    assert not holds_interchange(SearchedFile(io.BytesIO(content)))


def test_reading_takes_time_in_proportion_to_the_file() -> None:
    """Would not end in a lifetime if any of these were squared; the numbers are checked, not the clock."""
    blank = interchange(ONE).replace("BGM+745'", "BGM+745'" + "\n" * 400_000)
    assert len(found(blank)[0]) == 1
    assert len(found("UNB+UNOA:4+" + "?" * 400_001)[1]) == 1
    assert len(found("UNA" * 100_000 + interchange(ONE))[1]) >= 1
    assert len(found(interchange(ONE) * 3_000)[0]) == 3_000


# The twin: one interchange, character by character.


def slow_segments(text: str) -> list[tuple[list[list[str]], bool]]:
    """Segments, but for an unended rest, with whether a release character stood before ordinary text."""
    segments: list[tuple[list[list[str]], bool]] = []
    elements: list[list[str]] = [[""]]
    loose = released = False
    for char in text:
        if char in "\r\n":
            continue
        if released:
            released = False
            if char not in "?+:'":
                loose = True
                elements[-1][-1] += "?"
            elements[-1][-1] += char
        elif char == "?":
            released = True
        elif char == "'":
            segments.append((elements, loose))
            elements, loose = [[""]], False
        elif char == "+":
            elements.append([""])
        elif char == ":":
            elements[-1].append("")
        else:
            elements[-1][-1] += char
    return segments


def slow_messages(text: str, *, strict: bool) -> tuple[list[tuple[int, list[list[list[str]]]]], set[int]]:
    """Sound messages by the number of their UNH, and the numbers of UNH whose messages are refused."""
    segments = slow_segments(text)
    sound: list[tuple[int, list[list[list[str]]]]] = []
    broken: set[int] = set()
    opened: list[tuple[int, list[list[str]], bool]] = []
    for number, (elements, loose) in enumerate(segments, start=1):
        elements[0][0] = elements[0][0].strip()
        tag = elements[0][0]
        if tag in ("UNH", "UNZ", "UNG", "UNE", "UNB") and opened:
            broken.add(opened[0][0])
            opened = []
        if tag == "UNH" or (opened and tag != "UNT"):
            opened.append((number, elements, loose))
        elif opened:
            opened.append((number, elements, loose))
            filled = [one for one in opened if one[1] != [[""]]]
            header, trailer = filled[0][1], filled[-1][1]
            values = [header[1][0].strip() if header[1:] else "", header[2][0].strip() if header[2:] else ""]
            told = [trailer[at][0].strip() if trailer[at:] else "" for at in (1, 2)]
            is_sound = bool(values[0]) and values[1] == "PAXLST"
            is_sound &= all(re.fullmatch("[A-Z][A-Z0-9]{2}", one[1][0][0]) for one in filled)
            if strict:
                is_sound &= not any(one[2] for one in opened)
                is_sound &= told[0].isdigit() and int(told[0] or 0) == len(filled)
                is_sound &= told[1].replace(" ", "") == values[0].replace(" ", "")
            if is_sound:
                sound.append((opened[0][0], [one[1] for one in filled[1:-1]]))
            else:
                broken.add(opened[0][0])
            opened = []
    if opened:
        broken.add(opened[0][0])
    return sound, broken


TOKENS = st.sampled_from(
    [
        *("UNH+1+PAXLST'", "UNT+2+1'", "UNT+3+1'", "UNT+4+1'", " UNH+2+PAXLST:D'", "UNT+3+2'", "UNG+X'", "UNE+1+X'"),
        *("NAD+FL+++A:B'", "NAD", "FL", "'", "'", "+", ":", "?", "?'", "??", "?+", "\r\n", "\n", " ", "é", "UNX"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(tokens=st.lists(TOKENS, max_size=30), strict=st.booleans())
def test_a_slow_twin_reads_the_same_messages(tokens: list[str], strict: bool) -> None:
    text = "UNB+UNOW:4+S+R+250301:0600+R1'" + "".join(tokens)
    messages, refused = found(text, strict=strict)
    sound, broken = slow_messages(text, strict=strict)
    assert [(one.number, [segment.elements for segment in one.segments]) for one in messages] == sound
    at_unh = {one.number for one in refused if one.raw.startswith("UNH+") or one.raw == "UNH"}
    assert {one for one in at_unh if one in broken} == broken


TEXT = st.text(alphabet="AZ09 é?'+:*\\~|", max_size=12)
SEGMENTS = st.lists(
    st.lists(st.lists(TEXT, min_size=1, max_size=3), min_size=1, max_size=4).map(lambda rest: [["NAD"], *rest]),
    max_size=6,
)
MARKS = st.sampled_from([":+.? '", ":+.\\*'", "|*,\\ ~", ":+.?*~", "+:.*\\|"])


@settings(max_examples=200, deadline=None)
@given(bodies=st.lists(SEGMENTS, min_size=1, max_size=3), marks=MARKS, wrap=st.integers(0, 80))
def test_what_is_written_is_read_back(bodies: list[list[list[list[str]]]], marks: str, wrap: int) -> None:
    component, element, _, release, reserved, terminator = marks

    def written(segment: list[list[str]]) -> str:
        special = {component, element, release, terminator, reserved} - {" "}
        plain = [["".join(release * (c in special) + c for c in text) for text in one] for one in segment]
        return element.join(component.join(one) for one in plain) + terminator

    parts = [written([["UNB"], ["UNOW", "4"], ["S"], ["R"], ["250301", "0600"], ["R1"]])]
    for number, body in enumerate(bodies, start=1):
        parts.append(written([["UNH"], [str(number)], ["PAXLST"]]))
        parts += map(written, body)
        parts.append(written([["UNT"], [str(len(body) + 2)], [str(number)]]))
    parts.append(written([["UNZ"], [str(len(bodies))], ["R1"]]))
    text = "".join(parts)
    if wrap:
        text = "\r\n".join(text[at : at + wrap] for at in range(0, len(text), wrap))
    messages, refused = found(f"UNA{marks}{text}")
    assert refused == []
    assert [[segment.elements for segment in one.segments] for one in messages] == bodies

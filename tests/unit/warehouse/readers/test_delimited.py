"""Delimited text: every line is a row or a refusal with its place, and names bind, never positions."""

import gzip
import tempfile
from contextlib import suppress
from pathlib import Path

import polars as pl
import pyarrow
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warehouse.errors import FileRefused
from warehouse.readers import delimited
from warehouse.readers.port import LINE, REFUSED_SCHEMA

NAMES = frozenset({"office", "importer"})
PLAIN = "office,importer\nA1,Zoë\n"


def zstd(data: bytes) -> bytes:
    packed: bytes = pyarrow.compress(data, "zstd", asbytes=True)
    return packed


def read(data: bytes, columns: frozenset[str] = NAMES, **options: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "extract.csv"
        path.write_bytes(data)
        (chunk,) = delimited.read(path, columns, **options)
    assert chunk.rows.columns[0] == LINE
    assert chunk.refused.schema == REFUSED_SCHEMA
    return chunk.rows, chunk.refused


def refusal(data: bytes, columns: frozenset[str] = NAMES, **options: str) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(data, columns, **options)
    return caught.value


@pytest.mark.parametrize(
    ("data", "options"),
    [
        pytest.param("office,importer\nA1,Zoë\n".encode(), {}, id="utf-8"),
        pytest.param("\ufeffoffice,importer\nA1,Zoë\n".encode(), {}, id="a-byte-order-mark-is-no-part-of-a-name"),
        pytest.param(
            "office;importer\nA1;Zoë\n".encode("latin-1"), {"delimiter": ";", "encoding": "latin-1"}, id="latin-1"
        ),
        pytest.param(
            "office\timporter\nA1\tZoë\n".encode("cp1252"), {"delimiter": "\t", "encoding": "cp1252"}, id="cp1252"
        ),
        pytest.param(
            "office|importer\nA1|Zoë\n".encode("utf-16"), {"delimiter": "|", "encoding": "utf-16"}, id="utf-16"
        ),
        pytest.param(
            "\ufeffoffice,importer\nA1,Zoë\n".encode("utf-16-le"), {"encoding": "utf-16-le"}, id="utf-16-le-with-mark"
        ),
        pytest.param(
            "\ufeffoffice,importer\nA1,Zoë\n".encode("utf-16-be"),
            {"encoding": "utf-16"},
            id="utf-16-be-told-by-its-mark",
        ),
        pytest.param(PLAIN.encode("utf-16-be"), {"encoding": "utf-16-be"}, id="utf-16-be-without-mark"),
        pytest.param(PLAIN.encode("utf-32"), {"encoding": "utf-32"}, id="utf-32"),
        pytest.param(gzip.compress(PLAIN.encode()), {}, id="gzip-is-seen-by-its-first-bytes"),
        pytest.param(zstd(PLAIN.encode()), {}, id="zstd-is-seen-by-its-first-bytes"),
        pytest.param(zstd(PLAIN[:8].encode()) + zstd(PLAIN[8:].encode()), {}, id="zstd-in-several-frames"),
        pytest.param(gzip.compress(PLAIN[:8].encode()) + gzip.compress(PLAIN[8:].encode()), {}, id="gzip-in-members"),
        pytest.param(zstd(PLAIN.encode("utf-16")), {"encoding": "utf-16"}, id="zstd-of-utf-16"),
        pytest.param(
            PLAIN.replace(",", "¦").encode("latin-1"), {"delimiter": "¦", "encoding": "latin-1"}, id="odd-mark"
        ),
        pytest.param("office,importer\r\nA1,Zoë\r\n".encode(), {}, id="windows-line-ends"),
        pytest.param("office,importer\nA1,Zoë".encode(), {}, id="no-line-end-at-the-end"),
        pytest.param(
            ' office , "importer" \n A1 ,"Zoë"\n\n'.replace(', "', ',"').encode(), {}, id="blanks-around-values"
        ),
        pytest.param("'office','importer'\n'A1','Zoë'\n".encode(), {"quote": "'"}, id="another-quote"),
    ],
)
def test_the_same_rows_come_out_of_every_way_to_write_them(data: bytes, options: dict[str, str]) -> None:
    rows, refused = read(data, **options)
    assert rows.to_dicts() == [{LINE: 2, "office": "A1", "importer": "Zoë"}]
    assert refused.is_empty()


def test_an_empty_field_is_null_and_a_single_column_is_read() -> None:
    rows, _ = read(b"office,importer\n,\n", NAMES)
    assert rows.row(0) == (2, None, None)
    rows, _ = read(b"office\nA1\nA2\n", frozenset({"office"}))
    assert rows["office"].to_list() == ["A1", "A2"]


def test_a_swapped_header_binds_by_name() -> None:
    straight, _ = read(b"office,importer\nA1,ACME\n")
    swapped, _ = read(b"importer,office\nACME,A1\n")
    assert straight.equals(swapped.select(straight.columns))


def test_a_quoted_field_may_hold_delimiters_quotes_and_line_ends() -> None:
    rows, refused = read(b'office,importer\nA1,"ACME, ""Sons""\nLtd"\nA2,B\n')
    assert rows.to_dicts() == [
        {LINE: 2, "office": "A1", "importer": 'ACME, "Sons"\nLtd'},
        {LINE: 4, "office": "A2", "importer": "B"},
    ]
    assert refused.is_empty()


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        pytest.param(b"A2", "field-count", id="short"),
        pytest.param(b"A2,B,C", "field-count", id="long"),
        pytest.param(b"A2,\xff", "encoding", id="not-of-the-encoding"),
    ],
)
@pytest.mark.parametrize("last", [b"A3,D", b'A3,"D"'], ids=["plain-file", "quoted-file"])
def test_a_bad_line_is_refused_with_its_number_and_text_and_costs_only_itself(
    bad: bytes, rule: str, last: bytes
) -> None:
    rows, refused = read(b"office,importer\nA1,B\n" + bad + b"\n" + last + b"\n")
    assert rows[LINE].to_list() == [2, 4]
    assert refused.select(LINE, "raw", "rule").row(0) == (3, bad.decode(errors="replace"), rule)
    assert refused.height == 1


@pytest.mark.parametrize(
    "stray",
    [b'A2,"open', b'A2,"x"y', b'"A2,B'],
    ids=["never-closed", "text-after-a-closing-quote", "opened-in-the-first-field"],
)
@pytest.mark.parametrize("rest", [b"A3,C\nA4,D", b'A3,"C"\nA4,D'], ids=["no-other-quote", "another-quote-later"])
def test_a_stray_quote_costs_its_own_line_and_not_the_rest_of_the_file(stray: bytes, rest: bytes) -> None:
    rows, refused = read(b"office,importer\nA1,B\n" + stray + b"\n" + rest + b"\n")
    assert rows["office"].to_list() == ["A1", "A3", "A4"]
    assert refused.select(LINE, "raw", "rule").rows() == [(3, stray.decode(), "quoting")]


def test_a_wrong_header_is_refused_by_what_it_lacks_and_its_line_is_never_quoted() -> None:
    error = refusal(b"JANE DOE,P1234567\nJOHN ROE,P7654321\n")
    assert error.rule == "header"
    assert "importer, office" in str(error)
    assert "2 columns" in str(error)
    assert "DOE" not in str(error)
    assert "P1234567" not in str(error)


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        pytest.param(
            b"office;importer\nA1;B\n", {}, "split at a semicolon it has them all: the file has another delimiter",
            id="another-delimiter",
        ),
        pytest.param(
            b"office\timporter\nA1\tB\n", {"delimiter": ";"}, "1 column when split at a semicolon), but split at a tab",
            id="tabs",
        ),
        pytest.param(
            PLAIN.encode("utf-16"), {"encoding": "iso-8859-1"}, "the file is in UTF-16, or no text", id="wide-letters"
        ),
        pytest.param(b"Office,IMPORTER\nA1,B\n", {}, "but has them in other capitals", id="other-capitals"),
        pytest.param(b"A1,B\nA2,C\n", {}, "it may be a line of data, or another file", id="no-header"),
        pytest.param(b"office,importer\rA1,B\r", {}, "lines end in CR alone", id="line-ends-of-an-old-macintosh"),
        pytest.param(b"\noffice,importer\nA1,B\n", {}, "the first line is empty", id="a-blank-line-before"),
        pytest.param(b"sep=,\noffice,importer\nA1,B\n", {}, "a note to a spreadsheet", id="a-spreadsheets-hint"),
        pytest.param(b"PK\x03\x04\x14\0\x06\0\x08\0\n", {}, "a ZIP archive, as spreadsheets", id="a-spreadsheet"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\n", {}, "old spreadsheet", id="a-spreadsheet-of-old"),
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\n", {"encoding": "latin-1"}, "old spreadsheet", id="of-old-in-latin-1"
        ),
        pytest.param(b"<!DOCTYPE html>\n<p>Log in\n", {}, "is a page or XML", id="a-page-that-asks-for-a-password"),
        pytest.param(b'{"office": "A1"}\n', {}, "is JSON", id="json"),
        pytest.param(b"office,importer,tax,tax\n", {}, "the header names tax more than once", id="a-name-twice"),
        pytest.param(b"office,port\nA1,B\n", {}, "the header lacks importer (2 columns when", id="a-vanished-column"),
    ],
)  # fmt: skip
def test_a_wrong_header_is_told_with_its_likely_cause(data: bytes, options: dict[str, str], said: str) -> None:
    assert said in str(refusal(data, **options))


def test_columns_without_names_are_told_by_their_place() -> None:
    rows, refused = read(b"office,,importer,,\nA1,x,B,,\nA2,,C,y,\n")
    assert rows.columns == [
        LINE,
        "office",
        "column 2 (no name)",
        "importer",
        "column 4 (no name)",
        "column 5 (no name)",
    ]
    assert rows.rows() == [(2, "A1", "x", "B", None, None), (3, "A2", None, "C", "y", None)]
    assert refused.is_empty()


def test_a_line_with_other_fields_than_the_header_is_told_how_many() -> None:
    _, refused = read(b"office,importer\nA1\nA2,B,C\nA3,B\nA4,B,C\n" + b'A5,"B\nB",C\n')
    told = dict(refused.select(LINE, "message").rows())
    assert told[2].startswith("the line has 1 field and the header 2")
    assert {line for line, message in told.items() if "has 3 fields and the header 2" in message} == {3, 5, 6}


@pytest.mark.parametrize("options", [{}, {"encoding": "latin-1"}], ids=["utf-8", "latin-1"])
def test_a_line_with_a_zero_byte_is_damaged_and_costs_itself_alone(options: dict[str, str]) -> None:
    rows, refused = read(b'office,importer\nA1,B\0\nA2,C\nA3,"D\n\0"\n\0\0\0\nA6,E\n\0', **options)
    assert rows["office"].to_list() == ["A2", "A6"]
    assert refused.select(LINE, "rule").rows() == [(line, "zero-byte") for line in (2, 4, 6, 8)]


def test_of_many_missing_columns_some_are_named_and_the_rest_counted() -> None:
    wanted = frozenset(f"c{number:02}" for number in range(20))
    assert "lacks all 20 columns asked for, c00, c01" in str(refusal(b"a,b\n1,2\n", wanted))
    assert "c11 and 8 more (2 columns" in str(refusal(b"a,b\n1,2\n", wanted))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b" \r\n\n", "empty", id="blank-lines-only"),
        pytest.param(gzip.compress(b""), "empty", id="nothing-zipped"),
        pytest.param(gzip.compress(b"office,importer\nA1,B\n" * 99)[:40], "truncated", id="gzip-cut"),
        pytest.param(zstd(b"office,importer\nA1,B\n" * 99)[:20], "truncated", id="zstd-cut"),
        pytest.param(zstd(PLAIN.encode())[:6] + b"\xff" * 20, "truncated", id="zstd-damaged"),
        pytest.param(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff", "truncated", id="gzip-damaged"),
        pytest.param(b"office,importer,office\nA1,B,A2\n", "header", id="a-name-twice"),
        pytest.param(b"office;importer\nA1;B\n", "header", id="another-delimiter"),
        pytest.param(b"x" * 200_000, "header", id="one-endless-line"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_rule(data: bytes, rule: str) -> None:
    assert refusal(data).rule == rule


def test_a_header_alone_is_a_day_without_records() -> None:
    rows, refused = read(b"office,importer\n")
    assert (rows.height, refused.height) == (0, 0)
    assert rows.columns == [LINE, "office", "importer"]


def test_a_column_that_is_called_as_ours_is_told_from_ours() -> None:
    rows, _ = read(b"office,importer,source_line,fields,raw\nA1,B,7,x,y\n")
    assert rows[LINE].to_list() == [2]
    assert rows[f"{LINE} (source)"].to_list() == ["7"]


_line = st.text(st.sampled_from('ab1,;" \r\té\x00\x0b\x85\u2028'), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(_line, max_size=12))
@example(['"', "", 'a,"', ",b"])
@example([',"', "1", " ", '"'])
def test_every_line_with_text_is_in_a_row_or_a_refusal(lines: list[str]) -> None:
    rows, refused = read("\n".join(["office,importer", *lines, ""]).encode())
    places = rows[LINE].to_list() + refused[LINE].to_list()
    assert len(places) == len(set(places))
    texts = {number: line.rstrip("\r") for number, line in enumerate(lines, start=2) if line.rstrip("\r")}
    assert set(places) <= set(texts)
    # A quoted field may join lines; whatever is no first line of a record then lies between two of them.
    joined = sum((value or "").count("\n") for row in rows.drop(LINE).iter_rows() for value in row)
    joined += sum((raw or "").count("\n") for raw in refused["raw"])
    # White space at a field's ends is trimmed, line feeds and blank lines with it.
    trimmed = sum('"' in line or not line.strip() for line in lines)
    assert len(places) <= len(texts) <= len(places) + joined + trimmed
    if not any('"' in line for line in lines):
        assert len(places) == len(texts)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), min_size=1, max_size=8))
def test_what_the_standard_library_writes_is_read_back(records: list[tuple[str, str]]) -> None:
    import csv
    import io

    # csv cannot write a carriage return or a lone surrogate back unchanged; blanks at the ends are trimmed by us.
    clean = [tuple("".join(c for c in v if c.isprintable()).strip() for v in record) for record in records]
    clean = [record for record in clean if any(record)]
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("office", "importer"), *clean])
    rows, refused = read(stream.getvalue().encode())
    assert refused.is_empty()
    assert rows.drop(LINE).rows() == [tuple(v or None for v in record) for record in clean]


@pytest.mark.parametrize("encoding", ["iso-8859-1", "cp1252", "cp1251", "koi8-r"])
def test_utf8_where_another_encoding_was_agreed_is_no_text_of_other_letters(encoding: str) -> None:
    names = ["Ada", "Żółw", "Ben"] if encoding == "cp1252" else ["Ada", "Жук", "Ben"]
    sent = "office,importer\n" + "".join(f"DE1,{name}\n" for name in names)
    with pytest.raises(FileRefused, match=f"UTF-8 and {encoding} was agreed") as refused:
        read(sent.encode(), encoding=encoding)
    assert refused.value.rule == "encoding"
    assert not any(name in str(refused.value) for name in names)


@pytest.mark.parametrize("name", ["Ada", "Müller", "Ã©", "Ýr"])
def test_text_of_the_agreed_encoding_is_read_as_that(name: str) -> None:
    rows, refused = read(f"office,importer\nDE1,Núñez\nDE2,{name}\n".encode("iso-8859-1"), encoding="iso-8859-1")
    assert rows["importer"].to_list() == ["Núñez", name]
    assert refused.is_empty()


@pytest.mark.parametrize("first", ["x^", "x\x01", "\ufeff", "(µ/ý", "xÚ"])
def test_a_line_that_begins_as_a_packed_file_does_is_a_line(first: str) -> None:
    for encoding in ("utf-8", "latin-1") if first != "\ufeff" else ("utf-8",):
        rows, refused = read(f"office,importer\n{first}DE1,Ada\nDE2,Ben\n".encode(encoding), encoding=encoding)
        assert rows.drop(LINE).rows() == [(f"{first}DE1".strip(), "Ada"), ("DE2", "Ben")]
        assert refused.is_empty()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["utf-8", "utf-16", "cp1252", "latin-1"]))
@example(b"(\xb5/\xfd", "utf-8")
@example(b"x^,1\nx^,2\n", "utf-8")
@example(b"\xc2\x80", "cp1252")
def test_any_bytes_are_rows_refusals_or_a_refused_file(body: bytes, encoding: str) -> None:
    head = "office,importer\n".encode(encoding)
    with suppress(FileRefused):  # UTF-8 by chance, where another encoding is declared.
        read(head + body, encoding=encoding)


_FIELD = st.text("ab é\"',\r\n\x01;", max_size=6)
_PIECE = st.one_of(
    st.lists(_FIELD, min_size=1, max_size=4).map(
        lambda fields: ",".join('"' + field.replace('"', '""') + '"' if field else "" for field in fields)
    ),
    st.lists(st.text("ab é", max_size=4), min_size=2, max_size=2).map(",".join),
    st.text('ab,"\r', max_size=12),
    st.just(""),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECE, max_size=12), st.sampled_from(["\n", "\r\n"]), st.integers(24, 200))
@example(['A1,"open', "A2,B", 'A3,"C"'], "\n", 24)
@example(['A1,"over\nthree\nlines"', "A2,B"], "\n", 24)
def test_where_a_block_ends_changes_nothing(pieces: list[str], end: str, size: int) -> None:
    data = ("office,importer" + end + "".join(piece + end for piece in pieces)).encode()
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "extract.csv", Path(folder) / "extract.csv.gz"
        plain.write_bytes(data)
        packed.write_bytes(gzip.compress(data, 1))
        # A file that can be gone back in is read otherwise than one that is unpacked as it comes.
        whole, *others = (
            list(delimited.read(path, NAMES, block_bytes=block))
            for path, block in ((plain, 1 << 20), (plain, size), (packed, size))
        )
    for one in ("rows", "refused"):
        wanted, *got = (
            pl.concat([getattr(chunk, one) for chunk in chunks]).sort(LINE).to_dicts() for chunks in (whole, *others)
        )
        assert got == [wanted, wanted]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "shift_jis", "cp949", "latin-1"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
def test_a_file_of_any_encoding_is_read_block_by_block(tmp_path: Path, encoding: str, pack: object) -> None:
    assert callable(pack)
    lines = [f"A{number},B{number}" for number in range(3_000)]
    path = tmp_path / "extract.csv"
    path.write_bytes(pack("\n".join(["office,importer", *lines, ""]).encode(encoding)))
    chunks = list(delimited.read(path, NAMES, encoding=encoding, block_bytes=4_096))
    assert len(chunks) > 5
    rows = pl.concat([chunk.rows for chunk in chunks])
    assert rows.rows() == [(number + 2, f"A{number}", f"B{number}") for number in range(3_000)]


def test_a_line_that_is_not_of_its_encoding_costs_only_itself_and_a_replacement_character_may_be_meant() -> None:
    lone = "A2,".encode("utf-16-le") + b"\x00\xd8" + "\n".encode("utf-16-le")
    data = "office,importer\nA1,\ufffd\n".encode("utf-16-le") + lone + "A3,C\n".encode("utf-16-le")
    rows, refused = read(data, encoding="utf-16-le")
    assert rows.rows() == [(2, "A1", "\ufffd"), (4, "A3", "C")]
    assert refused.select(LINE, "rule").rows() == [(3, "encoding")]

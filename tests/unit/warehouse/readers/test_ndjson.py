"""NDJSON: every line is a row or a refusal, values as the sender wrote them."""

import gzip
import json
import tempfile
from pathlib import Path

import polars as pl
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import FileRefused
from warehouse.readers import ndjson
from warehouse.readers.port import LINE, REFUSED_SCHEMA

NAMES = frozenset({"declaration"})


def read(data: bytes, columns: frozenset[str] = NAMES) -> tuple[pl.DataFrame, pl.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "extract.ndjson"
        path.write_bytes(data)
        (chunk,) = ndjson.read(path, columns)
    assert chunk.refused.schema == REFUSED_SCHEMA
    assert all(dtype == pl.String for name, dtype in chunk.rows.schema.items() if name != LINE)
    return chunk.rows, chunk.refused


@pytest.mark.parametrize(
    ("written", "text"),
    [
        pytest.param('"A1"', "A1", id="text"),
        pytest.param('""', None, id="empty-text-is-null"),
        pytest.param("null", None, id="null"),
        pytest.param("17", "17", id="integer"),
        pytest.param(
            "1234567890123456.7891", "1234567890123456.7891", id="an-amount-never-passes-through-floating-point"
        ),
        pytest.param("1.10", "1.10", id="a-fraction-keeps-its-digits"),
        pytest.param("true", "true", id="boolean"),
        pytest.param("[1, 2]", "[1, 2]", id="a-list-as-json"),
        pytest.param('"Zo\\u00eb"', "Zoë", id="escaped-letter"),
    ],
)
def test_values_are_read_as_text(written: str, text: str | None) -> None:
    rows, refused = read(f'{{"declaration": {written}}}\n'.encode())
    assert rows["declaration"].to_list() == [text]
    assert refused.is_empty()


def test_fields_of_nested_objects_are_called_by_their_path() -> None:
    line = '{"declaration": "A", "position": {"lat": 36.5, "fix": {"hdop": "2"}}, "note": {}}'
    rows, refused = read(line.encode())
    assert rows.drop("source_line").row(0, named=True) == {
        "declaration": "A",
        "position.lat": "36.5",
        "position.fix.hdop": "2",
        "note": "{}",
    }
    assert refused.is_empty()


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        pytest.param(b"garbage", "it is no JSON (expecting value)", id="no-json"),
        pytest.param(b'{"declaration": "A', "it is no JSON (unterminated string", id="cut"),
        pytest.param(b'{"declaration": "A",}', "it is no JSON (expecting property name", id="a-comma-too-many"),
        pytest.param(b'{"declaration": "A"}{"declaration": "B"}', "it is no JSON (extra data)", id="two-objects"),
        pytest.param(b'["declaration"]', "it holds no object", id="no-object"),
        pytest.param(b'[{"declaration": "A"},', "but begins a list", id="a-list-over-several-lines"),
        pytest.param(b'{"declaration": "\\ud800"}', "half of a surrogate pair", id="half-a-surrogate-pair"),
        pytest.param(b'{"declaration": "A\\u0000"}', "a zero character", id="a-zero-character"),
        pytest.param(b'{"declaration": "A", "x\\u0000": 1}', "a zero character", id="a-zero-character-in-a-name"),
        pytest.param(b'{"declaration": "A", "declaration": "B"}', "a name stands twice", id="a-name-twice"),
        pytest.param(b'{"declaration": "A", "a": {"b": 1}, "a.b": 2}', "two fields have one name", id="a-path-twice"),
        pytest.param(b'{"declaration": NaN}', "it says NaN", id="not-a-number"),
        pytest.param(b'{"declaration": ' + b"[" * 100_000, "nested too deep", id="nested-without-end"),
        pytest.param(b'{"declaration": ' + b"1" * 6_000 + b"}", "thousands of digits", id="number-without-end"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason_and_costs_only_itself(bad: bytes, told: str) -> None:
    rows, refused = read(b'{"declaration": "A1"}\n' + bad + b'\n\n{"declaration": "A3"}\n')
    assert rows[LINE].to_list() == [1, 4]
    assert refused.select(LINE, "rule").rows() == [(2, "json")]
    assert refused["raw"][0] == bad.decode(errors="replace")
    found, _, mend = refused["message"][0].partition("; ")
    assert told in found
    assert mend.startswith("ask for")


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80"], ids=["no-text", "half-a-surrogate-pair-as-bytes"])
def test_a_line_that_is_not_in_utf_8_is_refused_as_such(bad: bytes) -> None:
    rows, refused = read(b'{"declaration": "A1"}\n{"declaration": "' + bad + b'"}\n')
    assert rows[LINE].to_list() == [1]
    assert refused.select(LINE, "rule").rows() == [(2, "encoding")]


def test_an_escaped_backslash_before_digits_is_no_zero() -> None:
    rows, refused = read(b'{"declaration": "A\\\\u0000"}\n')
    assert rows["declaration"].to_list() == ["A\\u0000"]
    assert refused.is_empty()


def test_a_byte_order_mark_is_ignored_and_an_absent_field_is_null() -> None:
    rows, refused = read('\ufeff{"declaration": "A1", "x": 1}\n{"x": 2}\n'.encode())
    assert rows["declaration"].to_list() == ["A1", None]
    assert refused.is_empty()


def test_a_file_of_garbage_has_the_columns_all_the_same() -> None:
    rows, refused = read(b"one\ntwo\n")
    assert rows.schema == {LINE: pl.Int64(), "declaration": pl.String()}
    assert refused.height == 2


def test_a_field_that_is_called_as_ours_is_told_from_ours() -> None:
    rows, _ = read(b'{"declaration": "A1", "source_line": "7"}\n')
    assert rows[LINE].to_list() == [1]
    assert rows[f"{LINE} (source)"].to_list() == ["7"]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"\n \n", "empty", id="blank-lines-only"),
        pytest.param(b'{"JANE DOE": "P1"}\n', "header", id="no-line-has-the-field"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_rule(data: bytes, rule: str) -> None:
    with pytest.raises(FileRefused) as caught:
        read(data)
    assert caught.value.rule == rule
    assert "DOE" not in str(caught.value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_good = st.fixed_dictionaries({"declaration": _json}).map(lambda record: json.dumps(record).encode())
_any = st.binary(max_size=20).map(lambda data: data.replace(b"\n", b""))


@settings(max_examples=120, deadline=None)
@given(st.lists(_good | _any, max_size=10))
def test_every_line_is_in_a_row_or_a_refusal(lines: list[bytes]) -> None:
    lines = [b'{"declaration": 1}', *lines]
    rows, refused = read(b"\n".join(lines))
    places = sorted(rows[LINE].to_list() + refused[LINE].to_list())
    assert places == [number for number, line in enumerate(lines, start=1) if line.strip()]


LINES = [*(f'{{"declaration": "A{number}"}}' for number in range(40)), "junk", "", '{"declaration": "Zoë", "x": 1}']


@pytest.mark.parametrize(
    ("pack", "encoding"),
    [
        pytest.param(bytes, "utf-8", id="plain"),
        pytest.param(bytes, "utf-8-sig", id="with-a-mark"),
        pytest.param(gzip.compress, "utf-8", id="gzip"),
        pytest.param(lambda data: pyarrow.compress(data, "zstd", asbytes=True), "utf-8", id="zstd"),
        pytest.param(bytes, "utf-16", id="utf-16"),
        pytest.param(bytes, "latin-1", id="latin-1"),
        pytest.param(gzip.compress, "cp1252", id="gzip-of-cp1252"),
    ],
)
@pytest.mark.parametrize("block", [1, 7, 50_000])
def test_a_file_is_the_same_however_it_is_packed_encoded_and_cut_into_blocks(
    tmp_path: Path, pack: object, encoding: str, block: int
) -> None:
    assert callable(pack)
    path = tmp_path / "extract.ndjson"
    path.write_bytes(pack("\n".join(LINES).encode(encoding)))
    chunks = list(ndjson.read(path, NAMES, encoding=encoding, block_lines=block))
    assert len(chunks) == -(-42 // block)
    rows = pl.concat([chunk.rows for chunk in chunks], how="diagonal")
    assert rows[LINE].to_list() == [*range(1, 41), 43]
    assert rows["declaration"].to_list()[-2:] == ["A39", "Zoë"]
    assert pl.concat([chunk.refused for chunk in chunks]).select(LINE, "rule").rows() == [(41, "json")]


def test_a_field_that_is_nowhere_is_told_at_the_end_and_another_layout_at_once(tmp_path: Path) -> None:
    path = tmp_path / "extract.ndjson"
    path.write_text('{"declaration": "A"}\n' * 5)
    chunks = ndjson.read(path, frozenset({"declaration", "item"}), block_lines=2)
    assert next(chunks).rows.height == 2
    with pytest.raises(FileRefused, match="no line has the field item"):
        list(chunks)
    with pytest.raises(FileRefused, match="no line has the field item"):
        next(ndjson.read(path, frozenset({"item"}), block_lines=2))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        pytest.param(gzip.compress(b'{"declaration": "A"}\n' * 99)[:40], "truncated", id="gzip-cut"),
        pytest.param(b" " * (1 << 24) + b"x", "json", id="a-line-without-end"),
    ],
)
def test_a_file_that_cannot_be_gone_through_is_refused_whole(data: bytes, rule: str) -> None:
    with pytest.raises(FileRefused) as caught:
        read(data)
    assert caught.value.rule == rule

"""Parquet: bound by name, every record numbered, damaged files refused whole."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.errors import FileRefused
from warehouse.readers import parquet
from warehouse.readers.port import LINE, REFUSED_SCHEMA

NAMES = frozenset({"plate"})


def read(path: Path, columns: frozenset[str] = NAMES) -> pl.DataFrame:
    (chunk,) = parquet.read(path, columns)
    assert chunk.refused.schema == REFUSED_SCHEMA
    assert chunk.refused.is_empty()
    return chunk.rows


@settings(max_examples=25, deadline=None)
@given(
    plates=st.lists(
        st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
        min_size=1,
        max_size=30,
    )
)
def test_every_record_is_a_row_with_its_number(
    tmp_path_factory: pytest.TempPathFactory, plates: list[str | None]
) -> None:
    path = tmp_path_factory.mktemp("parquet") / "extract.parquet"
    pl.DataFrame({"plate": plates}, schema={"plate": pl.String}).write_parquet(path)
    rows = read(path)
    assert rows[LINE].to_list() == list(range(1, len(plates) + 1))
    assert rows["plate"].to_list() == plates


def test_every_type_can_be_kept_as_text_for_the_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "extract.parquet"
    pl.DataFrame(
        {
            "plate": ["A1"],
            "list": [[Decimal("1.2")]],
            "struct": [{"photo": b"\xff", "on": date(2025, 1, 1)}],
            "photo": [b"\xff"],
            "dwell": [timedelta(minutes=3)],
            "nothing": [None],
            "source_line": [7],
        }
    ).with_columns(site=pl.lit("N").cast(pl.Categorical)).write_parquet(path)
    rows = read(path)
    assert rows.cast(pl.String).height == 1
    assert rows[LINE].to_list() == [1]
    assert rows[f"{LINE} (source)"].to_list() == [7]


def test_a_text_that_is_not_marked_as_one_is_text_and_other_bytes_are_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "extract.parquet"
    pl.DataFrame({"plate": ["KX 12-ÄB".encode(), b"\xff\x00", None], "tags": [[b"A1"], [], None]}).write_parquet(path)
    rows = read(path)
    assert rows["plate"].to_list() == ["KX 12-ÄB", "0xff00", None]
    assert rows["tags"].to_list() == ['["A1"]', "[]", None]


def test_a_row_with_a_zero_byte_in_a_text_is_refused_and_the_others_stand(tmp_path: Path) -> None:
    path = tmp_path / "extract.parquet"
    frame = pl.DataFrame({"plate": ["A1", "B\x002", None, "C3"], "note": [b"x", None, b"padded\x00", b"\xff\x00"]})
    frame.write_parquet(path)
    chunks = list(parquet.read(path, NAMES, block_rows=3))
    rows = pl.concat([chunk.rows for chunk in chunks])
    refused = pl.concat([chunk.refused for chunk in chunks])
    assert refused.schema == REFUSED_SCHEMA
    assert rows[LINE].to_list() == [1, 4]
    assert rows["note"].to_list() == ["x", "0xff00"]
    assert refused.select(LINE, "rule").rows() == [(2, "zero-byte"), (3, "zero-byte")]
    assert json.loads(refused["raw"][0]) == {"plate": "B\x002", "note": None}


@pytest.mark.parametrize(
    ("names", "kind", "told"),
    [
        pytest.param(["plate", "plate"], pyarrow.int64(), "names plate more than once", id="a-name-twice"),
        pytest.param(["plate", "toll"], pyarrow.decimal256(50, 2), "numbers of plate, toll are", id="too-many-digits"),
        pytest.param(["plate", "tolls"], pyarrow.list_(pyarrow.decimal256(50, 2)), "plate, tolls", id="in-a-list"),
    ],
)
def test_columns_that_cannot_be_bound_or_read_are_named(
    tmp_path: Path, names: list[str], kind: pyarrow.DataType, told: str
) -> None:
    path = tmp_path / "extract.parquet"
    table = pyarrow.Table.from_arrays([pyarrow.nulls(1, kind) for _ in names], names=names)
    pyarrow.parquet.write_table(table, path)
    with pytest.raises(FileRefused, match=told):
        read(path)


def test_a_name_with_wildcards_and_a_folder_like_a_partition_are_just_names(tmp_path: Path) -> None:
    folder = tmp_path / "plate=B2"
    folder.mkdir()
    pl.DataFrame({"plate": ["A1"]}).write_parquet(folder / "extract[1].parquet")
    pl.DataFrame({"plate": ["C3"]}).write_parquet(folder / "extract1.parquet")
    assert read(folder / "extract[1].parquet")["plate"].to_list() == ["A1"]


@pytest.mark.parametrize(
    ("keep", "rule"),
    [
        pytest.param(slice(0), "parquet", id="nothing"),
        pytest.param(slice(None, -1), "parquet", id="last-byte-cut"),
        pytest.param(slice(None, 200), "parquet", id="half"),
        pytest.param(slice(10, None), "parquet", id="first-bytes-cut"),
    ],
)
def test_a_cut_file_is_refused(tmp_path: Path, keep: slice, rule: str) -> None:
    path = tmp_path / "extract.parquet"
    pl.DataFrame({"plate": [f"A{i}" for i in range(500)]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[keep])
    with pytest.raises(FileRefused) as caught:
        read(path)
    assert caught.value.rule == rule


def test_a_file_of_another_kind_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    path = tmp_path / "extract.parquet"
    path.write_text("JANE DOE;P1234567\n" * 20)
    with pytest.raises(FileRefused, match="not a whole Parquet file") as caught:
        read(path)
    assert "DOE" not in str(caught.value)


def test_a_missing_column_is_named_and_no_record_is_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "extract.parquet"
    pl.DataFrame({"licence": ["A1"]}).write_parquet(path)
    with pytest.raises(FileRefused, match="lacks the column plate"):
        read(path)
    pl.DataFrame({"plate": []}, schema={"plate": pl.String}).write_parquet(path)
    with pytest.raises(FileRefused, match="no row"):
        read(path)


def test_a_large_file_comes_in_chunks_and_the_records_number_on(tmp_path: Path) -> None:
    path = tmp_path / "extract.parquet"
    plates = [f"A{number}" for number in range(1_000)]
    made = pl.DataFrame({"plate": plates}).with_columns(site=pl.col("plate").str.head(2).cast(pl.Categorical))
    made.write_parquet(path, row_group_size=300)
    chunks = list(parquet.read(path, NAMES, block_rows=128))
    assert len(chunks) >= 8
    rows = pl.concat([chunk.rows for chunk in chunks])
    assert rows[LINE].to_list() == list(range(1, 1_001))
    assert rows["plate"].to_list() == plates
    assert rows["site"].to_list() == [plate[:2] for plate in plates]


def test_damage_far_into_a_file_refuses_all_of_it(tmp_path: Path) -> None:
    """Where the sender has written checksums of pages, as it should, a single flipped bit is seen."""
    path = tmp_path / "extract.parquet"
    table = pl.DataFrame({"plate": [f"A{number}" for number in range(5_000)]}).to_arrow()
    pyarrow.parquet.write_table(
        table, path, row_group_size=1_000, compression="none", use_dictionary=False, write_page_checksum=True
    )
    data = bytearray(path.read_bytes())
    data[data.index(b"A4100")] ^= 1
    path.write_bytes(data)
    chunks = parquet.read(path, NAMES, block_rows=500)
    assert next(chunks).rows.height == 500
    with pytest.raises(FileRefused, match="not a whole Parquet file"):
        list(chunks)

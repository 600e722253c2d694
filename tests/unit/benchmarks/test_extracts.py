"""Extracts: read as the product reads them, each row once, what is refused counted."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks.extracts import Labelled, files_in, read
from warehouse.errors import BorderlakeError

INSPECTED = Labelled("customs.declarations", "customs.inspections", "is_irregular")
OUTCOMES = Labelled("immigration.crossings", "immigration.outcomes", "is_adverse")


def test_files_and_rows_named_twice_count_once(kcs_files: tuple[Path, Path]) -> None:
    year, quarter = kcs_files
    once = read([year, quarter], "kcs", INSPECTED, ["hs_code"])
    twice = read([year, quarter, quarter], "kcs", INSPECTED, ["hs_code"])
    assert once.rows.equals(twice.rows)
    assert once.rows.height == 750
    assert once.rows.columns == ["declaration_id", "goods_item_number", "hs_code", "label"]
    assert once.rows["label"].null_count() == 0


def test_refused_rows_are_left_out_and_counted(kcs_files: tuple[Path, Path], tmp_path: Path) -> None:
    lines = kcs_files[0].read_text().splitlines()
    broken = lines[1].replace(lines[1].split(",")[0], "X1").replace(",CN,", ",??,").replace(",VN,", ",??,")
    (tmp_path / "broken.csv").write_text("\n".join([*lines[:4], broken.replace(",US,", ",??,"), "cut,short"]) + "\n")
    found = read([tmp_path / "broken.csv"], "kcs", INSPECTED, [])
    assert (found.rows.height, found.refused) == (3, 2)


def test_nothing_written_after_departure_comes_along(i94_folder: Path) -> None:
    files = files_in(i94_folder, "i94", "immigration.crossings")
    assert [file.name for file in files] == ["first.parquet", "second.parquet"]
    found = read(files, "i94", OUTCOMES, ["event_at", "visa_class"])
    assert set(found.rows.columns) == {"crossing_id", "event_at", "visa_class", "label"}
    assert found.rows["label"].mean() == pytest.approx(0.16, abs=0.03)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BorderlakeError, match=r"none\.csv is not a file"):
        read([tmp_path / "none.csv"], "kcs", INSPECTED, [])


def test_a_folder_without_extracts_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BorderlakeError, match="holds no parquet file"):
        files_in(tmp_path, "i94", "immigration.crossings")


def test_a_file_of_another_layout_names_what_it_lacks(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(BorderlakeError, match="lacks the column"):
        read([tmp_path / "other.parquet"], "i94", OUTCOMES, [])

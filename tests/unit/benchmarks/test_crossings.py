"""`bench crossings`: days do not leak, eligibility, the sides on tiny data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks import crossing_sides, crossings
from benchmarks.crossings import Days, split
from benchmarks.extracts import files_in, read
from warehouse.errors import BorderlakeError

DAYS = Days(date(2016, 4, 4), date(2016, 4, 6), date(2016, 4, 7), date(2016, 8, 15))


@pytest.fixture(scope="module")
def arrivals(i94_folder: Path) -> pl.DataFrame:
    files = files_in(i94_folder, "i94", "immigration.crossings")
    return read(files, "i94", crossings._OUTCOMES, crossings._COLUMNS).rows.drop("crossing_id")


def test_parts_follow_the_days(arrivals: pl.DataFrame) -> None:
    rows = split(arrivals, DAYS).with_columns(day=pl.col("event_at").dt.day())
    days = dict(rows.group_by("part").agg(pl.col("day").unique().sort()).iter_rows())
    assert days == {"train": [1, 2, 3, 4], "valid": [5, 6], "test": [7, 8]}


def test_stays_that_end_after_the_labels_do_not_count(arrivals: pl.DataFrame) -> None:
    rows = split(arrivals, replace(DAYS, label_until=date(2016, 7, 1)))
    assert set(rows.filter(pl.col("part").is_not_null())["event_at"].dt.day()) == {1, 2}
    assert rows.filter(pl.col("part").is_null())["label"].null_count() == (rows["part"].is_null()).sum()


def test_rows_without_a_limit_of_stay_have_no_part(arrivals: pl.DataFrame) -> None:
    without = arrivals.with_columns(admitted_until=pl.lit(None, dtype=pl.Date))
    assert split(without, DAYS)["part"].null_count() == arrivals.height


@pytest.mark.parametrize("side", list(crossing_sides.SIDES))
def test_no_side_hears_of_the_test_days(arrivals: pl.DataFrame, side: str) -> None:
    rows = split(arrivals, DAYS)
    hidden = rows.with_columns(label=pl.when(pl.col("part") != "test").then(pl.col("label")))
    turned = rows.with_columns(
        label=pl.when(pl.col("part") == "test").then(1 - pl.col("label")).otherwise(pl.col("label"))
    )
    (scores,) = crossing_sides.SIDES[side](hidden, {"seed": 1})
    (others,) = crossing_sides.SIDES[side](turned, {"seed": 1})
    assert len(scores) == (rows["part"] == "test").sum()
    assert np.array_equal(scores, others)
    assert ((scores > 0) & (scores < 1)).all()


@pytest.mark.parametrize(
    "days",
    [
        pytest.param(replace(DAYS, valid_until=date(2016, 4, 4)), id="no-validation-day"),
        pytest.param(replace(DAYS, test_from=date(2016, 4, 6)), id="test-begins-within-validation"),
    ],
)
def test_days_that_do_not_follow_each_other_are_refused(days: Days) -> None:
    with pytest.raises(BorderlakeError, match="must follow each other"):
        days.check()


def test_days_without_arrivals_are_said_so(i94_folder: Path) -> None:
    days = replace(DAYS, test_from=date(2016, 5, 1))
    with pytest.raises(BorderlakeError, match="the test days hold 0 outcomes"):
        crossings.run(i94_folder, "i94", days, "all", 0, lambda _: None)

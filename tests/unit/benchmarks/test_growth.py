"""`bench growth` at its smallest, and that it sees a value that is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
from typer.testing import CliRunner

from benchmarks import growth
from benchmarks.growth_days import LAST, VIEWS, Goods
from features import tiles, windows
from features.windows import BEGAN_AT, SIGN, USABLE_AT
from pipelines.cli import bench

SMALL = ["growth", "--events-a-day", "400", "--days", "30", "--short-days", "8", "--entities", "90", "--repeats", "1"]


def test_growth_compares_values_and_says_the_ratio(tmp_path: Path, trials_in_process: None) -> None:
    out = tmp_path / "growth.json"
    done = CliRunner().invoke(bench.app, [*SMALL, "--json", str(out)])
    assert done.exit_code == 0, done.output
    made = json.loads(out.read_text())
    assert made["figures"]["values_unequal"] == 0
    short = made["peers"]["short"]["figures"]
    assert made["figures"]["growth_ratio"] == made["figures"]["wall_s"] / short["wall_s"] > 0
    assert made["figures"]["rows_of_tiles"] > 2 * short["rows_of_tiles"]


def test_one_value_that_is_wrong_is_seen() -> None:
    goods = Goods(200, 30, 1)
    history = pl.concat([part["goods"] for part in goods.parts(LAST - timedelta(days=4), LAST)])
    right = pl.concat([windows.compute(view, goods.events(LAST), history) for view in VIEWS], how="horizontal")
    assert growth._unequal(goods, 4, right) == 0
    first = pl.int_range(pl.len()) == 0
    wrong = right.with_columns(pl.when(first).then(-1.0).otherwise(right.columns[3]).alias(right.columns[3]))
    assert growth._unequal(goods, 4, wrong) == 1


def test_a_day_has_late_and_corrected_rows_of_days_that_were() -> None:
    goods = Goods(4_000, 30, 1)
    rows = goods.day(LAST)
    assert (rows[USABLE_AT].dt.date() == LAST).all()
    taken = rows.filter(pl.col(SIGN) < 0)
    assert taken.height == 40
    assert taken.join(goods.day(LAST - timedelta(days=3)), on=[BEGAN_AT, "importer", "value"], how="semi").height == 20
    assert rows.filter(pl.col("event_at") < tiles.midnight(LAST)).height > taken.height

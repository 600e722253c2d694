"""`bench features` at its smallest: every side gives our values, and one that does not is seen."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from benchmarks import features_data, features_feast
from benchmarks.features_compared import compare
from benchmarks.features_duckdb import VALUES
from benchmarks.features_views import NAMES
from pipelines.cli import bench
from warehouse.errors import BorderlakeError

runner = CliRunner()


def test_all_sides_give_the_same_values(tmp_path: Path, trials_in_process: None) -> None:
    pytest.importorskip("duckdb")
    out = tmp_path / "features.json"
    asked = ["features", "--rows", "1500", "--entities", "60", "--repeats", "1", "--json", str(out)]
    done = runner.invoke(bench.app, asked)
    assert done.exit_code == 0, done.output
    made = json.loads(out.read_text())
    assert made["figures"]["values_compared"] == 1500 * len(NAMES) * 3
    assert made["figures"]["values_unequal"] == 0
    assert {"duckdb.wall_s", "polars.cpu_s", "duckdb.peak_rss_mb"} <= set(made["ratios"])
    assert made["figures"]["pandas_rows"] == 1500
    assert made["figures"]["pandas_cpu_s_times"] > 0


def test_buckets_give_the_values_of_one_pass(tmp_path: Path, trials_in_process: None) -> None:
    out = tmp_path / "features.json"
    asked = ["features", "--rows", "1500", "--entities", "60", "--buckets", "3", "--repeats", "1", "--json", str(out)]
    done = runner.invoke(bench.app, asked)
    assert done.exit_code == 0, done.output
    made = json.loads(out.read_text())["figures"]
    assert made["values"] == made["values_compared"] == 1500 * len(NAMES)
    assert made["values_unequal"] == 0
    assert {"wall_s", "cpu_s", "peak_rss_mb"} <= set(made)


def test_buckets_and_feast_are_not_asked_for_at_once() -> None:
    done = runner.invoke(bench.app, ["features", "--rows", "1500", "--buckets", "3", "--feast", sys.executable])
    assert done.exit_code == 2


def test_an_environment_without_feast_is_told_how_it_is_made() -> None:
    with pytest.raises(BorderlakeError, match="uv venv feast"):
        features_feast.Feast.found(Path(sys.executable))


def test_feast_is_asked_for_one_event_of_an_instant_and_for_no_key_that_is_missing(tmp_path: Path) -> None:
    file, ours = tmp_path / "events.parquet", tmp_path / "ours.parquet"
    features_data.write(file, 3_000, 200, 1.05, 1)
    events = pl.read_parquet(file)
    at = pl.when(pl.col("row") < 10).then(events["event_at"][0]).otherwise("event_at")
    tied = pl.when(pl.col("row") < 10).then(pl.lit("100000")).otherwise("product")
    events.with_columns(event_at=at, product=tied).write_parquet(file)
    events.select("row", *(pl.lit(0.5).alias(name) for name in NAMES)).write_parquet(ours)
    asked = features_feast.lay_out(file, ours, tmp_path / "tables")
    kept = pl.read_parquet(tmp_path / "tables" / "events.parquet")
    assert asked == kept.height < 3_000
    assert kept.null_count().sum_horizontal().item() == 0
    assert kept.filter(pl.col("row") < 10).height == 1
    assert pl.read_parquet(tmp_path / "tables" / VALUES)["row"].equals(kept["row"])
    of_product = pl.read_parquet(tmp_path / "tables" / "product.parquet")
    assert not of_product.select("product", "event_timestamp").is_duplicated().any()


def test_a_value_a_null_and_a_row_that_differ_are_seen(tmp_path: Path) -> None:
    ours = pl.DataFrame({"row": [0, 1, 2], **{name: [1.0, 2e6, None] for name in NAMES}})
    first = NAMES[0]
    theirs = {
        "order": ours.reverse(),
        "rounding": ours.with_columns((pl.col(first) * (1 + 1e-12)).alias(first)),
        "value": ours.with_columns((pl.col(first) * (1 + 1e-8)).alias(first)),
        "null": ours.with_columns(pl.col(first).fill_null(0.0)),
        "row": ours.head(2),
        "number": ours.with_columns(row=pl.Series([0, 1, 3])),
    }
    ours.write_parquet(tmp_path / "ours")
    found = {}
    for name, frame in theirs.items():
        frame.write_parquet(tmp_path / name)
        found[name] = compare(tmp_path / "ours", tmp_path / name)[first]
    assert found == {"order": 0, "rounding": 0, "value": 2, "null": 1, "row": 3, "number": 3}


def test_the_seed_and_the_skew_make_the_events(tmp_path: Path) -> None:
    made = {}
    for name, skew, seed in (("a", 1.05, 1), ("same", 1.05, 1), ("other", 1.05, 2), ("even", 0.0, 1)):
        features_data.write(tmp_path / name, 4_000, 300, skew, seed)
        made[name] = pl.read_parquet(tmp_path / name)
        assert made[name]["event_at"].dt.date().is_sorted()
        assert made[name]["row"].equals(pl.Series("row", range(4_000)))
    assert made["a"].equals(made["same"])
    assert not made["a"].equals(made["other"])
    largest = {name: frame["importer_id"].value_counts()["count"].max() for name, frame in made.items()}
    assert largest["a"] > 10 * largest["even"]
    assert made["a"]["importer_id"].null_count() > 0

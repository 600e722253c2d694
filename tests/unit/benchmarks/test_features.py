"""`bench features` at its smallest: every side gives our values, and one that does not is seen."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from benchmarks import features, features_data
from benchmarks.features_views import NAMES
from pipelines.cli import bench

runner = CliRunner()


def test_all_sides_give_the_same_values(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    out = tmp_path / "features.json"
    asked = ["features", "--rows", "1500", "--entities", "60", "--repeats", "1", "--json", str(out)]
    done = runner.invoke(bench.app, asked)
    assert done.exit_code == 0, done.output
    made = json.loads(out.read_text())
    assert made["figures"]["values_compared"] == 1500 * len(NAMES) * 3
    assert made["figures"]["values_unequal"] == 0
    assert {"duckdb.wall_s", "polars.wall_s", "duckdb.peak_rss_mb"} <= set(made["ratios"])


def test_a_value_a_null_and_a_row_that_differ_are_seen(tmp_path: Path) -> None:
    ours = pl.DataFrame({"row": [0, 1, 2], **{name: [1.0, 2e6, None] for name in NAMES}})
    first = NAMES[0]
    theirs = {
        "order": ours.reverse(),
        "rounding": ours.with_columns((pl.col(first) * (1 + 1e-12)).alias(first)),
        "value": ours.with_columns((pl.col(first) * (1 + 1e-8)).alias(first)),
        "null": ours.with_columns(pl.col(first).fill_null(0.0)),
        "row": ours.head(2),
    }
    ours.write_parquet(tmp_path / "ours")
    found = {}
    for name, frame in theirs.items():
        frame.write_parquet(tmp_path / name)
        found[name] = features.compare(tmp_path / "ours", tmp_path / name)[first]
    assert found == {"order": 0, "rounding": 0, "value": 2, "null": 1, "row": 3}


def test_the_seed_and_the_skew_make_the_events(tmp_path: Path) -> None:
    made = {}
    for name, skew, seed in (("a", 1.05, 1), ("same", 1.05, 1), ("other", 1.05, 2), ("even", 0.0, 1)):
        features_data.write(tmp_path / name, 4_000, 300, skew, seed)
        made[name] = pl.read_parquet(tmp_path / name)
    assert made["a"].equals(made["same"])
    assert not made["a"].equals(made["other"])
    largest = {name: frame["importer_id"].value_counts()["count"].max() for name, frame in made.items()}
    assert largest["a"] > 10 * largest["even"]
    assert made["a"]["importer_id"].null_count() > 0

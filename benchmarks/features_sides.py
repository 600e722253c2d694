"""Sides of `bench features`: ours and the peers. Each reads the same file and leaves its values in memory."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.features_duckdb import VALUES, duckdb
from benchmarks.features_rolling import pandas, polars
from benchmarks.features_views import NAMES, VIEWS
from benchmarks.harness import Settings
from benchmarks.trials import Side, Usage

OURS, DUCKDB, POLARS, PANDAS = "ours", "duckdb", "polars", "pandas"


def ours(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """The engine: the events are their own history."""
    import polars as pl

    from features import windows

    with usage:
        events = pl.read_parquet(str(settings["file"]))
        history = events.with_columns(
            pl.col("event_at").alias(windows.USABLE_AT),
            pl.col("event_at").alias(windows.BEGAN_AT),
            pl.lit(1, pl.Int64).alias(windows.SIGN),
        )
        values = windows.compute_all(VIEWS, events, history)
    values.insert_column(0, events["row"]).write_parquet(folder / VALUES)
    return {"values": values.height * len(NAMES)}


SIDES: dict[str, Side] = {OURS: ours, DUCKDB: duckdb, POLARS: polars, PANDAS: pandas}

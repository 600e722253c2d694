"""Sides of `bench features`: ours and the peers. Each reads the same file and leaves its values in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.features_duckdb import VALUES, duckdb
from benchmarks.features_rolling import pandas, polars
from benchmarks.features_views import NAMES, VIEWS
from benchmarks.harness import Settings
from benchmarks.trials import Side, Usage

if TYPE_CHECKING:
    import polars as pl

OURS, DUCKDB, POLARS, PANDAS, BUCKETS = "ours", "duckdb", "polars", "pandas", "buckets"


def ours(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """The engine: the events are their own history."""
    import polars as pl

    from features import windows

    with usage:
        events = pl.read_parquet(str(settings["file"]))
        history = _history(events.lazy()).collect()
        values = windows.compute_all(VIEWS, events, history)
    values.insert_column(0, events["row"]).write_parquet(folder / VALUES)
    return {"values": values.height * len(NAMES)}


def buckets(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """The engine bucket by bucket, each written away before the next is read: more events than memory holds."""
    import polars as pl

    from features import buckets as entity_buckets

    rows = 0
    with usage:
        events = pl.scan_parquet(str(settings["file"]))
        for view in VIEWS:
            made = entity_buckets.compute((view,), events, _history(events), int(settings["buckets"]), ("row",))
            for number, values in enumerate(made):
                values.write_parquet(folder / f"{view.name}-{number}.parquet", compression="lz4")
                rows += values.height
    return {"values": rows / len(VIEWS) * len(NAMES)}


def _history(events: "pl.LazyFrame") -> "pl.LazyFrame":
    """Every event is known as it happens, and none is corrected."""
    import polars as pl

    from features import windows

    at = pl.col("event_at")
    return events.with_columns(
        at.alias(windows.USABLE_AT), at.alias(windows.BEGAN_AT), pl.lit(1, pl.Int64).alias(windows.SIGN)
    )


SIDES: dict[str, Side] = {OURS: ours, DUCKDB: duckdb, POLARS: polars, PANDAS: pandas, BUCKETS: buckets}

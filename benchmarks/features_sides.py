"""Sides of `bench features`: ours and the peers. Each reads the same file and leaves its values in memory."""

from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from benchmarks.features_duckdb import VALUES, duckdb
from benchmarks.features_rolling import pandas, polars
from benchmarks.features_views import NAMES, VIEWS
from benchmarks.harness import Settings
from benchmarks.trials import Side, Usage
from features.views import PRIOR_OF, FeatureView

if TYPE_CHECKING:
    import polars as pl

OURS, DUCKDB, POLARS, PANDAS, BUCKETS = "ours", "duckdb", "polars", "pandas", "buckets"
EVENT_AT = "event_at"


def ours(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """The engine: the events are their own history."""
    import numpy.ma  # noqa: F401  # Polars does with its first column from numpy, and imports do not count.
    import polars as pl

    from features import windows

    with usage:
        events = pl.read_parquet(str(settings["file"]))
        history = _history(events.lazy()).collect()
        values = windows.compute_all(VIEWS, events, history)
    values.insert_column(0, events["row"]).write_parquet(folder / VALUES)
    return {"values": values.height * len(NAMES)}


def buckets(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """The engine bucket by bucket: events are laid out by bucket once a view, values written a file a bucket."""
    import polars as pl

    from features import buckets as entity_buckets

    number, laid_out, rows = int(settings["buckets"]), folder / "rows", 0
    with usage:
        events = pl.scan_parquet(str(settings["file"]))
        for view in VIEWS:
            columns = {"row", EVENT_AT, PRIOR_OF, *view.entity, *_columns(view)}
            own = entity_buckets.bucketed(events.select(sorted(columns)), view.entity, number)
            apart = pl.PartitionBy(laid_out, key=entity_buckets.column_of(view.entity, number))
            own.sink_parquet(apart, compression="lz4", mkdir=True)
            there = pl.scan_parquet(laid_out, hive_partitioning=True)
            made = entity_buckets.compute((view,), there, _history(there), number, ("row",))
            for bucket, values in enumerate(made):
                values.write_parquet(folder / f"{view.name}-{bucket}.parquet", compression="lz4")
                rows += values.height
            rmtree(laid_out)
    if settings.get("is_compared"):
        of_views = [pl.read_parquet(folder / f"{view.name}-*.parquet") for view in VIEWS]
        pl.concat([values.sort("row") for values in of_views], how="align_full").write_parquet(folder / VALUES)
    return {"values": rows / len(VIEWS) * len(NAMES)}


def _columns(view: FeatureView) -> list[str]:
    return [aggregation.column for aggregation in view.aggregations if aggregation.column]


def _history(events: "pl.LazyFrame") -> "pl.LazyFrame":
    """Every event is known as it happens, and none is corrected."""
    import polars as pl

    from features import windows

    at = pl.col(EVENT_AT)
    return events.with_columns(
        at.alias(windows.USABLE_AT), at.alias(windows.BEGAN_AT), pl.lit(1, pl.Int64).alias(windows.SIGN)
    )


SIDES: dict[str, Side] = {OURS: ours, DUCKDB: duckdb, POLARS: polars, PANDAS: pandas, BUCKETS: buckets}

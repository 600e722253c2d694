"""DuckDB's side of `bench features`: the views as one query over range windows.

One named window a frame, so that the database partitions and sorts each view once. The frame ends a microsecond before
the event on an integer clock: cheaper than an interval, and than taking the simultaneous rows out with EXCLUDE GROUP.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.features_views import LEAST_ROWS, LEAST_SPREAD, PRIOR_WEIGHT, VIEWS
from benchmarks.harness import Settings
from benchmarks.trials import Usage
from features.views import PRIOR_OF, Aggregation, FeatureView, Kind

VALUES = "values.parquet"
_US_A_DAY = 86_400_000_000


def duckdb(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """From the file to a table of values in memory."""
    import duckdb as database

    connection = database.connect()
    connection.execute(f"SET threads = {int(settings['threads'])}; SET preserve_insertion_order = false")
    with usage:
        table = connection.sql(query(str(settings["file"]))).to_arrow_table()
    import pyarrow.parquet

    pyarrow.parquet.write_table(table, folder / VALUES)
    return {"values": table.num_rows * (table.num_columns - 1)}


def query(file: str) -> str:
    """The values of every view, a row an event."""
    chosen = [
        f"{_feature(view, aggregation)} AS {aggregation.name}" for view in VIEWS for aggregation in view.aggregations
    ]
    return (
        f"SELECT row, {', '.join(chosen)} FROM (SELECT *, epoch_us(event_at) AS at_us FROM read_parquet('{file}')) "
        f"WINDOW {', '.join(dict.fromkeys(_frames()))}"
    )


def _frames() -> Iterator[str]:
    for view in VIEWS:
        for aggregation in view.aggregations:
            yield _frame(view.name, view.entity, aggregation)
            if aggregation.kind is Kind.RATE:
                yield _frame(PRIOR_OF, (PRIOR_OF,), aggregation)


def _frame(name: str, keys: tuple[str, ...], aggregation: Aggregation) -> str:
    assert aggregation.window_days is not None
    return (
        f"{name}_{aggregation.window_days} AS (PARTITION BY {', '.join(keys)} ORDER BY at_us "
        f"RANGE BETWEEN {aggregation.window_days * _US_A_DAY} PRECEDING AND 1 PRECEDING)"
    )


def _feature(view: FeatureView, aggregation: Aggregation) -> str:
    column, days = aggregation.column, aggregation.window_days
    over, known = f"OVER {view.name}_{days}", " AND ".join(f"{key} IS NOT NULL" for key in view.entity)
    match aggregation.kind:
        case Kind.COUNT:
            return f"CASE WHEN {known} THEN count(*) {over} ELSE 0 END"
        case Kind.SUM:
            return f"CASE WHEN {known} THEN coalesce(sum({column}) {over}, 0.0) ELSE 0.0 END"
        case Kind.MEAN:
            return f"CASE WHEN {known} THEN avg({column}) {over} END"
        case Kind.GAP:
            return f"CASE WHEN {known} THEN {column} - avg({column}) {over} END"
        case Kind.DEVIATION:
            return (
                f"CASE WHEN {known} AND count({column}) {over} >= {LEAST_ROWS} THEN "
                f"({column} - avg({column}) {over}) / (stddev_pop({column}) {over} + {LEAST_SPREAD}) END"
            )
        case Kind.RATE:
            prior = f"avg({column}) OVER {PRIOR_OF}_{days}"
            return (
                f"CASE WHEN {known} THEN (coalesce(sum({column}) {over}, 0) + {PRIOR_WEIGHT} * {prior}) "
                f"/ (count({column}) {over} + {PRIOR_WEIGHT}) END"
            )
        case _:
            raise NotImplementedError(aggregation.kind)

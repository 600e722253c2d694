"""DuckDB's side of `bench features`: running sums of each view, and ASOF joins to them.

A view's rows become running sums by key and instant. For each event one ASOF join finds the sums before its moment and
one a window those before its window; a windowed sum is their difference, of integers (millionths), so that it is exact.
Keys are enumerations, which join and sort as numbers; a view at a time, so that no more than one view's sums are held.

Other ways to write it, measured with DuckDB 2.0.1 on two threads of a busy machine, in processor time; all give the
same values. At 500,000 events: this one 9 s; one query over RANGE windows 20 s, with keys as enumerations too; the
first value of a running sum in each RANGE window 27 s; all ASOF joins in one query 29 s and 6.7 GB. At 5,000,000: this
one 119 s and 6.4 GB, RANGE windows 522 s and 3.6 GB.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.features_views import LEAST_ROWS, LEAST_SPREAD, PRIOR_WEIGHT, VIEWS, outside
from benchmarks.harness import Settings
from benchmarks.trials import Usage
from features.views import PRIOR_OF, Aggregation, FeatureView, Kind

VALUES = "values.parquet"
_US_A_DAY = 86_400_000_000
_MICRO = 1_000_000
_KEYS = tuple(dict.fromkeys(key for view in VIEWS for key in (*view.entity, PRIOR_OF)))
_COLUMNS = tuple(dict.fromkeys(a.column for view in VIEWS for a in view.aggregations if a.column))
_SUMS: Mapping[Kind, Sequence[str]] = {
    Kind.COUNT: ("rows",),
    Kind.SUM: ("total",),
    Kind.MEAN: ("total", "known"),
    Kind.GAP: ("total", "known"),
    Kind.RATE: ("total", "known"),
    Kind.DEVIATION: ("total", "known", "squares"),
}

Sums = dict[int, dict[str, str]]
"""Of each window the sums it needs, and what is summed."""


def duckdb(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """From the file to a table of values in memory."""
    import duckdb as database

    connection = database.connect()
    connection.execute(f"SET threads = {int(settings['threads'])}; SET preserve_insertion_order = false")
    with usage:
        for statement in prepared(str(settings["file"])):
            connection.execute(statement)
        table = connection.sql(query()).to_arrow_table()
    import pyarrow.parquet

    pyarrow.parquet.write_table(table, folder / VALUES)
    return {"values": table.num_rows * (table.num_columns - 1)}


def prepared(file: str) -> Iterator[str]:
    """The events as a table, then a table of windowed sums a view, a row an event."""
    for key in _KEYS:
        yield f"CREATE TYPE {key}_kind AS ENUM (SELECT DISTINCT {key} FROM '{file}' WHERE {key} IS NOT NULL)"
    keys = ", ".join(f"{key}::{key}_kind AS {key}" for key in _KEYS)
    columns = ", ".join(_COLUMNS)
    yield f"CREATE TEMP TABLE events AS SELECT row, epoch_us(event_at) AS at_us, {columns}, {keys} FROM '{file}'"
    for view in VIEWS:
        yield from _summed(view.name, view.entity, _sums(view.aggregations))
    rates = [a for view in VIEWS for a in view.aggregations if a.kind is Kind.RATE]
    yield from _summed(PRIOR_OF, (PRIOR_OF,), _sums(rates))


def query() -> str:
    """The values of every view, a row an event."""
    chosen = [
        f"{_feature(view, aggregation)} AS {aggregation.name}" for view in VIEWS for aggregation in view.aggregations
    ]
    joined = " ".join(f"JOIN {name}_sums USING (row)" for name in (*(view.name for view in VIEWS), PRIOR_OF))
    return f"SELECT row, {', '.join(chosen)} FROM events {joined}"


def _sums(aggregations: Sequence[Aggregation]) -> Sums:
    found: Sums = {}
    for aggregation in aggregations:
        assert aggregation.window_days is not None
        for part in _SUMS[aggregation.kind]:
            name = _sum(part, aggregation.column)
            found.setdefault(aggregation.window_days, {})[name] = _summand(part, aggregation.column)
    return found


def _sum(part: str, column: str | None) -> str:
    return part if column is None else f"{part}_{column}"


def _summand(part: str, column: str | None) -> str:
    return {
        "rows": "1",
        "known": f"({column} IS NOT NULL)::INTEGER",
        "total": f"coalesce(round({column} * {_MICRO})::BIGINT, 0)",
        "squares": f"coalesce(round({column} * {column} * {_MICRO})::BIGINT, 0)",
    }[part]


def _summed(name: str, keys: tuple[str, ...], sums: Sums) -> Iterator[str]:
    key, known = ", ".join(keys), " AND ".join(f"{key} IS NOT NULL" for key in keys)
    summands = {part: summand for parts in sums.values() for part, summand in parts.items()}
    instants = ", ".join(f"sum({summand}) AS {part}" for part, summand in summands.items())
    running = ", ".join(f"(sum({part}) OVER until)::BIGINT AS {part}" for part in summands)
    yield (
        f"CREATE TEMP TABLE running AS SELECT {key}, at_us, {running} "
        f"FROM (SELECT {key}, at_us, {instants} FROM events WHERE {known} GROUP BY {key}, at_us) "
        f"WINDOW until AS (PARTITION BY {key} ORDER BY at_us ROWS UNBOUNDED PRECEDING)"
    )
    values = ", ".join(
        f"coalesce(before_0.{part}, 0) - coalesce(before_{days}.{part}, 0) AS {name}_{part}_{days}"
        for days, parts in sums.items()
        for part in parts
    )
    joins = " ".join(
        f"ASOF LEFT JOIN running AS before_{days} ON {' AND '.join(f'e.{key} = before_{days}.{key}' for key in keys)} "
        f"AND e.at_us - {days * _US_A_DAY} > before_{days}.at_us"
        for days in (0, *sums)
    )
    narrow = f"(SELECT row, at_us, {key} FROM events)"
    yield f"CREATE TEMP TABLE {name}_sums AS SELECT e.row, {values} FROM {narrow} e {joins}"
    yield "DROP TABLE running"


def _feature(view: FeatureView, aggregation: Aggregation) -> str:
    column, days = aggregation.column, aggregation.window_days
    known = " AND ".join(f"{key} IS NOT NULL" for key in view.entity)

    def windowed(part: str, of: str = view.name) -> str:
        found = f"{of}_{_sum(part, column)}_{days}"
        return found if part in ("rows", "known") else f"{found} / {_MICRO}.0"

    def mean(of: str = view.name) -> str:
        return f"({windowed('total', of)} / nullif({windowed('known', of)}, 0))"

    match aggregation.kind:
        case Kind.COUNT:
            return f"CASE WHEN {known} THEN {windowed('rows')} ELSE 0 END"
        case Kind.SUM:
            return f"CASE WHEN {known} THEN {windowed('total')} ELSE 0.0 END"
        case Kind.MEAN:
            return f"CASE WHEN {known} THEN {mean()} END"
        case Kind.GAP:
            return f"CASE WHEN {known} THEN {column} - {mean()} END"
        case Kind.DEVIATION:
            variance = f"greatest({windowed('squares')} / {windowed('known')} - {mean()} * {mean()}, 0)"
            usual = f"({column} - {mean()}) / (sqrt({variance}) + {LEAST_SPREAD})"
            return f"CASE WHEN {known} AND {windowed('known')} >= {LEAST_ROWS} THEN {usual} END"
        case Kind.RATE:
            drawn = f"{windowed('total')} + {PRIOR_WEIGHT} * {mean(PRIOR_OF)}"
            return f"CASE WHEN {known} THEN ({drawn}) / ({windowed('known')} + {PRIOR_WEIGHT}) END"
        case _:
            raise outside(aggregation.kind)

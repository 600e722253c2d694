"""Sides of `bench features` that roll: Polars' `rolling` and pandas' time windows, closed on the left.

Both sort each view once and roll every window over it once, for all its aggregations; what follows is arithmetic.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.features_duckdb import VALUES
from benchmarks.features_views import ADVERSE, LEAST_ROWS, LEAST_SPREAD, NAMES, PRIOR_WEIGHT, VIEWS, outside
from benchmarks.harness import Settings
from benchmarks.trials import Usage
from features.views import PRIOR_OF, Aggregation, FeatureView, Kind

if TYPE_CHECKING:
    import polars as pl

AT, ROW, _RUN = "event_at", "row", "run"
_RATES = dict.fromkeys(a.window_days for view in VIEWS for a in view.aggregations if a.kind is Kind.RATE)


def polars(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """From the file to a frame of values in the order of the file."""
    import polars as pl

    with usage:
        events = pl.read_parquet(str(settings["file"]))
        events = events.with_columns(_polars_view(events, (PRIOR_OF,), _RATES, [pl.col(ADVERSE).mean().alias("prior")]))
        views = [_polars_features(events, view) for view in VIEWS]
        values = pl.concat([events.select(ROW), *views], how="horizontal")
    values.write_parquet(folder / VALUES)
    return {"values": values.height * len(NAMES)}


def _polars_features(events: "pl.DataFrame", view: FeatureView) -> "pl.DataFrame":
    import polars as pl

    wanted = dict.fromkeys((a.column, part) for a in view.aggregations if a.column for part in _parts(a))
    makes: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "mean": pl.Expr.mean,
        "sum": pl.Expr.sum,
        "count": pl.Expr.count,
        "std": lambda column: column.std(ddof=0),
    }
    rolled = [makes[part](pl.col(column)).alias(f"{column}_{part}") for column, part in wanted]
    windows = dict.fromkeys(a.window_days for a in view.aggregations)
    sums = _polars_view(events, view.entity, windows, [pl.len().alias("rows"), *rolled])
    known = pl.all_horizontal(pl.col(key).is_not_null() for key in view.entity)
    return events.with_columns(sums).select(_polars_value(a, known).alias(a.name) for a in view.aggregations)


def _polars_view(
    events: "pl.DataFrame", keys: tuple[str, ...], windows: Iterable[int | None], rolled: "list[pl.Expr]"
) -> "pl.DataFrame":
    """What is rolled of every window, its days behind each name, in the order of `events`."""
    import polars as pl

    # A number a run of equal keys: groups of numbers that ascend keep their order, groups of texts do not.
    ordered = events.sort(*keys, AT).with_columns(pl.struct(keys).rle_id().alias(_RUN))
    parts = [ordered.select(ROW)]
    for days in windows:
        over = ordered.rolling(AT, period=f"{days}d", closed="left", group_by=_RUN).agg(rolled)
        if not over.select(_RUN, AT).equals(ordered.select(_RUN, AT)):
            raise AssertionError("rolling gave its rows in another order")
        parts.append(over.drop(_RUN, AT).rename({name: f"{name}_{days}" for name in over.columns[2:]}))
    return pl.concat(parts, how="horizontal").sort(ROW).drop(ROW)


def _polars_value(aggregation: Aggregation, known: "pl.Expr") -> "pl.Expr":
    import polars as pl

    column, days = aggregation.column, aggregation.window_days

    def rolled(part: str) -> pl.Expr:
        return pl.col(f"{column}_{part}_{days}")

    match aggregation.kind:
        case Kind.COUNT:
            return pl.when(known).then(f"rows_{days}").otherwise(0)
        case Kind.SUM:
            return pl.when(known).then(rolled("sum")).otherwise(0.0)
        case Kind.MEAN:
            return pl.when(known).then(rolled("mean"))
        case Kind.GAP:
            return pl.when(known).then(pl.col(str(column)) - rolled("mean"))
        case Kind.DEVIATION:
            usual = (pl.col(str(column)) - rolled("mean")) / (rolled("std") + LEAST_SPREAD)
            return pl.when(known & (rolled("count") >= LEAST_ROWS)).then(usual)
        case Kind.RATE:
            drawn = rolled("sum") + PRIOR_WEIGHT * pl.col(f"prior_{days}")
            return pl.when(known).then(drawn / (rolled("count") + PRIOR_WEIGHT))
        case _:
            raise outside(aggregation.kind)


def _parts(aggregation: Aggregation) -> tuple[str, ...]:
    """What has to be rolled for an aggregation."""
    return {
        Kind.SUM: ("sum",),
        Kind.MEAN: ("mean",),
        Kind.GAP: ("mean",),
        Kind.RATE: ("sum", "count"),
        Kind.DEVIATION: ("mean", "count", "std"),
    }[aggregation.kind]


def pandas(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """From the file to a frame of values, in the order of the file."""
    import pandas as pd

    with usage:
        events = pd.read_parquet(str(settings["file"]))
        priors = {
            f"prior_{days}": _pandas_rolled(events.sort_values([PRIOR_OF, AT]), (PRIOR_OF,), days, ADVERSE, "mean")
            for days in _RATES
        }
        events = events.assign(**priors)
        values = events[[ROW]].assign(
            **{name: column for view in VIEWS for name, column in _pandas_features(events, view).items()}
        )
    values.to_parquet(folder / VALUES)
    return {"values": len(values) * len(NAMES)}


def _pandas_rolled(ordered: Any, keys: tuple[str, ...], days: int | None, column: str, part: str) -> Any:
    """One rolled column, by the index of `events`; `ordered` is by key and time, without rows whose key is missing."""
    grouped = ordered.groupby(list(keys), sort=True).rolling(f"{days}D", on=AT, closed="left")[column]
    made = grouped.std(ddof=0) if part == "std" else getattr(grouped, part)()
    return made.droplevel(list(range(len(keys)))).set_axis(ordered.index)


def _pandas_features(events: Any, view: FeatureView) -> dict[str, Any]:
    ordered = events.dropna(subset=list(view.entity)).sort_values([*view.entity, AT])
    ones = ordered.assign(rows=1.0)
    known = events[list(view.entity)].notna().all(axis=1)
    kept: dict[tuple[str, str, int | None], Any] = {}

    def rolled(column: str, part: str, days: int | None) -> Any:
        if (column, part, days) not in kept:
            kept[column, part, days] = _pandas_rolled(ones, view.entity, days, column, part)
        return kept[column, part, days].reindex(events.index)

    def value(aggregation: Aggregation) -> Any:
        days, column = aggregation.window_days, str(aggregation.column)
        match aggregation.kind:
            case Kind.COUNT:
                return rolled("rows", "sum", days).fillna(0.0)
            case Kind.SUM:
                return rolled(column, "sum", days).fillna(0.0)
            case Kind.MEAN:
                return rolled(column, "mean", days)
            case Kind.GAP:
                return events[column] - rolled(column, "mean", days)
            case Kind.DEVIATION:
                usual = (events[column] - rolled(column, "mean", days)) / (rolled(column, "std", days) + LEAST_SPREAD)
                return usual.where(rolled(column, "count", days) >= LEAST_ROWS)
            case Kind.RATE:
                hits, count = (rolled(column, part, days).fillna(0.0) for part in ("sum", "count"))
                drawn = (hits + PRIOR_WEIGHT * events[f"prior_{days}"]) / (count + PRIOR_WEIGHT)
                return drawn.where(known, np.nan)
            case _:
                raise outside(aggregation.kind)

    return {aggregation.name: value(aggregation) for aggregation in view.aggregations}

"""Conditions of views and aggregations: which rows of history they keep, for the engine, for one row, and in words.

A correction says of what it takes back what that said of itself, so that both meet a condition or neither does.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import polars as pl

from features.views import Aggregation, FeatureView, Where

Conditions = tuple[Where, ...]


def by_condition(views: Sequence[FeatureView]) -> dict[Conditions, list[FeatureView]]:
    """The views cut so that all of a group rest on the same rows, which need no condition any more."""
    groups: dict[Conditions, list[FeatureView]] = {}
    for view in views:
        own: dict[Conditions, list[Aggregation]] = {}
        for one in view.aggregations:
            own.setdefault(conditions_of(view, one), []).append(replace(one, where=()))
        for where, kept in own.items():
            groups.setdefault(where, []).append(replace(view, where=(), aggregations=tuple(kept)))
    return groups


def conditions_of(view: FeatureView, aggregation: Aggregation) -> Conditions:
    """What rows must meet to count, each condition once."""
    return tuple(dict.fromkeys((*view.where, *aggregation.where)))


def defined(view: FeatureView, aggregation: Aggregation) -> dict[str, Any]:
    """What a definition says beyond kind, column, days and prior; nothing where it asks no condition and no hours."""
    beyond = {
        "window_hours": aggregation.window_hours,
        "where": [asdict(one) for one in conditions_of(view, aggregation)],
        "holds": None if aggregation.holds is None else asdict(aggregation.holds),
    }
    return {name: value for name, value in beyond.items() if value}


def columns_of(view: FeatureView) -> set[str]:
    """Columns of the source that the view's values rest on, besides its keys and times."""
    named = {one.column for one in view.aggregations if one.column is not None}
    held = {one.holds.column for one in view.aggregations if one.holds is not None}
    return named | held | {where.column for one in view.aggregations for where in conditions_of(view, one)}


def shown(view: FeatureView, aggregation: Aggregation) -> tuple[str, ...]:
    """Columns by which a reader sees why a row counts, and for what: the feature's own, and those of its conditions."""
    own = [aggregation.column] if aggregation.column is not None else []
    held = [aggregation.holds.column] if aggregation.holds is not None else []
    return tuple(dict.fromkeys([*own, *held, *(one.column for one in conditions_of(view, aggregation))]))


def kept(rows: pl.DataFrame, where: Conditions) -> pl.DataFrame:
    """Rows that meet all conditions."""
    return rows.filter(*(_is_met(one) for one in where)) if where else rows


def all_met(where: Conditions) -> pl.Expr:
    """Whether a row meets all conditions; one that lacks a column does not."""
    return pl.all_horizontal([pl.lit(value=True), *(_is_met(one).fill_null(value=False) for one in where)])


def flagged(views: Sequence[FeatureView]) -> tuple[list[FeatureView], list[pl.Expr]]:
    """Views whose shares are of a 0/1 column each, and the columns to add to history for that."""
    made: dict[str, pl.Expr] = {}

    def of_column(one: Aggregation) -> Aggregation:
        if one.holds is None:
            return one
        name = f"holds: {one.holds}"
        made[name] = _is_met(one.holds).cast(pl.Int8).alias(name)
        return replace(one, column=name, holds=None)

    named = [replace(view, aggregations=tuple(map(of_column, view.aggregations))) for view in views]
    return named, list(made.values())


def meets(where: Conditions, row: Mapping[str, Any]) -> bool:
    """Whether one row meets all conditions."""
    return all(holds(one, row) is True for one in where)


def holds(where: Where, row: Mapping[str, Any]) -> bool | None:
    """Whether one row meets a condition; None where it lacks the column."""
    value = row[where.column]
    if value is None:
        return None
    if where.among and value not in where.among:
        return False
    if where.at_least is None and where.below is None:
        return True
    number = float(value)
    if not math.isfinite(number):
        return None
    return (where.at_least is None or number >= where.at_least) and (where.below is None or number < where.below)


def told(where: Iterable[Where]) -> str:
    """Conditions in words: `origin is CN or VN and speed_knots is below 2`."""
    return " and ".join(f"{one.column} is {_bounds(one)}" for one in where)


def _bounds(where: Where) -> str:
    said = [" or ".join(map(str, where.among))] if where.among else []
    said += [] if where.at_least is None else [f"at least {where.at_least:,.12g}"]
    said += [] if where.below is None else [f"below {where.below:,.12g}"]
    return " and ".join(said)


def _is_met(where: Where) -> pl.Expr:
    """Null where the column is missing, or no finite number to hold against a bound."""
    column = pl.col(where.column)
    met = column.is_in(list(where.among)) if where.among else column.is_not_null()
    met = pl.when(column.is_not_null()).then(met)
    if where.at_least is None and where.below is None:
        return met
    number = column.cast(pl.Float64)
    is_within = pl.lit(True)
    if where.at_least is not None:
        is_within &= number >= where.at_least
    if where.below is not None:
        is_within &= number < where.below
    # What is not among the values fails, whatever its number.
    return pl.when(met.eq(False)).then(False).when(number.is_finite()).then(is_within)

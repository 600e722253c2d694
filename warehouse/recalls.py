"""Scores that were withdrawn: they stay in the lake, where scores are append-only, and leave every share and every list
that says what to look at.

What rests on a score (its lane, the decisions on it) goes with it. How a share follows is `sharing.materialise`. What
judges past advice (estimates, monitoring, replays) still counts it, for it was given.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from warehouse.catalog import Table, table_of
from warehouse.delta import Lake, Upon
from warehouse.touched import Day

RECALLS = table_of("gold.recalled_scores")
SCORE = "score_id"
"""Column by which a table's rows rest on a score."""


def recall(lake: Lake, scores: pl.DataFrame, *, reason: str, by: str, at: datetime) -> int:
    """Record rows of `gold.*_scores` as withdrawn, those that are not yet; returns how many that were."""
    counted: list[int] = []

    def upon(recorded: pl.LazyFrame) -> pl.DataFrame:
        fresh = scores.join(recorded.select(SCORE).collect(), on=SCORE, how="anti").with_columns(
            reason=pl.lit(reason),
            recalled_by=pl.lit(by),
            recalled_at=pl.lit(at, dtype=pl.Datetime("us", "UTC")),
        )
        counted[:] = [fresh.height]
        return RECALLS.shape(fresh)

    lake.append(RECALLS, Upon(upon))
    return counted[0]


def version_for(lake: Lake, table: Table) -> int | None:
    """The version of the recalls that a table's rows are to be held against; None where none can concern it."""
    return lake.version(RECALLS) if _rests_on_scores(table) else None


def _rests_on_scores(table: Table) -> bool:
    return SCORE in table.columns and table is not RECALLS


def without_recalled(lake: Lake, rows: pl.LazyFrame, table: Table, version: int | None) -> pl.LazyFrame:
    """A table's rows but those that rest on scores withdrawn up to a version of the recalls."""
    if version is None or not _rests_on_scores(table):
        return rows
    return rows.join(lake.scan(RECALLS, version).select(SCORE), on=SCORE, how="anti")


def standing(lake: Lake, table: Table) -> pl.LazyFrame:
    """A table's rows as they stand: but those that rest on withdrawn scores."""
    return without_recalled(lake, lake.scan(table), table, version_for(lake, table))


def withdrawn(lake: Lake, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Those of a table's rows that rest on withdrawn scores."""
    return rows.join(lake.scan(RECALLS).select(SCORE), on=SCORE, how="semi")


def recalled(lake: Lake, score_id: str) -> Mapping[str, Any] | None:
    """Who withdrew a score, when and why; None where it stands."""
    found = lake.scan(RECALLS).filter(pl.col(SCORE) == score_id).collect()
    return found.row(0, named=True) if found.height else None


def days_recalled(lake: Lake, table: Table, after: int | None, upto: int | None) -> set[Day]:
    """Days of a table with rows whose scores were withdrawn after a version of the recalls, up to another."""
    if upto is None or after == upto:
        return set()
    recalled = lake.scan(RECALLS, upto)
    if after is not None:
        recalled = recalled.join(lake.scan(RECALLS, after).select(SCORE), on=SCORE, how="anti")
    if table.partition_by[:1] == ("event_date",):
        return set(recalled.select(pl.col("event_date").unique()).collect().to_series())
    return set() if recalled.head(1).collect().is_empty() else {None}

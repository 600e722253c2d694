"""Rows of rollings of features that stopped: tiles, states and marks of a batch that no row of `gold.tile_days` names.

No reader takes them into account. What a rolling is, and which of them stand, is `pipelines.rolling`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

import polars as pl

from warehouse.catalog import Table, table_of
from warehouse.delta import Lake
from warehouse.findings import Finding, Kind
from warehouse.reconcile import read

ROLLED = tuple(table_of(f"gold.{name}") for name in ("tiles", "tile_states", "tile_marks"))
DAYS = table_of("gold.tile_days")


def unfinished(lake: Lake, tables: Sequence[Table], settled_before: datetime) -> Iterator[Finding]:
    """Batches that were there at a moment and that the ledger of days does not name now; a table that cannot be read is
    left to its other findings."""
    for table in ROLLED:
        if table not in tables:
            continue
        held = read(partial(_batches, lake, table))
        # Read after the rows: a rolling that ends meanwhile is named by then.
        named = read(lambda: lake.scan(DAYS).select("batch_id"))
        if held is None or named is None:
            continue
        for batch, rows in held.join(named, on="batch_id", how="anti").sort("batch_id").iter_rows():
            if held_since(lake, table, batch, settled_before):
                yield Finding(Kind.ORPHAN_ROWS, table.name, batch=batch, detail=f"{rows:,} rows")


def held_since(lake: Lake, table: Table, batch: str, moment: datetime) -> bool:
    """Whether the table held rows of a batch at a moment already; not where it was not there, or cannot be read."""
    held = read(lambda: lake.scan(table, moment).filter(pl.col("batch_id") == batch).head(1))
    return held is not None and not held.is_empty()


def _batches(lake: Lake, table: Table) -> pl.LazyFrame:
    return lake.scan(table).group_by("batch_id").agg(rows=pl.len())

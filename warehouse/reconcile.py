"""The ledger against the rows: what each batch should have given each table, and what is there."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import polars as pl

from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, Table
from warehouse.delta import Lake
from warehouse.findings import Finding, Kind
from warehouse.ledger import REFUSED


def reconcile(lake: Lake, tables: Sequence[Table], settled_before: datetime) -> list[Finding]:
    """Batches whose rows in bronze or quarantine are not those of the ledger; a table that cannot be read is left to
    its other findings. Rows landed later than `settled_before` may still be on their way to the ledger."""
    ledger = read(lambda: lake.scan(LEDGER))
    if ledger is None:
        return []
    findings = list(_repeated(ledger)) if LEDGER in tables else []
    for contract in BRONZE:
        mine = ledger.filter(pl.col("contract") == contract).unique("batch_id")
        whole = pl.col("status") == REFUSED
        wanted = (
            (BRONZE[contract], "landed_at", pl.when(whole).then(0).otherwise("rows_landed")),
            # A file refused as a whole is one line of quarantine.
            (QUARANTINE[contract], "refused_at", pl.when(whole).then(1).otherwise("rows_refused")),
        )
        for table, moment, rows in wanted:
            if table in tables:
                expected = mine.select("batch_id", expected=rows)
                findings += _compared(lake, table, moment, expected, settled_before)
    return findings


def _compared(
    lake: Lake, table: Table, moment: str, expected: pl.DataFrame, settled_before: datetime
) -> Iterator[Finding]:
    held = read(lambda: lake.scan(table).group_by("batch_id").agg(held=pl.len(), at=pl.col(moment).max()))
    if held is None:
        return
    both = expected.join(held, on="batch_id", how="full", coalesce=True).sort("batch_id")
    for batch, rows, there, at in both.select("batch_id", "expected", pl.col("held").fill_null(0), "at").iter_rows():
        if rows is None:
            if at < settled_before:
                yield Finding(Kind.UNACCOUNTED, table.name, batch=batch, detail=f"{there:,} rows")
        elif rows != there:
            detail = f"{there:,} rows, the ledger says {rows:,}"
            yield Finding(Kind.DRIFTED_ROWS, table.name, batch=batch, detail=detail)


def _repeated(ledger: pl.DataFrame) -> Iterator[Finding]:
    twice = ledger.group_by("batch_id", "contract").len().filter(pl.col("len") > 1).sort("batch_id", "contract")
    for batch, contract, count in twice.iter_rows():
        yield Finding(Kind.DRIFTED_ROWS, LEDGER.name, batch=batch, detail=f"{count} rows for {contract}, one is due")


def read(rows: Callable[[], pl.LazyFrame]) -> pl.DataFrame | None:
    """Rows of a table; None where it cannot be read, which its other findings tell."""
    try:
        return rows().collect()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # The Delta library panics on some damage, which is no Exception.
        return None

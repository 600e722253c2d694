"""Sides of `bench landing`: one CSV into the lake, and the same CSV into Parquet by Polars' own streaming engine."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.harness import Settings
from benchmarks.trials import Side, Usage

OURS, POLARS = "ours", "polars"


def ours(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """Land the file into a lake of its own; figures are what the ledger and the tables say."""
    from datetime import UTC, datetime

    import polars as pl

    from benchmarks.declaration_lines import dialect
    from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
    from warehouse.delivery import delivery
    from warehouse.delta import Lake
    from warehouse.landing import land

    layout, lake = dialect(), Lake(str(folder / "lake"))
    at = datetime(2025, 3, 4, 2, tzinfo=UTC)
    with usage:
        given = delivery(
            Path(str(settings["file"])),
            agency="bench-customs",
            domain="customs",
            dataset="declarations",
            jurisdiction="XB",
            dialect=layout,
            arrived_on=at.date(),
        )
        for _ in land(lake, [given], at):
            pass
    said = lake.scan(LEDGER).select("rows_read", "rows_landed", "rows_refused").sum().collect().row(0, named=True)
    held = {
        "rows_in_bronze": lake.scan(BRONZE["customs.declarations"]).select(pl.len()).collect().item(),
        "rows_in_quarantine": lake.scan(QUARANTINE["customs.declarations"]).select(pl.len()).collect().item(),
    }
    return {**{name: int(value) for name, value in said.items()}, **held}


def polars(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """`scan_csv(file).sink_parquet(...)`: types inferred, nothing checked."""
    import polars as pl

    with usage:
        pl.scan_csv(str(settings["file"])).sink_parquet(folder / "out.parquet")
    return {"rows_read": pl.scan_parquet(folder / "out.parquet").select(pl.len()).collect().item()}


SIDES: dict[str, Side] = {OURS: ours, POLARS: polars}

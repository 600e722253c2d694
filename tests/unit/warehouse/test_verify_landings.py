"""Verifying what was landed: rows are as many as the ledger says, batch by batch."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from agency import DECLARATION, deliver, landed, write
from damage import folder, found, kinds, reached

from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, TABLES, Table
from warehouse.delta import Lake
from warehouse.findings import Kind

DECLARATIONS, QUARANTINED = BRONZE["customs.declarations"], QUARANTINE["customs.declarations"]


@pytest.fixture(params=["disk", "object-store"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    return reached(tmp_path / "lake", tmp_path / "home" / "anchors", by_object_store=request.param == "object-store")


def land_three(lake: Lake, tmp_path: Path) -> None:
    bad = DECLARATION | {"HS": "none", "DECL_NO": "X"}
    for name in "ABC":
        landed(lake, deliver(write(tmp_path / f"declarations-{name}.csv", [DECLARATION | {"DECL_NO": name}, bad])))
        bad = bad | {"DECL_NO": f"X{name}"}


def test_a_landing_gives_no_finding_and_the_ledger_is_covered_like_any_table(lake: Lake, tmp_path: Path) -> None:
    land_three(lake, tmp_path)
    broken = tmp_path / "declarations-D.csv"
    broken.write_text("no header\n")
    landed(lake, deliver(broken))
    assert found(lake, *TABLES.values(), deep=True) == []
    (folder(lake, LEDGER) / "_delta_log" / f"{4:020d}.json").unlink()
    assert (Kind.LOST_COMMIT, 4) in kinds(found(lake, LEDGER))


def _without_line(lake: Lake, table: Table, **options: object) -> None:
    """A whole, well-made commit of ours that loses a row: only counting finds it."""
    held = lake.scan(table).collect()
    lake.replace_days(table, held.head(held.height - 1), held["received_on"].unique().to_list())


@pytest.mark.parametrize("table", [DECLARATIONS, QUARANTINED], ids=lambda table: table.layer)
def test_rows_that_drift_from_the_ledger_are_found_by_the_deep_look(lake: Lake, tmp_path: Path, table: Table) -> None:
    land_three(lake, tmp_path)
    _without_line(lake, table)
    assert found(lake, *TABLES.values()) == []
    (finding,) = found(lake, *TABLES.values(), deep=True)
    assert (finding.kind, finding.table) == (Kind.DRIFTED_ROWS, table.name)
    assert finding.detail == "0 rows, the ledger says 1"
    assert finding.batch in set(lake.scan(LEDGER).collect()["batch_id"])


def test_rows_landed_twice_are_found_by_the_deep_look(lake: Lake, tmp_path: Path) -> None:
    land_three(lake, tmp_path)
    lake.append(DECLARATIONS, lake.scan(DECLARATIONS).collect().head(1))
    lake.append(LEDGER, lake.scan(LEDGER).collect().head(1))
    findings = found(lake, *TABLES.values(), deep=True)
    assert sorted((finding.kind, finding.table, finding.detail) for finding in findings) == [
        (Kind.DRIFTED_ROWS, DECLARATIONS.name, "2 rows, the ledger says 1"),
        (Kind.DRIFTED_ROWS, LEDGER.name, "2 rows for customs.declarations, one is due"),
    ]


def test_a_batch_that_the_ledger_does_not_know_is_found_once_its_landing_has_stopped(
    lake: Lake, tmp_path: Path
) -> None:
    land_three(lake, tmp_path)
    held = lake.scan(DECLARATIONS).collect().head(1)
    lake.append(DECLARATIONS, held.with_columns(batch_id=pl.lit("stopped")))
    assert {(f.kind, f.batch) for f in found(lake, DECLARATIONS, deep=True)} == {(Kind.UNACCOUNTED, "stopped")}
    at: Iterator[datetime] = iter([held["landed_at"].item()])
    assert found(lake, DECLARATIONS, deep=True, now=next(at)) == []

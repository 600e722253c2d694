"""Repairing landed tables: their rows land again from the archive, each once."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from agency import DECLARATION, deliver, landed, write
from damage import flip, folder, found, live_file
from deltalake import DeltaTable
from polars.testing import assert_frame_equal
from repairs import repaired
from test_delta import DAYS

from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, TABLES, Table
from warehouse.delivery import Delivery, file_sha256
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.findings import Kind

DECLARATIONS, QUARANTINED = BRONZE["customs.declarations"], QUARANTINE["customs.declarations"]
BAD = DECLARATION | {"HS": "none"}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"), anchors=tmp_path / "home" / "anchors")


@pytest.fixture
def files(lake: Lake, tmp_path: Path) -> dict[str, Path]:
    """Three files landed, with a refused row each, by their hash."""
    made = {}
    for at, name in enumerate("ABC"):
        records = [DECLARATION | {"DECL_NO": f"{name}{nth}"} for nth in range(3)]
        records += [BAD | {"DECL_NO": f"bad {name}"}]
        path = write(tmp_path / f"declarations-{name}.csv", records)
        landed(lake, deliver(path, on=DAYS[0]), at=datetime(2025, 3, 4, at, tzinfo=UTC))
        made[file_sha256(path)] = path
    return made


def archive(files: Mapping[str, Path]) -> Callable[[Mapping[str, Any]], Delivery | None]:
    def archived(row: Mapping[str, Any]) -> Delivery | None:
        path = files.get(row["sha256"])
        return None if path is None else deliver(path, on=DAYS[0])

    return archived


DAMAGES = pytest.mark.parametrize(
    "damage",
    [
        pytest.param(Path.unlink, id="deleted"),
        pytest.param(lambda path: os.truncate(path, 100), id="cut"),
        pytest.param(flip, id="bit-flipped"),
    ],
)


@DAMAGES
@pytest.mark.parametrize("table", [DECLARATIONS, QUARANTINED], ids=lambda table: table.layer)
def test_rows_of_a_damaged_file_land_again_from_the_archive(
    lake: Lake, files: dict[str, Path], table: Table, damage: Callable[[Path], None]
) -> None:
    before = lake.scan(table).collect()
    paths = [Path(uri) for uri in DeltaTable(str(folder(lake, table))).file_uris()]
    for path in paths[:2]:
        damage(path)
    repaired(lake, *TABLES.values(), archived=archive(files))
    assert found(lake, *TABLES.values(), deep=True) == []
    order = ["batch_id", "source_line"]
    assert_frame_equal(lake.scan(table).collect().sort(order), before.sort(order))
    if damage is not Path.unlink:
        assert len(list((Path(lake.root) / "_damaged").rglob("*.parquet"))) == 2, "set aside, not lost"


def test_rows_whose_file_is_not_in_the_archive_are_refused_by_name(lake: Lake, files: dict[str, Path]) -> None:
    victim = live_file(lake, DECLARATIONS)
    flip(victim)
    damaged = victim.read_bytes()
    steps = repaired(lake, *TABLES.values())
    assert not any(step.is_safe for step in steps)
    assert any("the archive does not hold declarations-" in step.what for step in steps)
    assert victim.read_bytes() == damaged, "nothing was changed"


def test_rows_of_a_compacted_file_land_again_too(lake: Lake, files: dict[str, Path]) -> None:
    before = lake.scan(DECLARATIONS).collect()
    lake.compact(DECLARATIONS, datetime.now(UTC))
    live_file(lake, DECLARATIONS).unlink()
    repaired(lake, *TABLES.values(), archived=archive(files))
    assert found(lake, *TABLES.values(), deep=True) == []
    order = ["batch_id", "source_line"]
    assert_frame_equal(lake.scan(DECLARATIONS).collect().sort(order), before.sort(order))


def test_rows_that_drifted_land_again_once(lake: Lake, files: dict[str, Path]) -> None:
    before = lake.scan(DECLARATIONS).collect().sort("batch_id", "source_line")
    kept = before.filter(pl.int_range(pl.len()) % 4 != 1)  # Of two batches a row is gone.
    lake.replace_days(DECLARATIONS, kept, [DAYS[0]])
    drifted = [finding for finding in found(lake, *TABLES.values(), deep=True) if finding.kind is Kind.DRIFTED_ROWS]
    assert len(drifted) == 2
    repaired(lake, *TABLES.values(), archived=archive(files))
    assert found(lake, *TABLES.values(), deep=True) == []
    assert_frame_equal(lake.scan(DECLARATIONS).collect().sort("batch_id", "source_line"), before)


def test_a_repair_stopped_before_its_rows_landed_is_finished_by_the_next(
    lake: Lake, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    live_file(lake, DECLARATIONS).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            repaired(lake, *TABLES.values(), archived=archive(files))
    assert {finding.kind for finding in found(lake, *TABLES.values(), deep=True)} == {Kind.DRIFTED_ROWS}
    repaired(lake, *TABLES.values(), archived=archive(files))
    assert found(lake, *TABLES.values(), deep=True) == []
    assert lake.scan(DECLARATIONS).collect().height == 9


def test_a_lost_last_commit_of_the_ledger_comes_back(lake: Lake, tmp_path: Path, files: dict[str, Path]) -> None:
    (folder(lake, LEDGER) / "_delta_log" / f"{3:020d}.json").unlink()
    fresh = deliver(write(tmp_path / "declarations-N.csv", [DECLARATION]), on=DAYS[0])
    again = [deliver(path, on=DAYS[0]) for path in files.values()]
    with pytest.raises(BorderlakeError, match=r"ledger\.landings: version 3"):
        landed(lake, fresh, *again)
    repaired(lake, *TABLES.values())
    findings = found(lake, *TABLES.values(), deep=True)
    assert {finding.kind for finding in findings} <= {Kind.UNACCOUNTED}
    assert lake.scan(LEDGER).collect().height == 3
    landed(lake, fresh, *again)
    assert found(lake, *TABLES.values(), deep=True) == []
    assert lake.scan(DECLARATIONS).collect().height == 10

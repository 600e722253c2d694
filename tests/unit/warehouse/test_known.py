"""Since when what landed counts: as its agency says, in row, dialect or sidecar; never by the landing clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from agency import AT, CROSSING, DECLARATION, INSPECTION, OUTCOME, declare, deliver, landed, norvale, write

from warehouse.catalog import BRONZE
from warehouse.delta import Lake

EXTRACTED = datetime(2025, 3, 9, 2, tzinfo=UTC)
FROM_THE_SIDECAR = {
    '{ sql = "CASE WHEN \\"AMENDED\\" IS NULL THEN lodged ELSE amended END" }': "{ manifest = 'extracted_at' }"
}
LODGED = datetime(2025, 3, 3, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dataset", "record", "changes", "known"),
    [
        pytest.param("declarations", DECLARATION, {}, LODGED, id="a-declaration-is-in-its-system-when-lodged"),
        pytest.param(
            "declarations", DECLARATION | {"AMENDED": "05.03.2025 10:15:00"}, {},
            datetime(2025, 3, 5, 9, 15, tzinfo=UTC), id="an-amendment-when-made",
        ),
        pytest.param(
            "declarations", DECLARATION, FROM_THE_SIDECAR, EXTRACTED,
            id="where-the-dialect-takes-the-sidecar-s-a-late-file-counts-from-its-extract",
        ),
        pytest.param(
            "inspections", INSPECTION, {}, datetime(2025, 3, 10, 8, tzinfo=UTC), id="an-inspection-when-reported"
        ),
        pytest.param(
            "outcomes", OUTCOME, {}, datetime(2025, 3, 5, 9, 30, tzinfo=UTC), id="an-outcome-when-reported"
        ),
        pytest.param(
            "crossings", CROSSING | {"recorded_at": "2025-03-06T10:16:00+01:00"}, {},
            datetime(2025, 3, 6, 9, 16, tzinfo=UTC), id="a-crossing-when-recorded",
        ),
    ],
)  # fmt: skip
def test_a_row_of_a_file_that_came_days_late_counts_from_when_its_agency_says(
    lake: Lake, tmp_path: Path, dataset: str, record: Mapping[str, object], changes: dict[str, str], known: datetime
) -> None:
    suffix = "ndjson" if dataset in ("inspections", "outcomes") else "csv"
    path = write(tmp_path / f"{dataset}-1.{suffix}", [record])
    declare(path, extracted_at=EXTRACTED.isoformat())
    (account,) = landed(lake, deliver(path, norvale(2, changes)), at=AT)
    row = lake.scan(BRONZE[account.contract.name]).collect().row(0, named=True)
    assert (account.rows_landed, row["known_at"], row["received_on"]) == (1, known, EXTRACTED.date())
    assert row["landed_at"] == AT

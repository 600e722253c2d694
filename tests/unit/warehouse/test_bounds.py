"""Bounds of a file's times, by which readers pass it over: the same wherever the machine stands that writes it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from deltalake import DeltaTable

from warehouse.catalog import Table
from warehouse.delta import Lake

NOON = datetime(2026, 3, 1, 12)
TABLE = Table(
    name="silver.examples",
    description="Examples.",
    columns={
        "event_id": dy.String(),
        "at": dy.Datetime(time_unit="us", time_zone="UTC"),
        "local_at": dy.Datetime(time_unit="us"),
    },
    key=("event_id",),
    owner="platform",
)


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    """A lake with a row of noon, written where the machine keeps its own time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        made = Lake(str(tmp_path / "lake"))
        noon = {"event_id": ["a"], "at": [NOON.replace(tzinfo=UTC)], "local_at": [NOON]}
        made.append(TABLE, pl.DataFrame(noon, schema=TABLE.dtypes))
        yield made
    time.tzset()


def test_a_time_is_found_by_its_own_value(lake: Lake) -> None:
    for name, noon in (("at", NOON.replace(tzinfo=UTC)), ("local_at", NOON)):
        rows = lake.scan(TABLE)
        assert rows.filter(pl.col(name) == noon).collect().height == 1, name
        assert rows.filter(pl.col(name) > noon - timedelta(seconds=1)).collect().height == 1, name


def test_bounds_are_the_rows_own(lake: Lake) -> None:
    (told,) = pl.DataFrame(DeltaTable(lake.uri(TABLE)).get_add_actions(flatten=True)).to_dicts()
    for end in ("min", "max"):
        assert told[f"{end}.at"] == NOON.replace(tzinfo=UTC)
        assert told[f"{end}.local_at"] == NOON

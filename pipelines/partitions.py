"""Partitions: one a day of delivery. A partition is what arrived that day, and everything that follows from it."""

import os
from collections.abc import Sequence
from datetime import date, datetime

import dagster as dg

FIRST_DAY_VARIABLE = "BORDERLAKE_FIRST_DAY"

days_of_delivery = dg.DailyPartitionsDefinition(
    start_date=os.environ.get(FIRST_DAY_VARIABLE, "2025-01-01"), end_offset=1
)
"""From `BORDERLAKE_FIRST_DAY` to today, today included: its deliveries are worked on while they come."""

BACKFILL = dg.BackfillPolicy.single_run()
"""A range of days is one run: the steps take many days at the price of a few commits."""


def first_day() -> date:
    """The first partition; what was delivered earlier belongs to it."""
    return days_of_delivery.start.date()


def partition_of(received_on: date) -> str:
    """The partition a delivery belongs to."""
    return max(received_on, first_day()).isoformat()


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of the run's partitions."""
    return [datetime.fromisoformat(key).date() for key in context.partition_keys]


def range_tags(days: Sequence[date]) -> dict[str, str]:
    """Run tags that select a range of partitions."""
    return {
        "dagster/asset_partition_range_start": partition_of(min(days)),
        "dagster/asset_partition_range_end": partition_of(max(days)),
    }


def blocks(days: Sequence[date]) -> list[list[date]]:
    """Days as runs of neighbours: a range of partitions has no holes, and each costs."""
    found: list[list[date]] = []
    for day in sorted(set(days)):
        if found and (day - found[-1][-1]).days == 1:
            found[-1].append(day)
        else:
            found.append([day])
    return found

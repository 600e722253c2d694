"""Repairs as they are planned, carried out one by one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from damage import LATER, found
from test_delta import EVENTS

from warehouse.catalog import TABLES, Table
from warehouse.delivery import Delivery
from warehouse.delta import Lake
from warehouse.repair import Step, Workshop


def nothing_archived(_: Mapping[str, Any]) -> Delivery | None:
    return None


def repaired(
    lake: Lake,
    *tables: Table,
    archived: Callable[[Mapping[str, Any]], Delivery | None] = nothing_archived,
    now: datetime = LATER,
) -> list[Step]:
    steps = []
    for step in Workshop(lake, now, archived, TABLES | {EVENTS.name: EVENTS}).plan(
        found(lake, *tables, deep=True, now=now)
    ):
        if step.run is not None:
            step.run()
        steps.append(step)
    return steps

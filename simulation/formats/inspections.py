"""Norvale customs' inspection reports: NDJSON, one object an inspected goods item."""

from __future__ import annotations

import polars as pl

from simulation.formats.text import iso_offset


def layout(found: pl.DataFrame) -> pl.DataFrame:
    """The objects' fields, in the agency's order; an amount is euros."""
    return found.select(
        declarationNumber="decl_no",
        itemNumber="item_no",
        inspectedAt=iso_offset("inspected_at"),
        reportedAt=iso_offset("at"),
        selection="selection",
        selectionProbability="probability",
        result=pl.when("irregular").then(pl.lit("irregular")).otherwise(pl.lit("conform")),
        infringement="kind",
        additionalDuty="amount",
        currency=pl.lit("EUR"),
        officer="officer",
    )

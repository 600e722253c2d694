"""Norvale immigration's secondary examinations: NDJSON, one object an examined crossing."""

from __future__ import annotations

import polars as pl

from simulation.formats.text import iso_offset


def layout(outcomes: pl.DataFrame) -> pl.DataFrame:
    """The objects' fields, in the agency's order."""
    return outcomes.select(
        crossingId="crossing_id",
        selection="selection",
        selectionProbability="probability",
        result=pl.when("adverse").then(pl.lit("adverse")).otherwise(pl.lit("cleared")),
        finding="finding",
        examinedAt=iso_offset("examined_at"),
        reportedAt=iso_offset("at"),
        officer="officer",
    )

"""Debrief: what the lanes found of the illicit traffic that a simulated world had planted."""

from pathlib import Path
from typing import Any

import polars as pl

from models.spec import ModelSpec
from pipelines import flows
from pipelines.deployment import Deployment
from pipelines.truth import planted_events

LOOKED_AT = ("red", "yellow")


def found_by_kind(deployment: Deployment, spec: ModelSpec, truth: Path) -> list[dict[str, Any]]:
    """By kind of illicit act, on days the model never saw: how many there were, and how many were in a lane that
    is looked at; the last row is all events, so that chance can be seen. Empty where there is no truth."""
    planted = planted_events(deployment, spec, truth)
    if planted is None:
        return []
    unseen = deployment.lake.scan(flows.score_table(spec)).filter(~pl.col("in_training")).select("score_id")
    lanes = deployment.lake.scan(flows.selection_table(spec)).join(unseen, on="score_id", how="semi")
    judged = (
        lanes.join(planted, on=["event_id", "event_version"])
        .select("is_illicit", "kind", is_looked_at=pl.col("lane").is_in(LOOKED_AT))
        .collect()
    )
    counts = (pl.len().alias("events"), pl.col("is_looked_at").sum().alias("looked_at"))
    by_kind = judged.filter("is_illicit").group_by("kind").agg(counts).sort("kind").to_dicts()
    illicit = judged.filter("is_illicit").select(pl.lit("all illicit").alias("kind"), *counts).to_dicts()
    everyone = judged.select(pl.lit("all events").alias("kind"), *counts).to_dicts()
    return [*by_kind, *illicit, *everyone]

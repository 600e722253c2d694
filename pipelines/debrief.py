"""Debrief: what the lanes found of the illicit traffic that a simulated world had planted.

Reads the truth of a simulation, which nothing on the road ever does.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from models.spec import ModelSpec
from pipelines import flows
from pipelines.deployment import Deployment

LOOKED_AT = ("red", "yellow")


@dataclass(frozen=True)
class Key:
    """How a truth file names an event: its columns, and the silver columns they equal."""

    file: str
    truth: tuple[str, ...]
    silver: tuple[str, ...]


_KEYS = {
    "shipments": Key(
        "shipments.parquet", ("declaration_number", "item_number"), ("declaration_id", "goods_item_number")
    ),
    "crossings": Key("crossings.parquet", ("crossing_id",), ("crossing_id",)),
}


def found_by_kind(deployment: Deployment, spec: ModelSpec, truth: Path) -> list[dict[str, Any]]:
    """By kind of illicit act, on days the model never saw: how many there were, and how many were in a lane that
    is looked at; the last row is all events, so that chance can be seen. Empty where there is no truth."""
    key = _KEYS[spec.subject]
    if not (truth / key.file).exists():
        return []
    planted = pl.scan_parquet(truth / key.file).select(*key.truth, "is_illicit", "kind")
    planted = planted.rename(dict(zip(key.truth, key.silver, strict=True)))
    current = deployment.lake.scan(flows.SUBJECT_TABLES[spec.subject]).filter(pl.col("superseded_at").is_null())
    events = current.select("event_id", "event_version", *key.silver).with_columns(
        pl.col(name).cast(dtype) for name, dtype in planted.select(key.silver).collect_schema().items()
    )
    unseen = deployment.lake.scan(flows.score_table(spec)).filter(~pl.col("in_training")).select("score_id")
    lanes = deployment.lake.scan(flows.selection_table(spec)).join(unseen, on="score_id", how="semi")
    judged = (
        lanes.join(events, on=["event_id", "event_version"])
        .join(planted, on=list(key.silver), how="left")
        .select(
            is_illicit=pl.col("is_illicit").fill_null(False),
            kind="kind",
            is_looked_at=pl.col("lane").is_in(LOOKED_AT),
        )
        .collect()
    )
    counts = (pl.len().alias("events"), pl.col("is_looked_at").sum().alias("looked_at"))
    by_kind = judged.filter("is_illicit").group_by("kind").agg(counts).sort("kind").to_dicts()
    illicit = judged.filter("is_illicit").select(pl.lit("all illicit").alias("kind"), *counts).to_dicts()
    everyone = judged.select(pl.lit("all events").alias("kind"), *counts).to_dicts()
    return [*by_kind, *illicit, *everyone]

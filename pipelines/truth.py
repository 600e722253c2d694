"""The truth of a simulated world, tied to the events of the lake. For judges only: nothing on the road reads it."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from models.spec import ModelSpec
from pipelines import flows
from pipelines.deployment import Deployment


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
_FACTS = {"is_illicit": pl.Boolean, "kind": pl.String, "ring": pl.Int64, "recoverable_eur": pl.Float64}


def planted_events(deployment: Deployment, spec: ModelSpec, truth: Path) -> pl.LazyFrame | None:
    """What is true of each current event of a subject: `event_id`, `event_version`, `is_illicit`, `kind`, `ring` and
    `recoverable_eur` (null where the truth does not say). None where there is no truth."""
    key = _KEYS[spec.subject]
    if not (truth / key.file).exists():
        return None
    written = pl.scan_parquet(truth / key.file)
    offered = written.collect_schema().names()
    facts = [
        (pl.col(name) if name in offered else pl.lit(None)).cast(dtype).alias(name) for name, dtype in _FACTS.items()
    ]
    planted = written.select(*key.truth, *facts).rename(dict(zip(key.truth, key.silver, strict=True)))
    current = deployment.lake.scan(flows.SUBJECT_TABLES[spec.subject]).filter(pl.col("superseded_at").is_null())
    events = current.select("event_id", "event_version", *key.silver).with_columns(
        pl.col(name).cast(dtype) for name, dtype in planted.select(key.silver).collect_schema().items()
    )
    return (
        events.join(planted, on=list(key.silver), how="left")
        .with_columns(pl.col("is_illicit").fill_null(False))
        .drop(key.silver)
    )

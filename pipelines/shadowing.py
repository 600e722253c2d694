"""The step that lets the challenger score what the champion has scored, and the comparison that an asset page shows."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import polars as pl

from models import shadow
from models.shadow import Comparison
from models.spec import ModelSpec
from models.tracking import CHALLENGER, CHAMPION, Registered
from pipelines.deployment import Deployment
from pipelines.flows import score_table, stored_vectors
from pipelines.lifecycle import capacity_of
from warehouse import catalog
from warehouse.catalog import Table
from warehouse.errors import NotReady

_KEYS = ["event_id", "event_version"]


def shadow_table(spec: ModelSpec) -> Table:
    """`gold.shipment_shadow_scores` or `gold.crossing_shadow_scores`."""
    return catalog.table_of(f"gold.{spec.outcome}_shadow_scores")


def challenger_of(deployment: Deployment, spec: ModelSpec) -> Registered | None:
    """The challenger, where there is one that is not champion as well."""
    aliases = [set(one.aliases) for one in deployment.registry.versions(spec.name)]
    if not any(CHALLENGER in these and CHAMPION not in these for these in aliases):
        return None
    return deployment.registry.load(spec.name, CHALLENGER)


def score_in_shadow(
    deployment: Deployment, spec: ModelSpec, challenger: Registered, days: Sequence[date], scored_at: datetime
) -> int:
    """Let the challenger score the events of `days` that the champion has scored and it has not; returns how many."""
    waiting = unshadowed(deployment, spec, challenger, days).collect()
    if waiting.is_empty():
        return 0
    champion = deployment.registry.load(spec.name)
    vectors = stored_vectors(deployment, deployment.subject(spec.subject), days)
    fresh = vectors.join(waiting, on=_KEYS, how="semi", maintain_order="left")
    if fresh.is_empty():
        raise NotReady(f"{spec.name}: the vectors of {waiting.height:,} scored events are gone; compute features again")
    scored = shadow.score(challenger.model, challenger.version, champion.version, fresh, scored_at)
    deployment.lake.append(shadow_table(spec), scored.sort("event_date", "event_at", *_KEYS))
    return scored.height


def unshadowed(deployment: Deployment, spec: ModelSpec, challenger: Registered, days: Sequence[date]) -> pl.LazyFrame:
    """Keys of the events of `days` that the champion has scored and the challenger has not."""
    champion = deployment.registry.load(spec.name)
    of_days = pl.col("received_on").is_in(list(days))
    scored = deployment.lake.scan(score_table(spec)).filter(of_days & (pl.col("model_version") == champion.version))
    done = deployment.lake.scan(shadow_table(spec)).filter(of_days & (pl.col("model_version") == challenger.version))
    return scored.select(_KEYS).join(done.select(_KEYS), on=_KEYS, how="anti")


def recent_pairs(deployment: Deployment, spec: ModelSpec, challenger: Registered, days: int = 30) -> pl.DataFrame:
    """What champion and challenger say of the events of the last `days` of delivery, with outcomes known by now."""
    champion = deployment.registry.load(spec.name)
    theirs = deployment.lake.scan(shadow_table(spec)).filter(pl.col("model_version") == challenger.version)
    last = theirs.select(pl.col("received_on").max()).collect().item()
    recent = pl.col("received_on") > (last - timedelta(days=days) if last else date.max)
    ours = deployment.lake.scan(score_table(spec)).filter(recent & (pl.col("model_version") == champion.version))
    outcomes = deployment.lake.scan(catalog.OUTCOMES).filter(
        (pl.col("subject_kind") == spec.outcome) & pl.col("superseded_at").is_null()
    )
    known = outcomes.group_by("subject_id").agg(pl.col("is_adverse").max())
    pairs = ours.join(theirs.filter(recent), on=_KEYS, how="inner", suffix="_shadow").join(
        known, left_on="event_id", right_on="subject_id", how="left"
    )
    return pairs.select(
        *_KEYS,
        "location",
        "received_on",
        "is_adverse",
        in_training=pl.col("in_training") | pl.col("in_training_shadow"),
        champion=pl.col("raw_score"),
        challenger=pl.col("raw_score_shadow"),
        champion_probability=pl.col("probability"),
        challenger_probability=pl.col("probability_shadow"),
    ).collect()


def comparison(deployment: Deployment, spec: ModelSpec, pairs: pl.DataFrame) -> Comparison:
    """How the two differ at the deployment's capacity."""
    return shadow.compare(pairs, capacity_of(deployment, spec))

"""Deciding: officers' dispositions in the lake, and the rows by which lanes are judged. Free of the orchestrator.

What a disposition is, and what it counts for, is `models.dispositions`; estimates are `models.estimators`.
"""

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from models import dispositions, estimators
from models.catalogue import MODELS
from models.spec import ModelSpec
from pipelines.deployment import Deployment
from pipelines.flows import score_table, selection_table
from warehouse import catalog, recalls, vault
from warehouse.delta import Upon
from warehouse.errors import BorderlakeError, NotReady

DISPOSITIONS = catalog.table_of("gold.dispositions")
_LEAST_DIGITS = 8
"""Of an abbreviated score id."""
_OF_SCORE = ("raw_score", "probability", "expected_recovery", "recovery_currency", "in_training")


def record(
    deployment: Deployment, score_id: str, *, officer: str, action: str, reason: str, decided_at: datetime
) -> dict[str, object]:
    """Append an officer's decision on a score and return it. `officer` is the agency's own id; only a keyed id of it
    is kept. Raises on an unknown score, one withdrawn by then, an unknown action, an empty reason, or a decision before
    the last one."""
    spec, advice = advised(deployment, score_id)
    _refuse_withdrawn(deployment, str(advice["score_id"]), decided_at)
    if not officer.strip():
        raise BorderlakeError("a decision needs an officer; nothing was recorded. Say who with --officer")
    row = dispositions.disposition(
        advice,
        model_name=spec.name,
        action=action,
        officer_id=officer_id(deployment, officer),
        reason=reason,
        decided_at=decided_at,
    )

    def upon(recorded: pl.LazyFrame) -> pl.DataFrame:
        of_score = recorded.filter(pl.col("score_id") == row["score_id"])
        latest = of_score.select(pl.col("decided_at").max()).collect().item()
        if latest is not None and latest >= decided_at:
            raise BorderlakeError(
                f"a decision of {latest:%Y-%m-%d %H:%M} UTC is recorded already; a later one takes its place, "
                "an earlier one cannot"
            )
        return pl.DataFrame([{name: row[name] for name in DISPOSITIONS.dtypes}], DISPOSITIONS.dtypes)

    deployment.lake.append(DISPOSITIONS, Upon(upon))
    return row


def advised(deployment: Deployment, score_id: str) -> tuple[ModelSpec, dict[str, object]]:
    """The model and the row of `gold.*_selections` of a score, by its id or the beginning of it."""
    if len(score_id) >= _LEAST_DIGITS:
        begins = pl.col("score_id").str.starts_with(score_id)
        rows = [
            (spec, row)
            for spec in MODELS.values()
            for row in deployment.lake.scan(selection_table(spec)).filter(begins).head(2).collect().to_dicts()
        ]
        if len(rows) == 1:
            return rows[0]
        if rows:
            raise BorderlakeError("several scores begin like that; give more of the score id")
    raise BorderlakeError(
        "no score has that id, so nothing was recorded. Ids (at least their first 8 digits) are in: borderlake select "
        "--date DAY, or borderlake show gold.shipment_selections"
    )


def _refuse_withdrawn(deployment: Deployment, score_id: str, decided_at: datetime) -> None:
    withdrawn = recalls.recalled(deployment.lake, score_id)
    if withdrawn is not None and withdrawn["recalled_at"] <= decided_at:
        raise BorderlakeError(
            f"the score was withdrawn on {withdrawn['recalled_at']:%Y-%m-%d %H:%M} UTC by {withdrawn['recalled_by']} "
            f"({withdrawn['reason']}), so nothing was recorded; what was decided before then is recorded with its time"
        )


def officer_id(deployment: Deployment, officer: str) -> str:
    """The keyed id of an officer."""
    value = vault.normalised([pl.lit(officer)])
    keyed: str = pl.select(vault.keyed_id("officer", value, deployment.vault_key)).item()
    return keyed


def recorded(deployment: Deployment, spec: ModelSpec | None = None) -> pl.LazyFrame:
    """Every disposition, or those on the advice of one model; the earlier ones of a score too."""
    every = deployment.lake.scan(DISPOSITIONS)
    return every if spec is None else every.filter(pl.col("model_name") == spec.name)


def selections_with_outcomes(
    deployment: Deployment, spec: ModelSpec, days: Sequence[date], known_by: datetime, version: int | None = None
) -> pl.DataFrame:
    """Selections of days of delivery with score, decision and the outcome known by a moment, ready for estimates.

    Those of one model version; without one, of each event version the first, which is the advice that was given then.
    """
    of_days = pl.col("received_on").is_in(list(days))
    of_version = pl.lit(value=True) if version is None else pl.col("model_version") == version
    scores = deployment.lake.scan(score_table(spec)).filter(of_days)
    placed = deployment.lake.scan(selection_table(spec)).filter(of_days & of_version)
    lanes = placed.sort("scored_at", "model_version").unique(
        ["event_id", "event_version"], keep="first", maintain_order=True
    )
    return (
        dispositions.with_decisions(lanes, recorded(deployment, spec))
        .join(scores.select("score_id", *_OF_SCORE), on="score_id")
        .join(outcomes(deployment, spec, known_by), on="event_id", how="left")
        .with_columns(**estimators.designed())
        .collect()
    )


def no_scores(deployment: Deployment, spec: ModelSpec, when: str) -> NotReady:
    """That a model has no scores `when`, and where there are some, or how they are made."""
    day = pl.col("received_on")
    first, last = deployment.lake.scan(score_table(spec)).select(day.min(), last=day.max()).collect().row(0)
    if first is not None:
        return NotReady(f"{spec.name} has no scores {when}; scores are there from {first} to {last}")
    trained = deployment.registry.has(spec.name)
    make = "borderlake score" if trained else f"borderlake train {spec.name}, then borderlake score"
    return NotReady(f"{spec.name} has no scores {when}, for nothing has been scored yet; run: {make}")


def outcomes(deployment: Deployment, spec: ModelSpec, known_by: datetime) -> pl.LazyFrame:
    """Of each event the outcome as it stood at a moment: `event_id`, `is_adverse`, what made officers look, and what it
    brought (`recovered`, `recovered_in`)."""
    known = pl.col("known_at") <= known_by
    stands = pl.col("superseded_at").is_null() | (pl.col("superseded_at") > known_by)
    return (
        deployment.lake.scan(catalog.OUTCOMES)
        .filter((pl.col("subject_kind") == spec.outcome) & known & stands)
        .sort("known_at", "is_adverse")
        .unique("subject_id", keep="last", maintain_order=True)
        .select(
            "is_adverse",
            "selection",
            "selection_probability",
            event_id="subject_id",
            outcome_known_at="known_at",
            recovered=pl.col("additional_duty").cast(pl.Float64),
            recovered_in="currency",
        )
    )

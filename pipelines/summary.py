"""The closing summary of a demo: what came in, how good the models are, what the lanes hold, what is riskiest."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from models import card_evidence
from models.capacity import LANES
from models.catalogue import MODELS
from models.explanation import spoken
from models.spec import ModelSpec
from pipelines import flows
from pipelines.cli.listing import Listing
from pipelines.cli.output import table
from pipelines.debrief import found_by_kind
from pipelines.deployment import Deployment
from warehouse.catalog import LEDGER, OUTCOMES
from warehouse.recalls import standing

_SHOWN = 5
_FIGURES = ("auc", "ap", "precision_at_5", "recall_at_5", "recall_at_10", "calibration_slope")


def summarise(deployment: Deployment) -> dict[str, Any]:
    """Everything the tables show, as plain data."""
    return {
        "landing": _landing(deployment),
        "models": {spec.name: _model(deployment, spec) for spec in MODELS.values()},
        "lanes": {spec.name: lane_counts(deployment, spec) for spec in MODELS.values()},
        "found": {
            spec.name: found_by_kind(deployment, spec, deployment.settings.home / "truth") for spec in MODELS.values()
        },
        "riskiest": {spec.name: riskiest(deployment, spec) for spec in MODELS.values()},
    }


def tables(found: Mapping[str, Any]) -> Iterator[Listing]:
    """The summary as tables for a terminal."""
    models = found["models"]
    yield table(
        "What came in",
        ("dataset", "files", "rows read", "landed", "refused"),
        [(row["contract"], row["files"], row["read"], row["landed"], row["refused"]) for row in found["landing"]],
    )
    yield table(
        "How good the models are, on days they never saw (95 % intervals)",
        ("figure", *(f"{name} v{model['version']}" for name, model in models.items())),
        [
            (card_evidence.spoken(one), *(_interval(model["figures"], one) for model in models.values()))
            for one in _FIGURES
        ],
    )
    yield table(
        "Lanes of those days, and what inspections of them have found so far",
        ("model", "lane", "events", "inspected", "irregular"),
        [
            (name, lane["lane"], lane["events"], lane["known"], lane["adverse"])
            for name, lanes in found["lanes"].items()
            for lane in lanes
        ],
    )
    yield table(
        "What the red and yellow lanes found of the illicit traffic planted in those days (the truth is never landed)",
        ("model", "kind", "events", "looked at", "share"),
        [
            (name, row["kind"], row["events"], row["looked_at"], f"{row['looked_at'] / max(row['events'], 1):.0%}")
            for name, rows in found["found"].items()
            for row in rows
        ],
    )
    for name, rows in found["riskiest"].items():
        yield table(
            f"Riskiest by {name}, on days the model never saw",
            ("event", "when", "where", "risk", "reasons"),
            [
                (
                    row["event_id"][:12],
                    row["event_at"],
                    row["location"],
                    f"{row['probability']:.0%}",
                    "\n".join(row["reasons"]),
                )
                for row in rows
            ],
        )


def _landing(deployment: Deployment) -> list[dict[str, Any]]:
    return (
        deployment.lake.scan(LEDGER)
        .group_by("contract")
        .agg(
            files=pl.col("batch_id").n_unique(),
            read=pl.col("rows_read").sum(),
            landed=pl.col("rows_landed").sum(),
            refused=pl.col("rows_refused").sum(),
        )
        .sort("contract")
        .collect()
        .to_dicts()
    )


def _model(deployment: Deployment, spec: ModelSpec) -> dict[str, Any]:
    champion = deployment.registry.load(spec.name)
    return {"version": champion.version, "figures": dict(champion.figures)}


def lane_counts(deployment: Deployment, spec: ModelSpec) -> list[dict[str, Any]]:
    """Lanes of the days that only judge, with what has become known of their events."""
    lake = deployment.lake
    unseen = standing(lake, flows.score_table(spec)).filter(~pl.col("in_training")).select("score_id")
    selections = lake.scan(flows.selection_table(spec)).join(unseen, on="score_id", how="semi")
    outcomes = (
        lake.scan(OUTCOMES)
        .filter((pl.col("subject_kind") == spec.outcome) & pl.col("superseded_at").is_null())
        .select(event_id="subject_id", is_adverse="is_adverse")
    )
    counted = (
        selections.join(outcomes, on="event_id", how="left")
        .group_by("lane")
        .agg(events=pl.len(), known=pl.col("is_adverse").count(), adverse=pl.col("is_adverse").sum())
        .collect()
    )
    by_lane = {row["lane"]: row for row in counted.iter_rows(named=True)}
    nothing = {"events": 0, "known": 0, "adverse": 0}
    return [{"lane": lane, **nothing, **by_lane.get(lane, {})} for lane in LANES]


def riskiest(deployment: Deployment, spec: ModelSpec) -> list[dict[str, Any]]:
    """The riskiest events that stand, each with its reasons."""
    scores = standing(deployment.lake, flows.score_table(spec)).filter(~pl.col("in_training"))
    top = scores.sort(["probability", "event_id"], descending=[True, False]).head(_SHOWN)
    chosen = top.select("event_id", "event_at", "location", "probability", "reasons").collect()
    return [
        {
            **row,
            "event_at": f"{row['event_at']:%Y-%m-%d %H:%M}",
            "reasons": spoken(row["reasons"]),
        }
        for row in chosen.iter_rows(named=True)
    ]


def _interval(figures: Mapping[str, float], name: str) -> str:
    return f"{figures[name]:.2f} ({figures[f'{name}_low']:.2f} to {figures[f'{name}_high']:.2f})"

"""The asset of officers' decisions: the command line writes them, this step checks and shows what they say."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl

from models import dispositions, estimators
from models import pictures as model_pictures
from models.catalogue import MODELS
from models.spec import ModelSpec
from pipelines import deciding, flows, reporting
from pipelines.assets import DEPLOYMENT, OWNERS
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.pictures import embedded
from pipelines.reporting import key_of

_DAYS = 90
"""Days of delivery, up to the last scored one, that are looked back on."""
_KEY = key_of(deciding.DISPOSITIONS)


@dg.asset(
    key=_KEY,
    deps=[key_of(flows.selection_table(spec)) for spec in MODELS.values()],
    description=(
        f"{deciding.DISPOSITIONS.description} Written by `borderlake disposition record`; a score advises, an officer "
        "decides. Shows how often lanes are overridden, and what they miss."
    ),
    group_name="scores",
    owners=OWNERS["models"],
    kinds={"deltalake", "gold"},
    metadata=reporting.describe(deciding.DISPOSITIONS),
    required_resource_keys={DEPLOYMENT},
    check_specs=[
        dg.AssetCheckSpec(
            "every_disposition_has_its_score",
            asset=_KEY,
            description="Each decision is on a score that was given, says why, and keeps no officer's own id.",
        ),
        dg.AssetCheckSpec(
            "nothing_acted_on_without_disposition",
            asset=_KEY,
            description=(
                "Where officers decide on a day's events, no red or yellow event has an outcome without a decision. "
                "An outcome without one counts in no estimate of the lanes."
            ),
        ),
    ],
)
@discreet
def dispositions_asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Check the decisions, and show overrides and leakage of the last days."""
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    deployment.lake.ensure(deciding.DISPOSITIONS)
    decided = dispositions.last(deciding.recorded(deployment)).collect()
    judged = {spec.name: _judged(deployment, spec) for spec in MODELS.values()}
    return dg.MaterializeResult(
        data_version=reporting.data_version(deployment, deciding.DISPOSITIONS),
        metadata={
            "decisions": decided.height,
            "overridden": int(decided["is_override"].sum()),
            **_overrides(decided),
            **{f"what lanes miss, {name}": leakage_table(rows) for name, rows in judged.items() if rows.height},
        },
        check_results=[_bound(deployment, decided), _undecided(judged.values())],
    )


def _judged(deployment: Deployment, spec: ModelSpec) -> pl.DataFrame:
    last = deployment.lake.scan(flows.selection_table(spec)).select(pl.col("received_on").max()).collect().item()
    days = [] if last is None else list(flows.each_day(last - timedelta(days=_DAYS - 1), last))
    return deciding.selections_with_outcomes(deployment, spec, days, datetime.now(UTC))


def _overrides(decided: pl.DataFrame) -> dict[str, Any]:
    if decided.is_empty():
        return {}
    rates = dispositions.override_rates(decided)
    lines = ["| model | where | lane | decided | overridden |", "|---|---|---|--:|--:|"]
    lines += [
        f"| {row['model_name']} | {row['location'] or 'not named'} | {row['lane']} | {row['decided']:,} | "
        f"{row['share']:.0%} |"
        for row in rates.iter_rows(named=True)
    ]
    by_place = dispositions.override_rates(decided, ("location", "lane"))
    return {
        "overrides by lane and office": dg.MetadataValue.md("\n".join(lines)),
        "override rates": embedded(model_pictures.override_rates(by_place, "Overrides"), "override rates"),
    }


def leakage_table(rows: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """What each lane misses, estimated from the outcomes whose chance is known, as Markdown."""
    lines = ["| lane by risk | events | sampled, awaited | adverse (95 %) | missed (95 %) |", "|---|--:|--:|---|---|"]
    for row in estimators.leakage(rows, ["lane_by_risk"]).iter_rows(named=True):
        figures = " | ".join(_figure(row, name) for name in ("adverse", "missed"))
        counts = f"{row['events']:,} | {row['sampled']:,}, {row['awaited']:,}"
        lines.append(f"| {row['lane_by_risk'] or 'not kept'} | {counts} | {figures} |")
    return dg.MetadataValue.md("\n".join(lines))


def _figure(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "nothing is known"
    return f"{row[name]:,.0f} ({row[f'{name}_low']:,.0f} to {row[f'{name}_high']:,.0f})"


def _bound(deployment: Deployment, decided: pl.DataFrame) -> dg.AssetCheckResult:
    scan = deployment.lake.scan
    given = pl.concat(scan(flows.score_table(spec)).select("score_id") for spec in MODELS.values())
    unbound = decided.lazy().join(given, on="score_id", how="anti").select(pl.len()).collect().item()
    empty = decided.filter(pl.col("reason").str.strip_chars() == "").height
    plain = decided.filter(~pl.col("officer").str.contains("^[0-9a-f]{32}$")).height
    return dg.AssetCheckResult(
        check_name="every_disposition_has_its_score",
        asset_key=_KEY,
        passed=unbound == empty == plain == 0,
        metadata={"without a score": unbound, "without a reason": empty, "officers not keyed": plain},
    )


def _undecided(judged: Iterable[pl.DataFrame]) -> dg.AssetCheckResult:
    missing = [row for rows in judged for row in dispositions.undecided(rows).to_dicts()]
    places = sorted({f"{row['location']} {row['received_on']}" for row in missing})
    return dg.AssetCheckResult(
        check_name="nothing_acted_on_without_disposition",
        asset_key=_KEY,
        passed=not missing,
        metadata={
            "acted on without a decision": len(missing),
            "where": ", ".join(places[:20]) or "nowhere",
            "next step": "borderlake disposition record SCORE_ID, for: "
            + (", ".join(row["score_id"][:12] for row in missing[:20]) or "none"),
        },
    )


disposition_assets = [dispositions_asset]

"""Monitoring assets: each day's drift, outcomes and freshness of a model's champion, as checks that fail as alerts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import polars as pl

from models import monitoring_words as words
from models.catalogue import MODELS
from models.monitoring import CHECKS
from models.spec import ModelSpec
from pipelines import flows, monitoring, monitoring_pictures, reporting
from pipelines.assets import DAILY, DEPLOYMENT, OWNERS, RETRY
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.monitoring import MONITORING
from pipelines.partitions import BACKFILL, days_of, days_of_delivery
from pipelines.reporting import cell, key_of
from warehouse.errors import BorderlakeError

_ASKS = {
    "inputs_as_usual": "No feature of the last days, nor the number of events, lies farther from before than is usual.",
    "scores_as_usual": "The scores of the last days lie no farther from those before than is usual.",
    "outcomes_as_predicted": "Adverse outcomes over those predicted, and their share at random, are what they were.",
    "sources_are_fresh": "No table that the features rest on misses more deliveries than it usually does.",
}


def monitoring_key(spec: ModelSpec) -> dg.AssetKey:
    """`monitoring/<model>`: each model has its part of `gold.model_monitoring`."""
    return dg.AssetKey(["monitoring", spec.name])


def _monitoring(spec: ModelSpec) -> dg.AssetsDefinition:
    key = monitoring_key(spec)

    @dg.asset(
        key=key,
        deps=[key_of(flows.score_table(spec)), key_of(flows.selection_table(spec))],
        description=(
            f"{spec.title}. {MONITORING.description} A day is judged once it is over; the rows are in "
            f"{MONITORING.name}."
        ),
        group_name="monitoring",
        owners=OWNERS["models"],
        kinds={"deltalake", "polars", "gold"},
        partitions_def=days_of_delivery,
        freshness_policy=DAILY,
        backfill_policy=BACKFILL,
        retry_policy=RETRY,
        required_resource_keys={DEPLOYMENT},
        check_specs=[dg.AssetCheckSpec(name, asset=key, description=said) for name, said in _ASKS.items()],
    )
    @discreet
    def monitored(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        deployment: Deployment = getattr(context.resources, DEPLOYMENT)
        deployment.lake.ensure(MONITORING)
        try:
            written = monitoring.monitor_days(deployment, spec, days_of(context), datetime.now(UTC))
        except BorderlakeError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        if written.height:
            context.log_event(reporting.materialized(deployment, MONITORING))
        recent = monitoring.recent(deployment, spec)
        return dg.MaterializeResult(
            data_version=reporting.data_version(deployment, MONITORING),
            metadata={"days judged": written["monitored_on"].n_unique(), "rows written": written.height},
            check_results=list(results(deployment, spec, recent)),
        )

    return monitored


def results(deployment: Deployment, spec: ModelSpec, recent: pl.DataFrame) -> Iterator[dg.AssetCheckResult]:
    """The checks on the last day judged, each with its picture and, where an alert stands, with what to do."""
    features = deployment.subject(spec.subject).registry.features
    now, standing = monitoring.latest(recent), monitoring.standing(recent)
    for name, figures in CHECKS.items():
        mine = pl.col("figure").is_in(list(figures))
        alerts = standing.filter(mine)
        said = [
            f"Since {row['since']}: {words.told(row, features)}" for row in alerts.head(_TOLD).iter_rows(named=True)
        ]
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=monitoring_key(spec),
            passed=alerts.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            description=" ".join(f"{one}." for one in said) or None,
            metadata=_shown(name, recent, now.filter(mine), alerts, features),
        )


_TOLD, _ROWS = 3, 12


def _shown(name: str, recent: pl.DataFrame, now: pl.DataFrame, alerts: pl.DataFrame, features: Any) -> dict[str, Any]:
    if now.is_empty():
        return {"what is known": "no day has been judged yet: a day is judged when it is over"}
    same = ["figure", "feature"]
    quiet = monitoring.worst_first(now.join(alerts, on=same, how="anti", maintain_order="left"))
    ranked = pl.concat([alerts, quiet], how="diagonal").head(_ROWS)
    lines = ["| alert since | what, and what is usual |", "|---|---|"]
    lines += [f"| {row['since'] or ''} | {cell(words.told(row, features))} |" for row in ranked.iter_rows(named=True)]
    shown = ranked.select(same).join(recent, on=same, how="left", maintain_order="left")
    return {
        "up to": now["monitored_on"][0].isoformat(),
        "nearest to an alert": dg.MetadataValue.md("\n".join(lines)),
        "days before": monitoring_pictures.against_usual(shown, name.replace("_", " ")),
    }


monitoring_assets = [_monitoring(spec) for spec in MODELS.values()]

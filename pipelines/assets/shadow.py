"""Shadow assets: the challenger's scores of what the champion has scored, and how the two differ."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import dagster as dg

from models import pictures as model_pictures
from models.catalogue import MODELS
from models.spec import ModelSpec
from models.tracking import Registered
from pipelines import decisions, flows, pictures, reporting, shadowing
from pipelines.assets import DAILY, DEPLOYMENT, OWNERS, RETRY
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.partitions import BACKFILL, days_of, days_of_delivery
from pipelines.reporting import key_of
from warehouse.errors import BorderlakeError


def _shadow(spec: ModelSpec) -> dg.AssetsDefinition:
    table = shadowing.shadow_table(spec)
    key = key_of(table)

    @dg.asset(
        key=key,
        deps=[key_of(flows.score_table(spec))],
        description=f"{table.description} Append-only; no lane rests on it. Empty while there is no challenger.",
        group_name="scores",
        owners=OWNERS["models"],
        kinds={"deltalake", "lightgbm", "gold"},
        metadata=reporting.describe(table),
        partitions_def=days_of_delivery,
        freshness_policy=DAILY,
        backfill_policy=BACKFILL,
        retry_policy=RETRY,
        required_resource_keys={DEPLOYMENT},
        check_specs=[
            dg.AssetCheckSpec(
                "every_score_has_a_shadow",
                asset=key,
                description="What the champion has scored of the days, the challenger has scored, where there is one.",
            ),
            dg.AssetCheckSpec(
                "champion_is_the_decided_one",
                asset=key,
                description="The champion in the registry is the one that gold.model_decisions says.",
            ),
        ],
    )
    @discreet
    def shadow(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        deployment: Deployment = getattr(context.resources, DEPLOYMENT)
        days = days_of(context)
        deployment.lake.ensure(table)
        try:
            challenger = shadowing.challenger_of(deployment, spec)
            if challenger is not None:
                moment = flows.end_of(max(days), datetime.now(UTC))
                shadowing.score_in_shadow(deployment, spec, challenger, days, moment)
                _show(context, deployment, spec, challenger)
        except BorderlakeError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return dg.MaterializeResult(
            data_version=reporting.data_version(deployment, table),
            check_results=[_every_score(deployment, spec, challenger, days), _champion_as_decided(deployment, spec)],
        )

    return shadow


def _show(context: dg.AssetExecutionContext, deployment: Deployment, spec: ModelSpec, challenger: Registered) -> None:
    """Champion against challenger over the last month, on the page of the last day of the run."""
    pairs = shadowing.recent_pairs(deployment, spec, challenger)
    if pairs.is_empty():
        return
    figures = shadowing.comparison(deployment, spec, pairs).figures
    lines = [
        f"| {name} | {value:,.3g} |" if value < 10 else f"| {name} | {value:,.0f} |" for name, value in figures.items()
    ]
    context.add_asset_metadata(
        {
            "challenger": challenger.version,
            "champion against challenger": dg.MetadataValue.md("\n".join(["| figure | value |", "|---|--:|", *lines])),
            "scores of both": pictures.embedded(
                model_pictures.against(pairs["champion_probability"], pairs["challenger_probability"], spec.title),
                "probabilities of champion and challenger",
            ),
        },
        key_of(shadowing.shadow_table(spec)),
        max(context.partition_keys),
    )


def _every_score(
    deployment: Deployment, spec: ModelSpec, challenger: Registered | None, days: Sequence[date]
) -> dg.AssetCheckResult:
    missing = 0 if challenger is None else shadowing.unshadowed(deployment, spec, challenger, days).collect().height
    return dg.AssetCheckResult(
        check_name="every_score_has_a_shadow",
        passed=missing == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "scores without a shadow": missing,
            "challenger": "none" if challenger is None else f"version {challenger.version}",
        },
    )


def _champion_as_decided(deployment: Deployment, spec: ModelSpec) -> dg.AssetCheckResult:
    wrong = decisions.astray(deployment, spec)
    return dg.AssetCheckResult(
        check_name="champion_is_the_decided_one",
        passed=wrong is None,
        metadata={"what is wrong": wrong} if wrong else {},
    )


shadow_assets = [_shadow(spec) for spec in MODELS.values()]

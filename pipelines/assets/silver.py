"""Silver assets: bronze of all agencies conformed into events with keyed ids. A partition is a day of delivery."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from pipelines import glance, pictures, reporting
from pipelines.assets import DAILY, DEPLOYMENT, OWNERS, RETRY
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.partitions import BACKFILL, days_of, days_of_delivery
from pipelines.reporting import key_of
from warehouse.catalog import BRONZE, ENTITY_LINKS, IDENTITIES, SILVER, Table
from warehouse.conform import conform
from warehouse.contracts.base import Observed
from warehouse.routes import routes_to


def _silver(table: Table) -> dg.AssetsDefinition:
    key = key_of(table)
    sources = {key_of(BRONZE[contract.name]) for route in routes_to(table) for contract in route.contracts}

    @dg.asset(
        key=key,
        deps=sorted(sources),
        description=table.description,
        group_name=table.owner,
        owners=OWNERS[table.owner],
        kinds={"deltalake", "polars", "silver"},
        partitions_def=days_of_delivery,
        backfill_policy=BACKFILL,
        retry_policy=RETRY,
        freshness_policy=DAILY,
        metadata={**reporting.describe(table), "dagster/column_lineage": _lineage(table)},
        required_resource_keys={DEPLOYMENT},
        check_specs=_check_specs(table),
    )
    @discreet
    def silver(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        deployment: Deployment = getattr(context.resources, DEPLOYMENT)
        days = days_of(context)
        deployment.lake.ensure(table)
        rows = conform(deployment.lake, table, days, deployment.vault_key, deployment.places)
        for shared in (ENTITY_LINKS, IDENTITIES):
            if deployment.lake.version(shared) is not None:
                context.log_event(reporting.materialized(deployment, shared))
        by_day = deployment.lake.scan(table).select("received_on", "event_date").collect()
        for day, count in by_day.filter(pl.col("received_on").is_in(days)).group_by("received_on").len().iter_rows():
            context.add_asset_metadata({"dagster/partition_row_count": count}, key, day.isoformat())
        per_day = by_day.group_by("event_date").len().sort("event_date")["len"].to_list()
        context.add_asset_metadata(
            {
                "rows of this run": rows,
                "at a glance": glance.bars(per_day, f"events by day, at most {max(per_day, default=0):,}"),
                "events by day": pictures.counts_by_day(by_day, "event_date", table.name),
            },
            key,
            max(context.partition_keys),
        )
        return dg.MaterializeResult(
            data_version=reporting.data_version(deployment, table), check_results=list(_checks(deployment, table))
        )

    return silver


def _check_specs(table: Table) -> list[dg.AssetCheckSpec]:
    key = key_of(table)
    specs = [
        dg.AssetCheckSpec(
            "one_row_a_version",
            asset=key,
            description=(
                "No event version stands twice, and each event has one current version, or is withdrawn. Where not, "
                "nothing is computed of it: run `borderlake verify`, then materialise the days again."
            ),
            blocking=True,
        )
    ]
    if _is_observed(table):
        specs.append(
            dg.AssetCheckSpec(
                "known_after_it_happened",
                asset=key,
                description=(
                    "At most one row in a hundred is known before it happened. Where more are, a clock or a time zone "
                    "of an agency is wrong, or its dialect's: compare `event_at` and `known_at` with the source."
                ),
            )
        )
    return specs


def _is_observed(table: Table) -> bool:
    """Whether its events are recorded when they have happened; what is announced is known before."""
    return all(issubclass(contract.schema, Observed) for route in routes_to(table) for contract in route.contracts)


def _lineage(table: Table) -> dg.TableColumnLineage:
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for route in routes_to(table):
        source = key_of(BRONZE[route.contract.name])
        offered = set(BRONZE[route.contract.name].columns)
        for column in table.columns:
            if column in route.identities:
                names: tuple[str, ...] = route.identities[column].columns
            elif column in route.derive:
                names = tuple(name for name in route.derive[column].meta.root_names() if name in offered)
            else:
                names = (column,) if column in offered else ()
            deps.setdefault(column, []).extend(dg.TableColumnDep(asset_key=source, column_name=name) for name in names)
    return dg.TableColumnLineage({column: found for column, found in deps.items() if found})


def _checks(deployment: Deployment, table: Table) -> Iterator[dg.AssetCheckResult]:
    taken_back = "withdrawn_at" if "withdrawn_at" in table.columns else pl.lit(None).alias("withdrawn_at")
    columns = ("event_id", "event_version", "superseded_at", "known_at", "event_at", taken_back)
    rows = deployment.lake.scan(table).select(columns)
    counted = rows.select(
        rows=pl.len(),
        distinct=pl.struct("event_id", "event_version").n_unique(),
        current=pl.col("superseded_at").is_null().sum(),
        withdrawn=(pl.col("withdrawn_at") == pl.col("superseded_at")).sum(),
        events=pl.col("event_id").n_unique(),
        early=(pl.col("known_at") < pl.col("event_at")).sum(),
    ).collect()
    facts = counted.row(0, named=True)
    yield dg.AssetCheckResult(
        check_name="one_row_a_version",
        passed=facts["rows"] == facts["distinct"] and 0 <= facts["events"] - facts["current"] <= facts["withdrawn"],
        metadata={
            "rows": facts["rows"],
            "events": facts["events"],
            "current versions": facts["current"],
            "withdrawn": facts["withdrawn"],
        },
    )
    if _is_observed(table):
        yield dg.AssetCheckResult(
            check_name="known_after_it_happened",
            passed=facts["early"] <= 0.01 * max(facts["rows"], 1),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"rows known before they happened": facts["early"], "rows": facts["rows"]},
        )


silver_assets = [_silver(table) for table in SILVER]

"""Feature assets: the vectors of each subject's events, as known strictly before them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

import dagster as dg
import polars as pl

from features.vectors import SUBJECTS, Subject, feature_set
from pipelines import flows, pictures, reporting, view_checks
from pipelines.assets import DAILY, DEPLOYMENT, OWNERS, RETRY, views
from pipelines.deployment import Deployment, from_environment
from pipelines.discretion import discreet
from pipelines.partitions import BACKFILL, days_of, days_of_delivery, partition_of
from pipelines.reporting import key_of
from warehouse.catalog import Table

_RAREST = 20
"""Features that the picture shows."""


def _features(subject: Subject) -> dg.AssetsDefinition:
    table = flows.feature_table(subject.name)
    key = key_of(table)
    sources = {table for view in subject.registry.views for table in views.tables_of(view)}
    computed_by = [views.view_key(subject, view) for view in subject.registry.views]

    @dg.asset(
        key=key,
        deps=[*(key_of(source) for source in sorted(sources, key=lambda source: source.name)), *computed_by],
        description=f"{table.description} {len(subject.registry.features)} features, known strictly before the event.",
        group_name="features",
        owners=OWNERS["models"],
        kinds={"deltalake", "polars", "gold"},
        partitions_def=days_of_delivery,
        backfill_policy=BACKFILL,
        retry_policy=RETRY,
        freshness_policy=DAILY,
        metadata={
            **reporting.describe(table),
            "dagster/column_schema": _schema(subject),
            "dagster/column_lineage": views.lineage(subject),
        },
        required_resource_keys={DEPLOYMENT},
        check_specs=_check_specs(key),
    )
    @discreet
    def features(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        deployment: Deployment = getattr(context.resources, DEPLOYMENT)
        days = days_of(context)
        deployment.lake.ensure(table)
        if flows.register_features(deployment, subject, datetime.now(UTC)):
            context.log_event(reporting.materialized(deployment, flows.FEATURES))
        made = flows.compute_features(deployment, subject, days)
        for day, count in made.group_by("received_on").len().iter_rows():
            context.add_asset_metadata({"dagster/partition_row_count": count}, key, partition_of(day))
        known = _known_shares(subject, made if made.height else flows.recent_vectors(deployment, subject))
        for event in _of_views(context.instance, subject, made, known):
            context.log_event(event)
        context.add_asset_metadata(
            {
                "features that fewest events have": pictures.bars(
                    dict(sorted(known.items(), key=lambda pair: pair[1])[:_RAREST]),
                    f"Features of {subject.name} that fewest events have",
                    "share of events with a value",
                )
            },
            key,
            max(context.partition_keys),
        )
        return dg.MaterializeResult(
            data_version=reporting.data_version(deployment, table),
            check_results=[
                _one_vector_an_event(*_counts(deployment, subject, table, days)),
                _features_have_values(subject, made, known),
            ],
        )

    return features


def _check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            "one_vector_an_event",
            asset=key,
            description=(
                "Each event version of the days has exactly one vector. Where not, nothing is scored: materialise the "
                "days again, and where that does not mend it run `borderlake verify`."
            ),
            blocking=True,
        ),
        dg.AssetCheckSpec(
            "features_have_values",
            asset=key,
            description=(
                "No feature of the history is missing for every event. Where one is, its source brings nothing: "
                "`borderlake features describe FEATURE` names its tables, `borderlake feeds list` how they fare."
            ),
        ),
    ]


def _of_views(
    instance: dg.DagsterInstance, subject: Subject, made: pl.DataFrame, known: Mapping[str, float]
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """What the pages of the subject's views are told."""
    yield from views.computed(subject, known, made.height)
    for view in subject.registry.views:
        yield from view_checks.evaluations(instance, views.view_key(subject, view), view, made)


def _one_vector_an_event(events: int, vectors: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name="one_vector_an_event",
        passed=events == vectors,
        metadata={"event versions": events, "vectors": vectors},
    )


def _features_have_values(subject: Subject, made: pl.DataFrame, known: Mapping[str, float]) -> dg.AssetCheckResult:
    """An attribute may be unknown to a whole jurisdiction; history that is missing everywhere is a broken source."""
    computed = {aggregation.name for view in subject.registry.views for aggregation in view.aggregations}
    empty = sorted(name for name, share in known.items() if share == 0 and name in computed)
    return dg.AssetCheckResult(
        check_name="features_have_values",
        passed=not empty or made.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"missing everywhere": ", ".join(empty) or "none"},
    )


def _checks(subject: Subject) -> dg.AssetChecksDefinition:
    keys = {view.name: views.view_key(subject, view) for view in subject.registry.views}

    @dg.multi_asset_check(
        name=f"views_of_{subject.name}",
        specs=[view_checks.spec(key) for key in keys.values()],
        required_resource_keys={DEPLOYMENT},
    )
    @discreet
    def checked(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        stored = flows.recent_vectors(getattr(context.resources, DEPLOYMENT), subject)
        for view in subject.registry.views:
            yield view_checks.result(context.instance, keys[view.name], view, stored)

    return checked


def _known_shares(subject: Subject, made: pl.DataFrame) -> dict[str, float]:
    """Share of events for which each feature has a value."""
    return {name: 1 - made[name].null_count() / max(made.height, 1) for name in subject.registry.features}


def _counts(deployment: Deployment, subject: Subject, table: Table, days: Sequence[date]) -> tuple[int, int]:
    of_days = pl.col("received_on").is_in(days)
    events = flows.events_to_score(deployment, subject.name).filter(of_days).select(pl.len()).collect().item()
    current = pl.col("feature_set") == feature_set(subject.registry).digest
    vectors = deployment.lake.scan(table).filter(of_days & current).select(pl.len()).collect().item()
    return events, vectors


def _schema(subject: Subject) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=feature.name,
                type="category" if feature.is_category else "number",
                description=f"{feature.description} ({feature.unit})",
                tags={"owner": feature.owner},
            )
            for feature in subject.registry.features.values()
        ]
    )


_SUBJECTS = [from_environment().subject(name) for name in SUBJECTS]
feature_assets = [_features(subject) for subject in _SUBJECTS]
view_check_assets = [_checks(subject) for subject in _SUBJECTS]
view_specs = [spec for subject in _SUBJECTS for spec in views.view_specs(subject)]

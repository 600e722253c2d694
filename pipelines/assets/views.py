"""Views of features as assets: what each gives, whose it is, for what, and the columns of silver it rests on.

A view is computed with the vectors of its subject and stored nowhere else, so these assets say what is declared and
run nothing; the vectors' run tells of each when it was last computed, and for how many events it had a value.
"""

from collections.abc import Iterable, Iterator, Mapping

import dagster as dg

from features import dictionary
from features.sources import SOURCES, Silver
from features.terms import PARTNER
from features.vectors import Subject
from features.views import Aggregation, FeatureView
from pipelines.assets import DAILY, OWNERS
from pipelines.reporting import key_of
from warehouse.catalog import Table


def view_key(subject: Subject, view: FeatureView) -> dg.AssetKey:
    """`views/<subject>/<view>`."""
    return dg.AssetKey(["views", subject.name, view.name])


def tables_of(view: FeatureView) -> tuple[Table, ...]:
    """The silver tables that a view's source reads."""
    return tuple(Silver.tables()[name] for name in SOURCES[view.source].tables)


def view_specs(subject: Subject) -> list[dg.AssetSpec]:
    """One asset a view."""
    return [_spec(subject, view) for view in subject.registry.views]


def computed(subject: Subject, shares: Mapping[str, float], events: int) -> Iterator[dg.AssetMaterialization]:
    """What a run tells of each view: that it was computed for so many events, and the share that had a value."""
    for view in subject.registry.views:
        records = [
            dg.TableRecord({"feature": one.name, "events with a value": f"{shares[one.name]:.1%}"})
            for one in view.aggregations
        ]
        yield dg.AssetMaterialization(
            asset_key=view_key(subject, view),
            metadata={"events of this run": events, "values": dg.MetadataValue.table(records)},
        )


def lineage(subject: Subject) -> dg.TableColumnLineage:
    """The columns of a subject's vectors, each from its view."""
    return dg.TableColumnLineage(
        {
            one.name: [dg.TableColumnDep(asset_key=view_key(subject, view), column_name=one.name)]
            for view in subject.registry.views
            for one in view.aggregations
        }
    )


def _spec(subject: Subject, view: FeatureView) -> dg.AssetSpec:
    shared = f" Shared by {view.owner}." if view.owner.startswith(PARTNER) else ""
    return dg.AssetSpec(
        view_key(subject, view),
        deps=[key_of(table) for table in tables_of(view)],
        description=f"{view.description}{shared}\n\n{_told(view.aggregations)}",
        group_name="features",
        owners=OWNERS[view.owner.removeprefix(PARTNER)],
        kinds={"polars"},
        freshness_policy=DAILY,
        tags={
            "borderlake/owner": view.owner,
            "borderlake/sensitivity": view.sensitivity.value,
            **{f"borderlake/purpose.{purpose.value}": "true" for purpose in sorted(view.purposes)},
        },
        metadata={
            "dagster/column_schema": _schema(subject, view),
            "dagster/column_lineage": dg.TableColumnLineage(dict(_deps(view))),
            "entity": ", ".join(view.entity),
            "source": view.source,
            "purposes": ", ".join(sorted(view.purposes)),
            "owner": view.owner,
        },
    )


def _told(aggregations: Iterable[Aggregation]) -> str:
    return "\n".join(f"- `{one.name}`: {one.description} ({one.unit})" for one in aggregations)


def _schema(subject: Subject, view: FeatureView) -> dg.TableSchema:
    categories = {name for name, feature in subject.registry.features.items() if feature.is_category}
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=one.name,
                type="category" if one.name in categories else "number",
                description=f"{one.description} ({one.unit}): {dictionary.computed(view, one)}.",
                tags={"owner": view.owner, "sensitivity": view.sensitivity.value},
            )
            for one in view.aggregations
        ]
    )


def _deps(view: FeatureView) -> Iterator[tuple[str, list[dg.TableColumnDep]]]:
    for one in view.aggregations:
        named = [full.rpartition(".") for full in dictionary.columns_of(view, one)]
        yield (
            one.name,
            [
                dg.TableColumnDep(asset_key=dg.AssetKey(table.split(".")), column_name=column)
                for table, _, column in named
            ],
        )

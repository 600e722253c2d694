"""Views in the UI: one asset each, described, owned, and joined to silver and to the vectors column by column; and the
registered features as data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from features import registration
from features.vectors import SUBJECTS, Subject, feature_set
from pipelines import flows
from pipelines.assets import views
from pipelines.definitions import definitions
from pipelines.deployment import Deployment
from pipelines.reporting import key_of
from warehouse.catalog import table_of
from warehouse.settings import Settings

NOW = datetime(2025, 3, 1, tzinfo=UTC)
EVERY_VIEW = pytest.mark.parametrize(
    ("subject", "name"),
    [pytest.param(s, view.name, id=f"{s.name}-{view.name}") for s in SUBJECTS.values() for view in s.registry.views],
)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(Settings(tmp_path, str(tmp_path / "lake")))


@pytest.fixture(scope="module")
def specs() -> dict[dg.AssetKey, dg.AssetSpec]:
    return {spec.key: spec for subject in SUBJECTS.values() for spec in views.view_specs(subject)}


@EVERY_VIEW
def test_a_view_is_an_asset_that_says_what_it_gives_and_whose_it_is(
    subject: Subject, name: str, specs: dict[dg.AssetKey, dg.AssetSpec]
) -> None:
    view = next(one for one in subject.registry.views if one.name == name)
    spec = specs[views.view_key(subject, view)]
    assert spec.description is not None
    assert view.description in spec.description
    assert all(one.name in spec.description for one in view.aggregations)
    assert spec.owners
    assert spec.tags["borderlake/owner"] == view.owner
    assert spec.tags["borderlake/sensitivity"] == view.sensitivity.value
    assert {tag for tag in spec.tags if "purpose" in tag} == {f"borderlake/purpose.{p.value}" for p in view.purposes}
    columns = spec.metadata["dagster/column_schema"].columns
    assert [column.name for column in columns] == [one.name for one in view.aggregations]


@EVERY_VIEW
def test_every_feature_of_a_view_leads_to_columns_that_silver_has(
    subject: Subject, name: str, specs: dict[dg.AssetKey, dg.AssetSpec]
) -> None:
    view = next(one for one in subject.registry.views if one.name == name)
    spec = specs[views.view_key(subject, view)]
    upstream = {dep.asset_key for dep in spec.deps}
    deps = spec.metadata["dagster/column_lineage"].deps_by_column
    assert set(deps) == {one.name for one in view.aggregations}
    for feature, columns in deps.items():
        assert columns, f"{feature} leads nowhere"
        for column in columns:
            assert column.asset_key in upstream
            assert column.column_name in table_of(".".join(column.asset_key.path)).columns


def test_the_graph_leads_from_silver_over_the_views_to_the_vectors(deployment: Deployment) -> None:
    graph = definitions(deployment).resolve_asset_graph()
    for subject in SUBJECTS.values():
        vectors = graph.get(key_of(flows.feature_table(subject.name)))
        for view in subject.registry.views:
            assert views.view_key(subject, view) in vectors.parent_keys
            assert not graph.get(views.view_key(subject, view)).is_executable, "nothing is computed twice"


def test_features_are_registered_once_and_again_when_a_word_or_a_purpose_changes(deployment: Deployment) -> None:
    subject = SUBJECTS["shipments"]
    assert flows.register_features(deployment, subject, NOW)
    assert not flows.register_features(deployment, subject, NOW + timedelta(days=1))
    first, *others = subject.registry.views
    reworded = replace(first.aggregations[0], description="said otherwise")
    changed = replace(first, aggregations=(reworded, *first.aggregations[1:]))
    features = subject.registry.features | {
        reworded.name: replace(subject.registry.features[reworded.name], description="said otherwise")
    }
    other = replace(subject, registry=replace(subject.registry, views=[changed, *others], features=features))
    assert flows.register_features(deployment, other, NOW + timedelta(days=2))
    held = deployment.lake.scan(flows.FEATURES)
    assert held.select(pl.col("registration").n_unique()).collect().item() == 2
    assert held.select(pl.col("feature_set").n_unique()).collect().item() == 1, "vectors stay as they are"
    latest = registration.latest(held, "shipments").collect()
    assert latest["meaning"].to_list().count("said otherwise") == 1
    assert latest.height == len(subject.registry.features)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_a_stored_vector_can_be_read_by_what_is_registered(deployment: Deployment, subject: Subject) -> None:
    flows.register_features(deployment, subject, NOW)
    rows = deployment.lake.scan(flows.FEATURES).sort("position").collect()
    names = feature_set(subject.registry)
    assert set(rows["feature_set"]) == {names.digest}
    assert rows.filter(~pl.col("is_category"))["feature"].to_list() == list(names.numbers)
    assert rows.filter("is_category")["feature"].to_list() == list(names.categories)
    assert "personal" not in set(rows["sensitivity"])
    assert rows["purposes"].list.len().min() > 0


def test_what_derives_from_pnr_is_registered_with_where_alone_it_may_serve(tmp_path: Path) -> None:
    allowed = Deployment(Settings(tmp_path, str(tmp_path / "lake"), pnr_jurisdictions=frozenset({"XN"})))
    flows.register_features(allowed, allowed.subject("crossings"), NOW)
    rows = allowed.lake.scan(flows.FEATURES).collect()
    limited = rows.filter(pl.col("jurisdictions").is_not_null())
    assert set(limited["view"]) == {"booking"}
    assert limited["jurisdictions"].to_list() == [["XN"]] * 3


def test_a_definition_is_named_by_what_it_computes_and_by_no_word() -> None:
    rows = {row["feature"]: row for row in registration.registered(SUBJECTS["shipments"].registry)}
    assert rows["importer_count_7d"]["definition"] != rows["importer_count_90d"]["definition"]

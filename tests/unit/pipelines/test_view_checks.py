"""Checks of views: what each feature usually finds is known from the runs before, and a source that broke is told."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from features.vectors import SUBJECTS
from pipelines import view_checks
from pipelines.assets.features import view_check_assets
from pipelines.assets.views import view_key
from pipelines.definitions import defs
from pipelines.deployment import Deployment
from warehouse.settings import Settings

SUBJECT = SUBJECTS["shipments"]
VIEW = next(view for view in SUBJECT.registry.views if view.name == "importer_activity")
KEY = view_key(SUBJECT, VIEW)
EVENTS = 100


def vectors(without: int, events: int = EVENTS) -> pl.DataFrame:
    """Events of which so many found no history: counts are 0 then, and times since are missing."""
    found = [None] * without + [2.0] * (events - without)
    filled = [0.0 if value is None else value for value in found]
    since = {one.name: one.kind.startswith("days_since") for one in VIEW.aggregations}
    return pl.DataFrame({name: found if is_since else filled for name, is_since in since.items()})


def run(instance: dg.DagsterInstance, made: pl.DataFrame) -> dg.AssetCheckEvaluation | None:
    """The check of one run, on record as the next run finds it."""
    evaluation = next(view_checks.evaluations(instance, KEY, VIEW, made), None)
    if evaluation is not None:
        instance.report_runless_asset_event(evaluation)
    return evaluation


def told(evaluation: dg.AssetCheckEvaluation | dg.AssetCheckResult | None, feature: str) -> dict[str, object]:
    assert evaluation is not None
    table = evaluation.metadata["features"]
    assert isinstance(table, dg.TableMetadataValue)
    return next(dict(record.data) for record in table.records if record.data["feature"] == feature)


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


def test_a_first_run_knows_nothing_usual_and_passes(instance: dg.DagsterInstance) -> None:
    first = run(instance, vectors(without=EVENTS))
    assert first is not None
    assert first.passed
    assert told(first, "importer_count_7d")["usually at most"] == "not known yet"


def test_a_source_that_broke_is_told_by_feature_and_source_and_what_to_do(instance: dg.DagsterInstance) -> None:
    assert all(run(instance, vectors(without=8 + n % 3)).passed for n in range(12))  # type: ignore[union-attr]
    broken = run(instance, vectors(without=EVENTS))
    assert broken is not None
    assert not broken.passed
    assert broken.severity is dg.AssetCheckSeverity.WARN
    assert f"importer_count_7d found no history for {EVENTS} of {EVENTS} events, usually at most" in str(
        broken.description
    )
    assert "feeds behind shipments" in str(broken.description)
    assert "data:image/svg" in str(broken.metadata["run by run"].value)
    assert told(broken, "importer_age_days")["without history"] == f"{EVENTS} of {EVENTS}"


def test_a_run_as_usual_passes_and_says_what_values_are(instance: dg.DagsterInstance) -> None:
    evaluations = [run(instance, vectors(without=8 + n % 3)) for n in range(12)]
    last = told(evaluations[-1], "importer_count_90d")
    assert (last["least"], last["median"], last["greatest"]) == ("0", "2", "2")
    assert last["usually at most"] != "not known yet"


def test_a_run_without_events_says_nothing_and_a_planned_check_is_no_run(instance: dg.DagsterInstance) -> None:
    assert run(instance, vectors(0, events=0)) is None
    assert run(instance, vectors(without=3)) is not None
    assert len(view_checks._past(instance, KEY)) == 1


def test_asked_for_alone_it_is_of_stored_vectors_and_no_run(instance: dg.DagsterInstance) -> None:
    run(instance, vectors(without=3))
    alone = view_checks.result(instance, KEY, VIEW, vectors(without=5))
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(asset_key=KEY, check_name=view_checks.CHECK, passed=True, metadata=alone.metadata)
    )
    assert told(alone, "importer_count_7d")["without history"] == f"5 of {EVENTS}"
    assert len(view_checks._past(instance, KEY)) == 1


def test_every_view_has_the_check_and_without_vectors_it_passes(tmp_path: Path) -> None:
    checked = {key.asset_key for key in defs.resolve_asset_graph().asset_check_keys if key.name == view_checks.CHECK}
    assert checked == {view_key(subject, view) for subject in SUBJECTS.values() for view in subject.registry.views}
    deployment = Deployment(Settings(tmp_path, str(tmp_path / "lake")))
    found = dg.materialize(
        [*view_check_assets], resources={"deployment": dg.ResourceDefinition.hardcoded_resource(deployment)}
    )
    assert found.success
    assert all(check.passed for check in found.get_asset_check_evaluations())

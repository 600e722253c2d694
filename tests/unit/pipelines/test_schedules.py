"""When scoring ticks: what it asks for, and what it leaves alone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from models.catalogue import MODELS
from pipelines import flows
from pipelines.assets import DEPLOYMENT
from pipelines.assets.training import model_key
from pipelines.definitions import definitions
from pipelines.deployment import Deployment
from pipelines.schedules import hourly_scoring, weekly_retraining
from warehouse.settings import Settings

TICK = datetime(2025, 3, 2, 10, 5, tzinfo=UTC)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(Settings(tmp_path, str(tmp_path / "lake")))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as opened:
        yield opened


def tick(deployment: Deployment, instance: dg.DagsterInstance) -> tuple[list[str | None], str | None]:
    """Partitions asked for, and why none were."""
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=TICK,
        resources={DEPLOYMENT: deployment},
        repository_def=definitions(deployment).get_repository_def(),
    ) as context:
        answer = hourly_scoring.evaluate_tick(context)
    return [request.partition_key for request in answer.run_requests or []], answer.skip_message


@pytest.fixture
def work_on_two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "trained_models", lambda _: [])
    monkeypatch.setattr(flows, "days_to_score", lambda *_: [date(2025, 3, 1), date(2025, 3, 2)])


def test_nothing_to_do_is_said_and_not_run(
    deployment: Deployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "trained_models", lambda _: [])
    partitions, why = tick(deployment, instance)
    assert partitions == []
    assert "every event has its score" in (why or "")


@pytest.mark.usefixtures("work_on_two_days")
def test_each_day_with_work_is_one_run(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    assert tick(deployment, instance)[0] == ["2025-03-01", "2025-03-02"]


@pytest.mark.usefixtures("work_on_two_days")
def test_a_day_that_a_run_is_at_work_on_is_left_to_it(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    instance.add_run(
        dg.DagsterRun(job_name="scoring", status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "2025-03-01"})
    )
    assert tick(deployment, instance)[0] == ["2025-03-02"]


def test_every_week_every_model_is_trained_and_nothing_else(deployment: Deployment) -> None:
    resolved = definitions(deployment).resolve_job_def(weekly_retraining.job_name)
    assert set(resolved.asset_layer.executable_asset_keys) == {model_key(spec) for spec in MODELS.values()}
    assert weekly_retraining.default_status is dg.DefaultScheduleStatus.RUNNING

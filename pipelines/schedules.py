"""Schedules: scoring and sharing by the hour, retraining by the week. Cron lines can be set from the environment."""

import os
from collections.abc import Iterator
from datetime import UTC

import dagster as dg

from pipelines import flows
from pipelines.assets import DEPLOYMENT
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.jobs import retraining_job, scoring_assets, scoring_job, sharing_job
from pipelines.partitions import partition_of

_PARTITION = "dagster/partition"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
SCORING_CRON = os.environ.get("BORDERLAKE_SCORING_CRON", "5 * * * *")
SHARING_CRON = os.environ.get("BORDERLAKE_SHARING_CRON", "35 * * * *")
RETRAINING_CRON = os.environ.get("BORDERLAKE_RETRAINING_CRON", "30 2 * * 1")


@dg.schedule(
    job=scoring_job,
    cron_schedule=SCORING_CRON,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    required_resource_keys={DEPLOYMENT},
    description="Land and score every day of delivery that has work waiting. Cron: BORDERLAKE_SCORING_CRON.",
)
@discreet
def hourly_scoring(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run a day of delivery that has files waiting or events unscored."""
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    tick = context.scheduled_execution_time
    trained = flows.trained_models(deployment)
    days = flows.days_to_score(deployment, trained, tick.astimezone(UTC))
    if not days:
        yield dg.SkipReason("nothing waits in the inbox, and every event has its score")
    under_way = _partitions_under_way(context.instance)
    for partition in sorted({partition_of(day) for day in days} - under_way):
        yield dg.RunRequest(
            run_key=f"{partition}@{tick.isoformat()}", partition_key=partition, asset_selection=scoring_assets(trained)
        )


def _partitions_under_way(instance: dg.DagsterInstance) -> set[str]:
    """Partitions that a scoring run is queued for or at work on: a second one would find nothing to do."""
    unfinished = dg.RunsFilter(job_name=scoring_job.name, statuses=_UNFINISHED)
    return {run.tags.get(_PARTITION, "") for run in instance.get_runs(unfinished)}


hourly_sharing = dg.ScheduleDefinition(
    name="hourly_sharing",
    job=sharing_job,
    cron_schedule=SHARING_CRON,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Refresh every share after scoring, and end those of agreements that are over. Cron: "
    "BORDERLAKE_SHARING_CRON.",
)
weekly_retraining = dg.ScheduleDefinition(
    name="weekly_retraining",
    job=retraining_job,
    cron_schedule=RETRAINING_CRON,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Train every model anew on what has become known. Cron: BORDERLAKE_RETRAINING_CRON.",
)

schedules = [hourly_scoring, hourly_sharing, weekly_retraining]

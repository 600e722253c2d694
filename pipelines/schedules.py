"""Schedules: scoring by the hour, retraining by the week. Cron lines can be set from the environment."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime

import dagster as dg

from models.catalogue import MODELS
from pipelines import flows
from pipelines.assets import DEPLOYMENT
from pipelines.deployment import Deployment
from pipelines.jobs import retraining_job, scoring_job
from pipelines.partitions import partition_of
from warehouse.errors import NotReady

SCORING_CRON = os.environ.get("BORDERLAKE_SCORING_CRON", "5 * * * *")
RETRAINING_CRON = os.environ.get("BORDERLAKE_RETRAINING_CRON", "30 2 * * 1")


@dg.schedule(
    job=scoring_job,
    cron_schedule=SCORING_CRON,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    required_resource_keys={DEPLOYMENT},
    description="Land and score every day of delivery that has work waiting. Cron: BORDERLAKE_SCORING_CRON.",
)
def hourly_scoring(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run a day of delivery that has files waiting or events unscored."""
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    tick = context.scheduled_execution_time
    try:
        days = _days_with_work(deployment, tick.astimezone(UTC))
    except NotReady as reason:
        yield dg.SkipReason(str(reason))
        return
    if not days:
        yield dg.SkipReason("nothing waits in the inbox, and every event has its score")
    for partition in sorted({partition_of(day) for day in days}):
        yield dg.RunRequest(run_key=f"{partition}@{tick.isoformat()}", partition_key=partition)


def _days_with_work(deployment: Deployment, now: datetime) -> set[date]:
    waiting = {item.received_on for item in flows.waiting_deliveries(deployment, now)}
    unscored = {day for spec in MODELS.values() for day in flows.unscored_days(deployment, spec)}
    return waiting | unscored


weekly_retraining = dg.ScheduleDefinition(
    name="weekly_retraining",
    job=retraining_job,
    cron_schedule=RETRAINING_CRON,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Train every model anew on what has become known. Cron: BORDERLAKE_RETRAINING_CRON.",
)

schedules = [hourly_scoring, weekly_retraining]

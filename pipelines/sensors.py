"""Sensors: files that appear in the inbox are landed within a minute."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from pipelines import flows
from pipelines.assets import DEPLOYMENT
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.jobs import landing_job
from pipelines.partitions import partition_of
from warehouse.delivery import Delivery
from warehouse.errors import BorderlakeError

_SETTLED_S = 5.0
"""A file that changed more recently may still be on its way."""


@dg.sensor(
    job=landing_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={DEPLOYMENT},
    description="Lands what agencies drop into inbox/<agency>/<dataset>/, one run a day of delivery.",
)
@discreet
def inbox(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run for the files of each day of delivery; the same files do not start a second run."""
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    try:
        waiting = flows.waiting_deliveries(deployment, datetime.now(UTC))
    except BorderlakeError as error:
        yield dg.SkipReason(str(error))
        return
    settled = [item for item in waiting if time.time() - item.path.stat().st_mtime >= _SETTLED_S]
    if not settled:
        yield dg.SkipReason("nothing waits in the inbox")
    by_day: dict[str, list[Delivery]] = defaultdict(list)
    for item in settled:
        by_day[partition_of(item.received_on)].append(item)
    for partition, items in sorted(by_day.items()):
        yield dg.RunRequest(run_key=f"{partition}-{_fingerprint(items)}", partition_key=partition)


def _fingerprint(items: Sequence[Delivery]) -> str:
    """Names these very files, without reading them."""
    facts = sorted(f"{item.path}|{item.size}|{item.path.stat().st_mtime_ns}" for item in items)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


sensors = [inbox]

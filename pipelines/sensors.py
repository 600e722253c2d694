"""Sensors: files that appear in the inbox are landed within a minute; a feed that goes quiet is told of."""

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from pipelines import feed_checks, flows
from pipelines.assets import DEPLOYMENT
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.jobs import landing_job
from pipelines.partitions import partition_of
from warehouse.contracts import CONTRACTS
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


@dg.sensor(
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={DEPLOYMENT},
    description="Judges every feed as of now: one that goes quiet starts no run that could tell.",
)
def feed_watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Checks of the datasets of which something else is wrong than the last time."""
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    before = json.loads(context.cursor or "{}")
    found: dict[str, dict[str, str]] = {}
    events: list[dg.AssetCheckEvaluation] = []
    for contract in CONTRACTS.values():
        health = feed_checks.judged(deployment, contract, datetime.now(UTC))
        found[contract.name] = feed_checks.alarmed(health)
        if found[contract.name] != before.get(contract.name, dict.fromkeys(found[contract.name], "")):
            events += feed_checks.evaluations(health, contract)
    said = None if events else "every feed is as it was"
    return dg.SensorResult(asset_events=events, cursor=json.dumps(found), skip_reason=said)


def _fingerprint(items: Sequence[Delivery]) -> str:
    """Names these very files, without reading them."""
    facts = sorted(f"{item.path}|{item.size}|{item.path.stat().st_mtime_ns}" for item in items)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


sensors = [inbox, feed_watch]

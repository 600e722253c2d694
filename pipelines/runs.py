"""Running jobs from the command line, in this process, on the deployment's own instance: the UI shows each run."""

import os
from collections.abc import Callable, Sequence
from datetime import date

import dagster as dg

from pipelines.deployment import Deployment
from pipelines.instance import open_instance
from pipelines.partitions import range_tags
from warehouse.errors import BorderlakeError

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# Many small events of one run are stored together: a range of days has thousands.
os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "100")

StepListener = Callable[[str, bool], None]
"""Told the name of a step, and whether it has ended."""


def run(deployment: Deployment, job: str, days: Sequence[date] = (), listen: StepListener | None = None) -> str:
    """Run a job over days of delivery and return its run id; raises with the first failure's message."""
    from pipelines.definitions import definitions

    resolved = definitions(deployment).get_job_def(job)
    with open_instance(deployment.settings) as instance:
        if listen is not None:
            resolved = resolved.with_hooks(frozenset())
        result = resolved.execute_in_process(
            run_config=_QUIET,
            instance=instance,
            tags=range_tags(days) if days else {},
            raise_on_error=False,
        )
        if not result.success:
            raise BorderlakeError(f"job '{job}' failed: {_first_failure(result)}")
        return result.run_id


def _first_failure(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            said = event.step_failure_data.user_failure_data
            text = said.description if said and said.description else (error.message if error else "no message")
            return f"{event.step_key}: {text}"
    return "see the run in the Dagster UI (borderlake up)"


def report(deployment: Deployment, events: Sequence[dg.AssetMaterialization]) -> None:
    """Tell the instance of tables that were written outside a run."""
    with open_instance(deployment.settings) as instance:
        for event in events:
            instance.report_runless_asset_event(event)

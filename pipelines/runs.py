"""Running jobs from the command line, in this process, on the deployment's own instance: the UI shows each run."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Protocol

import dagster as dg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines.deployment import Deployment
from pipelines.instance import open_instance
from pipelines.partitions import range_tags
from warehouse.errors import BorderlakeError

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# Many small events of one run are stored together: a range of days has thousands.
os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "100")

StepListener = Callable[[str, bool], None]
"""Told the name of a step, and whether it has ended."""


def run(
    deployment: Deployment,
    job: str,
    days: Sequence[date] = (),
    listen: StepListener | None = None,
    *,
    only: Sequence[dg.AssetKey] | None = None,
    fresh_history: bool = False,
) -> str:
    """Run a job over days of delivery and return its run id; raises with the first failure's message.

    A break by the user (Ctrl-C), which Dagster tells as a failed step, is a `KeyboardInterrupt` again.

    `only` narrows the job to some of its assets.

    `fresh_history` says that the run history may be lost in a power cut, as a demo's may: its thousands of
    events are then not each waited for on the disk.
    """
    from pipelines.definitions import definitions

    if fresh_history:
        _write_history_unhurried()
    resolved = definitions(deployment).resolve_job_def(job)
    if listen is not None:
        resolved = resolved.with_hooks(_hooks(listen))
    with open_instance(deployment.settings) as instance:
        result = resolved.execute_in_process(
            run_config=_QUIET,
            instance=instance,
            asset_selection=only,
            tags=range_tags(days) if days else {},
            raise_on_error=False,
        )
        if not result.success:
            if _was_interrupted(result):
                raise KeyboardInterrupt
            raise first_failure(job, result)
        return result.run_id


def _hooks(listen: StepListener) -> frozenset[dg.HookDefinition]:
    @dg.success_hook
    def ended(context: dg.HookContext) -> None:
        listen(context.step_key, True)

    @dg.failure_hook
    def failed(context: dg.HookContext) -> None:
        listen(context.step_key, False)

    return frozenset({ended, failed})


def _write_history_unhurried() -> None:
    @event.listens_for(Engine, "connect")
    def relax(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    broken_off = dg.DagsterExecutionInterruptedError.__name__
    failed = [step.step_failure_data for step in result.all_events if step.is_step_failure]
    return any(data.error is not None and data.error.cls_name == broken_off for data in failed)


class JobFailed(BorderlakeError):
    """A job ended with a failure."""

    def __init__(self, said: str, step: str | None) -> None:
        super().__init__(said)
        self.step = step
        """Key of the first step that failed; None where the run failed outside of any."""


def first_failure(job: str, result: dg.ExecuteInProcessResult) -> JobFailed:
    """Our own errors as they stand, for they say what to do next; of others also the step that they ended."""
    for step in result.all_events:
        if step.is_step_failure:
            data = step.step_failure_data
            said = data.user_failure_data
            ours = said.description if said and said.description else _ours(data.error)
            other = data.error.message if data.error else "no message"
            return JobFailed(ours or f"job '{job}' failed: {step.step_key}: {other}", step.step_key)
    return JobFailed(f"job '{job}' failed: see the run in the Dagster UI (borderlake up)", None)


class _Kept(Protocol):
    """An error as Dagster keeps it."""

    @property
    def message(self) -> str: ...

    @property
    def cause(self) -> "_Kept | None": ...


def _ours(error: _Kept | None) -> str | None:
    """What our own error says that others came of. Dagster keeps errors as text, each with its kind before it."""
    if error is None:
        return None
    kind, _, said = error.message.partition(": ")
    return said.strip() if kind in _kinds(BorderlakeError) else _ours(error.cause)


def _kinds(error: type[BorderlakeError]) -> set[str]:
    """An error and all that are of its kind, as Dagster names them."""
    return {f"{error.__module__}.{error.__qualname__}"}.union(*map(_kinds, error.__subclasses__()))


def report(deployment: Deployment, events: Iterable[dg.AssetMaterialization | dg.AssetCheckEvaluation]) -> None:
    """Tell the instance of tables that were written, or checked, outside a run."""
    with open_instance(deployment.settings) as instance:
        for one in events:
            instance.report_runless_asset_event(one)

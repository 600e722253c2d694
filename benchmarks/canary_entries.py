"""Where a path of `bench canary` enters the product: a file in the inbox or outside it, a command, a job, a tick."""

import sys
from collections.abc import Callable
from datetime import date
from unittest import mock

from benchmarks import canary_values
from benchmarks.canary_values import DAY, FORMATS, Canary, deliver
from pipelines.deployment import Deployment, from_environment
from warehouse.errors import BorderlakeError


def command(*arguments: str) -> None:
    """`borderlake ARGUMENTS` as a user runs it."""
    from pipelines import cli

    with mock.patch.object(sys, "argv", ["borderlake", *arguments]):
        try:
            cli.main()
        except SystemExit as end:
            print(f"exit code {end.code}")


def job(name: str, only: list[str] | None = None, day: date = DAY) -> None:
    """A job on the deployment's instance; that it fails is the point."""
    import dagster as dg

    from pipelines import runs

    immediately = mock.patch.object(dg.RetryPolicy, "calculate_delay", return_value=0.0)
    keys = [dg.AssetKey(key.split(".")) for key in only] if only else None
    try:
        with immediately:
            runs.run(from_environment(), name, [] if name.startswith(("train", "sharing")) else [day], only=keys)
    except BorderlakeError as error:
        print(f"failed: {error}")


def tick(evaluate: Callable[[], object]) -> None:
    """What the daemon keeps of a tick that fails."""
    from dagster._utils.error import serializable_error_info_from_exc_info

    try:
        evaluate()
    except Exception:
        print(serializable_error_info_from_exc_info(sys.exc_info()).to_string())


def fresh(deployment: Deployment, one: Canary, tag: str) -> None:
    """A file of sound crossings in the inbox."""
    folder, name, made = FORMATS["crossings csv"]
    deliver(deployment.settings.inbox, folder, f"{tag}-{name}", made(one, tag), dated(None))


def outside(deployment: Deployment, one: Canary, tag: str) -> str:
    """The path of a file of sound crossings outside the agency's folder."""
    path = deployment.settings.inbox / f"outside-{tag}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(canary_values.crossings(one, tag))
    return str(path)


def dated(sidecar: dict[str, object] | None) -> dict[str, object]:
    """A sidecar that says when the file was extracted."""
    return {"extracted_at": "2025-03-03T12:00:00+00:00", **(sidecar or {})}

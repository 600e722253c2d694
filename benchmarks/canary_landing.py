"""Paths of `bench canary` through landing: rows and files refused, and readers, commits and disks that fail."""

import os
import re
import signal
import subprocess
import sys
from importlib import resources
from unittest import mock

import polars as pl
from deltalake.exceptions import DeltaError

from benchmarks import canary_values
from benchmarks.canary_breaks import fails, readers_fail
from benchmarks.canary_entries import command, dated, fresh, job, outside
from benchmarks.canary_values import DAY, FORMATS, Canary, deliver
from pipelines.deployment import Deployment

_CROSSINGS = ["bronze.immigration__crossings"]
_COMMIT = "deltalake.DeltaTable.create_write_transaction"


def refused(deployment: Deployment, one: Canary) -> None:
    """Refused rows of every format, and files that are refused as a whole, in one run."""
    inbox = deployment.settings.inbox
    for at, (folder, name, made) in enumerate(FORMATS.values()):
        deliver(inbox, folder, name, made(one, f"{at}"), dated(None))
    for _, folder, name, content, sidecar in canary_values.damaged(one):
        deliver(inbox, folder, name, content, dated(sidecar))
    job("landing")


def _dies(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(deployment: Deployment, one: Canary) -> None:
    """Landing dies between bronze and ledger."""
    fresh(deployment, one, "killed")
    with mock.patch("warehouse.landing._enter", side_effect=_dies):
        job("landing", _CROSSINGS)


def commit_fails_in_a_run(deployment: Deployment, one: Canary) -> None:
    """A commit fails with an error that prints the row, in a run."""
    fresh(deployment, one, "commit")
    with mock.patch(_COMMIT, fails(one, DeltaError)):
        job("landing", _CROSSINGS)


def commit_fails_in_a_command(deployment: Deployment, one: Canary) -> None:
    """The same in a command."""
    with mock.patch(_COMMIT, fails(one, DeltaError)):
        command("land", "immigration.crossings", outside(deployment, one, "commit2"))


def commit_panics(deployment: Deployment, one: Canary) -> None:
    """The Delta library panics, which is no exception."""
    with mock.patch(_COMMIT, fails(one, BaseException)):
        command("land", "immigration.crossings", outside(deployment, one, "panic"))


def disk_full(deployment: Deployment, one: Canary) -> None:
    """Nothing more can be written."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with mock.patch("os.fsync", full):
        command("land", "immigration.crossings", outside(deployment, one, "full"))


def reader_fails_in_a_run(deployment: Deployment, one: Canary) -> None:
    """A reader fails on a row, in a run."""
    fresh(deployment, one, "reader")
    with readers_fail(one):
        job("landing", _CROSSINGS)


def reader_fails_in_a_command(deployment: Deployment, one: Canary) -> None:
    """The same in a command."""
    with readers_fail(one, pl.exceptions.ComputeError):
        command("land", "immigration.crossings", outside(deployment, one, "reader2"))


def dialect_fails(deployment: Deployment, one: Canary) -> None:
    """Applying the dialect stops: the file is refused whole, with a message."""
    with mock.patch("warehouse.mapping.apply", fails(one, pl.exceptions.InvalidOperationError)):
        command("land", "immigration.crossings", outside(deployment, one, "dialect"))


def redrive_fails(deployment: Deployment, one: Canary) -> None:
    """A file is read again under a mended dialect, and its reader fails."""
    own = deployment.settings.home / "dialects"
    own.mkdir(exist_ok=True)
    text = resources.files("warehouse").joinpath("dialects/norvale.toml").read_text("utf-8")
    (own / "norvale.toml").write_text(re.sub(r"version = \d+", "version = 99", text, count=1))
    try:
        with readers_fail(one):
            command("quarantine", "redrive", "--yes")
        command("quarantine", "redrive")
    finally:
        (own / "norvale.toml").unlink()


def process_of_a_run(deployment: Deployment, one: Canary) -> None:
    """A run in a process of its own, whose compute logs Dagster keeps."""
    from pipelines.instance import prepare

    prepare(deployment.settings)
    fresh(deployment, one, "process")
    asset = ["--select", "bronze/immigration__crossings", "--partition", DAY.isoformat()]
    command_line = [
        sys.executable,
        "-m",
        "dagster",
        "asset",
        "materialize",
        "-m",
        "benchmarks.canary_definitions",
        *asset,
    ]
    subprocess.run(command_line, check=False)


def landed_to_the_end(_: Deployment, __: Canary) -> None:
    """What failures left in the inbox lands, and silver is made of it: no failure, but what comes after."""
    job("landing")
    job("features", ["gold.event_features__crossings", "gold.event_features__shipments"])

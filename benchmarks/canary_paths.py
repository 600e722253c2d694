"""A process of `bench canary`: `python -m benchmarks.canary_paths SEED PATH...` drives canaries through failures.

Each path enters where the product is entered: a command of `borderlake`, a job on the deployment's own Dagster
instance, a tick. Where something must break it is broken here, and whatever breaks says the whole canary: libraries do.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from types import SimpleNamespace
from typing import Any
from unittest import mock

import polars as pl
from deltalake.exceptions import DeltaError

from benchmarks import canary_values
from benchmarks.canary_values import DAY, FORMATS, Canary, canary, deliver
from pipelines.deployment import Deployment, from_environment
from warehouse.errors import BorderlakeError
from warehouse.readers import READERS

_CROSSINGS = ["bronze.immigration__crossings"]
Driven = Callable[[Deployment, Canary], object]


def told(one: Canary) -> str:
    """What a library prints when it fails on a row."""
    forms = {name: form[0] for name, form in one.forms().items()}
    return f"conversion failed in row {forms}: value '{one.document}' of ({', '.join(forms.values())})"


_COMMIT = "deltalake.DeltaTable.create_write_transaction"
_reached: list[bool] = []
"""Of each break of the path that is driven, whether anything has run into it."""


def fails(one: Canary, kind: type[BaseException] = ValueError) -> Callable[..., Any]:
    """A function that fails and says the row; its cause says it too. A path must run into one of its breaks."""
    number = len(_reached)
    _reached.append(False)

    def broken(*_: object, **__: object) -> Any:
        _reached[number] = True
        try:
            raise KeyError(told(one))
        except KeyError as error:
            raise kind(told(one)) from error

    return broken


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


def _fresh(deployment: Deployment, one: Canary, tag: str) -> None:
    folder, name, made = FORMATS["crossings csv"]
    deliver(deployment.settings.inbox, folder, f"{tag}-{name}", made(one, tag), _dated(None))


def _dated(sidecar: dict[str, object] | None) -> dict[str, object]:
    return {"extracted_at": "2025-03-03T12:00:00+00:00", **(sidecar or {})}


def refused(deployment: Deployment, one: Canary) -> None:
    """Refused rows of every format, and files that are refused as a whole, in one run."""
    inbox = deployment.settings.inbox
    for at, (folder, name, made) in enumerate(FORMATS.values()):
        deliver(inbox, folder, name, made(one, f"{at}"), _dated(None))
    for _, folder, name, content, sidecar in canary_values.damaged(one):
        deliver(inbox, folder, name, content, _dated(sidecar))
    job("landing")


def _dies(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(deployment: Deployment, one: Canary) -> None:
    """Landing dies between bronze and ledger."""
    _fresh(deployment, one, "killed")
    with mock.patch("warehouse.landing._enter", side_effect=_dies):
        job("landing", _CROSSINGS)


def _readers_fail(one: Canary, kind: type[BaseException] = ValueError) -> Any:
    broken = wraps(READERS["delimited"])(fails(one, kind))  # A dialect's options are held against what it takes.
    return mock.patch.dict(READERS, {"delimited": broken})


def _land_file(deployment: Deployment, one: Canary, tag: str) -> str:
    path = deployment.settings.inbox / f"outside-{tag}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(canary_values.crossings(one, tag))
    return str(path)


def commit_fails_in_a_run(deployment: Deployment, one: Canary) -> None:
    """A commit fails with an error that prints the row, in a run."""
    _fresh(deployment, one, "commit")
    with mock.patch(_COMMIT, fails(one, DeltaError)):
        job("landing", _CROSSINGS)


def commit_fails_in_a_command(deployment: Deployment, one: Canary) -> None:
    """The same in a command."""
    with mock.patch(_COMMIT, fails(one, DeltaError)):
        command("land", "immigration.crossings", _land_file(deployment, one, "commit2"))


def commit_panics(deployment: Deployment, one: Canary) -> None:
    """The Delta library panics, which is no exception."""
    with mock.patch(_COMMIT, fails(one, BaseException)):
        command("land", "immigration.crossings", _land_file(deployment, one, "panic"))


def disk_full(deployment: Deployment, one: Canary) -> None:
    """Nothing more can be written."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with mock.patch("os.fsync", full):
        command("land", "immigration.crossings", _land_file(deployment, one, "full"))


def reader_fails_in_a_run(deployment: Deployment, one: Canary) -> None:
    """A reader fails on a row, in a run."""
    _fresh(deployment, one, "reader")
    with _readers_fail(one):
        job("landing", _CROSSINGS)


def reader_fails_in_a_command(deployment: Deployment, one: Canary) -> None:
    """The same in a command."""
    with _readers_fail(one, pl.exceptions.ComputeError):
        command("land", "immigration.crossings", _land_file(deployment, one, "reader2"))


def dialect_fails(deployment: Deployment, one: Canary) -> None:
    """Applying the dialect stops: the file is refused whole, with a message."""
    with mock.patch("warehouse.mapping.apply", fails(one, pl.exceptions.InvalidOperationError)):
        command("land", "immigration.crossings", _land_file(deployment, one, "dialect"))


def redrive_fails(deployment: Deployment, one: Canary) -> None:
    """A file is read again under a mended dialect, and its reader fails."""
    own = deployment.settings.home / "dialects"
    own.mkdir(exist_ok=True)
    from importlib import resources

    text = resources.files("warehouse").joinpath("dialects/norvale.toml").read_text("utf-8")
    (own / "norvale.toml").write_text(text.replace("version = 3", "version = 4", 1))
    try:
        with _readers_fail(one):
            command("quarantine", "redrive", "--yes")
        command("quarantine", "redrive")
    finally:
        (own / "norvale.toml").unlink()


def conform_fails(_: Deployment, one: Canary) -> None:
    """Conforming fails on a value."""
    with mock.patch("pipelines.assets.silver.conform", fails(one, pl.exceptions.ComputeError)):
        job("landing", ["silver.crossings"])


def features_fail(_: Deployment, one: Canary) -> None:
    """Computing features fails on a row."""
    with mock.patch("pipelines.flows.vectors.compute", fails(one, pl.exceptions.ComputeError)):
        job("features", ["gold.event_features__crossings"])


def scoring_fails(_: Deployment, one: Canary) -> None:
    """Scoring fails on a row."""
    with mock.patch("pipelines.flows.score_events", fails(one)):
        job("scoring", ["gold.crossing_scores", "gold.crossing_selections"])


def training_fails(_: Deployment, one: Canary) -> None:
    """Training fails on a row."""
    with mock.patch("pipelines.lifecycle.training.train", fails(one)):
        job("train_crossing_risk")


def logging_a_model_fails(_: Deployment, one: Canary) -> None:
    """A run is begun in MLflow, and what is logged cannot be."""
    from models.catalogue import MODELS

    trained = SimpleNamespace(spec=MODELS["crossing_risk"], figures={}, model=None, split=None)
    with (
        mock.patch("pipelines.lifecycle.training", mock.Mock(train=mock.Mock(return_value=trained))),
        mock.patch("pipelines.lifecycle.promotion.judge"),
        mock.patch("models.tracking.admission.vet"),
        mock.patch("models.run_figures.parameters", fails(one)),
    ):
        job("train_crossing_risk")


def monitoring_fails(_: Deployment, one: Canary) -> None:
    """A model's days cannot be judged."""
    with mock.patch("pipelines.monitoring.monitor_days", fails(one, pl.exceptions.ComputeError)):
        job("scoring", ["monitoring.crossing_risk"])


def sharing_fails(_: Deployment, one: Canary) -> None:
    """What other agencies get cannot be brought up to date."""
    with mock.patch("pipelines.assets.shares.withdraw_others", fails(one, pl.exceptions.ComputeError)):
        job("sharing")


def _tick(evaluate: Callable[[], object]) -> None:
    """What the daemon keeps of a tick that fails."""
    import dagster as dg
    from dagster._utils.error import serializable_error_info_from_exc_info

    try:
        evaluate()
    except (dg.DagsterError, BorderlakeError, Exception):
        print(serializable_error_info_from_exc_info(sys.exc_info()).to_string())


def sensor_fails(deployment: Deployment, one: Canary) -> None:
    """The sensor's tick fails on a file."""
    import dagster as dg

    from pipelines.instance import open_instance
    from pipelines.sensors import inbox

    with open_instance(deployment.settings) as instance, mock.patch("pipelines.flows.waiting_deliveries", fails(one)):
        context = dg.build_sensor_context(instance=instance, resources={"deployment": deployment})
        _tick(lambda: inbox.evaluate_tick(context))


def schedule_fails(deployment: Deployment, one: Canary) -> None:
    """The schedule's tick fails on a row."""
    import dagster as dg

    from pipelines.instance import open_instance
    from pipelines.schedules import hourly_scoring

    with open_instance(deployment.settings) as instance, mock.patch("pipelines.flows.days_to_score", fails(one)):
        at = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
        context = dg.build_schedule_context(instance, at, resources={"deployment": deployment})
        _tick(lambda: hourly_scoring.evaluate_tick(context))


def command_fails(_: Deployment, one: Canary) -> None:
    """Commands that only look fail on a row."""
    with mock.patch("warehouse.delta.Lake.scan", fails(one, pl.exceptions.ComputeError)):
        command("quarantine", "list")
        command("tables")


def returned(deployment: Deployment, _: Canary) -> None:
    """Return reports without raw rows, and what the quarantine shows."""
    command("quarantine", "list", "--json", "-")
    for name in ("crossings.csv", "encoding.csv", "flights.edi", "sightings.parquet"):
        command("quarantine", "show", name, "--json", "-")
        command("quarantine", "export", name, "--out", str(deployment.settings.home / "returns" / name))


def verified(deployment: Deployment, _: Canary) -> None:
    """A damaged file of bronze, found, and repaired from the archive."""
    folder = deployment.settings.home / "lake/bronze/immigration__crossings"
    victim = max(folder.rglob("*.parquet"), key=lambda path: path.stat().st_mtime)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    command("verify", "--deep", "--json", "-")
    command("repair", "--deep", "--yes", "--json", "-")


def process_of_a_run(deployment: Deployment, one: Canary) -> None:
    """A run in a process of its own, whose compute logs Dagster keeps."""
    import subprocess

    from pipelines.instance import prepare

    prepare(deployment.settings)
    _fresh(deployment, one, "process")
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


def refused_erasure(_: Deployment, one: Canary) -> None:
    """An erasure that is not understood, and one that fails half way."""
    import io

    with mock.patch("sys.stdin", io.StringIO(f"{one.document}\nperson:{one.surname}\n")):
        command("erase", "--from", "-")
    with mock.patch("warehouse.erasure.look", fails(one)), mock.patch("sys.stdin", io.StringIO(one.subjects()[0])):
        command("erase", "--from", "-")


def landed_to_the_end(_: Deployment, __: Canary) -> None:
    """What failures left in the inbox lands, and silver is made of it: no failure, but what comes after."""
    job("landing")
    job("features", ["gold.event_features__crossings", "gold.event_features__shipments"])


PATHS: dict[str, Driven] = {
    "refused": refused,
    "killed": killed,
    "process_of_a_run": process_of_a_run,
    "commit_fails_in_a_run": commit_fails_in_a_run,
    "commit_fails_in_a_command": commit_fails_in_a_command,
    "commit_panics": commit_panics,
    "disk_full": disk_full,
    "reader_fails_in_a_run": reader_fails_in_a_run,
    "reader_fails_in_a_command": reader_fails_in_a_command,
    "dialect_fails": dialect_fails,
    "conform_fails": conform_fails,
    "landed_to_the_end": landed_to_the_end,
    "redrive_fails": redrive_fails,
    "features_fail": features_fail,
    "scoring_fails": scoring_fails,
    "training_fails": training_fails,
    "logging_a_model_fails": logging_a_model_fails,
    "monitoring_fails": monitoring_fails,
    "sharing_fails": sharing_fails,
    "sensor_fails": sensor_fails,
    "schedule_fails": schedule_fails,
    "command_fails": command_fails,
    "returned": returned,
    "verified": verified,
    "refused_erasure": refused_erasure,
}

if __name__ == "__main__":
    _, _seed, *_names = sys.argv
    for _name in _names:
        print(f"path {_name}", flush=True)
        _reached.clear()
        PATHS[_name](from_environment(), canary(int(_seed)))
        if _reached and not any(_reached):
            sys.exit(f"path {_name}: nothing ran into what was broken")
        print(f"driven {_name}", flush=True)

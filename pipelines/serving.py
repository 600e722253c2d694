"""Serving a deployment on loopback: the Dagster webserver and daemon, and the MLflow UI, as child processes."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipelines.instance import prepare
from warehouse.errors import BorderlakeError
from warehouse.settings import Settings

HOST = "127.0.0.1"
_MODULE = "pipelines.definitions"
_READY_S = 120.0

console = Console()


def serve(settings: Settings, *, port: int, mlflow_port: int, read_only: bool) -> None:
    """Start everything, say where it is, and stop it all when asked to or when one part ends."""
    home = prepare(settings)
    for wanted in (port, mlflow_port):
        if wanted:
            refuse_taken(HOST, wanted, "choose another with --port or --mlflow-port, or stop what holds it")
    logs = settings.home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    children = [
        _start(
            [
                _script("dagster-webserver"),
                "-h",
                HOST,
                "-p",
                str(port),
                "-m",
                _MODULE,
                *(["--read-only"] if read_only else []),
            ],
            logs / "webserver.log",
        ),
        _start([_script("dagster-daemon"), "run", "-m", _MODULE], logs / "daemon.log"),
    ]
    if mlflow_port:
        children.append(_start(_mlflow(settings, mlflow_port), logs / "mlflow.log"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with console.status("starting"):
            _wait_for(f"http://{HOST}:{port}/server_info", children, logs)
        # Its first page is a timeline, empty where nothing ran today.
        console.print(f"Dagster UI  http://{HOST}:{port}/asset-groups")
        if mlflow_port:
            console.print(f"MLflow UI   http://{HOST}:{mlflow_port}/#/models")
        console.print(
            f"Inbox       {settings.inbox}/<agency>/<dataset>/\nHome        {home.parent}\nCtrl-C stops everything."
        )
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        raise BorderlakeError(f"a server has stopped; its log is in {logs}")
    except KeyboardInterrupt:
        console.print("stopping")
    finally:
        _stop(children)


def _script(name: str) -> str:
    """A console script of this environment."""
    return str(Path(sys.executable).with_name(name))


def _mlflow(settings: Settings, port: int) -> list[str]:
    settings.mlflow_db.parent.mkdir(parents=True, exist_ok=True)
    # Its job runner is for hosted evaluation: half a dozen processes that nothing here uses.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return [
        sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{settings.mlflow_db}",
        "--default-artifact-root", settings.mlflow_artifacts.as_uri(),
    ]  # fmt: skip


def _start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as sink:
        return subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=os.environ, start_new_session=True)


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask each child's whole group to end, then insist."""
    for child in children:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + 15
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


def _wait_for(url: str, children: Sequence[subprocess.Popen[bytes]], logs: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            raise BorderlakeError(f"a server ended while starting; its log is in {logs}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    raise BorderlakeError(f"the Dagster UI did not answer within {_READY_S:.0f} s; its log is in {logs}")


def refuse_taken(host: str, port: int, remedy: str) -> None:
    """Raise where nothing can listen at an address, before anybody is told that something does."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"of {host} cannot be had ({error.strerror})"
        raise BorderlakeError(f"port {port} {why}; {remedy}") from error

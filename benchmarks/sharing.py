"""`bench sharing`: a full read through the sharing server against reading the same Parquet files from disk.

Both with the official client's own code; then many clients at once that ask for metadata, and the server's memory.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import sharing_home as home
from benchmarks.harness import Watch
from benchmarks.result import Peer
from benchmarks.sharing_sides import DISK, FLOOD, SERVER
from benchmarks.trial_result import TrialResult
from benchmarks.trials import REPEATS, run_trials
from warehouse.errors import BorderlakeError

_STARTS_WITHIN_S = 60


def run(rows: int, clients: int, seconds: int, seed: int, watch: Watch, repeats: int = REPEATS) -> TrialResult:
    """Fill a home, serve it, and measure; raises `BorderlakeError` where the server does not start."""
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        watch("writing the share")
        home.fill(folder, rows, seed)
        table = folder / "lake" / home.TABLE.name.replace(".", "/")
        files = "\n".join(sorted(str(path) for path in table.glob("*.parquet")))
        port = _free_port()
        profile = home.admit(folder, port)
        with _serving(folder, port, watch) as process:
            settings: dict[str, str | int] = {"profile": str(profile), "name": home.NAME, "files": files}
            before = _cpu_s(process.pid)
            found = run_trials("sharing_sides", (SERVER, DISK), settings, folder / "trials", watch, repeats)
            served_cpu_s = (_cpu_s(process.pid) - before) / repeats
            crowd = {**settings, "clients": clients, "seconds": seconds}
            flood = run_trials("sharing_sides", (FLOOD,), crowd, folder / "trials", watch, 1)[FLOOD].medians()
            peak_mb = _peak_rss_mb(process.pid)
    ours, theirs = found[SERVER].medians(), found[DISK].medians()
    unequal = float((ours["rows_read"], ours.pop("digest")) != (theirs["rows_read"], theirs.pop("digest")))
    asked = {name: value for name, value in flood.items() if name.startswith("metadata_")}
    figures = {**ours, "server_cpu_s": served_cpu_s, "server_peak_rss_mb": peak_mb, **asked, "reads_unequal": unequal}
    return TrialResult(
        "sharing",
        seed,
        rows,
        figures,
        {DISK: Peer("same files on disk", f"delta-sharing {version('delta-sharing')}", theirs)},
        {"rows": f"{rows:,}", "clients": f"{clients}", "seconds": f"{seconds}"},
        must_be_zero=["reads_unequal", "metadata_errors"],
    )


@contextmanager
def _serving(folder: Path, port: int, watch: Watch) -> "Iterator[subprocess.Popen[bytes]]":
    """The server in a process of its own, once it answers."""
    watch("starting the server")
    command = [sys.executable, "-m", "benchmarks.sharing_home", str(folder), str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until = time.monotonic() + _STARTS_WITHIN_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise BorderlakeError("the server did not start; run `borderlake share serve` to see why")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _peak_rss_mb(process_id: int) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _cpu_s(process_id: int) -> float:
    """Processor time of another process so far: fields 14 and 15 of its stat, in hundredths."""
    user, system = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / 100

"""`bench crash`: landings of one inbox, two at a time, killed at random instants; then landed to the end.

Every line of every file must then be in bronze or in quarantine, once. While they run a reader polls: each batch that
the ledger holds must have all its rows in bronze and quarantine at that very moment.

New files arrive all the while, every third large enough to be landed by itself, so that kills meet both ways.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks import declaration_lines
from benchmarks.crash_worker import deliveries, land_all
from benchmarks.harness import Watch
from benchmarks.trial_result import TrialResult
from warehouse import streaming
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError

_ROOT = Path(__file__).resolve().parents[1]
_BRONZE, _QUARANTINE = BRONZE["customs.declarations"], QUARANTINE["customs.declarations"]
_AT_ONCE = 2
_FILES_A_ROUND = 3
_ROWS = 400
_LARGE_BYTES = 120_000
_LONGEST_LIFE_S = 1.2
"""A worker is killed at a random instant within so long of beginning to land."""
_POLL_S = 0.02


def run(kills: int, seed: int, watch: Watch) -> TrialResult:
    """Kill, land to the end, and count what is lost, doubled, or was seen half."""
    began = time.perf_counter()
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        inbox, lake = folder / "inbox", Lake(str(folder / "lake"))
        inbox.mkdir()
        reader = _Reader(lake)
        reader.start()
        rounds = 0
        try:
            killed = 0
            while killed < kills:
                _deliver(inbox, rounds, seed)
                killed += _round(inbox, lake, random.Random(f"{seed}/{rounds}"), min(_AT_ONCE, kills - killed))
                rounds += 1
                watch(f"{killed} of {kills} kills")
        finally:
            reader.finish()
        watch("landing to the end")
        large, streaming.LARGE_BYTES = streaming.LARGE_BYTES, _LARGE_BYTES
        try:
            land_all(inbox, lake, random.Random(seed))
        finally:
            streaming.LARGE_BYTES = large
        counted = count(lake, inbox)
    figures = {
        **counted,
        "inconsistent_reads": float(reader.inconsistent),
        "reads": float(reader.reads),
        "kills": float(killed),
        "wall_s": time.perf_counter() - began,
    }
    return TrialResult(
        "crash",
        seed,
        int(counted["rows_sent"]),
        figures,
        {},
        {"kills": str(kills)},
        must_be_zero=("rows_lost", "rows_doubled", "batches_not_once_in_ledger", "inconsistent_reads"),
    )


def count(lake: Lake, inbox: Path) -> dict[str, float]:
    """Lines of the inbox's files beside what the tables hold, by batch and line."""
    sent = pl.concat(
        [
            pl.select(batch_id=pl.lit(one.batch_id), source_line=pl.int_range(2, _lines(one.path) + 1))
            for one in deliveries(inbox)
        ]
    )
    key = ["batch_id", "source_line"]
    held = pl.concat([lake.scan(table).select(key).collect() for table in (_BRONZE, _QUARANTINE)])
    ledger = lake.scan(LEDGER).select("batch_id").collect()
    once = ledger.group_by("batch_id").len().filter(pl.col("len") == 1)
    return {
        "rows_sent": float(sent.height),
        "rows_lost": float(sent.join(held, on=key, how="anti").height),
        "rows_doubled": float(held.height - held.n_unique()),
        "batches_not_once_in_ledger": float(sent.join(once, on="batch_id", how="anti")["batch_id"].n_unique()),
    }


def inconsistent(lake: Lake) -> int:
    """Batches of the ledger that do not have all their rows in bronze and quarantine."""
    entered = lake.scan(LEDGER).select("batch_id", "rows_landed", "rows_refused").collect()
    for table, name in ((_BRONZE, "rows_landed"), (_QUARANTINE, "rows_refused")):
        held = lake.scan(table).group_by("batch_id").agg(pl.len().alias(f"held_{name}")).collect()
        entered = entered.join(held, on="batch_id", how="left")
    wrong = [pl.col(name) != pl.col(f"held_{name}").fill_null(0) for name in ("rows_landed", "rows_refused")]
    return entered.filter(pl.any_horizontal(wrong)).height


class _Reader:
    """Polls the lake until it is told to finish; a read that fails counts as inconsistent."""

    def __init__(self, lake: Lake) -> None:
        self.reads, self.inconsistent = 0, 0
        self._lake, self._is_over = lake, threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._is_over.wait(_POLL_S):
            self.inconsistent += _attempt(lambda: inconsistent(self._lake))
            self.reads += 1


def _attempt(look: Callable[[], int]) -> int:
    try:
        return look()
    except Exception:
        return 1


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _deliver(inbox: Path, number: int, seed: int) -> None:
    """Three files, one of them large; they appear whole, as an inbox demands."""
    for index in range(_FILES_A_ROUND):
        rows = _ROWS * 4 if index == 0 else _ROWS
        path = inbox / f"declarations-{number:05d}-{index}.csv"
        unfinished = path.with_name(path.name + ".part")
        declaration_lines.write(unfinished, rows, seed * 1_000_003 + number * _FILES_A_ROUND + index)
        unfinished.rename(path)


def _round(inbox: Path, lake: Lake, draw: random.Random, most: int) -> int:
    """Start landings, kill each after a random while, and say how many were alive then."""
    workers = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.crash_worker",
                inbox,
                lake.root,
                str(draw.randrange(1 << 30)),
                str(_LARGE_BYTES),
            ],
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(most)
    ]
    threads = [
        threading.Thread(target=_kill_after, args=(worker, draw.uniform(0, _LONGEST_LIFE_S))) for worker in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = next((worker for worker in workers if worker.returncode not in (0, -signal.SIGKILL)), None)
    if failed is not None:
        raise BorderlakeError(f"a landing of bench crash failed by itself, with code {failed.returncode}")
    return sum(worker.returncode == -signal.SIGKILL for worker in workers)


def _kill_after(worker: subprocess.Popen[bytes], seconds: float) -> None:
    assert worker.stdout is not None
    worker.stdout.readline()  # It says when it begins to land.
    time.sleep(seconds)
    worker.kill()
    worker.communicate()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_ROOT)}

"""`bench crash`: landings of one inbox, two at a time, killed at random instants; then landed to the end.

Every line of every file must then be in bronze or in quarantine, once. While they run a reader polls: each batch that
the ledger holds must have all its rows in bronze and quarantine at that very moment.

New files arrive all the while, every third large enough to be landed by itself, part by part; one in six of those
declares another number of rows than it has, so that its landing fails when all of it is written. After some commits a
worker joins small files and writes a checkpoint. What kills leave in the lake that no commit names (orphans) is
counted apart from verifying, from the text of the logs, and must be what verifying finds.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import polars as pl

from benchmarks import declaration_lines
from benchmarks.crash_worker import TABLE, deliveries, in_small_parts, land_all, opened
from benchmarks.harness import Watch
from benchmarks.trial_result import TrialResult
from warehouse import streaming
from warehouse.catalog import LEDGER, QUARANTINE
from warehouse.delivery import Delivery, sidecar_of
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.findings import Finding, Kind
from warehouse.ledger import REFUSED
from warehouse.verify import verify

_ROOT = Path(__file__).resolve().parents[1]
_BRONZE, _QUARANTINE = TABLE, QUARANTINE["customs.declarations"]
_TABLES = (_BRONZE, _QUARANTINE, LEDGER)
_MISDECLARED = 6
"""One in so many rounds has a large file whose sidecar declares another number of rows."""
_SETTLED = timedelta(hours=1)
_AT_ONCE = 2
_FILES_A_ROUND = 3
_ROWS = 400
_LARGE_BYTES = 120_000
_LONGEST_LIFE_S = 1.2
"""A worker is killed at a random instant within so long of beginning to land."""
_POLL_S = 0.02
_PARTS_OF_A_LAKE = re.compile(
    r"/_delta_log/(\d{20}\.(json|checkpoint\.parquet)|_last_checkpoint)$|^_manifests/.*/\d{20}\.(json|checkpoint)$"
)


def run(kills: int, seed: int, watch: Watch) -> TrialResult:
    """Kill, land to the end, and count what is lost, doubled, or was seen half."""
    began = time.perf_counter()
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        inbox, lake = folder / "inbox", opened(folder / "lake")
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
        _deliver(inbox, rounds, seed)  # Something to write for each table, whatever was landed before.
        _land_to_the_end(inbox, lake, seed)
        counted = {**count(lake, inbox), **orphans(lake)}
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
        must_be_zero=(
            "rows_lost",
            "rows_doubled",
            "batches_not_once_in_ledger",
            "inconsistent_reads",
            "orphans_missed",
            "other_findings",
        ),
    )


def count(lake: Lake, inbox: Path) -> dict[str, float]:
    """Lines of the inbox's files beside what the tables hold, by batch and line."""
    sent = pl.concat([_sent(one) for one in deliveries(inbox)])
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


def _sent(one: Delivery) -> pl.DataFrame:
    """Lines of a file; a file that is refused as a whole is one line, 0."""
    if one.sidecar.rows is not None:
        return pl.select(batch_id=pl.lit(one.refusal_id), source_line=pl.lit(0, pl.Int64))
    return pl.select(batch_id=pl.lit(one.batch_id), source_line=pl.int_range(2, _lines(one.path) + 1))


def orphans(lake: Lake) -> dict[str, float]:
    """What no commit names and no part of the lake is made of, counted here and by verifying."""
    findings = verify(lake, _TABLES, datetime.now(UTC) + _SETTLED, deep=True)
    found = {_path(one) for one in findings if one.kind is Kind.ORPHAN}
    there = stray(Path(lake.root))
    return {
        "orphans": float(len(there)),
        "orphans_found": float(len(there & found)),
        "orphans_missed": float(len(there ^ found)),
        "other_findings": float(sum(one.kind is not Kind.ORPHAN for one in findings)),
    }


def stray(root: Path) -> set[str]:
    """Files of a lake that neither its logs name nor are logs or manifests themselves; its logs hold every commit."""
    named: set[str] = set()
    for commit in root.rglob("_delta_log/*.json"):
        for line in commit.read_text("utf-8").splitlines():
            said = json.loads(line)
            for action in ("add", "remove", "cdc"):
                if action in said:
                    named.add((commit.parents[1] / unquote(said[action]["path"])).relative_to(root).as_posix())
    there = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return {path for path in there - named if not _PARTS_OF_A_LAKE.search(path)}


def _path(orphan: Finding) -> str:
    """Where an orphan lies in the lake."""
    path = str(orphan.path)
    return path if path.startswith("_manifests/") else f"{orphan.table.replace('.', '/')}/{path}"


def inconsistent(lake: Lake) -> int:
    """Batches of the ledger that do not have all their rows in bronze and quarantine."""
    is_whole = pl.col("status") == REFUSED
    refused = pl.when(is_whole).then(1).otherwise("rows_refused")  # A file refused as a whole is one line.
    entered = lake.scan(LEDGER).select("batch_id", "rows_landed", rows_refused=refused).collect()
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
        if index == 0 and number % _MISDECLARED == 0:
            sidecar_of(path).write_text(json.dumps({"rows": rows + 1}), encoding="utf-8")
        unfinished.rename(path)


def _land_to_the_end(inbox: Path, lake: Lake, seed: int) -> None:
    before = streaming.LARGE_BYTES, streaming.PART_ROWS
    in_small_parts(_LARGE_BYTES)
    try:
        land_all(inbox, lake, random.Random(seed))
    finally:
        streaming.LARGE_BYTES, streaming.PART_ROWS = before


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

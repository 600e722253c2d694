"""Sides of a comparison, each in a child process of its own: rows out through a folder, scores back.

What a side must not know is not in its rows: labels of rows that judge are left out by the protocol before this
module sees them. A side's time and peak memory are its process's own, from its first line to its written scores.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.errors import BorderlakeError

Floats = NDArray[np.float64]
Settings = Mapping[str, str | int]
Side = Callable[[pl.DataFrame, Settings], Sequence[Floats]]
"""Rows and settings in; scores of every judged row out, one array a repetition."""
Watch = Callable[[str], None]

_ROWS, _SETTINGS = "rows.parquet", "settings.json"
_ROOT = Path(__file__).resolve().parents[1]
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Task:
    """What every side gets."""

    bench: str
    rows: pl.DataFrame
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """What a side gave, and what it took."""

    scores: Sequence[Floats]
    wall_s: float
    peak_rss_mb: float


def run_sides(task: Task, sides: Sequence[str], watch: Watch) -> dict[str, Scored]:
    """Run each side in its own process, one after the other; raises `BorderlakeError` when one fails."""
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        task.rows.write_parquet(folder / _ROWS, compression="lz4")
        (folder / _SETTINGS).write_text(json.dumps(dict(task.settings)), encoding="utf-8")
        return {side: _run(task.bench, side, folder, watch) for side in sides}


def _run(bench: str, side: str, folder: Path, watch: Watch) -> Scored:
    watch(side)
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", bench, side, str(folder)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1]
        raise BorderlakeError(f"{bench}: the side {side} failed: {last}")
    usage = json.loads((folder / f"{side}.json").read_text("utf-8"))
    scores = [column.to_numpy() for column in pl.read_parquet(folder / f"{side}.parquet")]
    return Scored(scores, usage["wall_s"], usage["peak_rss_mb"])


def work(side: Side, name: str, folder: Path) -> None:
    """In the child: read the task, let the side score it, write scores and usage."""
    began = time.perf_counter()
    settings = json.loads((folder / _SETTINGS).read_text("utf-8"))
    scores = side(pl.read_parquet(folder / _ROWS), settings)
    frame = pl.DataFrame({str(index): repetition for index, repetition in enumerate(scores)})
    frame.write_parquet(folder / f"{name}.parquet")
    usage = {"wall_s": time.perf_counter() - began, "peak_rss_mb": peak_rss_mb()}
    (folder / f"{name}.json").write_text(json.dumps(usage), encoding="utf-8")


def peak_rss_mb() -> float:
    """Most memory this process held at once, in MB of 10^6 bytes.

    Linux tells it of the program itself (`VmHWM`); `getrusage` also counts what the parent held when it started us.
    """
    if _STATUS.exists():
        lines = _STATUS.read_text("utf-8").splitlines()
        kibibytes = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
        if kibibytes:
            return kibibytes * 1024 / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

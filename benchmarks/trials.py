"""Timed trials: the same work by several sides, each trial in a process of its own, interleaved, medians reported.

A side is a function of a module's `SIDES`: it prepares, does its work inside `with usage:`, and returns figures of what
it did. Wall time, processor time and peak memory are those of the work; imports and what is written for a comparison do
not count. Processor time is of all threads, of the user and the system: what a busy machine does not change.
Sides that score rows are the business of `harness`.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from statistics import median
from types import TracebackType

from benchmarks.harness import Settings, Watch, peak_rss_mb
from warehouse.errors import BorderlakeError

REPEATS = 3
_ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Usage:
    """What the work took; entered once a trial."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_rss_mb: float = 0.0
    _began: float = 0.0
    _cpu_before: float = 0.0

    def __enter__(self) -> "Usage":
        self._began, self._cpu_before = time.perf_counter(), cpu_s()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wall_s = time.perf_counter() - self._began
        self.cpu_s = cpu_s() - self._cpu_before
        self.peak_rss_mb = peak_rss_mb()


Side = Callable[[Settings, Path, Usage], Mapping[str, float]]
"""Settings, an empty folder of the trial's own and its usage in; figures out."""


@dataclass(frozen=True)
class Trials:
    """Figures of one side, a mapping a repetition, and its last folder.

    `wall_s`, `cpu_s` and `peak_rss_mb` are among them.
    """

    repetitions: Sequence[Mapping[str, float]]
    folder: Path

    def medians(self) -> dict[str, float]:
        return {name: float(median(each[name] for each in self.repetitions)) for name in self.repetitions[0]}


def run_trials(
    module: str,
    sides: Sequence[str],
    settings: Settings,
    folder: Path,
    watch: Watch,
    repeats: int = REPEATS,
    environment: Mapping[str, str] | None = None,
    commands: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Trials]:
    """Run every side `repeats` times, turn by turn, below `folder`; raises `BorderlakeError` when one fails.

    `environment` is what a process must know before it imports anything: how many threads it may use. `commands` start
    sides that are no functions of ours: they are given the folder and the settings, and print their figures.
    """
    found: dict[str, list[Mapping[str, float]]] = {side: [] for side in sides}
    for repetition in range(repeats):
        for side in sides:
            watch(f"{side}, {repetition + 1} of {repeats}")
            where = _emptied(folder / side)
            os.sync()  # What the trial before left in memory would be written while this one waits for its own.
            with _set(environment or {}):
                found[side].append(_run(module, side, settings, where, (commands or {}).get(side)))
    return {side: Trials(each, folder / side) for side, each in found.items()}


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    """The variables, for what is started meanwhile; then as they were."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _emptied(folder: Path) -> Path:
    """The folder without what the trial before left: a lake that holds the batch would not land it again."""
    rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _run(
    module: str, side: str, settings: Settings, folder: Path, command: Sequence[str] | None = None
) -> Mapping[str, float]:
    started = command or [sys.executable, "-m", "benchmarks.trials", module, side]
    done = subprocess.run(
        [*started, str(folder), json.dumps(dict(settings))],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1]
        raise BorderlakeError(f"{module}: the side {side} failed: {last}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def trial(side: Side, settings: Settings, folder: Path) -> dict[str, float]:
    """In the child: let the side work and return its figures with what the work took."""
    usage = Usage()
    figures = side(settings, folder, usage)
    return {**figures, "wall_s": usage.wall_s, "cpu_s": usage.cpu_s, "peak_rss_mb": usage.peak_rss_mb}


def cpu_s() -> float:
    """Processor time of this process and all its threads so far, of the user and the system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    _, _module, _side, _folder, _settings = sys.argv
    _work: Side = import_module(f"benchmarks.{_module}").SIDES[_side]
    print(json.dumps(trial(_work, json.loads(_settings), Path(_folder))))

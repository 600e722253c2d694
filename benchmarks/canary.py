"""`bench canary`: values of one invented person driven through failures, and looked for wherever they must not be.

- paths: failures that the values went through: refused rows of each format, files refused as a whole, and steps,
  commits, commands and ticks that fail with an error that says the row.
- leaks: kinds of value by file, outside the stores that may hold them: logs, output of every process, Dagster's
  storage, MLflow's, Delta logs, manifests, anchors, silver, gold, return reports, names of files.
- controls_found: the same in the stores that may.
- blind: 1 where the scan did not find every kind of value in some store that may hold it.
- leaks_after_erase: what any file of any store still shows after `borderlake erase`.
- unproved: whether `borderlake verify --erased --from` found anything left, or the lake was no longer sound.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.canary_paths import PATHS
from benchmarks.canary_scan import Sighting, scan
from benchmarks.canary_values import FORMATS, Canary, canary, damaged
from benchmarks.harness import Watch
from benchmarks.trial_result import TrialResult
from warehouse.errors import BorderlakeError

_ROOT = Path(__file__).resolve().parents[1]
_NO_FAILURE = ("landed_to_the_end",)
_ALONE = ("refused", "killed", "process_of_a_run", "redrive_fails")
"""Paths with a process of their own: one dies, one starts others, one changes how files are read."""
_DIES = ("killed",)


def run(seed: int, watch: Watch, keep: Path | None = None, paths: Sequence[str] = tuple(PATHS)) -> TrialResult:
    """Drive, scan, erase, scan again."""
    began = time.perf_counter()
    one = canary(seed)
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        root = keep or Path(name)
        (root / "logs").mkdir(parents=True)
        for names in _processes(paths):
            watch(f"driving {names[0]}")
            _drive(root, names, seed)
        watch("scanning")
        before = scan(root, one)
        leaks = [sighting for sighting in before if not sighting.is_permitted]
        watch("erasing")
        _borderlake(
            root, "erase", *("--from", "-", "--yes", "--by", "bench", "--reason", "canary"), given=one.subjects()
        )
        watch("scanning again")
        after = scan(root, one)
        watch("proving")
        unproved = _borderlake(root, "verify", "--erased", "--from", "-", given=one.subjects())
        unsound = _borderlake(root, "verify", "--deep")
    figures = {
        "paths": float(_count(paths, one)),
        "leaks": float(len(leaks)),
        "controls_found": float(len(before) - len(leaks)),
        "leaks_after_erase": float(len(after)),
        "blind": float(not _sees(before)),
        "unproved": float(bool(unproved)) + float(bool(unsound)),
        "wall_s": time.perf_counter() - began,
    }
    faults = {f"{one.path}: {one.value}": "" for one in [*leaks, *after]}
    said = {"leaking": "; ".join(list(faults)[:20])} if faults else {}
    return TrialResult(
        "canary", seed, int(figures["paths"]), figures, {}, said,
        must_be_zero=("leaks", "leaks_after_erase", "unproved", "blind"),
    )  # fmt: skip


def _sees(before: Sequence[Sighting]) -> bool:
    """Whether the scan found every kind of value somewhere, and something in each store that may hold it."""
    permitted = [sighting for sighting in before if sighting.is_permitted]
    kinds = {sighting.value for sighting in permitted}
    return bool(permitted) and len(kinds) >= len(canary(0).forms())


def _count(paths: Sequence[str], one: Canary) -> int:
    """Failures: a file of each format with refused rows, each file refused as a whole, and every other path."""
    of_files = len(FORMATS) + len(list(damaged(one))) if "refused" in paths else 0
    return of_files + len(set(paths) - {"refused", *_NO_FAILURE})


def _processes(paths: Sequence[str]) -> list[list[str]]:
    """Paths in their order, those that can together in one process."""
    made: list[list[str]] = []
    for name in paths:
        if not made or name in _ALONE or made[-1][0] in _ALONE:
            made.append([])
        made[-1].append(name)
    return made


def _drive(root: Path, names: Sequence[str], seed: int) -> None:
    log = root / "logs" / f"{names[0]}.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "benchmarks.canary_paths", str(seed), *names]
        done = subprocess.run(command, env=_environment(root, seed), stdout=out, stderr=out, check=False)
    driven = log.read_text(errors="replace").count("driven ")
    if driven != len(names) and names[0] not in _DIES:
        raise BorderlakeError(
            f"bench canary: path {names[min(driven, len(names) - 1)]} ended with code {done.returncode}"
        )


def _borderlake(root: Path, *arguments: str, given: Sequence[str] = ()) -> int:
    """A command in a process of its own, its output kept beside the others and scanned like them."""
    with (root / "logs" / f"{arguments[0]}-{len(list((root / 'logs').iterdir()))}.log").open("wb") as out:
        program = "from pipelines.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=_environment(root, 0), input="\n".join(given).encode(), stdout=out, stderr=out, check=False,
        )  # fmt: skip
    return done.returncode


def _environment(root: Path, seed: int) -> Mapping[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("BORDERLAKE_", "DAGSTER_"))},
        "PYTHONPATH": str(_ROOT),
        "BORDERLAKE_HOME": str(root / "home"),
        "CANARY_SEED": str(seed),
        "TMPDIR": str(_made(root / "tmp")),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder

"""`bench bitrot`: does `verify --deep` see every flipped bit, and every kind of damaged log, of a small real lake?

First single bits: a random bit of a random byte of a random file, kinds of files in turn (data of every layer, change
feed, commits, checkpoints and the log's hint to them, manifest, anchors, archive), each looked at and put back. Then
each kind of damage (`bitrot_kinds`), looked at, repaired as `borderlake repair --deep --yes` does, and compared row by
row with what was there before. A repair is right that leaves nothing to find and every row as it was, or that refuses,
by name and with a next step, what it cannot do. One that leaves nothing to find and other rows is wrong.
"""

import random
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks.bitrot_kinds import KINDS, Damage
from benchmarks.bitrot_lake import SETTLED, change_feed, files, flip, group, look, made, restore, rows
from benchmarks.harness import Watch
from benchmarks.trial_result import TrialResult
from pipelines import flows
from pipelines.deployment import Deployment
from warehouse.catalog import TABLES
from warehouse.errors import BorderlakeError
from warehouse.repair import Workshop

_ROUNDS = 4
"""Repair, verify, repair what showed only then."""


def run(flips: int, seed: int, watch: Watch) -> TrialResult:
    """Damage, look, repair, compare."""
    began = time.perf_counter()
    draw = random.Random(seed)
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        watch("landing a simulated border")
        lake = made(folder / "home", seed)
        change_feed(lake)
        false_alarms = len(look(lake))
        shutil.copytree(lake.settings.home, folder / "whole")
        missed = _flips(lake, flips, draw, watch)
        done = _kinds(lake, folder / "whole", draw, watch)
        size = len(files(lake))
    said: Counter[str] = Counter(done.values())
    figures = {
        "flips": float(flips),
        "found": float(flips - len(missed)),
        "missed": float(len(missed)),
        "false_alarms": float(false_alarms),
        "files": float(size),
        "kinds": float(len(KINDS)),
        "kinds_found": float(len(KINDS) - said["not found"]),
        "kinds_missed": float(said["not found"]),
        "repaired": float(said["repaired"]),
        "refused": float(said["refused"]),
        "wrong_repairs": float(said["wrong"]),
        "wall_s": time.perf_counter() - began,
    }
    arguments = {"flips": f"{flips:,}", **({"missed": ", ".join(missed[:20])} if missed else {})}
    arguments |= {what: ", ".join(kind for kind in done if done[kind] == what) for what in sorted(said)}
    return TrialResult(
        "bitrot",
        seed,
        size,
        figures,
        {},
        arguments,
        must_be_zero=("missed", "false_alarms", "kinds_missed", "wrong_repairs"),
    )


def _flips(lake: Deployment, flips: int, draw: random.Random, watch: Watch) -> list[str]:
    """The flips that were not found, by file and place."""
    by_group: dict[str, list[Path]] = {}
    for path in files(lake):
        if path.stat().st_size:
            by_group.setdefault(group(lake, path), []).append(path)
    groups = sorted(by_group)
    missed = []
    for number in range(flips):
        path = draw.choice(by_group[groups[number % len(groups)]])
        at, bit = draw.randrange(path.stat().st_size), draw.randrange(8)
        content = flip(path, at, bit)
        if not _is_found(lake):
            missed.append(f"{path.relative_to(lake.settings.home)} byte {at} bit {bit}")
        path.write_bytes(content)
        watch(f"{number + 1} of {flips} flips")
    return missed


def _is_found(lake: Deployment) -> bool:
    """Whether verifying finds anything; one that ends in an error has found nothing."""
    try:
        return bool(look(lake))
    except Exception:
        return False


def _kinds(lake: Deployment, whole: Path, draw: random.Random, watch: Watch) -> dict[str, str]:
    """What became of each kind of damage: not found, repaired, refused, or wrong."""
    before = {name: rows(lake, table) for name, table in TABLES.items()}
    done = {}
    for kind, damage in KINDS.items():
        watch(kind)
        done[kind] = outcome(lake, damage, before, draw)
        restore(lake, whole)
    return done


def outcome(lake: Deployment, damage: Damage, before: Mapping[str, pl.DataFrame], draw: random.Random) -> str:
    """Damage a sound lake, look, repair, and compare with the rows before."""
    damage(lake, draw)
    if not _is_found(lake):
        return "not found"
    refusals = _repair(lake)
    if look(lake):
        return "refused" if refusals and all(refusals) else "wrong"
    return "repaired" if all(rows(lake, TABLES[name]).equals(held) for name, held in before.items()) else "wrong"


def _repair(lake: Deployment) -> list[str]:
    """Repair until nothing more can be; the reasons of what was refused."""
    refusals: list[str] = []
    for _ in range(_ROUNDS):
        workshop = Workshop(lake.lake, datetime.now(UTC) + SETTLED, partial(flows.archived, lake))
        steps = list(workshop.plan(look(lake)))
        refusals = [step.what for step in steps if step.run is None]
        ran = [step for step in steps if step.run is not None]
        for step in ran:
            try:
                assert step.run is not None
                step.run()
            except BorderlakeError as error:
                refusals.append(str(error))
        if not ran:
            break
    return refusals

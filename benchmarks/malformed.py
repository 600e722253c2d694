"""`bench malformed`: extracts of every format, damaged in every way, read in a child process, five seconds a file.

The extracts are those of a small simulated border. What may never happen, whatever a file looks like:

- crashes: the process ends, or anything but a refusal comes out of it.
- hangs: a file takes more than five seconds.
- unreconciled: files whose rows read are not rows landed + refused (+ set aside, where the dialect says so), or whose
  lines, counted apart from the reader, are not the rows it read.
- refused_without_reason: rows, or whole files, refused without a rule and a message.
- silent_changes: rows that landed although they should not have, counted where it can be known. First, every row of a
  changed file that came with the original's sidecar: its hash tells that the file is not what was sent. Second, without
  a sidecar, a row that the original did not have (by event id and hash of its content), after a mutation that leaves
  each value beside its name (`mutations.HARMLESS`: lines cut off, doubled, shuffled, columns in another order) or that
  the rules must catch (a header whose names are swapped over values of another kind, a file in another encoding).
  A flipped digit in a file without a sidecar cannot be known by anybody, and is not counted.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Watch
from benchmarks.mutations import BYTEWISE, HARMLESS, STRUCTURAL, Mutation
from benchmarks.questioned import Questioned
from benchmarks.trial_result import TrialResult
from warehouse.agencies import agencies
from warehouse.delivery import sidecar_of, waiting
from warehouse.dialect import dialect_of

FAULTS = ("crashes", "hangs", "unreconciled", "refused_without_reason", "silent_changes")
FORMATS = tuple(STRUCTURAL)
_LIMIT_S = 5.0
_START, _DAYS, _SCALE = date(2025, 3, 3), 2, 0.05
_SIDECAR_SHARE = 0.3


@dataclass(frozen=True)
class Original:
    """An extract as its agency sent it."""

    path: Path
    agency: str
    dataset: str
    format: str


def run(files: int, seed: int, watch: Watch) -> TrialResult:
    """Damage `files` extracts, all formats in turn, and count what reading them did."""
    found: Counter[str] = Counter(dict.fromkeys((*FAULTS, "rows_landed", "rows_refused", "files_refused"), 0))
    faulty: list[str] = []
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        watch("simulating a border")
        sent = originals(folder / "border", seed)
        child = Questioned("benchmarks.malformed_child")
        draw = random.Random(seed)
        try:
            for number in range(files):
                original = draw.choice(sent[FORMATS[number % len(FORMATS)]])
                path, asked = _damaged(original, folder, number, draw)
                got = child.ask(asked, _LIMIT_S)
                found.update(got)
                if any(got.get(fault) for fault in FAULTS):
                    faulty.append(path.name)
                path.unlink()
                sidecar_of(path).unlink(missing_ok=True)
                watch(f"{number + 1} of {files} files")
        finally:
            child.stop()
    return TrialResult(
        "malformed",
        seed,
        files,
        {
            "files": float(files),
            **{name: float(value) for name, value in found.items()},
            "formats": float(len(FORMATS)),
        },
        {},
        {"files": f"{files:,}", **({"faulty": ", ".join(faulty[:20])} if faulty else {})},
        must_be_zero=FAULTS,
    )


def originals(folder: Path, seed: int) -> dict[str, Sequence[Original]]:
    """Extracts of a simulated border by format."""
    from simulation.run import simulate

    simulate(_START, _DAYS, _SCALE, seed, folder, extended=True)
    made: dict[str, Sequence[Original]] = {form: [] for form in FORMATS}
    for agency in agencies(folder / "none.toml").values():
        for dataset, layout in agency.datasets.items():
            form = dialect_of(layout).extract_for(f"{agency.domain}.{dataset}").format
            found = waiting(folder / "inbox" / agency.code / dataset)
            made[form] = [*made[form], *(Original(path, agency.code, dataset, form) for path in found)]
    return made


def _damaged(original: Original, folder: Path, number: int, draw: random.Random) -> tuple[Path, dict[str, object]]:
    """A damaged copy, named after what was done to it, and what the child is asked."""
    ways: dict[str, Mutation] = {**BYTEWISE, **STRUCTURAL[original.format]}
    way = draw.choice([*STRUCTURAL[original.format]] if draw.random() < 0.5 else [*BYTEWISE])
    data = original.path.read_bytes()
    changed = ways[way](data, draw)
    path = folder / f"{number}-{way}-{original.path.name}"
    path.write_bytes(changed)
    beside = sidecar_of(original.path)
    has_sidecar = draw.random() < _SIDECAR_SHARE and beside.exists()
    if has_sidecar:
        sidecar_of(path).write_bytes(beside.read_bytes())
    return path, {
        "path": str(path),
        "original": str(original.path),
        "agency": original.agency,
        "dataset": original.dataset,
        "must_not_land": has_sidecar and changed != data,
        "must_be_original": way in HARMLESS,
    }

"""`bench bound`: how far the data of all agencies carries, from one agency's raw columns to knowing everything.

Every side ranks the same events, all those of a simulated lake's last days, and is judged by the truth of the
simulation. No side knows an outcome that was reported after the first of these days began.

- random: a lottery.
- policy: what the old rules and tips selected comes first, then the rest, each by lot.
- raw: a default LightGBM on the contract's own columns, learnt from the agency's inspections.
- own: the product's learner on the features of the one agency.
- all: the same learner on the features of every agency.
- bound: the same learner and features over `history_times` the history, with the true outcome of every event known
  the moment it happened: what no selection and no delay would allow.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks import bound_lessons as lessons
from benchmarks import world
from benchmarks.bound_lessons import LAKE, SIMULATED, SUBJECTS, WORLD
from benchmarks.bound_measure import measure
from benchmarks.bound_result import ALL, BOUND, OWN, POLICY, RAW, SIDES, BoundResult, figures_of
from benchmarks.harness import Scored, Settings, Task, Watch, run_sides
from benchmarks.result import Peer
from benchmarks.world import Span
from models.datasets import Floats
from warehouse.catalog import OUTCOMES
from warehouse.errors import BorderlakeError

CAP_ROWS = 1_500_000
"""Most events that a side learns from: bounds memory."""


def run(
    span: Span, subjects: Sequence[str], keep: Path | None, watch: Watch, cap_rows: int = CAP_ROWS, at_once: int = 2
) -> BoundResult:
    """Run every side on each subject and measure it; raises `BorderlakeError` where nothing can be measured."""
    span.check()
    with _folder(keep) as folder:
        prepare(span, folder, watch, at_once)
        found = {name: _measured(name, span, folder, cap_rows, watch) for name in subjects}
    prefixes = {name: f"{name}_" if len(found) > 1 else "" for name in found}
    figures = {prefixes[name] + key: value for name, each in found.items() for key, value in each.items()}
    raw = {
        prefixes[name] + key.removesuffix(f"_{RAW}"): value
        for name, each in found.items()
        for key, value in each.items()
        if key.endswith(f"_{RAW}") and not key.startswith(("gain", "share"))
    }
    return BoundResult(
        "bound",
        span.seed,
        int(sum(each["rows_test"] for each in found.values())),
        figures,
        {RAW: Peer("default LightGBM, raw columns", f"lightgbm {version('lightgbm')}", raw)},
        {name: str(value) for name, value in asdict(span).items() if name != "seed"},
        prefixes=prefixes,
    )


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with TemporaryDirectory(prefix="borderlake-bound-") as name:
        yield Path(name)


def prepare(span: Span, folder: Path, watch: Watch, at_once: int) -> None:
    """Simulate, read and lay out silver, unless the folder holds all that from a run of the same arguments."""
    marker = folder / "bound.json"
    asked = json.dumps({**asdict(span), "feeds": [feed.name for feed in world.feeds()]}, sort_keys=True)
    if marker.exists():
        if marker.read_text("utf-8") != asked:
            raise BorderlakeError(f"{folder.name} holds another world than the one asked for; give another folder")
        return
    if any(folder.iterdir()):
        raise BorderlakeError(f"{folder.name} holds something else, or a world half made; give an empty folder")
    world.live(span, folder / SIMULATED, watch)
    world.read(span, folder / SIMULATED / "inbox", folder / "parts", watch, at_once)
    for name, delivered in ((LAKE, span.in_lake()), (WORLD, span.in_world())):
        for table in world.tables():
            watch(f"laying out the {name}: {table.name}")
            # No outcome that was reported after the test's beginning is there to be seen.
            seen = delivered & (pl.col("known_at") <= span.test_from) if table is OUTCOMES else delivered
            world.lay_out(folder / "parts", folder / name, table, seen)
        world.lay_out_links(folder / "parts", folder / name, delivered)
    marker.write_text(asked, encoding="utf-8")


def _measured(name: str, span: Span, folder: Path, cap_rows: int, watch: Watch) -> dict[str, float]:
    subject = SUBJECTS[name]
    watch(f"{name}: the truth")
    judged = lessons.judged(subject, span, folder)
    of_lake = lessons.lesson_of_the_lake(subject, span, folder)
    of_world = lessons.lesson_of_the_world(subject, span, folder, cap_rows)
    common: Settings = {
        "subject": name,
        "seed": span.seed,
        "test_from": span.test_from.isoformat(),
        "valid_from": lessons.valid_from(of_lake, subject.spec).isoformat(),
    }
    given = {
        LAKE: {**common, "silver": str(folder / LAKE), **of_lake.write(folder / LAKE / f"lesson_{name}")},
        WORLD: {**common, "silver": str(folder / WORLD), **of_world.write(folder / WORLD / f"lesson_{name}")},
    }
    rows_train = dict.fromkeys((RAW, OWN, ALL), of_lake.events.height) | {BOUND: of_world.events.height}
    del of_lake, of_world
    rows = judged.drop("is_illicit")
    scored: dict[str, Scored] = {}
    for side in SIDES:
        shown = rows.with_columns(selected=lessons.selected(subject, folder, rows)) if side == POLICY else rows
        task = Task("bound", shown, given[WORLD if side == BOUND else LAKE])
        scored |= run_sides(task, (side,), lambda step: watch(f"{name}: {step}"))
    _refuse_other_rows(name, scored, rows.height)
    watch(f"{name}: figures")
    labels: Floats = judged["is_illicit"].cast(pl.Float64).to_numpy()
    measured = measure(labels, {side: scored[side].scores for side in SIDES}, span.seed)
    counts = {"rows_test": rows.height, "rows_illicit": int(labels.sum())}
    counts |= {f"rows_train_{side}": count for side, count in rows_train.items()}
    return {
        **figures_of(measured, scored),
        "base_rate": float(labels.mean()),
        **{key: float(count) for key, count in counts.items()},
    }


def _refuse_other_rows(name: str, scored: Mapping[str, Scored], rows: int) -> None:
    wrong = [side for side, result in scored.items() if any(len(scores) != rows for scores in result.scores)]
    if wrong:
        raise BorderlakeError(f"{name}: {', '.join(wrong)} did not score the {rows:,} events that were asked for")

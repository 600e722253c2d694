"""`bench bound`: how far the data of all agencies carries, from one agency's raw columns to knowing everything.

Every side ranks the same events, all those of a simulated lake's last days, and is judged by the truth of the
simulation. No side knows an outcome that was reported after the first of these days began.

- random: a lottery.
- policy: what the old rules and tips selected comes first, then the rest, each by lot.
- raw: a default LightGBM on the contract's own columns, learnt from the agency's inspections.
- own: the product's learner on the features of the one agency.
- all: the same learner on the features of every agency.
- all_365d and the like: as all, in a lake that opened so many days before the test. Same world, same days judged.
- bound: the same learner and features over `history_times` the history, with the true outcome of every event known
  the moment it happened: what no selection and no delay would allow.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks import bound_lessons as lessons
from benchmarks import world
from benchmarks.bound_lessons import LAKE, SIMULATED, SUBJECTS, WORLD, Lesson, Subject
from benchmarks.bound_measure import measure
from benchmarks.bound_result import (
    ALL,
    BOUND,
    OWN,
    POLICY,
    RAW,
    SIDES,
    BoundResult,
    by_misdeed,
    figures_of,
    sides_with,
    with_history,
)
from benchmarks.harness import Scored, Settings, Task, Watch, run_sides
from benchmarks.result import Peer
from benchmarks.world import Span
from warehouse.catalog import OUTCOMES
from warehouse.errors import BorderlakeError

CAP_ROWS = 1_500_000
"""Most events that a side learns from: bounds memory."""


def run(
    span: Span,
    subjects: Sequence[str],
    keep: Path | None,
    watch: Watch,
    cap_rows: int = CAP_ROWS,
    at_once: int = 2,
    histories: Sequence[int] = (),
) -> BoundResult:
    """Run every side on each subject and measure it, `all` also at other lengths of history, in days.

    Raises `BorderlakeError` where nothing can be measured.
    """
    span.check(histories)
    # What the lake itself holds is what `all` learns from.
    others = sorted(set(histories) - {span.history})
    with _folder(keep) as folder:
        prepare(span, folder, watch, at_once)
        for history in others:
            _lay_out_lake(span, folder, history, watch)
        found = {name: _measured(name, span, folder, others, cap_rows, watch) for name in subjects}
    prefixes = {name: f"{name}_" if len(found) > 1 else "" for name in found}
    figures = {prefixes[name] + key: value for name, each in found.items() for key, value in each.items()}
    raw = {
        prefixes[name] + key.removesuffix(f"_{RAW}"): value
        for name, each in found.items()
        for key, value in each.items()
        if key.endswith(f"_{RAW}") and not key.startswith(("gain", "share"))
    }
    arguments = {name: str(value) for name, value in asdict(span).items() if name != "seed"}
    return BoundResult(
        "bound",
        span.seed,
        int(sum(each["rows_test"] for each in found.values())),
        figures,
        {RAW: Peer("default LightGBM, raw columns", f"lightgbm {version('lightgbm')}", raw)},
        arguments | {"history": ",".join(map(str, others))} if others else arguments,
        prefixes=prefixes,
        sides=sides_with(others),
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
        _lay_out(span, folder, name, delivered, watch)
    marker.write_text(asked, encoding="utf-8")


def _lay_out_lake(span: Span, folder: Path, history: int, watch: Watch) -> None:
    """Silver of a lake that opened `history` days before the test, unless an earlier run has laid it out."""
    name = with_history(LAKE, history)
    marker = folder / f"{name}.json"
    if not marker.exists():
        rmtree(folder / name, ignore_errors=True)
        _lay_out(span, folder, name, span.in_lake(history), watch)
        marker.write_text(json.dumps({"history": history}), encoding="utf-8")


def _lay_out(span: Span, folder: Path, name: str, delivered: pl.Expr, watch: Watch) -> None:
    for table in world.tables():
        watch(f"laying out the {name}: {table.name}")
        # No outcome that was reported after the test's beginning is there to be seen.
        seen = delivered & (pl.col("known_at") <= span.test_from) if table is OUTCOMES else delivered
        world.lay_out(folder / "parts", folder / name, table, seen)
    world.lay_out_links(folder / "parts", folder / name, delivered)


def _measured(
    name: str, span: Span, folder: Path, histories: Sequence[int], cap_rows: int, watch: Watch
) -> dict[str, float]:
    subject = SUBJECTS[name]
    watch(f"{name}: the truth")
    judged = lessons.judged(subject, span, folder)
    rows, labels = judged.drop("is_illicit", "misdeed"), judged["is_illicit"].cast(pl.Float64).to_numpy()
    given, rows_train = _lessons(subject, span, folder, histories, cap_rows)
    scored: dict[str, Scored] = {}
    for side in sides_with(histories):
        shown = rows.with_columns(selected=lessons.selected(subject, folder, rows)) if side == POLICY else rows
        # A lake of another age is learnt from as the lake is.
        program = side if side in SIDES else ALL
        found = run_sides(Task("bound", shown, given[side]), (program,), lambda step: watch(f"{name}: {step}"))
        scored[side] = found[program]
    _refuse_other_rows(name, scored, rows.height)
    watch(f"{name}: figures")
    measured = measure(labels, {side: found.scores for side, found in scored.items()}, span.seed)
    counts = {"rows_test": rows.height, "rows_illicit": int(labels.sum())}
    counts |= {f"rows_train_{side}": rows_train[side] for side in scored if side in rows_train}
    return {
        **figures_of(measured, scored, labels, lessons.found(subject, folder, rows)),
        **by_misdeed(judged["misdeed"], scored),
        "base_rate": float(labels.mean()),
        **{key: float(count) for key, count in counts.items()},
    }


def _lessons(
    subject: Subject, span: Span, folder: Path, histories: Sequence[int], cap_rows: int
) -> tuple[dict[str, Settings], dict[str, int]]:
    """What each side is given, and how many events it learns from."""
    of_lake = lessons.lesson_of_the_lake(subject, span, folder / LAKE)
    valid_from = lessons.valid_from(of_lake, subject.spec)

    def settings(lesson: Lesson, silver: Path, valid_from: datetime) -> Settings:
        return {
            "subject": subject.name,
            "seed": span.seed,
            "test_from": span.test_from.isoformat(),
            "valid_from": valid_from.isoformat(),
            "silver": str(silver),
            **lesson.write(silver / f"lesson_{subject.name}"),
        }

    given: dict[str, Settings] = dict.fromkeys(SIDES, settings(of_lake, folder / LAKE, valid_from))
    rows = dict.fromkeys((RAW, OWN, ALL), of_lake.events.height)
    for history in histories:
        lake, side = folder / with_history(LAKE, history), with_history(ALL, history)
        longer = lessons.lesson_of_the_lake(subject, span, lake)
        given[side] = settings(longer, lake, lessons.valid_from(longer, subject.spec))
        rows[side] = longer.events.height
    of_world = lessons.lesson_of_the_world(subject, span, folder, cap_rows)
    given[BOUND], rows[BOUND] = settings(of_world, folder / WORLD, valid_from), of_world.events.height
    return given, rows


def _refuse_other_rows(name: str, scored: Mapping[str, Scored], rows: int) -> None:
    wrong = [side for side, result in scored.items() if any(len(scores) != rows for scores in result.scores)]
    if wrong:
        raise BorderlakeError(f"{name}: {', '.join(wrong)} did not score the {rows:,} events that were asked for")

"""`bench bound` on a tiny world: every figure is there, all sides judge the same rows, nobody sees the future."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NoReturn

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmarks import bound, bound_lessons, bound_measure, bound_sides, world
from benchmarks.bound_lessons import SUBJECTS
from benchmarks.bound_result import SIDES, BoundResult
from benchmarks.harness import Scored, Task, Watch
from benchmarks.run import SIDES as RUN
from benchmarks.world import Span
from pipelines.cli import bench
from pipelines.cli.bench import running
from warehouse.catalog import OUTCOMES
from warehouse.errors import BorderlakeError

SPAN = Span(seed=5, days=38, scale=0.4, scenario="calm", history_times=2, test_days=12)
CAP_ROWS = 4_000
LONGER = "all_45d"
"""As `all`, in a lake that opened 45 days before the test instead of 26."""
EVERY = (*SIDES[:-1], LONGER, "bound")


@dataclass
class Bench:
    """A result, and the tasks that led to it by (subject, side)."""

    folder: Path
    result: BoundResult | None = None
    tasks: dict[tuple[str, str], Task] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        assert self.result is not None
        return dict(self.result.figures)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Run once, its sides in this process: a child takes seconds to import what it needs."""
    made = Bench(tmp_path_factory.mktemp("bound"))

    def run_sides(task: Task, sides: Sequence[str], watch: Watch) -> dict[str, Scored]:
        (side,) = sides
        is_longer = Path(str(task.settings["silver"])).name == "lake_45d"
        made.tasks[str(task.settings["subject"]), LONGER if is_longer else side] = task
        return {side: Scored(RUN[task.bench][side](task.rows, task.settings), 0.1, 1.0)}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bound, "run_sides", run_sides)
        patch.setattr(world, "TAIL_DAYS", 8)
        patch.setattr(bound, "measure", partial(bound_measure.measure, draws=40))
        # Read by two processes, as in earnest: what crosses between them must come out the same.
        made.result = bound.run(
            SPAN, list(SUBJECTS), made.folder, lambda _: None, CAP_ROWS, at_once=2, histories=[45, SPAN.history]
        )
    return made


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_figure_is_there_and_a_share(tiny: Bench, subject: str) -> None:
    for percent in (1, 2, 5, 10):
        for side in EVERY:
            for kind in ("recall", "precision"):
                low, value, high = (
                    tiny.figures[f"{subject}_{kind}_at_{percent}_{side}{end}"] for end in ("_low", "", "_high")
                )
                assert 0 <= low <= value <= high <= 1
            if side != "bound":
                assert tiny.figures[f"{subject}_share_at_{percent}_{side}"] >= 0
        gain = f"{subject}_gain_at_{percent}_all_over_own"
        ours, theirs = (tiny.figures[f"{subject}_recall_at_{percent}_{side}"] for side in ("all", "own"))
        assert tiny.figures[gain] == pytest.approx(100 * (ours - theirs))
        assert tiny.figures[f"{gain}_low"] <= tiny.figures[gain] <= tiny.figures[f"{gain}_high"]
    assert 0 < tiny.figures[f"{subject}_base_rate"] < 0.2


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_lottery_finds_what_it_takes_and_who_knows_everything_the_most(tiny: Bench, subject: str) -> None:
    recall = {side: tiny.figures[f"{subject}_recall_at_5_{side}"] for side in EVERY}
    assert recall["random"] == pytest.approx(0.05, abs=0.03)
    assert max(recall, key=lambda side: recall[side]) == "bound"
    assert tiny.figures[f"{subject}_share_at_5_raw"] == pytest.approx(recall["raw"] / recall["bound"])


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_is_found_of_every_misdeed_adds_up_to_the_recall(tiny: Bench, subject: str) -> None:
    illicit = f"{subject}_illicit["
    counts = {name.removeprefix(illicit): count for name, count in tiny.figures.items() if name.startswith(illicit)}
    assert sum(counts.values()) == tiny.figures[f"{subject}_rows_illicit"]
    for side in EVERY:
        found = sum(count * tiny.figures[f"{subject}_found_at_5_{side}[{name}"] for name, count in counts.items())
        assert found / sum(counts.values()) == pytest.approx(tiny.figures[f"{subject}_recall_at_5_{side}"])


@pytest.mark.parametrize("subject", SUBJECTS)
def test_all_sides_judge_the_same_rows_and_none_is_told_their_labels(tiny: Bench, subject: str) -> None:
    rows = {side: tiny.tasks[subject, side].rows for side in EVERY}
    assert len({tuple(each["event_id"]) for each in rows.values()}) == 1
    assert rows["all"].columns == ["event_id", "event_version", "event_at"]
    assert rows["all"].height == tiny.figures[f"{subject}_rows_test"]
    assert rows["all"]["event_at"].min() >= SPAN.test_from  # type: ignore[operator]
    # Everything that happened then is judged, not only what was looked at.
    share_looked_at = rows["policy"]["selected"].mean()
    assert 0 < share_looked_at < 0.2  # type: ignore[operator]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("side", EVERY)
def test_no_side_sees_an_outcome_known_after_the_tests_beginning(tiny: Bench, subject: str, side: str) -> None:
    settings = tiny.tasks[subject, side].settings
    seen = pl.read_parquet(str(settings["outcomes"]))
    reported = world.frames(tiny.folder / "parts", OUTCOMES).select(pl.col("known_at").max()).collect().item()
    assert seen.height > 0
    assert seen["known_at"].max() <= SPAN.test_from < reported  # type: ignore[operator]
    assert seen.filter(pl.col("superseded_at") > SPAN.test_from).is_empty()
    own = world.frames(Path(str(settings["silver"])), OUTCOMES).collect()
    assert own["known_at"].max() <= SPAN.test_from  # type: ignore[operator]
    judged = set(tiny.tasks[subject, side].rows["event_id"])
    assert judged.isdisjoint(pl.read_parquet(str(settings["events"]))["event_id"])
    assert judged.isdisjoint(seen["subject_id"])


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_bound_learns_from_the_truth_and_the_others_from_inspections(tiny: Bench, subject: str) -> None:
    of_lake, of_world = (tiny.tasks[subject, side].settings for side in ("all", "bound"))
    truth = pl.read_parquet(str(of_world["outcomes"]))
    assert (truth["known_at"] == truth["event_at"]).all()
    lake, full = (pl.read_parquet(str(each["events"])) for each in (of_lake, of_world))
    assert "weight" not in lake.columns
    assert full.height == pytest.approx(min(CAP_ROWS, full["weight"].sum()), rel=0.1)
    of_subject = truth.filter(pl.col("subject_kind") == SUBJECTS[subject].spec.outcome)
    # The sample stands for all of them, and keeps every illicit one.
    assert full["weight"].sum() == pytest.approx(of_subject.height, rel=0.1)
    illicit = set(of_subject.filter("is_adverse")["subject_id"])
    assert illicit <= set(full["event_id"])
    assert full["event_at"].min() < lake["event_at"].min()  # type: ignore[operator]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_signs_are_looked_for_on_all_earlier_events_that_the_lake_has_no_outcome_of(tiny: Bench, subject: str) -> None:
    task = tiny.tasks[subject, "all"]
    unlabelled, labelled = (
        set(pl.read_parquet(str(task.settings[name]))["event_id"]) for name in ("unlabelled", "events")
    )
    events = world.frames(Path(str(task.settings["silver"])), SUBJECTS[subject].table).filter(
        (pl.col("event_at") < SPAN.test_from) & (pl.col("source_agency") == SUBJECTS[subject].agency)
    )
    assert unlabelled.isdisjoint(labelled)
    assert unlabelled | labelled == set(events.select("event_id").collect()["event_id"])
    assert pl.read_parquet(str(tiny.tasks[subject, "bound"].settings["unlabelled"])).is_empty()


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_longer_history_is_that_of_a_lake_which_opened_earlier(tiny: Bench, subject: str) -> None:
    of_lake, of_longer = (tiny.tasks[subject, side].settings for side in ("all", LONGER))
    opened = SPAN.test_from.date() - timedelta(days=45)
    for table in (SUBJECTS[subject].table, OUTCOMES):
        lake, longer = (
            world.frames(Path(str(each["silver"])), table).select("event_id", "received_on").collect()
            for each in (of_lake, of_longer)
        )
        assert set(lake["event_id"]) < set(longer["event_id"])
        assert longer["received_on"].min() == opened + timedelta(days=1)
    lake, longer = (pl.read_parquet(str(each["events"])) for each in (of_lake, of_longer))
    assert set(lake["event_id"]) < set(longer["event_id"])
    assert tiny.figures[f"{subject}_rows_train_{LONGER}"] == longer.height
    # What the lake itself holds is no side of its own.
    assert f"{subject}_recall_at_5_all_26d" not in tiny.figures


@pytest.mark.parametrize("subject", SUBJECTS)
def test_slopes_are_told_of_what_gives_probabilities(tiny: Bench, subject: str) -> None:
    told = {side for side in EVERY if f"{subject}_slope_{side}" in tiny.figures}
    assert told == {"raw", "own", "all", LONGER, "bound"}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_slopes_are_also_of_what_inspections_of_the_judged_days_found(tiny: Bench, subject: str) -> None:
    rows = tiny.tasks[subject, "all"].rows
    found = bound_lessons.found(SUBJECTS[subject], tiny.folder, rows)
    reports = pl.concat([pl.read_parquet(path) for path in world.paths_of(tiny.folder / "parts", OUTCOMES)])
    wanted = [
        reports.filter(pl.col("subject_id") == event).sort("known_at")["is_adverse"].to_list()[-1:] or [None]
        for event in rows["event_id"]
    ]
    assert [[one] for one in found] == wanted
    assert 0 < found.sum() < found.count() < rows.height
    told = {side for side in EVERY if f"{subject}_slope_found_{side}" in tiny.figures}
    assert told == {"raw", "own", "all", LONGER, "bound"}


@pytest.mark.parametrize(
    ("days", "said"),
    [
        pytest.param(53, "1 to 52 days, or 3 history times", id="longer-than-the-world-has-lived"),
        pytest.param(0, "1 to 52 days$", id="no-day-at-all"),
    ],
)
def test_a_history_that_the_world_does_not_have_is_refused(days: int, said: str, tmp_path: Path) -> None:
    with pytest.raises(BorderlakeError, match=said):
        bound.run(SPAN, list(SUBJECTS), tmp_path, lambda _: None, histories=[days])
    assert not list(tmp_path.iterdir())


def test_a_kept_world_keeps_its_longer_lakes(tiny: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "lay_out", lambda *_: pytest.fail("the lake is there already"))
    bound._lay_out_lake(SPAN, tiny.folder, 45, lambda _: None)


@pytest.mark.parametrize(
    ("said", "meant"), [("45, 90", [45, 90]), ("none", []), ("", []), ("45,longest", [45, SPAN.longest])]
)
def test_a_history_may_be_as_long_as_the_bounds(said: str, meant: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    def run(*_: object, histories: Sequence[int], **__: object) -> NoReturn:
        given.extend(histories)
        raise BorderlakeError("enough is known")

    monkeypatch.setattr(bound, "run", run)
    asked = ["bound", "--days", str(SPAN.days), "--history-times", str(SPAN.history_times)]
    done = CliRunner().invoke(bench.app, [*asked, "--test-days", str(SPAN.test_days), "--history", said])
    assert isinstance(done.exception, BorderlakeError)
    assert given == meant
    assert SPAN.longest == 52


def test_lengths_of_history_are_days_by_comma() -> None:
    done = CliRunner().invoke(bench.app, ["bound", "--history", "90,a year"])
    assert done.exit_code == 2
    assert "whole days by comma" in done.output


def test_alone_is_what_rests_on_the_agencys_own_data() -> None:
    for subject in SUBJECTS.values():
        kept = bound_sides.alone(subject).features()
        assert {feature.owner for feature in kept} == {subject.contract.domain}
        assert len(kept) < len(subject.spec.features())


def test_raw_columns_are_the_contracts_own(tiny: Bench) -> None:
    for subject in SUBJECTS.values():
        events = world.frames(tiny.folder / "lake", subject.table).head(50).collect()
        names = bound_sides.raw_columns(events, subject).columns
        assert not {"event_id", "batch_id", "received_on", "known_at", *subject.contract.key} & set(names)
        assert {"hour", "weekday", "vehicle_id"} <= set(names)


def test_a_kept_world_serves_the_same_arguments_only(tiny: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "live", lambda *_: pytest.fail("the world is there already"))
    bound.prepare(SPAN, tiny.folder, lambda _: None, 1)
    with pytest.raises(BorderlakeError, match="another world"):
        bound.prepare(Span(6, 38, 0.4, "calm", 2, 12), tiny.folder, lambda _: None, 1)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(BorderlakeError, match="empty folder"):
        bound.prepare(SPAN, tmp_path, lambda _: None, 1)


def test_the_command_says_it_in_a_row_a_side_and_in_json(
    tiny: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bound, "run", lambda *_, **__: tiny.result)
    out = tmp_path / "out.json"
    with monkeypatch.context() as patch:
        patch.setattr(running, "console", Console(width=250, force_terminal=False))
        done = CliRunner().invoke(bench.app, ["bound", "--days", "38", "--json", str(out)])
    assert done.exit_code == 0, done.output
    made = json.loads(out.read_text())
    assert made["bench"] == "bound"
    assert made["machine"]["arguments"]["history"] == "45"
    assert made["peers"]["raw"]["version"].startswith("lightgbm ")
    assert made["peers"]["raw"]["figures"]["shipments_recall_at_5"] == made["figures"]["shipments_recall_at_5_raw"]
    assert tiny.result is not None
    of_sides = [table.row_count for table in tiny.result.tables() if "by what was done" not in str(table.title)]
    assert of_sides == [len(EVERY)] * 2 * len(SUBJECTS)
    assert "smuggling, by a ring" in done.output


def test_where_the_test_days_hold_one_kind_only_nothing_is_measured(
    tiny: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = pl.DataFrame({"event_id": ["none"], "is_illicit": [True], "misdeed": ["concealment, alone"]})
    monkeypatch.setattr(bound_lessons, "_truth", lambda *_: truth)
    with pytest.raises(BorderlakeError, match="both kinds"):
        bound_lessons.judged(SUBJECTS["shipments"], SPAN, tiny.folder)

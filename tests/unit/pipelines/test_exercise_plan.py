"""Plans: lengths and dates of exercises, what is due when, and worlds that do not mix."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.claim import claim
from pipelines.cli import app
from pipelines.cli.output import Exit
from pipelines.exercise import plan
from warehouse.errors import BorderlakeError

START = date(2025, 1, 1)
OWN = """title = "Ours"
[[injects]]
day = 3
to = "customs"
text = "SECRET"
[[displaced]]
from_day = 5
away_from = "XNGRE"
towards = "XNLIN"
"""


def made(source: str = "joint_exercise", days: int | None = None, history: int = 60) -> plan.Plan:
    chosen = plan.load(source)
    return plan.new_plan(chosen, source, start=START, days=days, history_days=history, scale=0.1, seed=1)


def test_the_joint_exercise_begins_after_its_history_and_says_everything_in_play() -> None:
    held, chosen = made(), plan.load("joint_exercise")
    assert (held.begins, held.ends) == (date(2025, 3, 2), date(2025, 4, 6))
    assert len(plan.due(chosen, held, held.begins, held.ends)) == len(chosen.injects) > 0
    assert all(day > 60 for day, _ in plan.happenings(chosen))


def test_an_inject_is_due_once_whatever_the_steps() -> None:
    held, chosen = made(), plan.load("joint_exercise")
    steps = [held.begins, date(2025, 3, 6), date(2025, 3, 7), date(2025, 3, 30), held.ends]
    told = [pair for a, b in pairwise(steps) for pair in plan.due(chosen, held, a, b)]
    assert told == plan.due(chosen, held, held.begins, held.ends)


@pytest.mark.parametrize("name", sorted(plan.known()))
def test_every_scenario_leaves_days_to_play_and_ends_after_its_last_beginning(name: str) -> None:
    chosen = plan.load(name)
    assert plan.length_days(chosen) > max([plan.HISTORY_DAYS, *(day for day, _ in plan.happenings(chosen))])


def test_a_history_as_long_as_the_world_is_refused() -> None:
    with pytest.raises(BorderlakeError, match="no day to play"):
        made(days=60)


def test_a_plan_reads_back_as_it_was_written() -> None:
    assert plan.plan_from(made().to_json()) == made()


def test_a_home_takes_one_world(tmp_path: Path) -> None:
    claim(tmp_path, "exercise", {"seed": 1})
    claim(tmp_path, "exercise", {"seed": 1})
    for kind, world in (("exercise", {"seed": 2}), ("demo", {"seed": 1})):
        with pytest.raises(BorderlakeError, match="holds an exercise of another world"):
            claim(tmp_path, kind, world)


def test_an_edited_scenario_is_another_exercise(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    held = made(str(path), days=10, history=2)
    assert plan.played(held).title == "Ours"
    path.write_text(OWN.replace("day = 3", "day = 4"))
    with pytest.raises(BorderlakeError, match="edited since"):
        plan.played(held)


def test_the_list_keeps_secrets_but_from_the_directing_staff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "own.toml").write_text(OWN)
    command = ["exercise", "list", "--scenarios", str(tmp_path), "--json", "-"]
    quiet = CliRunner().invoke(app, command)
    assert quiet.exit_code == Exit.DONE
    assert "Ours" in quiet.output
    assert "joint_exercise" in quiet.output
    assert "SECRET" not in quiet.output
    assert "XNGRE" not in quiet.output
    told = CliRunner().invoke(app, [*command, "--spoil"]).output
    assert "SECRET" in told
    assert "leaves XNGRE for XNLIN" in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["run", "nowhere"], "is not known", id="an-unknown-scenario"),
        pytest.param(["debrief"], "holds no exercise", id="nothing-to-debrief"),
        pytest.param(["list", "--scenarios", "absent"], "there is no folder", id="no-such-folder"),
    ],
)
def test_an_error_says_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path / "home"))
    result = CliRunner().invoke(app, ["exercise", *arguments])
    assert isinstance(result.exception, BorderlakeError)
    assert says in str(result.exception)
    assert not (tmp_path / "home").exists()


def test_a_break_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("pipelines.cli.exercise.simulate_into", broken_off)
    result = CliRunner().invoke(app, ["exercise", "run", "calm"])
    assert result.exit_code == Exit.NOTHING
    assert "exercise run calm" in result.output

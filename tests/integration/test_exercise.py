"""An exercise over the command line at a tiny scale: a morning, two days, a team's choices, a debrief."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

import simulation
from pipelines import flows
from pipelines.claim import claim
from pipelines.cli import app
from pipelines.cli.output import Exit
from pipelines.deployment import Deployment
from pipelines.exercise import clock, plan, play
from pipelines.exercise.clock import Clock
from tests.integration.conftest import DAYS, SCALE, SEED, START, Road, deployment_in
from warehouse.catalog import LEDGER, OUTCOMES
from warehouse.errors import BorderlakeError

EXTRA = 3
"""Days of the world after the road's, which are the history of the exercise."""
BEGINS, ENDS = START + timedelta(days=DAYS), START + timedelta(days=DAYS + EXTRA)
SCENARIO = f"""title = "Three days"
[[injects]]
day = {DAYS + 2}
to = "customs"
text = "Look at lorries"
"""
runner = CliRunner()


@dataclass(frozen=True)
class Game:
    """An exercise on the morning after its second day."""

    home: Path
    scenario: Path
    moved: Result

    @property
    def deployment(self) -> Deployment:
        return deployment_in(self.home)

    def worklist(self, team: str, day: date) -> list[dict[str, str]]:
        with (self.home / "exercise" / "worklists" / team / f"{day}.csv").open(encoding="utf-8") as lines:
            return list(csv.DictReader(lines))

    def selections(self, team: str, day: date) -> Path:
        return self.home / "exercise" / "selections" / team / f"{day}.csv"


def exercise(*arguments: str) -> Result:
    return runner.invoke(app, ["exercise", *arguments])


@pytest.fixture(scope="module")
def game(road: Road, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    """The road's home as it would stand when an exercise begins, with three more days of the world to come."""
    root = tmp_path_factory.mktemp("exercise")
    home, scenario = root / "home", root / "three_days.toml"
    scenario.write_text(SCENARIO)
    shutil.copytree(road.deployment.settings.home, home, symlinks=True)
    folders = play.Folders(home)
    simulation.simulate(START, DAYS + EXTRA, SCALE, SEED, folders.world, scenario=scenario)
    clock.deliver(folders.waiting, root / "landed before", BEGINS)
    held = plan.new_plan(
        plan.load(scenario), str(scenario), start=START, days=DAYS + EXTRA, history_days=DAYS, scale=SCALE, seed=SEED
    )
    claim(home, "exercise", held.to_json())
    clock.write(folders.root, Clock(BEGINS, BEGINS))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("BORDERLAKE_HOME", home), ("DAGSTER_HOME", home / "dagster"), ("COLUMNS", 200)):
            patch.setenv(name, str(value))
        patch.setenv("PYTHONWARNINGS", "ignore")
        moved = exercise("run", str(scenario), "--days", "2")
        assert moved.exit_code == Exit.DONE, (moved.output, moved.exception)
        yield Game(home, scenario, moved)


def _last_landed(home: Path) -> date:
    last = deployment_in(home).lake.scan(LEDGER).select(pl.col("received_on").max()).collect().item()
    assert isinstance(last, date)
    return last


def test_the_first_call_lands_the_history_alone_and_says_when_it_is_too_thin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("BORDERLAKE_HOME", str(home))
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    result = exercise("run", "calm", "--history", "1", "--world-days", "3", "--scale", "0.02")
    assert isinstance(result.exception, BorderlakeError)
    assert "begin again with a longer --history" in str(result.exception)
    assert _last_landed(home) == START + timedelta(days=1)


def test_moving_on_says_what_fell_due_and_what_is_left(game: Game) -> None:
    assert f"{BEGINS + timedelta(days=1)}, to customs: Look at lorries" in game.moved.output
    assert f"the morning of {ENDS - timedelta(days=1)}; 1 day left" in game.moved.output


def test_nothing_is_in_the_lake_that_was_sent_after_the_clock(game: Game) -> None:
    morning = BEGINS + timedelta(days=2)
    assert _last_landed(game.home) == morning
    known = game.deployment.lake.scan(OUTCOMES).select(pl.col("known_at").max()).collect().item()
    assert known <= datetime.combine(morning, time(2), UTC)
    assert not [path for path in (game.home / "inbox").rglob("*") if path.is_file()]
    later = [path for path in (game.home / "exercise" / "world" / "inbox").rglob("*") if path.is_file()]
    assert later


@pytest.mark.parametrize("team", ["customs", "immigration", "surveillance"])
def test_each_team_has_a_worklist_a_day_and_an_empty_template(game: Game, team: str) -> None:
    folder = game.home / "exercise" / "worklists" / team
    days = [BEGINS + timedelta(days=1), BEGINS + timedelta(days=2)]
    assert sorted(path.name for path in folder.iterdir()) == [f"{day}.csv" for day in days]
    for day in days:
        rows = game.worklist(team, day)
        assert rows
        assert {"rank", "id", "risk", "lane", "reasons"} <= set(rows[0])
        assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
        assert len({row["id"] for row in rows}) == len(rows)
        assert rows[0]["reasons"]
        assert not {"kind", "ring", "is_illicit", "recoverable_eur", "probability"} & set(rows[0])


def test_worklists_hold_every_event_of_the_day(game: Game) -> None:
    day = BEGINS + timedelta(days=1)
    for team, subject in (("customs", "shipments"), ("immigration", "crossings")):
        silver = game.deployment.lake.scan(flows.SUBJECT_TABLES[subject]).filter(pl.col("received_on") == day)
        assert len(game.worklist(team, day)) == silver.select(pl.col("event_id").n_unique()).collect().item()


def test_another_world_in_the_same_home_is_refused(game: Game) -> None:
    for arguments in (("joint_exercise",), (str(game.scenario), "--seed", "4")):
        result = exercise("run", *arguments)
        assert isinstance(result.exception, BorderlakeError)
        assert "another world" in str(result.exception)
    demo = runner.invoke(app, ["demo", "--days", "3"])
    assert isinstance(demo.exception, BorderlakeError)


def test_a_debrief_waits_for_the_end_and_then_judges_what_was_chosen(game: Game, tmp_path: Path) -> None:
    early = exercise("debrief")
    assert isinstance(early.exception, BorderlakeError)
    assert "--so-far" in str(early.exception)
    day = BEGINS + timedelta(days=1)
    chosen = [row["id"] for row in game.worklist("customs", day)[:5]]
    lines = ["id,reason", *(f"{given},high on the list" for given in chosen), "S-nobody,a hunch"]
    game.selections("customs", day).write_text("\n".join(lines) + "\n")
    assert exercise("run", str(game.scenario), "--all").exit_code == Exit.DONE
    out = tmp_path / "debrief.json"
    result = exercise("debrief", "--json", str(out))
    assert result.exit_code == Exit.PARTLY, (result.output, result.exception)
    found = json.loads(out.read_text())
    assert (found["until"], found["is_over"]) == (str(ENDS), True)
    teams = {team["team"]: team for team in found["teams"]}
    assert {name: team["judged_by"] for name, team in teams.items()} == {
        "customs": "selections", "immigration": "lanes", "surveillance": "lanes",
    }  # fmt: skip
    assert teams["customs"]["own"]["choices"] == 6
    assert [(p["team"], p["file"], p["line"]) for p in found["problems"]] == [("customs", f"{day}.csv", 7)]
    truth = pl.read_parquet(game.home / "exercise" / "world" / "truth" / "crossings.parquet")
    kinds = set(truth.filter("is_illicit")["kind"])
    assert {row["kind"] for row in teams["immigration"]["by_kind"]} <= kinds
    assert sum(row["events"] for row in found["by_kind"]) > 0
    page = (game.home / "exercise" / "debrief.html").read_text()
    assert page.count("<svg") == 4
    assert "http" not in page

"""A debrief: gathers what was offered, chosen and true from a home, and has it compared. Nothing is drawn here."""

from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from models.catalogue import MODELS
from pipelines import flows
from pipelines.debrief import LOOKED_AT
from pipelines.deployment import Deployment
from pipelines.exercise import figures, lessons, plan, selections, worklists
from pipelines.exercise.figures import CHOSEN, TRUTH, Played, Said
from pipelines.exercise.plan import Plan
from pipelines.exercise.play import Folders
from pipelines.exercise.selections import Problem, Reading
from pipelines.exercise.worklists import TEAMS
from pipelines.truth import planted_events
from simulation.scenario import Scenario
from warehouse.catalog import OUTCOMES
from warehouse.errors import BorderlakeError, NotReady

WINDOW_DAYS = 7


def debrief(
    deployment: Deployment, scenario: Scenario, held: Plan, now: date, window_days: int = WINDOW_DAYS
) -> dict[str, Any]:
    """Everything a debrief says, as plain data, about the days up to `now`."""
    days = list(flows.each_day(held.begins + timedelta(days=1), now))
    if not days:
        raise NotReady(
            f"no day has been played yet; the exercise begins on {held.begins}. "
            "Move on first: borderlake exercise run SCENARIO --days 7"
        )
    folders = Folders(deployment.settings.home)
    offered = worklists.offered(deployment, days)
    readings = {team: _reading(folders, offered, days, team) for team in TEAMS}
    played = _played(deployment, folders, offered, readings, scenario, held, now)
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "from": days[0],
        "until": now,
        "is_over": now >= held.ends,
        "window_days": window_days,
        "teams": figures.of_teams(played),
        "by_kind": figures.by_kind(played.judged()),
        "by_day": figures.by_day(played),
        "injects": lessons.after_injects(played, window_days),
        "delays": lessons.delays(played),
        "misses": lessons.misses(played),
        "double_work": lessons.double_work(played),
        "happened": played.happened.to_dicts(),
        "problems": [asdict(problem) for problem in _problems(readings)],
    }


def _reading(folders: Folders, offered: pl.DataFrame, days: list[date], team: str) -> Reading:
    of_team = offered.filter(pl.col("team") == team)
    ids = {day: of_team.filter(pl.col("on") == day)["id"].unique().to_list() for day in days}
    return selections.read(folders.selections / team, team, ids)


def _problems(readings: dict[str, Reading]) -> list[Problem]:
    return [problem for reading in readings.values() for problem in reading.problems]


def _played(
    deployment: Deployment,
    folders: Folders,
    offered: pl.DataFrame,
    readings: dict[str, Reading],
    scenario: Scenario,
    held: Plan,
    now: date,
) -> Played:
    idle = [team for team, reading in readings.items() if not reading.choices]
    own = [(c.team, c.on, c.id) for reading in readings.values() for c in reading.choices]
    chosen = pl.concat(
        [
            pl.DataFrame(own, schema=CHOSEN, orient="row"),
            figures.by_lanes(offered, idle, LOOKED_AT).select(list(CHOSEN)),
        ]
    )
    happened = pl.read_parquet(_present(folders.truth / "events.parquet"))
    said = plan.due(scenario, held, held.begins - timedelta(days=1), now)
    return Played(
        offered=offered,
        truth=_truth(deployment, folders.truth),
        chosen=chosen,
        by_lanes=frozenset(idle),
        by_rule=_examined_by_rule(deployment),
        injects=[Said(day, inject.to, inject.text) for day, inject in said],
        happened=happened.filter((pl.col("on") <= now) & (pl.col("kind") != "inject")).sort("on", "kind"),
    )


def _truth(deployment: Deployment, folder: Path) -> pl.DataFrame:
    parts = [planted_events(deployment, spec, folder) for spec in MODELS.values()]
    return pl.concat([part.select(list(TRUTH)) for part in parts if part is not None]).collect()


def _present(path: Path) -> Path:
    if not path.exists():
        raise BorderlakeError(f"the truth of the exercise is gone ({path}); without it nothing can be judged")
    return path


def _examined_by_rule(deployment: Deployment) -> frozenset[str]:
    examined = deployment.lake.scan(OUTCOMES).filter(
        (pl.col("selection") == "rule") & pl.col("superseded_at").is_null()
    )
    return frozenset(examined.select("subject_id").collect()["subject_id"])

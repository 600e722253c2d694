"""Moving an exercise on: deliveries, runs of the road, worklists, and the clock last, so that a break is made up for.

Steps run as jobs of the deployment's Dagster instance, like a demo's, so that analysts see them in the UI. Work goes
in blocks of days: vectors are as known strictly before each event, and lanes are filled day by day, so a block gives
what its days would have given one by one. Only the model is newer after each week.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from models.catalogue import MODELS
from pipelines import flows, jobs, runs
from pipelines.assets.training import model_key
from pipelines.deployment import Deployment
from pipelines.exercise import clock, selections, worklists
from pipelines.exercise.clock import Clock
from pipelines.exercise.plan import Plan
from warehouse.errors import BorderlakeError

RETRAINING_DAYS = 7


@dataclass(frozen=True)
class Listener:
    """Told how an exercise moves on: what is being done, what went amiss, and each time the clock has moved."""

    doing: Callable[[str], None]
    amiss: Callable[[str], None]
    moved: Callable[[Clock], None]


@dataclass(frozen=True)
class Folders:
    """Where an exercise keeps its files below a home."""

    home: Path

    @property
    def root(self) -> Path:
        return self.home / "exercise"

    @property
    def world(self) -> Path:
        """The world to come: files that have not arrived, and the truth. For the directing staff only."""
        return self.root / "world"

    @property
    def waiting(self) -> Path:
        return self.world / "inbox"

    @property
    def truth(self) -> Path:
        return self.world / "truth"

    @property
    def worklists(self) -> Path:
        return self.root / "worklists"

    @property
    def selections(self) -> Path:
        return self.root / "selections"

    @property
    def report(self) -> Path:
        return self.root / "debrief.html"


def warm_up(deployment: Deployment, plan: Plan, listen: runs.StepListener | None = None) -> Clock:
    """Land the history, train on it, and stop on the morning the exercise begins."""
    folders = Folders(deployment.settings.home)
    clock.deliver(folders.waiting, deployment.settings.inbox, plan.begins)
    days = list(flows.each_day(plan.start, plan.begins))
    try:
        runs.run(deployment, "road", days, listen, fresh_history=True)
    except runs.JobFailed as error:
        if error.step not in {model_key(spec).to_python_identifier() for spec in MODELS.values()}:
            raise
        raise BorderlakeError(
            f"{error}. The history may hold too little to learn from: remove {deployment.settings.home} "
            "and begin again with a longer --history or a larger --scale"
        ) from error
    begun = Clock(plan.begins, plan.begins)
    clock.write(folders.root, begun)
    return begun


def advance(deployment: Deployment, plan: Plan, until: date, listen: Listener, *, retrain: bool) -> Clock:
    """Move on to the morning of `until`, at most a week at a time."""
    now = clock.read(Folders(deployment.settings.home).root)
    assert now is not None, "the history comes first"
    while now.on < until:
        now = _block(deployment, plan, now, until, listen, retrain=retrain)
        listen.moved(now)
    return now


def _block(deployment: Deployment, plan: Plan, now: Clock, until: date, listen: Listener, *, retrain: bool) -> Clock:
    folders = Folders(deployment.settings.home)
    if retrain and (now.on - now.trained_on).days >= RETRAINING_DAYS:
        listen.doing(f"training anew on what is known on {now.on}")
        _train(deployment, listen)
        now = Clock(now.on, now.on)
        clock.write(folders.root, now)
    last = min(until, now.trained_on + timedelta(days=RETRAINING_DAYS) if retrain else until)
    last = min(last, now.on + timedelta(days=RETRAINING_DAYS), plan.ends)
    days = list(flows.each_day(now.on + timedelta(days=1), last))
    listen.doing(f"landing and scoring {days[0]} to {last}")
    clock.deliver(folders.waiting, deployment.settings.inbox, last)
    trained = flows.trained_models(deployment)
    runs.run(deployment, "scoring", days, only=jobs.scoring_assets(trained), fresh_history=True)
    listen.doing(f"writing worklists of {days[0]} to {last}")
    worklists.write(deployment, folders.worklists, days)
    for team in worklists.TEAMS:
        for day in days:
            selections.prepare(folders.selections / team, day)
    moved = Clock(last, now.trained_on)
    clock.write(folders.root, moved)
    return moved


def _train(deployment: Deployment, listen: Listener) -> None:
    """A week's retraining; the champions stay where it fails, as they would in service."""
    try:
        runs.run(deployment, "retraining", fresh_history=True)
    except BorderlakeError as error:
        listen.amiss(f"the models stay as they are: {error}")

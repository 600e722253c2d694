"""`borderlake exercise list | run | debrief`: teams of agencies play a simulated border, and learn what they missed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.claim import claim, claimed
from pipelines.cli.output import Exit, JsonOut, console, errors, progress_bar, table, write_json
from pipelines.cli.world import DEMO_START, Watch, simulate_into
from pipelines.deployment import Deployment, from_environment
from pipelines.exercise import plan as plans
from pipelines.exercise.plan import HISTORY_DAYS, Plan
from simulation.scenario import Scenario
from warehouse.catalog import LEDGER
from warehouse.errors import BorderlakeError

app = typer.Typer(
    help="Rehearse on a simulated border: play it day by day, choose, be debriefed.", no_args_is_help=True
)

_STEP_DAYS = 7
_NEXT = "borderlake exercise"
ScenarioFolder = Annotated[
    Path | None, typer.Option("--scenarios", help="A folder with scenarios of your own (*.toml).")
]


@app.command(name="list")
def list_(
    scenarios: ScenarioFolder = None,
    spoil: Annotated[bool, typer.Option("--spoil", help="For the directing staff: everything that happens.")] = False,
    json_out: JsonOut = None,
) -> None:
    """List the scenarios: how long each lasts, how many injects come when and to whom. No secrets without --spoil."""
    found = plans.known(scenarios)
    rows = [_facts(source, chosen, spoil=spoil) for source, chosen in found.items()]
    columns = ("scenario", "title", "days", "injects", "on days", "to")
    console.print(
        table(
            "Scenarios (days count from the world's first, which is 1)",
            columns,
            [
                (r["scenario"], r["title"], r["days"], r["injects"], r["inject_days"], ", ".join(r["addressed"]))
                for r in rows
            ],
        )
    )
    if spoil:
        for chosen in found.values():
            _spoil(chosen)
    console.print(f"Play one: [bold]{_NEXT} run SCENARIO[/bold]", highlight=False)
    write_json(json_out, {"scenarios": rows})


def _facts(source: str, chosen: Scenario, *, spoil: bool) -> dict[str, Any]:
    on = [inject.day for inject in chosen.injects]
    facts: dict[str, Any] = {
        "scenario": source,
        "title": chosen.title,
        "days": plans.length_days(chosen),
        "injects": len(on),
        "inject_days": f"{min(on)} to {max(on)}" if on else "",
        "addressed": plans.addressed(chosen),
    }
    if spoil:
        facts["happenings"] = [{"day": day, "what": what} for day, what in plans.happenings(chosen)]
        facts["all_injects"] = [{"day": i.day, "to": i.to, "text": i.text} for i in chosen.injects]
    return facts


def _spoil(chosen: Scenario) -> None:
    rows = [(day, "happens", "", what) for day, what in plans.happenings(chosen)]
    rows += [(inject.day, "inject", inject.to, inject.text) for inject in chosen.injects]
    if rows:
        console.print(table(f"{chosen.name}: for the directing staff", ("day", "what", "to", "text"), sorted(rows)))


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name that `list` shows, or a file (*.toml).")],
    days: Annotated[int | None, typer.Option(min=1, help=f"Days to move on; default {_STEP_DAYS}.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Move on to this morning.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Play to the end at once, without teams.")] = False,
    retrain: Annotated[
        bool, typer.Option("--retrain/--no-retrain", help="Train anew each week on what has become known.")
    ] = True,
    scenarios: ScenarioFolder = None,
    world_days: Annotated[int | None, typer.Option(min=2, help="First call: days of the world.")] = None,
    history: Annotated[int | None, typer.Option(min=1, help="First call: days that models learn from first.")] = None,
    scale: Annotated[
        float | None, typer.Option(help="First call: 1 is 500 goods items, 2,500 crossings a day.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="First call: the same seed gives the same world.")] = None,
    json_out: JsonOut = None,
) -> None:
    """Play: the first call simulates, lands a history, trains and stops on the first morning; each further call moves
    the clock on and writes a worklist a team and day.

    A home (BORDERLAKE_HOME) holds one exercise. Ctrl-C is safe: the same command goes on where it stopped.

    Examples:

      borderlake exercise run joint_exercise --scale 0.5

      borderlake exercise run joint_exercise --days 7
    """
    from pipelines.exercise import clock, play

    if sum((days is not None, until is not None, all_)) > 1:
        raise typer.BadParameter("give one of --days, --until and --all")
    deployment = from_environment()
    source, chosen = plans.find(scenario, scenarios)
    plan = _plan(deployment, source, chosen, world_days=world_days, history=history, scale=scale, seed=seed)
    folders = play.Folders(deployment.settings.home)
    os.environ["PYTHONWARNINGS"] = "ignore"
    with _breakable(scenario):
        now = clock.read(folders.root)
        is_first = now is None
        if now is None:
            now = _begin(deployment, plan, source, chosen)
        before = plan.start if is_first else now.on
        goal = _goal(plan, now.on, days=days, until=until, all_=all_, is_first=is_first)
        now = _advance(deployment, plan, goal, retrain=retrain)
    injects = [
        {"on": day, "to": inject.to, "text": inject.text} for day, inject in plans.due(chosen, plan, before, now.on)
    ]
    for inject in injects:
        console.print(f"[bold]{inject['on']}, to {inject['to']}:[/bold] {inject['text']}", highlight=False)
    _say_next(plan, now.on, scenario, deployment)
    dates = {"on": now.on, "begins": plan.begins, "ends": plan.ends}
    files = {"worklists": folders.worklists, "selections": folders.selections}
    write_json(json_out, {"plan": plan.to_json(), **dates, "injects": injects, **files})


def _plan(
    deployment: Deployment,
    source: str,
    chosen: Scenario,
    *,
    world_days: int | None,
    history: int | None,
    scale: float | None,
    seed: int | None,
) -> Plan:
    """The home's exercise, or a new one; options that contradict the one it holds are refused."""
    home = deployment.settings.home
    held = claimed(home, "exercise")
    before = plans.plan_from(held) if held else None
    if before is None and claimed(home, "demo") is None and deployment.lake.version(LEDGER) is not None:
        raise BorderlakeError(
            f"{home} holds a lake that is no exercise; choose another BORDERLAKE_HOME for simulated data"
        )
    plan = plans.new_plan(
        chosen,
        source,
        start=DEMO_START,
        days=world_days or (before.days if before else None),
        history_days=history or (before.history_days if before else HISTORY_DAYS),
        scale=scale if scale is not None else (before.scale if before else 1.0),
        seed=seed if seed is not None else (before.seed if before else 7),
    )
    claim(home, "exercise", plan.to_json())
    return plan


@contextmanager
def _breakable(scenario: str) -> Iterator[None]:
    """A break by the user ends with a word on how to go on."""
    from dagster import DagsterExecutionInterruptedError

    try:
        yield
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        errors.print(f"\nStopped. Nothing is lost: [bold]{_NEXT} run {scenario}[/bold] goes on from here.")
        raise typer.Exit(Exit.NOTHING) from None


def _begin(deployment: Deployment, plan: Plan, source: str, chosen: Scenario) -> Any:
    from pipelines.exercise import play

    early = [inject for inject in chosen.injects if plan.date_of(inject.day) <= plan.begins]
    world = play.Folders(deployment.settings.home).world
    if not (world / "truth" / "arguments.json").exists():
        where = Path(source) if source.endswith(".toml") else source
        simulate_into(plan.start, plan.days, plan.scale, plan.seed, world, where)
    console.print(f"Simulated {plan.days} days; the first {plan.history_days} are history", highlight=False)
    if early:
        console.print(
            f"[yellow]{len(early)} injects fall into the history[/yellow]; a shorter --history lets teams play them",
            highlight=False,
        )
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
        return play.warm_up(deployment, plan, Watch(progress).step)


def _goal(plan: Plan, now: date, *, days: int | None, until: datetime | None, all_: bool, is_first: bool) -> date:
    """The morning to play to; the first call stops where the exercise begins if nothing else is asked."""
    if all_:
        return plan.ends
    if until is not None:
        if not now <= until.date() <= plan.ends:
            raise BorderlakeError(
                f"the clock stands at {now} and the exercise ends on {plan.ends}; --until lies between"
            )
        return until.date()
    step = days if days is not None else 0 if is_first else _STEP_DAYS
    return min(now + timedelta(days=step), plan.ends)


def _advance(deployment: Deployment, plan: Plan, goal: date, *, retrain: bool) -> Any:
    from pipelines.exercise import clock, play

    now = clock.read(play.Folders(deployment.settings.home).root)
    assert now is not None
    with progress_bar() as progress:
        task = progress.add_task("playing days", total=(goal - now.on).days)
        start = now.on

        def doing(what: str) -> None:
            progress.update(task, description=what)

        def amiss(what: str) -> None:
            progress.console.print(f"[yellow]{what}[/yellow]", highlight=False, soft_wrap=True)

        def moved(clock_now: clock.Clock) -> None:
            progress.update(task, completed=(clock_now.on - start).days)

        return play.advance(deployment, plan, goal, play.Listener(doing, amiss, moved), retrain=retrain)


def _say_next(plan: Plan, now: date, scenario: str, deployment: Deployment) -> None:
    from pipelines.exercise import play
    from pipelines.exercise.tables import days_of

    folders = play.Folders(deployment.settings.home)
    if now >= plan.ends:
        console.print(f"\nThe exercise has ended ({now}). Next: [bold]{_NEXT} debrief[/bold]", highlight=False)
        return
    left = (plan.ends - now).days
    console.print(f"\nIt is the morning of {now}; {days_of(left)} left.", highlight=False)
    if now > plan.begins:
        console.print(
            f"Read {folders.worklists}/TEAM/DATE.csv, fill {folders.selections}/TEAM/DATE.csv,", soft_wrap=True
        )
    console.print(f"Next: [bold]{_NEXT} run {scenario} --days {min(_STEP_DAYS, left)}[/bold]", highlight=False)


@app.command()
def debrief(
    so_far: Annotated[bool, typer.Option("--so-far", help="Before the end: judge the days played.")] = False,
    window: Annotated[int, typer.Option(min=1, help="Days before and after an inject that are compared.")] = 7,
    json_out: JsonOut = None,
) -> None:
    """Compare what teams chose with the truth: found by kind, after each inject, how late, what was missed, what was
    done twice. Tables here, and one page with pictures: exercise/debrief.html in the home.

    A team that chose nothing is judged by the model's red and yellow lanes.
    """
    from pipelines.exercise import clock, play, report, tables
    from pipelines.exercise import debrief as debriefs

    deployment = from_environment()
    home = deployment.settings.home
    held = claimed(home, "exercise")
    folders = play.Folders(home)
    now = clock.read(folders.root) if held else None
    if held is None or now is None:
        raise BorderlakeError(f"{home} holds no exercise that has begun; start one: {_NEXT} run joint_exercise")
    plan = plans.plan_from(held)
    if now.on < plan.ends and not so_far:
        raise BorderlakeError(
            f"it is the morning of {now.on} and the exercise ends on {plan.ends}; a debrief would spoil the rest. "
            f"Play on ({_NEXT} run {plan.scenario}), or look all the same: {_NEXT} debrief --so-far"
        )
    with console.status("comparing with the truth"):
        found = debriefs.debrief(deployment, plans.played(plan), plan, now.on, window)
    folders.report.write_text(report.page(found), encoding="utf-8")
    for part in tables.tables(found):
        console.print(part)
    console.print(f"\nWith pictures: {folders.report}", highlight=False, soft_wrap=True)
    write_json(json_out, {**found, "report": folders.report})
    if found["problems"]:
        raise typer.Exit(Exit.PARTLY)

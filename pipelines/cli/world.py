"""`borderlake simulate`, `demo` and `up`: a border to begin with, the whole road on it, and the UI."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.claim import claim
from pipelines.cli.output import JsonOut, console, progress_bar, table, write_json
from warehouse.errors import BorderlakeError

DEMO_START = date(2025, 1, 1)

Days = Annotated[int, typer.Option(min=1, help="Days to simulate.")]
Scale = Annotated[float, typer.Option(help="1 is 500 goods items, 2,500 crossings, 8,300 sightings a day.")]
Scenario = Annotated[
    str, typer.Option(help="What happens in it: calm, smuggling_surge, displaced_route, new_ring, travel_stop, ...")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same world.")]


def simulate(
    out: Annotated[Path, typer.Option(help="Folder for inbox/ and truth/.")],
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = datetime(2025, 1, 1),
    days: Days = 120,
    scale: Scale = 1.0,
    seed: Seed = 7,
    scenario: Scenario = "calm",
    core: Annotated[bool, typer.Option("--core", help="Only the six datasets that everything else rests on.")] = False,
    json_out: JsonOut = None,
) -> None:
    """Simulate a border: write the extracts of its agencies to OUT/inbox, and the truth to OUT/truth.

    The same arguments give byte-identical files.
    """
    summary = simulate_into(start.date(), days, scale, seed, out, scenario, core=core)
    console.print(table(f"Simulated into {out}", ("dataset", "rows"), list(summary.items())))
    write_json(json_out, {"out": str(out), "rows": summary})


def simulate_into(
    start: date, days: int, scale: float, seed: int, out: Path, scenario: str | Path, *, core: bool = False
) -> dict[str, int]:
    """Simulate with a progress bar; returns the rows by dataset."""
    import simulation

    with progress_bar() as progress:
        task = progress.add_task("simulating days", total=days)

        def advance(_stage: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        try:
            made = simulation.simulate(
                start, days, scale, seed, out, progress=advance, scenario=scenario, extended=not core
            )
            return dict(made.rows)
        except ValueError as error:
            raise BorderlakeError(str(error)) from error


def demo(
    days: Days = 120,
    scale: Scale = 1.0,
    seed: Seed = 7,
    scenario: Scenario = "calm",
    serve: Annotated[bool, typer.Option("--serve", help="Serve the Dagster UI afterwards.")] = False,
    json_out: JsonOut = None,
) -> None:
    """The whole road at once: simulate, land, conform, compute features, train, score; and say what was found."""
    from pipelines import runs, summary
    from pipelines.deployment import from_environment

    deployment = from_environment()
    home = deployment.settings.home
    claim(home, "demo", {"days": days, "scale": scale, "seed": seed, "scenario": scenario})
    began = datetime.now(UTC)
    simulate_into(DEMO_START, days, scale, seed, home, scenario)
    from pipelines import flows

    received = sorted({item.received_on for item in flows.waiting_deliveries(deployment, began)})
    os.environ["PYTHONWARNINGS"] = "ignore"
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
        watch = Watch(progress)
        runs.run(deployment, "road", received, watch.step, fresh_history=True)
    found = summary.summarise(deployment)
    for part in summary.tables(found):
        console.print(part)
    seconds = (datetime.now(UTC) - began).total_seconds()
    console.print(
        f"\nDone in {seconds:.0f} s. Where to look next:\n"
        "  [bold]borderlake up[/bold]                          the Dagster UI: graph, checks, pictures, runs\n"
        "  [bold]borderlake tables[/bold]                      every table of the lake\n"
        "  [bold]borderlake show gold.shipment_scores[/bold]   scores with their reasons\n"
        "  [bold]borderlake show ledger.landings[/bold]        every file, every row accounted for\n",
        highlight=False,
    )
    write_json(json_out, {**found, "seconds": seconds})
    if serve:
        up()


class Watch:
    """Shows each step of a run as it ends."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("running the road")
        self._since = datetime.now(UTC)

    def step(self, name: str, ok: bool) -> None:
        now = datetime.now(UTC)
        mark = "[green]done[/green]" if ok else "[red]failed[/red]"
        self._progress.console.print(
            f"  {mark} {name.replace('__', ' ')} ({(now - self._since).total_seconds():.1f} s)", highlight=False
        )
        self._since = now


def up(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI, on loopback.")] = 3000,
    mlflow_port: Annotated[int, typer.Option(help="Port of the MLflow UI; 0 leaves it out.")] = 5000,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="The UI for analysts: nothing can be started.")
    ] = False,
) -> None:
    """Serve the Dagster UI, its daemon (schedules, sensors) and the MLflow UI on loopback, until Ctrl-C.

    There is no log-in: put a proxy with your agency's own before it, for anyone but yourself.
    """
    from pipelines import serving
    from pipelines.deployment import from_environment

    serving.serve(from_environment().settings, port=port, mlflow_port=mlflow_port, read_only=read_only)

"""How a bench command runs: the `bench` group, a spinner that says what is measured, the table and file it gives."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.cli.output import Exit, console, errors, write_json
from warehouse.errors import BorderlakeError

if TYPE_CHECKING:
    from benchmarks.result import Result
    from benchmarks.trial_result import TrialResult

    R = TypeVar("R", bound=Result)

app = typer.Typer(help="Measure borderlake against named peers, each side in its own process.", no_args_is_help=True)

Seed = Annotated[int, typer.Option(help="The same seed gives the same folds, models and intervals.")]


def require_benchmarks() -> None:
    """Raises `BorderlakeError` where the benchmarks, which no wheel holds, are not there."""
    if find_spec("benchmarks") is None:
        raise BorderlakeError(
            "the benchmarks are not part of the installed package; run this from a checkout of the repository "
            "(git clone, then make demo or make test makes its environment)"
        )


def clocked(run: "Callable[[Callable[[str], None]], TrialResult]", json_out: Path | None) -> None:
    """Measure, report, and leave with 3 where a figure that must be zero is not."""
    result = measured(run, json_out)
    if result.faults:
        errors.print(f"[bold red]not zero[/bold red] {', '.join(result.faults)}")
        raise typer.Exit(Exit.PARTLY)


def measured(run: "Callable[[Callable[[str], None]], R]", json_out: Path | None) -> "R":
    """Run a bench with a spinner, print its tables, write its file; returns the result."""
    # With `--json -` the object has standard output to itself.
    shown = errors if str(json_out) == "-" else console
    result = _with_progress(run, shown)
    for part in result.tables():
        shown.print(part)
    write_json(json_out, result.to_json())
    return result


def _with_progress(run: "Callable[[Callable[[str], None]], R]", shown: Console) -> "R":
    """Run a bench, showing the side at work and its time."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True) as progress:
        task = progress.add_task("starting")

        def watch(step: str) -> None:
            progress.reset(task, description=step.replace("_", " "))

        return run(watch)

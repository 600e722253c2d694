"""What every command shares: consoles, exit codes, the `--json` option, tables."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from pipelines.cli.listing import Listing

PIPED_WIDTH = 160
"""Columns of what goes to a file or another program, which has no terminal's width; COLUMNS sets another."""
TOLD_EVERY_S = 10.0
"""How often a long work tells what it is at where there is no terminal."""


def _console(*, stderr: bool) -> Console:
    made = Console(stderr=stderr)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = PIPED_WIDTH
    return made


console = _console(stderr=False)
errors = _console(stderr=True)


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    NOTHING = 1
    USAGE = 2
    PARTLY = 3


JsonOut = Annotated[
    Path | None,
    typer.Option("--json", metavar="OUT", help="Write the result as JSON to this file; '-' is standard output."),
]


def write_json(out: Path | None, content: Mapping[str, Any]) -> None:
    """Write a command's result where `--json` asks for it."""
    if out is None:
        return
    text = json.dumps(content, indent=2, default=str, sort_keys=True)
    if str(out) == "-":
        sys.stdout.write(text + "\n")
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")


def write_or_print(text: str, out: Path | None) -> None:
    """A text, in the file that is asked for, or else as it stands on standard output."""
    if out is None:
        typer.echo(text.rstrip("\n"))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    console.print(f"written: {out}", highlight=False, soft_wrap=True)


class _Seldom:
    """Tells on standard error what a long work is at, now and then."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()

    def __call__(self, what: str) -> None:
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY_S:
            self._told = now
            errors.print(f"{printable(what)}, after {now - self._began:,.0f} s", highlight=False, soft_wrap=True)


class _PipedProgress(Progress):
    """A bar where there is no terminal."""

    def __init__(self, *columns: ProgressColumn) -> None:
        super().__init__(*columns, console=console, transient=True)
        self._tell = _Seldom()

    def update(self, task_id: TaskID, **changes: Any) -> None:
        super().update(task_id, **changes)
        task = self.tasks[self.task_ids.index(task_id)]
        self._tell(f"{task.description}: {task.completed:,.0f} of {task.total or 0:,.0f}")

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        self.update(task_id, advance=advance)


def progress_bar() -> Progress:
    """A bar with what is done of what there is to do, and the time it takes; gone when it is over.

    Where there is no terminal, that is told now and then on standard error.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True) if console.is_terminal else _PipedProgress(*columns)


@contextmanager
def at_work(work: str) -> Iterator[Callable[[str], None]]:
    """Tells what a long work is at: in a line that changes on a terminal, else now and then on standard error."""
    if not console.is_terminal:
        tell = _Seldom()
        yield lambda what: tell(f"{work}: {what}")
        return
    with console.status(work) as status:
        yield lambda what: status.update(f"{work}: {printable(what)}")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Listing:
    """A table; columns whose values are numbers stand to the right."""
    numbers = [bool(rows) and all(isinstance(row[at], int | float) for row in rows) for at in range(len(columns))]
    return Listing(title, columns, [[_shown(value) for value in row] for row in rows], numbers)


def printable(text: str) -> str:
    """Text of others as it stands: no markup, and nothing that steers a terminal."""
    return escape("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value)

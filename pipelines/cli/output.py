"""What every command shares: consoles, exit codes, the `--json` option, tables."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.cli.listing import Listing

PIPED_WIDTH = 160
"""Columns of what goes to a file or another program, which has no terminal's width; COLUMNS sets another."""


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


def progress_bar() -> Progress:
    """A bar with what is done of what there is to do, and the time it takes; gone when it is over."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)


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

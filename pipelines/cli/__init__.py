"""The command line: `borderlake ...`. One module a group of commands, all listed in `entries`; the work itself is in
`pipelines.flows`.

Exit codes: 0 done, 1 nothing could be done (the message says why), 2 wrong usage, 3 done in part.
"""

import errno
import sys

import typer
from rich.markup import escape

from pipelines.cli.entries import Commands
from pipelines.cli.output import Exit, errors, printable
from warehouse.errors import BorderlakeError, frames_of, silenced

app = typer.Typer(
    name="borderlake",
    cls=Commands,
    help=(
        "A data lakehouse with risk analytics for border agencies.\n\n"
        "Start with [bold]borderlake demo --serve[/bold]: it simulates a border, runs the whole road from extracts to "
        "risk scores, and opens the Dagster UI. All state is under BORDERLAKE_HOME (default ./.borderlake)."
    ),
    epilog=(
        "What reports takes --json OUT. Exit codes: 0 done, 1 nothing could be done (it says why), 2 wrong usage, "
        "3 done in part, or something was found."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # What a library says may be a row, and rows hold persons: see main.
    pretty_exceptions_show_locals=False,
    add_completion=False,
)


@app.callback()
def _every_command() -> None:
    """Typer makes a group of an app without commands of its own only where it has a callback."""


_DENIED = (errno.EROFS, errno.EACCES, errno.EPERM)
_NOT_OURS = (
    "this user may not write where the command has to: BORDERLAKE_HOME, the lake or the file asked for is read-only or "
    "another's. Run it as their owner; tables, show, quarantine list and verify only read"
)


_FULL = "the disk is full; free space where the command writes, then run the same command again"


def main() -> None:
    """Entry point: an error a user can mend is one line, never a stack of frames."""
    try:
        app()
    except BorderlakeError as error:
        errors.print(f"[bold red]error[/bold red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(Exit.NOTHING)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # A panic of a library is no Exception.
        if isinstance(error, OSError) and error.errno in _DENIED:
            errors.print(f"[bold red]error[/bold red] {_NOT_OURS}", highlight=False, soft_wrap=True)
            sys.exit(Exit.NOTHING)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            errors.print(f"[bold red]error[/bold red] {_FULL}", highlight=False, soft_wrap=True)
            sys.exit(Exit.NOTHING)
        for line in frames_of(error):
            errors.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)
        said = silenced(error, "the command")
        errors.print(f"[bold red]unexpected[/bold red] {printable(str(said))}", highlight=False, soft_wrap=True)
        sys.exit(Exit.NOTHING)


__all__ = ["app", "main"]

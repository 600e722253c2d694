"""The command line: `borderlake ...`. One module a group of commands; the work itself is in `pipelines.flows`.

Exit codes: 0 done, 1 nothing could be done (the message says why), 2 wrong usage, 3 done in part.
"""

import errno
import sys

import typer

from pipelines.cli import (
    agreement,
    audit,
    bench,
    contracts,
    disposition,
    erase,
    exercise,
    features,
    feeds,
    inspect,
    keep,
    leaking,
    models,
    monitor,
    quarantine,
    replay,
    road,
    score,
    selecting,
    share,
    share_tables,
    tuning,
    versions,
    world,
)
from pipelines.cli.examples import add_examples
from pipelines.cli.output import Exit, errors, printable
from warehouse.errors import BorderlakeError, frames_of, silenced

app = typer.Typer(
    name="borderlake",
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
app.command(rich_help_panel="Start")(world.demo)
app.command(rich_help_panel="Start")(world.up)
app.command(rich_help_panel="Start")(world.simulate)
app.command(rich_help_panel="Work")(road.land)
app.add_typer(quarantine.app, name="quarantine", rich_help_panel="Work")
app.command(rich_help_panel="Work")(models.train)
versions.app.command()(tuning.tune)
app.add_typer(score.app, name="score", rich_help_panel="Work")
app.add_typer(versions.app, name="model", rich_help_panel="Work")
app.command(rich_help_panel="Work")(selecting.select)
app.add_typer(disposition.app, name="disposition", rich_help_panel="Work")
app.add_typer(feeds.app, name="feeds", rich_help_panel="Look")
app.command(rich_help_panel="Look")(monitor.monitor)
app.command(rich_help_panel="Look")(inspect.tables)
app.command(rich_help_panel="Look")(inspect.show)
app.command(rich_help_panel="Look")(selecting.whatif)
app.command(rich_help_panel="Look")(leaking.leakage)
app.add_typer(features.app, name="features", rich_help_panel="Look")
app.command(rich_help_panel="Look")(replay.replay)
app.add_typer(contracts.app, name="contract", rich_help_panel="Look")
app.command(name="dictionary", rich_help_panel="Look")(contracts.data_dictionary)
app.add_typer(agreement.app, name="agreement", rich_help_panel="Share")
share.app.command()(share_tables.refresh)
share.app.command()(share_tables.rotate_key)
share.app.command()(share_tables.export)
app.add_typer(share.app, name="share", rich_help_panel="Share")
app.add_typer(audit.app, name="audit", rich_help_panel="Share")
app.command(rich_help_panel="Keep")(keep.verify)
app.command(rich_help_panel="Keep")(keep.repair)
app.command(rich_help_panel="Keep")(keep.compact)
app.command(rich_help_panel="Keep")(keep.vacuum)
app.command(rich_help_panel="Keep")(erase.erase)
app.add_typer(exercise.app, name="exercise", rich_help_panel="Start")
app.add_typer(bench.app, name="bench", rich_help_panel="Measure")
add_examples(app)


_DENIED = (errno.EROFS, errno.EACCES, errno.EPERM)
_NOT_OURS = (
    "this user may not write where the command has to: BORDERLAKE_HOME, the lake or the file asked for is read-only or "
    "another's. Run it as their owner; tables, show, quarantine list and verify only read"
)


def main() -> None:
    """Entry point: an error a user can mend is one line, never a stack of frames."""
    try:
        app()
    except BorderlakeError as error:
        errors.print(f"[bold red]error[/bold red] {error}", highlight=False, soft_wrap=True)
        sys.exit(Exit.NOTHING)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # A panic of a library is no Exception.
        if isinstance(error, OSError) and error.errno in _DENIED:
            errors.print(f"[bold red]error[/bold red] {_NOT_OURS}", highlight=False, soft_wrap=True)
            sys.exit(Exit.NOTHING)
        for line in frames_of(error):
            errors.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)
        said = silenced(error, "the command")
        errors.print(f"[bold red]unexpected[/bold red] {printable(str(said))}", highlight=False, soft_wrap=True)
        sys.exit(Exit.NOTHING)


__all__ = ["app", "main"]

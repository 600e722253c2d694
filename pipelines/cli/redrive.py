"""`borderlake quarantine redrive`: refused files read again once their dialect is mended."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import flows
from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.cli.road import report
from pipelines.deployment import Deployment, alone, of_lake
from warehouse import quarantine
from warehouse.agencies import agency_and_dataset
from warehouse.corrected import with_corrections
from warehouse.dialect import dialects
from warehouse.ledger import KNOWN, Account, redactions
from warehouse.quarantine import Reading
from warehouse.redrive import Files, Prospect, open_readings, prospects

SHORT = 8
"""Characters of a batch that name it to a person."""

Dataset = Annotated[
    str | None, typer.Option(metavar="AGENCY.DATASET", help="Only what this agency delivers as this dataset.")
]


def redrive(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|BATCH]...", help="Files to read again, or paths of them; default: all that is open."
        ),
    ] = None,
    dataset: Dataset = None,
    dialect: Annotated[
        str | None, typer.Option(help="Read them under this dialect; default: the one they were read under.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be.")] = False,
    json_out: JsonOut = None,
) -> None:
    """Read files again under their dialect as it is now and land what is good now: says what would be, --yes does it.

    A file's new reading takes the place of the earlier one, whose rows and refusals stay readable. A file is left as it
    is where nothing more would land.
    """
    deployment, now = of_lake(), datetime.now(UTC)
    # Two at once would each judge what the other is about to replace.
    with alone(deployment, "redrive") if yes else contextlib.nullcontext():
        raise typer.Exit(_redriven(deployment, names or [], dataset, dialect, now, yes=yes, json_out=json_out))


def _redriven(
    deployment: Deployment,
    names: Sequence[str],
    dataset: str | None,
    dialect: str | None,
    now: datetime,
    *,
    yes: bool,
    json_out: Path | None,
) -> Exit:
    found = readings_of(deployment, dataset)
    wanted, paths = open_readings(found, names)
    settings = deployment.settings
    redacted = redactions(deployment.lake)
    files = Files(settings.archive, deployment.agencies, settings.dialects, dialect, paths, redacted)
    planned = list(prospects(found, wanted, files, now))
    if not planned:
        console.print("Nothing is open in quarantine; borderlake quarantine list shows its history")
        write_json(json_out, {"files": [], "done": False})
        return Exit.NOTHING
    console.print(_prospects_table(planned))
    ready = [item.delivery for item in planned if item.held is None and item.delivery is not None]
    accounts = flows.land_all(deployment, ready, now) if yes else []
    if accounts:
        report(deployment, accounts)
    _conclude(planned, accounts, yes=yes)
    write_json(json_out, {"files": [_prospect_facts(item) for item in planned], "done": yes})
    return _exit_code(planned, done=yes)


def readings_of(deployment: Deployment, dataset: str | None = None) -> list[Reading]:
    """Every reading of every file, or of those of one `AGENCY.DATASET`."""
    known = dialects(deployment.settings.dialects)
    if dataset is None:
        found = quarantine.readings(deployment.lake)
    else:
        agency, name = agency_and_dataset(dataset, dict(deployment.agencies))
        found = quarantine.readings(deployment.lake, agency=agency.code, dataset=name)
    return with_corrections(deployment.lake, found, lambda reading: known.get(reading.dialect))


def _prospects_table(planned: Sequence[Prospect]) -> object:
    return table(
        "Redrive",
        ("batch", "file", "received", "landed", "refused", "what"),
        [
            (
                item.refused[0].batch_id[:SHORT],
                printable(item.file_name),
                item.refused[0].received_on.isoformat(),
                _change(item.landed_before, item.landed_after, item),
                _change(item.refused_before, item.refused_after, item),
                printable(item.held) if item.held else f"reads again as {_version(item)}",
            )
            for item in planned
        ],
    )


def _change(before: int, after: int, item: Prospect) -> str:
    return f"{before:,} -> {after:,}" if item.after else f"{before:,}"


def _version(item: Prospect) -> str:
    layout = item.delivery.dialect if item.delivery else None
    return f"dialect {layout.name} version {layout.version}" if layout else ""


def _conclude(planned: Sequence[Prospect], accounts: Sequence[Account], *, yes: bool) -> None:
    ready = [item for item in planned if item.held is None]
    more = sum(item.landed_after - item.landed_before for item in ready)
    left = len(planned) - len(ready)
    what = f"{_counted(more, 'more row')} of {_counted(len(ready), 'file')}"
    held = f"; {_counted(left, 'file')} left as it was" if left else ""
    if not ready:
        said = (
            "Nothing would change. Where the dialect is to blame, mend it in BORDERLAKE_HOME/dialects, raise its "
            "version and redrive; where the sender is, borderlake quarantine export writes what to return"
        )
    elif not yes:
        said = f"Would land {what}{held}. Nothing has been done yet: --yes does it"
    elif all(account.status == KNOWN for account in accounts):
        said = f"Another redrive has landed these {len(ready):,} files meanwhile{held}"
    else:
        still = sum(item.refused_after for item in ready)
        rest = f"; {_counted(still, 'row')} of them still refused: borderlake quarantine list" if still else ""
        said = f"{what} landed{rest}{held}. Next: borderlake score"
    console.print(said, highlight=False, soft_wrap=True)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _exit_code(planned: Sequence[Prospect], *, done: bool) -> Exit:
    """0 when all is, or would be, done; 1 when nothing would change; 3 when something stays refused."""
    ready = [item for item in planned if item.held is None]
    if not ready:
        return Exit.NOTHING
    stays = len(ready) < len(planned) or any(item.refused_after for item in ready)
    return Exit.PARTLY if done and stays else Exit.DONE


def _prospect_facts(item: Prospect) -> dict[str, object]:
    return {
        "file": item.file_name,
        "batch_id": item.refused[0].batch_id,
        "received_on": item.refused[0].received_on,
        "new_batch_id": item.delivery.batch_id if item.delivery else None,
        "landed_before": item.landed_before,
        "landed_after": item.landed_after if item.after else None,
        "refused_before": item.refused_before,
        "refused_after": item.refused_after if item.after else None,
        "held": item.held,
    }

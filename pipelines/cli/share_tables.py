"""`borderlake share refresh | rotate-key | export`: the shared tables themselves, and what goes with them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import JsonOut, console, progress_bar, table, write_json
from pipelines.cli.share import ENDPOINT, Code, Endpoint, app
from pipelines.deployment import Deployment, from_environment, of_home
from sharing import papers
from sharing.outlook import Outlook, outlooks
from sharing.progress import standing
from sharing.shares import Share, by_name, shares_of
from warehouse.agreements.model import Mask
from warehouse.errors import BorderlakeError

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")]


@app.command()
def refresh(
    recipient: Annotated[
        str | None, typer.Argument(metavar="[RECIPIENT]", help="Only the shares of this one; without it, all.")
    ] = None,
    yes: Yes = False,
    json_out: JsonOut = None,
) -> None:
    """Bring shares up to their agreements and to what is new, as the schedule does each hour.

    A dry run unless --yes: it says of each share what would be done, and what its recipient will notice. Recipients
    read the version before until a share is done.
    """
    deployment, at = of_home(), datetime.now(UTC)
    found = list(outlooks(deployment.lake, deployment.agreements, deployment.pseudonym_keys, at, recipient))
    if not found:
        whom = recipient or "anybody"
        raise BorderlakeError(f"nothing was ever shared with {whom}; `borderlake agreement check` lists the agreements")
    if not yes:
        console.print(table("Refresh", ("share", "would be", "recipient"), [_row(one) for one in found]))
        if any(one.is_change for one in found):
            again = " ".join(filter(None, ("borderlake share refresh", recipient, "--yes")))
            console.print(f"A dry run. Do it: [bold]{again}[/bold]")
        write_json(json_out, {"yes": False, "shares": [vars(one) for one in found]})
        return
    before = {one.table: _rows(deployment, one.table) for one in found}
    _run(deployment, recipient, at)
    after = {name: _rows(deployment, name) for name in before}
    shown = [(name, rows, taken - before[name][1], version) for name, (rows, taken, version) in after.items()]
    columns = ("share", "rows", "taken_back", "version")
    console.print(table("Refreshed", ("share", "rows", "taken back", "version"), shown))
    write_json(json_out, {"yes": True, "shares": [dict(zip(columns, row, strict=True)) for row in shown]})


@app.command()
def rotate_key(recipient: Code, yes: Yes = False) -> None:
    """Draw a new key for a recipient's pseudonyms, where the old one may be known to others.

    A dry run unless --yes. From the next refresh on the recipient gets each of these tables anew, under other
    pseudonyms: they do not join what it has kept, and no earlier version or change can be read. The old key stays in
    the house, to tell whom an old pseudonym meant.
    """
    deployment, at = from_environment(), datetime.now(UTC)
    shares = [one for one in shares_of(deployment.agreements, at) if one.agreement.recipient.code == recipient]
    if not shares:
        raise BorderlakeError(f"no agreement of this home names {recipient}; `borderlake agreement check` lists them")
    rows = [(one.name, ", ".join(_pseudonyms(one)) or "none, yet it is made anew") for one in shares]
    console.print(table("Made anew at the next refresh", ("share", "pseudonyms"), rows))
    if not yes:
        console.print(f"A dry run. Do it: [bold]borderlake share rotate-key {recipient} --yes[/bold]")
        return
    key = deployment.pseudonym_keys.rotate(recipient)
    console.print(
        f"{recipient} has key {key.key_id} now. Tell its contacts that pseudonyms change, then: "
        f"[bold]borderlake share refresh {recipient} --yes[/bold] (or wait for the schedule)",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def export(
    recipient: Code,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write into.")],
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Write what goes with a recipient's tables, to hand over with its profile.

    For each table a data contract (Open Data Contract Standard 3.1); for all of them a catalogue (DCAT 3, JSON-LD) and
    the dictionary of columns (CSV), which the recipient can also read as a shared table.
    """
    deployment, at = of_home(), datetime.now(UTC)
    found = papers.papers_of(deployment.lake, deployment.agreements, recipient, endpoint, at)
    for path in papers.write(found, out):
        console.print(f"written: {path}", highlight=False, soft_wrap=True)


def _run(deployment: Deployment, recipient: str | None, at: datetime) -> None:
    """Run the sharing job on the deployment's instance, so that the UI shows it; a bar tells the shares done."""
    from pipelines import runs
    from pipelines.assets.shares import REGISTER
    from pipelines.jobs import sharing_job
    from pipelines.reporting import key_of

    shares = [one for one in shares_of(deployment.agreements, at) if recipient in (None, one.agreement.recipient.code)]
    only = [REGISTER, *(key_of(one.table) for one in shares)]
    with progress_bar() as progress:
        task = progress.add_task("refreshing", total=len(only))

        def told(step: str, has_ended: bool) -> None:
            progress.update(task, advance=has_ended, description=step)

        runs.run(deployment, sharing_job.name, listen=told, only=only)


def _row(one: Outlook) -> Sequence[object]:
    notices = "reads it whole" if one.is_anew else "reads on" if one.is_change else "notices nothing"
    return one.table, one.what, notices


def _rows(deployment: Deployment, name: str) -> tuple[int, int, int | None]:
    """Rows, rows ever taken back, and version of a share."""
    last = standing(deployment.lake, by_name(name))
    told = last.progress
    return (0, 0, last.version) if told is None else (told.rows, told.retracted, last.version)


def _pseudonyms(share: Share) -> list[str]:
    return [name for name, masking in share.shared.columns.items() if masking.mask is Mask.PSEUDONYM]

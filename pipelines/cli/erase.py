"""`borderlake erase SUBJECT`: take a person or firm out of every store that may hold personal data."""

import os
import sys
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import erasing
from pipelines.cli.output import Exit, JsonOut, at_work, console, errors, table, write_json
from pipelines.deployment import of_home
from pipelines.erasing import Done, Plan
from warehouse import erasure
from warehouse.erasure import Order
from warehouse.errors import BorderlakeError
from warehouse.subjects import KINDS

From = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="Read subjects from a file, one a line; '-' is standard input."),
]


def erase(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="[SUBJECT]",
            help=f"KIND:VALUE or KIND:KEYED ID; kinds: {', '.join(KINDS)}. Without it and --from it is asked for.",
        ),
    ] = None,
    source: From = None,
    requested_by: Annotated[
        str | None, typer.Option("--by", metavar="WHO", help="Who asks for it, for the record. Never the subject.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="WHY", help="Ground or file number, for the record.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "--apply", help="Do it; without, only say what would go.")] = False,
    at_once: Annotated[
        bool,
        typer.Option(
            "--at-once",
            help="On an object store: old files go now and not in 7 days. Stop the writers of all other homes first: "
            "a file that one is about to commit would be deleted under it.",
        ),
    ] = False,
    json_out: JsonOut = None,
) -> None:
    """Erase a subject from inbox, archive, bronze, quarantine, vault, links, silver, and from every old file.

    A dry run unless --yes. Rows stay and what gives the subject away in them goes, so that every batch keeps its
    counts. No value is shown or recorded; whoever can see this machine's processes or the shell's history sees an
    argument, so give the value with --from or when asked.

      borderlake erase --from request-17.txt --by dpo --reason "request 17" --yes

    Forms: document:DEU/P1234567, person:SURNAME/GIVEN NAMES/1983-08-12, vehicle:PLATE, organisation:XN/ID,
    officer:ID, text:ANYTHING, and KIND:KEYED ID as silver has it.
    """
    if yes and not (requested_by and reason):
        raise BorderlakeError("an erasure is recorded with who asked and why: give --by and --reason")
    deployment = of_home()
    subjects = erasure.resolve(deployment.lake, given(subject, source))
    if not yes:
        with at_work("looking for the subject") as progress:
            plan = erasing.plan(deployment, subjects, progress)
        _show(plan, done=False)
        if plan.changes:
            console.print("A dry run. Do it: add [bold]--yes --by WHO --reason WHY[/bold]")
        write_json(json_out, _facts(plan, None))
        raise typer.Exit(Exit.DONE if plan.changes else Exit.NOTHING)
    order = Order(str(uuid.uuid4()), subjects, str(requested_by), str(reason), datetime.now(UTC))
    with at_work("erasing") as progress:
        is_now = at_once or erasing.is_ours_alone(deployment)
        done = erasing.erase(deployment, order, at_once=is_now, progress=progress)
    _show(done.plan, done=True)
    _conclude(order, done)
    write_json(json_out, _facts(done.plan, done) | {"erasure_id": order.erasure_id})
    raise typer.Exit(Exit.PARTLY if done.due else Exit.DONE)


def given(subject: str | None, source: Path | None) -> list[str]:
    """Subjects from where they were given; asked for, unseen, where they were not."""
    if subject is not None and source is not None:
        raise BorderlakeError("give the subject or --from, not both")
    if source is not None:
        lines = _lines(source)
    elif subject is not None:
        lines = [subject]
    else:
        lines = [typer.prompt("subject (KIND:VALUE)", hide_input=True, err=True)]
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not found:
        raise BorderlakeError("no subject was given: one a line, KIND:VALUE")
    return found


def _lines(source: Path) -> Iterable[str]:
    if str(source) == "-":
        return sys.stdin.read().splitlines()
    if not source.is_file():
        raise BorderlakeError("--from names no file")
    if source.stat().st_mode & 0o077 and os.name == "posix":
        errors.print("[yellow]others may read the file of subjects[/yellow]: chmod 600, and remove it afterwards")
    return source.read_text("utf-8").splitlines()


def _show(plan: Plan, *, done: bool) -> None:
    rows = _by_store(plan)
    if not rows:
        console.print("Nothing of the subject was found in any store." + (" That is recorded." if done else ""))
        return
    console.print(table("Erased" if done else "Would be erased", ("store", "rows or records", "of which files"), rows))
    if plan.found.related:
        console.print(
            "These rows name others too, who stay elsewhere. If they are the same subject, erase them as well:"
        )
        for kind, keyed in plan.found.related[:20]:
            console.print(f"  {kind}:{keyed}", highlight=False)


def _by_store(plan: Plan) -> list[tuple[str, int, int]]:
    rows, files = Counter[str](), Counter[str]()
    for change in plan.changes:
        rows[change.store] += change.rows
    for one in plan.rewrites:
        files[one.changes[0].store] += 1
    return [(store, count, files[store]) for store, count in sorted(rows.items())]


def _conclude(order: Order, done: Done) -> None:
    removed = sum(one.content is None for one in done.plan.rewrites)
    if removed:
        console.print(f"{removed:,} files were removed as a whole: nothing of them had landed, or they cannot be read")
    console.print(
        f"{done.files_removed:,} old data files removed. Recorded as erasure {order.erasure_id}.", highlight=False
    )
    if done.due:
        console.print(
            f"Old data files younger than 7 days still hold the subject: other homes may write to this lake. They go "
            f"from {done.due:%Y-%m-%d}: run the same command again then, or now with --at-once (see its help).",
            highlight=False,
            soft_wrap=True,
        )
    console.print("Prove it: [bold]borderlake verify --erased[/bold]")


def _facts(plan: Plan, done: Done | None) -> dict[str, object]:
    return {
        "done": done is not None,
        "stores": {store: {"rows": rows, "files": files} for store, rows, files in _by_store(plan)},
        "related": [f"{kind}:{keyed}" for kind, keyed in plan.found.related],
        "files_removed": done.files_removed if done else 0,
        "old_files_go_at": done.due if done else None,
    }

"""`borderlake audit ...`: the log of everything that was shared: whether it is whole, and what it tells."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer

from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.cli.share import audit_of, signer_of
from pipelines.deployment import Deployment, from_environment, of_home
from sharing.audit import Entry
from sharing.flows import Flow, chosen, flows
from sharing.received import Tracing, is_known
from warehouse import erasure
from warehouse.errors import BorderlakeError

app = typer.Typer(no_args_is_help=True, help="The log of what was shared: verify it, take it out, sum it up.")

OfRecipient = Annotated[str | None, typer.Option("--recipient", help="Only of this recipient.")]
OfAgreement = Annotated[str | None, typer.Option("--agreement", help="Only under this agreement.")]
Since = Annotated[datetime | None, typer.Option("--since", help="From this time (UTC) on.")]
Until = Annotated[datetime | None, typer.Option("--until", help="Up to, not with, this time (UTC).")]


@app.command()
def verify(
    noted: Annotated[
        str | None, typer.Option("--noted", metavar="NUMBER:DIGEST", help="A head that was noted elsewhere before.")
    ] = None,
    json_out: JsonOut = None,
) -> None:
    """Find changed, dropped, reordered, repeated and cut lines. Exit code 3 where anything is wrong.

    Note the head that it prints somewhere else: with --noted a log that was made anew as a whole is found, too.
    """
    log = audit_of(of_home())
    found = [(one.fault.value, one.place, one.meaning) for one in log.verify()]
    if noted is not None and not log.holds(*_noted(noted)):
        found.append(("not-the-noted-log", _noted(noted)[0], "the line that was noted elsewhere is not in its place"))
    head = log.head() if not any(fault == "damaged-anchor" for fault, _, _ in found) else None
    if found:
        console.print(table("Audit log", ("what", "line", "meaning"), found))
    else:
        console.print(f"the audit log is whole: {head.count if head else 0:,} lines", highlight=False)
    if head is not None:
        console.print(f"head: {head.count}:{head.head}", highlight=False, soft_wrap=True)
    findings = [{"fault": fault, "line": line, "meaning": meaning} for fault, line, meaning in found]
    write_json(json_out, {"findings": findings, "head": None if head is None else f"{head.count}:{head.head}"})
    if found:
        raise typer.Exit(Exit.PARTLY)


@app.command()
def rotate() -> None:
    """Close the file that is written to, so that it can be put away for good; it is closed by itself at 64 MiB.

    The log goes on in a new file. Keep a copy of the closed ones elsewhere, and leave them in place: what is verified
    is the whole chain.
    """
    closed = audit_of(from_environment()).close_segment()
    said = f"closed: {closed}" if closed else "there is no line in the file that is written to"
    console.print(said, highlight=False, soft_wrap=True)


@app.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .jsonl; '-' prints JSON lines.")],
    recipient: OfRecipient = None,
    agreement: OfAgreement = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write entries to a file, for an auditor or a recipient."""
    is_printed = str(out) == "-"
    if not is_printed and out.suffix not in (".csv", ".jsonl"):
        raise BorderlakeError(f"{out.name}: the name's end says the format; it is .csv or .jsonl")
    entries = _chosen(recipient, agreement, since, until)
    with nullcontext(sys.stdout) if is_printed else out.open("w", encoding="utf-8", newline="") as stream:
        count = _write(stream, entries, as_csv=out.suffix == ".csv")
    if not is_printed:
        console.print(f"written: {out}, {count:,} entries", highlight=False)


@app.command()
def report(
    recipient: OfRecipient = None,
    agreement: OfAgreement = None,
    since: Since = None,
    until: Until = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            metavar="ID",
            help="Who received this record: a keyed id, KIND:VALUE, or an event's or score's id.",
        ),
    ] = None,
    json_out: JsonOut = None,
) -> None:
    """Sum up what flowed, per agreement, recipient and table: queries, files, rows, bytes; and what was refused.

    With --person: who received one record, when, under which agreement and for which purpose. A file that is gone since
    cannot be read any more: where it held the record's day, it is told as "possible". Of a person who was erased since,
    only who may have received it can be told: ask before an erasure.
    """
    if person is not None:
        _report_on(person, _chosen(recipient, agreement, since, until), json_out)
        return
    found = flows(_chosen(recipient, agreement, since, until))
    columns = ("agreement", "recipient", "purposes", "table", "queries", "files", "rows", "bytes", "refused", "last")
    rows = [_facts(one) | {"purposes": ", ".join(sorted(one.purposes))} for one in found]
    console.print(table("What flowed", columns, [[one[name] for name in columns] for one in rows]))
    write_json(json_out, {"flows": [_facts(one) for one in found]})


def _report_on(person: str, entries: Iterator[Entry], json_out: Path | None) -> None:
    deployment, at = from_environment(), datetime.now(UTC)
    ids, erased_at = _ids_of(deployment, person)
    if erased_at is not None and not ids:
        _report_on_erased(erased_at, entries, json_out)
        return
    if not is_known(deployment.lake, ids):
        raise BorderlakeError(
            "no table has a record of this id or person, so that nothing can be said of who received it: mistyped, "
            "landed nowhere yet, or erased; whether a person was erased can be told of KIND:VALUE, not of a keyed id"
        )
    tracing = Tracing(
        deployment.lake, deployment.agreements, deployment.pseudonym_keys, signer_of(deployment).file_id, at
    )
    with console.status("reading what was served"):
        found = tracing.receipts(entries, ids)
    shown = [
        (f"{one.at:%Y-%m-%d %H:%M:%S}", one.recipient, one.agreement_id, one.purpose, one.table, one.state)
        for one in found
    ]
    columns = ("received (UTC)", "recipient", "agreement", "purpose", "table", "")
    console.print(table("Who received it", columns, shown) if shown else "No file with this record was served.")
    receipts = [asdict(one) | {"at": one.at.isoformat()} for one in found]
    write_json(json_out, {"receipts": receipts, "erased_at": _iso(erased_at), "possible": []})


def _report_on_erased(erased_at: datetime, entries: Iterator[Entry], json_out: Path | None) -> None:
    """What can still be said of an erased person: who was given anything before the erasure, and may have had it."""
    found = [one for one in flows(chosen(entries, until=erased_at)) if one.files]
    console.print(
        f"This person was erased on {erased_at:%Y-%m-%d %H:%M} UTC, and with that what tied the person to any record: "
        "which files held one cannot be told any more. Whoever fetched files before then may have had it:",
        highlight=False,
        soft_wrap=True,
    )
    columns = ("agreement", "recipient", "table", "files", "first", "last")
    rows = [_facts(one) for one in found]
    told = table("May have received it", columns, [[one[name] for name in columns] for one in rows])
    console.print(told if rows else "nobody: no file was fetched before then")
    write_json(json_out, {"receipts": [], "erased_at": _iso(erased_at), "possible": rows})


def _ids_of(deployment: Deployment, person: str) -> tuple[list[str], datetime | None]:
    """Ids by which silver and gold know a record, and when it was erased; those of KIND:VALUE are of the vault."""
    if ":" not in person:
        return [person], None
    (subject,) = erasure.resolve(deployment.lake, [person])
    erased_at = erasure.erased_at(deployment.lake, subject, deployment.vault_key)
    return erasure.keyed_ids(deployment.lake, subject), erased_at


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _chosen(
    recipient: str | None, agreement: str | None, since: datetime | None, until: datetime | None
) -> Iterator[Entry]:
    entries = (line.entry for line in audit_of(from_environment()).lines())
    return chosen(entries, recipient=recipient, agreement=agreement, since=_utc(since), until=_utc(until))


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _noted(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise BorderlakeError("--noted takes what `borderlake audit verify` printed as head: NUMBER:DIGEST")
    return int(number), digest


def _write(stream: IO[str], entries: Iterator[Entry], *, as_csv: bool) -> int:
    writer = csv.DictWriter(stream, [one.name for one in fields(Entry)])
    if as_csv:
        writer.writeheader()
    count = 0
    for entry in entries:
        told = vars(entry) | {"at": entry.at.isoformat()}
        if as_csv:
            writer.writerow(told)
        else:
            stream.write(json.dumps(told) + "\n")
        count += 1
    return count


def _facts(flow: Flow) -> dict[str, object]:
    return {
        "agreement": flow.agreement_id,
        "recipient": flow.recipient or "(nobody known)",
        "table": printable(flow.table),
        "purposes": sorted(flow.purposes),
        "queries": flow.queries,
        "files": flow.files,
        "rows": flow.rows,
        "bytes": flow.size,
        "refused": flow.refused,
        "first": None if flow.first_at is None else flow.first_at.isoformat(timespec="seconds"),
        "last": None if flow.last_at is None else flow.last_at.isoformat(timespec="seconds"),
    }

"""`borderlake quarantine ...`: what was refused, why, the report for its sender, and reading it again once mended."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import flows
from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.cli.road import report
from pipelines.deployment import Deployment, from_environment
from warehouse import quarantine, redrive, returns
from warehouse.agencies import agency_and_dataset
from warehouse.dialect import Dialect, dialects
from warehouse.errors import BorderlakeError
from warehouse.ledger import KNOWN, Account, unaccounted
from warehouse.quarantine import Reading
from warehouse.redrive import Files, Prospect
from warehouse.returns import Return

app = typer.Typer(no_args_is_help=True, help="See, return to its sender, and read again what landing has refused.")

_RULES_SHOWN = 4
_SHORT = 8

Dataset = Annotated[
    str | None, typer.Option(metavar="AGENCY.DATASET", help="Only what this agency delivers as this dataset.")
]
Named = Annotated[str, typer.Argument(metavar="FILE|BATCH", help="A file's name, or the beginning of its batch.")]
Raw = Annotated[bool, typer.Option("--raw", help="With the rows as received. They may hold personal data.")]


@app.command(name="list")
def list_(
    dataset: Dataset = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Files received from this day on.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most files to show; --json has them all.")] = 50,
    json_out: JsonOut = None,
) -> None:
    """List files of which rows were refused, and files refused as a whole: by which rules, and whether that is open."""
    found = _readings(from_environment(), dataset)
    if not found:
        console.print("Nothing has landed here yet. Begin with borderlake demo, or borderlake land AGENCY.DATASET FILE")
        write_json(json_out, {"readings": [], "totals": _totals([], [])})
        raise typer.Exit(Exit.NOTHING)
    kept = quarantine.refused(found, since.date() if since else None)
    if kept:
        console.print(_listed(kept[:limit]))
    if len(kept) > limit:
        console.print(f"{len(kept) - limit:,} more; --limit shows more, --json OUT writes all")
    totals = _totals(found, kept)
    console.print(_said(totals), highlight=False, soft_wrap=True)
    write_json(json_out, {"readings": [_facts(reading) for reading in kept], "totals": totals})


@app.command()
def show(
    name: Named,
    raw: Raw = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 20,
    json_out: JsonOut = None,
) -> None:
    """Show refused rows of a file: line, rules, and what each asks for. Rows as received only with --raw."""
    deployment = from_environment()
    readings = quarantine.chosen(quarantine.refused(_readings(deployment)), name)
    columns = ("line", "rules", "messages", *(("as received",) if raw else ()))
    written = []
    for reading in readings:
        rows = quarantine.rows_of(deployment.lake, reading, with_raw=raw, limit=limit)
        written.append({**_facts(reading), "rows": rows.to_dicts()})
        shown = [
            (str(line or "whole file"), *(printable("\n".join(told)) for told in lists), *map(_as_received, rest))
            for line, *lists, rest in ((row[0], row[1], row[2], row[3:]) for row in rows.iter_rows())
        ]
        console.print(table(f"{printable(reading.file_name)} as {reading.contract.name}", columns, shown))
        console.print(_state(reading), highlight=False, soft_wrap=True)
        if (more := reading.rows_refused - rows.height) > 0:
            console.print(f"{more:,} more rows; --limit shows more", highlight=False)
    console.print(
        "[dim]These rows may hold personal data.[/dim]"
        if raw
        else "[dim]The rows as received may hold personal data and are shown with --raw only.[/dim]"
    )
    write_json(json_out, {"readings": written})


@app.command()
def export(
    name: Named,
    out: Annotated[Path, typer.Option(help="FILE.csv or FILE.html; any other path is a folder that gets both.")],
    raw: Raw = False,
    json_out: JsonOut = None,
) -> None:
    """Write the return report of a file for its sender: which lines, which of its columns, what would mend them."""
    deployment = from_environment()
    readings = quarantine.chosen(quarantine.refused(_readings(deployment)), name)
    rows = {one.contract.name: quarantine.rows_of(deployment.lake, one, with_raw=raw) for one in readings}
    made = returns.returned(readings, rows, _layout(deployment, readings[0]))
    written = _write_report(out, made)
    for path in written:
        console.print(f"written: {printable(str(path))}", highlight=False, soft_wrap=True)
    if raw:
        console.print("[dim]The report holds rows as received, which may be personal data.[/dim]")
    write_json(json_out, {"batch_id": readings[0].batch_id, "written": written, "entries": len(made.lines)})


@app.command(name="redrive")
def redrive_(
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
    """Read files again under their dialect as it is now, and land what is good by now. Says what would be; --yes does it.

    A file's new reading takes the place of the earlier one, whose rows and refusals stay readable. A file is left as it
    is where nothing more would land.
    """
    deployment, now = from_environment(), datetime.now(UTC)
    found = _readings(deployment, dataset)
    wanted, paths = redrive.open_readings(found, names or [])
    settings = deployment.settings
    files = Files(settings.archive, deployment.agencies, settings.dialects, dialect, paths)
    planned = list(redrive.prospects(found, wanted, files, now))
    if not planned:
        console.print("Nothing is open in quarantine; borderlake quarantine list shows its history")
        write_json(json_out, {"files": [], "done": False})
        raise typer.Exit(Exit.NOTHING)
    console.print(_prospects_table(planned))
    ready = [item.delivery for item in planned if item.held is None and item.delivery is not None]
    accounts = flows.land_all(deployment, ready, now) if yes else []
    lost = unaccounted(deployment.lake, accounts)
    if accounts:
        report(deployment, accounts)
    _conclude(planned, accounts, yes=yes)
    write_json(json_out, {"files": [_prospect_facts(item) for item in planned], "done": yes, "unaccounted": lost})
    if lost:
        raise BorderlakeError(f"{sum(lost.values()):,} rows are not accounted for, of batches {', '.join(lost)}")
    raise typer.Exit(_exit_code(planned, done=yes))


def _readings(deployment: Deployment, dataset: str | None = None) -> list[Reading]:
    if dataset is None:
        return quarantine.readings(deployment.lake)
    agency, name = agency_and_dataset(dataset, dict(deployment.agencies))
    return quarantine.readings(deployment.lake, agency=agency.code, dataset=name)


def _layout(deployment: Deployment, reading: Reading) -> Dialect | None:
    return dialects(deployment.settings.dialects).get(reading.dialect)


def _listed(kept: Sequence[Reading]) -> object:
    return table(
        "Quarantine",
        ("batch", "file", "received", "agency", "read as", "read", "refused", "by rule", "state"),
        [
            (
                reading.batch_id[:_SHORT],
                printable(reading.file_name),
                reading.received_on.isoformat(),
                reading.agency,
                reading.contract.name,
                reading.rows_read,
                "whole file" if reading.is_whole_file else f"{reading.rows_refused:,}",
                _rules(reading.by_rule, none="" if reading.is_whole_file else "-"),
                "open" if reading.replaced_by is None else f"read again: {reading.replaced_by[:_SHORT]}",
            )
            for reading in kept
        ],
    )


def _rules(by_rule: dict[str, int], none: str = "-") -> str:
    told = ", ".join(f"{rule} {count:,}" for rule, count in list(by_rule.items())[:_RULES_SHOWN])
    more = len(by_rule) - _RULES_SHOWN
    return printable(told + (f" and {more} more rules" if more > 0 else "")) or none


def _totals(found: Sequence[Reading], kept: Sequence[Reading]) -> dict[str, object]:
    by_rule: Counter[str] = Counter()
    for reading in kept:
        if reading.is_open:
            by_rule.update(reading.by_rule)
    whole = {reading.batch_id: reading for reading in kept if reading.is_whole_file}
    return {
        "files": len({reading.content for reading in kept}),
        "rows_refused": sum(reading.rows_refused for reading in kept),
        "rows_open": sum(reading.rows_refused for reading in kept if reading.is_open),
        "whole_files_refused": len(whole),
        "whole_files_open": sum(reading.is_open for reading in whole.values()),
        "open_by_rule": dict(by_rule.most_common()),
        "readings_that_do_not_add_up": sum(one.rows_read != one.rows_landed + one.rows_refused for one in found),
    }


def _said(totals: dict[str, object]) -> str:
    if not totals["files"]:
        return "Nothing was refused."
    return (
        f"{totals['files']:,} files: {totals['rows_refused']:,} rows refused, {totals['rows_open']:,} of them open; "
        f"{totals['whole_files_refused']:,} readings refused whole, {totals['whole_files_open']:,} of them open. "
        "Next: borderlake quarantine show, export or redrive"
    )


def _state(reading: Reading) -> str:
    counts = f"{reading.rows_read:,} read = {reading.rows_landed:,} landed + {reading.rows_refused:,} refused"
    batch = f"batch {reading.batch_id[:_SHORT]}, received {reading.received_on}"
    layout = f"dialect {reading.dialect} version {reading.dialect_version}"
    read_again = f"; read again since as batch {reading.replaced_by[:_SHORT]}" if reading.replaced_by else ""
    return f"{counts}; {batch}, {layout}{read_again}"


def _as_received(value: object) -> str:
    return printable(str(value or ""))


def _write_report(out: Path, made: Return) -> list[Path]:
    """The report as the path asks for it; one that holds rows as received is for its owner's eyes."""
    writers = {".csv": lambda: "\ufeff" + returns.as_csv(made), ".html": lambda: returns.as_html(made)}
    first = made.readings[0]
    stem = f"{first.batch_id[:_SHORT]}-{first.file_name}-return"
    paths = [out] if out.suffix.lower() in writers else [out / f"{stem}{suffix}" for suffix in writers]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600 if made.has_raw else 0o666)
        part.write_text(writers[path.suffix.lower()](), encoding="utf-8", newline="")
        part.replace(path)
    return paths


def _prospects_table(planned: Sequence[Prospect]) -> object:
    return table(
        "Redrive",
        ("batch", "file", "received", "landed", "refused", "what"),
        [
            (
                item.refused[0].batch_id[:_SHORT],
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
    held = f"; {left:,} files are left as they are" if left else ""
    if not ready:
        said = "Nothing would change; the table says what to do"
    elif not yes:
        said = f"Would land {more:,} more rows of {len(ready):,} files{held}. Nothing has been done yet: --yes does it"
    elif all(account.status == KNOWN for account in accounts):
        said = f"Another redrive has landed these {len(ready):,} files meanwhile{held}"
    else:
        said = f"{more:,} more rows of {len(ready):,} files have landed{held}. Next: borderlake score conforms and scores them"
    console.print(said, highlight=False, soft_wrap=True)


def _exit_code(planned: Sequence[Prospect], *, done: bool) -> Exit:
    """0 when all that was asked for is or would be done, 1 when nothing would change, 3 when something stays refused."""
    ready = [item for item in planned if item.held is None]
    if not ready:
        return Exit.NOTHING
    stays = len(ready) < len(planned) or any(item.refused_after for item in ready)
    return Exit.PARTLY if done and stays else Exit.DONE


def _facts(reading: Reading) -> dict[str, object]:
    return {
        "batch_id": reading.batch_id,
        "file": reading.file_name,
        "sha256": reading.sha256,
        "received_on": reading.received_on,
        "agency": reading.agency,
        "dataset": reading.dataset,
        "contract": reading.contract.name,
        "dialect": reading.dialect,
        "dialect_version": reading.dialect_version,
        "rows_read": reading.rows_read,
        "rows_landed": reading.rows_landed,
        "rows_refused": reading.rows_refused,
        "refused_by_rule": reading.by_rule,
        "whole_file": reading.is_whole_file,
        "reason": reading.reason,
        "open": reading.is_open,
        "replaced_by": reading.replaced_by,
    }


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

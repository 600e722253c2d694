"""`borderlake quarantine list | show | export`: what was refused, why, and the report for its sender."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import redrive
from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.cli.refusals import refused_table
from pipelines.deployment import Deployment, of_lake
from warehouse import quarantine, returns
from warehouse.complaints import Line, lines
from warehouse.dialect import Dialect, dialects
from warehouse.quarantine import Reading
from warehouse.returns import Return

app = typer.Typer(no_args_is_help=True, help="See, return to its sender, and read again what landing has refused.")

_RULES_SHOWN = 4

Named = Annotated[str, typer.Argument(metavar="FILE|BATCH", help="A file's name, or the beginning of its batch.")]
Raw = Annotated[bool, typer.Option("--raw", help="With the rows as received. They may hold personal data.")]


@app.command(name="list")
def list_(
    dataset: redrive.Dataset = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Files received from this day on.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most files to show; --json has them all.")] = 50,
    json_out: JsonOut = None,
) -> None:
    """List files of which rows were refused, and files refused as a whole: by which rules, and whether that is open."""
    found = redrive.readings_of(of_lake(), dataset)
    if not found:
        console.print("Nothing has landed here yet. Begin with borderlake demo, or borderlake land AGENCY.DATASET FILE")
        write_json(json_out, {"readings": [], "totals": _totals([])})
        raise typer.Exit(Exit.NOTHING)
    kept = quarantine.refused(found, since.date() if since else None)
    if kept:
        console.print(_listed(kept[:limit]))
    if len(kept) > limit:
        console.print(f"{len(kept) - limit:,} more; --limit shows more, --json OUT writes all")
    totals = _totals(kept)
    console.print(_said(totals), highlight=False, soft_wrap=True)
    write_json(json_out, {"readings": [_facts(reading) for reading in kept], "totals": totals})


@app.command()
def show(
    name: Named,
    raw: Raw = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 20,
    json_out: JsonOut = None,
) -> None:
    """Show refused rows of a file: which of its columns, what is wrong, what would mend it. As received with --raw."""
    deployment = of_lake()
    readings = quarantine.chosen(quarantine.refused(redrive.readings_of(deployment)), name)
    written = []
    for reading in readings:
        rows = quarantine.rows_of(deployment.lake, reading, with_raw=raw, limit=limit)
        told = list(lines(reading.contract, reading.dataset, rows, _layout(deployment, reading)))
        written.append({**_facts(reading), "rows": rows.to_dicts(), "told": [_told(line) for line in told]})
        console.print(refused_table(f"{printable(reading.file_name)} as {reading.contract.name}", told, with_raw=raw))
        console.print(_state(reading), highlight=False, soft_wrap=True)
        if (more := reading.rows_refused - rows.height) > 0:
            console.print(f"{more:,} more rows; --limit shows more", highlight=False)
    console.print(
        "[dim]These rows may hold personal data.[/dim]"
        if raw
        else "[dim]The rows as received may hold personal data and are shown with --raw only.[/dim]"
    )
    if still_open := [reading.batch_id[: redrive.SHORT] for reading in readings if reading.is_open]:
        console.print(
            f"Next: where the sender is to blame, borderlake quarantine export {still_open[0]} --out report/ writes "
            "what to return; where the layout is, mend the dialect, raise its version, borderlake quarantine redrive",
            highlight=False,
            soft_wrap=True,
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
    deployment = of_lake()
    readings = quarantine.chosen(quarantine.refused(redrive.readings_of(deployment)), name)
    rows = {one.contract.name: quarantine.rows_of(deployment.lake, one, with_raw=raw) for one in readings}
    made = returns.returned(readings, rows, _layout(deployment, readings[0]))
    written = _write_report(out, made)
    for path in written:
        console.print(f"written: {printable(str(path))}", highlight=False, soft_wrap=True)
    if raw:
        console.print("[dim]The report holds rows as received, which may be personal data.[/dim]")
    write_json(json_out, {"batch_id": readings[0].batch_id, "written": written, "entries": len(made.lines)})


app.command()(redrive.redrive)


def _layout(deployment: Deployment, reading: Reading) -> Dialect | None:
    return dialects(deployment.settings.dialects).get(reading.dialect)


def _listed(kept: Sequence[Reading]) -> object:
    return table(
        "Quarantine",
        ("batch", "file", "received", "agency", "read as", "read", "refused", "by rule", "state"),
        [
            (
                reading.batch_id[: redrive.SHORT],
                printable(reading.file_name),
                reading.received_on.isoformat(),
                reading.agency,
                reading.contract.name,
                reading.rows_read,
                "whole file" if reading.is_whole_file else f"{reading.rows_refused:,}",
                _rules(reading.by_rule, none="" if reading.is_whole_file else "-"),
                _what_became(reading),
            )
            for reading in kept
        ],
    )


def _what_became(reading: Reading) -> str:
    if reading.replaced_by is not None:
        return f"read again: {reading.replaced_by[: redrive.SHORT]}"
    if reading.namesake is not None:
        return f"open; a file of its name landed since: batch {reading.namesake[: redrive.SHORT]}"
    if not reading.rows_corrected:
        return "open"
    batches = ", ".join(batch[: redrive.SHORT] for batch in reading.corrected_by)
    still = f"{reading.rows_open:,} open, {reading.rows_corrected:,} " if reading.is_open else ""
    return f"{still}superseded by batch {batches}"


def _rules(by_rule: dict[str, int], none: str = "-") -> str:
    told = ", ".join(f"{rule} {count:,}" for rule, count in list(by_rule.items())[:_RULES_SHOWN])
    more = len(by_rule) - _RULES_SHOWN
    return printable(told + (f" and {more} more rules" if more > 0 else "")) or none


def _totals(kept: Sequence[Reading]) -> dict[str, object]:
    by_rule: Counter[str] = Counter()
    for reading in kept:
        if reading.is_open:
            by_rule.update(reading.by_rule)
    whole = {reading.batch_id: reading for reading in kept if reading.is_whole_file}
    return {
        "files": len({reading.content for reading in kept}),
        "rows_refused": sum(reading.rows_refused for reading in kept),
        "rows_open": sum(reading.rows_open for reading in kept),
        "rows_corrected": sum(reading.rows_corrected for reading in kept),
        "whole_files_refused": len(whole),
        "whole_files_open": sum(reading.is_open for reading in whole.values()),
        "open_by_rule": dict(by_rule.most_common()),
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
    counts = "the whole file was refused" if reading.is_whole_file else counts
    batch = f"batch {reading.batch_id[: redrive.SHORT]}, received {reading.received_on}"
    layout = f"dialect {reading.dialect} version {reading.dialect_version}"
    read_again = f"; read again since as batch {reading.replaced_by[: redrive.SHORT]}" if reading.replaced_by else ""
    sent_again = f"; {_what_became(reading)}" if reading.rows_corrected or reading.namesake else ""
    return f"{counts}; {batch}, {layout}{read_again or sent_again}"


def _write_report(out: Path, made: Return) -> list[Path]:
    """The report as the path asks for it; one that holds rows as received is for its owner's eyes."""
    writers = {".csv": lambda: "\ufeff" + returns.as_csv(made), ".html": lambda: returns.as_html(made)}
    first = made.readings[0]
    stem = f"{first.batch_id[: redrive.SHORT]}-{first.file_name}-return"
    paths = [out] if out.suffix.lower() in writers else [out / f"{stem}{suffix}" for suffix in writers]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600 if made.has_raw else 0o666)
        part.write_text(writers[path.suffix.lower()](), encoding="utf-8", newline="")
        part.replace(path)
    return paths


def _told(line: Line) -> dict[str, object]:
    complaint = line.complaint
    return {
        "source_line": line.number,
        "rule": complaint.rule,
        "columns": complaint.columns,
        "problem": complaint.problem,
        "mend": complaint.mend,
    }


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
        "rows_corrected": reading.rows_corrected,
        "corrected_by": reading.corrected_by,
        "replaced_by": reading.replaced_by,
        "landed_under_its_name": reading.namesake,
    }

"""`borderlake tables` and `borderlake show`: looking at the lake."""

from datetime import datetime
from typing import Annotated

import polars as pl
import typer

from pipelines.cli.output import Exit, JsonOut, console, table, write_json
from pipelines.deployment import of_lake
from warehouse.catalog import TABLES, Table, may_hold_personal_data, table_of
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.recalls import RECALLS, SCORE, version_for, withdrawn


def tables(json_out: JsonOut = None) -> None:
    """List the tables of the lake: rows, size, version, what they hold."""
    lake = of_lake().lake
    found = []
    for declared in TABLES.values():
        version = lake.version(declared)
        if version is not None:
            rows, files, size = lake.size(declared)
            found.append((declared.name, rows, files, size / 1e6, version, declared.description))
    if not found:
        console.print("The lake is empty. Fill it: borderlake demo, or borderlake land AGENCY.DATASET FILE")
        write_json(json_out, {"tables": []})
        raise typer.Exit(Exit.NOTHING)
    console.print(table("Tables", ("table", "rows", "files", "MB", "version", "what it holds"), found))
    names = ("name", "rows", "files", "megabytes", "version", "description")
    write_json(json_out, {"tables": [dict(zip(names, row, strict=True)) for row in found]})


def show(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="layer.table, as `borderlake tables` lists them.")],
    where: Annotated[
        str | None, typer.Option(help="Condition in SQL: \"office = 'XNPRT' AND net_mass_kg > 1000\".")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 20,
    columns: Annotated[str | None, typer.Option(help="Columns, by commas; default: those that fit.")] = None,
    as_of: Annotated[datetime | None, typer.Option(help="The table as it was at this time (UTC).")] = None,
    json_out: JsonOut = None,
) -> None:
    """Show rows of a table. Tables of bronze, quarantine and vault may hold personal data: look with a reason."""
    declared = table_of(name)
    lake = of_lake().lake
    version = lake.version(declared)
    if version is None:
        raise BorderlakeError(f"{name} holds nothing yet; land data first: borderlake land, or borderlake demo")
    rows = lake.scan(declared, as_of)
    wanted = _known(columns.split(","), list(declared.columns)) if columns else list(declared.columns)
    try:
        chosen = rows.filter(pl.sql_expr(where)) if where else rows
        found = chosen.head(limit).select(wanted).collect()
    except pl.exceptions.PolarsError as error:
        # The engine's message may quote values of the condition, not of rows.
        raise BorderlakeError(f"the condition cannot be used: {str(error).splitlines()[0]}") from None
    shown = found if columns else found.select(wanted[: _fitting(len(wanted))])
    console.print(
        table(f"{name}, version {version}", shown.columns, [tuple(map(_cell, row)) for row in shown.iter_rows()])
    )
    hidden = len(wanted) - len(shown.columns)
    if hidden:
        rest = ", ".join(wanted[len(shown.columns) :])
        console.print(f"{hidden} more columns (choose with --columns): {rest}", highlight=False, soft_wrap=True)
    if may_hold_personal_data(declared):
        console.print("[dim]This table may hold personal data.[/dim]")
    taken_back = _withdrawn(lake, declared, chosen.head(limit))
    if taken_back:
        console.print(
            f"{taken_back} of these rows rest on scores that were withdrawn: they stay on record and flow to nobody "
            f"([bold]borderlake show {RECALLS.name}[/bold])",
            highlight=False,
            soft_wrap=True,
        )
    write_json(json_out, {"table": name, "version": version, "withdrawn": taken_back, "rows": found.to_dicts()})


def _withdrawn(lake: Lake, declared: Table, rows: pl.LazyFrame) -> int:
    """How many of a table's rows rest on withdrawn scores."""
    if version_for(lake, declared) is None:
        return 0
    return int(withdrawn(lake, rows.select(SCORE)).select(pl.len()).collect().item())


def _known(names: list[str], offered: list[str]) -> list[str]:
    stripped = [name.strip() for name in names]
    unknown = [name for name in stripped if name not in offered]
    if unknown:
        raise BorderlakeError(f"no column {', '.join(unknown)}; the table has {', '.join(offered)}")
    return stripped


def _fitting(count: int) -> int:
    """Columns that a terminal of this width can show without becoming a thread."""
    return min(count, max(4, console.width // 18))


def _cell(value: object) -> object:
    if isinstance(value, list):
        return "; ".join(item["text"] if isinstance(item, dict) and "text" in item else str(item) for item in value[:6])
    return value.isoformat(sep=" ", timespec="seconds") if isinstance(value, datetime) else value

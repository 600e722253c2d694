"""`borderlake agreement ...`: what may leave the house, checked and understood before it is signed."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.deployment import from_environment
from sharing.files import Reach
from warehouse.agreements import Agreement, read, templates
from warehouse.agreements.effects import Change, Revealed, changes, revealed
from warehouse.agreements.form import schema
from warehouse.agreements.model import REASONS
from warehouse.agreements.reading import choices, kind, refuse_contradictions, shareable
from warehouse.agreements.words import terms_of
from warehouse.catalog import table_of
from warehouse.errors import BorderlakeError

app = typer.Typer(
    no_args_is_help=True, help="Data-sharing agreements: start one, check it, and see what it would reveal."
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="An agreement as YAML.", exists=True, dir_okay=False)]
Old = Annotated[
    Path | None, typer.Option("--old", metavar="FILE", help="The agreement before it; without one all is new.")
]


@app.command()
def new(
    regime: Annotated[str, typer.Argument(metavar="REGIME", help=f"One of: {', '.join(templates.regimes())}.")],
    out: Annotated[Path | None, typer.Option(help="File to write to; without it the text is printed.")] = None,
) -> None:
    """Start an agreement from a template: a land border, a free-movement area, an economic community."""
    text = templates.template(regime)
    if out is None:
        typer.echo(text.rstrip("\n"))
        return
    if out.exists():
        raise BorderlakeError(f"{out.name} exists already; give another file")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    console.print(
        f"written: {out}; fill it in, then: borderlake agreement check {out}", highlight=False, soft_wrap=True
    )


@app.command()
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Agreements; without one, all of this home."),
    ] = None,
    json_out: JsonOut = None,
) -> None:
    """Check agreements: form, tables, columns, dates, and whether two contradict each other.

    The files of this home are in BORDERLAKE_HOME/agreements; a draft is held against them, but for the versions of the
    same agreement that it will replace. Exit code 1 where one is wrong, with its line.
    """
    found = [read(path) for path in files or ()]
    held = from_environment().agreements
    if files:
        named = {one.agreement_id for one in found}
        refuse_contradictions([*(one for one in held if one.agreement_id not in named), *found])
    else:
        found = list(held)
    if not found:
        console.print(
            "No agreement is in BORDERLAKE_HOME/agreements, and nothing is shared. Start one: [bold]borderlake "
            "agreement new bilateral-land-border --out draft.yaml[/bold]",
            soft_wrap=True,
        )
        write_json(json_out, {"agreements": []})
        return
    rows = [(str(one), one.recipient.code, len(one.tables), str(one.expires_on), _state(one)) for one in found]
    console.print(table("Agreements", ("agreement", "recipient", "tables", "expires", "today"), rows))
    write_json(json_out, {"agreements": [_facts(one) for one in found]})


@app.command(name="schema")
def json_schema(
    out: Annotated[Path | None, typer.Option(help="File to write to; without it the text is printed.")] = None,
) -> None:
    """Print or write the JSON Schema of an agreement's file, by which editors complete and check it."""
    text = json.dumps(schema(), indent=2)
    if out is None:
        typer.echo(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    console.print(f"written: {out}", highlight=False, soft_wrap=True)


@app.command()
def columns(
    name: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="layer.table; without it, the tables that can be shared.")
    ] = None,
    json_out: JsonOut = None,
) -> None:
    """List the tables that can be shared; or a table's columns: what each means, and what may become of it."""
    if name is None:
        tables = [(one.name, one.description) for one in shareable()]
        console.print(table("Tables that can be shared", ("table", "what it holds"), tables))
        write_json(json_out, {"tables": [{"table": one, "description": description} for one, description in tables]})
        return
    shared = table_of(name)
    if shared not in shareable():
        raise BorderlakeError(f"{name} cannot be shared, only tables of gold and silver: borderlake agreement columns")
    found = [
        (one, kind(shared.dtypes[one]), ", ".join(choices(shared, one)), column.description or "")
        for one, column in shared.columns.items()
    ]
    rows = [(one, held, _become(one, may), meaning) for one, held, may, meaning in found]
    console.print(table(name, ("column", "holds", "may become", "meaning"), rows))
    keys = ("column", "holds", "may_become", "meaning")
    write_json(json_out, {"table": name, "columns": [dict(zip(keys, row, strict=True)) for row in found]})


@app.command()
def explain(file: File, json_out: JsonOut = None) -> None:
    """Say an agreement in plain words, table by table."""
    agreement = read(file)
    rows = [(what, printable(words)) for what, words in terms_of(agreement)]
    console.print(table(printable(agreement.title), ("", ""), rows))
    write_json(json_out, _facts(agreement) | {"terms": [{"what": what, "words": words} for what, words in rows]})


@app.command()
def diff(old: File, new: File, json_out: JsonOut = None) -> None:
    """Show what a new version changes, and what of that tells more. Exit code 3 where anything tells more."""
    found = changes(read(old), read(new))
    _print_changes(found)
    write_json(json_out, {"changes": [_change(one) for one in found]})
    if any(one.reveals for one in found):
        raise typer.Exit(Exit.PARTLY)


@app.command()
def simulate(file: File, old: Old = None, json_out: JsonOut = None) -> None:
    """Count, on the rows of this lake, what an agreement would newly reveal: rows, cells, columns, subjects."""
    agreement, before = read(file), read(old) if old else None
    deployment, at = from_environment(), datetime.now(UTC)
    found: list[Revealed] = []
    with console.status("counting"):
        for name, shared in agreement.tables.items():
            had = before.tables.get(name) if before else None
            source = table_of(name)
            flows = Reach.of(deployment.lake, source).rows(deployment.lake, source)
            found.append(revealed(flows, source, had, shared, at))
    rows = [(one.table, one.rows, one.cells, one.subjects, ", ".join(one.columns) or "-") for one in found]
    _print_changes(changes(before, agreement))
    console.print(table("Newly revealed", ("table", "rows", "cells", "subjects", "columns"), rows))
    write_json(json_out, {"revealed": [vars(one) for one in found]})


def _become(name: str, may: str) -> str:
    """What may become of a column, in words."""
    if name == REASONS:
        return "by owner: reasons: [...]"
    return may or "never leaves the house"


def _print_changes(found: Sequence[Change]) -> None:
    rows = [("tells more" if one.reveals else "", one.place, printable(one.what)) for one in found]
    console.print(table("Changes", ("", "where", "what"), rows))


def _change(one: Change) -> dict[str, object]:
    return {"place": one.place, "what": one.what, "reveals": one.reveals}


def _state(agreement: Agreement) -> str:
    now = datetime.now(UTC)
    if agreement.revoked_at is not None and now >= agreement.revoked_at:
        return "revoked"
    if now.date() < agreement.starts_on:
        return "not begun"
    if now.date() > agreement.expires_on:
        return "expired"
    return "to be reviewed" if now.date() > agreement.review_on else "in force"


def _facts(agreement: Agreement) -> dict[str, object]:
    return {
        "agreement": agreement.agreement_id,
        "version": agreement.version,
        "recipient": agreement.recipient.code,
        "tables": sorted(agreement.tables),
        "purposes": sorted(agreement.purposes),
        "starts": agreement.starts_on,
        "review": agreement.review_on,
        "expires": agreement.expires_on,
        "state": _state(agreement),
    }

"""`borderlake contract ...` and `borderlake dictionary`: what agencies have agreed to deliver, and what has changed."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import Exit, JsonOut, console, table, write_json, write_or_print
from warehouse.contracts import CONTRACTS, contract_of, dictionary, history, odcs
from warehouse.contracts.base import Contract
from warehouse.contracts.changes import Change

app = typer.Typer(no_args_is_help=True, help="Contracts: what a dataset holds, its versions, and what a change breaks.")

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="As domain.dataset: customs.declarations.")]
Out = Annotated[Path | None, typer.Option(help="File to write to; without it the text is printed.")]
Kept = Annotated[Path | None, typer.Option(help="Folder of the snapshots; by default the package's own.")]


@app.command(name="list")
def list_(json_out: JsonOut = None) -> None:
    """List the datasets that may be delivered: version, owner, cadence, floor, ceiling, retention."""
    rows = [
        (
            one.name,
            one.version,
            one.owner,
            f"{one.cadence.days} d",
            f"{one.floor:,} to {one.ceiling:,}",
            f"{one.retention_days:,} d",
            ", ".join(sorted(one.personal())) or "-",
        )
        for one in CONTRACTS.values()
    ]
    columns = ("dataset", "version", "owner", "cadence", "rows a day", "retention", "personal columns")
    console.print(table("Contracts", columns, rows))
    write_json(json_out, {"contracts": [_facts(one) for one in CONTRACTS.values()]})


@app.command()
def show(dataset: Dataset, json_out: JsonOut = None) -> None:
    """Show a contract: what it is for, its rules, and every column with its unit and range."""
    contract = contract_of(dataset)
    typer.echo(dictionary.entry(contract))
    write_json(json_out, _facts(contract) | {"document": history.present(contract)})


@app.command()
def export(dataset: Dataset, out: Out = None) -> None:
    """Write a contract as an Open Data Contract Standard 3.1 file (YAML)."""
    write_or_print(odcs.as_yaml(odcs.document(contract_of(dataset))), out)


@app.command()
def diff(
    dataset: Dataset,
    old: Annotated[int | None, typer.Argument(help="Version; by default the last before the other one.")] = None,
    new: Annotated[int | None, typer.Argument(help="Version; by default the present one.")] = None,
    kept: Kept = None,
    json_out: JsonOut = None,
) -> None:
    """Show what a contract's new version changes, and what of that breaks. Exit code 3 where something breaks."""
    contract = contract_of(dataset)
    since, to, found = history.compared(contract, old, new, kept or history.folder())
    title = f"{dataset}: version {since} to {to}"
    if found:
        console.print(table(title, ("", "where", "what"), [_row(change) for change in found]))
    breaking = sum(change.is_breaking for change in found)
    console.print(f"{title}: {len(found)} changes, {breaking} of them break", highlight=False)
    told = [{"place": one.place, "what": one.what, "is_breaking": one.is_breaking} for one in found]
    write_json(json_out, {"dataset": dataset, "old": since, "new": to, "breaking": breaking, "changes": told})
    if breaking:
        raise typer.Exit(Exit.PARTLY)


@app.command()
def snapshot(kept: Kept = None) -> None:
    """Record the present version of every contract; one that changed under its version is refused."""
    written = history.record(kept or history.folder())
    for path in written:
        console.print(f"written: {path.name}", highlight=False)
    if not written:
        console.print("Every contract is recorded.")


def data_dictionary(
    dataset: Annotated[str | None, typer.Argument(metavar="[DATASET]", help="One dataset; without it, all.")] = None,
    out: Out = None,
) -> None:
    """Print or write the data dictionary: every dataset and column, with meaning, unit, range and sensitivity."""
    contracts = [contract_of(dataset)] if dataset else list(CONTRACTS.values())
    write_or_print(dictionary.dictionary(contracts), out)


def _row(change: Change) -> tuple[str, str, str]:
    return "breaks" if change.is_breaking else "", change.place, change.what


def _facts(contract: Contract) -> dict[str, object]:
    return {
        "dataset": contract.name,
        "version": contract.version,
        "title": contract.title,
        "owner": contract.owner,
        "purposes": sorted(purpose.value for purpose in contract.purposes),
        "cadence_days": contract.cadence.total_seconds() / 86_400,
        "floor": contract.floor,
        "ceiling": contract.ceiling,
        "retention_days": contract.retention_days,
        "key": list(contract.key),
        "personal": sorted(contract.personal()),
    }

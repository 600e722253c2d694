"""`borderlake land`: extracts from a file, outside the inbox."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipelines import flows
from pipelines.cli.output import Exit, JsonOut, console, progress_bar, table, write_json
from pipelines.cli.refusals import refused_table
from pipelines.deployment import Deployment, from_environment
from warehouse.agencies import agency_and_dataset
from warehouse.complaints import lines
from warehouse.delivery import Delivery, delivery
from warehouse.dialect import dialect_of
from warehouse.errors import BorderlakeError
from warehouse.ledger import KNOWN, LANDED, REFUSED, Account, landed_before, unaccounted
from warehouse.trial import Tried, tried

_WOULD, _TRIED_SHOWN = "would land", 10


def land(
    what: Annotated[str, typer.Argument(metavar="AGENCY.DATASET", help="Who delivers what: customs.declarations.")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Extracts; a sidecar FILE.manifest.json counts.")
    ],
    dialect: Annotated[str | None, typer.Option(help="Layout of the file; default: the agency's own.")] = None,
    jurisdiction: Annotated[
        str | None, typer.Option(help="ISO 3166-1 code; default: the dialect's, else the agency's.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: say what would land, what would be refused, and why.")
    ] = False,
    json_out: JsonOut = None,
) -> None:
    """Land extracts: check each row against its contract, keep what is refused with its reasons, never twice.

    Examples:

      borderlake land customs.declarations declarations_2020.csv --dialect kcs

      borderlake land surveillance.vessel_positions receiver.log --dialect ais-nmea --jurisdiction XN

      borderlake land customs.declarations declarations_2020.csv --dialect mine --dry-run
    """
    deployment = from_environment()
    deliveries = _deliveries(deployment, what, files, dialect, jurisdiction)
    if dry_run:
        _try(deployment, deliveries, json_out)
    with progress_bar() as progress:
        task = progress.add_task("landing", total=len(deliveries))
        accounts = flows.land_all(deployment, deliveries, datetime.now(UTC), lambda _: progress.advance(task))
    report(deployment, accounts)
    console.print(accounts_table(accounts))
    _explain(accounts)
    write_json(json_out, {"deliveries": [_facts(account) for account in accounts]})
    raise typer.Exit(exit_code(accounts))


def _try(deployment: Deployment, deliveries: list[Delivery], json_out: Path | None) -> NoReturn:
    known, made = landed_before(deployment.lake), list[Tried]()
    with progress_bar() as progress:
        task = progress.add_task("trying", total=len(deliveries))
        for item in deliveries:
            made += tried(item, datetime.now(UTC))
            progress.advance(task)
    accounts = [one.account for one in made]
    console.print(accounts_table([replace(one, status=_WOULD) if one.status == LANDED else one for one in accounts]))
    for one in made:
        name, contract = one.account.delivery.file_name, one.account.contract.name
        if one.refused.height:
            item = one.account.delivery
            told = lines(one.account.contract, item.dataset, one.refused.head(_TRIED_SHOWN), item.dialect)
            console.print(refused_table(f"{name} as {contract}", told))
            if (more := one.refused.height - _TRIED_SHOWN) > 0:
                console.print(f"{more:,} more rows", highlight=False)
        _say(_unmapped(one.account), _let_pass(one.account))
    for name in sorted({one.file_name for one in deliveries if one.batch_id in known or one.refusal_id in known}):
        _say(f"{name} was landed before under this version of the dialect: landing it does nothing")
    console.print("A dry run: nothing was written. Land it: the same command without --dry-run", highlight=False)
    write_json(json_out, {"dry_run": True, "deliveries": [_facts(account) for account in accounts]})
    raise typer.Exit(exit_code(accounts))


def _deliveries(
    deployment: Deployment, what: str, files: list[Path], dialect: str | None, jurisdiction: str | None
) -> list[Delivery]:
    agency, dataset = agency_and_dataset(what, dict(deployment.agencies))
    name = dialect or agency.datasets.get(dataset)
    if name is None:
        raise BorderlakeError(f"{what} has no dialect of its own; name one with --dialect")
    layout = dialect_of(name, deployment.settings.dialects)
    layout.extract_for(f"{agency.domain}.{dataset}")
    today = datetime.now(UTC).date()
    return [
        delivery(
            path.absolute(),
            agency=agency.code,
            domain=agency.domain,
            dataset=dataset,
            jurisdiction=jurisdiction or layout.jurisdiction or agency.jurisdiction,
            dialect=layout,
            arrived_on=today,
        )
        for path in files
    ]


def report(deployment: Deployment, accounts: list[Account]) -> None:
    """Tell Dagster, so that the UI never disagrees with the lake; raises where a row is not accounted for."""
    from pipelines import runs
    from pipelines.assets.bronze import check_events, landing_events

    fresh = [account for account in accounts if account.status != KNOWN]
    lost = unaccounted(deployment.lake, fresh)
    checked = check_events(deployment, fresh, lost, datetime.now(UTC))
    runs.report(deployment, [*landing_events(deployment, fresh), *checked])
    if lost:
        rows, batches = sum(lost.values()), ", ".join(lost)
        raise BorderlakeError(
            f"{rows:,} rows are not accounted for, of batches {batches}: bronze and quarantine differ from the ledger; "
            "keep the files, and look at the tables' history"
        )


def accounts_table(accounts: list[Account]) -> object:
    """One row a file and contract."""
    has_others = any(account.rows_set_aside for account in accounts)
    rows = [
        (
            account.delivery.file_name,
            account.contract.name,
            "refused whole" if account.status == REFUSED else account.status,
            account.rows_read,
            account.rows_landed,
            account.rows_refused,
            *((account.rows_set_aside,) if has_others else ()),
        )
        for account in accounts
    ]
    columns = ("file", "contract", "status", "read", "landed", "refused")
    return table("Landing", (*columns, "not of this contract") if has_others else columns, rows)


def _say(*texts: str | None) -> None:
    for text in texts:
        if text:
            console.print(text, highlight=False, soft_wrap=True, markup=False)


def _unmapped(account: Account) -> str | None:
    if not account.columns_unmapped:
        return None
    return (
        f"{account.delivery.file_name}: the dialect does not know {', '.join(account.columns_unmapped)}; "
        "what stands there stays in the archived file"
    )


def _let_pass(account: Account) -> str | None:
    if not account.notes.let_pass:
        return None
    told = ", ".join(f"{rule} {count:,}" for rule, count in sorted(account.notes.let_pass.items()))
    return f"{account.delivery.file_name}: let pass, as the dialect asks: {told}. What it holds may not be whole"


def _explain(accounts: list[Account]) -> None:
    for account in accounts:
        _say(_unmapped(account), _let_pass(account))
        if account.reason:
            console.print(f"[red]{account.delivery.file_name}[/red]: {account.reason}", highlight=False, soft_wrap=True)
        elif account.rows_refused:
            rules = ", ".join(f"{rule} {count:,}" for rule, count in list(account.by_rule.items())[:6])
            counted = "1 row" if account.rows_refused == 1 else f"{account.rows_refused:,} rows"
            console.print(
                f"[yellow]{counted} refused[/yellow] ({rules}). What each asks for: "
                f"borderlake quarantine show {account.batch_id[:8]}",
                highlight=False,
                soft_wrap=True,
            )
        elif account.status == KNOWN:
            layout = account.delivery.dialect
            console.print(
                f"{account.delivery.file_name} was landed before under dialect {layout.name} version {layout.version}; "
                "nothing to do. Was the dialect mended since? Raise its version and land the file again",
                highlight=False,
                soft_wrap=True,
            )
        elif not account.rows_read:
            console.print(
                f"{account.delivery.file_name} holds no row: landed as a day without records; is that so?",
                highlight=False,
                soft_wrap=True,
            )
    if any(account.rows_landed for account in accounts):
        console.print(
            "Next: [bold]borderlake score[/bold] conforms and scores what is new", highlight=False, soft_wrap=True
        )


def exit_code(accounts: list[Account]) -> Exit:
    """0 when every row landed, had before, or there was none; 3 when some were refused; 1 when nothing could land."""
    is_empty = any(not (account.rows_read or account.reason) for account in accounts)
    if not is_empty and not any(account.rows_landed or account.status == KNOWN for account in accounts):
        return Exit.NOTHING
    if any(account.rows_refused or account.reason for account in accounts):
        return Exit.PARTLY
    return Exit.DONE


def _facts(account: Account) -> dict[str, object]:
    return {
        "file": account.delivery.file_name,
        "sha256": account.delivery.sha256,
        "batch_id": account.batch_id,
        "contract": account.contract.name,
        "status": account.status,
        "rows_read": account.rows_read,
        "rows_landed": account.rows_landed,
        "rows_refused": account.rows_refused,
        "rows_set_aside": account.rows_set_aside,
        "refused_by_rule": account.by_rule,
        "let_pass_by_rule": account.notes.let_pass,
        "columns_unmapped": account.columns_unmapped,
        "reason": account.reason,
    }

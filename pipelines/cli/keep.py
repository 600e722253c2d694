"""`borderlake verify`, `repair`, `compact` and `vacuum`: keeping the lake as it was committed, and quick to read."""

import getpass
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from pipelines import erasing, flows
from pipelines.cli import erase
from pipelines.cli.output import Exit, JsonOut, at_work, console, printable, progress_bar, table, write_json
from pipelines.deployment import Deployment, alone, of_lake
from sharing import keeping as shares
from sharing.shares import LAYER as SHARES
from warehouse import erasure, homes
from warehouse import verify as verifying
from warehouse.acceptance import Acceptance, accept, all_accepted
from warehouse.catalog import LEDGER, TABLES, Table, table_of
from warehouse.delta import LEAST_RETENTION_DAYS, Lake
from warehouse.errors import HomeDamaged, TableDamaged, UnknownName
from warehouse.findings import Finding
from warehouse.repair import Step, Workshop

TableName = Annotated[
    list[str] | None, typer.Option("--table", metavar="NAME", help="Only this table (may be given more than once).")
]
Deep = Annotated[bool, typer.Option("--deep", help="Hash and decode every file, and hold the ledger against the rows.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")]


def verify(
    deep: Deep = False,
    name: TableName = None,
    accepts: Annotated[
        str | None,
        typer.Option(
            "--accept", metavar="TABLE@VERSION", help="Let another tool's commit stand, for good; needs --reason."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is accepted; kept with it.")] = "",
    by: Annotated[str | None, typer.Option(help="Who accepts it; default: the user of this machine.")] = None,
    erased: Annotated[
        bool,
        typer.Option("--erased", help="Decode every file of every store and look for what was ever erased; no more."),
    ] = False,
    source: erase.From = None,
    json_out: JsonOut = None,
) -> None:
    """Compare ledger, Delta log, manifest and files: is everything there, and as it was committed?

    The quick look reads logs and sizes of files. With --deep every file is hashed and decoded, and every batch of the
    ledger is counted in bronze and quarantine, and what was erased is looked for in every file of every store. Ends
    with 0 when all is sound, 3 with findings; each says how to repair.

    What was erased is known by keyed digests. With --erased --from FILE (as borderlake erase takes it) the values
    themselves are looked for too, in texts of any shape.
    """
    deployment = of_lake()
    if accepts is not None:
        _accept(deployment, accepts, reason, by or getpass.getuser())
    subjects = erasure.resolve(deployment.lake, erase.given(None, source)) if source is not None else ()
    findings = [] if erased else _findings(deployment, _tables(deployment.lake, name), deep=deep)
    if erased or subjects or (deep and not name):
        with at_work("looking for what was erased") as progress:
            findings += erasing.leftovers(deployment, subjects, progress)
    stands = all_accepted(deployment.lake, _tables(deployment.lake, name))
    said = [asdict(one) for one in stands]
    told: dict[str, object] = {"deep": deep, **({"erased": True} if erased else {})}
    told |= {"sound": not findings, "findings": [_facts(one) for one in findings]}
    elsewhere = _kept_elsewhere(deployment.lake, findings)
    told |= {"kept_by_other_homes": elsewhere} if elsewhere else {}
    write_json(json_out, told | ({"accepted": said} if said else {}))
    _tell_beside(elsewhere, stands)
    if findings:
        _tell(findings)
        raise typer.Exit(Exit.PARTLY)
    if not (erased or stands or _has_tables(deployment.lake)):
        console.print(
            f"Nothing to verify: the lake at {deployment.lake.root} holds no table. Is this the right BORDERLAKE_HOME?",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(Exit.NOTHING)
    look = "look for what was erased" if erased else f"{'deep' if deep else 'quick'} look"
    console.print(f"Sound: the {look} found nothing.")


def repair(deep: Deep = False, yes: Yes = False, name: TableName = None, json_out: JsonOut = None) -> None:
    """Repair what verifying finds, where no row can come to harm; the rest is refused with the reason.

    Commits come back from the manifest, checkpoints from the commits, rows of bronze and quarantine from the archive.
    A dry run unless --yes. Flipped bits and drifted rows are only found with --deep. Ends with 0 when nothing is left
    to repair, 3 otherwise.
    """
    deployment = of_lake()
    with alone(deployment, "repair"):  # Two at once would land the same rows twice.
        findings = _findings(deployment, _tables(deployment.lake, name), deep=deep)
        workshop = _workshop(deployment, datetime.now(UTC))
        steps = [_done(step, yes=yes) for step in workshop.plan(findings)]
        left = _findings(deployment, _tables(deployment.lake, name), deep=deep) if yes and findings else findings
    if not findings:
        console.print("Nothing to repair.")
    else:
        rows = [
            (step.finding.kind.value, step.finding.table, step.finding.where, said, step.what) for step, said in steps
        ]
        console.print(table("Repair", ("kind", "table", "where", "done", "what, or why not"), rows))
        if yes:
            rest = "nothing is left to repair" if not left else f"findings left: {len(left)}"
            console.print(f"Verified again; {rest}.", highlight=False)
        elif any(step.is_safe for step, _ in steps):
            console.print("A dry run. Do it: [bold]borderlake repair --yes[/bold]" + (" --deep" if deep else ""))
    shown = [_facts(step.finding) | {"done": said, "what": step.what} for step, said in steps]
    write_json(json_out, {"yes": yes, "steps": shown, "left": [_facts(finding) for finding in left]})
    raise typer.Exit(Exit.PARTLY if left else Exit.DONE)


def compact(yes: Yes = False, name: TableName = None, json_out: JsonOut = None) -> None:
    """Join the many small files that frequent landings leave, so that reading is quick. A dry run unless --yes.

    Rows stay, shares and the change feed tell of nothing, other commands may write meanwhile; each file is held
    against its hash before it is joined. The old files stay for earlier versions, until borderlake vacuum. Shares are
    left out: their refresh joins files itself.
    """
    lake = of_lake().lake
    tables = [one for one in _tables(lake, name) if one.layer != SHARES]
    joined: dict[str, dict[str, int]] = {}
    with progress_bar() as progress:
        task = progress.add_task("compacting", total=len(tables))
        for one in tables:
            progress.update(task, description=one.name)
            small = lake.small_files(one)
            if small:
                files = [file for together in small for file in together]
                joined[one.name] = {"files": len(files), "partitions": len(small), "rows": sum(f.rows for f in files)}
                if yes:
                    joined[one.name]["version"] = lake.compact(one, datetime.now(UTC))
            progress.advance(task)
    if joined:
        columns = ("table", "files joined" if yes else "files to join", "of partitions", "rows")
        rows = [(one, said["files"], said["partitions"], said["rows"]) for one, said in joined.items()]
        console.print(table("Compact", columns, rows))
        if not yes:
            console.print("A dry run. Do it: [bold]borderlake compact --yes[/bold]")
    else:
        console.print("No table has small files to join.", highlight=False)
    write_json(json_out, {"yes": yes, "tables": joined})


def vacuum(
    days: Annotated[
        int, typer.Option(help=f"Keep what any version of the last DAYS needs; at least {LEAST_RETENTION_DAYS}.")
    ] = LEAST_RETENTION_DAYS,
    yes: Yes = False,
    name: TableName = None,
    json_out: JsonOut = None,
) -> None:
    """Delete data files that no recent version of a table needs, and orphans. A dry run unless --yes."""
    lake = of_lake().lake
    unused = {one.name: _vacuumed(lake, one, days, dry_run=not yes) for one in _tables(lake, name)}
    rows = [(one, len(files)) for one, files in unused.items() if files]
    if rows:
        console.print(table("Vacuum", ("table", "files deleted" if yes else "files to delete"), rows))
        if not yes:
            console.print("A dry run. Do it: [bold]borderlake vacuum --yes[/bold]")
    else:
        console.print(f"No file is older than {days} days and of no use.", highlight=False)
    write_json(json_out, {"days": days, "yes": yes, "files": unused})


def _accept(deployment: Deployment, named: str, reason: str, by: str) -> None:
    name, _, version = named.rpartition("@")
    if not name or not version.isdigit():
        raise typer.BadParameter(f"'{named}' is not TABLE@VERSION, such as silver.shipments@12", param_hint="--accept")
    accept(deployment.lake, table_of(name), int(version), by=by, reason=reason, at=datetime.now(UTC))


def _vacuumed(lake: Lake, table: Table, days: int, *, dry_run: bool) -> list[str]:
    if table.layer == SHARES:
        return shares.vacuum(lake, table, datetime.now(UTC), dry_run=dry_run)
    return lake.vacuum(table, days, dry_run=dry_run)


def _workshop(deployment: Deployment, at: datetime) -> Workshop:
    deriving = shares.Deriving(deployment.lake, lambda: deployment.agreements, deployment.pseudonym_keys, at)
    tables = {one.name: one for one in _tables(deployment.lake, None)}
    return Workshop(deployment.lake, at, partial(flows.archived, deployment), tables, deriving.plan)


def _tables(lake: Lake, names: list[str] | None) -> list[Table]:
    """The tables of these names; without any, the whole lake, shares among it."""
    if names and not any(name.startswith(f"{SHARES}.") for name in names):
        return [table_of(name) for name in names]
    known = TABLES | {one.name: one for one in shares.every_share(lake)}
    for name in names or ():
        if name not in known:
            raise UnknownName("table", name, list(known))
    return [known[name] for name in names] if names else list(known.values())


def _tell_beside(elsewhere: Mapping[str, int], stands: Sequence[Acceptance]) -> None:
    """What is no finding: files in the archives of other homes, and commits that were accepted."""
    if elsewhere:
        counted = ", ".join(f"{home} {files:,}" for home, files in elsewhere.items())
        console.print(
            f"Files that other homes of this lake have landed are in their archives ({counted}): verify there as well.",
            highlight=False,
            soft_wrap=True,
        )
    if stands:
        shown = [(one.table, one.version, one.by, one.at, printable(one.reason)) for one in stands]
        console.print(table("Accepted commits of other tools", ("table", "version", "by", "at", "why"), shown))


def _tell(findings: list[Finding]) -> None:
    """What was found, and what mends each kind of it."""
    rows = [(finding.kind.value, finding.table, finding.where, finding.meaning) for finding in findings]
    console.print(table("Findings", ("kind", "table", "where", "what it means"), rows))
    for kind, advice in {finding.kind.value: finding.repair for finding in findings}.items():
        console.print(f"[bold]{kind}[/bold]: {advice}", highlight=False, soft_wrap=True)


def _kept_elsewhere(lake: Lake, findings: Sequence[Finding]) -> dict[str, int]:
    """Files that other homes keep, by home; none where the ledger is damaged, or this home's own name."""
    if any(one.table == LEDGER.name and one.kind not in verifying.TRUSTED_WITH for one in findings):
        return {}
    with suppress(HomeDamaged):  # Which is a finding of the ledger's, where that is asked for.
        return homes.kept_elsewhere(lake)
    return {}


def _has_tables(lake: Lake) -> bool:
    return any(lake.version(table) is not None for table in TABLES.values())


def _findings(deployment: Deployment, tables: list[Table], *, deep: bool) -> list[Finding]:
    with progress_bar() as progress:
        task = progress.add_task("verifying", total=len(tables))

        def advance(name: str) -> None:
            progress.update(task, advance=1, description=name)

        return verifying.verify(
            deployment.lake,
            tables,
            datetime.now(UTC),
            deep=deep,
            progress=advance,
            archive=deployment.settings.archive,
            inbox=deployment.settings.inbox,
        )


def _done(step: Step, *, yes: bool) -> tuple[Step, str]:
    """Do a step if it is wanted; what was done in a word."""
    if step.run is None:
        return step, "refused"
    if not yes:
        return step, "would"
    try:
        step.run()
    except TableDamaged as error:  # Something that verifying did not see: tell it, and go on with the others.
        return replace(step, what=str(error), run=None), "refused"
    return step, "done"


def _facts(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind.value,
        "table": finding.table,
        "version": finding.version,
        "path": finding.path,
        "batch": finding.batch,
        "meaning": finding.meaning,
        "repair": finding.repair,
    }

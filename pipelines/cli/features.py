"""`borderlake features ...`: what the features are, what each means, and the rows behind a value of an event."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from features import dictionary
from features.explaining import Standing
from features.vectors import SUBJECTS, subject_of
from models.catalogue import MODELS
from pipelines import explaining
from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json, write_or_print
from pipelines.deployment import Deployment, from_environment, of_lake
from pipelines.explaining import Case, Explained
from warehouse.errors import BorderlakeError, UnknownName

app = typer.Typer(no_args_is_help=True, help="Features: what each means, whose it is, and the rows behind a value.")

NAMES = ", ".join(SUBJECTS)
OfSubject = Annotated[str | None, typer.Option("--subject", metavar="SUBJECT", help=f"Only of one subject: {NAMES}.")]


@app.command(name="list")
def list_(
    subject: OfSubject = None,
    owner: Annotated[str | None, typer.Option(help="Only of one owner: customs, partner-customs, ...")] = None,
    json_out: JsonOut = None,
) -> None:
    """List the features: what each means, its unit, window, owner, sensitivity and source."""
    deployment = from_environment()
    told = [one for name in _subjects(subject) for one in _definitions(deployment, name)]
    owners = sorted({one["owner"] for one in told})
    if owner is not None and owner not in owners:
        raise UnknownName("owner of features", owner, owners)
    chosen = [one for one in told if owner in (None, one["owner"])]
    for name in _subjects(subject):
        of_subject = [one for one in chosen if one["subject"] == name]
        if of_subject:
            console.print(table(f"Features of {name}: {len(of_subject)}", ("feature", "meaning"), _rows(of_subject)))
    write_json(json_out, {"features": chosen})


def _rows(told: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Two columns, which 80 characters can hold: what it means over what it is made of."""
    return [
        (
            f"{one['name']}\n[dim]{one['owner']}, {one['sensitivity']}[/dim]",
            f"{printable(one['meaning'])}\n[dim]{printable(one['unit'])}; window: {one['window']}; "
            f"source: {one['source']}[/dim]\n",
        )
        for one in told
    ]


@app.command()
def describe(
    name: Annotated[str, typer.Argument(metavar="FEATURE", help="As `borderlake features list` names it.")],
    subject: OfSubject = None,
    json_out: JsonOut = None,
) -> None:
    """Describe a feature: how it is computed, from which tables and columns, for what, and which models use it."""
    deployment = from_environment()
    found = [one for each in _subjects(subject) for one in _definitions(deployment, each) if one["name"] == name]
    if not found:
        known = [one["name"] for each in _subjects(subject) for one in _definitions(deployment, each)]
        raise _unknown_feature(name, known)
    described = [one | {"models": _models(deployment, one)} for one in found]
    for one in described:
        console.print(f"[bold]{one['name']}[/bold], a feature of {one['subject']}", highlight=False)
        grid = Table.grid(padding=(0, 2))
        for label, text in _facts(one):
            grid.add_row(f"  [dim]{label}[/dim]", printable(text))
        console.print(grid, highlight=False)
    write_json(json_out, {"features": described})


@app.command()
def explain(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Id of a shipment or crossing, or how it begins.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[FEATURE]...", help="Features whose rows to show; default: no rows.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="Version of the event; default: the current one.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="Most rows to show of a feature, the latest.")] = 20,
    json_out: JsonOut = None,
) -> None:
    """Explain an event's features: what is stored, what its history gives now, and the rows behind each value.

    Which rows counted, since when each could be used, which were not yet known or had been corrected, and how the
    value follows from those that counted. Rows are named by keyed ids. Exit code 3 where a stored value differs and
    late data is not the reason.
    """
    case = explaining.case_of(of_lake(), event, version)
    for name in names or ():
        if name not in case.subject.registry.features:
            raise _unknown_feature(name, list(case.subject.registry.features))
    found = list(explaining.explain(case, names or ()))
    _print_case(case, found)
    if names:
        for one in found:
            _print_rows(one, rows)
    write_json(json_out, _case_facts(case) | {"features": [_explained_facts(one) for one in found]})
    if any(not one.is_accounted for one in found):
        raise typer.Exit(Exit.PARTLY)


def _print_case(case: Case, found: Sequence[Explained]) -> None:
    told = _case_facts(case)
    at = f"{case.event['event_at']:%Y-%m-%d %H:%M:%S} UTC"
    console.print(f"Event {told['event_id']}, version {told['event_version']}", highlight=False, soft_wrap=True)
    console.print(f"of {told['subject']}, {told['jurisdiction']}, at {at}", highlight=False)
    if case.stored is None:
        console.print(
            "No vector is stored: its jurisdiction only shows what it sees"
            if case.is_only_shown
            else "No vector of the present definitions is stored: borderlake score computes it"
        )
    columns = ("feature", "stored", "by its rows", "count", "do not")
    console.print(table("As known strictly before the event", columns, [_counts(one) for one in found]))
    for one in found:
        if one.why:
            console.print(f"[yellow]{one.name}[/yellow]: {printable(one.why)}", highlight=False)


def _counts(one: Explained) -> tuple[object, ...]:
    mark = "" if one.is_same or not one.is_stored else " *"
    values = (one.name, _value(one.stored), f"{_value(one.recomputed)}{mark}")
    if one.behind is None:
        return (*values, None, None)
    counting = one.behind.count(Standing.COUNTS)
    return (*values, f"{counting:,}", f"{len(one.behind.readings) - counting:,}")


def _print_rows(one: Explained, most: int) -> None:
    if one.behind is None:
        console.print(f"{one.name} is what the event says of itself", highlight=False)
        return
    console.print(f"[bold]{one.name}[/bold] is {printable(one.computed)}", highlight=False)
    if one.behind.prior_rows is not None:
        prior = _value(one.behind.prior)
        console.print(f"It is drawn to {prior}, of {one.behind.prior_rows:,} rows of the jurisdiction", highlight=False)
    worked = f": {printable(one.working)}" if one.working else ""
    value = "no value" if one.recomputed is None else _value(one.recomputed)
    none_counts = "" if one.behind.count(Standing.COUNTS) else ": none of its rows counts"
    console.print(f"[bold]{value}[/bold]{worked or none_counts}", highlight=False)
    readings = one.behind.readings[-most:]
    columns = ("row", "could be used", "until", "it", *one.columns)
    shown = [
        (
            next((str(r.row[key])[:12] for key in ("event_id", "subject_id") if r.row.get(key)), "-"),
            f"{r.usable_at:%Y-%m-%d %H:%M:%S}",
            "" if r.until is None else f"{r.until:%Y-%m-%d %H:%M:%S}",
            r.standing.value,
            *(_value(r.row[column]) for column in one.columns),
        )
        for r in readings
    ]
    console.print(table(f"Rows behind {one.name}", columns, shown))
    hidden = len(one.behind.readings) - len(readings)
    if hidden:
        console.print(f"{hidden:,} earlier rows: --rows {len(one.behind.readings)}, or --json", highlight=False)


def _case_facts(case: Case) -> dict[str, Any]:
    named = {name: case.event[name] for name in ("event_id", "event_version", "event_at", "jurisdiction")}
    return {
        "subject": case.subject.name,
        **named,
        "feature_set": case.feature_set,
        "is_stored": case.stored is not None,
    }


def _explained_facts(one: Explained) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": one.name,
        "stored": one.stored,
        "recomputed": one.recomputed,
        "is_same": one.is_same if one.is_stored else None,
        "computed": one.computed or None,
        "working": one.working or None,
        "why": one.why or None,
        "is_accounted": one.is_accounted,
    }
    if one.behind is None:
        return told | {"rows": None}
    rows = [
        {
            **{key: r.row[key] for key in explaining.SHOWN if key in r.row},
            "event_at": r.row["event_at"],
            "known_at": r.row["known_at"],
            "usable_at": r.usable_at,
            "until": r.until,
            "standing": r.standing.value,
            "values": {column: r.row[column] for column in one.columns},
        }
        for r in one.behind.readings
    ]
    standings = {standing.value: one.behind.count(standing) for standing in Standing}
    return told | {"prior": one.behind.prior, "prior_rows": one.behind.prior_rows, "counts": standings, "rows": rows}


def _value(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, int | float) else "-" if value is None else printable(str(value))


@app.command(name="dictionary")
def feature_dictionary(
    out: Annotated[Path | None, typer.Option(help="File to write to; without it the text is printed.")] = None,
) -> None:
    """Print or write the dictionary of features, as docs/features.md has it."""
    write_or_print(dictionary.dictionary(subject.registry for subject in SUBJECTS.values()), out)


def _subjects(subject: str | None) -> list[str]:
    return list(SUBJECTS) if subject is None else [subject_of(subject).name]


def _definitions(deployment: Deployment, subject: str) -> list[dict[str, Any]]:
    return dictionary.definitions(deployment.subject(subject).registry)


def _models(deployment: Deployment, one: Mapping[str, Any]) -> list[str]:
    lawful = [deployment.lawful(spec) for spec in MODELS.values() if spec.subject == one["subject"]]
    return [spec.name for spec in lawful if one["name"] in {feature.name for feature in spec.features()}]


def _facts(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "meaning", f"{one['meaning']} ({one['unit']})"
    yield "computed", one["computed"]
    if one["view"]:
        keys = zip(one["entity"], one["source_entity"], strict=True)
        yield "view", one["view"]
        yield "entity", ", ".join(ours if ours == theirs else f"{ours} (there {theirs})" for ours, theirs in keys)
    yield "source", one["source"]
    yield "tables", ", ".join(one["tables"])
    if one["columns"]:
        yield "columns", ", ".join(one["columns"])
    yield "window", one["window"]
    if one["prior_weight"]:
        yield "prior", f"{one['prior_weight']:g} rows of the event's jurisdiction"
    yield "owner", one["owner"]
    yield "sensitivity", one["sensitivity"]
    yield "purposes", ", ".join(one["purposes"])
    yield "models", ", ".join(one["models"]) or "none"


def _unknown_feature(name: str, known: Sequence[str]) -> BorderlakeError:
    """The nearest names, for all of them are too many to read."""
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(set(known)), n=5, cutoff=0.5)
    hint = f"; near it: {', '.join(near)}" if near else ""
    return BorderlakeError(f"unknown feature '{name}'{hint}. All of them: borderlake features list")

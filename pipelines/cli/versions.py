"""`borderlake model list | show | reproduce | promote | rollback`: versions of the models, and which is champion. What
`model tune` does is in `pipelines.cli.tuning`.
"""

import getpass
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from models.card_evidence import spoken
from models.catalogue import MODELS, model_of
from models.promotion import RULES
from models.spec import ModelSpec
from models.tracking import CHAMPION, Version
from pipelines import decisions, lifecycle
from pipelines.cli.output import Exit, JsonOut, console, errors, printable, table, write_json
from pipelines.deployment import Deployment, alone, of_lake
from warehouse.errors import NotReady

app = typer.Typer(
    help="Versions of the models: what the gate says of them, and which is champion.", no_args_is_help=True
)

_OF_PARTS = ("slice", "without_twins")
Model = Annotated[str, typer.Argument(metavar="MODEL", help=f"One of: {', '.join(MODELS)}.")]
Reason = Annotated[str, typer.Option("--reason", metavar="WHY", help="Why; kept with the decision.")]
By = Annotated[str | None, typer.Option("--by", metavar="WHO", help="Who decides; default: the user of this machine.")]


@app.command("list")
def list_versions(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Only this model.")] = None,
    json_out: JsonOut = None,
) -> None:
    """Every version with its alias, the gate's verdict on it, and what was decided."""
    deployment = of_lake()
    specs = [model_of(model)] if model else list(MODELS.values())
    listed = {
        spec.name: [_told(deployment, spec, one) for one in deployment.registry.versions(spec.name)] for spec in specs
    }
    if not any(listed.values()):
        console.print(f"No version is registered yet. Train one: borderlake train {specs[0].name}", highlight=False)
        write_json(json_out, {"models": listed, "astray": []})
        raise typer.Exit(Exit.NOTHING)
    for name, versions in listed.items():
        shown = [
            (
                one["version"],
                one["alias"],
                one["gate"],
                one["registered_at"],
                one["sha256"][:12],
                printable(one["decided"]),
            )
            for one in versions
        ]
        console.print(table(name, ("version", "alias", "gate", "registered", "sha256", "decided"), shown))
    astray = [wrong for spec in specs if listed[spec.name] and (wrong := decisions.astray(deployment, spec))]
    for wrong in astray:
        errors.print(f"[bold yellow]astray[/bold yellow] {wrong}", highlight=False, soft_wrap=True)
    write_json(json_out, {"models": listed, "astray": astray})


@app.command()
def show(
    model: Model,
    version: Annotated[int | None, typer.Argument(metavar="[VERSION]", help="Default: the newest.")] = None,
    card: Annotated[
        Path | None,
        typer.Option("--card", metavar="FILE", help="Write its model card here: .html, or .md for Markdown."),
    ] = None,
    json_out: JsonOut = None,
) -> None:
    """One version: the gate's rules, its figures with 95 % intervals, the decisions about it, its hash, its model card.

    The card also tells on whom its errors fall, what it rests on, and its limits.
    """
    deployment, spec = of_lake(), model_of(model)
    found = _version(deployment, spec, version)
    verdict = decisions.verdict_of(deployment, spec, found.number)
    told = _told(deployment, spec, found)
    if verdict is None:
        console.print(f"{spec.name} version {found.number} was never judged by the gate")
    else:
        rows = [(rule.name.replace("_", " "), rule.passed, rule.said) for rule in verdict.rules]
        console.print(
            table(f"{spec.name} version {found.number}: {told['gate']}", ("rule", "met", "what was found"), rows)
        )
    figures = deployment.registry.figures(found)
    console.print(table("On days it never saw", ("figure", "value", "low", "high"), with_intervals(figures)))
    mine = [one for one in told["decisions"] if one["model_version"] == found.number]
    decided = [
        (f"{one['decided_at']:%Y-%m-%d %H:%M}", one["action"], one["decided_by"], printable(one["reason"]))
        for one in mine
    ]
    console.print(table("Decisions", ("at", "action", "by", "why"), decided))
    console.print(f"sha256 {found.sha256}", highlight=False, soft_wrap=True)
    if card is not None:
        kept = lifecycle.CARD_MARKDOWN if card.suffix == ".md" else lifecycle.CARD_HTML
        card.parent.mkdir(parents=True, exist_ok=True)
        card.write_text(lifecycle.card_of(deployment, found, kept), encoding="utf-8")
        console.print(f"model card: {printable(str(card))}", soft_wrap=True)
    rules = (
        [] if verdict is None else [{"name": r.name, "passed": r.passed, "figures": r.figures} for r in verdict.rules]
    )
    write_json(json_out, {**told, "decisions": mine, "rules": rules, "figures": figures})


@app.command()
def reproduce(
    model: Model,
    version: Annotated[int | None, typer.Argument(metavar="[VERSION]", help="Default: the newest.")] = None,
    json_out: JsonOut = None,
) -> None:
    """Train a version again from the tables as they were, and compare the hash: the same to the last bit, or not.

    Tables keep their versions for as long as vacuum leaves them (7 days or longer).
    """
    deployment, spec = of_lake(), model_of(model)
    found = _version(deployment, spec, version)
    with console.status(f"training {spec.name} version {found.number} again"):
        done = lifecycle.reproduce(deployment, spec, found.number)
    verdict = "the same to the last bit" if done.is_same else "NOT the same"
    console.print(f"{spec.name} version {found.number}: {verdict}")
    console.print(f"registered {done.registered_sha256}\n    anew   {done.sha256}", highlight=False)
    write_json(
        json_out,
        {
            "model": spec.name,
            "version": found.number,
            "is_same": done.is_same,
            "registered_sha256": done.registered_sha256,
            "sha256": done.sha256,
        },
    )
    if not done.is_same:
        raise typer.Exit(Exit.PARTLY)


@app.command()
def promote(
    model: Model,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Version to make champion.")],
    reason: Reason,
    by: By = None,
    json_out: JsonOut = None,
) -> None:
    """Make a version champion by hand, and say which rules of the gate that overrides.

    The next scoring scores with it. `borderlake model rollback` takes it back.
    """
    deployment, spec = of_lake(), model_of(model)
    who = by or getpass.getuser()
    with alone(deployment, "promotion"):
        overridden = lifecycle.promote(deployment, spec, version, who, reason, datetime.now(UTC))
    console.print(f"{spec.name} version {version} is {CHAMPION}")
    if overridden:
        console.print(table("This overrides the gate", ("rule", "asks"), [(rule, RULES[rule]) for rule in overridden]))
    _report(deployment)
    write_json(json_out, {"model": spec.name, "champion": version, "by": who, "overrides": overridden})


@app.command()
def rollback(model: Model, reason: Reason, by: By = None, json_out: JsonOut = None) -> None:
    """Make the champion before the present one champion again."""
    deployment, spec = of_lake(), model_of(model)
    who = by or getpass.getuser()
    with alone(deployment, "promotion"):
        back = lifecycle.rollback(deployment, spec, who, reason, datetime.now(UTC))
    console.print(f"{spec.name} version {back.version} is {CHAMPION} again")
    _report(deployment)
    write_json(json_out, {"model": spec.name, "champion": back.version, "by": who})


def _told(deployment: Deployment, spec: ModelSpec, version: Version) -> dict[str, Any]:
    decided = decisions.decisions(deployment, spec).drop("verdict").to_dicts()
    mine = [one for one in decided if one["model_version"] == version.number]
    verdict = decisions.verdict_of(deployment, spec, version.number)
    gate = (
        "never judged" if verdict is None else "passed" if verdict.passed else f"not met: {', '.join(verdict.failed)}"
    )
    last = f"{mine[-1]['action']} by {mine[-1]['decided_by']}: {mine[-1]['reason']}" if mine else ""
    return {
        "model": spec.name,
        "version": version.number,
        "alias": ", ".join(version.aliases),
        "gate": gate,
        "registered_at": f"{version.registered_at:%Y-%m-%d %H:%M}",
        "sha256": version.sha256 or "",
        "decided": last,
        "decisions": decided,
    }


def _version(deployment: Deployment, spec: ModelSpec, number: int | None) -> Version:
    versions = deployment.registry.versions(spec.name)
    chosen = [one for one in versions if number in (None, one.number)]
    if not versions:
        raise NotReady(f"{spec.name} has never been trained; run: borderlake train {spec.name}")
    if not chosen:
        raise NotReady(f"{spec.name} has no version {number}; list them with: borderlake model list")
    return chosen[0]


def with_intervals(figures: Mapping[str, float]) -> list[tuple[str, float, float, float]]:
    """Figures of a version that have an interval, but for those of parts: they are many, and in the model card."""
    names = [name for name in figures if f"{name}_low" in figures and name.partition(".")[0] not in _OF_PARTS]
    ordered = sorted(names, key=lambda name: [part.zfill(3) for part in name.split("_")])
    return [(_read(name), figures[name], figures[f"{name}_low"], figures[f"{name}_high"]) for name in ordered]


def _read(name: str) -> str:
    kind, dot, figure = name.partition(".")
    return f"{kind}: {figure.replace('_', ' ')}" if dot else spoken(name)


def _report(deployment: Deployment) -> None:
    from pipelines import reporting, runs  # Dagster takes seconds: only who changes something pays.

    runs.report(deployment, [reporting.materialized(deployment, decisions.DECISIONS)])

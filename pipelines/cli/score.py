"""`borderlake score` and `borderlake score withdraw`: scores are given, and taken back where they must not stand."""

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from models.catalogue import MODELS, model_of
from models.spec import ModelSpec
from pipelines import flows, recalling
from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.deployment import Deployment, from_environment, of_lake
from pipelines.recalling import Chosen
from sharing.shares import Share
from warehouse import recalls
from warehouse.errors import BorderlakeError, NotReady

app = typer.Typer(no_args_is_help=False)


@app.callback(invoke_without_command=True)
def score(context: typer.Context, json_out: JsonOut = None) -> None:
    """Land what waits in the inbox, and score every event that the champions have not scored yet."""
    if context.invoked_subcommand is not None:
        return
    deployment = from_environment()
    from pipelines import jobs, partitions, runs

    trained = flows.trained_models(deployment)
    if not trained:
        raise NotReady("no model has been trained yet; run: borderlake train shipment_risk, or borderlake demo")
    days = flows.days_to_score(deployment, trained, datetime.now(UTC))
    if not days:
        console.print("Nothing to do: nothing waits in the inbox, and every event that may be scored has its score")
        _tell_elsewhere(deployment, trained)
        write_json(json_out, {"scored": {}})
        raise typer.Exit(Exit.DONE)
    before = {spec.name: _count(deployment, spec.name) for spec in trained}
    with console.status(f"scoring {len(days)} days of delivery"):
        only = jobs.scoring_assets(trained)
        run_ids = [runs.run(deployment, "scoring", block, only=only) for block in partitions.blocks(days)]
    scored = {name: _count(deployment, name) - count for name, count in before.items()}
    console.print(table("Scored", ("model", "events"), list(scored.items())))
    _tell_elsewhere(deployment, trained)
    write_json(json_out, {"scored": scored, "runs": run_ids, "days": days})


def _tell_elsewhere(deployment: Deployment, trained: Sequence[ModelSpec]) -> None:
    """Which events have no score because the champion learnt nothing where they happened."""
    for spec in trained:
        champion = deployment.registry.load(spec.name)
        served = champion.model.bundle.jurisdictions
        counts = flows.elsewhere(deployment, spec, served)
        if counts:
            console.print(
                f"No score for {', '.join(f'{rows:,} {spec.subject} of {place}' for place, rows in counts.items())}: "
                f"{spec.name} version {champion.version} learnt from {', '.join(served)} alone. Land outcomes of "
                f"there, then: borderlake train {spec.name}",
                highlight=False,
                soft_wrap=True,
                markup=False,
            )


@app.command()
def withdraw(
    score_id: Annotated[
        str | None, typer.Argument(metavar="[SCORE_ID]", help="The score, or the beginning of its id.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="MODEL", help=f"One of: {', '.join(MODELS)}.")] = None,
    version: Annotated[
        int | None, typer.Option("--model-version", metavar="V", help="Every score of this version of --model.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="WHY", help="One line, kept with it. Name nobody in it.")
    ] = "",
    by: Annotated[str | None, typer.Option(help="Who withdraws it; default: the user of this machine.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")] = False,
    json_out: JsonOut = None,
) -> None:
    """Withdraw a score, or all of a model version, from every agency that has it.

    A dry run unless --yes. The scores stay in the lake, on record with the reason; at the next refresh each recipient
    gets a retraction of what rests on them (score, lane, decision) through its change feed. It cannot be undone.
    """
    deployment, at = of_lake(), datetime.now(UTC)
    chosen = _chosen(deployment, score_id, model, version)
    shares = recalling.concerned(deployment, chosen, at)
    told = {
        "model": chosen.spec.name,
        "versions": chosen.versions,
        "scores": chosen.scores.height,
        "shares": [one.name for one in shares],
    }
    _announce(chosen, shares)
    if not yes:
        console.print("A dry run. Do it: the same command with [bold]--reason WHY --yes[/bold]")
        write_json(json_out, told | {"yes": False})
        return
    if not reason.strip():
        raise BorderlakeError("a withdrawal needs its reason, nothing was withdrawn; say why with --reason")
    count = recalls.recall(deployment.lake, chosen.scores, reason=reason, by=by or getpass.getuser(), at=at)
    from pipelines import reporting, runs

    runs.report(deployment, [reporting.materialized(deployment, recalls.RECALLS)])
    console.print(
        f"Withdrawn: {count:,} scores, {printable(reason)}. Now: [bold]borderlake share refresh --yes[/bold] (or wait "
        "for the schedule)",
        highlight=False,
        soft_wrap=True,
    )
    if version is not None:
        console.print(
            f"A version that is champion goes on scoring: see [bold]borderlake model list {chosen.spec.name}[/bold]",
            soft_wrap=True,
        )
    write_json(json_out, told | {"yes": True, "withdrawn": count})


def _announce(chosen: Chosen, shares: Sequence[Share]) -> None:
    """What would be withdrawn, and who will see it go."""
    versions = ", ".join(map(str, chosen.versions))
    console.print(f"{chosen.scores.height:,} scores of {chosen.spec.name} version {versions}", highlight=False)
    rows = [(one.name, one.agreement.recipient.code, "yes" if one.shared.has_changes else "no") for one in shares]
    console.print(table("Taken back at the next refresh", ("share", "recipient", "told by its change feed"), rows))


def _chosen(deployment: Deployment, score_id: str | None, model: str | None, version: int | None) -> Chosen:
    if score_id is not None and model is None and version is None:
        return recalling.by_id(deployment, score_id)
    if score_id is None and model is not None and version is not None:
        return recalling.by_version(deployment, model, version)
    raise typer.BadParameter("give a SCORE_ID, or --model and --model-version")


def _count(deployment: Deployment, model: str) -> int:
    return deployment.lake.size(flows.score_table(model_of(model)))[0]

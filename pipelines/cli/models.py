"""`borderlake train` and `borderlake score`: the model steps, as runs of the deployment's Dagster instance."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from models.catalogue import MODELS, model_of
from pipelines import decisions, flows
from pipelines.cli.output import Exit, JsonOut, console, table, write_json
from pipelines.cli.versions import with_intervals
from pipelines.deployment import Deployment, from_environment
from warehouse.errors import NotReady


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"One of: {', '.join(MODELS)}.")],
    json_out: JsonOut = None,
) -> None:
    """Train a model on what is known now, judge it on days it never saw, and register it in MLflow.

    It is challenger until it meets every rule of the promotion gate; then it is champion, which scores. Where there is
    no champion yet it stands in as one.
    """
    spec = model_of(model)
    deployment = from_environment()
    from pipelines import partitions, runs

    days = _days_without_features(deployment, spec.subject)
    with console.status("computing features"):
        for block in partitions.blocks(days):
            runs.run(deployment, "features", block)
    with console.status(f"training {spec.name}"):
        run_id = runs.run(deployment, f"train_{spec.name}")
    result = deployment.registry.latest(spec.name)
    verdict = decisions.verdict_of(deployment, spec, result.version)
    assert verdict is not None, "a version that training has just registered has its verdict"
    console.print(
        table(
            f"{spec.name} version {result.version} ({result.alias or 'no alias'})",
            ("figure", "value", "low", "high"),
            with_intervals(result.figures),
        )
    )
    rows = [(rule.name.replace("_", " "), rule.passed, rule.said) for rule in verdict.rules]
    console.print(table("Promotion gate", ("rule", "met", "what was found"), rows))
    write_json(
        json_out,
        {
            "model": spec.name,
            "version": result.version,
            "passed_gate": verdict.passed,
            "not_met": verdict.failed,
            "alias": result.alias,
            "run": run_id,
            "figures": result.figures,
        },
    )


def score(json_out: JsonOut = None) -> None:
    """Land what waits in the inbox, and score every event that the champions have not scored yet."""
    deployment = from_environment()
    from pipelines import jobs, partitions, runs

    trained = flows.trained_models(deployment)
    if not trained:
        raise NotReady("no model has been trained yet; run: borderlake train shipment_risk, or borderlake demo")
    days = flows.days_to_score(deployment, trained, datetime.now(UTC))
    if not days:
        console.print("Nothing to do: nothing waits in the inbox, and every event has its score")
        write_json(json_out, {"scored": {}})
        raise typer.Exit(Exit.DONE)
    before = {spec.name: _count(deployment, spec.name) for spec in trained}
    with console.status(f"scoring {len(days)} days of delivery"):
        only = jobs.scoring_assets(trained)
        run_ids = [runs.run(deployment, "scoring", block, only=only) for block in partitions.blocks(days)]
    scored = {name: _count(deployment, name) - count for name, count in before.items()}
    console.print(table("Scored", ("model", "events"), list(scored.items())))
    write_json(json_out, {"scored": scored, "runs": run_ids, "days": days})


def _count(deployment: Deployment, model: str) -> int:
    return deployment.lake.size(flows.score_table(model_of(model)))[0]


def _days_without_features(deployment: Deployment, subject: str) -> list[date]:
    return sorted(flows.days_to_conform(deployment) | flows.days_without_vectors(deployment, subject))

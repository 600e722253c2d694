"""`borderlake train`: a model learns, is judged and registered, as a run of the deployment's Dagster instance."""

from datetime import date
from typing import Annotated

import typer

from models.catalogue import MODELS, model_of
from pipelines import decisions, flows
from pipelines.cli.output import JsonOut, console, table, write_json
from pipelines.cli.versions import with_intervals
from pipelines.deployment import Deployment, of_lake


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"One of: {', '.join(MODELS)}.")],
    json_out: JsonOut = None,
) -> None:
    """Train a model on what is known now, judge it on days it never saw, and register it in MLflow.

    It is challenger until it meets every rule of the promotion gate; then it is champion, which scores. Where there is
    no champion yet it stands in as one.
    """
    spec = model_of(model)
    deployment = of_lake()
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


def _days_without_features(deployment: Deployment, subject: str) -> list[date]:
    return sorted(flows.days_to_conform(deployment) | flows.days_without_vectors(deployment, subject))

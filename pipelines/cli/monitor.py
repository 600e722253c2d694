"""`borderlake monitor`: what has drifted, since when, how far beyond what is usual, and what to do."""

from typing import Annotated, Any

import typer

from models import monitoring_words as words
from models.catalogue import MODELS, model_of
from models.monitoring import CHECKS
from models.spec import ModelSpec
from pipelines import monitoring
from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.deployment import Deployment, of_lake
from warehouse.errors import NotReady


def monitor(
    model: Annotated[str | None, typer.Option(help=f"One of: {', '.join(MODELS)}; default: all.")] = None,
    json_out: JsonOut = None,
) -> None:
    """Show what the monitoring of the models found up to the last day judged. 3: something is not as usual.

    Scoring runs judge each day of delivery once it is over; the pictures are in the Dagster UI, group monitoring.
    """
    deployment = of_lake()
    specs = list(MODELS.values()) if model is None else [model_of(model)]
    found = {spec.name: _found(deployment, spec) for spec in specs}
    if not any(found.values()):
        raise NotReady("no day has been judged yet; borderlake score judges each day of delivery once it is over")
    for name, said in found.items():
        _show(name, said)
    write_json(json_out, {"models": found})
    raise typer.Exit(Exit.PARTLY if any(said and said["alerts"] for said in found.values()) else Exit.DONE)


def _found(deployment: Deployment, spec: ModelSpec) -> dict[str, Any]:
    """The last day judged: its checks, and the alerts that stand, with what they say; empty where no day was judged."""
    recent = monitoring.recent(deployment, spec)
    if recent.is_empty():
        return {}
    features = deployment.subject(spec.subject).registry.features
    now = monitoring.latest(recent)
    check_of = {figure.value: name for name, figures in CHECKS.items() for figure in figures}
    alerts = [
        {**row, "check": check_of[row["figure"]], "told": words.told(row, features)}
        for row in monitoring.standing(recent).iter_rows(named=True)
    ]
    return {
        "as_of": now["monitored_on"][0],
        "version": now["model_version"][0],
        "checks": {name: not any(alert["check"] == name for alert in alerts) for name in CHECKS},
        "alerts": alerts,
        "whole": [{**row, "told": words.told(row, features)} for row in now.filter(feature="").iter_rows(named=True)],
        "judged_features": now.filter(now["feature"] != "").height,
    }


def _show(name: str, said: dict[str, Any]) -> None:
    if not said:
        console.print(f"{name}: no day has been judged yet")
        return
    shown = [
        (check.replace("_", " "), "yes" if passed else "[bold red]no[/bold red]")
        for check, passed in said["checks"].items()
    ]
    console.print(table(f"{name} version {said['version']}, up to {said['as_of']}", ("check", "passed"), shown))
    for alert in said["alerts"]:
        console.print(
            f"[bold red]since {alert['since']}[/bold red] {printable(alert['told'])}", highlight=False, soft_wrap=True
        )
    for row in said["whole"]:
        if not row["is_alert"]:
            console.print(f"  {printable(row['told'])}", highlight=False, soft_wrap=True)

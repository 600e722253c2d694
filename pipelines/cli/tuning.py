"""`borderlake model tune`: other parameters for a model, tried and told, never applied."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from models.catalogue import MODELS, model_of
from models.tuning import CAPACITY, Judged, Tuned
from pipelines import lifecycle
from pipelines.cli.output import JsonOut, console, progress_bar, table, write_json
from pipelines.cli.versions import app
from pipelines.deployment import of_lake


@app.command()
def tune(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"One of: {', '.join(MODELS)}.")],
    trials: Annotated[int, typer.Option(min=2, help="Sets of parameters to try; the present ones are the first.")] = 40,
    folds: Annotated[int, typer.Option(min=1, max=10, help="Folds that move on in time, each judged once.")] = 4,
    json_out: JsonOut = None,
) -> None:
    """Try other parameters on past days and print the best as a spec to paste. Nothing is changed.

    Each fold learns from the days before, stops by the next and is judged on those after, with outcomes as they were
    known then. The latest days, which judge a version in training, are in no fold.
    """
    deployment, spec = of_lake(), model_of(model)
    with progress_bar() as progress:
        task = progress.add_task(f"tuning {spec.name}", total=trials)
        found = lifecycle.tune(deployment, spec, datetime.now(UTC), trials, folds, lambda: progress.advance(task))
    columns = ("judged from", "outcomes", "adverse", "log loss", "was", "AUC", "was", f"found in {CAPACITY:.0%}", "was")
    console.print(table(f"{spec.name}: best of {trials} sets of parameters, fold by fold", columns, _by_fold(found)))
    console.print(_said(found), soft_wrap=True, highlight=False)
    if found.changed:
        before = found.before.parameters
        changed = [(name, str(before.get(name)), str(value)) for name, value in found.changed.items()]
        console.print(table("What is otherwise", ("parameter", "was", "found"), changed))
        console.print(f"To have it, paste into models/{spec.name}.py and train:")
        console.print(found.declared(), markup=False, highlight=False)
    write_json(json_out, _told(found))


def _by_fold(found: Tuned) -> Sequence[Sequence[object]]:
    return [
        (
            f"{would.first:%Y-%m-%d}", would.rows, would.adverse, would.log_loss, was.log_loss, would.auc, was.auc,
            f"{would.recall:.1%}", f"{was.recall:.1%}",
        )
        for was, would in zip(found.was, found.would, strict=True)
    ]  # fmt: skip


def _said(found: Tuned) -> str:
    if not found.changed:
        return "Nothing was better than the parameters as they are: keep them."
    return (
        f"Log loss is lower by {found.gain:.4f} on the mean, on {found.folds_better} of {len(found.was)} folds. The "
        "best of many trials looks better than it is: train it, and let the promotion gate judge it on days that no "
        "fold saw."
    )


def _told(found: Tuned) -> dict[str, Any]:
    def of_folds(judged: Sequence[Judged]) -> list[dict[str, Any]]:
        return [asdict(one) for one in judged]

    return {
        "model": found.before.name,
        "trials": found.trials,
        "gain": found.gain,
        "folds_better": found.folds_better,
        "parameters": dict(found.found.parameters),
        "changed": dict(found.changed),
        "folds": {"was": of_folds(found.was), "found": of_folds(found.would)},
    }

"""Sides of `bench scoring`: the scoring of the pipelines from Delta to Delta, and bare `predict` on the same matrix in
memory; and reasons for so many rows. Beforehand the lake is filled and the model learnt, by a side of its own."""

import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import Settings
from benchmarks.trials import Side, Usage

if TYPE_CHECKING:
    from benchmarks.scoring_data import Goods
    from pipelines.scoring_days import Scorer

FILL, OURS, BARE, REASONS = "fill", "ours", "bare", "reasons"
SCORES = "scores.parquet"
_AT = datetime(2025, 6, 1, tzinfo=UTC)


def fill(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """The lake and the model that the other sides work with."""
    from benchmarks.scoring_data import keep, learn
    from warehouse.delta import Lake

    with usage:
        model = learn(int(settings["trees"]), int(settings["seed"]))
        keep(model, folder)
        _goods(settings).fill(Lake(str(folder / "lake")))
    return {"trees": model.booster().num_trees(), "features": len(model.bundle.encoder.columns)}


def ours(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """Read, score, calibrate, put in lanes, write; without reasons."""
    import polars as pl

    scorer = _scorer(settings, folder)
    with usage:
        scorer.run(_goods(settings).days)
    scores, lanes = scorer.deployment.lake.scan(scorer.scores), scorer.deployment.lake.scan(scorer.selections)
    scores.select("event_id", "raw_score").sort("event_id").collect().write_parquet(folder / SCORES)
    return {
        "rows_scored": scores.select(pl.len()).collect().item(),
        "rows_in_lanes": lanes.select(pl.len()).collect().item(),
    }


def bare(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """`booster.predict` and nothing else; the matrix is there before the clock starts."""
    import numpy as np
    import polars as pl

    scorer = _scorer(settings, folder)
    model = scorer.registered.model
    parts = list(scorer.parts(_goods(settings).days))
    matrix = np.concatenate([part.encoded.matrix for part in parts]).astype(np.float64)
    ids = pl.concat([part.served.events["event_id"] for part in parts])
    booster = model.booster()
    with usage:
        raw = booster.predict(matrix, raw_score=True)
    made = pl.DataFrame({"event_id": ids, "raw_score": raw})
    made.sort("event_id").write_parquet(folder / SCORES)
    return {"rows_scored": len(matrix)}


def reasons(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """Reasons in words for the first rows."""
    import numpy as np
    import polars as pl

    from models.explanation import reasons as explain

    scorer = _scorer(settings, folder)
    model = scorer.registered.model
    wanted = int(settings["explained"])
    vectors, matrices, missing = [], [], wanted
    for part in scorer.parts(_goods(settings).days):
        first = np.arange(min(missing, len(part.served)))
        vectors.append(part.served.by_feature(first))
        matrices.append(part.encoded.matrix[first])
        missing -= len(first)
        if not missing:
            break
    with usage:
        given = explain(model, scorer.subject.registry.features, pl.concat(vectors), np.concatenate(matrices))
    return {"rows_explained": len(given)}


def _goods(settings: Settings) -> "Goods":
    from benchmarks.scoring_data import Goods

    return Goods(int(settings["rows"]), int(settings["seed"]))


def _scorer(settings: Settings, folder: Path) -> "Scorer":
    """The pipelines' own, on a lake that holds what was filled; without reasons, which are another side's."""
    from benchmarks.scoring_data import kept
    from models.scoring import NOTHING
    from models.shipment_risk import SHIPMENT_RISK
    from models.tracking import Registered
    from pipelines.deployment import Deployment
    from pipelines.scoring_days import Scorer
    from warehouse.settings import Settings as OfDeployment

    filled = Path(str(settings["filled"]))
    shutil.copytree(filled / "lake", folder / "lake", copy_function=_linked)
    model = kept(filled)
    model.booster()
    registered = Registered(SHIPMENT_RISK.name, 1, None, "", model, {})
    deployment = Deployment(OfDeployment(folder / "home", str(folder / "lake")))
    return Scorer(deployment, SHIPMENT_RISK, registered, _AT, NOTHING)


def _linked(source: str, target: str) -> None:
    """Data files are never changed: a second name is enough. All else is copied."""
    if source.endswith(".parquet"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


SIDES: dict[str, Side] = {FILL: fill, OURS: ours, BARE: bare, REASONS: reasons}

"""Choosing the scores to withdraw: one by its id, or all of a model version. Free of the orchestrator."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from models.catalogue import MODELS, model_of
from models.spec import ModelSpec
from pipelines.deciding import DISPOSITIONS
from pipelines.deployment import Deployment
from pipelines.flows import score_table, selection_table
from sharing.shares import Share, shares_of
from warehouse.errors import BorderlakeError
from warehouse.recalls import SCORE, standing

_LEAST_DIGITS = 8
"""Of an abbreviated score id."""
_COLUMNS = [SCORE, "model_name", "model_version", "event_id", "event_version", "event_date"]


@dataclass(frozen=True)
class Chosen:
    """Scores of one model that are not withdrawn yet."""

    spec: ModelSpec
    scores: pl.DataFrame

    @property
    def versions(self) -> list[int]:
        """Model versions that they are of."""
        return sorted(self.scores["model_version"].unique())


def by_id(deployment: Deployment, score_id: str) -> Chosen:
    """The score of an id, or of the beginning of one; raises where there is none, or more than one."""
    if len(score_id) >= _LEAST_DIGITS:
        begins = pl.col(SCORE).str.starts_with(score_id)
        found = [chosen for spec in MODELS.values() if (chosen := _chosen(deployment, spec, begins)).scores.height]
        if len(found) == 1 and found[0].scores.height == 1:
            return found[0]
        if found:
            raise BorderlakeError("several scores begin like that; give more of the score id")
    raise BorderlakeError(
        "no score that stands has that id, so nothing was withdrawn. Ids (at least their first 8 digits) are in: "
        "borderlake select --date DAY, or borderlake show gold.shipment_scores"
    )


def by_version(deployment: Deployment, model: str, version: int) -> Chosen:
    """Every score of a model version; raises where none stands."""
    chosen = _chosen(deployment, model_of(model), pl.col("model_version") == version)
    if chosen.scores.is_empty():
        raise BorderlakeError(
            f"no score of {model} version {version} stands, so nothing was withdrawn; `borderlake model list` shows "
            "the versions"
        )
    return chosen


def concerned(deployment: Deployment, chosen: Chosen, at: datetime) -> list[Share]:
    """Shares in force that may hold rows which rest on the scores: their recipients will see these taken back."""
    tables = (score_table(chosen.spec), selection_table(chosen.spec), DISPOSITIONS)
    found = shares_of(deployment.agreements, at)
    return [one for one in found if one.source in tables and one.agreement.is_in_force(at)]


def _chosen(deployment: Deployment, spec: ModelSpec, condition: pl.Expr) -> Chosen:
    table = score_table(spec)
    return Chosen(spec, standing(deployment.lake, table).filter(condition).select(_COLUMNS).collect())

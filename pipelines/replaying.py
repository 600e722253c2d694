"""Replay of a stored score: the row by its id, the model version that made it, and a certificate of what came out.

Reads the score tables and the registry alone, and of the tables only what their latest version holds: a vacuum, late
data and new feature definitions change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from models.catalogue import MODELS
from models.explanation import spoken
from models.replay import Compared, replay
from models.spec import ModelSpec
from pipelines.deployment import Deployment
from pipelines.flows import score_table
from warehouse import recalls
from warehouse.errors import BorderlakeError

_LEAST_PREFIX = 6


@dataclass(frozen=True)
class Certificate:
    """What a stored score rests on, and whether it comes out again to the bit."""

    table: str
    row: Mapping[str, Any]
    """The stored row, without its vector."""
    spec_digest: str
    compared: Sequence[Compared]
    recalled: Mapping[str, Any] | None = None
    """Who withdrew the score, when and why; None where it stands."""

    @property
    def is_equal(self) -> bool:
        return all(one.is_equal for one in self.compared)

    @property
    def reasons(self) -> list[str]:
        """In words, as they were served."""
        return spoken(self.row["reasons"])


def certify(deployment: Deployment, score_id: str) -> Certificate:
    """Compute the score that an id, or the beginning of one, names again; raises where it or its model is gone."""
    spec, stored = _stored(deployment, score_id)
    registered = deployment.registry.load_version(stored["model_name"], stored["model_version"])
    features = deployment.subject(spec.subject).registry.features
    return Certificate(
        table=score_table(spec).name,
        row={name: value for name, value in stored.items() if name != "vector"},
        spec_digest=registered.model.bundle.spec_digest,
        compared=replay(registered.model, features, stored),
        recalled=recalls.recalled(deployment.lake, stored["score_id"]),
    )


def _stored(deployment: Deployment, score_id: str) -> tuple[ModelSpec, Mapping[str, Any]]:
    if len(score_id) < _LEAST_PREFIX:
        raise BorderlakeError(f"'{score_id}' is too short to name a score; give {_LEAST_PREFIX} characters or more")
    tables = {score_table(spec).name: spec for spec in MODELS.values()}
    for spec in tables.values():
        scores = deployment.lake.scan(score_table(spec))
        found = scores.filter(pl.col("score_id").str.starts_with(score_id)).collect()
        if found.height > 1:
            raise BorderlakeError(f"{found.height} scores of {score_table(spec).name} begin so; give more of the id")
        if found.height:
            return spec, found.row(0, named=True)
    first = next(iter(tables))
    raise BorderlakeError(
        f"no score of {' or '.join(tables)} has this id; ids are listed by "
        f"`borderlake show {first} --columns score_id,event_id,probability`"
    )

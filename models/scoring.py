"""Scoring: vectors in, score rows out. The served vector is stored with the score, so that it can be replayed.

First what trees say of a matrix, which takes longest and needs nothing else, then the rows: whoever scores part after
part can have the trees at work on one while the rows of another are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.served import Served
from features.views import Feature
from models import abstention
from models.datasets import Encoded, Floats
from models.explanation import REASONS, reasons
from models.recovery import Recovery
from models.training import Model
from warehouse import ids


@dataclass(frozen=True)
class Explaining:
    """Which events get reasons: a share of the riskiest of each location and day, and at least so many."""

    share: float
    least: int


ACTED_ON = Explaining(share=0.10, least=10)
"""The events that may be acted on. Reasons cost far more than the score."""
NOTHING = Explaining(share=0.0, least=0)


@dataclass(frozen=True)
class Part:
    """Events that wait for a score: their vectors as served and as the model sees them."""

    served: Served
    encoded: Encoded


def prepared(model: Model, served: Served) -> Part:
    """The vectors, ready to be scored. Raises `NotReady` as `Encoder.check` does."""
    return Part(served, model.bundle.encoder.encode(served))


def rows(
    model: Model,
    version: int,
    features: Mapping[str, Feature],
    part: Part,
    raw: Floats,
    scored_at: datetime,
    explaining: Explaining = ACTED_ON,
) -> pl.DataFrame:
    """Rows of `gold.*_scores` for the events of `part`, given the model's raw scores of its matrix, and beside them
    `abstained_for`, which is told with the lane.

    The vector is kept in single precision, which is what the model saw: see `Encoder.encode`.
    """
    bundle, matrix = model.bundle, part.encoded.matrix
    probability = bundle.calibrator.probability(raw)
    scores = part.served.events.with_columns(
        model_name=pl.lit(bundle.model_name),
        model_version=pl.lit(version, dtype=pl.Int64),
        model_sha256=pl.lit(model.sha256),
        scored_at=pl.lit(scored_at, dtype=pl.Datetime("us", "UTC")),
        in_training=pl.col("event_at") < pl.lit(bundle.trained_until),
        has_unseen_category=pl.Series(part.encoded.unseen.any(axis=1)),
        raw_score=pl.Series(raw),
        probability=pl.Series(probability),
        **_recovery(bundle.recovery, matrix, probability),
        vector=pl.Series(matrix, dtype=pl.Array(pl.Float32, matrix.shape[1])).arr.to_list(),
        abstained_for=abstention.abstained_for(
            bundle.ground, bundle.encoder, bundle.jurisdictions, features, part.served, part.encoded
        ),
    )
    return scores.with_columns(score_id(), reasons=_reasons(scores, model, features, part, explaining))


def _recovery(
    recovery: Recovery | None, matrix: NDArray[np.float32], probability: Floats
) -> dict[str, pl.Series | pl.Expr]:
    """What looking is worth; null where the model has learnt no amounts."""
    if recovery is None:
        return {
            "expected_recovery": pl.lit(None, dtype=pl.Float64),
            "recovery_currency": pl.lit(None, dtype=pl.String),
        }
    expected = recovery.expected(matrix, probability) if len(matrix) else np.zeros(0)
    return {"expected_recovery": pl.Series(expected), "recovery_currency": pl.lit(recovery.currency)}


def score_id() -> pl.Expr:
    """Names a score: the event version, the model version and the moment."""
    named = ("event_id", "event_version", "model_name", "model_version", "scored_at")
    return ids.digest([pl.col(name) for name in named]).alias("score_id")


def _reasons(
    scores: pl.DataFrame, model: Model, features: Mapping[str, Feature], part: Part, explaining: Explaining
) -> pl.Series:
    """Reasons of the riskiest events of each location and day; none of the others."""
    chosen = scores.select(_is_explained(explaining)).to_series().arg_true().to_numpy().astype(np.int64)
    explained = reasons(model, features, part.served.by_feature(chosen), part.encoded.matrix[chosen])
    place = np.zeros(scores.height, dtype=np.int64)
    place[chosen] = np.arange(1, len(chosen) + 1)
    return pl.concat([pl.Series("reasons", [[]], dtype=REASONS), explained]).gather(place)


def _is_explained(explaining: Explaining) -> pl.Expr:
    if explaining == NOTHING:
        return pl.repeat(value=False, n=pl.len())
    per_day = ("location", "received_on")
    rank = pl.col("raw_score").rank("ordinal", descending=True).over(per_day)
    return rank <= pl.max_horizontal(explaining.least, (pl.len().over(per_day) * explaining.share).ceil())

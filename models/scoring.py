"""Scoring: vectors in, score rows out. The served vector is stored with the score, so that it can be replayed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.views import Feature
from models.datasets import Floats
from models.explanation import REASONS, reasons
from models.recovery import Recovery
from models.training import Model
from warehouse import ids
from warehouse.errors import NotReady


@dataclass(frozen=True)
class Explaining:
    """Which events get reasons: a share of the riskiest of each location and day, and at least so many."""

    share: float
    least: int


ACTED_ON = Explaining(share=0.10, least=10)
"""The events that may be acted on. Reasons cost far more than the score."""
NOTHING = Explaining(share=0.0, least=0)


def score(
    model: Model,
    version: int,
    features: Mapping[str, Feature],
    vectors: pl.DataFrame,
    scored_at: datetime,
    explaining: Explaining = ACTED_ON,
) -> pl.DataFrame:
    """Rows of `gold.*_scores` for the events of `vectors` (one column a feature, and the event's key).

    The vector is kept in single precision, which is what the model saw: see `Encoder.matrix`. Raises `NotReady` when
    a feature of the model is missing.
    """
    encoder = model.bundle.encoder
    missing = sorted(set(encoder.columns) - set(vectors.columns))
    if missing:
        raise NotReady(
            f"{model.bundle.model_name}: features {', '.join(missing)} are missing; materialise features again"
        )
    matrix = encoder.matrix(vectors)
    single = matrix.astype(np.float32)
    raw = model.raw_scores(single)
    probability = model.bundle.calibrator.probability(raw)
    moment = pl.lit(scored_at, dtype=pl.Datetime("us", "UTC"))
    rows = vectors.with_columns(
        model_name=pl.lit(model.bundle.model_name),
        model_version=pl.lit(version, dtype=pl.Int64),
        model_sha256=pl.lit(model.sha256),
        scored_at=moment,
        in_training=pl.col("event_at") < pl.lit(model.bundle.trained_until),
        has_unseen_category=encoder.unseen(vectors),
        raw_score=pl.Series(raw),
        probability=pl.Series(probability),
        **_recovery(model.bundle.recovery, single, probability),
        vector=pl.Series(single, dtype=pl.Array(pl.Float32, matrix.shape[1])).arr.to_list(),
    ).with_columns(score_id())
    return _explained(rows, model, features, matrix, explaining)


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


def _explained(
    rows: pl.DataFrame, model: Model, features: Mapping[str, Feature], matrix: Floats, explaining: Explaining
) -> pl.DataFrame:
    per_day = ("location", "received_on")
    rank = pl.col("raw_score").rank("ordinal", descending=True).over(per_day)
    enough = pl.max_horizontal(pl.lit(explaining.least), (pl.len().over(per_day) * explaining.share).ceil())
    at = rows.select(chosen=rank <= enough)["chosen"].arg_true()
    explained = reasons(model, features, rows[at], matrix[at.to_numpy()])
    place = np.zeros(rows.height, dtype=np.int64)
    place[at.to_numpy()] = np.arange(1, len(at) + 1)
    return rows.with_columns(reasons=pl.concat([pl.Series("reasons", [[]], dtype=REASONS), explained]).gather(place))

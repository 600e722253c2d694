"""Scoring: vectors in, score rows out. The served vector is stored with the score, so that it can be replayed."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from features.views import Feature
from models.datasets import Floats
from models.explanation import REASONS, reasons
from models.training import Model
from warehouse import ids
from warehouse.errors import NotReady

_EXPLAINED_SHARE = 0.10
_EXPLAINED_LEAST = 10


def score(
    model: Model, version: int, features: Mapping[str, Feature], vectors: pl.DataFrame, scored_at: datetime
) -> pl.DataFrame:
    """Rows of `gold.*_scores` for the events of `vectors` (one column a feature, and the event's key).

    Reasons go to the events that may be acted on: the riskiest of each location and day. Raises `NotReady`
    when a feature of the model is missing.
    """
    encoder = model.bundle.encoder
    missing = sorted(set(encoder.columns) - set(vectors.columns))
    if missing:
        raise NotReady(
            f"{model.bundle.model_name}: features {', '.join(missing)} are missing; materialise features again"
        )
    matrix = encoder.matrix(vectors)
    raw = model.raw_scores(matrix)
    moment = pl.lit(scored_at, dtype=pl.Datetime("us", "UTC"))
    rows = vectors.with_columns(
        model_name=pl.lit(model.bundle.model_name),
        model_version=pl.lit(version, dtype=pl.Int64),
        model_sha256=pl.lit(model.sha256),
        scored_at=moment,
        in_training=pl.col("event_at") < pl.lit(model.bundle.trained_until),
        has_unseen_category=encoder.unseen(vectors),
        raw_score=pl.Series(raw),
        probability=pl.Series(model.bundle.calibrator.probability(raw)),
        vector=pl.Series(matrix, dtype=pl.Array(pl.Float64, matrix.shape[1])).cast(pl.List(pl.Float64)),
    ).with_columns(
        score_id=ids.digest(
            [pl.col(c) for c in ("event_id", "event_version", "model_name", "model_version", "scored_at")]
        )
    )
    return _explained(rows, model, features, matrix)


def _explained(rows: pl.DataFrame, model: Model, features: Mapping[str, Feature], matrix: Floats) -> pl.DataFrame:
    per_day = ("location", "received_on")
    rank = pl.col("raw_score").rank("ordinal", descending=True).over(per_day)
    enough = pl.max_horizontal(pl.lit(_EXPLAINED_LEAST), (pl.len().over(per_day) * _EXPLAINED_SHARE).ceil())
    chosen = rows.select(chosen=rank <= enough)["chosen"]
    at = chosen.arg_true()
    explained = reasons(model, features, rows.filter(chosen), matrix[at.to_numpy()])
    by_row = pl.DataFrame({"row": at, "reasons": explained}, schema={"row": pl.UInt32(), "reasons": REASONS})
    joined = rows.with_row_index("row").join(by_row, on="row", how="left", maintain_order="left").drop("row")
    return joined.with_columns(pl.col("reasons").fill_null(pl.lit([], dtype=REASONS)))

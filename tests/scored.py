"""Score rows of vectors with one column a feature, all steps of scoring in one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from features.served import of_columns
from features.views import Feature
from models.scoring import ACTED_ON, Explaining, prepared, rows
from models.training import Model


def score(
    model: Model,
    version: int,
    features: Mapping[str, Feature],
    vectors: pl.DataFrame,
    at: datetime,
    explaining: Explaining = ACTED_ON,
) -> pl.DataFrame:
    """Rows of `gold.*_scores`; a feature without a column was not served."""
    there = [feature for name, feature in features.items() if name in vectors.columns]
    numbers = [feature.name for feature in there if not feature.is_category]
    categories = [feature.name for feature in there if feature.is_category]
    part = prepared(model, of_columns(vectors, numbers, categories))
    return rows(model, version, features, part, model.raw_scores(part.encoded.matrix), at, explaining)

"""Explanation: the strongest reasons for a score, in plain words.

Contributions are TreeSHAP values in log-odds (Lundberg et al., 2020), as LightGBM's `pred_contrib` gives them:
with the expected value they sum to the raw score.
"""

import math
from collections.abc import Mapping

import numpy as np
import polars as pl

from features.views import Feature
from models.datasets import Floats
from models.training import Model

TOP = 3

REASONS = pl.List(
    pl.Struct({"feature": pl.String(), "text": pl.String(), "contribution": pl.Float64(), "owner": pl.String()})
)


def reasons(model: Model, features: Mapping[str, Feature], vectors: pl.DataFrame, matrix: Floats) -> pl.Series:
    """The `TOP` features that raise each row's score most, strongest first; a list of structs a row."""
    if vectors.is_empty():
        return pl.Series("reasons", [], dtype=REASONS)
    contributions = np.asarray(model.booster().predict(matrix, pred_contrib=True), dtype=np.float64)[:, :-1]
    columns = model.bundle.encoder.columns
    order = np.argsort(-contributions, axis=1, kind="stable")[:, :TOP]
    values = {name: vectors[name].to_list() for name in columns}
    explained = []
    for row, best in enumerate(order):
        raised = [int(column) for column in best if contributions[row, column] > 0]
        explained.append(
            [
                {
                    "feature": columns[column],
                    "text": in_words(
                        features[columns[column]], values[columns[column]][row], model.bundle.usual.get(columns[column])
                    ),
                    "contribution": float(contributions[row, column]),
                    "owner": features[columns[column]].owner,
                }
                for column in raised
            ]
        )
    return pl.Series("reasons", explained, dtype=REASONS)


def in_words(feature: Feature, value: float | str | None, usual: tuple[float, float] | None) -> str:
    """One reason: what, how much, and what is usual."""
    if value is None or value != value:
        return f"{feature.description}: nothing known"
    if isinstance(value, str):
        return f"{feature.description}: {value}"
    shown = f"{feature.description}: {_number(feature, value)}{_unit(feature)}"
    if usual is None:
        return shown
    low, high = (_number(feature, bound) for bound in usual)
    return f"{shown} (usually {low})" if low == high else f"{shown} (usually {low} to {high})"


def _number(feature: Feature, value: float) -> str:
    plain = math.expm1(value) if feature.unit.startswith("log ") else value
    if feature.unit == "log ratio":
        return f"{plain:+.0%}"
    if feature.unit == "share":
        return f"{plain:.0%}"
    if abs(plain) >= 100 or plain == round(plain):
        return f"{plain:,.0f}"
    return f"{plain:.2g}" if abs(plain) < 1 else f"{plain:.1f}".removesuffix(".0")


def _unit(feature: Feature) -> str:
    unit = feature.unit.removeprefix("log ")
    return "" if unit in ("share", "hour", "code", "ratio", "day") else f" {unit}"

"""How often entries like this one turned out adverse, on the training days, by many kinds of likeness.

Smoothed towards the overall rate (Micci-Barreca, 2001, SIGKDD Explorations 3(1)). A training row never sees its
own arrival day, so that its rates look as they would on a new day; other rows see all training days and no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

KEYS: tuple[tuple[str, ...], ...] = (
    ("nationality_code",),
    ("residence",),
    ("nationality_code", "visa_class"),
    ("nationality_code", "residence"),
    ("port",),
    ("port", "nationality_code"),
    ("destination",),
    ("destination", "nationality_code"),
    ("carrier",),
    ("carrier", "flight"),
    ("carrier", "flight", "nationality_code"),
    ("visa_post",),
    ("visa_class", "admission_code", "mode", "days_granted"),
    ("nationality_code", "age_band"),
    ("nationality_code", "sex", "age_band"),
    ("carrier", "port"),
    ("residence", "destination"),
    ("admission_code", "port"),
    ("mode", "port", "admission_code"),
    ("nationality_code", "visa_class", "admission_code"),
)
PRIOR_ROWS = 20.0
"""Rows of the overall rate that stand beside each key's own."""


@dataclass(frozen=True)
class Rates:
    """Columns of rows x keys: the rates as log-odds, and on how many outcomes each rests."""

    log_odds: Floats
    outcomes: Floats


def entry_rates(entry: pl.DataFrame, labels: Floats, train: Mask, keys: Sequence[tuple[str, ...]] = KEYS) -> Rates:
    """Rates of each row of `entry`, from the labels of the rows in `train` alone."""
    rows = entry.with_columns(label=pl.Series(np.where(train, labels, np.nan)), is_train=pl.Series(train))
    known = rows.filter("is_train")
    overall = float(labels[train].mean())
    columns = [_rate(rows, known, list(key), overall) for key in keys]
    return Rates(
        np.column_stack([log_odds for log_odds, _ in columns]), np.column_stack([outcomes for _, outcomes in columns])
    )


def _rate(rows: pl.DataFrame, known: pl.DataFrame, key: list[str], overall: float) -> tuple[Floats, Floats]:
    by_day = known.group_by(*key, "day").agg(adverse=pl.col("label").sum(), outcomes=pl.len().cast(pl.Float64))
    by_key = by_day.group_by(key).agg(all_adverse=pl.col("adverse").sum(), all_outcomes=pl.col("outcomes").sum())
    joined = (
        rows.select(*key, "day")
        .join(by_key, on=key, how="left", maintain_order="left")
        .join(by_day, on=[*key, "day"], how="left", maintain_order="left")
        .fill_null(0.0)
    )
    adverse = (joined["all_adverse"] - joined["adverse"]).to_numpy()
    outcomes = (joined["all_outcomes"] - joined["outcomes"]).to_numpy()
    rate = (adverse + PRIOR_ROWS * overall) / (outcomes + PRIOR_ROWS)
    return np.log(rate / (1 - rate)), outcomes

"""Expected recovery: what looking into an event is worth in currency, beside the probability that something is found.

The amount that an adverse outcome brings is learnt from the adverse outcomes that tell one, and multiplied by the
calibrated probability; one factor, from the validation days, makes the sum of what is expected that of what came in.
Amounts of one currency only: no rate of exchange is known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models import prediction
from models.evaluation import Figure, interval, resamples
from models.ranking import CAPACITIES
from models.spec import ModelSpec

Floats = NDArray[np.float64]

LEAST_ROWS = 100
"""Training rows with an amount below which no amount is learnt."""
_ROUNDS = 60
_PARAMETERS = {
    # The mean of what is positive and skewed, on a logarithmic scale.
    "objective": "gamma",
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 20,
    "lambda_l2": 10.0,
    "cat_smooth": 50.0,
    "cat_l2": 50.0,
    "max_cat_to_onehot": 2,
    "min_data_per_group": 50,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Recovery:
    """What an adverse outcome is expected to bring, by a row of the model's matrix."""

    currency: str
    text: str
    """LightGBM's native text."""
    factor: float
    """By how much more came in on the validation days than trees and probabilities together expected."""

    def expected(self, matrix: Floats | NDArray[np.float32], probabilities: Floats) -> Floats:
        """Expected recovery of each row, in the currency."""
        return self.factor * probabilities * prediction.outputs(self._booster, matrix)

    @cached_property
    def _booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_str=self.text)

    @staticmethod
    def of(stored: Mapping[str, Any] | None) -> "Recovery | None":
        """As it was written with `dataclasses.asdict`."""
        return None if stored is None else Recovery(**stored)


@dataclass(frozen=True)
class Amounts:
    """The matrix of some rows, what each brought, and how probable the model held it to be."""

    matrix: Floats
    amounts: Floats
    probabilities: Floats


def currency_of(train: pl.DataFrame) -> str | None:
    """The currency in which most training rows tell a recovery; None where too few do in any."""
    if not {"recovered", "recovered_in"} <= set(train.columns):
        return None
    counts = train.filter(pl.col("recovered") > 0)["recovered_in"].drop_nulls().value_counts()
    if counts.is_empty():
        return None
    currency, rows = counts.sort(["count", "recovered_in"], descending=[True, False]).row(0)
    return str(currency) if rows >= LEAST_ROWS else None


def amounts_of(rows: pl.DataFrame, currency: str) -> Floats:
    """What each row brought in the currency; nothing where nothing was found or told."""
    in_currency = pl.when(pl.col("recovered_in") == currency).then(pl.col("recovered"))
    amounts: Floats = rows.select(in_currency.fill_null(0.0).clip(0.0)).to_series().to_numpy()
    return amounts


def fit(spec: ModelSpec, currency: str, categories: list[int], train: Amounts, valid: Amounts) -> Recovery:
    """Learn amounts from the training rows that brought any, and the factor from the validation rows."""
    brought = train.amounts > 0
    data = lightgbm.Dataset(train.matrix[brought], train.amounts[brought], categorical_feature=categories)
    booster = lightgbm.train({**_PARAMETERS, "seed": spec.seed}, data, _ROUNDS)
    plain = Recovery(currency, booster.model_to_string(), 1.0)
    expected = float(plain.expected(valid.matrix, valid.probabilities).sum())
    came_in = float(valid.amounts.sum())
    return Recovery(currency, plain.text, came_in / expected if expected > 0 and came_in > 0 else 1.0)


def figures(
    labels: Floats, amounts: Floats, scores: Mapping[str, Floats], seed: int, repeats: int = 200
) -> dict[str, Figure]:
    """`revenue_at_5_by_probability` and so on: the share of all that came in that the highest scores hold, by each way
    of ranking. Nothing where nothing came in. Raises `NotReady` for outcomes of one kind."""
    if not amounts.sum() > 0:
        return {}
    drawn = [
        np.bincount(rows, minlength=len(rows)).astype(np.float64)
        for rows in resamples(labels, seed=seed, repeats=repeats)
    ]
    result: dict[str, Figure] = {}
    for way, ranked_by in scores.items():
        order = np.argsort(-ranked_by, kind="stable")
        ranked = amounts[order]
        every = np.ones(len(ranked))
        for percent in CAPACITIES:
            shares = np.array([revenue_share(ranked, weights[order], percent / 100) for weights in drawn])
            name = f"revenue_at_{percent}_by_{way}"
            result[name] = Figure(revenue_share(ranked, every, percent / 100), *interval(shares))
    return result


def revenue_share(ranked: Floats, weights: Floats, capacity: float) -> float:
    """Share of the amounts, highest score first and each counted `weights` times, that the first rows hold."""
    counted = ranked * weights
    total = counted.sum()
    if not total > 0:
        return 0.0
    seats = max(1.0, round(weights.sum() * capacity))
    # The row at the edge counts for the seats that are left.
    taken = np.clip(seats - (np.cumsum(weights) - weights), 0.0, weights)
    return float((ranked * taken).sum() / total)

"""Found: what a ranking holds at an office's capacity, counted in what the office itself has declared. No IO.

Who ranks by probability wants hits, who ranks by money what came in, and a declared mix both, each as a share of all
there was: what `models.selection` puts first is what is counted here. Judged rows of one office and day are few, so
offices that declare the same are ranked together, and weigh as many as their rows are.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from models import recovery
from models.capacity import Capacities
from models.datasets import labels_of
from models.evaluation import Floats, Rows
from models.training import Model


@dataclass(frozen=True)
class Brought:
    """What judged rows turned out to be, and what their offices count: arrays of one length."""

    labels: Floats
    amounts: Floats
    weight: Floats
    """How much of a row's standing its office gives to the probability; the rest is for money."""
    currency: str | None
    """Of the amounts; none where nothing is counted in money."""
    is_without_amounts: bool = False
    """Whether an office ranks by money and none came in: hits are counted then, as lanes are filled by risk then."""

    def found(self, rows: Rows, standing: Floats, share: float) -> float:
        """Of all that `rows` brought, the part of the highest `share` of them; offices weigh as many as their rows."""
        value = 0.0
        for weight in np.unique(self.weight[rows]):
            here = rows[self.weight[rows] == weight]
            hits = part_in_best(self.labels[here], standing[here], share)
            money = part_in_best(self.amounts[here], standing[here], share)
            value += float(weight * hits + (1 - weight) * money) * len(here) / len(rows)
        return value


def part_in_best(values: Floats, standing: Floats, share: float) -> float:
    """Of the sum of values, the part of the highest `share` of rows, of one at the least; 0 of a sum of nothing."""
    best = np.argsort(-standing, kind="stable")[: max(1, round(len(values) * share))]
    total = values.sum()
    return float(values[best].sum() / total) if total > 0 else 0.0


def brought(rows: pl.DataFrame, declared: Capacities, currency: str | None) -> Brought:
    """What labelled rows brought, counted as their offices declare; `currency` is that of the models' amounts."""
    labels, nothing = labels_of(rows), np.zeros(rows.height)
    weight: Floats = rows.with_columns(weight=declared.probability_weight())["weight"].to_numpy()
    if not (weight < 1).any():
        return Brought(labels, nothing, weight, None)
    amounts = nothing if currency is None else recovery.amounts_of(rows, currency)
    if not amounts[weight < 1].any():
        return Brought(labels, nothing, np.ones(rows.height), None, is_without_amounts=True)
    return Brought(labels, amounts, weight, currency)


def standing(model: Model, rows: pl.DataFrame, weight: Floats) -> Floats:
    """What each row stands by among those of its weight; a model that has learnt no amounts ranks by probability."""
    bundle = model.bundle
    matrix = bundle.encoder.matrix(rows)
    probabilities = bundle.calibrator.probability(model.raw_scores(matrix))
    if bundle.recovery is None or not (weight < 1).any():
        return probabilities
    expected = bundle.recovery.expected(matrix, probabilities)
    worth = probabilities.copy()
    for mixed in np.unique(weight[weight < 1]):
        here = weight == mixed
        worth[here] = mixed * _shares(probabilities[here]) + (1 - mixed) * _shares(expected[here])
    return worth


def _shares(values: Floats) -> Floats:
    total = values.sum()
    return values / total if total > 0 else np.zeros_like(values)

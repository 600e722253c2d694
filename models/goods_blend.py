"""A blend for goods never seen before: small boosted trees and a ridge logistic model, calibrated out of fold.

Both are as good alone; they err differently, since the trees split numbers and the linear model adds up crosses of
codes. Parties, offices and dates are left out: a model for goods no matter who brings them.
"""

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.preprocessing import OneHotEncoder

from models import calibration
from models.blend import Floats, Parameters, mean_log_odds
from models.calibration import Calibrator
from models.goods import Goods, Key, Rows, columns

CROSSES: tuple[Key, ...] = (
    ("hs6",),
    ("hs4",),
    ("hs2",),
    ("dispatch",),
    ("origin",),
    ("regime",),
    ("rate",),
    ("hs6", "dispatch"),
    ("hs6", "origin"),
    ("dispatch", "origin"),
    ("hs4", "origin"),
    ("hs2", "origin"),
    ("hs2", "dispatch"),
    ("hs4", "dispatch"),
    ("regime", "rate"),
    ("hs4", "rate"),
    ("origin", "regime"),
    ("mass_band",),
    ("value_band",),
    ("hs2", "mass_band"),
    ("roundness",),
    ("regime", "mass_band"),
    ("origin", "mass_band"),
)
"""One-hot columns of the linear model."""

PARAMETERS: Parameters = {
    "objective": "binary",
    "learning_rate": 0.02,
    "num_leaves": 8,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
    # Folds are fitted side by side; a second thread gains nothing on so few rows.
    "num_threads": 1,
}
ROUNDS = 400
RIDGE = 0.02
"""Inverse strength of the linear model's penalty."""
INNER_FOLDS = 3


@dataclass(frozen=True)
class GoodsBlend:
    """The blend over one set of goods, of which parts are for training and parts are scored."""

    goods: Goods
    labels: Floats
    """Of every row; only those of training rows are looked at."""
    one_hot: Any
    """Sparse rows, one column a value of each of `CROSSES`."""

    @staticmethod
    def of(goods: Goods, labels: Floats) -> "GoodsBlend":
        return GoodsBlend(goods, labels, _one_hot(goods))

    def probabilities(self, train: Rows, score: Rows, seed: int) -> Floats:
        """Calibrated probabilities of the rows `score`, from a blend fitted on the rows `train`."""
        return self.calibrator(train, seed).probability(self.log_odds(train, score, seed))

    def calibrator(self, train: Rows, seed: int) -> Calibrator:
        """Fitted on scores of the training rows by blends that had not seen them."""
        raw = np.zeros(len(train))
        folds = KFold(INNER_FOLDS, shuffle=True, random_state=seed)
        for fitted, held_out in folds.split(train):
            raw[held_out] = self.log_odds(train[fitted], train[held_out], seed)
        return calibration.fit(raw, self.labels[train])

    def log_odds(self, train: Rows, score: Rows, seed: int) -> Floats:
        """The blend's raw score."""
        return mean_log_odds([self._trees(train, score, seed), self._linear(train, score)])

    def _trees(self, train: Rows, score: Rows, seed: int) -> Floats:
        matrix = columns(self.goods, train)
        data = lightgbm.Dataset(matrix[train], self.labels[train])
        booster = lightgbm.train({**PARAMETERS, "seed": seed}, data, ROUNDS)
        return np.asarray(booster.predict(matrix[score], raw_score=True, num_threads=1), dtype=np.float64)

    def _linear(self, train: Rows, score: Rows) -> Floats:
        model = LogisticRegression(C=RIDGE, max_iter=200).fit(self.one_hot[train], self.labels[train])
        return np.asarray(model.decision_function(self.one_hot[score]), dtype=np.float64)


def _one_hot(goods: Goods) -> Any:
    return OneHotEncoder().fit_transform(np.column_stack([goods.key(key) for key in CROSSES]))


def with_history(probabilities: Floats, adverse: Floats, outcomes: Floats, weight: float) -> Floats:
    """Probabilities, and beside them the outcomes of the very same goods before (a beta-binomial mean).

    The model's probability counts as `weight` rows; where nothing was seen it stands alone.
    """
    result: NDArray[np.float64] = (adverse + weight * probabilities) / (outcomes + weight)
    return result

"""Calibration: from a raw score (log-odds) to a probability. A calibrator is plain numbers, stored as JSON.

Beta calibration in log-odds form (Kull, Silva Filho and Flach, 2017, AISTATS): logit(p) = a*ln(q) - b*ln(1-q) + c,
with q the uncalibrated probability. With a = b it is Platt's (1999) two-parameter scaling of the log-odds.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

_ENOUGH_FOR_BETA = 1_000
"""Positives below which a third parameter costs more than it gives."""


@dataclass(frozen=True)
class Calibrator:
    """logit(p) = a*ln(q) - b*ln(1-q) + c, with q = sigmoid(raw score)."""

    method: str
    a: float
    b: float
    c: float

    def probability(self, raw: Floats) -> Floats:
        """Calibrated probabilities of raw scores."""
        log_q, log_not_q = _logs(raw)
        return _sigmoid(self.a * log_q - self.b * log_not_q + self.c)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> "Calibrator":
        return Calibrator(**json.loads(text))


IDENTITY = Calibrator("identity", 1.0, 1.0, 0.0)


def fit(raw: Floats, labels: Floats, weights: Floats | None = None) -> Calibrator:
    """A calibrator for raw scores: beta where positives are many, Platt where thin.

    A slope below zero would turn the ranking round: then the scores are left as they are.
    """
    log_q, log_not_q = _logs(raw)
    if min(labels.sum(), (1 - labels).sum()) >= _ENOUGH_FOR_BETA:
        inputs = np.column_stack([log_q, -log_not_q])
        model = _logistic(inputs, labels, weights)
        a, b = (float(value) for value in model.coef_[0])
        if a >= 0 and b >= 0:
            return Calibrator("beta", a, b, float(model.intercept_[0]))
    model = _logistic((log_q - log_not_q)[:, None], labels, weights)
    slope = float(model.coef_[0][0])
    return Calibrator("platt", slope, slope, float(model.intercept_[0])) if slope > 0 else IDENTITY


def _logistic(inputs: Floats, labels: Floats, weights: Floats | None) -> LogisticRegression:
    return LogisticRegression(C=1e6, max_iter=1_000).fit(inputs, labels, sample_weight=weights)


def _logs(raw: Floats) -> tuple[Floats, Floats]:
    """ln(q) and ln(1-q) of q = sigmoid(raw), without overflow."""
    return -np.logaddexp(0.0, -raw), -np.logaddexp(0.0, raw)


def _sigmoid(x: Floats) -> Floats:
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * x))
    return result

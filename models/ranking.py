"""Rows sorted once by their score, so that the figures of any weighting of them cost no sort.

With how often each row was drawn as weights this gives what `models.evaluation.figures` gives on the drawn rows, equal
scores apart: there the order of equals is the order of drawing, here that of the rows.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

CAPACITIES: Final = (1, 2, 5, 10)
"""Per cent of events that can be inspected."""

_CELL = 0.01
"""Width of a cell of log-odds within which rows count as one for the slope."""
_NEWTON_STEPS = 25
_HALVINGS = 40
_PENALTY = 1e-6
_DAMPING = 1e-12
"""Keeps the system solvable where every row is as good as certain; it shortens steps and moves no solution."""
_CONVERGED = 1e-3
"""Of a step: Newton's steps square, so the slope that follows is right to about 1e-6."""


class Ordering:
    """Labels in falling order of score, for the area under the ROC curve of any weighting."""

    def __init__(self, labels: Floats, scores: Floats) -> None:
        self._order = np.argsort(-scores, kind="stable")
        self._labels = labels[self._order]
        # Where a run of equal scores ends: a pair within it counts half.
        self._ends = _run_ends(scores[self._order])

    def auc(self, weights: Floats) -> float:
        """Chance that an adverse row stands above a harmless one, each row as often as its weight says."""
        weight = weights[self._order]
        found, taken = np.cumsum(weight * self._labels), np.cumsum(weight)
        return _area(found[self._ends], taken[self._ends])


class Ranking(Ordering):
    """Labels and probabilities in falling order, for every figure of any weighting."""

    def __init__(self, labels: Floats, probabilities: Floats) -> None:
        super().__init__(labels, probabilities)
        self._squares = (probabilities - labels)[self._order] ** 2
        clipped = np.clip(probabilities[self._order], 1e-6, 1 - 1e-6)
        log_odds = np.log(clipped / (1 - clipped))
        # The slope needs no more than where rows lie to within a cell.
        self._cell_ends = _run_ends(np.floor(log_odds / _CELL))
        self._cells = (np.add.reduceat(log_odds, np.append(0, self._cell_ends[:-1] + 1))) / np.diff(
            self._cell_ends, prepend=-1
        )
        self._start = _fit(log_odds, self._labels)

    def figures(self, weights: Floats) -> dict[str, float]:
        """`auc`, `ap`, `precision_at_k`, `recall_at_k`, `brier`, `calibration_slope` of the weighted rows."""
        weight = weights[self._order]
        found, taken = np.cumsum(weight * self._labels), np.cumsum(weight)
        hits, seen = found[self._ends], taken[self._ends]
        total, rows = hits[-1], seen[-1]
        steps = np.diff(hits, prepend=0.0)
        result = {
            "auc": _area(hits, seen),
            "ap": float((steps * hits / np.maximum(seen, 1.0)).sum() / total),
            "brier": float(weight @ self._squares / rows),
            "calibration_slope": self._slope(found, taken),
        }
        for percent in CAPACITIES:
            size = max(1, round(rows * percent / 100))
            last = int(np.searchsorted(taken, size))
            hit = found[last] - (taken[last] - size) * self._labels[last]
            result[f"precision_at_{percent}"] = float(hit / size)
            result[f"recall_at_{percent}"] = float(hit / total)
        return result

    def _slope(self, found: Floats, taken: Floats) -> float:
        """Newton's method from the slope of all rows: a resample's lies near."""
        if self._start is None:
            return 0.0
        intercept, slope = self._start
        log_odds = self._cells
        hits = np.diff(found[self._cell_ends], prepend=0.0)
        rows = np.diff(taken[self._cell_ends], prepend=0.0)
        fit = _likelihood(hits, rows, log_odds, intercept, slope)
        for _ in range(_NEWTON_STEPS):
            p = 0.5 * (1.0 + np.tanh(0.5 * (intercept + slope * log_odds)))
            residual, spread = hits - rows * p, rows * p * (1.0 - p)
            bend, curve = spread @ log_odds, spread @ log_odds**2
            # As weak a penalty as the point figure has keeps the system solvable where the classes part.
            hessian = np.array([[spread.sum() + _DAMPING, bend], [bend, curve + _PENALTY]])
            step = np.linalg.solve(hessian, np.array([residual.sum(), residual @ log_odds - _PENALTY * slope]))
            # A full step may go past the best and on from there; half of it, or a half of that, is never worse.
            for halving in range(_HALVINGS):
                ahead, steeper = intercept + float(step[0]) / 2**halving, slope + float(step[1]) / 2**halving
                reached = _likelihood(hits, rows, log_odds, ahead, steeper)
                if reached >= fit:
                    break
            else:
                break
            moved, intercept, slope, fit = abs(steeper - slope), ahead, steeper, reached
            if moved < _CONVERGED * max(1.0, abs(slope)):
                break
        return slope


def _likelihood(hits: Floats, rows: Floats, log_odds: Floats, intercept: float, slope: float) -> float:
    """Logarithm of the penalised likelihood of a line through log-odds."""
    line = intercept + slope * log_odds
    return float(hits @ line - rows @ np.logaddexp(0.0, line) - 0.5 * _PENALTY * slope**2)


def _area(hits: Floats, seen: Floats) -> float:
    """Under the ROC curve, by how many were hits and how many were seen where each run of equal scores ends."""
    misses = seen - hits
    return float(np.trapezoid(np.append(0.0, hits), np.append(0.0, misses)) / (hits[-1] * misses[-1]))


def _run_ends(values: Floats) -> NDArray[np.int64]:
    """Position of the last of each run of equal values."""
    return np.append(np.flatnonzero(np.diff(values)), len(values) - 1)


def _fit(log_odds: Floats, labels: Floats) -> tuple[float, float] | None:
    """Intercept and slope over all rows; none where all scores are equal."""
    if np.ptp(log_odds) == 0:
        return None
    model = LogisticRegression(C=1e6, max_iter=1_000).fit(log_odds[:, None], labels)
    return float(model.intercept_[0]), float(model.coef_[0][0])

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
_CONVERGED = 1e-3
"""Of a step: Newton's steps square, so the slope that follows is right to about 1e-6."""


class Ranking:
    """Labels and scores in falling order of score."""

    def __init__(self, labels: Floats, probabilities: Floats) -> None:
        self._order = np.argsort(-probabilities, kind="stable")
        self._labels = labels[self._order]
        self._squares = (probabilities - labels)[self._order] ** 2
        self._ends = _run_ends(probabilities[self._order])
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
        misses = np.append(0.0, seen - hits)
        result = {
            "auc": float(np.trapezoid(np.append(0.0, hits), misses) / (total * (rows - total))),
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
        for _ in range(_NEWTON_STEPS):
            p = 0.5 * (1.0 + np.tanh(0.5 * (intercept + slope * log_odds)))
            residual, spread = hits - rows * p, rows * p * (1.0 - p)
            bend, curve = spread @ log_odds, spread @ log_odds**2
            # As weak a penalty as the point figure has keeps the system solvable where the classes part.
            hessian = np.array([[spread.sum(), bend], [bend, curve + 1e-6]])
            step = np.linalg.solve(hessian, np.array([residual.sum(), residual @ log_odds - 1e-6 * slope]))
            intercept, slope = intercept + float(step[0]), slope + float(step[1])
            if abs(step[1]) < _CONVERGED * max(1.0, abs(slope)):
                break
        return slope


def _run_ends(values: Floats) -> NDArray[np.int64]:
    """Position of the last of each run of equal values."""
    return np.append(np.flatnonzero(np.diff(values)), len(values) - 1)


def _fit(log_odds: Floats, labels: Floats) -> tuple[float, float] | None:
    """Intercept and slope over all rows; none where all scores are equal."""
    if np.ptp(log_odds) == 0:
        return None
    model = LogisticRegression(C=1e6, max_iter=1_000).fit(log_odds[:, None], labels)
    return float(model.intercept_[0]), float(model.coef_[0][0])

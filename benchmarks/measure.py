"""Figures of scores on the same rows, each with a 95 % interval, and paired gains between two sides.

Where a protocol is repeated, a figure is the mean over its repetitions, and so it is in each bootstrap draw of the
rows: the interval is that of the rows, with the noise of the splits averaged out.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.evaluation import bootstrap, figures, interval

Floats = NDArray[np.float64]

DRAWS = 200
_NO_GAIN = ("brier", "calibration_slope")
"""Figures where more is not better."""


@dataclass(frozen=True)
class Measured:
    """Figures by name, and their bootstrap draws."""

    values: dict[str, float]
    draws: dict[str, Floats]

    def flat(self, suffix: str = "") -> dict[str, float]:
        """`auc`, `auc_low`, `auc_high` and so on; `suffix` follows the figure's name."""
        result: dict[str, float] = {}
        for name, value in self.values.items():
            low, high = interval(self.draws[name])
            result |= {f"{name}{suffix}": value, f"{name}{suffix}_low": low, f"{name}{suffix}_high": high}
        return result


def measure(labels: Floats, scores: Sequence[Floats], seed: int, draws: int = DRAWS) -> Measured:
    """Figures of one side; `scores` has one array a repetition. Raises `NotReady` for labels of one kind."""
    with ThreadPoolExecutor() as pool:
        drawn = list(pool.map(partial(bootstrap, labels, seed=seed, repeats=draws), scores))
    values = [figures(labels, repetition) for repetition in scores]
    return Measured(
        {name: float(np.mean([value[name] for value in values])) for name in values[0]},
        {name: np.mean([draw[name] for draw in drawn], axis=0) for name in drawn[0]},
    )


def measure_all(labels: Floats, scores: Mapping[str, Sequence[Floats]], seed: int) -> dict[str, Measured]:
    """Figures of every side, under the same draws of rows."""
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda repetitions: measure(labels, repetitions, seed), scores.values())
        return dict(zip(scores, found, strict=True))


def gains(ours: Measured, theirs: Measured) -> dict[str, float]:
    """`auc_gain`, `auc_gain_low`, `auc_gain_high` and so on: both sides under the same draws of rows."""
    result: dict[str, float] = {}
    for name in ours.values:
        if name not in _NO_GAIN:
            low, high = interval(ours.draws[name] - theirs.draws[name])
            gain = ours.values[name] - theirs.values[name]
            result |= {f"{name}_gain": gain, f"{name}_gain_low": low, f"{name}_gain_high": high}
    return result

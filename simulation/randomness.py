"""Where chance comes from: one independent generator for each (seed, day, subject).

No other module creates generators, so that a day can be drawn alone and again. Draws shared by several
subjects (zipf weights, choices by weight) are here too; what is drawn is not.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]


def stream(seed: int, day: int, subject: str) -> np.random.Generator:
    """The generator of one subject on one day (an ordinal; 0 for what is drawn once)."""
    return np.random.default_rng(np.random.SeedSequence([seed, day, crc32(subject.encode())]))


def zipf_weights(rng: np.random.Generator, n: int, exponent: float) -> Floats:
    """Heavy-tailed weights that sum to one, in random order so that position says nothing."""
    weights = np.arange(1, n + 1, dtype=np.float64) ** -exponent
    return rng.permutation(weights / weights.sum())


def choose(rng: np.random.Generator, weights: Floats, n: int) -> Ints:
    """`n` indices drawn with replacement in proportion to `weights`."""
    edges = np.cumsum(weights)
    drawn: Ints = np.searchsorted(edges, rng.random(n) * edges[-1], side="right").astype(np.int64)
    return drawn


def logistic(x: Floats) -> Floats:
    """Probability of log-odds."""
    return 1.0 / (1.0 + np.exp(-x))

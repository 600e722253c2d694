"""Officers who examine: each has an eye of their own. Drawn once; whom they examine is in `inspection`, `secondary`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.randomness import Bools, Floats, Ints

# Illicit events that officers miss, honest ones that they wrong, on average.
MISSED, WRONGED = 0.03, 0.006
_GOODS, _PEOPLE = 60, 90


@dataclass(frozen=True)
class Officers:
    """One place an officer: badge, and the shares of what they look at that they get wrong, either way."""

    badge: pl.Series
    missed: Floats
    wronged: Floats

    def on_duty(self, rng: np.random.Generator, n: int) -> Ints:
        """Who examines each of `n` cases."""
        return rng.integers(0, len(self.badge), n)

    def judge(self, rng: np.random.Generator, officer: Ints, illicit: Bools) -> Bools:
        """What each officer says of what they look at, errors included."""
        dice = rng.random(len(illicit))
        return np.where(illicit, dice >= self.missed[officer], dice < self.wronged[officer])


def draw_officers(rng: np.random.Generator) -> tuple[Officers, Officers]:
    """Customs' and immigration's; rates vary about twofold and average what is stated above."""
    return _corps(rng, "OFC", _GOODS), _corps(rng, "OFI", _PEOPLE)


def _corps(rng: np.random.Generator, prefix: str, n: int) -> Officers:
    badges = pl.Series([f"{prefix}{k:04d}" for k in range(100, 100 + n)])
    return Officers(badges, MISSED * _spread(rng, n), WRONGED * _spread(rng, n))


def _spread(rng: np.random.Generator, n: int) -> Floats:
    eye = rng.gamma(2.5, 1.0, n)
    factors: Floats = eye / eye.mean()
    return factors

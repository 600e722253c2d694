"""Counted: is a share of adverse outcomes, or their number over the one predicted, what it was before? Exactly.

Given both counts together, the later one is binomial: its part is its part of the exposure, which is what was examined
or what was predicted (Przyborowski and Wilenski, 1940, Biometrika 31). A `tolerance` is granted first, so that an alert
says that something has changed by more than that factor, and not merely that much was counted. What is known of before
is as uncertain as its own count, and the band as wide as that asks for.
"""

from dataclasses import dataclass

from scipy import stats

FEWEST_EXPECTED = 3.0
"""Adverse outcomes to expect below which their number says nothing."""


@dataclass(frozen=True)
class Band:
    """A measured value, and between what it may lie; without bounds where too little is known."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def is_outside(self) -> bool:
        """Whether the value lies beyond either bound."""
        if self.value is None:
            return False
        return (self.low is not None and self.value < self.low) or (self.high is not None and self.value > self.high)


@dataclass(frozen=True)
class Tally:
    """Adverse outcomes, and the exposure they come of: outcomes in all, or the sum of predicted probabilities."""

    adverse: int
    exposure: float


def beside(now: Tally, before: Tally, tolerance: float, chance: float) -> Band:
    """The rate of now, and what it may be beside that of before."""
    if now.exposure <= 0:
        return Band(None)
    value = now.adverse / now.exposure
    if before.exposure <= 0 or now.exposure * before.adverse / before.exposure < FEWEST_EXPECTED:
        return Band(value)
    low, high = later_part(now, before, tolerance, chance)
    return Band(value, low / now.exposure, high / now.exposure)


def later_part(now: Tally, before: Tally, tolerance: float, chance: float) -> tuple[int, int]:
    """Least and most of all adverse outcomes that may be the later ones, at rates apart by the factor `tolerance`."""
    together = now.adverse + before.adverse
    fewer = now.exposure / (now.exposure + before.exposure * tolerance)
    more = now.exposure * tolerance / (now.exposure * tolerance + before.exposure)
    return int(stats.binom.ppf(chance / 2, together, fewer)), int(stats.binom.isf(chance / 2, together, more))

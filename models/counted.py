"""Counted: is a share of adverse outcomes, or their number over the one predicted, what it was before? Exactly.

Given both counts together, the later one is binomial: its part is its part of the exposure, which is what was examined
or what was predicted (Przyborowski and Wilenski, 1940, Biometrika 31). A `tolerance` is granted first, so that an alert
says that something has changed by more than that factor, and not merely that much was counted. What is known of before
is as uncertain as its own count, and the band as wide as that asks for. Findings do not come one by one: items of a
consignment, people of a car are found together, so that only one in `TOGETHER` counts as a finding of its own (Kish's
design effect, 1965, *Survey Sampling*).
"""

from dataclasses import dataclass

from scipy import stats

TOGETHER = 2.0
"""Adverse outcomes that are found together: a goods declaration has two or three items, a car two or three people."""
FEWEST_EXPECTED = 3.0
"""Findings to expect below which their number says nothing."""


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


def beside(now: Tally, before: Tally, tolerance: float, chance: float, together: float = TOGETHER) -> Band:
    """The rate of now, and what it may be beside that of before."""
    if now.exposure <= 0:
        return Band(None)
    value = now.adverse / now.exposure
    if before.exposure <= 0 or now.exposure * before.adverse / before.exposure < together * FEWEST_EXPECTED:
        return Band(value)
    low, high = later_part(now, before, tolerance, chance, together)
    return Band(value, low / now.exposure, high / now.exposure)


def later_part(now: Tally, before: Tally, tolerance: float, chance: float, together: float) -> tuple[float, float]:
    """Least and most of all adverse outcomes that may be the later ones, at rates apart by the factor `tolerance`."""
    findings = round((now.adverse + before.adverse) / together)
    fewer = now.exposure / (now.exposure + before.exposure * tolerance)
    more = now.exposure * tolerance / (now.exposure * tolerance + before.exposure)
    low, high = stats.binom.ppf(chance / 2, findings, fewer), stats.binom.isf(chance / 2, findings, more)
    return together * float(low), together * float(high)

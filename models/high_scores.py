"""High scores: do more of the last week's events score as only one in fifty of the weeks before did? No IO.

Outcomes take days to come and are few; scores are there at once, of every event. When rings get busier most events stay
what they were, and a distance of all scores hardly moves: what there is to see lies where the model ranks highest. Only
events that the model never saw count, since those it has learnt from lie farther out.

Events that score high come together, as items of a consignment or people of a car do, so that their number differs from
day to day by more than counts of that size would: by how much, the days before tell. The share also wanders from week
to week, as what is known of people and firms grows.

`DAYS`, `SHARE` and `WANDER` were chosen on simulated worlds, among 3 to 7 days, a hundredth to a tenth, and 0 to 0.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, hypot, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from models.counted import Band

Floats = NDArray[np.float64]

DAYS = 7
"""Days that are judged together: one of each weekday."""
BEFORE = 28
"""Days before, in whole weeks, that they are held against."""
FEWEST_BEFORE = 14
"""Of these, days with events that the model never saw."""
SHARE = 0.02
"""Of the events before that score high."""
WANDER = 0.05
"""Standard deviation by which the share moves from week to week with nothing being wrong, as a part of itself."""
FEWEST_EXPECTED = 10.0
"""Events of the week that are expected to score high, below which their number says nothing."""
HISTORY_DAYS = DAYS + BEFORE


@dataclass(frozen=True)
class Scores:
    """Raw scores of the events of each day that the model never saw; of days without any, none."""

    by_day: Mapping[date, Floats]

    @staticmethod
    def of(events: pl.DataFrame) -> "Scores":
        """Of rows with `received_on` and `raw_score`, each an event."""
        parts = events.select("received_on", "raw_score").partition_by("received_on", as_dict=True, include_key=False)
        return Scores({day[0]: part["raw_score"].to_numpy() for day, part in parts.items()})

    def band(self, day: date, chance: float) -> Band:
        """The share of the last week's events that score high, and the most that it may be but by `chance`."""
        lately, before = self._back(day, 0, DAYS), self._back(day, DAYS, HISTORY_DAYS)
        if not lately or len(before) < FEWEST_BEFORE:
            return Band(None)
        high = _mark(np.concatenate(before))
        now, then = _Counts.of(lately, high), _Counts.of(before, high)
        if now.events * then.share < FEWEST_EXPECTED:
            return Band(now.share)
        off = hypot(then.spread() * sqrt(1 / len(lately) + 1 / len(before)), WANDER)
        # By how much days differ is itself told by few of them (Student's distribution).
        most = float(stats.t.isf(chance, len(before) - 1)) * off
        # Fewer of them is no alarm: a model that has lost its eyes shows it in its inputs.
        return Band(now.share, None, then.share * (1 + most))

    def _back(self, day: date, first: int, until: int) -> list[Floats]:
        """Scores of the days that lie from `first` to before `until` days back."""
        days = (day - timedelta(days=back) for back in range(first, until))
        return [self.by_day[one] for one in days if one in self.by_day]


@dataclass(frozen=True)
class _Counts:
    """How many events each of some days had, and how many of them scored high."""

    high_by_day: Floats
    events_by_day: Floats

    @staticmethod
    def of(days: Sequence[Floats], mark: float) -> "_Counts":
        return _Counts(
            np.array([float((scores >= mark).sum()) for scores in days]), np.array([float(len(one)) for one in days])
        )

    @property
    def events(self) -> float:
        return float(self.events_by_day.sum())

    @property
    def share(self) -> float:
        return float(self.high_by_day.sum()) / self.events

    def spread(self) -> float:
        """Standard deviation of a day's number around the one expected, as a part of it: no less than of counts."""
        expected = self.share * self.events_by_day
        variance = float(((self.high_by_day - expected) ** 2).sum()) / (len(expected) - 1)
        return sqrt(max(variance, float(expected.mean()))) / float(expected.mean())


def _mark(scores: Floats) -> float:
    """The lowest of the highest `SHARE` of scores."""
    count = ceil(SHARE * len(scores))
    return float(np.partition(scores, -count)[-count])

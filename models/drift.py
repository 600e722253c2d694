"""Drift: how far the events of a week lie from those of the weeks before, and how far they usually do.

A number's distance is the earth mover's (Wasserstein) distance in standard deviations, a category's the total
variation: the share of events that would have to change theirs. To either the change of the missing share is added. A
stability index would leap where a value that many events have moves by a hair, as rates drawn to a moving mean do.

Of windows drawn from one and the same population the distance has an expected value, its floor, which grows as windows
get small. What is judged is the root of distance over floor, against the same feature's earlier windows: weekdays,
holidays, and whatever else makes days differ, are in them. Their spread is drawn to that of all features, since few
windows say little about it (Smyth, 2004, Statistical Applications in Genetics and Molecular Biology 3(1)), and no limit
is below what chance alone may give. How far the farthest feature of a day lies from its usual is judged against the
farthest of earlier days (the maximum statistic of Westfall and Young, 1993, *Resampling-based multiple testing*): all
features together then have a chance of a false alert, however they hang together.

How the root, `LEAST` and `CHANCE` were chosen: on simulated worlds of seeds 1 to 4 alone, at a quarter of their full
size. Of roots, logarithms and distances as they are, roots set planted changes farthest apart from calm weeks. Without
`LEAST` the first week of May was told, whose holidays move what people do by 0.1 to 0.22 standard deviations.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from models.cells import WIDTH, Cells, Counts

Floats = NDArray[np.float64]

WINDOW = 7
"""Days that are judged together: one of each weekday."""
REFERENCE = 28
"""Days before them."""
PAST = 56
"""Earlier windows that say what is usual, at most."""
HISTORY_DAYS = WINDOW + REFERENCE + WINDOW + PAST
"""Days up to the judged one that its judgement rests on."""
FEWEST_PAST = 14
FEWEST_EVENTS = 50
"""Events of a window below which nothing can be said of it."""
CHANCE = 1 / 30_000
"""Of a false alert a day, by the letter: windows overlap, and what makes days differ keeps to no law."""
LEAST = 0.3
"""A distance below this is not worth a call, however surely it is one."""
_PRIOR_WEIGHT = 10.0
"""Degrees of freedom that the spread of all features counts as."""
_MAD_TO_SPREAD = 1.4826
_OFF = float(np.sqrt(2 / np.pi))
"""Mean of what a standard normal is off."""
_LEAST_SPREAD = 0.15
"""Of a feature, as a part of its middle: a past in which it hardly varied promises too much."""
_LEAST_SPREAD_OF_FARTHEST = 0.5


@dataclass(frozen=True)
class Drift:
    """Each day's distance and the most that is usual, both (days, features); NaN where too little is known."""

    distance: Floats
    limit: Floats

    @property
    def alerts(self) -> NDArray[np.bool_]:
        """Where a distance is beyond its limit."""
        return self.distance > self.limit


def judge(counts: Counts, places: Iterable[int] | None = None, chance: float = CHANCE, least: float = LEAST) -> Drift:
    """Judge days of the counts, by default all, against those before them."""
    distance, floor = distances(counts)
    # What is nearer than chance puts it is as good as there; so is a feature that never changes, whose floor is nought.
    excess = np.sqrt(np.maximum(np.divide(distance, floor, where=floor > 0, out=np.ones_like(floor)), 1.0))
    excess[np.isnan(distance)] = np.nan
    limit = np.full_like(distance, np.nan)
    # Of all distances one that is a single share varies most, as what a normal is off does.
    by_chance = float(stats.norm.isf(chance / max(limit.shape[1], 1) / 2)) / _OFF
    for day in range(len(counts.days)) if places is None else places:
        until = max(0, day - WINDOW + 1)  # A window that overlaps the judged one would make it usual.
        usual = usually_below(excess[max(0, until - PAST) : until], chance)
        limit[day] = np.maximum(floor[day] * np.maximum(usual**2, by_chance), least)
    return Drift(distance, limit)


def distances(counts: Counts) -> tuple[Floats, Floats]:
    """How far each day's window is from the reference before it, and the floor of that, both (days, features).

    NaN where there are too few days or events.
    """
    days, features, _ = counts.events.shape
    distance, floor = np.full((days, features), np.nan), np.full((days, features), np.nan)
    weights, numbers = gaps(counts.cells), len(counts.cells.numbers)
    summed = np.concatenate([np.zeros((1, *counts.events.shape[1:])), np.cumsum(counts.events, axis=0)])
    for day in range(WINDOW + REFERENCE - 1, days):
        window = summed[day + 1] - summed[day + 1 - WINDOW]
        before = summed[day + 1 - WINDOW] - summed[day + 1 - WINDOW - REFERENCE]
        if features and min(window[0].sum(), before[0].sum()) >= FEWEST_EVENTS:
            distance[day], floor[day] = apart(window, before, weights, numbers)
    return distance, floor


def gaps(cells: Cells) -> Floats:
    """What a change of one in each cell's share costs, (features, cells): the last is that of missing values.

    Of numbers the shares are those up to the cell's upper edge, and the way is to the next one, by the trapezoid rule;
    beyond the outer edges it is taken to be a standard deviation long. Of categories half the change counts, since what
    leaves one cell comes to another.
    """
    made = np.zeros((len(cells.features), WIDTH))
    for row, parted in enumerate(cells.numbers.values()):
        way = np.diff(parted.edges) / parted.spread
        made[row, : len(parted.edges)] = (np.append(1.0, way) + np.append(way, 1.0)) / 2
    made[len(cells.numbers) :, :-1] = 0.5
    made[:, -1] = 1.0
    return made


def apart(window: Floats, before: Floats, weights: Floats, numbers: int) -> tuple[Floats, Floats]:
    """Distance and floor of counts (features, cells), the first `numbers` of which are of numbers."""
    of_window, of_before = window.sum(axis=1), before.sum(axis=1)
    both = _shares(window + before, numbers)
    off = np.abs(_shares(window, numbers) - _shares(before, numbers))
    noise = _OFF * np.sqrt(both * (1 - both) * (1 / of_window + 1 / of_before)[:, None])
    return (weights * off).sum(axis=1), (weights * noise).sum(axis=1)


def _shares(counts: Floats, numbers: int) -> Floats:
    """Shares of all events; of numbers, those up to each edge among the known."""
    of_all = counts / counts.sum(axis=1, keepdims=True)
    known = counts[:numbers, :-1]
    up_to = np.cumsum(known, axis=1) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    of_all[:numbers, :-1] = up_to
    shares: Floats = np.clip(of_all, 0.0, 1.0)
    return shares


def usually_below(past: Floats, chance: float) -> Floats:
    """What every feature of a further window is below, but by `chance`; NaN where too little is known.

    `past` holds positive values, (windows, features).
    """
    known = past[~np.isnan(past).any(axis=1)]
    if len(known) < FEWEST_PAST or not past.shape[1]:
        return np.full(past.shape[1], np.nan)
    # Windows overlap: of a week of them one stands for itself.
    freedom = max(len(known) / WINDOW - 1, 1.0)
    centre = np.median(known, axis=0)
    # Upwards only: how near windows may come says nothing of how far they go.
    spread = np.sqrt(2 * np.mean(np.maximum(known - centre, 0.0) ** 2, axis=0)) / centre
    common = float(np.median(spread)) ** 2
    drawn = np.sqrt((_PRIOR_WEIGHT * common + freedom * spread**2) / (_PRIOR_WEIGHT + freedom))
    drawn = centre * np.maximum(drawn, _LEAST_SPREAD)
    farthest = ((known - centre) / drawn).max(axis=1)
    middle = float(np.median(farthest))
    varied = max(_MAD_TO_SPREAD * float(np.median(np.abs(farthest - middle))), _LEAST_SPREAD_OF_FARTHEST)
    reach = middle + float(stats.t.isf(chance, _PRIOR_WEIGHT + freedom)) * varied
    limit: Floats = centre + reach * drawn
    return limit

"""Drift: how far the events of a week lie from those of the weeks before, and how far they usually do.

A number's distance is the earth mover's (Wasserstein) distance in standard deviations, a category's the total
variation: the share of events that would have to change theirs. To either the change of the missing share is added. A
stability index would leap where a value that many events have moves by a hair, as rates drawn to a moving mean do.

Of windows drawn from one and the same population the distance has an expected value, its floor, which grows as windows
get small. What is judged is the logarithm of distance over floor, against the same feature's earlier windows: weekdays,
holidays, and whatever else makes days differ, are in them. Their spread is drawn to that of all features, since few
windows say little about it (Smyth, 2004, Statistical Applications in Genetics and Molecular Biology 3(1)). How far the
farthest feature of a day lies from its usual is judged against the farthest of earlier days (the step-down maximum of
Westfall and Young, 1993, *Resampling-based multiple testing*): so that all features together have the chance `CHANCE`
of a false alert, however they hang together.
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
CHANCE = 1 / 2_000
LEAST = 0.15
"""A distance below this is not worth a call, however surely it is one."""
_PRIOR_WEIGHT = 10.0
"""Degrees of freedom that the spread of all features counts as."""
_MAD_TO_SPREAD = 1.4826
_OFF = float(np.sqrt(2 / np.pi))
"""Mean of what a standard normal is off."""
_LEAST_EXCESS = 1.0
"""Of distance over floor: what is nearer than chance puts it is as good as there."""
_LEAST_SPREAD = 0.5
"""Of the farthest feature: a past in which it hardly varied promises too much."""


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
    # A feature that never changes has a distance of nought, whose logarithm would be endless.
    excess = np.log(np.maximum(np.divide(distance, floor, where=floor > 0, out=np.zeros_like(floor)), _LEAST_EXCESS))
    excess[np.isnan(distance)] = np.nan
    limit = np.full_like(distance, np.nan)
    for day in range(len(counts.days)) if places is None else places:
        until = max(0, day - WINDOW + 1)  # A window that overlaps the judged one would make it usual.
        usual = usually_below(excess[max(0, until - PAST) : until], chance)
        limit[day] = np.maximum(floor[day] * np.exp(usual), least)
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

    `past` holds (windows, features).
    """
    known = past[~np.isnan(past).any(axis=1)]
    if len(known) < FEWEST_PAST or not past.shape[1]:
        return np.full(past.shape[1], np.nan)
    # Windows overlap: of a week of them one stands for itself.
    freedom = max(len(known) / WINDOW - 1, 1.0)
    centre = np.median(known, axis=0)
    spread = _MAD_TO_SPREAD * np.median(np.abs(known - centre), axis=0)
    common = float(np.median(spread)) ** 2
    drawn = np.sqrt((_PRIOR_WEIGHT * common + freedom * spread**2) / (_PRIOR_WEIGHT + freedom))
    farthest = ((known - centre) / drawn).max(axis=1)
    middle = float(np.median(farthest))
    varied = max(_MAD_TO_SPREAD * float(np.median(np.abs(farthest - middle))), _LEAST_SPREAD)
    reach = middle + float(stats.t.isf(chance, _PRIOR_WEIGHT + freedom)) * varied
    limit: Floats = centre + reach * drawn
    return limit

"""Drift: how far the events of the last days lie from those of the same weekdays before, and how far they usually do.

A number's distance is the earth mover's (Wasserstein) distance in standard deviations, a category's the total
variation: the share of events that would have to change theirs. To either the change of the missing share is added. A
stability index would leap where a value that many events have moves by a hair, as rates drawn to a moving mean do.

Of windows drawn from one and the same population the distance has an expected value, its floor, which grows as windows
get small. No feature is drawn so: rows of one importer or one ship come together, people and firms grow older, rates
wander with what inspections find. So each feature has its own scale: the cubic mean of its earlier distances over their
floors, which lies between what is usual and what was rare, since some features keep still for weeks and then leap. It
holds all that made the feature's windows differ, whatever that was. A scale that all features shared would hide a
change of a steady one behind the wandering ones.

An alert is a test of a least effect (Murphy and Myors, 1999, Journal of Applied Psychology 84(2)): a change is told if
it is beyond `LEAST_*`, below which it is not worth a call, by more than `REACH` of the feature's own scale. Two models
of some eighty features have about 5,000 tests in 90 days, one a feature and window. Nearly all are of features whose
scale is a fifth of the least effect, which would have to go eight of them. Some ten features a model wander by the
least effect and more within any three days; only these can be told by chance, and have to go four to five root mean
squares of their past.

`WINDOW`, `REFERENCE_WEEKS`, `PAST`, the cubic mean and `REACH` were chosen on simulated worlds of seeds 11 to 20, at a
quarter of their full size. Three days beside the same weekdays of two weeks set planted changes farthest apart from
calm days: longer windows thin a change out with the days before it, a longer reference lets what grows older lie
farther off. The farthest of 90 calm days was 1.0 to 2.4 scales beyond the least effect (twelve of them: two models of
six worlds), and planted changes came to 3.2 and more within a week. By the law of extremes (Gumbel) fitted to the
former, one calm world in thirty passes `REACH` in 90 days.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.cells import WIDTH, Cells, Counts

Floats = NDArray[np.float64]

WINDOW = 3
"""Days that are judged together."""
REFERENCE_WEEKS = 2
"""Weeks before, whose same weekdays they are held against."""
WEEK = 7
PAST = 42
"""Earlier windows that say what is usual, at most: what a young lake's first weeks were like says little of later."""
HISTORY_DAYS = WINDOW + REFERENCE_WEEKS * WEEK + WINDOW - 1 + PAST
"""Days up to the judged one that its judgement rests on."""
FEWEST_PAST = 28
FEWEST_EVENTS = 30
"""Events of a window below which nothing can be said of it."""
LEAST_OF_NUMBER, LEAST_OF_CATEGORY = 0.3, 0.15
"""Standard deviations, or share of events, below which a change is not worth a call, however surely it is one: a public
holiday among three days changes which weekday a seventh of declarations is lodged on."""
REACH = 2.8
"""How many of its usual distances a feature has to lie beyond that."""
_OFF = float(np.sqrt(2 / np.pi))
"""Mean of what a standard normal is off."""
_STEADIEST = (2 * _OFF) ** (1 / 3) / _OFF
"""Cubic mean of a distance over its floor where it is of a single share that chance alone moves: the least there is."""


@dataclass(frozen=True)
class Drift:
    """Each day's distance and the most that is usual, both (days, features); NaN where too little is known."""

    distance: Floats
    limit: Floats

    @property
    def alerts(self) -> NDArray[np.bool_]:
        """Where a distance is beyond its limit."""
        return self.distance > self.limit


def judge(counts: Counts, places: Iterable[int] | None = None) -> Drift:
    """Judge days of the counts, by default all, against those before them."""
    distance, floor = distances(counts)
    # A feature that never changes has a floor of nought, and lies as near as chance would put it.
    times = np.divide(distance, floor, where=floor > 0, out=np.ones_like(floor))
    times[np.isnan(distance)] = np.nan
    limit = np.full_like(distance, np.nan)
    least = least_worth_a_call(counts.cells)
    for day in range(len(counts.days)) if places is None else places:
        until = max(0, day - WINDOW + 1)  # A window that overlaps the judged one would make it usual.
        limit[day] = least + REACH * floor[day] * usual_times(times[max(0, until - PAST) : until])
    return Drift(distance, limit)


def distances(counts: Counts) -> tuple[Floats, Floats]:
    """How far each day's window is from its reference, and the floor of that, both (days, features).

    NaN where there are too few days or events.
    """
    days, features, _ = counts.events.shape
    distance, floor = np.full((days, features), np.nan), np.full((days, features), np.nan)
    weights, numbers = gaps(counts.cells), len(counts.cells.numbers)
    summed = np.concatenate([np.zeros((1, *counts.events.shape[1:])), np.cumsum(counts.events, axis=0)])
    windows = np.full(counts.events.shape, np.nan)
    windows[WINDOW - 1 :] = summed[WINDOW:] - summed[:-WINDOW]
    for day in range(WINDOW - 1 + REFERENCE_WEEKS * WEEK, days):
        window = windows[day]
        before = windows[day - REFERENCE_WEEKS * WEEK : day : WEEK].sum(axis=0)
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


def least_worth_a_call(cells: Cells) -> Floats:
    """The least effect of each feature, (features,)."""
    return np.repeat([LEAST_OF_NUMBER, LEAST_OF_CATEGORY], [len(cells.numbers), len(cells.categories)])


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


def usual_times(past: Floats) -> Floats:
    """Cubic mean of each feature's distances over their floors; NaN where too little is known.

    `past` holds them by window, (windows, features).
    """
    known = past[~np.isnan(past).any(axis=1)]
    if len(known) < FEWEST_PAST:
        return np.full(past.shape[1], np.nan)
    scale: Floats = np.maximum(np.cbrt(np.mean(known**3, axis=0)), _STEADIEST)
    return scale

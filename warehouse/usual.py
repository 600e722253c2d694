"""What is usual of a feed, from its own past: bands and bounds. Numbers in, numbers out; no table, no clock, no words.

Counts are compared as twice the root of the count, on which scale a Poisson count of any size spreads by one
(Anscombe, *The transformation of Poisson, binomial and negative-binomial data*, Biometrika 35, 1948). Centres are
medians and spreads median deviations, so that a bad day in the past does not make the next one usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import floor, log, pi, sqrt
from statistics import median

WINDOW_DAYS = 56
"""How far back the past counts: eight of each weekday."""
FEWEST_DELIVERIES = 8
"""A feed with fewer days of delivery has no usual yet."""
FEWEST_OF_A_WEEKDAY = 3
_SPREADS = 4.0
"""How many spreads from the centre are still usual."""
LEAST_PART = 0.2
"""A difference smaller than this part is not worth a call to the agency, however regular the feed."""
_MAD_TO_SPREAD = 1.4826
_CHANCE = 0.02
"""Silence that a feed with this past would keep less often than this is late."""
_RARELY = 0.25
"""A weekday that brings a delivery less often than this is not a day on which one is due."""
_LONGER = 1.5


@dataclass(frozen=True)
class Band:
    """What a number usually lies between, and of how many comparable days that is known."""

    low: float
    high: float
    seen: int


@dataclass(frozen=True)
class Silence:
    """How long nothing came: in days on which a delivery was due, or, of a feed without such days, in all days."""

    missed: int
    allowed: int
    due_seen: int
    """Days of the past on which one was due; 0 where none ever is."""
    missed_before: int


def volume_band(past: Sequence[tuple[date, int]], days: Sequence[date], least_part: float = LEAST_PART) -> Band | None:
    """Rows that deliveries on days of those weekdays usually have together; None where too little is known.

    `past` holds (day, rows); what differs by less than `least_part` of itself is usual anyway. Independent days that
    each spread so on the scale of roots spread as much together.
    """
    by_weekday: dict[int, list[float]] = {}
    for when, rows in past:
        by_weekday.setdefault(when.weekday(), []).append(_root(rows))
    known = [values for values in by_weekday.values() if len(values) > 1]
    # Values lie nearer to their own median the fewer they are.
    off = [abs(value - median(values)) * sqrt(len(values) / (len(values) - 1)) for values in known for value in values]
    same = [by_weekday.get(day.weekday(), []) for day in days]
    seen = min(map(len, same), default=0)
    if seen < FEWEST_OF_A_WEEKDAY or len(off) < FEWEST_DELIVERIES:
        return None
    spread = max(1.0, _MAD_TO_SPREAD * median(off))
    reach = _SPREADS * spread * sqrt(1 + pi / 2 / seen)  # A median of few is itself uncertain.
    usual = sum(_count(median(values)) for values in same)
    low, high = _count(_root(usual) - reach), _count(_root(usual) + reach)
    return Band(min(low, usual * (1 - least_part)), max(high, usual * (1 + least_part)), seen)


def bound_of_part(past: Sequence[tuple[int, int]], whole: int) -> float | None:
    """The most of `whole` rows that are usually so, from (part, whole) of past days; None where too little is known."""
    shares = sorted((part / of, part, of) for part, of in past if of)
    if len(shares) < FEWEST_DELIVERIES:
        return None
    kept = shares[: max(1, floor(0.9 * len(shares)))]
    pooled = sum(part for _, part, _ in kept) / sum(of for _, _, of in kept)
    return min(_count(_root(whole * max(pooled, kept[-1][0])) + _SPREADS), whole)


def silence(past: Sequence[date], last: date, until: date, cadence: timedelta) -> Silence | None:
    """How the days after the `last` delivery, up to the end of `until`, compare with the days of delivery before."""
    came = {day for day in past if (last - day).days < WINDOW_DAYS}
    if len(came) < FEWEST_DELIVERIES:
        return None
    calendar = _days(min(came), last)
    due = {weekday for weekday in range(7) if _is_due(weekday, calendar, came)}
    if not due:
        ordered = sorted(came)
        longest = max((after - before).days for before, after in pairwise(ordered))
        return Silence((until - last).days, max(cadence.days, round(_LONGER * longest)), 0, 0)
    days_due = [day for day in calendar if day.weekday() in due]
    missed_before = sum(day not in came for day in days_due)
    rate = (missed_before + 0.5) / (len(days_due) + 1)
    allowed = floor(log(_CHANCE) / log(rate))
    missed = sum(day.weekday() in due for day in _days(last + timedelta(days=1), until))
    within = (until - last) < cadence
    return Silence(0 if within else missed, allowed, len(days_due), missed_before)


def _is_due(weekday: int, calendar: Sequence[date], came: set[date]) -> bool:
    days = [day for day in calendar if day.weekday() == weekday]
    return len(days) < 2 or sum(day in came for day in days) > _RARELY * len(days)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def _root(count: float) -> float:
    return 2 * sqrt(count + 3 / 8)


def _count(root: float) -> float:
    return max(0.0, (root / 2) ** 2 - 3 / 8) if root > 0 else 0.0

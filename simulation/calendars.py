"""When the border is busy: weekdays, seasons, holidays, hours of the day, local midnights.

Only rhythm is here; how many events a day has comes from the subject's own volume times these factors.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from simulation.geography import ZONE
from simulation.randomness import Floats, Ints, choose

_TRADE_WEEK = (1.22, 1.22, 1.2, 1.18, 1.2, 0.6, 0.38)
_TRAVEL_WEEK = (0.98, 0.93, 0.94, 0.99, 1.14, 1.0, 1.02)
_HOLIDAYS = {(1, 1), (1, 6), (5, 1), (8, 15), (10, 26), (11, 1), (12, 25), (12, 26)}

OFFICE_HOURS: Floats = np.array(
    [0.2, 0.1, 0.1, 0.1, 0.3, 0.8, 2, 5, 8, 9, 9, 8, 6, 7, 8, 8, 7, 5, 3, 2, 1.2, 0.8, 0.5, 0.3]
)
ROAD_HOURS: Floats = np.array([1, 0.7, 0.6, 0.6, 0.9, 2, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6.5, 7, 7, 6, 5, 4, 3, 2, 1.4])
NIGHT_HOURS: Floats = np.array([6, 7, 7, 6, 4, 1.5] + [0.0] * 16 + [2, 4])


def is_holiday(day: date) -> bool:
    """Norvale's fixed public holidays."""
    return (day.month, day.day) in _HOLIDAYS


def is_working_day(day: date) -> bool:
    """Monday to Friday, no holiday."""
    return day.weekday() < 5 and not is_holiday(day)


def trade_factor(day: date) -> float:
    """Mean about one over a year: weekday, mild pre-Christmas season, holidays."""
    season = 1 + 0.05 * math.sin(2 * math.pi * (day.timetuple().tm_yday - 210) / 365)
    return _TRADE_WEEK[day.weekday()] * season * (0.45 if is_holiday(day) else 1.0)


def travel_factor(day: date) -> float:
    """Mean about one over a year: weekend, summer, holidays."""
    season = 1 + 0.1 * math.sin(2 * math.pi * (day.timetuple().tm_yday - 105) / 365)
    return _TRAVEL_WEEK[day.weekday()] * season * (1.15 if is_holiday(day) else 1.0)


def midnight(day: date) -> int:
    """Unix seconds at which `day` begins in the offices' zone."""
    return int(datetime.combine(day, time(), ZoneInfo(ZONE)).timestamp())


def moments(rng: np.random.Generator, day: date, hours: Floats, n: int) -> Ints:
    """`n` unix seconds within the local day, spread as `hours` (24 weights) says."""
    return midnight(day) + choose(rng, hours, n) * 3600 + rng.integers(0, 3600, n)

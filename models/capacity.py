"""Capacity: what an office can look at a day, lane by lane, the minutes each look takes, and what it ranks by.

Read from a TOML file:

    [shipments.default]
    red = 0.03                       # a share of the day below 1, a number of events from 1
    [shipments.XNPRT]
    red = 12
    exploration = 2
    minutes = { red = 90, yellow = 10 }
    rank_by = "money"                # or "probability" (where nothing is said), or "mix:0.7": 70 % probability

How lanes are filled is `models.selection`.
"""

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import polars as pl

from features.vectors import SUBJECTS
from models.priority import BY_PROBABILITY, Priority
from warehouse.errors import BorderlakeError

LANES = ("red", "yellow", "blue", "green")
LOOKED_AT = ("red", "yellow")
"""Lanes whose events are looked at before release."""
_NO_SEATS = ("minutes", "rank_by")
"""What a capacity tells beside seats."""


@dataclass(frozen=True)
class Minutes:
    """Officers' minutes that an event takes in each lane: round figures for want of an office's own."""

    red: float = 60
    yellow: float = 15
    blue: float = 30
    green: float = 0


@dataclass(frozen=True)
class Capacity:
    """How many events a location can put in each lane a day: a share of the day below 1, a number from 1."""

    red: float = 0.03
    yellow: float = 0.05
    blue: float = 0.10
    exploration: float = 0.01
    """Drawn at random from what rank alone would not have looked at, examined like red."""
    minutes: Minutes = Minutes()
    rank_by: Priority = BY_PROBABILITY


@dataclass(frozen=True)
class Capacities:
    """Capacities by location, and the default for the others."""

    default: Capacity = Capacity()
    locations: Mapping[str, Capacity] = field(default_factory=dict)

    def seats(self, lane: str) -> pl.Expr:
        """What each row's `location` has of a lane, or of exploration: a share or a number."""
        own = {place: getattr(one, lane) for place, one in self.locations.items()}
        return _chosen(own, getattr(self.default, lane))

    def ranked_by(self, priority: Priority) -> "Capacities":
        """The same seats everywhere, filled by another ranking."""
        own = {place: replace(one, rank_by=priority) for place, one in self.locations.items()}
        return Capacities(replace(self.default, rank_by=priority), own)

    @property
    def need_money(self) -> bool:
        """Whether any location ranks by expected recovery, in whole or in part."""
        return any(one.rank_by.needs_money for one in (self.default, *self.locations.values()))

    def probability_weight(self) -> pl.Expr:
        """How much of its standing each row's `location` gives to the probability; the rest is for money."""
        own = {place: one.rank_by.weight for place, one in self.locations.items()}
        return _chosen(own, self.default.rank_by.weight)

    def officer_minutes(self) -> pl.Expr:
        """Officers' minutes that each row's `lane` takes at its `location`."""
        minutes = pl.lit(0.0)
        for lane in LANES:
            own = {place: getattr(one.minutes, lane) for place, one in self.locations.items()}
            of_lane = _chosen(own, getattr(self.default.minutes, lane))
            minutes = pl.when(pl.col("lane") == lane).then(of_lane).otherwise(minutes)
        return minutes


def _chosen(own: Mapping[str, float], default: float) -> pl.Expr:
    chosen = pl.lit(float(default))
    for place, value in own.items():
        chosen = pl.when(pl.col("location") == place).then(float(value)).otherwise(chosen)
    return chosen


def read_capacities(path: Path, subject: str) -> Capacities:
    """Capacities of a subject from TOML: `[shipments.default]`, `[shipments.XNPRT]`.

    What a location leaves out is as in `default`, and what that leaves out as in `Capacity()`.
    """
    if not path.exists():
        return Capacities()
    try:
        whole = tomllib.loads(path.read_text("utf-8"))
        # A misspelt subject would else leave every office with what the code has.
        _refuse_unknown(whole, SUBJECTS, "subject")
        tables = whole.get(subject, {})
        default = _capacity(tables.pop("default", {}), Capacity())
        own = {location: _capacity(given, default) for location, given in tables.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise BorderlakeError(
            f"{path.name}: {error}; lanes are red, yellow, blue and exploration, minutes those of red to green, "
            "and rank_by is probability, money or mix:0.7"
        ) from error
    return Capacities(default, own)


def _refuse_unknown(given: Mapping[str, Any], known: Collection[str], what: str) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"{what} '{name}' is not known; known are {', '.join(known)}")


def _capacity(given: Mapping[str, Any], base: Capacity) -> Capacity:
    _refuse_unknown(given, [one.name for one in fields(Capacity)], "key")
    _refuse_unknown(given.get("minutes", {}), LANES, "lane of minutes")
    minutes = replace(base.minutes, **given.get("minutes", {}))
    rank_by = Priority.of(given["rank_by"]) if "rank_by" in given else base.rank_by
    capacity = replace(base, **{**given, "minutes": minutes, "rank_by": rank_by})
    seats = {one.name: getattr(capacity, one.name) for one in fields(capacity) if one.name not in _NO_SEATS}
    told = {**seats, **{f"minutes of {lane}": value for lane, value in asdict(capacity.minutes).items()}}
    for name, value in told.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise ValueError(f"{name} = {value!r} is neither a share nor a number from 0")
    return capacity

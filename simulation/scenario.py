"""Scenarios: small reviewed files that say what happens to the border, and when. No actor is drawn here.

A scenario is `scenarios/<name>.toml` or a file of one's own. Days count from the world's first, which is 1.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from simulation.feed_changes import FeedChange
from simulation.geography import OFFICES, OFFICES_OF
from simulation.randomness import Floats, Ints

_CODES = tuple(o.code for o in OFFICES)
_DISPLACED = 0.85
_FOREVER = 10**6
FILE_FAULTS = ("truncated", "wrong_encoding", "swapped_header")


@dataclass(frozen=True)
class Period:
    """`factor` holds from `from_day` to `to_day`, both included."""

    from_day: int
    to_day: int
    factor: float

    def at(self, number: int) -> float:
        """The factor on day `number`, 1.0 outside the period."""
        return self.factor if self.from_day <= number <= self.to_day else 1.0


@dataclass(frozen=True)
class Displacement:
    """From `from_day` on, smuggling by road leaves one port for another."""

    from_day: int
    away_from: str
    towards: str


@dataclass(frozen=True)
class Closure:
    """From `from_day` on, a port is closed."""

    from_day: int
    port: str


@dataclass(frozen=True)
class Inject:
    """What the exercise's directing staff tells the players on a day."""

    day: int
    to: str
    text: str


@dataclass(frozen=True)
class Scenario:
    """What happens when; `new_rings` maps a day to how many rings (as a share of the first ones) begin then."""

    name: str
    title: str
    ports: tuple[str, ...]
    smuggling: tuple[Period, ...]
    travel: tuple[Period, ...]
    prices: tuple[Period, ...]
    displaced: tuple[Displacement, ...]
    closed: tuple[Closure, ...]
    feed_changes: tuple[FeedChange, ...]
    new_rings: Mapping[int, float]
    file_faults: Mapping[str, float]
    injects: tuple[Inject, ...]

    @property
    def lasting_from(self) -> list[int]:
        """Days from which on something is otherwise for good: routes, ports, feeds."""
        return [
            *(move.from_day for move in self.displaced),
            *(closure.from_day for closure in self.closed),
            *(change.from_day for change in self.feed_changes),
        ]

    def smuggling_factor(self, number: int) -> float:
        """How much busier than usual rings are on day `number`."""
        return math.prod(p.at(number) for p in self.smuggling)

    def travel_factor(self, number: int) -> float:
        """How much more people travel than usual on day `number`."""
        return math.prod(p.at(number) for p in self.travel)

    def price_factor(self, number: int) -> float:
        """How much dearer than usual commercial goods are on day `number`; parcels keep to their shops' prices."""
        return math.prod(p.at(number) for p in self.prices)

    def displace(self, dice: Floats, office: Ints, number: int) -> Ints:
        """Where smuggling by road goes on day `number` that would have gone to `office`; `dice` are in [0, 1)."""
        for move in self.displaced:
            if number >= move.from_day:
                leaves = (office == _CODES.index(move.away_from)) & (dice < _DISPLACED)
                office = np.where(leaves, _CODES.index(move.towards), office)
        return office

    def redirect(self, number: int) -> Ints:
        """For each office, where its traffic goes on day `number`: itself, or the first open one of its mode."""
        ports = self.open_ports(number)
        return np.array(
            [
                i if o.code in ports else next(j for j in OFFICES_OF[o.mode] if _CODES[j] in ports)
                for i, o in enumerate(OFFICES)
            ]
        )

    def open_ports(self, number: int) -> set[str]:
        """Ports that are open on day `number`."""
        return set(self.ports) - {closure.port for closure in self.closed if number >= closure.from_day}

    def changes_of(self, dataset: str, number: int) -> list[FeedChange]:
        """What by day `number` has changed in how `dataset` is written."""
        return [change for change in self.feed_changes if change.dataset == dataset and number >= change.from_day]


def known() -> tuple[str, ...]:
    """Names of the scenarios that ship with the package."""
    folder = files("simulation").joinpath("scenarios")
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def load(scenario: str | Path) -> Scenario:
    """The scenario of that name, or in that file. Raises ValueError that names what is wrong with it."""
    if isinstance(scenario, Path) or scenario.endswith(".toml"):
        path = Path(scenario)
        if not path.is_file():
            raise ValueError(f"scenario: there is no file {path}")
        name, text = path.stem, path.read_text(encoding="utf-8")
    else:
        if scenario not in known():
            raise ValueError(f"scenario: {scenario!r} is not known; known are {', '.join(known())}")
        name = scenario
        text = files("simulation").joinpath("scenarios", f"{name}.toml").read_text(encoding="utf-8")
    try:
        return _checked(name, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(f"scenario: {name} cannot be read: {wrong!r}") from wrong


def _checked(name: str, given: dict[str, Any]) -> Scenario:
    fields = {
        "title", "ports", "smuggling", "travel", "prices", "displaced", "closed", "feed_changes", "new_rings",
        "file_faults", "injects",
    }  # fmt: skip
    if unknown := sorted(set(given) - fields):
        raise ValueError(f"scenario: {name} says {', '.join(unknown)}; known are {', '.join(sorted(fields))}")
    found = Scenario(
        name=name,
        title=given["title"],
        ports=tuple(given.get("ports", _CODES)),
        smuggling=tuple(_period(p) for p in given.get("smuggling", ())),
        travel=tuple(_period(p) for p in given.get("travel", ())),
        prices=tuple(_period(p) for p in given.get("prices", ())),
        displaced=tuple(Displacement(**d) for d in given.get("displaced", ())),
        closed=tuple(Closure(**c) for c in given.get("closed", ())),
        feed_changes=tuple(FeedChange(**c) for c in given.get("feed_changes", ())),
        new_rings={int(r["from_day"]): float(r["share"]) for r in given.get("new_rings", ())},
        file_faults=dict(given.get("file_faults", {})),
        injects=tuple(Inject(**i) for i in given.get("injects", ())),
    )
    _check_ports(found)
    factors = [p.factor for p in found.smuggling + found.travel + found.prices] + list(found.new_rings.values())
    if any(not (math.isfinite(f) and f >= 0) for f in factors):
        raise ValueError(f"scenario: {name} has a factor or share that is negative or no number")
    if wrong := sorted(set(found.file_faults) - set(FILE_FAULTS)):
        raise ValueError(f"scenario: {name} has file faults {', '.join(wrong)}; known are {', '.join(FILE_FAULTS)}")
    if any(not 0 <= rate <= 1 for rate in found.file_faults.values()):
        raise ValueError(f"scenario: {name} has a rate of file faults outside 0 to 1")
    if any(p.factor == 0 for p in found.prices):
        raise ValueError(f"scenario: {found.name} has a factor of prices that is nought; goods cost something")
    _check_feed_changes(found)
    return found


def _check_feed_changes(found: Scenario) -> None:
    for change in found.feed_changes:
        if change.column not in change.candidates:
            known_ones = ", ".join(change.candidates) or "none of this dataset"
            raise ValueError(
                f"scenario: {found.name} has {change.said}, which it cannot; such columns are {known_ones}"
            )
        if change.factor is not None and not (math.isfinite(change.factor) and change.factor > 0):
            raise ValueError(f"scenario: {found.name} has {change.said}; a change of unit is a positive factor")


def _check_ports(found: Scenario) -> None:
    if not found.ports:
        raise ValueError(f"scenario: {found.name} leaves no ports; known are {', '.join(_CODES)}")
    moved = [c for d in found.displaced for c in (d.away_from, d.towards)]
    named = [*found.ports, *moved, *(closure.port for closure in found.closed)]
    if unknown := sorted(set(named) - set(_CODES)):
        raise ValueError(
            f"scenario: {found.name} names unknown port {', '.join(unknown)}; known are {', '.join(_CODES)}"
        )
    for mode, offices in OFFICES_OF.items():
        if not any(_CODES[i] in found.open_ports(_FOREVER) for i in offices):
            raise ValueError(f"scenario: {found.name} leaves no {mode} port open")
    land = {_CODES[i] for i in OFFICES_OF["land"]}
    if wrong := sorted(set(moved) - land):
        raise ValueError(f"scenario: {found.name} displaces by road to or from {', '.join(wrong)}, not on land")


def _period(given: dict[str, Any]) -> Period:
    return Period(int(given["from_day"]), int(given.get("to_day", _FOREVER)), float(given["factor"]))

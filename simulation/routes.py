"""Routes of a day by sea: of calling vessels, of feeders along the coast, of tenders near port; and who meets whom.

A route is five legs between six points: under way, slow, under way, at berth, under way. Where a vessel is at a
moment, and what it transmits, is in `tracks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulation.calendars import midnight
from simulation.fleet import TENDERS
from simulation.geography import OFFICES, OFFICES_OF
from simulation.randomness import Bools, Floats, Ints
from simulation.voyages import APPROACH_S, LEAVE_S, TENDER, Calls
from simulation.world import World

_BERTH = np.array([[o.latitude, o.longitude] for o in OFFICES])
_SEA_PORTS = np.array(OFFICES_OF["sea"])
# Share of feeders out on business of their own on a day.
_OUT = 0.4
# Degrees between two vessels side by side: about 150 to 300 metres.
_ALONGSIDE = (0.0014, 0.0026)


@dataclass(frozen=True)
class Routes:
    """One place a route: `knots` are unix seconds (n x 6), `points` degrees (n x 6 x 2); `still` ones do not drift."""

    vessel: Ints
    office: Ints
    knots: Ints
    points: Floats
    still: Bools
    dark_from: Ints
    dark_to: Ints

    def and_then(self, other: Routes) -> Routes:
        """Both, the others behind."""
        return Routes(**{name: np.concatenate([mine, vars(other)[name]]) for name, mine in vars(self).items()})


def routes_of(world: World, day: date, calls: Calls) -> Routes:
    """Routes of the calls of `day`, of those they meet, and of feeders that mind their own business."""
    rng = world.rng(day, "routes")
    of_calls = _calling(rng, calls)
    met = np.flatnonzero(calls.meets > 0)
    with_whom = np.array([_partner(world, rng, day, calls, call) for call in met.tolist()], dtype=np.int64)
    # A craft meets one vessel a day; the others wait alone.
    _, first = np.unique(with_whom, return_index=True)
    craft, host = with_whom[first], met[first]
    out = _meeting(rng, of_calls, host, craft, calls.office[host])
    free = np.setdiff1d(world.vessels.callers + np.arange(world.vessels.feeders), craft)
    own = _on_business(rng, day, free[rng.random(len(free)) < _OUT])
    return of_calls.and_then(out).and_then(own)


def _calling(rng: np.random.Generator, calls: Calls) -> Routes:
    n, ends = len(calls.vessel), calls.arrival - calls.inshore_s
    begins = ends - calls.loiter_s
    sea = np.stack([rng.uniform(36.2, 38.1, n), rng.uniform(19.6, 20.4, n)], axis=1)
    away = np.stack([rng.uniform(36.2, 38.1, n), rng.uniform(19.6, 20.4, n)], axis=1)
    berth = _BERTH[calls.office]
    wait = sea + (berth - sea) * ((APPROACH_S - calls.inshore_s) / APPROACH_S)[:, None]
    knots = (calls.arrival - APPROACH_S - calls.loiter_s, begins, ends, calls.arrival, calls.departure)
    return Routes(
        vessel=calls.vessel,
        office=calls.office,
        knots=np.stack([*knots, calls.departure + LEAVE_S], axis=1),
        points=np.stack([sea, wait, wait, berth, berth, away], axis=1),
        still=(calls.meets > 0) | (rng.random(n) < 0.4),
        dark_from=calls.dark_from,
        dark_to=calls.dark_to,
    )


def _partner(world: World, rng: np.random.Generator, day: date, calls: Calls, call: int) -> int:
    """The feeder of the call's ring, for as long as the ring stays with its part; else any; or a tender of the port."""
    vessels, ring = world.vessels, int(calls.ring[call])
    if calls.meets[call] == TENDER:
        port = int(np.flatnonzero(calls.office[call] == _SEA_PORTS)[0])
        each = TENDERS // len(_SEA_PORTS)
        return vessels.callers + vessels.feeders + port * each + int(rng.integers(0, each))
    number = ring * 5 + int(world.adaptation.generation(day)[ring]) if ring >= 0 else int(rng.integers(0, 1000))
    return vessels.callers + number % vessels.feeders


def _meeting(rng: np.random.Generator, of_calls: Routes, host: Ints, craft: Ints, office: Ints) -> Routes:
    """Out of port to where the host waits, alongside for an hour and more, and back."""
    n, berth = len(host), _BERTH[office]
    side, gap = rng.uniform(0, 2 * np.pi, n), rng.uniform(*_ALONGSIDE, n)
    place = of_calls.points[host, 1] + np.stack([np.sin(side), np.cos(side)], axis=1) * gap[:, None]
    waits = of_calls.knots[host, 2] - of_calls.knots[host, 1]
    stays = np.minimum(rng.integers(3900, 7200, n), waits - 600)
    begins = of_calls.knots[host, 1] + 300 + (rng.random(n) * (waits - 600 - stays)).astype(np.int64)
    return _out_and_back(rng, craft, office, berth, place, begins, begins + stays)


def _on_business(rng: np.random.Generator, day: date, craft: Ints) -> Routes:
    """To some place along the coast, an hour or four there, and back."""
    n, office = len(craft), _SEA_PORTS[rng.integers(0, len(_SEA_PORTS), len(craft))]
    place = np.stack([rng.uniform(36.4, 37.8, n), rng.uniform(18.7, 19.5, n)], axis=1)
    begins = midnight(day) + rng.integers(2 * 3600, 17 * 3600, n)
    return _out_and_back(rng, craft, office, _BERTH[office], place, begins, begins + rng.integers(3600, 4 * 3600, n))


def _out_and_back(
    rng: np.random.Generator, craft: Ints, office: Ints, berth: Floats, place: Floats, begins: Ints, ends: Ints
) -> Routes:
    step = (place - berth) * 60
    miles = np.hypot(step[:, 0], step[:, 1] * np.cos(np.radians(berth[:, 0])))
    way = np.maximum((miles / rng.uniform(8, 11, len(craft)) * 3600).astype(np.int64), 300)
    home = ends + way
    rest = home + rng.integers(1800, 3 * 3600, len(craft))
    none = np.zeros(len(craft), dtype=np.int64)
    return Routes(
        vessel=craft,
        office=office,
        knots=np.stack([begins - way, begins, ends, home, rest, rest], axis=1),
        points=np.stack([berth, place, place, berth, berth, berth], axis=1),
        still=np.ones(len(craft), bool),
        dark_from=none,
        dark_to=none,
    )

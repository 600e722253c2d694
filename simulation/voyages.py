"""Port calls of a day: which vessel comes when, where it waits, when it falls silent. No AIS message here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulation.calendars import midnight
from simulation.fleet import VESSEL_PERIOD
from simulation.geography import OFFICES, OFFICES_OF
from simulation.randomness import Floats, Ints, choose
from simulation.world import World

APPROACH_S = 8 * 3600
LEAVE_S = 7 * 3600
NOBODY, FEEDER, TENDER = 0, 1, 2
# Chances of a meeting: far out of a ring's vessel with a feeder, of an honest one; near port of any other.
_FEEDER_OF_RING, _FEEDER, _TENDER = 0.5, 0.06, 0.2
# Share of a ring's vessels that are heard while they meet.
_HEARD = 0.7


@dataclass(frozen=True)
class Calls:
    """Unix seconds, one place a call; waiting ends `inshore_s` before arrival; no dark if from == to.

    `room` weighs how many consignments come with it. While it waits, a vessel meets whom `meets` says: nobody, a
    feeder far out, or a tender near port (NOBODY, FEEDER, TENDER); `ring` is -1 for honest calls.
    """

    vessel: Ints
    office: Ints
    arrival: Ints
    departure: Ints
    loiter_s: Ints
    inshore_s: Ints
    dark_from: Ints
    dark_to: Ints
    room: Floats
    meets: Ints
    ring: Ints


def calls_of(world: World, day: date) -> Calls:
    """Calls whose goods are declared on `day`: arrivals from the evening before until morning; never none."""
    rng = world.rng(day, "calls")
    jobs = world.jobs(day)
    due = (day.toordinal() + world.vessels.phase) % VESSEL_PERIOD == 0
    ring_vessel, first = np.unique(jobs.vessel[jobs.by_sea], return_index=True)
    due[world.vessels.callers :] = False
    honest = np.setdiff1d(np.flatnonzero(due & (rng.random(len(due)) < 0.72)), ring_vessel)
    if not len(honest) + len(ring_vessel):
        honest = np.flatnonzero(due)[:1]
    vessel = np.concatenate([honest, ring_vessel])
    n, sea = len(vessel), np.array(OFFICES_OF["sea"])
    office = sea[choose(rng, np.array([OFFICES[i].trade for i in sea]), n)]
    office[len(honest) :] = jobs.office[jobs.by_sea][first]
    on_purpose_dark = np.concatenate([np.zeros(len(honest), bool), jobs.goes_dark[jobs.by_sea][first]])
    on_purpose_slow = np.concatenate([np.zeros(len(honest), bool), jobs.loiters[jobs.by_sea][first]])
    office = world.scenario.redirect(world.number(day))[office]
    # Rings sail in coasters, as a third of the trade does.
    coaster = np.concatenate([rng.random(len(honest)) < 0.35, np.ones(len(ring_vessel), bool)])
    arrival = midnight(day) + rng.integers(-8 * 3600, 8 * 3600, n)
    led = np.arange(n) >= len(honest)
    dice = rng.random(n)
    meets = np.where(dice < _FEEDER, FEEDER, np.where(dice < _FEEDER + _TENDER, TENDER, NOBODY))
    meets = np.where(
        led, np.where((on_purpose_dark | on_purpose_slow) & (dice < _FEEDER_OF_RING), FEEDER, NOBODY), meets
    )
    # Honest vessels wait for a berth and are out of reception too.
    loiters = on_purpose_slow | (rng.random(n) < 0.13) | (meets != NOBODY)
    dark = on_purpose_dark | (rng.random(n) < 0.05)
    inshore = np.where(meets == FEEDER, rng.integers(4500, 3 * 3600, n), rng.integers(3600, 3 * 3600, n))
    inshore = np.where(meets == TENDER, rng.integers(900, 1600, n), inshore)
    dark_from, dark_s = arrival - rng.integers(4 * 3600, 7 * 3600, n), rng.integers(5400, 4 * 3600, n)
    # Who wants to be seen waiting for a berth falls silent on the last stretch only.
    heard = led & (meets == FEEDER) & (rng.random(n) < _HEARD)
    dark_from = np.where(heard, arrival - inshore, dark_from)
    dark_s = np.where(heard, np.minimum(dark_s, inshore - 900), dark_s)
    return Calls(
        vessel=vessel,
        office=office,
        arrival=arrival,
        departure=arrival + rng.integers(8 * 3600, 20 * 3600, n),
        room=np.where(coaster, 0.35, 1.0),
        loiter_s=np.where(loiters, rng.integers(5400, 5 * 3600, n), 0),
        inshore_s=inshore,
        dark_from=dark_from,
        dark_to=dark_from + np.where(dark, dark_s, 0),
        meets=meets,
        ring=np.concatenate([np.full(len(honest), -1), jobs.ring[jobs.by_sea][first]]),
    )

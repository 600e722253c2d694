"""What rings do on a day: goods in lorries and ships, parties of travellers, people of Norvale who fetch things.

All is a pure function of the world, the day and the moves that hold on it, so that the nights before can show
the vehicles without the day itself being simulated. What a job looks like to an agency is elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from simulation.adaptation import Adaptation
from simulation.firms import Firms
from simulation.fleet import VESSEL_PERIOD
from simulation.geography import OFFICES, OFFICES_OF
from simulation.randomness import Bools, Floats, Ints, choose, stream
from simulation.rings import Rings, active, active_among
from simulation.scenario import Scenario

_NEWCOMER_DAYS = 180
ROAD_JOBS, PARTIES, FETCHES, IMPOSTORS = 0.74, 0.7, 0.72, 0.13
# Share of parties by road that come in two cars.
_CONVOYS = 0.2
_MODES = np.array([o.mode for o in OFFICES])
_TRAVEL_SHARES = np.array([OFFICES[i].travel for i in OFFICES_OF["land"]])
_LAND_SHARES = np.array([OFFICES[i].trade for i in OFFICES_OF["land"]])
_SEA_SHARES = np.array([OFFICES[i].trade for i in OFFICES_OF["sea"]])


@dataclass(frozen=True)
class Jobs:
    """One place a job: a loaded (or decoy) truck or ship consignment for a ring; `habit` hides in the firm's own."""

    ring: Ints
    by_sea: Bools
    office: Ints
    truck: Ints
    vessel: Ints
    firm: Ints
    seller: Ints
    product: Ints
    habit: Bools
    loaded: Bools
    goes_dark: Bools
    loiters: Bools
    scouted: Bools


@dataclass(frozen=True)
class Outings:
    """Parties brought by a ring, car and post if they come by road, some behind another car (`follows`, else -1).

    And mules (residents) who fetch goods, or whose documents are lent to somebody.
    """

    ring: Ints
    car: Ints
    office: Ints
    by_road: Bools
    scouted: Bools
    follows: Ints
    mule_ring: Ints
    mule: Ints
    mule_scouted: Bools
    impostor_ring: Ints
    impostor_mule: Ints
    impostor_car: Ints


@dataclass(frozen=True)
class Underworld:
    """The rings and what decides their days."""

    rings: Rings
    firms: Firms
    vessel_phase: Ints
    seed: int
    start: date
    scenario: Scenario
    adaptation: Adaptation

    def jobs(self, day: date) -> Jobs:
        """Road jobs on any day; by sea only when a vessel of the ring's is due."""
        rings, rng = self.rings, stream(self.seed, day.toordinal(), "jobs")
        generation = self.adaptation.generation(day)
        road = np.repeat(np.arange(rings.count), rng.poisson(ROAD_JOBS * self._pace(day)))
        everyone = np.arange(rings.count)
        vessel = active(rings.vessels, everyone, generation, np.zeros(rings.count))
        due = (day.toordinal() + self.vessel_phase[vessel]) % VESSEL_PERIOD == 0
        sailing = due & (rng.random(rings.count) < 0.75 * np.minimum(self._pace(day), 1.3))
        sea = np.repeat(everyone, sailing * rng.integers(1, 4, rings.count))
        ring = np.concatenate([road, sea]).astype(np.int64)
        by_sea = np.concatenate([np.zeros(len(road), bool), np.ones(len(sea), bool)])
        n = len(ring)
        goods = rng.random(n)
        port = (choose(rng, _SEA_SHARES, rings.count) + generation)[ring] % len(_SEA_SHARES)
        land = np.array(OFFICES_OF["land"])[choose(rng, _LAND_SHARES, n)]
        dark, slow = rng.random(rings.count)[ring], rng.random(rings.count)[ring]
        jobs = Jobs(
            ring=ring,
            by_sea=by_sea,
            office=np.where(by_sea, np.array(OFFICES_OF["sea"])[port], land).astype(np.int64),
            truck=active(rings.trucks, ring, generation, rng.random(n)),
            vessel=vessel[ring],
            firm=active_among(rings.firms, self._settled(day), ring, generation, rng.random(n)),
            seller=active(rings.sellers, ring, generation, goods),
            product=active(rings.products, ring, generation, goods),
            habit=rng.random(n) < 0.7,
            loaded=rng.random(n) < 0.8,
            goes_dark=by_sea & (dark < 0.75),
            loiters=by_sea & (slow < 0.6),
            scouted=rng.random(n) < 0.9,
        )
        return self._in_habit(rng, day, jobs)

    def _in_habit(self, rng: np.random.Generator, day: date, jobs: Jobs) -> Jobs:
        """A ring mostly hides in what its firm imports anyway: seller, goods and way in of one of the firm's lines."""
        firms, n = self.firms, len(jobs.ring)
        wanted = np.where(jobs.by_sea, "sea", "land")
        suits = _MODES[firms.line_office[jobs.firm]] == wanted[:, None]
        line, fits = suits.argmax(axis=1), suits.any(axis=1)
        office = np.where(fits & ~jobs.by_sea, firms.line_office[jobs.firm, line], jobs.office)
        # A route that has moved takes the firm's lorries with it.
        office = self.scenario.displace(rng.random(n), office, self.number(day))
        return replace(
            jobs,
            office=self.scenario.redirect(self.number(day))[office],
            seller=np.where(jobs.habit, firms.line_seller[jobs.firm, line], jobs.seller),
            product=np.where(jobs.habit, firms.line_product[jobs.firm, line], jobs.product),
        )

    def outings(self, day: date) -> Outings:
        """Who travels for the rings."""
        rings, rng = self.rings, stream(self.seed, day.toordinal(), "outings")
        generation, everyone = self.adaptation.generation(day), np.arange(rings.count)
        pace = self._pace(day)
        first = np.repeat(everyone, rng.poisson(PARTIES * pace))
        by_road = rng.random(len(first)) < 0.85
        behind = np.flatnonzero(by_road & (rng.random(len(first)) < _CONVOYS))
        ring = np.concatenate([first, first[behind]])
        mule_ring = np.repeat(everyone, rng.poisson(FETCHES * pace))
        lent = np.repeat(everyone, rng.poisson(IMPOSTORS * pace))
        n, m = len(ring), len(mule_ring)
        office = np.array(OFFICES_OF["land"])[choose(rng, _TRAVEL_SHARES, len(first))]
        return Outings(
            ring=ring,
            office=self.scenario.redirect(self.number(day))[np.concatenate([office, office[behind]])],
            car=active(rings.cars, ring, generation, rng.random(n)),
            by_road=np.concatenate([by_road, np.ones(len(behind), bool)]),
            scouted=rng.random(n) < 0.9,
            follows=np.concatenate([np.full(len(first), -1), behind]),
            mule_ring=mule_ring,
            mule=active(rings.mules, mule_ring, generation, rng.random(m)),
            mule_scouted=rng.random(m) < 0.85,
            impostor_ring=lent,
            impostor_mule=active(rings.mules, lent, generation, rng.random(len(lent))),
            impostor_car=active(rings.cars, lent, generation, rng.random(len(lent))),
        )

    def orders(self, day: date, each: float) -> Ints:
        """The rings of the orders that are broken up from `day` on, `each` of them a day and ring."""
        rng = stream(self.seed, day.toordinal(), "ring-orders")
        return np.repeat(np.arange(self.rings.count), rng.poisson(each * self._pace(day)))

    def number(self, day: date) -> int:
        """The day's number in the world; the first is 1."""
        return (day - self.start).days + 1

    def _settled(self, day: date) -> Bools:
        """Firms that trade on `day` and are no newcomers, whom the old rules look at."""
        age = self.number(day) - 1
        settled: Bools = (self.firms.born + _NEWCOMER_DAYS <= age) & (self.firms.died > age)
        return settled

    def _pace(self, day: date) -> Floats:
        begun = self.rings.begins <= day.toordinal()
        pace: Floats = np.where(begun, self.rings.pace * self.scenario.smuggling_factor(self.number(day)), 0.0)
        return pace


def nights_before(of_day: Callable[[date], Ints], day: date, horizon: int = 3) -> Ints:
    """What `of_day` gives for the `horizon` days after `day`."""
    return np.concatenate([of_day(date.fromordinal(day.toordinal() + k)) for k in range(1, horizon + 1)])

"""Hidden rings: who belongs together across agencies, and the jobs a ring does on a day.

A ring is drawn once; its jobs on a day are a pure function of (seed, day), so that the nights before a job
can show its vehicles without the day itself being simulated. What a job looks like to an agency is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from simulation.firms import Firms, any_seller
from simulation.fleet import VESSEL_PERIOD
from simulation.geography import OFFICES, OFFICES_OF
from simulation.products import Products
from simulation.randomness import Bools, Ints, choose, stream

_LAND_SHARES = np.array([OFFICES[i].trade for i in OFFICES_OF["land"]])
_SEA_SHARES = np.array([OFFICES[i].trade for i in OFFICES_OF["sea"]])


@dataclass(frozen=True)
class Rings:
    """Members by ring, as rows of indices into the actors' arrays; rates are jobs a day."""

    firms: Ints
    sellers: Ints
    trucks: Ints
    vans: Ints
    vessels: Ints
    products: Ints
    count: int


@dataclass(frozen=True)
class Jobs:
    """One place a job: a loaded (or decoy) truck or ship consignment for a ring."""

    ring: Ints
    by_sea: Bools
    office: Ints
    truck: Ints
    vessel: Ints
    firm: Ints
    seller: Ints
    product: Ints
    loaded: Bools
    goes_dark: Bools
    loiters: Bools
    scouted: Bools


def draw_rings(
    rng: np.random.Generator,
    products: Products,
    firms: Firms,
    trucks: int,
    vessels: int,
    vans: int,
    scale: float,
) -> Rings:
    """Rings of ordinary actors; place j is a seller and a product it sells, three sellers a product."""
    count = max(2, round(9 * scale))
    bait = np.flatnonzero((products.duty_pct > 4) & (products.eur_per_kg > 3) & (products.eur_per_kg < 200))
    goods = np.repeat(rng.choice(bait, (count, 4)), 3, axis=1)
    sellers = any_seller(rng, firms.first_seller, firms.sellers_in, products.pool[goods.ravel()])
    return Rings(
        firms=rng.integers(0, len(firms.importer_id), (count, 12)),
        sellers=sellers.reshape(count, 12),
        trucks=rng.integers(0, trucks, (count, 7)),
        vans=rng.permutation(vans)[: 3 * count].reshape(count, 3),
        vessels=rng.permutation(vessels)[:count].reshape(count, 1),
        products=goods,
        count=count,
    )


def jobs_of(rings: Rings, vessel_phase: Ints, seed: int, day: date) -> Jobs:
    """The jobs of all rings on `day`: road at any day, sea only when the ring's vessel is due."""
    rng = stream(seed, day.toordinal(), "jobs")
    road = np.repeat(np.arange(rings.count), rng.poisson(0.5, rings.count))
    # One ring may ship several consignments with one call of its vessel.
    due = (day.toordinal() + vessel_phase[rings.vessels[:, 0]]) % VESSEL_PERIOD == 0
    sailing = due & (rng.random(rings.count) < 0.6)
    sea = np.repeat(np.arange(rings.count), sailing * rng.integers(1, 4, rings.count))
    ring = np.concatenate([road, sea]).astype(np.int64)
    by_sea = np.concatenate([np.zeros(len(road), bool), np.ones(len(sea), bool)])
    n = len(ring)

    def one_of(members: Ints) -> Ints:
        picked: Ints = members[ring, rng.integers(0, members.shape[1], n)]
        return picked

    kind_of_goods = rng.integers(0, rings.products.shape[1], n)
    port_of_ring = choose(rng, _SEA_SHARES, rings.count)[ring]
    office = np.where(
        by_sea,
        np.array(OFFICES_OF["sea"])[port_of_ring],
        np.array(OFFICES_OF["land"])[choose(rng, _LAND_SHARES, n)],
    )
    dark, slow = rng.random(rings.count)[ring], rng.random(rings.count)[ring]
    return Jobs(
        ring=ring,
        by_sea=by_sea,
        office=office.astype(np.int64),
        truck=one_of(rings.trucks),
        vessel=rings.vessels[ring, 0],
        firm=one_of(rings.firms),
        seller=rings.sellers[ring, kind_of_goods],
        product=rings.products[ring, kind_of_goods],
        loaded=rng.random(n) < 0.72,
        goes_dark=by_sea & (dark < 0.6),
        loiters=by_sea & (slow < 0.5),
        scouted=rng.random(n) < 0.9,
    )


def coming_jobs(rings: Rings, vessel_phase: Ints, seed: int, day: date, horizon: int = 3) -> list[Jobs]:
    """Jobs of the `horizon` days after `day`, nearest first."""
    return [jobs_of(rings, vessel_phase, seed, day + timedelta(days=k)) for k in range(1, horizon + 1)]

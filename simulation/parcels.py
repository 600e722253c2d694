"""Orders that come in several small declarations: couriers' series, and orders broken up to stay below formal checks.

Both are drawn by the day an order begins, as a pure function of it, and lodged on that day and the two after it. A
declaration worth less than FORMAL_EUR is rarely examined; who breaks up an order keeps each part below that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from simulation.calendars import trade_factor
from simulation.firms import LINES
from simulation.geography import OFFICES_OF
from simulation.randomness import Bools, Floats, Ints, choose, logistic
from simulation.rings import active_among
from simulation.world import World

FORMAL_EUR = 1000.0
# Orders a day at scale 1.0 outside rings, and those of one ring; mostly honest, and mostly not.
_ORDERS, _RING_ORDERS = 2.0, 0.03
_OFFSETS = (np.array([0.45, 0.3, 0.25]), np.array([0.5, 0.3, 0.2]))
_BY_COURIER = np.array(OFFICES_OF["air"] + OFFICES_OF["land"])


@dataclass(frozen=True)
class Parcels:
    """One place a small declaration of one item; `split` ones are parts of a broken order, with `chance` of that."""

    firm: Ints
    seller: Ints
    product: Ints
    office: Ints
    haulier: Ints
    declarant: Ints
    value_eur: Floats
    ring: Ints
    split: Bools
    chance: Floats

    def taken(self, rows: Ints) -> Parcels:
        """The parcels at `rows`."""
        return Parcels(**{name: column[rows] for name, column in vars(self).items()})


def parcels_of(world: World, day: date) -> Parcels:
    """Small declarations lodged on `day`, of the orders that began then or on the two days before."""
    parts = []
    for ago in range(3):
        parcels, offset = _begun(world, day - timedelta(days=ago))
        parts.append(parcels.taken(np.flatnonzero(offset == ago)))
    return Parcels(**{name: np.concatenate([vars(p)[name] for p in parts]) for name in vars(parts[0])})


def _begun(world: World, day: date) -> tuple[Parcels, Ints]:
    """Parcels of the orders that begin on `day`, and how many days later each is lodged."""
    rng, firms, age = world.rng(day, "orders"), world.firms, (day - world.start).days
    alive = (firms.born <= age) & (firms.died > age)
    ordinary = int(rng.poisson(_ORDERS * world.scale * trade_factor(day)))
    led = world.underworld().orders(day, _RING_ORDERS)
    ring = np.concatenate([np.full(ordinary, -1), led])
    generation = world.adaptation.generation(day)
    own = active_among(world.rings.firms, alive, led, generation, rng.random(len(led)))
    firm = np.concatenate([choose(rng, firms.weight * alive, ordinary), own])
    n, line = len(firm), choose(rng, np.array([0.5, 0.3, 0.2]), len(firm))
    product = firms.line_product[firm, line]
    temptation = 0.06 * np.minimum(world.products.duty_pct[product], 20)
    chance = np.where(ring >= 0, 0.85, logistic(-3.15 + 1.1 * firms.risk[firm] + temptation))
    split = rng.random(n) < chance
    count = 1 + np.minimum(rng.geometric(np.where(split, 0.4, 0.5), n), 6)
    of = np.repeat(np.arange(n), count)
    m, broken = len(of), split[of]
    # A courier's series is of one kind of goods half of the time, else of what the firm imports.
    mixed = ~broken & (rng.random(n) < 0.5)[of]
    line = np.where(mixed, rng.integers(0, LINES, m), line[of])
    elsewhere = rng.random(m) < np.where(broken, 0.45, 0.3)
    office = np.where(elsewhere, _BY_COURIER[rng.integers(0, len(_BY_COURIER), m)], firms.line_office[firm[of], line])
    others = rng.random(m) < np.where(broken, 0.55, 0.15)
    small = np.minimum(15 + rng.lognormal(5.9, 0.75, m), 1700)
    value = np.where(broken, FORMAL_EUR * (1 - np.minimum(rng.gamma(1.6, 0.11, m) + 0.004, 0.8)), small)
    offset = np.where(broken, choose(rng, _OFFSETS[1], m), choose(rng, _OFFSETS[0], m))
    parcels = Parcels(
        firm=firm[of],
        seller=firms.line_seller[firm[of], line],
        product=firms.line_product[firm[of], line],
        office=office,
        haulier=firms.line_haulier[firm[of], line],
        declarant=np.where(others, rng.integers(0, len(firms.declarant_id), m), firms.declarant[firm[of]]),
        value_eur=value,
        ring=ring[of],
        split=broken,
        chance=chance[of],
    )
    return parcels, offset

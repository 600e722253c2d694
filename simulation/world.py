"""The world as drawn once from a seed: every actor, before any day begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulation.firms import Firms, draw_firms
from simulation.fleet import TRUCKS_EACH, Flights, Trucks, Vessels, draw_flights, draw_trucks, draw_vessels
from simulation.people import People, draw_people
from simulation.products import Products, load
from simulation.randomness import stream
from simulation.rings import Jobs, Rings, draw_rings, jobs_of


@dataclass(frozen=True)
class World:
    """Actors and the arguments they were drawn from; days are drawn from it, never into it."""

    start: date
    scale: float
    seed: int
    products: Products
    trucks: Trucks
    vessels: Vessels
    flights: Flights
    firms: Firms
    people: People
    rings: Rings

    def jobs(self, day: date) -> Jobs:
        """What the rings do on `day`."""
        return jobs_of(self.rings, self.vessels.phase, self.seed, day)

    def rng(self, day: date, subject: str) -> np.random.Generator:
        """Chance for one subject on one day."""
        return stream(self.seed, day.toordinal(), subject)


def draw_world(start: date, scale: float, seed: int) -> World:
    """Every actor for `scale` (1.0 is 500 goods items a day); the same arguments give the same world."""
    products = load()
    trucks = draw_trucks(stream(seed, 0, "trucks"), scale)
    vessels = draw_vessels(stream(seed, 0, "vessels"), scale)
    flights = draw_flights(stream(seed, 0, "flights"))
    firms = draw_firms(stream(seed, 0, "firms"), products, scale, len(trucks.plate) // TRUCKS_EACH)
    people = draw_people(stream(seed, 0, "people"), trucks, len(flights.number), scale)
    rings = draw_rings(
        stream(seed, 0, "rings"),
        products,
        firms,
        len(trucks.plate),
        len(vessels.imo),
        len(people.vans),
        scale,
    )
    _cover_trade(stream(seed, 0, "cover"), firms, rings)
    return World(start, scale, seed, products, trucks, vessels, flights, firms, people, rings)


def _cover_trade(rng: np.random.Generator, firms: Firms, rings: Rings) -> None:
    """Two in three of a ring's firms also trade its goods openly, as the third of their habits."""
    for ring in range(rings.count):
        for firm in rings.firms[ring][rng.random(rings.firms.shape[1]) < 0.66]:
            k = rng.integers(0, rings.products.shape[1])
            firms.line_product[firm, 2], firms.line_seller[firm, 2] = (
                rings.products[ring, k],
                rings.sellers[ring, k],
            )

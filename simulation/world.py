"""The world as drawn once from a seed: every actor, before any day begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulation.adaptation import Adaptation
from simulation.firms import Firms, draw_firms
from simulation.fleet import (
    TRUCKS_EACH,
    Flights,
    Trucks,
    Vessels,
    draw_flights,
    draw_trucks,
    draw_vessels,
    with_small_craft,
)
from simulation.jobs import Jobs, Outings, Underworld
from simulation.officers import Officers, draw_officers
from simulation.people import People, draw_people
from simulation.products import Products, load
from simulation.randomness import stream
from simulation.rings import Rings, Sizes, draw_rings
from simulation.scenario import Scenario


@dataclass(frozen=True)
class World:
    """Actors and the arguments they were drawn from; days are drawn from it, only `adaptation` learns from them."""

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
    scenario: Scenario
    adaptation: Adaptation
    customs_officers: Officers
    border_officers: Officers

    def jobs(self, day: date) -> Jobs:
        """What the rings ship on `day`."""
        return self.underworld().jobs(day)

    def outings(self, day: date) -> Outings:
        """Who travels for the rings on `day`."""
        return self.underworld().outings(day)

    def number(self, day: date) -> int:
        """The day's number in the world; the first is 1."""
        return (day - self.start).days + 1

    def underworld(self) -> Underworld:
        """The rings and what decides their days."""
        return Underworld(
            self.rings, self.firms, self.vessels.phase, self.seed, self.start, self.scenario, self.adaptation
        )

    def rng(self, day: date, subject: str) -> np.random.Generator:
        """Chance for one subject on one day."""
        return stream(self.seed, day.toordinal(), subject)


def draw_world(start: date, scale: float, seed: int, scenario: Scenario) -> World:
    """Every actor for `scale` (1.0 is 500 goods items a day); the same arguments give the same world."""
    products = load()
    trucks = draw_trucks(stream(seed, 0, "trucks"), scale)
    large = draw_vessels(stream(seed, 0, "vessels"), scale)
    vessels = with_small_craft(stream(seed, 0, "craft"), scale, large)
    flights = draw_flights(stream(seed, 0, "flights"))
    firms = draw_firms(stream(seed, 0, "firms"), products, scale, len(trucks.plate) // TRUCKS_EACH)
    people = draw_people(stream(seed, 0, "people"), trucks, len(flights.number), scale)
    rings = draw_rings(
        stream(seed, 0, "rings"),
        products,
        firms,
        Sizes(len(trucks.plate), len(people.regular_cars), len(people.residents), vessels.callers),
        scale,
        scenario,
        start,
    )
    _cover_trade(stream(seed, 0, "cover"), firms, rings)
    adaptation = Adaptation(rings.count)
    return World(
        start,
        scale,
        seed,
        products,
        trucks,
        vessels,
        flights,
        firms,
        people,
        rings,
        scenario,
        adaptation,
        *draw_officers(stream(seed, 0, "officers")),
    )


def _cover_trade(rng: np.random.Generator, firms: Firms, rings: Rings) -> None:
    """Half of a ring's firms also trade the goods of their part openly, as the third of their habits."""
    ring, part, place = np.nonzero(rng.random(rings.firms.shape) < 0.5)
    firm, k = rings.firms[ring, part, place], rng.integers(0, rings.products.shape[2], len(ring))
    firms.line_product[firm, 2] = rings.products[ring, part, k]
    firms.line_seller[firm, 2] = rings.sellers[ring, part, k]

"""Hidden rings: who belongs together across agencies. Drawn once; what a ring does on a day is in `jobs`.

Members are ordinary actors who mostly go about their own business. A ring works with a third of its members at
a time and moves on to the next third after a seizure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from simulation.firms import Firms, any_seller
from simulation.products import Products
from simulation.randomness import Floats, Ints, choose
from simulation.scenario import Scenario

_PARTS = 3
_FIRMS, _GOODS, _TRUCKS, _CARS, _MULES, _VESSELS = 48, 12, 36, 36, 60, 3


@dataclass(frozen=True)
class Sizes:
    """How many there are of each kind of actor that rings draw members from."""

    trucks: int
    cars: int
    residents: int
    vessels: int


@dataclass(frozen=True)
class Rings:
    """Members by ring, as rows of indices into the actors' arrays; `begins` is an ordinal day."""

    firms: Ints
    sellers: Ints
    products: Ints
    trucks: Ints
    cars: Ints
    mules: Ints
    vessels: Ints
    begins: Ints
    count: int


def draw_rings(
    rng: np.random.Generator,
    products: Products,
    firms: Firms,
    sizes: Sizes,
    scale: float,
    scenario: Scenario,
    start: date,
) -> Rings:
    """The first rings and those that the scenario lets begin; place j of sellers sells what place j of products is."""
    first = max(2, round(9 * scale))
    begins = [1] * first
    for number, share in scenario.new_rings.items():
        begins += [(start + timedelta(days=number - 1)).toordinal()] * max(1, round(first * share))
    count = len(begins)
    settled = firms.weight**0.7 * ((firms.born < -365) & (firms.died > 400))
    bait = np.flatnonzero((products.duty_pct > 4) & (products.eur_per_kg > 3) & (products.eur_per_kg < 200))
    goods = np.repeat(rng.choice(bait, (count, _GOODS)), 3, axis=1)
    sellers = any_seller(rng, firms.first_seller, firms.sellers_in, products.pool[goods.ravel()])
    return Rings(
        firms=choose(rng, settled, count * _FIRMS).reshape(count, _FIRMS),
        sellers=sellers.reshape(goods.shape),
        products=goods,
        trucks=rng.integers(0, sizes.trucks, (count, _TRUCKS)),
        cars=rng.integers(0, sizes.cars, (count, _CARS)),
        mules=rng.integers(0, sizes.residents, (count, _MULES)),
        vessels=rng.integers(0, sizes.vessels, (count, _VESSELS)),
        begins=np.array(begins, dtype=np.int64),
        count=count,
    )


def active(members: Ints, ring: Ints, generation: Ints, dice: Floats) -> Ints:
    """One active member for each place of `ring`: `dice` in [0, 1) picks among the third of that generation."""
    part = members.shape[1] // _PARTS
    place = (generation[ring] % _PARTS) * part + (dice * part).astype(np.int64)
    picked: Ints = members[ring, place]
    return picked

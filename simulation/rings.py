"""Hidden rings: who belongs together across agencies. Drawn once; what a ring does on a day is in `jobs`.

Members are ordinary actors who mostly go about their own business. They come in parts: a ring works with one part
at a time and moves on to the next after a seizure. A quarter of a part were in the part before, the others are
fresh, so that yesterday's finds still say something and never all; nobody else comes back before all parts are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from simulation.firms import HORIZON_DAYS, Firms, any_seller
from simulation.products import Products
from simulation.randomness import Bools, Floats, Ints
from simulation.scenario import Scenario

PARTS = 24
# Members of one part; goods come from three sellers each.
_FIRMS, _GOODS, _SELLERS_EACH, _TRUCKS, _CARS, _MULES, _VESSELS = 16, 4, 3, 12, 12, 20, 1
_KEPT = 0.25


@dataclass(frozen=True)
class Sizes:
    """How many there are of each kind of actor that rings draw members from."""

    trucks: int
    cars: int
    residents: int
    vessels: int


@dataclass(frozen=True)
class Rings:
    """Members as indices into the actors' arrays, of shape (ring, part, place); `begins` is an ordinal day."""

    firms: Ints
    sellers: Ints
    products: Ints
    trucks: Ints
    cars: Ints
    mules: Ints
    vessels: Ints
    begins: Ints
    count: int
    pace: float
    """How busy each is: less than 1 in a world too small for two whole rings."""


RINGS = 9
"""At the beginning, at scale 1.0."""


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
    first = max(2, round(RINGS * scale))
    begins = [1] * first
    for number, share in scenario.new_rings.items():
        begins += [(start + timedelta(days=number - 1)).toordinal()] * max(1, round(first * share))
    count = len(begins)
    # Busy firms that live through much of what a world may last.
    lived = np.clip(np.minimum(firms.died, HORIZON_DAYS) - np.maximum(firms.born, 0), 0, None)
    settled = firms.weight**0.7 * lived * (firms.born < 365)
    bait = (products.duty_pct > 4) & (products.eur_per_kg > 3) & (products.eur_per_kg < 200)
    kinds = draw_members(rng, bait.astype(np.float64), count, _GOODS)
    goods = np.repeat(kinds, _SELLERS_EACH, axis=2)
    sellers = any_seller(rng, firms.first_seller, firms.sellers_in, products.pool[goods.ravel()]).reshape(goods.shape)
    kept = goods[:, 1:, :_SELLERS_EACH] == goods[:, :-1, -_SELLERS_EACH:]
    sellers[:, 1:, :_SELLERS_EACH] = np.where(kept, sellers[:, :-1, -_SELLERS_EACH:], sellers[:, 1:, :_SELLERS_EACH])
    return Rings(
        firms=draw_members(rng, settled, count, _FIRMS),
        sellers=sellers,
        products=goods,
        trucks=draw_members(rng, np.ones(sizes.trucks), count, _TRUCKS),
        cars=draw_members(rng, np.ones(sizes.cars), count, _CARS),
        mules=draw_members(rng, np.ones(sizes.residents), count, _MULES),
        vessels=draw_members(rng, np.ones(sizes.vessels), count, _VESSELS),
        begins=np.array(begins, dtype=np.int64),
        count=count,
        pace=min(1.0, RINGS * scale / first),
    )


def draw_members(rng: np.random.Generator, weight: Floats, count: int, size: int) -> Ints:
    """Members of shape (count, PARTS, size), drawn by weight; a quarter of a part are the last of the part before.

    A ring's other members are distinct while there are enough with a weight, then they come again in another order.
    """
    kept = int(size * _KEPT)
    pool = np.flatnonzero(weight > 0)
    need = size + (PARTS - 1) * (size - kept)
    members = np.empty((count, PARTS, size), dtype=np.int64)
    for ring in range(count):
        rounds = -(-need // len(pool))
        # The smallest of exponential draws over weights: sampling by weight without replacement (Efraimidis, Spirakis).
        order = np.argsort(rng.standard_exponential((rounds, len(pool))) / weight[pool], axis=1)
        dealt = rng.permuted(pool[order.ravel()[:need]]) if rounds == 1 else pool[order.ravel()[:need]]
        members[ring, 0], fresh = dealt[:size], dealt[size:].reshape(PARTS - 1, size - kept)
        for part in range(1, PARTS):
            before = members[ring, part - 1]
            members[ring, part] = np.concatenate([before[size - kept :], fresh[part - 1]])
    return members


def active(members: Ints, ring: Ints, generation: Ints, dice: Floats) -> Ints:
    """One active member for each place of `ring`: `dice` in [0, 1) picks among the part of that generation."""
    place = (dice * members.shape[2]).astype(np.int64)
    picked: Ints = members[ring, generation[ring] % PARTS, place]
    return picked


def active_among(members: Ints, usable: Bools, ring: Ints, generation: Ints, dice: Floats) -> Ints:
    """Like `active`, among the part's members that `usable` (over all actors) allows; among all where none is."""
    part = members[ring, generation[ring] % PARTS]
    allowed = usable[part]
    allowed |= ~allowed.any(axis=1, keepdims=True)
    nth = (dice * allowed.sum(axis=1)).astype(np.int64)
    place = (allowed.cumsum(axis=1) == nth[:, None] + 1).argmax(axis=1)
    picked: Ints = part[np.arange(len(ring)), place]
    return picked

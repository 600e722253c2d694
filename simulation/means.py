"""By what people cross: land, air or sea, the lane and carrier that follow, and shares of the posts."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulation.geography import OFFICES, OFFICES_OF
from simulation.randomness import Bools, Floats, Ints, Texts, choose
from simulation.world import World

LAND, AIR, SEA = 0, 1, 2
LAND_OFFICES, AIR_OFFICES, SEA_OFFICES = (np.array(OFFICES_OF[m]) for m in ("land", "air", "sea"))
_LAND_SHARES = np.array([OFFICES[i].travel for i in LAND_OFFICES])
_SEA_SHARES = np.array([OFFICES[i].travel for i in SEA_OFFICES])

# Where those who commute to Norvale live, an index into ALPHA3.
WORKERS_HOME = 0
# Country signs of visitors' cars.
SIGNS = np.array(["XS", "XO", "DE", "AT", "IT", "TR", "RO", "PL"])


def signs(nation: Ints) -> Texts:
    """The sign of a car at home in each nation (an index into ALPHA3)."""
    return SIGNS[np.where(nation < 2, nation, 2 + nation % 6)]


def any_post(rng: np.random.Generator, mode: Ints) -> Ints:
    """An office for each crossing, of its mode, as busy posts are."""
    n = len(mode)
    by_land, by_sea = LAND_OFFICES[choose(rng, _LAND_SHARES, n)], SEA_OFFICES[choose(rng, _SEA_SHARES, n)]
    return np.where(mode == LAND, by_land, np.where(mode == AIR, AIR_OFFICES[0], by_sea))


def mode_names(mode: Ints) -> Texts:
    """As immigration writes it."""
    return np.array(["land", "air", "sea"])[mode]


def lanes(mode: Ints, home: bool) -> Texts:
    """Cars and ferries have a lane each; at the airport Norvale's own take the gates."""
    return np.array(["CAR", "EGATE" if home else "ALL", "FERRY"])[mode]


def only(condition: Bools, value: pl.Series) -> pl.Series:
    """The value where the condition holds, empty text elsewhere."""
    return pl.select(pl.when(pl.Series(condition)).then(value).otherwise(pl.lit("")).alias("v"))["v"]


def carriers(world: World, mode: Ints, flight: Ints) -> pl.Series:
    """The airline of the flight, the ferry line, or nobody."""
    airline = only(mode == AIR, world.flights.airline.gather(flight))
    return airline + pl.Series(np.where(mode == SEA, "NVFERRY", ""))


def fellow_travellers(rng: np.random.Generator, n: int) -> Ints:
    """How many sit in a car in which someone rides who does not own it."""
    size: Ints = 1 + np.minimum(rng.geometric(0.6, n), 3)
    return size


def smuggled(rng: np.random.Generator, chance: Floats) -> Texts:
    """The kind `smuggling` with the given chances, empty text elsewhere."""
    return np.where(rng.random(len(chance)) < chance, "smuggling", "")

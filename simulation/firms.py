"""Firms that trade: importers with their habits, sellers abroad, declarants. Drawn once; no day is here.

A habit (a "line") is product, seller, way in and haulier; most declarations follow one. `risk` is a latent
log-odds that no agency sees; `trusted` firms become authorised economic operators in time; `born` and `died` are days
relative to the world's first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.firm_names import as_customs_write, importer_names, seller_names
from simulation.geography import OFFICES, OFFICES_OF
from simulation.products import ORIGINS, POOL_ORIGINS, POOL_SIZES, POOLS, Products
from simulation.randomness import Bools, Floats, Ints, choose, logistic, zipf_weights

LINES = 4
# Births go on for as long as this many days from the world's first.
HORIZON_DAYS = 2060
ALIVE = 1500.0
# Life of a firm: nobody gives up within the first days, then at an even rate.
_FIRST_DAYS, _THEN_DAYS = 200, 2400
_OLDEST_DAYS = 16_000
MODES = ("sea", "land", "air")


@dataclass(frozen=True)
class Firms:
    """Struct of arrays; `line_*` have shape (importers, LINES)."""

    importer_id: pl.Series
    importer_name: pl.Series
    importer_name_at_customs: pl.Series
    born: Ints
    died: Ints
    weight: Floats
    risk: Floats
    price_bias: Floats
    trusted: Bools
    declarant: Ints
    line_product: Ints
    line_seller: Ints
    line_office: Ints
    line_haulier: Ints
    seller_id: pl.Series
    seller_name: pl.Series
    seller_country: Ints
    seller_risk: Floats
    first_seller: Ints
    sellers_in: Ints
    declarant_id: pl.Series


def registration_numbers(rng: np.random.Generator, prefix: str, n: int, digits: int) -> pl.Series:
    """`n` distinct numbers in random order: an id tells neither age nor kind."""
    low = 10 ** (digits - 1)
    numbers = rng.choice(9 * low, n, replace=False, shuffle=True) + low if n < low // 10 else np.arange(n) + low
    return prefix + pl.Series(numbers).cast(pl.String)


def draw_firms(rng: np.random.Generator, products: Products, scale: float, hauliers: int) -> Firms:
    """All firms for `scale`, whose habits use lorries of `hauliers` hauliers."""
    born, died = _lives(rng, max(60.0, ALIVE * scale))
    n, n_declarants, n_sellers = len(born), max(8, round(70 * scale)), max(120, round(2600 * scale))
    pool, country = _sellers(rng, products, n_sellers)
    first, count = np.searchsorted(pool, np.arange(len(POOLS))), np.bincount(pool, minlength=len(POOLS))
    product = choose(rng, products.weight, n * LINES)
    seller = any_seller(rng, first, count, products.pool[product])
    names = importer_names(rng, n)
    weight, risk = zipf_weights(rng, n, 0.75), rng.normal(0, 0.95, n) + 0.5 * (rng.standard_exponential(n) - 1)
    # Customs trusts busy firms with little against them.
    known = np.log(weight) - np.log(weight).mean()
    trusted = rng.random(n) < logistic(-2.6 + 0.7 * known - 0.6 * risk)
    return Firms(
        importer_id=registration_numbers(rng, "XN", n, 9),
        importer_name=names,
        importer_name_at_customs=as_customs_write(names),
        born=born,
        died=died,
        weight=weight,
        risk=risk,
        price_bias=rng.normal(0, 0.2, n),
        trusted=trusted,
        declarant=choose(rng, zipf_weights(rng, n_declarants, 0.8), n),
        line_product=product.reshape(n, LINES),
        line_seller=seller.reshape(n, LINES),
        line_office=_ways_in(rng, products, product).reshape(n, LINES),
        line_haulier=rng.integers(0, hauliers, (n, LINES)),
        seller_id=pl.Series(ORIGINS).gather(country) + "-" + registration_numbers(rng, "", n_sellers, 7),
        seller_name=seller_names(rng, country),
        seller_country=country,
        seller_risk=rng.normal(0, 0.6, n_sellers),
        first_seller=first,
        sellers_in=count,
        declarant_id=registration_numbers(rng, "DEC", n_declarants, 5),
    )


def _lives(rng: np.random.Generator, alive: float) -> tuple[Ints, Ints]:
    """Births at an even rate and deaths of all who live in the world, `alive` of them at any time on average."""
    span = _OLDEST_DAYS + HORIZON_DAYS
    births = round(alive * span / (_FIRST_DAYS + _THEN_DAYS))
    born = rng.integers(-_OLDEST_DAYS, HORIZON_DAYS, births)
    died = born + _FIRST_DAYS + rng.exponential(_THEN_DAYS, births).astype(np.int64)
    lives = died > -30
    return born[lives], died[lives]


def any_seller(rng: np.random.Generator, first: Ints, count: Ints, pool: Ints) -> Ints:
    """A seller of each product pool, few of them busy."""
    picked: Ints = first[pool] + (count[pool] * rng.random(len(pool)) ** 1.7).astype(np.int64)
    return picked


def _sellers(rng: np.random.Generator, products: Products, n: int) -> tuple[Ints, Ints]:
    """Product pool (ascending, all served) and country of each seller; a pool's first countries lead."""
    served = np.flatnonzero(np.bincount(products.pool, products.weight, len(POOLS)) > 0)
    pool = np.sort(np.concatenate([served, rng.choice(served, n - len(served))]))
    place = (POOL_SIZES[pool] * rng.random(n) ** 1.8).astype(np.int64)
    return pool, POOL_ORIGINS[pool, place]


def _ways_in(rng: np.random.Generator, products: Products, product: Ints) -> Ints:
    """Office of each line: dear goods fly, heavy lots sail, the rest mostly drives."""
    by_air = np.where(products.eur_per_kg[product] > 60, 0.7, 0.04)
    by_sea = (1 - by_air) * np.where(products.lot_kg[product] > 8000, 0.55, 0.38)
    dice = rng.random(len(product))
    mode = np.where(dice < by_air, 2, np.where(dice < by_air + by_sea, 0, 1))
    office = np.empty(len(product), dtype=np.int64)
    for m, name in enumerate(MODES):
        here = mode == m
        shares = np.array([OFFICES[i].trade for i in OFFICES_OF[name]])
        office[here] = np.array(OFFICES_OF[name])[choose(rng, shares, int(here.sum()))]
    return office

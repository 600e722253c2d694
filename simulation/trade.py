"""A day's goods: the items of its declarations, what they weigh and cost, and what their papers say.

Columns are the simulation's own (indices, unix seconds, euros); agencies' layouts are in `formats`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from simulation.consigning import ITEMS_EACH, Arrivals, Heads, call_of, conveyances, heads_of, share_lorries
from simulation.geography import OFFICES
from simulation.illicit import KINDS, chance_alone, tamper
from simulation.jobs import Jobs
from simulation.parcels import Parcels, parcels_of
from simulation.products import ORIGINS, POOL_ORIGINS, POOL_SIZES
from simulation.randomness import Ints, choose
from simulation.voyages import Calls
from simulation.world import World

_CURRENCIES = (
    ("EUR", 1.0, 0.62),
    ("USD", 1.08, 0.27),
    ("GBP", 0.85, 0.04),
    ("CHF", 0.95, 0.04),
    ("CNY", 7.8, 0.03),
)
_HUBS = np.array([ORIGINS.index(c) for c in ("NL", "DE", "AE", "HK", "XS")])
# A firm must have traded this long to be an authorised economic operator.
_TRUSTED_DAYS = 1000
UN_MODE = {"sea": "1", "land": "3", "air": "4"}


def day_of_trade(world: World, day: date, calls: Calls) -> tuple[pl.DataFrame, Arrivals]:
    """Goods items (one row each, in time order) lodged on `day`, and the lorries that came for them."""
    rng, jobs, parcels = world.rng(day, "trade"), world.jobs(day), parcels_of(world, day)
    heads = heads_of(world, rng, day, jobs, parcels)
    by_road = np.array([o.mode == "land" for o in OFFICES])[heads.office]
    heads, arrivals = share_lorries(rng, heads, by_road, jobs)
    by_sea = np.array([o.mode == "sea" for o in OFFICES])[heads.office]
    call = call_of(rng, calls, heads, by_sea, jobs)
    heads = replace(heads, office=np.where(by_sea, calls.office[call], heads.office))
    at = np.where(by_sea, np.maximum(heads.at, calls.arrival[call] + 3600), heads.at)
    conveyance, carrier = conveyances(world, rng, heads, by_road, by_sea, calls, call)
    vessel = np.where(by_sea, calls.vessel[call], -1)
    return _items(world, rng, day, heads, jobs, parcels, at, conveyance, carrier, vessel), arrivals


def _items(
    world: World,
    rng: np.random.Generator,
    day: date,
    heads: Heads,
    jobs: Jobs,
    parcels: Parcels,
    at: Ints,
    conveyance: pl.Series,
    carrier: pl.Series,
    vessel: Ints,
) -> pl.DataFrame:
    products, firms, n = world.products, world.firms, len(at)
    each = np.where(heads.parcel >= 0, 1, np.minimum(rng.geometric(1 / ITEMS_EACH, n), 12))
    head = np.repeat(np.arange(n), each)
    item_no = np.arange(len(head)) - np.repeat(np.cumsum(each) - each, each) + 1
    product = _kindred(world, rng, heads.product[head], item_no)
    origin = _origins(world, rng, heads.seller[head], product)
    net = np.maximum(0.5, products.lot_kg[product] * rng.lognormal(-1.5, 1.4, len(head)) / np.sqrt(each[head]))
    parcel = heads.parcel[head]
    small, of = np.flatnonzero(parcel >= 0), parcel[parcel >= 0]
    net[small] = np.maximum(
        0.05, parcels.value_eur[of] / products.eur_per_kg[product[small]] * rng.lognormal(0, 0.2, len(of))
    )
    gross = net * (1.01 + rng.gamma(2.0, 0.035, len(head)))
    firm = heads.firm[head]
    value = net * products.eur_per_kg[product] * np.exp(firms.price_bias[firm] + rng.normal(0, 0.27, len(head)))
    value *= world.scenario.price_factor(world.number(day))
    value[small] = parcels.value_eur[of]
    in_ring, age = heads.job[head] >= 0, (day - world.start).days - firms.born[firm]
    chance = chance_alone(
        firms.risk[firm],
        firms.seller_risk[heads.seller[head]],
        products.duty_pct[product],
        age,
        heads.strange[head],
    )
    if in_ring.any():
        chance[in_ring] = np.where(jobs.loaded[heads.job[head[in_ring]]], 0.72, 0.03)
    illicit, split = rng.random(len(head)) < chance, np.zeros(len(head), bool)
    chance[small], illicit[small], split[small] = parcels.chance[of], parcels.split[of], parcels.split[of]
    papers = tamper(rng, products, illicit, in_ring, split, product, origin, value, net, gross)
    ring = np.where(in_ring, jobs.ring[heads.job[head]] if len(jobs.ring) else -1, -1)
    ring[small] = parcels.ring[of]
    # One consignment in ten changes hands at a hub; the rest is dispatched from where its seller sits.
    dispatch = np.where(rng.random(n) < 0.1, _HUBS[rng.integers(0, len(_HUBS), n)], firms.seller_country[heads.seller])[
        head
    ]
    currency = choose(rng, np.array([c[2] for c in _CURRENCIES]), n)[head]
    consignment, codes = rng.integers(10**9, 10**10, n), pl.Series(ORIGINS)
    return pl.DataFrame(
        {
            "at": at[head],
            "shuffle": rng.permutation(n)[head],
            "item_no": item_no,
            "office": heads.office[head],
            "procedure": rng.choice(["4000", "4200", "7100", "5100"], n, p=[0.86, 0.07, 0.05, 0.02])[head],
            "mode": pl.Series([UN_MODE[o.mode] for o in OFFICES]).gather(heads.office[head]),
            "firm": firm,
            "seller": heads.seller[head],
            "declarant": heads.declarant[head],
            "age_days": age,
            "trusted": firms.trusted[firm] & (age >= _TRUSTED_DAYS),
            "carrier": carrier.gather(head),
            "conveyance": conveyance.gather(head),
            "consignment": pl.Series(consignment[head]).cast(pl.String),
            "product": papers.product,
            "origin": codes.gather(papers.origin),
            "dispatch": codes.gather(dispatch),
            "duty_pct": papers.duty_pct,
            "net_kg": np.round(net, 3),
            "gross_kg": np.round(papers.gross_kg, 3),
            "packages": np.maximum(1, (net / rng.uniform(4, 40, len(head))).astype(np.int64)),
            "value": np.round(papers.value_eur * np.array([c[1] for c in _CURRENCIES])[currency], 2),
            "value_eur": papers.value_eur,
            "currency": pl.Series([c[0] for c in _CURRENCIES]).gather(currency),
            # What the neighbour and the ship's manifest know, and Norvale's customs may not.
            "call_vessel": vessel[head],
            "true_product": product,
            "true_origin": codes.gather(origin),
            "true_value_eur": value,
            "hidden_kg": papers.hidden_kg,
            "is_illicit": papers.kind > 0,
            "kind": pl.Series(KINDS).gather(papers.kind),
            "probability": chance,
            "recoverable_eur": np.round(papers.recoverable_eur, 2),
            "ring": ring,
        }
    ).sort("at", "shuffle", "item_no")


def _kindred(world: World, rng: np.random.Generator, product: Ints, item_no: Ints) -> Ints:
    """Later items of a declaration are mostly of the same pool, a few places on in the tariff."""
    step = np.where(item_no > 1, rng.integers(-2, 3, len(product)), 0)
    other = np.clip(product + step, 0, len(world.products.pool) - 1)
    return np.where(world.products.pool[product] == world.products.pool[other], other, product)


def _origins(world: World, rng: np.random.Generator, seller: Ints, product: Ints) -> Ints:
    """Goods mostly come from where their seller sits; one in eight is made elsewhere."""
    pool = world.products.pool[product]
    place = (POOL_SIZES[pool] * rng.random(len(pool))).astype(np.int64)
    return np.where(rng.random(len(pool)) < 0.125, POOL_ORIGINS[pool, place], world.firms.seller_country[seller])

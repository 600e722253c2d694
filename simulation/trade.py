"""A day's goods: the items of its declarations, what they weigh and cost, and what their papers say.

Columns are the simulation's own (indices, unix seconds, euros); agencies' layouts are in `formats`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from simulation.consigning import ITEMS_EACH, Arrivals, Heads, call_of, conveyances, heads_of, share_lorries
from simulation.geography import OFFICES
from simulation.illicit import KINDS, Papers, chance_alone, tamper
from simulation.jobs import Jobs
from simulation.parcels import Parcels, parcels_of
from simulation.products import ORIGINS, POOL_ORIGINS, POOL_SIZES
from simulation.randomness import Floats, Ints, choose
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
    carried = pl.DataFrame({"at": at, "carrier": carrier, "conveyance": conveyance, "call_vessel": vessel})
    return _items(world, rng, day, heads, jobs, parcels, carried), arrivals


def _items(
    world: World, rng: np.random.Generator, day: date, heads: Heads, jobs: Jobs, parcels: Parcels, carried: pl.DataFrame
) -> pl.DataFrame:
    goods = _goods(world, rng, day, heads, parcels)
    age = (day - world.start).days - world.firms.born[heads.firm[goods.head]]
    job = heads.job[goods.head]
    chance = _chances(world, heads, jobs, goods, age)
    illicit, split = rng.random(len(chance)) < chance, np.zeros(len(chance), bool)
    small, of = goods.small, goods.parcel
    chance[small], illicit[small], split[small] = parcels.chance[of], parcels.split[of], parcels.split[of]
    true = (goods.product, goods.origin, goods.value_eur, goods.net_kg, goods.gross_kg)
    papers = tamper(rng, world.products, illicit, job >= 0, split, *true)
    ring = np.where(job >= 0, jobs.ring[job] if len(jobs.ring) else -1, -1)
    ring[small] = parcels.ring[of]
    declared = carried.hstack(_declared(world, rng, heads))[goods.head]
    told = _told(world, rng, heads, goods, papers, age, declared["currency"])
    return pl.concat([declared, told, _true(goods, papers, chance, ring)], how="horizontal").sort(
        "at", "shuffle", "item_no"
    )


@dataclass(frozen=True)
class _Goods:
    """What was really sent, one place an item."""

    head: Ints
    """The declaration it is of."""
    item_no: Ints
    product: Ints
    origin: Ints
    net_kg: Floats
    gross_kg: Floats
    value_eur: Floats
    small: Ints
    """Items that came as parcels."""
    parcel: Ints
    """Of each of these the parcel."""


def _goods(world: World, rng: np.random.Generator, day: date, heads: Heads, parcels: Parcels) -> _Goods:
    products, firms, n = world.products, world.firms, len(heads.parcel)
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
    bias = firms.price_bias[heads.firm[head]]
    value = net * products.eur_per_kg[product] * np.exp(bias + rng.normal(0, 0.27, len(head)))
    value *= world.scenario.price_factor(world.number(day))
    value[small] = parcels.value_eur[of]
    return _Goods(head, item_no, product, origin, net, gross, value, small, of)


def _chances(world: World, heads: Heads, jobs: Jobs, goods: _Goods, age: Ints) -> Floats:
    """The chance that an item is illicit; those in parcels bring their own instead."""
    firms, head = world.firms, goods.head
    duty_pct, strange = world.products.duty_pct[goods.product], heads.strange[head]
    chance = chance_alone(firms.risk[heads.firm[head]], firms.seller_risk[heads.seller[head]], duty_pct, age, strange)
    in_ring = heads.job[head] >= 0
    if in_ring.any():
        chance[in_ring] = np.where(jobs.loaded[heads.job[head[in_ring]]], 0.72, 0.03)
    return chance


def _declared(world: World, rng: np.random.Generator, heads: Heads) -> pl.DataFrame:
    """What a declaration says of all its items, in the order of declarations."""
    firms, n = world.firms, len(heads.office)
    # One consignment in ten changes hands at a hub; the rest is dispatched from where its seller sits.
    dispatch = np.where(rng.random(n) < 0.1, _HUBS[rng.integers(0, len(_HUBS), n)], firms.seller_country[heads.seller])
    currency = choose(rng, np.array([share for _, _, share in _CURRENCIES]), n)
    return pl.DataFrame(
        {
            "currency": pl.Series([code for code, _, _ in _CURRENCIES]).gather(currency),
            "consignment": pl.Series(rng.integers(10**9, 10**10, n)).cast(pl.String),
            "shuffle": rng.permutation(n),
            "procedure": rng.choice(["4000", "4200", "7100", "5100"], n, p=[0.86, 0.07, 0.05, 0.02]),
            "dispatch": pl.Series(ORIGINS).gather(dispatch),
            "office": heads.office,
            "mode": pl.Series([UN_MODE[o.mode] for o in OFFICES]).gather(heads.office),
            "firm": heads.firm,
            "seller": heads.seller,
            "declarant": heads.declarant,
        }
    )


def _told(
    world: World, rng: np.random.Generator, heads: Heads, goods: _Goods, papers: Papers, age: Ints, currency: pl.Series
) -> pl.DataFrame:
    """What the papers say of each item."""
    rate = currency.replace_strict({code: rate for code, rate, _ in _CURRENCIES}, return_dtype=pl.Float64).to_numpy()
    net = goods.net_kg
    return pl.DataFrame(
        {
            "item_no": goods.item_no,
            "age_days": age,
            "trusted": world.firms.trusted[heads.firm[goods.head]] & (age >= _TRUSTED_DAYS),
            "product": papers.product,
            "origin": pl.Series(ORIGINS).gather(papers.origin),
            "duty_pct": papers.duty_pct,
            "net_kg": np.round(net, 3),
            "gross_kg": np.round(papers.gross_kg, 3),
            "packages": np.maximum(1, (net / rng.uniform(4, 40, len(net))).astype(np.int64)),
            "value": np.round(papers.value_eur * rate, 2),
            "value_eur": papers.value_eur,
        }
    )


def _true(goods: _Goods, papers: Papers, chance: Floats, ring: Ints) -> pl.DataFrame:
    """What the neighbour and the ship's manifest know, and Norvale's customs may not."""
    return pl.DataFrame(
        {
            "true_product": goods.product,
            "true_origin": pl.Series(ORIGINS).gather(goods.origin),
            "true_value_eur": goods.value_eur,
            "hidden_kg": papers.hidden_kg,
            "is_illicit": papers.kind > 0,
            "kind": pl.Series(KINDS).gather(papers.kind),
            "probability": chance,
            "recoverable_eur": np.round(papers.recoverable_eur, 2),
            "ring": ring,
        }
    )


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

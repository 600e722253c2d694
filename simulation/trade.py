"""A day's goods: declarations with their items, and the lorries that brought them.

Columns are the simulation's own (indices, unix seconds, euros); agencies' layouts are in `formats`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import OFFICE_HOURS, moments, trade_factor
from simulation.firms import LINES, any_seller
from simulation.fleet import TRUCKS_EACH
from simulation.geography import OFFICES, OFFICES_OF
from simulation.illicit import KINDS, chance_alone, tamper
from simulation.products import ORIGINS, POOL_ORIGINS, POOL_SIZES
from simulation.randomness import Bools, Ints, choose
from simulation.rings import Jobs
from simulation.voyages import Calls
from simulation.world import World

ITEMS_A_DAY = 500.0
_ITEMS_EACH = 1.85
_LINE_SHARES = np.array([0.52, 0.26, 0.15, 0.07])
_CURRENCIES = (
    ("EUR", 1.0, 0.62),
    ("USD", 1.08, 0.27),
    ("GBP", 0.85, 0.04),
    ("CHF", 0.95, 0.04),
    ("CNY", 7.8, 0.03),
)
_HUBS = np.array([ORIGINS.index(c) for c in ("NL", "DE", "AE", "HK", "XS")])
UN_MODE = {"sea": "1", "land": "3", "air": "4"}


@dataclass(frozen=True)
class Arrivals:
    """Lorries that come in loaded, once each: index, office, unix seconds; ring (or -1) and whether its job is loaded."""

    truck: Ints
    office: Ints
    at: Ints
    ring: Ints
    loaded: Bools


@dataclass(frozen=True)
class _Heads:
    """One place a declaration; `job` is -1 for ordinary trade."""

    firm: Ints
    seller: Ints
    product: Ints
    office: Ints
    truck: Ints
    at: Ints
    job: Ints
    strange: Bools


def day_of_trade(world: World, day: date, calls: Calls) -> tuple[pl.DataFrame, Arrivals]:
    """Goods items (one row each, in time order) lodged on `day`, and the lorries that came for them."""
    rng, jobs = world.rng(day, "trade"), world.jobs(day)
    heads = _heads(world, rng, day, jobs)
    by_road = np.array([o.mode == "land" for o in OFFICES])[heads.office]
    heads, arrivals = _share_lorries(rng, heads, by_road, jobs)
    by_sea = np.array([o.mode == "sea" for o in OFFICES])[heads.office]
    call = _call_of(rng, calls, heads, by_sea, jobs)
    heads = replace(heads, office=np.where(by_sea, calls.office[call], heads.office))
    at = np.where(by_sea, np.maximum(heads.at, calls.arrival[call] + 3600), heads.at)
    conveyance, carrier = _conveyances(world, rng, heads, by_road, by_sea, calls, call)
    return _items(world, rng, day, heads, jobs, at, conveyance, carrier), arrivals


def _heads(world: World, rng: np.random.Generator, day: date, jobs: Jobs) -> _Heads:
    firms, age = world.firms, (day - world.start).days
    n = int(rng.poisson(ITEMS_A_DAY / _ITEMS_EACH * world.scale * trade_factor(day)))
    alive = (firms.born <= age) & (firms.died > age)
    firm = choose(rng, firms.weight * alive, n)
    line = choose(rng, _LINE_SHARES, n)
    product = firms.line_product[firm, line].copy()
    office = firms.line_office[firm, line].copy()
    seller = firms.line_seller[firm, line].copy()
    # Once in a while a firm tries something else: another seller of the same kind of goods, or another way in.
    new_seller, new_way = rng.random(n) < 0.09, rng.random(n) < 0.08
    product = np.where(new_seller & (rng.random(n) < 0.5), choose(rng, world.products.weight, n), product)
    fresh = any_seller(rng, firms.first_seller, firms.sellers_in, world.products.pool[product])
    seller = np.where(new_seller, fresh, seller)
    office = np.where(new_way, firms.line_office[firm, rng.integers(0, LINES, n)], office)
    truck = firms.line_haulier[firm, line] * TRUCKS_EACH + rng.integers(0, TRUCKS_EACH, n)
    m = len(jobs.ring)
    order = rng.permutation(n + m)

    def joined(ours: Ints, theirs: Ints) -> Ints:
        both: Ints = np.concatenate([ours, theirs])[order]
        return both

    return _Heads(
        firm=joined(firm, jobs.firm),
        seller=joined(seller, jobs.seller),
        product=joined(product, jobs.product),
        office=joined(office, jobs.office),
        truck=joined(truck, jobs.truck),
        at=moments(rng, day, OFFICE_HOURS, n + m),
        job=joined(np.full(n, -1), np.arange(m)),
        strange=joined((new_seller | new_way).astype(np.int64), np.zeros(m, np.int64)) > 0,
    )


def _share_lorries(
    rng: np.random.Generator, heads: _Heads, by_road: Bools, jobs: Jobs
) -> tuple[_Heads, Arrivals]:
    """A lorry comes once a day: consignments that drew the same one go through the same office, a little apart."""
    rows = np.flatnonzero(by_road)
    # Jobs go first so that a shared lorry keeps to the ring's office and hour.
    rows = rows[np.argsort(heads.job[rows] < 0, kind="stable")]
    truck, first, place = np.unique(heads.truck[rows], return_index=True, return_inverse=True)
    office, at = heads.office.copy(), heads.at.copy()
    lead = rows[first]
    arrived = heads.at[lead] - rng.integers(1200, 3 * 3600, len(truck))
    office[rows] = heads.office[lead][place]
    at[rows] = np.where(
        rows == lead[place], heads.at[rows], heads.at[lead][place] + rng.integers(0, 900, len(rows))
    )
    job = heads.job[lead]
    ring = np.where(job >= 0, jobs.ring[job], -1) if len(jobs.ring) else np.full(len(job), -1)
    loaded = (job >= 0) & jobs.loaded[job] if len(jobs.ring) else np.zeros(len(job), bool)
    return replace(heads, office=office, at=at), Arrivals(truck, office[lead], arrived, ring, loaded)


def _call_of(rng: np.random.Generator, calls: Calls, heads: _Heads, by_sea: Bools, jobs: Jobs) -> Ints:
    """The port call each sea consignment came with (0 for other modes); of any port when its own has none."""
    call = np.zeros(len(heads.at), dtype=np.int64)
    for port in OFFICES_OF["sea"]:
        rows, here = np.flatnonzero(by_sea & (heads.office == port)), np.flatnonzero(calls.office == port)
        here = here if len(here) else np.arange(len(calls.vessel))
        call[rows] = here[rng.integers(0, len(here), len(rows))]
    for row in np.flatnonzero(by_sea & (heads.job >= 0)):
        call[row] = np.flatnonzero(calls.vessel == jobs.vessel[heads.job[row]])[0]
    return call


def _conveyances(
    world: World,
    rng: np.random.Generator,
    heads: _Heads,
    by_road: Bools,
    by_sea: Bools,
    calls: Calls,
    call: Ints,
) -> tuple[pl.Series, pl.Series]:
    """Plate, IMO number or flight number, and the carrier's code, of each declaration."""
    vessel = calls.vessel[call]
    flight = choose(rng, world.flights.share, len(heads.at))
    frame = pl.DataFrame(
        {
            "road": by_road,
            "sea": by_sea,
            "plate": world.trucks.plate.gather(heads.truck),
            "haulier": world.trucks.haulier_id.gather(heads.truck // TRUCKS_EACH),
            "imo": pl.Series(world.vessels.imo).gather(vessel).cast(pl.String),
            "line": world.vessels.operator.gather(vessel),
            "flight": world.flights.number.gather(flight),
            "airline": world.flights.airline.gather(flight),
        }
    )
    pick = frame.select(
        pl.when("road").then("plate").when("sea").then("imo").otherwise("flight").alias("conveyance"),
        pl.when("road").then("haulier").when("sea").then("line").otherwise("airline").alias("carrier"),
    )
    return pick["conveyance"], pick["carrier"]


def _items(
    world: World,
    rng: np.random.Generator,
    day: date,
    heads: _Heads,
    jobs: Jobs,
    at: Ints,
    conveyance: pl.Series,
    carrier: pl.Series,
) -> pl.DataFrame:
    products, firms, n = world.products, world.firms, len(at)
    each = np.minimum(rng.geometric(1 / _ITEMS_EACH, n), 12)
    head = np.repeat(np.arange(n), each)
    item_no = np.arange(len(head)) - np.repeat(np.cumsum(each) - each, each) + 1
    product = _kindred(world, rng, heads.product[head], item_no)
    origin = _origins(world, rng, heads.seller[head], product)
    net = np.maximum(
        0.5, products.lot_kg[product] * rng.lognormal(-0.9, 0.85, len(head)) / np.sqrt(each[head])
    )
    gross = net * (1.01 + rng.gamma(2.0, 0.035, len(head)))
    firm = heads.firm[head]
    value = (
        net * products.eur_per_kg[product] * np.exp(firms.price_bias[firm] + rng.normal(0, 0.27, len(head)))
    )
    in_ring, age = heads.job[head] >= 0, (day - world.start).days - firms.born[firm]
    chance = chance_alone(
        firms.risk[firm],
        firms.seller_risk[heads.seller[head]],
        products.duty_pct[product],
        age,
        heads.strange[head],
    )
    if in_ring.any():
        chance[in_ring] = np.where(jobs.loaded[heads.job[head[in_ring]]], 0.86, 0.04)
    papers = tamper(
        rng, products, rng.random(len(head)) < chance, in_ring, product, origin, value, net, gross
    )
    # One consignment in ten changes hands at a hub; the rest is dispatched from where its seller sits.
    dispatch = np.where(
        rng.random(n) < 0.1, _HUBS[rng.integers(0, len(_HUBS), n)], firms.seller_country[heads.seller]
    )[head]
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
            "age_days": age,
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
            "is_illicit": papers.kind > 0,
            "kind": pl.Series(KINDS).gather(papers.kind),
            "probability": chance,
            "recoverable_eur": np.round(papers.recoverable_eur, 2),
            "ring": np.where(in_ring, jobs.ring[heads.job[head]] if len(jobs.ring) else -1, -1),
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
    return np.where(
        rng.random(len(pool)) < 0.125, POOL_ORIGINS[pool, place], world.firms.seller_country[seller]
    )

"""Who sends what to whom today, and what brings it: declarations before they have items or papers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import OFFICE_HOURS, moments, trade_factor
from simulation.firms import LINES, any_seller
from simulation.fleet import TRUCKS_EACH
from simulation.geography import OFFICES_OF
from simulation.jobs import Jobs
from simulation.parcels import Parcels
from simulation.randomness import Bools, Ints, choose
from simulation.voyages import Calls
from simulation.world import World

ITEMS_A_DAY = 500.0
ITEMS_EACH = 1.85
_LINE_SHARES = np.array([0.52, 0.26, 0.15, 0.07])


@dataclass(frozen=True)
class Arrivals:
    """Lorries that come in, once each: office, unix seconds, ring (or -1) and whether its job is loaded."""

    truck: Ints
    office: Ints
    at: Ints
    ring: Ints
    loaded: Bools


@dataclass(frozen=True)
class Heads:
    """One place a declaration; `job` and `parcel` (places in the day's) are -1 for ordinary trade."""

    firm: Ints
    seller: Ints
    product: Ints
    office: Ints
    truck: Ints
    at: Ints
    job: Ints
    parcel: Ints
    declarant: Ints
    strange: Bools


def heads_of(world: World, rng: np.random.Generator, day: date, jobs: Jobs, parcels: Parcels) -> Heads:
    """Ordinary trade by habit, parcels and the rings' jobs among it, in random order."""
    firms, age = world.firms, (day - world.start).days
    few = len(parcels.firm)
    n = int(rng.poisson(max(ITEMS_A_DAY * world.scale * trade_factor(day) - few, 0) / ITEMS_EACH))
    alive = (firms.born <= age) & (firms.died > age)
    firm = choose(rng, firms.weight * alive, n)
    line = choose(rng, _LINE_SHARES, n)
    product = firms.line_product[firm, line].copy()
    office = firms.line_office[firm, line].copy()
    seller = firms.line_seller[firm, line].copy()
    # Once in a while a firm tries something else: another seller, other goods, another way in.
    new_seller, new_way = rng.random(n) < 0.09, rng.random(n) < 0.08
    product = np.where(new_seller & (rng.random(n) < 0.5), choose(rng, world.products.weight, n), product)
    fresh = any_seller(rng, firms.first_seller, firms.sellers_in, world.products.pool[product])
    seller = np.where(new_seller, fresh, seller)
    office = np.where(new_way, firms.line_office[firm, rng.integers(0, LINES, n)], office)
    truck = firms.line_haulier[firm, line] * TRUCKS_EACH + rng.integers(0, TRUCKS_EACH, n)
    by_parcel = parcels.haulier * TRUCKS_EACH + rng.integers(0, TRUCKS_EACH, few)
    m = len(jobs.ring)
    order = rng.permutation(n + m + few)
    none = np.full(n + m + few, -1)

    def joined(ours: Ints, theirs: Ints, small: Ints) -> Ints:
        both: Ints = np.concatenate([ours, theirs, small])[order]
        return both

    return Heads(
        firm=joined(firm, jobs.firm, parcels.firm),
        seller=joined(seller, jobs.seller, parcels.seller),
        product=joined(product, jobs.product, parcels.product),
        office=world.scenario.redirect(world.number(day))[joined(office, jobs.office, parcels.office)],
        truck=joined(truck, jobs.truck, by_parcel),
        at=moments(rng, day, OFFICE_HOURS, n + m + few),
        job=joined(none[:n], np.arange(m), none[:few]),
        parcel=joined(none[:n], none[:m], np.arange(few)),
        declarant=joined(firms.declarant[firm], firms.declarant[jobs.firm], parcels.declarant),
        strange=joined((new_seller | new_way).astype(np.int64), np.zeros(m, np.int64), np.zeros(few, np.int64)) > 0,
    )


def share_lorries(rng: np.random.Generator, heads: Heads, by_road: Bools, jobs: Jobs) -> tuple[Heads, Arrivals]:
    """A lorry comes once a day: consignments that drew the same one share office and, nearly, hour."""
    rows = np.flatnonzero(by_road)
    # Jobs go first so that a shared lorry keeps to the ring's office and hour.
    rows = rows[np.argsort(heads.job[rows] < 0, kind="stable")]
    truck, first, place = np.unique(heads.truck[rows], return_index=True, return_inverse=True)
    office, at = heads.office.copy(), heads.at.copy()
    lead = rows[first]
    arrived = heads.at[lead] - rng.integers(1200, 3 * 3600, len(truck))
    office[rows] = heads.office[lead][place]
    at[rows] = np.where(rows == lead[place], heads.at[rows], heads.at[lead][place] + rng.integers(0, 900, len(rows)))
    job = heads.job[lead]
    ring = np.where(job >= 0, jobs.ring[job], -1) if len(jobs.ring) else np.full(len(job), -1)
    loaded = (job >= 0) & jobs.loaded[job] if len(jobs.ring) else np.zeros(len(job), bool)
    return replace(heads, office=office, at=at), Arrivals(truck, office[lead], arrived, ring, loaded)


def call_of(rng: np.random.Generator, calls: Calls, heads: Heads, by_sea: Bools, jobs: Jobs) -> Ints:
    """The port call each sea consignment came with (0 for other modes); of any port when its own has none."""
    call = np.zeros(len(heads.at), dtype=np.int64)
    for port in OFFICES_OF["sea"]:
        rows, here = np.flatnonzero(by_sea & (heads.office == port)), np.flatnonzero(calls.office == port)
        here = here if len(here) else np.arange(len(calls.vessel))
        call[rows] = here[choose(rng, calls.room[here], len(rows))]
    for row in np.flatnonzero(by_sea & (heads.job >= 0)):
        call[row] = np.flatnonzero(calls.vessel == jobs.vessel[heads.job[row]])[0]
    return call


def conveyances(
    world: World,
    rng: np.random.Generator,
    heads: Heads,
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

"""Parties that come to visit: ordinary ones and those a ring brings, what they show, how they misbehave.

Rows are `crossing_rows.SCHEMA`; the way out falls on a later day, if ever.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import ROAD_HOURS, midnight, moments, travel_factor
from simulation.crossing_rows import leaving, rows
from simulation.fleet import plates
from simulation.means import AIR, LAND, any_post, carriers, lanes, mode_names, only
from simulation.names import NEEDS_VISA, VISITOR_SHARES
from simulation.people import document_numbers, identities
from simulation.randomness import Bools, Floats, Ints, Texts, choose, logistic, stream
from simulation.world import World

VISITOR_PARTIES = 352.0
_DAY = 86_400


def visits(world: World, day: date) -> pl.DataFrame:
    """Parties that come to visit, ordinary ones and those a ring brings; overstayers never leave."""
    rng, rings = world.rng(day, "visits"), world.rings
    ordinary = int(rng.poisson(VISITOR_PARTIES * world.scale * travel_factor(day)))
    ring_of = np.concatenate([np.full(ordinary, -1), np.repeat(np.arange(rings.count), rng.poisson(0.55, rings.count))])
    n = len(ring_of)
    led = ring_of >= 0
    size = np.where(led, rng.integers(2, 6, n), np.minimum(rng.geometric(0.58, n), 6))
    mode = np.where(led, np.where(rng.random(n) < 0.62, 0, 1), choose(rng, np.array([0.4, 0.44, 0.16]), n))
    flight = np.where(led, (ring_of * 7 + 3) % len(world.flights.number), choose(rng, world.flights.share, n))
    nation = _nations(world, rng, mode, flight, ring_of)
    office = any_post(rng, mode)
    at = np.where(
        mode == AIR,
        midnight(day) + world.flights.hour[flight] * 3600 + rng.integers(300, 4000, n),
        moments(rng, day, ROAD_HOURS, n),
    )
    plate, sign = _party_cars(world, rng, nation, mode, ring_of)
    party = np.repeat(np.arange(n), size)
    people = identities(rng, nation[party], 0.12)
    people = _shared_documents(world, rng, people, ring_of[party])
    m = len(party)
    spread = rng.integers(0, 240, m)
    visa_free = ~NEEDS_VISA[nation[party]]
    long_stay = rng.random(m) < 0.07
    purpose = rng.choice(
        ["TOURISM", "BUSINESS", "FAMILY", "TRANSIT", "STUDY", "WORK"],
        n,
        p=[0.56, 0.17, 0.15, 0.06, 0.03, 0.03],
    )[party]
    stay = np.where(visa_free, 90, np.where(long_stay, 180, rng.choice([7, 14, 30], m, p=[0.3, 0.4, 0.3])))
    chance = _visitor_chance(world, nation[party], mode[party], flight[party], purpose, ring_of[party], size[party])
    kind = _visitor_kinds(rng, chance, ring_of[party] >= 0)
    foreign_paper = rng.random(m) < np.where(kind == "document_fraud", 0.22, 0.012)
    entry = rows(
        people,
        at=at[party] + spread,
        office=office[party],
        lane=lanes(mode[party], False),
        direction="entry",
        mode=mode_names(mode[party]),
        visa=np.where(visa_free, "VF", np.where(long_stay, "D", "C")),
        purpose=purpose,
        issuer=np.where(foreign_paper, choose(rng, VISITOR_SHARES, m), nation[party]),
        residence=np.where(rng.random(m) < 0.07, choose(rng, VISITOR_SHARES, m), nation[party]),
        plate=plate.gather(party),
        plate_country=sign.gather(party),
        carrier=carriers(world, mode[party], flight[party]),
        flight=only(mode[party] == AIR, world.flights.number.gather(flight[party])),
        party_size=size[party],
        stay_days=stay,
        kind=kind,
        probability=chance,
        ring=ring_of[party],
    )
    days = np.minimum(rng.geometric(0.17, n), 80)[party]
    gone = leaving(
        entry,
        entry["at"].to_numpy() + np.minimum(days, stay) * _DAY + rng.integers(-20_000, 20_000, n)[party],
    )
    return pl.concat([entry, gone.filter(pl.Series(~np.isin(kind, ["overstay", "refused_entry"])))])


def _nations(world: World, rng: np.random.Generator, mode: Ints, flight: Ints, ring_of: Ints) -> Ints:
    """By air mostly from where the flight comes; by road the neighbour first; a ring brings its own."""
    anyone = choose(rng, VISITOR_SHARES, len(mode))
    near = (mode == LAND) & (rng.random(len(mode)) < 0.35)
    flown = (mode == AIR) & (rng.random(len(mode)) < 0.6)
    nation = np.where(near, 0, np.where(flown, world.flights.origin[flight], anyone))
    visa_nations = np.flatnonzero(NEEDS_VISA)
    led = visa_nations[(ring_of * 5 + rng.integers(0, 3, len(mode))) % len(visa_nations)]
    return np.where((ring_of >= 0) & (rng.random(len(mode)) < 0.8), led, nation)


def _party_cars(
    world: World, rng: np.random.Generator, nation: Ints, mode: Ints, ring_of: Ints
) -> tuple[pl.Series, pl.Series]:
    """Plate and sign of each party: a ring's van, a hired van of Norvale, or its own car; none off road."""
    n, vans = len(nation), world.people.vans
    own = plates(rng, n)
    van = np.where(ring_of >= 0, world.rings.vans[ring_of, rng.integers(0, 3, n)], rng.integers(0, len(vans), n))
    hired = (ring_of >= 0) | (rng.random(n) < 0.09)
    by_car = mode == LAND
    sign = np.array(["XS", "XO", "DE", "AT", "IT", "TR", "RO", "PL"])[np.where(nation < 2, nation, 2 + nation % 6)]
    frame = pl.DataFrame({"own": own, "van": vans.gather(van), "hired": hired, "car": by_car, "sign": sign})
    out = frame.select(
        plate=pl.when("car").then(pl.when("hired").then("van").otherwise("own")).otherwise(pl.lit("")),
        sign=pl.when("car").then(pl.when("hired").then(pl.lit("XN")).otherwise("sign")).otherwise(pl.lit("")),
    )
    return out["plate"], out["sign"]


def _shared_documents(world: World, rng: np.random.Generator, people: pl.DataFrame, ring_of: Ints) -> pl.DataFrame:
    """Some who come with a ring travel on one of its few booklets, under another name than the last."""
    booklets = document_numbers(stream(world.seed, 0, "booklets"), world.rings.count * 14)
    borrowed = (ring_of >= 0) & (rng.random(len(ring_of)) < 0.4)
    which = np.maximum(ring_of, 0) * 14 + rng.integers(0, 14, len(ring_of))
    return people.with_columns(
        document_number=pl.when(pl.Series(borrowed)).then(booklets.gather(which)).otherwise("document_number")
    )


def _visitor_chance(
    world: World, nation: Ints, mode: Ints, flight: Ints, purpose: Texts, ring_of: Ints, size: Ints
) -> Floats:
    people = world.people
    odds = -4.8 + people.nation_risk[nation] + np.where(mode == AIR, people.flight_risk[flight], 0.0)
    odds += 0.5 * np.isin(purpose, ["STUDY", "WORK"]) + 0.25 * (size == 1)
    return np.where(ring_of >= 0, 0.55, logistic(odds))


def _visitor_kinds(rng: np.random.Generator, chance: Floats, led: Bools) -> Texts:
    n = len(chance)
    alone = rng.choice(["overstay", "document_fraud", "refused_entry", "smuggling"], n, p=[0.5, 0.15, 0.2, 0.15])
    guided = rng.choice(["overstay", "document_fraud", "refused_entry", "smuggling"], n, p=[0.35, 0.4, 0.1, 0.15])
    return np.where(rng.random(n) < chance, np.where(led, guided, alone), "")

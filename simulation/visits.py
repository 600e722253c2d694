"""Parties that come to visit: ordinary ones and those a ring brings, what they show, how they misbehave.

Rows are `crossing_rows.SCHEMA`; the way out falls on a later day, if ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import ROAD_HOURS, midnight, moments, travel_factor
from simulation.crossing_rows import leaving, rows
from simulation.fleet import plates
from simulation.means import AIR, LAND, any_post, carriers, lanes, mode_names, only, signs
from simulation.names import NEEDS_VISA, VISITOR_SHARES
from simulation.people import document_numbers, identities
from simulation.randomness import Bools, Floats, Ints, Texts, choose, logistic, stream
from simulation.world import World

VISITOR_PARTIES = 352.0
_DAY = 86_400
_OWN, _REGULAR, _HIRED = 0, 1, 2
_SORTS = np.array([0.25, 0.65, 0.10])
_TWO_CARS = 0.04


@dataclass(frozen=True)
class _Parties:
    """Who comes on a day, one place a party."""

    ring: Ints
    """The ring that brings it, or -1."""
    size: Ints
    mode: Ints
    flight: Ints
    nation: Ints
    office: Ints
    at: Ints
    plate: pl.Series
    plate_country: pl.Series


def visits(world: World, day: date) -> pl.DataFrame:
    """Parties that come to visit, ordinary ones and those a ring brings; overstayers never leave."""
    rng = world.rng(day, "visits")
    parties = _parties(world, rng, day)
    n = len(parties.size)
    party = np.repeat(np.arange(n), parties.size)
    entry = _entries(world, rng, parties, party)
    days = np.minimum(rng.geometric(0.17, n), 80)[party]
    stay = np.minimum(days, entry["stay_days"].to_numpy())
    gone = leaving(entry, entry["at"].to_numpy() + stay * _DAY + rng.integers(-20_000, 20_000, n)[party])
    return pl.concat([entry, gone.filter(~entry["kind"].is_in(["overstay", "refused_entry"]))])


def _parties(world: World, rng: np.random.Generator, day: date) -> _Parties:
    outings = world.outings(day)
    stopped = world.scenario.travel_factor(world.number(day))
    ordinary = int(rng.poisson(VISITOR_PARTIES * world.scale * travel_factor(day) * stopped))
    ring_of = np.concatenate([np.full(ordinary, -1), outings.ring])
    n = len(ring_of)
    led = ring_of >= 0
    size = np.minimum(rng.geometric(np.where(led, 0.5, 0.58), n), 6)
    mode = choose(rng, np.array([0.4, 0.44, 0.16]), n)
    mode[led] = np.where(outings.by_road, LAND, AIR)
    flight = choose(rng, world.flights.share, n)
    car, sort = _cars(world, rng, led, outings.car)
    nation = _nations(world, rng, mode, flight, car, sort == _REGULAR)
    office = world.scenario.redirect(world.number(day))[any_post(rng, mode)]
    office[led] = np.where(outings.by_road, outings.office, office[led])
    at = np.where(
        mode == AIR,
        midnight(day) + world.flights.hour[flight] * 3600 + rng.integers(300, 4000, n),
        moments(rng, day, ROAD_HOURS, n),
    )
    leader = _leaders(rng, mode, ordinary, outings.follows)
    behind = np.flatnonzero(leader >= 0)
    office[behind], at[behind] = office[leader[behind]], at[leader[behind]] + rng.integers(90, 700, len(behind))
    return _Parties(ring_of, size, mode, flight, nation, office, at, *_plates(world, rng, nation, mode, car, sort))


def _entries(world: World, rng: np.random.Generator, parties: _Parties, party: Ints) -> pl.DataFrame:
    """Rows of every traveller's way in; `party` is the party of each."""
    n, m = len(parties.size), len(party)
    nation, mode, flight, ring = parties.nation[party], parties.mode[party], parties.flight[party], parties.ring[party]
    people = _shared_documents(world, rng, identities(rng, nation, 0.12), ring)
    spread = rng.integers(0, 240, m)
    visa_free = ~NEEDS_VISA[nation]
    long_stay = rng.random(m) < 0.07
    purpose = rng.choice(
        ["TOURISM", "BUSINESS", "FAMILY", "TRANSIT", "STUDY", "WORK"],
        n,
        p=[0.56, 0.17, 0.15, 0.06, 0.03, 0.03],
    )[party]
    stay = np.where(visa_free, 90, np.where(long_stay, 180, rng.choice([7, 14, 30], m, p=[0.3, 0.4, 0.3])))
    chance = _visitor_chance(world, nation, mode, flight, purpose, ring, parties.size[party])
    kind = _visitor_kinds(rng, chance, ring >= 0)
    foreign_paper = rng.random(m) < np.where(kind == "document_fraud", 0.22, 0.012)
    return rows(
        people,
        at=parties.at[party] + spread,
        office=parties.office[party],
        lane=lanes(mode, False),
        direction="entry",
        mode=mode_names(mode),
        visa=np.where(visa_free, "VF", np.where(long_stay, "D", "C")),
        purpose=purpose,
        issuer=np.where(foreign_paper, choose(rng, VISITOR_SHARES, m), nation),
        residence=np.where(rng.random(m) < 0.07, choose(rng, VISITOR_SHARES, m), nation),
        plate=parties.plate.gather(party),
        plate_country=parties.plate_country.gather(party),
        carrier=carriers(world, mode, flight),
        flight=only(mode == AIR, world.flights.number.gather(flight)),
        party_size=parties.size[party],
        stay_days=stay,
        kind=kind,
        probability=chance,
        ring=ring,
    )


def _leaders(rng: np.random.Generator, mode: Ints, ordinary: int, follows: Ints) -> Ints:
    """The party each one drives behind, or -1: families in two cars, and a ring's convoys."""
    own = np.full(ordinary, -1)
    drivers = np.flatnonzero(mode[:ordinary] == LAND)
    pairs = rng.permutation(drivers)[: 2 * int(len(drivers) * _TWO_CARS)].reshape(-1, 2)
    own[pairs[:, 0]] = pairs[:, 1]
    led = np.where(follows >= 0, ordinary + follows, -1)
    leader: Ints = np.concatenate([own, led])
    return leader


def _cars(world: World, rng: np.random.Generator, led: Bools, ring_car: Ints) -> tuple[Ints, Ints]:
    """Which car of its sort a party would drive, and the sort; a ring's car is a regular like many others."""
    n, people = len(led), world.people
    sort = choose(rng, _SORTS, n)
    hired, regular = rng.integers(0, len(people.vans), n), rng.integers(0, len(people.regular_cars), n)
    car = np.where(sort == _HIRED, hired, regular)
    sort[led], car[led] = _REGULAR, ring_car
    return car, sort


def _nations(world: World, rng: np.random.Generator, mode: Ints, flight: Ints, car: Ints, regular: Bools) -> Ints:
    """By air mostly from where the flight comes; by road the neighbour first, or where the car is at home."""
    anyone = choose(rng, VISITOR_SHARES, len(mode))
    near = (mode == LAND) & (rng.random(len(mode)) < 0.35)
    at_home = (mode == LAND) & regular & (rng.random(len(mode)) < 0.7)
    flown = (mode == AIR) & (rng.random(len(mode)) < 0.6)
    home = world.people.regular_nation[car]
    return np.where(at_home, home, np.where(near, 0, np.where(flown, world.flights.origin[flight], anyone)))


def _plates(
    world: World, rng: np.random.Generator, nation: Ints, mode: Ints, car: Ints, sort: Ints
) -> tuple[pl.Series, pl.Series]:
    """Plate and sign of each party's car; none off road."""
    people, own = world.people, plates(rng, len(nation))
    vans, regulars = people.vans.gather(car % len(people.vans)), people.regular_cars.gather(car)
    of_car = np.where(sort == _REGULAR, people.regular_nation[car], nation)
    sign = signs(of_car)
    frame = pl.DataFrame({"own": own, "van": vans, "regular": regulars, "sort": sort, "sign": sign})
    plate = pl.when(pl.col("sort") == _HIRED).then("van").when(pl.col("sort") == _REGULAR).then("regular")
    country = pl.when(pl.col("sort") == _HIRED).then(pl.lit("XN")).otherwise("sign")
    out = frame.select(plate=plate.otherwise("own"), country=country)
    return only(mode == LAND, out["plate"]), only(mode == LAND, out["country"])


def _shared_documents(world: World, rng: np.random.Generator, people: pl.DataFrame, ring_of: Ints) -> pl.DataFrame:
    """Some who come with a ring travel on one of its few booklets, under another name than the last."""
    booklets = document_numbers(stream(world.seed, 0, "booklets"), world.rings.count * 14)
    borrowed = (ring_of >= 0) & (rng.random(len(ring_of)) < 0.12)
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
    return np.where(ring_of >= 0, 0.6, logistic(odds))


def _visitor_kinds(rng: np.random.Generator, chance: Floats, led: Bools) -> Texts:
    n = len(chance)
    alone = rng.choice(["overstay", "document_fraud", "refused_entry", "smuggling"], n, p=[0.5, 0.15, 0.2, 0.15])
    guided = rng.choice(["overstay", "document_fraud", "refused_entry", "smuggling"], n, p=[0.35, 0.4, 0.1, 0.15])
    return np.where(rng.random(n) < chance, np.where(led, guided, alone), "")

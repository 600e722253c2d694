"""A day's travel: who sets out, by what, and who misbehaves; their way back is planned with it.

Rows are `crossing_rows.SCHEMA`; some fall on later days. Ids, secondary examination and layout are elsewhere.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import ROAD_HOURS, is_working_day, midnight, moments, travel_factor
from simulation.crossing_rows import leaving, rows
from simulation.fleet import plates
from simulation.geography import OFFICES, OFFICES_OF
from simulation.names import COUNTRIES
from simulation.people import NEEDS_VISA, document_numbers, identities
from simulation.randomness import Bools, Floats, Ints, Texts, choose, logistic, stream
from simulation.trade import Arrivals
from simulation.world import World

_DAY = 86_400
_LAND, _SEA, _AIR = (np.array(OFFICES_OF[m]) for m in ("land", "sea", "air"))
_LAND_SHARES = np.array([OFFICES[i].travel for i in _LAND])
_SEA_SHARES = np.array([OFFICES[i].travel for i in _SEA])
_VISITOR_SHARES = np.array([c[2] for c in COUNTRIES])
RESIDENT_TRIPS, VISITOR_PARTIES = 320.0, 352.0


def day_of_travel(world: World, day: date, arrivals: Arrivals) -> pl.DataFrame:
    """Crossings that begin with `day`: entries and exits, in no order."""
    return pl.concat(
        [commuting(world, day), haulage(world, day, arrivals), residents(world, day), visits(world, day)]
    )


def commuting(world: World, day: date) -> pl.DataFrame:
    rng, people = world.rng(day, "commuting"), world.people
    going = np.flatnonzero(rng.random(len(people.commuters)) < (0.86 if is_working_day(day) else 0.05))
    n = len(going)
    chance = logistic(-5.7 + people.commuter_risk[going])
    entry = rows(
        people.commuters[going],
        at=midnight(day) + (rng.normal(7.2, 0.8, n) * 3600).astype(np.int64),
        office=people.commuter_office[going],
        lane="CAR",
        direction="entry",
        mode="land",
        visa="RP",
        purpose="WORK",
        residence=np.full(n, 0),
        plate=people.commuter_plate.gather(going),
        plate_country="XS",
        kind=_smuggled(rng, chance),
        probability=chance,
    )
    return pl.concat(
        [entry, leaving(entry, midnight(day) + (rng.normal(17.1, 1.0, n) * 3600).astype(np.int64))]
    )


def haulage(world: World, day: date, arrivals: Arrivals) -> pl.DataFrame:
    """Drivers of the lorries that bring goods; a loaded ring job often has something in the cab too."""
    rng, n = world.rng(day, "haulage"), len(arrivals.truck)
    chance = np.where(arrivals.loaded, 0.5, 0.006)
    truck = arrivals.truck
    # One lorry in six is driven by someone else's driver that day.
    driver = np.where(rng.random(n) < 0.16, rng.integers(0, len(world.people.drivers), n), truck)
    entry = rows(
        world.people.drivers[driver],
        at=arrivals.at,
        office=arrivals.office,
        lane="TRUCK",
        direction="entry",
        mode="land",
        visa="CR",
        purpose="TRANSPORT",
        plate=world.trucks.plate.gather(truck),
        plate_country=world.trucks.country.gather(truck),
        carrier=world.trucks.haulier_id.gather(truck // 6),
        kind=_smuggled(rng, chance),
        probability=chance,
        ring=arrivals.ring,
    )
    return pl.concat([entry, leaving(entry, arrivals.at + rng.integers(5 * 3600, 34 * 3600, n))])


def residents(world: World, day: date) -> pl.DataFrame:
    """People of Norvale who go abroad and come home; the misdeed, if any, is on the way home."""
    rng, people = world.rng(day, "residents"), world.people
    n = int(rng.poisson(RESIDENT_TRIPS * world.scale * travel_factor(day)))
    who = choose(rng, people.resident_weight, n)
    mode = choose(rng, np.array([0.58, 0.30, 0.12]), n)
    flight, leave = choose(rng, world.flights.share, n), moments(rng, day, ROAD_HOURS, n)
    days_away = np.where(mode == 0, rng.geometric(0.55, n) - 1, rng.geometric(0.16, n))
    back = leave + np.where(
        days_away == 0,
        rng.integers(2 * 3600, 7 * 3600, n),
        days_away * _DAY + rng.integers(-10_000, 10_000, n),
    )
    office = np.where(
        mode == 0,
        people.resident_office[who],
        np.where(mode == 1, _AIR[0], _SEA[choose(rng, _SEA_SHARES, n)]),
    )
    by_car, by_air = mode == 0, mode == 1
    chance = logistic(-5.6 + people.resident_risk[who] + 0.5 * (days_away == 0))
    home = rows(
        people.residents[who],
        at=back,
        office=office,
        lane=_lanes(mode, True),
        direction="entry",
        mode=_modes(mode),
        visa="NA",
        purpose="RETURN",
        plate=_if(by_car, people.resident_plate.gather(who)),
        plate_country=np.where(by_car, "XN", ""),
        carrier=_carriers(world, mode, flight),
        flight=_if(by_air, world.flights.number.gather(flight)),
        kind=_smuggled(rng, chance),
        probability=chance,
    )
    out = leaving(home, leave).with_columns(
        purpose=pl.Series(rng.choice(["TOURISM", "BUSINESS", "FAMILY"], n, p=[0.5, 0.2, 0.3]))
    )
    return pl.concat([out, home])


def visits(world: World, day: date) -> pl.DataFrame:
    """Parties that come to visit, ordinary ones and those a ring brings; overstayers never leave."""
    rng, rings = world.rng(day, "visits"), world.rings
    ordinary = int(rng.poisson(VISITOR_PARTIES * world.scale * travel_factor(day)))
    ring_of = np.concatenate(
        [np.full(ordinary, -1), np.repeat(np.arange(rings.count), rng.poisson(0.4, rings.count))]
    )
    n = len(ring_of)
    led = ring_of >= 0
    size = np.where(led, rng.integers(2, 6, n), np.minimum(rng.geometric(0.58, n), 6))
    mode = np.where(led, np.where(rng.random(n) < 0.62, 0, 1), choose(rng, np.array([0.4, 0.44, 0.16]), n))
    flight = np.where(led, (ring_of * 7 + 3) % len(world.flights.number), choose(rng, world.flights.share, n))
    nation = _nations(world, rng, mode, flight, ring_of)
    office = np.where(
        mode == 0,
        _LAND[choose(rng, _LAND_SHARES, n)],
        np.where(mode == 1, _AIR[0], _SEA[choose(rng, _SEA_SHARES, n)]),
    )
    at = np.where(
        mode == 1,
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
    chance = _visitor_chance(
        world, nation[party], mode[party], flight[party], purpose, ring_of[party], size[party]
    )
    kind = _visitor_kinds(rng, chance, ring_of[party] >= 0)
    foreign_paper = rng.random(m) < np.where(kind == "document_fraud", 0.22, 0.012)
    entry = rows(
        people,
        at=at[party] + spread,
        office=office[party],
        lane=_lanes(mode[party], False),
        direction="entry",
        mode=_modes(mode[party]),
        visa=np.where(visa_free, "VF", np.where(long_stay, "D", "C")),
        purpose=purpose,
        issuer=np.where(foreign_paper, choose(rng, _VISITOR_SHARES, m), nation[party]),
        residence=np.where(rng.random(m) < 0.07, choose(rng, _VISITOR_SHARES, m), nation[party]),
        plate=plate.gather(party),
        plate_country=sign.gather(party),
        carrier=_carriers(world, mode[party], flight[party]),
        flight=_if(mode[party] == 1, world.flights.number.gather(flight[party])),
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
    """By air mostly from where the flight comes; by road the neighbour first; a ring brings its two or three nations."""
    anyone = choose(rng, _VISITOR_SHARES, len(mode))
    near = (mode == 0) & (rng.random(len(mode)) < 0.35)
    flown = (mode == 1) & (rng.random(len(mode)) < 0.6)
    nation = np.where(near, 0, np.where(flown, world.flights.origin[flight], anyone))
    visa_nations = np.flatnonzero(NEEDS_VISA)
    led = visa_nations[(ring_of * 5 + rng.integers(0, 3, len(mode))) % len(visa_nations)]
    return np.where((ring_of >= 0) & (rng.random(len(mode)) < 0.8), led, nation)


def _party_cars(
    world: World, rng: np.random.Generator, nation: Ints, mode: Ints, ring_of: Ints
) -> tuple[pl.Series, pl.Series]:
    """Plate and sign of each party: a ring's van, a hired van of Norvale, or the party's own car; none off the road."""
    n, vans = len(nation), world.people.vans
    own = plates(rng, n)
    van = np.where(
        ring_of >= 0, world.rings.vans[ring_of, rng.integers(0, 3, n)], rng.integers(0, len(vans), n)
    )
    hired = (ring_of >= 0) | (rng.random(n) < 0.09)
    by_car = mode == 0
    sign = np.array(["XS", "XO", "DE", "AT", "IT", "TR", "RO", "PL"])[
        np.where(nation < 2, nation, 2 + nation % 6)
    ]
    frame = pl.DataFrame({"own": own, "van": vans.gather(van), "hired": hired, "car": by_car, "sign": sign})
    out = frame.select(
        plate=pl.when("car").then(pl.when("hired").then("van").otherwise("own")).otherwise(pl.lit("")),
        sign=pl.when("car").then(pl.when("hired").then(pl.lit("XN")).otherwise("sign")).otherwise(pl.lit("")),
    )
    return out["plate"], out["sign"]


def _shared_documents(
    world: World, rng: np.random.Generator, people: pl.DataFrame, ring_of: Ints
) -> pl.DataFrame:
    """Some who come with a ring travel on one of its few booklets, under another name than the last bearer."""
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
    odds = -5.35 + people.nation_risk[nation] + np.where(mode == 1, people.flight_risk[flight], 0.0)
    odds += 0.5 * np.isin(purpose, ["STUDY", "WORK"]) + 0.25 * (size == 1)
    return np.where(ring_of >= 0, 0.55, logistic(odds))


def _visitor_kinds(rng: np.random.Generator, chance: Floats, led: Bools) -> Texts:
    n = len(chance)
    alone = rng.choice(
        ["overstay", "document_fraud", "refused_entry", "smuggling"], n, p=[0.5, 0.15, 0.2, 0.15]
    )
    guided = rng.choice(
        ["overstay", "document_fraud", "refused_entry", "smuggling"], n, p=[0.35, 0.4, 0.1, 0.15]
    )
    return np.where(rng.random(n) < chance, np.where(led, guided, alone), "")


def _smuggled(rng: np.random.Generator, chance: Floats) -> Texts:
    return np.where(rng.random(len(chance)) < chance, "smuggling", "")


def _modes(mode: Ints) -> Texts:
    return np.array(["land", "air", "sea"])[mode]


def _lanes(mode: Ints, home: bool) -> Texts:
    return np.array(["CAR", "EGATE" if home else "ALL", "FERRY"])[mode]


def _if(condition: Bools, value: pl.Series) -> pl.Series:
    return pl.select(pl.when(pl.Series(condition)).then(value).otherwise(pl.lit("")).alias("v"))["v"]


def _carriers(world: World, mode: Ints, flight: Ints) -> pl.Series:
    airline = world.flights.airline.gather(flight)
    return pl.select(
        pl.when(pl.Series(mode == 1))
        .then(airline)
        .when(pl.Series(mode == 2))
        .then(pl.lit("NVFERRY"))
        .otherwise(pl.lit(""))
        .alias("v")
    )["v"]

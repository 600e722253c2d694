"""A day's travel: commuters, lorry drivers, Norvale's own people, visitors; the way back is planned with it.

Rows are `crossing_rows.SCHEMA`; some fall on later days. Ids, secondary examination and layout are elsewhere.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import ROAD_HOURS, is_working_day, midnight, moments, travel_factor
from simulation.consigning import Arrivals
from simulation.crossing_rows import leaving, rows
from simulation.fleet import TRUCKS_EACH
from simulation.impostors import impostors
from simulation.means import (
    AIR,
    LAND,
    WORKERS_HOME,
    any_post,
    carriers,
    fellow_travellers,
    lanes,
    mode_names,
    only,
    signs,
    smuggled,
)
from simulation.randomness import choose, logistic
from simulation.visits import visits
from simulation.world import World

RESIDENT_TRIPS = 320.0
# Residents who ride in another's car, ways out that nobody notes, commuters who work in shifts.
_RIDES, _UNNOTED, _SHIFTS = 0.1, 0.01, 0.08
_DAY = 86_400


def day_of_travel(world: World, day: date, arrivals: Arrivals) -> pl.DataFrame:
    """Crossings that begin with `day`: entries and exits, in no order."""
    return pl.concat([commuting(world, day), haulage(world, day, arrivals), residents(world, day), visits(world, day)])


def commuting(world: World, day: date) -> pl.DataFrame:
    """People who live on one side and work on the other: in by morning, out by evening."""
    rng, people = world.rng(day, "commuting"), world.people
    stopped = world.scenario.travel_factor(world.number(day))
    going = np.flatnonzero(rng.random(len(people.commuters)) < (0.86 if is_working_day(day) else 0.05) * stopped)
    n = len(going)
    # One in eight shares another's car.
    driver = np.where(rng.random(n) < 0.12, rng.integers(0, len(people.commuters), n), going)
    chance = logistic(-5.15 + people.commuter_risk[going])
    # Most begin in the morning; shifts begin at any hour.
    shift = rng.random(n) < _SHIFTS
    begins = np.where(shift, rng.uniform(5, 20, n), rng.normal(7.2, 0.8, n))
    ends = np.where(shift, begins + rng.normal(8.5, 0.5, n), rng.normal(17.1, 1.0, n))
    entry = rows(
        people.commuters[going],
        at=midnight(day) + (begins * 3600).astype(np.int64),
        office=world.scenario.redirect(world.number(day))[people.commuter_office[going]],
        lane="CAR",
        direction="entry",
        mode="land",
        visa="RP",
        purpose="WORK",
        residence=np.full(n, WORKERS_HOME),
        plate=people.commuter_plate.gather(driver),
        plate_country="XS",
        kind=smuggled(rng, chance),
        probability=chance,
    )
    return pl.concat([entry, leaving(entry, midnight(day) + (ends * 3600).astype(np.int64))])


def haulage(world: World, day: date, arrivals: Arrivals) -> pl.DataFrame:
    """Drivers of the lorries that bring goods; a loaded ring job often has something in the cab too."""
    rng, n = world.rng(day, "haulage"), len(arrivals.truck)
    chance = np.where(arrivals.loaded, 0.5, 0.006)
    truck = arrivals.truck
    # One lorry in six is driven by someone else's driver that day, two in five of a ring's.
    driver = np.where(
        rng.random(n) < np.where(arrivals.ring >= 0, 0.4, 0.16), rng.integers(0, len(world.people.drivers), n), truck
    )
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
        carrier=world.trucks.haulier_id.gather(truck // TRUCKS_EACH),
        kind=smuggled(rng, chance),
        probability=chance,
        ring=arrivals.ring,
    )
    return pl.concat([entry, leaving(entry, arrivals.at + rng.integers(5 * 3600, 34 * 3600, n))])


def residents(world: World, day: date) -> pl.DataFrame:
    """People of Norvale who go abroad and come home; the misdeed, if any, is on the way home; and their doubles."""
    rng, people = world.rng(day, "residents"), world.people
    stopped, outings = world.scenario.travel_factor(world.number(day)), world.outings(day)
    ordinary = int(rng.poisson(RESIDENT_TRIPS * world.scale * travel_factor(day) * stopped))
    who = np.concatenate([choose(rng, people.resident_weight, ordinary), outings.mule])
    ring, n = np.concatenate([np.full(ordinary, -1), outings.mule_ring]), len(who)
    mode = np.where(ring >= 0, LAND, choose(rng, np.array([0.58, 0.30, 0.12]), n))
    flight, leave = choose(rng, world.flights.share, n), moments(rng, day, ROAD_HOURS, n)
    days_away = np.where(mode == LAND, rng.geometric(0.55, n) - 1, rng.geometric(0.16, n))
    back = leave + np.where(
        days_away == 0,
        rng.integers(2 * 3600, 7 * 3600, n),
        days_away * _DAY + rng.integers(-10_000, 10_000, n),
    )
    office = np.where(mode == LAND, people.resident_office[who], any_post(rng, mode))
    office = world.scenario.redirect(world.number(day))[office]
    by_car, by_air = mode == LAND, mode == AIR
    chance = np.where(ring >= 0, 0.65, logistic(-5.05 + people.resident_risk[who] + 0.5 * (days_away == 0)))
    # Some ride in a visitor's car; a ring's people drive their own.
    rides = by_car & (ring < 0) & (rng.random(n) < _RIDES)
    car = rng.integers(0, len(people.regular_cars), n)
    own = pl.DataFrame(
        {
            "own": people.resident_plate.gather(who),
            "other": people.regular_cars.gather(car),
            "rides": rides,
        }
    ).select(pl.when("rides").then("other").otherwise("own").alias("plate"))["plate"]
    sign = np.where(rides, signs(people.regular_nation[car]), "XN")
    home = rows(
        people.residents[who],
        at=back,
        office=office,
        lane=lanes(mode, True),
        direction="entry",
        mode=mode_names(mode),
        visa="NA",
        purpose="RETURN",
        plate=only(by_car, own),
        plate_country=np.where(by_car, sign, ""),
        carrier=carriers(world, mode, flight),
        flight=only(by_air, world.flights.number.gather(flight)),
        party_size=np.where(rides, fellow_travellers(rng, n), 1),
        kind=smuggled(rng, chance),
        probability=chance,
        ring=ring,
    )
    out = leaving(home, leave).with_columns(
        purpose=pl.Series(rng.choice(["TOURISM", "BUSINESS", "FAMILY"], n, p=[0.5, 0.2, 0.3]))
    )
    # Now and then nobody notes the way out.
    noted = out.filter(pl.Series(rng.random(n) >= _UNNOTED))
    trips = pl.DataFrame({"who": who, "ring": ring, "leave": leave, "office": office})
    return pl.concat([noted, home, impostors(world, day, trips)])

"""People who enter on another's genuine document: that of a resident or commuter who is at home or elsewhere.

Names and birth date are those of the document. Rings rent the documents of their own residents. The same document
may so be shown at two posts within an hour, or enter twice without leaving. Rows are `crossing_rows.SCHEMA`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import ROAD_HOURS, moments, travel_factor
from simulation.crossing_rows import rows
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
)
from simulation.people import People
from simulation.randomness import Bools, Ints, choose
from simulation.world import World

LONERS = 1.05
_CHANCE = 0.9
_OF_A_COMMUTER, _WHILE_ABROAD = 0.25, 0.4


def impostors(world: World, day: date, trips: pl.DataFrame) -> pl.DataFrame:
    """Entries on others' documents; `trips` are the day's own of residents: who, ring, leave, office."""
    rng, people, outings = world.rng(day, "impostors"), world.people, world.outings(day)
    stopped = world.scenario.travel_factor(world.number(day))
    alone = int(rng.poisson(LONERS * world.scale * travel_factor(day) * stopped))
    ring = np.concatenate([np.full(alone, -1), outings.impostor_ring])
    n, led = len(ring), ring >= 0
    resident = np.concatenate([choose(rng, people.resident_weight, alone), outings.impostor_mule])
    at, office_of = moments(rng, day, ROAD_HOURS, n), np.full(n, -1)
    owner = _abroad(rng, trips, ring)
    away = (owner >= 0) & (rng.random(n) < _WHILE_ABROAD)
    resident[away] = trips["who"].to_numpy()[owner[away]]
    at[away] = trips["leave"].to_numpy()[owner[away]] + rng.integers(-2 * 3600, 4 * 3600, int(away.sum()))
    office_of[away] = trips["office"].to_numpy()[owner[away]]
    commuting = ~led & ~away & (rng.random(n) < _OF_A_COMMUTER)
    mode = np.where(led, np.where(rng.random(n) < 0.75, LAND, AIR), choose(rng, np.array([0.55, 0.33, 0.12]), n))
    mode = np.where(commuting, LAND, mode)
    office = any_post(rng, mode)
    # Where the owner has just been seen is where nobody wants to be seen again.
    office = np.where(office == office_of, any_post(rng, mode), office)
    office = world.scenario.redirect(world.number(day))[office]
    flight = choose(rng, world.flights.share, n)
    car = np.concatenate([rng.integers(0, len(people.regular_cars), alone), outings.impostor_car])
    commuter = rng.integers(0, len(people.commuters), n)
    drives = people.commuter_plate.gather(rng.integers(0, len(people.commuters), n))
    chance = np.full(n, _CHANCE)
    by_car = mode == LAND
    frame = pl.DataFrame({"c": commuting, "theirs": drives, "regular": people.regular_cars.gather(car)})
    plate = frame.select(pl.when("c").then("theirs").otherwise("regular").alias("p"))["p"]
    sign = np.where(commuting, "XS", signs(people.regular_nation[car]))
    shown = _documents(people, resident, commuter, commuting)
    return rows(
        shown,
        at=at,
        office=office,
        lane=lanes(mode, True),
        direction="entry",
        mode=mode_names(mode),
        residence=np.where(commuting, WORKERS_HOME, shown["nation"].to_numpy()),
        visa=np.where(commuting, "RP", "NA"),
        purpose=np.where(commuting, "WORK", "RETURN"),
        plate=only(by_car, plate),
        plate_country=np.where(by_car, sign, ""),
        carrier=carriers(world, mode, flight),
        flight=only(mode == AIR, world.flights.number.gather(flight)),
        party_size=np.where(by_car & ~commuting, fellow_travellers(rng, n), 1),
        kind=np.where(rng.random(n) < chance, "impostor", ""),
        probability=chance,
        ring=ring,
    )


def _abroad(rng: np.random.Generator, trips: pl.DataFrame, ring: Ints) -> Ints:
    """For each impostor one of today's trips, a ring's of its own residents; -1 where there is none."""
    whose, found = trips["ring"].to_numpy(), np.full(len(ring), -1)
    for place, r in enumerate(ring.tolist()):
        own = np.flatnonzero(whose == r)
        if len(own):
            found[place] = own[rng.integers(0, len(own))]
    return found


def _documents(people: People, resident: Ints, commuter: Ints, commuting: Bools) -> pl.DataFrame:
    both = pl.concat([people.residents, people.commuters])
    return both[np.where(commuting, len(people.residents) + commuter, resident)]

"""What plate cameras see: traffic of the posts, lorries by night before a job, everybody else on the road."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import NIGHT_HOURS, ROAD_HOURS, moments
from simulation.geography import CAMERAS, OFFICES, POST_CAMERAS, SECTOR_CAMERAS
from simulation.jobs import nights_before
from simulation.means import signs
from simulation.randomness import Ints, choose
from simulation.world import World

SIGHTINGS_A_DAY = 5533.0
# Chance that cameras see a ring's vehicle on one of the three nights before its job.
_SEEN = 0.78
_SECTORS = np.array(SECTOR_CAMERAS)
_POSTS = np.array([[POST_CAMERAS.get((o.code, way), 0) for way in ("IN", "OUT")] for o in OFFICES])
_CONFUSED = {"0": "O", "8": "B", "1": "7", "5": "6", "B": "8", "M": "N", "E": "F", "C": "G"}


def day_of_sightings(world: World, day: date, crossings: pl.DataFrame) -> pl.DataFrame:
    """Sightings that go with a day, in no order; `jitter` is of the heading, in degrees."""
    rng = world.rng(day, "sightings")
    parts = [_at_posts(rng, crossings), _by_night(world, rng, day)]
    missing = rng.poisson(SIGHTINGS_A_DAY * world.scale) - sum(len(p) for p in parts)
    parts.append(_passing_by(world, rng, day, max(int(missing), 0)))
    seen = pl.concat(parts)
    n = len(seen)
    delay = np.where(rng.random(n) < 0.01, rng.integers(600, 20_000, n), rng.integers(1, 40, n))
    confidence = np.round(rng.beta(18, 1.6, n), 3)
    misread = rng.random(n) < 0.004 + 0.05 * (confidence < 0.8)
    return seen.with_columns(
        received=pl.col("at") + pl.Series(delay),
        confidence=pl.Series(confidence),
        micros=pl.Series(rng.integers(0, 10**6, n)),
        plate=pl.when(pl.Series(misread))
        .then(pl.col("plate").str.replace_many(list(_CONFUSED), list(_CONFUSED.values())))
        .otherwise("plate"),
        jitter=pl.Series(rng.normal(0, 4, n).round(1)),
    )


def _frame(at: Ints, camera: Ints, plate: pl.Series, country: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"at": at, "camera": camera, "plate": plate, "plate_country": country})


def _at_posts(rng: np.random.Generator, crossings: pl.DataFrame) -> pl.DataFrame:
    """Once a vehicle, whatever the party: the post's own camera, then a sector camera on the way."""
    cars = crossings.filter(pl.col("plate") != "").unique(["plate", "direction"], keep="first", maintain_order=True)
    n, entry = len(cars), (cars["direction"] == "entry").to_numpy()
    at, office = cars["at"].to_numpy(), cars["office"].to_numpy()
    post = _POSTS[office, np.where(entry, 0, 1)]
    ahead = np.where(entry, 1, -1)
    sector = _SECTORS[(office * 6 + rng.integers(0, 8, n)) % len(_SECTORS)]
    spans = (
        rng.integers(-900, -60, n),
        ahead * rng.integers(900, 5400, n),
        ahead * rng.integers(4000, 9000, n),
    )
    parts = []
    for camera, span, chance in zip(
        (post, sector, _SECTORS[rng.integers(0, len(_SECTORS), n)]), spans, (0.93, 0.72, 0.45), strict=True
    ):
        seen = np.flatnonzero(rng.random(n) < chance)
        parts.append(
            _frame(
                (at + span)[seen],
                camera[seen],
                cars["plate"].gather(seen),
                cars["plate_country"].gather(seen),
            )
        )
    return pl.concat(parts)


def _by_night(world: World, rng: np.random.Generator, day: date) -> pl.DataFrame:
    """Vehicles that drive by night as a habit, and those of rings on the nights before they are used."""
    trucks, people = world.trucks, world.people
    sign = pl.Series(signs(people.regular_nation))
    fleets = (
        (trucks.plate, trucks.country, np.flatnonzero(trucks.nightly), 0.12, _lorries(world)),
        (
            people.regular_cars,
            sign,
            np.arange(len(people.regular_cars)),
            0.012,
            _cars(world),
        ),
        (people.resident_plate, None, np.arange(len(people.resident_plate)), 0.008, _mules(world)),
        (people.vans, None, np.arange(len(people.vans)), 0.04, None),
    )
    parts = []
    for plate, country, nightly, habit, of_day in fleets:
        out = nightly[rng.random(len(nightly)) < habit]
        if of_day is not None:
            scouts = nights_before(of_day, day)
            out = np.concatenate([out, scouts[rng.random(len(scouts)) < _SEEN]])
        which = np.repeat(out, rng.integers(1, 4, len(out)))
        n = len(which)
        shown = pl.Series(["XN"] * n, dtype=pl.String) if country is None else country.gather(which)
        parts.append(_frame(moments(rng, day, NIGHT_HOURS, n), _any_sector(rng, n), plate.gather(which), shown))
    return pl.concat(parts)


def _lorries(world: World) -> Callable[[date], Ints]:
    def of_day(day: date) -> Ints:
        jobs = world.jobs(day)
        return jobs.truck[jobs.scouted & ~jobs.by_sea]

    return of_day


def _cars(world: World) -> Callable[[date], Ints]:
    def of_day(day: date) -> Ints:
        outings = world.outings(day)
        return outings.car[outings.scouted & outings.by_road]

    return of_day


def _mules(world: World) -> Callable[[date], Ints]:
    def of_day(day: date) -> Ints:
        outings = world.outings(day)
        return outings.mule[outings.mule_scouted]

    return of_day


def _any_sector(rng: np.random.Generator, n: int) -> Ints:
    sectors: Ints = _SECTORS[rng.integers(0, len(_SECTORS), n)]
    return sectors


def _passing_by(world: World, rng: np.random.Generator, day: date, n: int) -> pl.DataFrame:
    """Lorries, vans, visitors' and residents' cars on the road for reasons of their own."""
    trucks, people = world.trucks, world.people
    fleets = (trucks.plate, people.vans, people.regular_cars, people.resident_plate)
    countries = (
        trucks.country,
        pl.Series(["XN"] * len(people.vans)),
        pl.Series(signs(people.regular_nation)),
        pl.Series(["XN"] * len(people.resident_plate)),
    )
    size = np.array([len(f) for f in fleets])
    sort = choose(rng, np.array([0.2, 0.05, 0.12, 0.63]), n)
    which = (np.cumsum(size) - size)[sort] + (rng.random(n) * size[sort]).astype(np.int64)
    return _frame(
        moments(rng, day, ROAD_HOURS, n),
        _any_sector(rng, n),
        pl.concat(fleets).gather(which),
        pl.concat(countries).gather(which),
    )


CAMERA_TABLE = pl.DataFrame(
    {
        "camera_id": [c.code for c in CAMERAS],
        "site": [c.site for c in CAMERAS],
        "latitude": [c.latitude for c in CAMERAS],
        "longitude": [c.longitude for c in CAMERAS],
        "heading_deg": [c.heading_deg for c in CAMERAS],
    }
)

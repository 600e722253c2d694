"""What plate cameras see: traffic of the posts, lorries by night before a job, everybody else on the road."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulation.calendars import NIGHT_HOURS, ROAD_HOURS, moments
from simulation.geography import CAMERAS, OFFICES, POST_CAMERAS, SECTOR_CAMERAS
from simulation.randomness import Ints
from simulation.rings import coming_jobs
from simulation.world import World

SIGHTINGS_A_DAY = 5833.0
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
    """Lorries that drive by night as a habit, and ring lorries that try the road before a job."""
    trucks = world.trucks
    habit = np.flatnonzero(trucks.nightly & (rng.random(len(trucks.nightly)) < 0.12))
    scouting = [j.truck[j.scouted & ~j.by_sea] for j in coming_jobs(world.rings, world.vessels.phase, world.seed, day)]
    scouts = np.concatenate(scouting)
    scouts = scouts[rng.random(len(scouts)) < 0.75]
    vans = world.rings.vans.ravel()
    vans = vans[rng.random(len(vans)) < 0.12]
    hire = np.flatnonzero(rng.random(len(world.people.vans)) < 0.03)
    lorries = np.repeat(np.concatenate([habit, scouts]), rng.integers(1, 4, len(habit) + len(scouts)))
    small = np.concatenate([vans, hire])
    night = day + timedelta(days=0)
    n, m = len(lorries), len(small)
    return pl.concat(
        [
            _frame(
                moments(rng, night, NIGHT_HOURS, n),
                _SECTORS[rng.integers(0, len(_SECTORS), n)],
                trucks.plate.gather(lorries),
                trucks.country.gather(lorries),
            ),
            _frame(
                moments(rng, night, NIGHT_HOURS, m),
                _SECTORS[rng.integers(0, len(_SECTORS), m)],
                world.people.vans.gather(small),
                pl.Series(["XN"] * m, dtype=pl.String),
            ),
        ]
    )


def _passing_by(world: World, rng: np.random.Generator, day: date, n: int) -> pl.DataFrame:
    """Lorries, vans and residents' cars on the road for reasons of their own."""
    sort = rng.random(n)
    trucks, people = world.trucks, world.people
    pool = pl.concat([trucks.plate, people.vans, people.resident_plate])
    country = pl.concat([trucks.country, pl.Series(["XN"] * (len(people.vans) + len(people.resident_plate)))])
    a, b, c = len(trucks.plate), len(people.vans), len(people.resident_plate)
    which = np.where(
        sort < 0.2,
        rng.integers(0, a, n),
        np.where(sort < 0.25, a + rng.integers(0, b, n), a + b + rng.integers(0, c, n)),
    )
    return _frame(
        moments(rng, day, ROAD_HOURS, n),
        _SECTORS[rng.integers(0, len(_SECTORS), n)],
        pool.gather(which),
        country.gather(which),
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

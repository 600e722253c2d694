"""What sensors other than plate cameras notice: radar at sea, thermal cameras, ground sensors, drones.

Radar sees vessels that are silent on AIS; on land most of what is noticed is game, farmers and patrols.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulation.calendars import ROAD_HOURS, midnight, moments
from simulation.geography import CAMERAS, SECTOR_CAMERAS, SECTORS_TO
from simulation.randomness import Ints, choose
from simulation.world import World

RADAR_SHARE, ON_LAND_A_DAY = 0.12, 260.0
_NOTICED = 0.3
# Vehicles are changed from the evening on until early morning.
_EVENING_S, _MORNING_S = 5 * 3600, 4 * 3600
SORTS = ("radar", "camera", "ground_sensor", "drone")
_LAND_SHARES = np.array([0.5, 0.4, 0.1])
_CLASSES = {"camera": ("person", "vehicle", "animal"), "ground_sensor": ("steps", "vehicle", "animal")}


def day_of_detections(world: World, day: date, reports: pl.DataFrame) -> pl.DataFrame:
    """Detections that go with a day, in no order; `reports` holds every vessel report, heard or not."""
    rng = world.rng(day, "detections")
    plots = reports.filter(pl.Series(rng.random(len(reports)) < RADAR_SHARE))
    sea = pl.DataFrame(
        {
            "at": plots["at"],
            "sort": pl.Series(["radar"] * len(plots), dtype=pl.String),
            "sensor": pl.Series([f"RDR{k}" for k in rng.integers(1, 4, len(plots))], dtype=pl.String),
            "latitude": plots["latitude"].to_numpy() + rng.normal(0, 0.002, len(plots)),
            "longitude": plots["longitude"].to_numpy() + rng.normal(0, 0.002, len(plots)),
            "class": pl.Series(["vessel"] * len(plots), dtype=pl.String),
            "speed_kn": plots["sog"].to_numpy() / 10 + rng.normal(0, 0.3, len(plots)),
        }
    )
    return pl.concat([sea, _on_land(world, rng, day)])


def _on_their_way(world: World, rng: np.random.Generator, day: date) -> Ints:
    """Posts towards which groups and goods of tomorrow are noticed while they change vehicles tonight."""
    tomorrow = day + timedelta(days=1)
    outings, jobs = world.outings(tomorrow), world.jobs(tomorrow)
    posts = np.concatenate([outings.office[outings.by_road], jobs.office[~jobs.by_sea]])
    noticed: Ints = posts[rng.random(len(posts)) < _NOTICED]
    return noticed


def _on_land(world: World, rng: np.random.Generator, day: date) -> pl.DataFrame:
    posts = _on_their_way(world, rng, day)
    moved, ordinary = len(posts), int(rng.poisson(ON_LAND_A_DAY * world.scale))
    n = ordinary + moved
    sort = np.array(SORTS[1:])[choose(rng, _LAND_SHARES, n)]
    sectors = [SECTOR_CAMERAS[k] for k in rng.integers(0, len(SECTOR_CAMERAS), ordinary)]
    sectors += [SECTORS_TO[post][k] for post, k in zip(posts.tolist(), rng.integers(0, 4, moved), strict=True)]
    where = [CAMERAS[k] for k in sectors]
    kind = rng.choice(3, n, p=[0.25, 0.3, 0.45])
    kind[ordinary:] = rng.choice(2, moved)
    night = midnight(day + timedelta(days=1)) + rng.integers(-_EVENING_S, _MORNING_S, moved)
    at = np.concatenate([moments(rng, day, ROAD_HOURS, ordinary), night])
    names = [_CLASSES.get(s, _CLASSES["camera"])[k] for s, k in zip(sort.tolist(), kind.tolist(), strict=True)]
    return pl.DataFrame(
        {
            "at": at,
            "sort": sort,
            "sensor": [f"{s[:3].upper()}-{c.site}" for s, c in zip(sort.tolist(), where, strict=True)],
            "latitude": np.array([c.latitude for c in where]) + rng.normal(0, 0.01, n),
            "longitude": np.array([c.longitude for c in where]) + rng.normal(0, 0.01, n),
            "class": pl.Series(names, dtype=pl.String),
            "speed_kn": rng.gamma(2.0, 1.5, n),
        }
    )

"""Where vessels are and what they transmit: reports along the routes of a day. Encoding: `formats.ais`."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation.randomness import choose
from simulation.routes import routes_of
from simulation.voyages import Calls
from simulation.world import World

REPORTS_A_DAY = 2800.0
_STATIC_SHARE = 0.1
_UNDER_WAY = np.array([True, False, True, False, True])
# Scatter of positions in degrees: at anchor or alongside, at berth, adrift, under way.
_ANCHORED, _BERTHED, _ADRIFT, _SAILING = 0.0006, 0.0002, 0.006, 0.0012


def day_of_reports(world: World, day: date, calls: Calls) -> pl.DataFrame:
    """Reports of the routes of `day`, in no order, `heard` or not: `sog` in 0.1 knots, `cog` in 0.1 degrees."""
    rng, routes = world.rng(day, "tracks"), routes_of(world, day, calls)
    knots, points = routes.knots, routes.points
    lasts = knots[:, 5] - knots[:, 0]
    total = int(rng.poisson(REPORTS_A_DAY * world.scale))
    route = choose(rng, lasts.astype(np.float64), total)
    moment = knots[route, 0] + rng.random(total) * lasts[route]
    leg = np.clip((knots[route] <= moment[:, None]).sum(axis=1) - 1, 0, 4)
    span = np.maximum(knots[route, leg + 1] - knots[route, leg], 1)
    share = ((moment - knots[route, leg]) / span)[:, None]
    step = points[route, leg + 1] - points[route, leg]
    here = points[route, leg] + step * share
    east = step[:, 1] * np.cos(np.radians(here[:, 0]))
    miles = 60 * np.hypot(step[:, 0], east)
    moving, slow = _UNDER_WAY[leg], leg == 1
    speed = np.where(
        moving,
        miles / (span / 3600) + rng.normal(0, 0.4, total),
        np.where(slow, rng.uniform(0.1, 1.6, total), 0.0),
    )
    course = np.where(moving, np.degrees(np.arctan2(east, step[:, 0])) % 360, rng.uniform(0, 360, total))
    waiting = np.where(routes.still[route], _ANCHORED, _ADRIFT)
    drift = np.where(leg == 3, _BERTHED, np.where(slow, waiting, _SAILING))
    at = moment.astype(np.int64)
    return pl.DataFrame(
        {
            "at": at,
            "vessel": routes.vessel[route],
            "static": rng.random(total) < _STATIC_SHARE,
            "latitude": here[:, 0] + rng.normal(0, 1, total) * drift,
            "longitude": here[:, 1] + rng.normal(0, 1, total) * drift,
            "sog": np.clip(np.round(speed * 10), 0, 600).astype(np.int64),
            "cog": np.round((course + rng.normal(0, 2, total)) * 10).astype(np.int64) % 3600,
            "status": np.where(leg == 3, 5, np.where(slow & (rng.random(total) < 0.5), 1, 0)),
            "eta": knots[route, 3],
            "office": routes.office[route],
            "receiver": rng.integers(0, 2, total),
            "channel": rng.integers(0, 2, total),
            "heard": ~((at >= routes.dark_from[route]) & (at < routes.dark_to[route])),
        }
    )

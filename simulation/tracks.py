"""Where vessels are and what they transmit: reports along the legs of a call. Encoding: `formats.ais`."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation.geography import OFFICES
from simulation.voyages import APPROACH_S, LEAVE_S, Calls
from simulation.world import World

REPORTS_A_DAY = 2500.0
_STATIC_SHARE = 0.1
_BERTH = np.array([[o.latitude, o.longitude] for o in OFFICES])


def day_of_reports(world: World, day: date, calls: Calls) -> pl.DataFrame:
    """Reports of the calls of `day`, in no order, `heard` or not: `sog` in 0.1 knots, `cog` in 0.1 degrees."""
    rng, n = world.rng(day, "tracks"), len(calls.vessel)
    total = int(rng.poisson(REPORTS_A_DAY * world.scale)) if n else 0
    call = rng.integers(0, max(n, 1), total)
    # Knots: entry, waiting begins, waiting ends, berthed, cast off, out of range.
    ends = calls.arrival - calls.inshore_s
    knots = np.stack(
        [
            calls.arrival - APPROACH_S - calls.loiter_s,
            ends - calls.loiter_s,
            ends,
            calls.arrival,
            calls.departure,
            calls.departure + LEAVE_S,
        ],
        axis=1,
    )
    sea = np.stack([rng.uniform(36.2, 38.1, n), rng.uniform(19.6, 20.4, n)], axis=1)
    away = np.stack([rng.uniform(36.2, 38.1, n), rng.uniform(19.6, 20.4, n)], axis=1)
    berth = _BERTH[calls.office]
    done = (APPROACH_S - calls.inshore_s) / APPROACH_S
    wait = sea + (berth - sea) * done[:, None]
    points = np.stack([sea, wait, wait, berth, berth, away], axis=1)
    moment = knots[call, 0] + rng.random(total) * (knots[call, 5] - knots[call, 0])
    leg = np.clip((knots[call] <= moment[:, None]).sum(axis=1) - 1, 0, 4)
    span = np.maximum(knots[call, leg + 1] - knots[call, leg], 1)
    share = ((moment - knots[call, leg]) / span)[:, None]
    here = points[call, leg] + (points[call, leg + 1] - points[call, leg]) * share
    step = points[call, leg + 1] - points[call, leg]
    east = step[:, 1] * np.cos(np.radians(here[:, 0]))
    miles = 60 * np.hypot(step[:, 0], east)
    moving = (leg == 0) | (leg == 2) | (leg == 4)
    knots_speed = np.where(
        moving,
        miles / (span / 3600) + rng.normal(0, 0.4, total),
        np.where(leg == 1, rng.uniform(0.1, 1.6, total), 0.0),
    )
    course = np.where(moving, np.degrees(np.arctan2(east, step[:, 0])) % 360, rng.uniform(0, 360, total))
    drift = np.where(leg == 3, 0.0002, np.where(leg == 1, 0.006, 0.0012))
    at = moment.astype(np.int64)
    heard = ~((at >= calls.dark_from[call]) & (at < calls.dark_to[call]))
    return pl.DataFrame(
        {
            "at": at,
            "vessel": calls.vessel[call] if n else call,
            "static": rng.random(total) < _STATIC_SHARE,
            "latitude": here[:, 0] + rng.normal(0, 1, total) * drift,
            "longitude": here[:, 1] + rng.normal(0, 1, total) * drift,
            "sog": np.clip(np.round(knots_speed * 10), 0, 600).astype(np.int64),
            "cog": np.round((course + rng.normal(0, 2, total)) * 10).astype(np.int64) % 3600,
            "status": np.where(leg == 3, 5, np.where((leg == 1) & (rng.random(total) < 0.5), 1, 0)),
            "eta": calls.arrival[call] if n else call,
            "office": calls.office[call] if n else call,
            "receiver": rng.integers(0, 2, total),
            "channel": rng.integers(0, 2, total),
            "heard": heard,
        }
    )

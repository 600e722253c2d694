"""Land posts by the hour: when they are open, and how long vehicles wait. Who comes is in `travel`.

One queue a post, direction and lane, first come first served at an even pace (Lindley's recursion), so that a rush
spreads over the hours after it.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation.calendars import midnight
from simulation.geography import OFFICES, OFFICES_OF
from simulation.randomness import Bools, Floats, Ints
from simulation.world import World

# Vehicles an hour in all posts together, one way, at scale 1.0, and the least that one lane of a post lets through.
_CARS_AN_HOUR, _LORRIES_AN_HOUR, _ONE_LANE = 110.0, 20.0, 20.0
# More lanes are opened before anyone waits longer.
_PATIENCE_S = 2 * 3600
# Who would come before opening comes in the first hour, who would come after closing in the last.
_SQUEEZED_S = 3600


def to_open_posts(world: World, day: date, crossings: pl.DataFrame) -> pl.DataFrame:
    """The crossings of `day`, of whom those that came by a port that has closed since leave by another."""
    office = world.scenario.redirect(world.number(day))[crossings["office"].to_numpy()]
    return crossings.with_columns(office=pl.Series(office, dtype=crossings.schema["office"]))


def let_through(world: World, day: date, crossings: pl.DataFrame) -> pl.DataFrame:
    """The crossings recorded on `day`, `at` and `recorded` when the post is open and the queue has moved up."""
    land = np.flatnonzero((crossings["mode"] == "land").to_numpy())
    if not len(land):
        return crossings
    here, begins = crossings[land], midnight(day)
    office, arrived = here["office"].to_numpy(), here["at"].to_numpy() - begins
    open_at = _in_hours(office, arrived)
    waits = np.zeros(len(land), dtype=np.int64)
    lorry, entry = (here["lane"] == "TRUCK").to_numpy(), (here["direction"] == "entry").to_numpy()
    vehicle = here.select(pl.col("plate").rank("dense"))["plate"].cast(pl.Int64).to_numpy()
    for post in OFFICES_OF["land"]:
        for trucks in (False, True):
            for way in (False, True):
                rows = np.flatnonzero((office == post) & (lorry == trucks) & (entry == way))
                if len(rows):
                    waits[rows] = _waits(open_at[rows], vehicle[rows], _service_s(world.scale, post, trucks))
    latest = np.array([o.closes * 3600 for o in OFFICES])[office] - 151
    shift = np.zeros(len(crossings), dtype=np.int64)
    shift[land] = np.where(open_at > latest, open_at, np.minimum(open_at + waits, latest)) - arrived
    return crossings.with_columns(at=pl.col("at") + pl.Series(shift), recorded=pl.col("recorded") + pl.Series(shift))


def _in_hours(office: Ints, second: Ints) -> Ints:
    """The second of the day at which each comes, given when the post is open; the order of arrivals stays."""
    opens = np.array([o.opens * 3600 for o in OFFICES])[office]
    closes = np.array([o.closes * 3600 for o in OFFICES])[office]
    early: Bools = second < opens
    late: Bools = (second >= closes - _SQUEEZED_S) & (closes < 86_400)
    after_dawn = opens + np.maximum(second, 0) * _SQUEEZED_S // np.maximum(opens, 1)
    last_hour = closes - _SQUEEZED_S
    before_dusk = last_hour + (second - last_hour) * (_SQUEEZED_S - 200) // np.maximum(86_400 - last_hour, 1)
    return np.where(early & (opens > 0), after_dawn, np.where(late, before_dusk, second))


def _service_s(scale: float, post: int, trucks: bool) -> float:
    office = OFFICES[post]
    an_hour = office.trade * _LORRIES_AN_HOUR if trucks else office.travel * _CARS_AN_HOUR
    return 3600 / max(an_hour * scale, _ONE_LANE)


def _waits(arrived: Ints, vehicle: Ints, service_s: float) -> Ints:
    """Seconds that each row's vehicle waits; people of one vehicle wait together."""
    _, first, of = np.unique(vehicle, return_index=True, return_inverse=True)
    comes = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(comes, of, arrived)
    order = np.argsort(comes, kind="stable")
    before = np.arange(len(order), dtype=np.float64) * service_s
    wait: Floats = np.empty(len(order))
    wait[order] = before + np.maximum.accumulate(comes[order] - before) - comes[order]
    found: Ints = np.minimum(wait, _PATIENCE_S).astype(np.int64)[of]
    return found

"""Selection: from scores and a capacity per location and day to lanes.

The lanes are the four of ASYCUDA: red (physical examination), yellow (documents), blue (audit after release),
green (release). The riskiest fill the lanes from red down; a few of the others are drawn at random, so that
what the model believes harmless is looked at too. The probability of being looked at is stored with each row.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from warehouse import ids
from warehouse.errors import BorderlakeError

LANES = ("red", "yellow", "blue", "green")


@dataclass(frozen=True)
class Capacity:
    """How many events a location can put in each lane a day: a share of the day below 1, a number from 1."""

    red: float = 0.03
    yellow: float = 0.05
    blue: float = 0.10
    exploration: float = 0.01
    """Drawn at random from what risk alone would not have looked at, examined like red."""


@dataclass(frozen=True)
class Capacities:
    """Capacities by location, and the default for the others."""

    default: Capacity = Capacity()
    locations: Mapping[str, Capacity] = field(default_factory=dict)


def read_capacities(path: Path, subject: str) -> Capacities:
    """Capacities of a subject from TOML: `[shipments.default]`, `[shipments.XNPRT]`; defaults where absent."""
    if not path.exists():
        return Capacities()
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get(subject, {})
        parsed = {location: _capacity(lanes) for location, lanes in tables.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise BorderlakeError(f"{path.name}: {error}; lanes are red, yellow, blue and exploration") from error
    default = parsed.pop("default", Capacity())
    return Capacities(default, parsed)


def _capacity(lanes: Mapping[str, float]) -> Capacity:
    capacity = Capacity(**lanes)
    for lane, seats in asdict(capacity).items():
        if isinstance(seats, bool) or not isinstance(seats, int | float) or not 0 <= seats < math.inf:
            raise ValueError(f"{lane} = {seats!r} is neither a share of the day nor a number of events")
    return capacity


def select(scores: pl.DataFrame, capacities: Capacities) -> pl.DataFrame:
    """Rows of `gold.*_selections` for score rows; lanes are filled within each location and day of delivery."""
    per_day = ("location", "received_on")
    # Ties are broken by a hash, not by arrival: two runs give the same lanes, and no one can queue for green.
    lot = ids.digest([pl.col("event_id"), pl.lit("lot")])
    ordered = scores.with_columns(lot=lot, day_rows=pl.len().over(per_day)).sort(
        ["raw_score", "lot"], descending=[True, False]
    )
    ranked = ordered.with_columns(rank=pl.int_range(1, pl.len() + 1).over(per_day), **_seats(capacities))
    red, yellow, blue = pl.col("red_seats"), pl.col("yellow_seats"), pl.col("blue_seats")
    is_rest = pl.col("rank") > red + yellow
    rest = (pl.col("day_rows") - red - yellow).clip(0)
    drawn = pl.min_horizontal("exploration_seats", rest)
    by_lot = pl.col("lot").rank("ordinal").over(*per_day, is_rest)
    explored = is_rest & (by_lot <= drawn)
    by_rank = (
        pl.when(pl.col("rank") <= red).then(pl.lit("red"))
        .when(pl.col("rank") <= red + yellow).then(pl.lit("yellow"))
        .when(pl.col("rank") <= red + yellow + blue).then(pl.lit("blue"))
        .otherwise(pl.lit("green"))
    )  # fmt: skip
    return ranked.with_columns(
        is_exploration=explored,
        lane=pl.when(explored).then(pl.lit("red")).otherwise(by_rank),
        propensity=pl.when(is_rest).then(drawn / rest).otherwise(1.0),
    )


def _seats(capacities: Capacities) -> dict[str, pl.Expr]:
    """Seats of each lane for the row's location and the size of its day."""
    seats: dict[str, pl.Expr] = {}
    for lane in ("red", "yellow", "blue", "exploration"):
        share = pl.lit(getattr(capacities.default, lane))
        for location, capacity in capacities.locations.items():
            share = pl.when(pl.col("location") == location).then(getattr(capacity, lane)).otherwise(share)
        of_day = pl.when(share < 1).then(share * pl.col("day_rows")).otherwise(share)
        # 0.07 of 100 are 7.000000000000001 in floats, and 7 seats.
        seats[f"{lane}_seats"] = (of_day - 1e-9).ceil().cast(pl.Int64)
    return seats

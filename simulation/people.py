"""People who cross: names, documents, birth dates; and the pools of those who cross again and again.

Visitors who come once are drawn on their day with the same `identities`. When anyone crosses is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.fleet import Trucks, plates
from simulation.geography import OFFICES, OFFICES_OF
from simulation.names import (
    ALPHA3,
    CUSTOM_OF,
    CUSTOMS,
    HOME_NATION,
    NEEDS_VISA,
    SCRIPT_OF,
    VISITOR_SHARES,
    own_pool,
)
from simulation.randomness import Floats, Ints, choose, zipf_weights

_LETTERS = np.array(list("ABCDEFGHJKLMNPRSTUVWXYZ"))
_SURNAMES, _MALE, _FEMALE = (own_pool(part) for part in ("surnames", "male", "female"))
_STARTS = {
    part: np.cumsum([0] + [len(getattr(c, part)) for c in CUSTOMS.values()]) for part in ("surnames", "male", "female")
}
NATION_CODES = pl.Series(ALPHA3)
# 1970-01-01 less the year 2025, as days: births are drawn back from here.
_REFERENCE = 20_089


def identities(rng: np.random.Generator, nation: Ints, identity_cards: float = 0.0) -> pl.DataFrame:
    """Nation, document type and number, names in the nation's script, birth date and sex; one row a person."""
    n = len(nation)
    female = rng.random(n) < 0.46
    male_at, female_at = _within(rng, nation, "male"), _within(rng, nation, "female")
    given = pl.select(
        pl.when(pl.Series(female)).then(_FEMALE.gather(female_at)).otherwise(_MALE.gather(male_at)).alias("g")
    )["g"]
    age_days = np.clip(rng.gamma(6.5, 6.2, n) * 365.25 + rng.integers(0, 365, n), 30, 34_000).astype(np.int64)
    return pl.DataFrame(
        {
            "nation": nation,
            "document_type": np.where(rng.random(n) < identity_cards, "I", "P"),
            "document_number": document_numbers(rng, n),
            "surname": _SURNAMES.gather(_within(rng, nation, "surnames")),
            "given_names": given,
            "birth_date": pl.Series(_REFERENCE - age_days).cast(pl.Int32).cast(pl.Date),
            "sex": np.where(rng.random(n) < 0.003, "X", np.where(female, "F", "M")),
        }
    )


def _within(rng: np.random.Generator, nation: Ints, part: str) -> Ints:
    """Places in the pool of `part`: of the nation's custom, in its script."""
    starts, custom = _STARTS[part], CUSTOM_OF[nation]
    place = (starts[custom] + (rng.random(len(custom)) ** 1.4 * np.diff(starts)[custom])).astype(np.int64)
    in_script: Ints = SCRIPT_OF[nation] * starts[-1] + place
    return in_script


def document_numbers(rng: np.random.Generator, n: int) -> pl.Series:
    """Two letters and seven digits, whatever the country."""
    letters = _LETTERS[rng.integers(0, len(_LETTERS), (n, 2))]
    return (
        pl.Series(letters[:, 0]) + pl.Series(letters[:, 1]) + pl.Series(rng.integers(10**6, 10**7, n)).cast(pl.String)
    )


@dataclass(frozen=True)
class People:
    """Pools of those who come again, vans for hire, cars of visitors who keep coming; `*_risk` are latent log-odds."""

    commuters: pl.DataFrame
    commuter_office: Ints
    commuter_plate: pl.Series
    commuter_risk: Floats
    drivers: pl.DataFrame
    residents: pl.DataFrame
    resident_weight: Floats
    resident_plate: pl.Series
    resident_risk: Floats
    resident_office: Ints
    vans: pl.Series
    regular_cars: pl.Series
    regular_nation: Ints
    nation_risk: Floats
    flight_risk: Floats


def draw_people(rng: np.random.Generator, trucks: Trucks, flights: int, scale: float) -> People:
    """Commuters, a driver for each lorry, residents and vans for `scale`."""
    n, m, vans = max(12, round(380 * scale)), max(60, round(7000 * scale)), max(12, round(260 * scale))
    cars = max(40, round(3000 * scale))
    land = np.array(OFFICES_OF["land"])
    shares = np.array([OFFICES[i].travel for i in land])
    abroad = np.where(rng.random(n) < 0.8, ALPHA3.index("XSD"), HOME_NATION)
    driver_nation = np.where(
        rng.random(len(trucks.plate)) < 0.5,
        HOME_NATION,
        choose(rng, VISITOR_SHARES, len(trucks.plate)),
    )
    return People(
        commuters=identities(rng, abroad, 0.7),
        commuter_office=land[choose(rng, shares, n)],
        commuter_plate=plates(rng, n),
        commuter_risk=_skewed(rng, n),
        drivers=identities(rng, driver_nation, 0.2),
        residents=identities(rng, np.full(m, HOME_NATION), 0.5),
        resident_weight=zipf_weights(rng, m, 0.55),
        resident_plate=plates(rng, m),
        resident_risk=_skewed(rng, m),
        resident_office=land[choose(rng, shares, m)],
        vans=plates(rng, vans),
        regular_cars=plates(rng, cars),
        regular_nation=choose(rng, VISITOR_SHARES, cars),
        nation_risk=rng.normal(0, 0.55, len(ALPHA3)) + 0.7 * NEEDS_VISA,
        flight_risk=rng.normal(0, 0.6, flights),
    )


def _skewed(rng: np.random.Generator, n: int) -> Floats:
    """Most are of one piece; one in twenty-five carries goods as a trade."""
    return rng.normal(0, 0.5, n) + np.where(rng.random(n) < 0.04, 3.2, 0.0)

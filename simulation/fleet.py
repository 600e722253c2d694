"""What carries goods and people: lorries and their hauliers, cars and vans, vessels, flights. Drawn once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.firms import registration_numbers
from simulation.names import ALPHA3, VESSEL_SUFFIXES, VESSEL_WORDS
from simulation.randomness import Bools, Floats, Ints, choose

TRUCKS_EACH = 6
# A vessel comes back at this pace at most, in days.
VESSEL_PERIOD = 6
# Pilot boats and bunker barges, as many to each sea port.
TENDERS = 6
# Norvale's own craft: identification digits that no country has.
_SMALL_MMSI = 217_990_000
_LETTERS = np.array(list("ABCDEFGHJKLMNPRSTUVWXYZ"))
_PAIRS = pl.Series([a + b for a in _LETTERS for b in _LETTERS])
# Flag, maritime identification digits, share.
_FLAGS = (
    ("PA", 352, 5),
    ("LR", 636, 5),
    ("MH", 538, 4),
    ("MT", 229, 3),
    ("CY", 212, 2),
    ("GR", 240, 2),
    ("AG", 304, 2),
    ("NL", 244, 1),
    ("DK", 219, 1),
    ("SG", 563, 2),
    ("HK", 477, 2),
    ("TR", 271, 1),
)


@dataclass(frozen=True)
class Trucks:
    """Six lorries to a haulier, in a row; `nightly` ones drive by night as a habit."""

    plate: pl.Series
    country: pl.Series
    haulier_id: pl.Series
    nightly: Bools


@dataclass(frozen=True)
class Vessels:
    """Cargo vessels, then small craft; of the first `callers` one may call when (day + phase) % VESSEL_PERIOD == 0.

    Small craft have no IMO number (0): `feeders` of them carry goods along the coast, the rest tend ships near port.
    """

    imo: Ints
    mmsi: Ints
    name: list[str]
    callsign: list[str]
    operator: pl.Series
    ship_type: Ints
    length: Ints
    beam: Ints
    draught: Floats
    phase: Ints
    callers: int
    feeders: int


@dataclass(frozen=True)
class Flights:
    """The timetable: number, airline, country of departure (index into ALPHA3), hour, share of seats."""

    number: pl.Series
    airline: pl.Series
    origin: Ints
    hour: Ints
    share: Floats


def plates(rng: np.random.Generator, n: int) -> pl.Series:
    """Plates without separators: two letters, three digits, two letters; the country's sign is kept apart."""
    before, after = (_PAIRS.gather(rng.integers(0, len(_PAIRS), n)) for _ in range(2))
    return before + pl.Series(rng.integers(100, 1000, n)).cast(pl.String) + after


def draw_trucks(rng: np.random.Generator, scale: float) -> Trucks:
    """Hauliers of several countries and their lorries."""
    hauliers = max(12, round(230 * scale))
    n = hauliers * TRUCKS_EACH
    homes = [("XN", "XS", "TR", "PL", "RS", "DE")[k] for k in choose(rng, np.array([5, 4, 1, 1, 0.6, 0.6]), hauliers)]
    country = [c for c in homes for _ in range(TRUCKS_EACH)]
    return Trucks(
        plates(rng, n),
        pl.Series(country),
        registration_numbers(rng, "HAU", hauliers, 5),
        rng.random(n) < 0.09,
    )


def draw_vessels(rng: np.random.Generator, scale: float) -> Vessels:
    """Vessels with IMO numbers whose check digit holds, and MMSI of their flag."""
    n = max(14, round(64 * scale))
    stem = rng.choice(90_000, n, replace=False) + 900_000 if n < 80_000 else np.arange(n) + 900_000
    digits = (stem[:, None] // 10 ** np.arange(5, -1, -1)) % 10
    imo = stem * 10 + (digits * np.arange(7, 1, -1)).sum(axis=1) % 10
    flag = choose(rng, np.array([f[2] for f in _FLAGS], dtype=np.float64), n)
    mmsi = (
        np.array([f[1] for f in _FLAGS])[flag] * 1_000_000
        + (np.arange(n) * 7919 + int(rng.integers(0, 10**6))) % 1_000_000
    )
    words, ends = rng.integers(0, len(VESSEL_WORDS), n), rng.integers(0, len(VESSEL_SUFFIXES), n)
    length = rng.integers(80, 300, n)
    return Vessels(
        imo=imo,
        mmsi=mmsi,
        name=[f"{VESSEL_WORDS[a]} {VESSEL_SUFFIXES[b]}".upper() for a, b in zip(words, ends, strict=True)],
        callsign=["".join(row) for row in _LETTERS[rng.integers(0, len(_LETTERS), (n, 5))].tolist()],
        operator=pl.Series(
            ["".join(row) for row in _LETTERS[rng.integers(0, len(_LETTERS), (max(3, n // 6), 4))].tolist()]
        ).gather(rng.integers(0, max(3, n // 6), n)),
        ship_type=rng.choice([70, 71, 74, 79, 80], n),
        length=length,
        beam=length // 7 + rng.integers(0, 4, n),
        draught=np.round(rng.uniform(4, 14, n), 1),
        phase=rng.permutation(n) % VESSEL_PERIOD,
        callers=n,
        feeders=0,
    )


def with_small_craft(rng: np.random.Generator, scale: float, large: Vessels) -> Vessels:
    """The vessels, and behind them feeders for `scale` and TENDERS tenders, with names and MMSI of their own."""
    feeders = max(6, round(14 * scale))
    n = feeders + TENDERS
    words, ends = rng.integers(0, len(VESSEL_WORDS), n), rng.integers(0, len(VESSEL_SUFFIXES), n)
    length = np.where(np.arange(n) < feeders, rng.integers(35, 75, n), rng.integers(14, 30, n))
    return Vessels(
        imo=np.concatenate([large.imo, np.zeros(n, np.int64)]),
        mmsi=np.concatenate([large.mmsi, _SMALL_MMSI + rng.permutation(9000)[:n]]),
        name=large.name
        + [
            f"{VESSEL_WORDS[a]} {VESSEL_SUFFIXES[b]} {'II' if k % 2 else 'III'}".upper()
            for k, (a, b) in enumerate(zip(words, ends, strict=True))
        ],
        callsign=large.callsign + ["".join(row) for row in _LETTERS[rng.integers(0, len(_LETTERS), (n, 5))].tolist()],
        operator=pl.concat([large.operator, large.operator.gather(rng.integers(0, len(large.operator), n))]),
        ship_type=np.concatenate([large.ship_type, np.where(np.arange(n) < feeders, 79, rng.choice([50, 52, 80], n))]),
        length=np.concatenate([large.length, length]),
        beam=np.concatenate([large.beam, length // 5 + 2]),
        draught=np.concatenate([large.draught, np.round(rng.uniform(2, 4, n), 1)]),
        phase=np.concatenate([large.phase, np.zeros(n, np.int64)]),
        callers=large.callers,
        feeders=feeders,
    )


def draw_flights(rng: np.random.Generator) -> Flights:
    """One daily timetable, whatever the scale: aircraft grow, not the airport."""
    airlines = np.array(["LH", "OS", "TK", "AZ", "AF", "BA", "W6", "FR", "LO", "MS", "QR", "KL", "NV"])
    origins = [
        ALPHA3.index(c)
        for c in [
            "DEU",
            "DEU",
            "AUT",
            "AUT",
            "ITA",
            "FRA",
            "GBR",
            "GBR",
            "NLD",
            "POL",
            "TUR",
            "TUR",
            "TUR",
            "ROU",
            "EGY",
            "MAR",
            "TUN",
            "GRC",
            "ESP",
            "XOS",
            "XOS",
            "IND",
            "LBN",
            "UKR",
            "SRB",
            "ALB",
            "CHN",
            "KEN",
            "NGA",
            "USA",
            "DZA",
            "CZE",
        ]
    ]
    n = len(origins)
    airline = pl.Series(airlines[rng.integers(0, len(airlines), n)])
    number = airline + pl.Series(rng.choice(np.arange(100, 999), n, replace=False)).cast(pl.String)
    return Flights(number, airline, np.array(origins), rng.integers(6, 23, n), rng.uniform(0.4, 1.6, n))

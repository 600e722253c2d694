"""What is traded: HS six-digit products with usual prices, duties and the countries they come from.

The table is `tables/products.csv`; prices and duties are plausible, not official. No firm, no shipment.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import polars as pl

from simulation.randomness import Bools, Floats, Ints

ORIGIN_POOLS = {
    "meat": "PL BR DE ES UA XS",
    "fish": "NO IS EC VN CL XO",
    "dairy": "DE NL FR IT PL CH",
    "honey": "UA CN AR HU XS",
    "flowers": "NL KE EC CO",
    "fresh": "ES IT MA TR GR XS",
    "tropical": "EC CO CR TH CI ID",
    "coffee": "BR VN CO ET HN",
    "tea": "IN LK VN PK KE EG",
    "grain": "UA BR US FR XS RO",
    "drinks": "FR IT ES GB DE XO",
    "tobacco": "BG TR BR AE CN XS",
    "stone": "TR IT CN ES XS",
    "fuels": "SA EG DZ KZ XO",
    "chem": "DE CN BE US SA KR",
    "pharma": "CH DE IE US IN BE",
    "beauty": "FR IT DE CN PL TR",
    "plastic": "CN DE IT TR PL VN",
    "tyres": "CN KR TH PL TR RS",
    "leather": "CN IT VN IN TR",
    "wood": "SE FI AT CN ID XS",
    "textile": "CN TR IN PK EG UZ",
    "apparel": "CN BD TR IN VN MA KH",
    "worn": "DE GB US CH XO",
    "shoes": "CN VN IT ID IN PT",
    "glass": "CN TR DE IT CZ",
    "jewels": "IT CH IN TR AE CN",
    "steel": "TR CN IT DE UA KR",
    "tools": "CN DE TW IT CZ",
    "cars": "DE JP KR CN CZ SK FR",
    "aero": "US FR GB DE",
    "machine": "CN DE IT TR PL JP",
    "office": "CN VN TW MX CZ HU",
    "electro": "CN DE VN PL MY TR",
    "phones": "CN VN KR IN MY",
    "chips": "TW MY CN KR PH US",
    "bikes": "TW CN JP IT IN",
    "optics": "US IE DE CN JP CH",
    "furniture": "CN PL IT TR VN XS",
    "toys": "CN VN CZ JP DE",
}
ORIGINS = tuple(sorted({c for pool in ORIGIN_POOLS.values() for c in pool.split()} | {"HK", "CL"}))
POOLS = tuple(ORIGIN_POOLS)
_WIDEST = max(len(pool.split()) for pool in ORIGIN_POOLS.values())
POOL_SIZES: Ints = np.array([len(pool.split()) for pool in ORIGIN_POOLS.values()])
# (pool, place) -> index into ORIGINS; a short pool begins again.
POOL_ORIGINS: Ints = np.array(
    [[ORIGINS.index((pool.split() * _WIDEST)[k]) for k in range(_WIDEST)] for pool in ORIGIN_POOLS.values()]
)
# Origins whose goods enter free of duty: the bait of a false origin.
PREFERENTIAL = frozenset(["TR", "MA", "EG", "CH", "NO", "IS", "VN", "KR", "CL", "XS", "XO", "UA", "RS", "PT"])
IS_PREFERENTIAL: Bools = np.array([c in PREFERENTIAL for c in ORIGINS])
HAVENS: Ints = np.flatnonzero(IS_PREFERENTIAL)
RISKY_ORIGINS = frozenset(["CN", "TR", "AE", "BG", "PK", "UZ", "XS"])


@dataclass(frozen=True)
class Products:
    """Struct of arrays, one place a product; `pool` indexes POOLS, `cheaper` is what to pass it off as."""

    hs: pl.Series
    description: pl.Series
    eur_per_kg: Floats
    duty_pct: Floats
    weight: Floats
    lot_kg: Floats
    pool: Ints
    chapter: Ints
    cheaper: Ints


def load() -> Products:
    """The table that ships with the package."""
    source = files("simulation").joinpath("tables/products.csv").read_bytes()
    table = pl.read_csv(source, separator=";", schema_overrides={"hs": pl.String})
    duty = table["duty_pct"].cast(pl.Float64).to_numpy()
    hs = table["hs"].to_list()
    return Products(
        hs=table["hs"],
        description=table["description"],
        eur_per_kg=table["eur_per_kg"].cast(pl.Float64).to_numpy(),
        duty_pct=duty,
        weight=table["weight"].cast(pl.Float64).to_numpy(),
        lot_kg=table["lot_kg"].cast(pl.Float64).to_numpy(),
        pool=np.array([POOLS.index(p) for p in table["pool"]], dtype=np.int64),
        chapter=np.array([int(code[:2]) for code in hs], dtype=np.int64),
        cheaper=np.array([_cheaper(hs, duty, i) for i in range(len(hs))], dtype=np.int64),
    )


def _cheaper(hs: list[str], duty: Floats, i: int) -> int:
    """The nearest code of lower duty, in the tariff's order; itself when there is none near."""
    near = [j for j in range(max(0, i - 8), min(len(hs), i + 9)) if duty[j] < duty[i] - 1.5]
    return min(near, key=lambda j: (abs(j - i), j), default=i)

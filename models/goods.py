"""Declared goods as columns: what they are, what is usual for them, how often their like was seen. No outcome.

Every statistic rests on training rows only, and a training row is left out of its own: it then looks like a row that
comes new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rows = NDArray[np.int64]
Key = tuple[str, ...]

COUNTED: tuple[Key, ...] = (
    ("hs6",),
    ("hs4",),
    ("hs2",),
    ("dispatch",),
    ("origin",),
    ("regime",),
    ("rate",),
    ("mass",),
    ("hs6", "dispatch"),
    ("hs6", "origin"),
    ("dispatch", "origin"),
    ("hs6", "regime"),
    ("hs6", "rate"),
    ("hs4", "origin"),
    ("hs2", "origin"),
    ("hs4", "dispatch"),
    ("hs2", "dispatch"),
    ("hs4", "rate"),
    ("hs2", "mass"),
    ("origin", "regime"),
    ("regime", "rate"),
)
"""Combinations whose number of training rows is a column."""
SHARES: tuple[tuple[Key, Key], ...] = (
    (("hs6", "origin"), ("hs6",)),
    (("hs6", "dispatch"), ("hs6",)),
    (("hs6", "rate"), ("hs6",)),
    (("hs6", "regime"), ("hs6",)),
    (("dispatch", "origin"), ("origin",)),
    (("origin", "regime"), ("origin",)),
    (("hs2", "origin"), ("hs2",)),
    (("hs2", "dispatch"), ("hs2",)),
    (("hs2", "mass"), ("hs2",)),
)
"""How common the first is among the second: an odd origin for these goods, an odd regime for this origin."""
USUAL = ("log_mass", "log_value_per_kg", "duty_rate", "log_value")
"""Numbers that are compared with what is usual for the goods."""
LEVELS = ("hs2", "hs4", "hs6")
PLAIN = (
    "hs6",
    "dispatch",
    "origin",
    "duty_rate",
    "regime",
    "net_mass",
    "log_value",
    "import_type",
    "from_origin",
    "log_value_per_kg",
    "roundness",
    "hs2",
    "leading_digit",
)
PRIOR_ROWS = 3.0
"""Rows that the wider level is worth beside a narrower level's own."""


@dataclass(frozen=True)
class Goods:
    """Codes and numbers of goods items, one array a name, and the codes of combined keys."""

    codes: dict[str, Codes]
    numbers: dict[str, Floats]

    @property
    def rows(self) -> int:
        return len(self.numbers["net_mass"])

    def key(self, names: Key) -> Codes:
        """One code for each combination that occurs."""
        return reduce(_combined, (_dense(self.codes[name]) for name in names))


def goods_of(declarations: pl.DataFrame) -> Goods:
    """Goods of `customs.declarations` rows."""
    mass = declarations["net_mass_kg"].cast(pl.Float64).to_numpy()
    value = declarations["item_value"].cast(pl.Float64).to_numpy()
    rate = declarations["duty_rate_pct"].fill_null(-1.0).to_numpy()
    hs6 = declarations["hs_code"].cast(pl.Int64).to_numpy()
    dispatch, origin = declarations["country_of_dispatch"].fill_null(""), declarations["country_of_origin"]
    # The extracts give masses to a tenth: half of that keeps the logarithm of nothing finite.
    log_mass, log_value = np.log(mass + 0.05), np.log(value + 1)
    return Goods(
        codes={
            "hs6": hs6,
            "hs4": hs6 // 100,
            "hs2": hs6 // 10_000,
            "dispatch": _texts(dispatch),
            "origin": _texts(origin),
            "regime": _texts(declarations["duty_regime"].fill_null("")),
            "import_type": _texts(declarations["import_type"].fill_null("")),
            "rate": _dense(rate),
            "mass": _dense(mass),
            "from_origin": (dispatch == origin).to_numpy().astype(np.int64),
            "roundness": _roundness(mass),
            "leading_digit": np.array([int(f"{kilograms:e}"[0]) for kilograms in mass]),
            "mass_band": np.floor(log_mass * 1.5).astype(np.int64),
            "value_band": np.floor(log_value * 0.7).astype(np.int64),
        },
        numbers={
            "log_mass": log_mass,
            "log_value": log_value,
            "duty_rate": rate,
            "net_mass": mass,
            "log_value_per_kg": log_value - np.maximum(log_mass, -3),
        },
    )


def columns(goods: Goods, train: Rows) -> Floats:
    """Matrix of `PLAIN`, the counts of `COUNTED`, distances from `USUAL` at each level, and `SHARES`."""
    weights = np.zeros(goods.rows)
    weights[train] = 1.0
    counts = {key: _others(goods.key(key), weights) for key in COUNTED}
    plain = [goods.codes[name] if name in goods.codes else goods.numbers[name] for name in PLAIN]
    distances = [distance for name in USUAL for distance in usual_distances(goods, goods.numbers[name], train)]
    shares = [counts[part] / (counts[whole] + 1) for part, whole in SHARES]
    return np.column_stack([*plain, *counts.values(), *distances, *shares])


def usual_distances(goods: Goods, values: Floats, train: Rows) -> Sequence[Floats]:
    """How far values lie from the training mean of their HS chapter, heading and subheading.

    Each level's mean is shrunk to the wider one's by `PRIOR_ROWS`, and leaves the row itself out.
    """
    weights = np.zeros(goods.rows)
    weights[train] = 1.0
    usual = np.full(goods.rows, values[train].mean())
    distances = []
    for level in LEVELS:
        key = goods.key((level,))
        count, total = _others(key, weights), _others(key, weights * values)
        usual = (total + PRIOR_ROWS * usual) / (count + PRIOR_ROWS)
        distances.append(values - usual)
    return distances


def _others(key: Codes, weights: Floats) -> Floats:
    """Sum of the weights of the rows with the same key, the row itself left out."""
    sums: Floats = np.bincount(key, weights=weights)[key] - weights
    return sums


def _combined(left: Codes, right: Codes) -> Codes:
    return _dense(left * (int(right.max()) + 1) + right)


def _dense(values: NDArray[np.int64] | Floats) -> Codes:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _texts(values: pl.Series) -> Codes:
    return values.rank("dense").to_numpy().astype(np.int64) - 1


def _roundness(mass: Floats) -> Codes:
    """5 for whole tonnes, 4 for hundreds of kilograms, 3 for tens, 2 for whole ones, 1 for tenths, else 0."""
    tests = [mass % 1_000 == 0, mass % 100 == 0, mass % 10 == 0, mass % 1 == 0, np.isclose((mass * 10) % 1, 0)]
    return np.select(tests, [5, 4, 3, 2, 1], 0).astype(np.int64)

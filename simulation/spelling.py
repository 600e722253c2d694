"""How each agency writes the names of people: its own scheme, the same for a person each time but for slips.

Rows carry names in the bearers' own script (`people.identities`). Schemes are in `romanisation`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from simulation.names import IN_LATIN, OWN_NAMES
from simulation.romanisation import bare, icao_9303, iso, plain

_NAMES = ("surname", "given_names")
# Records in which an agency misspells a name.
SLIPS = {"immigration": 0.003, "airline": 0.01, "sudmark": 0.008}


def _table(write: Callable[[str], str]) -> pl.DataFrame:
    return pl.DataFrame({"name": OWN_NAMES, "written": [write(name) for name in OWN_NAMES]})


def _as_spelt(habit: Callable[[str], str]) -> Callable[[str], str]:
    """Airlines take what the passenger types, in Latin letters."""
    return lambda name: habit(IN_LATIN.get(name, name)).upper()


NORVALE = _table(icao_9303)
SUDMARK = _table(lambda name: "-".join(part.capitalize() for part in iso(name).split("-")))
# Each airline has one of these habits: as documents do, without marks, or without anything but letters.
_HABITS = (_as_spelt(plain), _as_spelt(bare), _as_spelt(lambda n: bare(n).replace("-", "").replace(" ", "")))
AIRLINES = tuple(_table(habit) for habit in _HABITS)


def written(rng: np.random.Generator, rows: pl.DataFrame, table: pl.DataFrame, slips: float) -> pl.DataFrame:
    """The rows with `surname` and `given_names` as an agency writes them, misspelt at the rate `slips`."""
    spelt = dict(zip(table["name"], table["written"], strict=True))
    names = {c: rows[c].replace_strict(spelt, default=rows[c], return_dtype=pl.String) for c in _NAMES}
    return rows.with_columns(**{c: misspelt(rng, name, slips) for c, name in names.items()})


def by_airline(rng: np.random.Generator, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, in their order, with names as the habit of each one's `carrier` is."""
    habit = np.array([sum(c.encode()) % len(AIRLINES) for c in rows["carrier"]], dtype=np.int64)
    place = rows.with_row_index("__row")
    parts = [
        written(rng, place.filter(pl.Series(habit == k)), table, SLIPS["airline"]) for k, table in enumerate(AIRLINES)
    ]
    return pl.concat(parts).sort("__row").drop("__row")


def misspelt(rng: np.random.Generator, names: pl.Series, rate: float) -> pl.Series:
    """Some of the names with a letter left out, or two exchanged; short ones stay."""
    n = len(names)
    length = names.str.len_chars().to_numpy()
    place = pl.Series("place", (rng.random(n) * np.maximum(length - 1, 1)).astype(np.int64))
    slip, drop = (rng.random(n) < rate) & (length > 3), rng.random(n) < 0.5
    name = pl.lit(names)
    first, second = name.str.slice(place, 1), name.str.slice(place + 1, 1)
    wrong = name.str.slice(0, place) + second + pl.when(pl.Series(drop)).then(pl.lit("")).otherwise(first)
    wrong += name.str.slice(place + 2)
    return pl.select(pl.when(pl.Series(slip)).then(wrong).otherwise(name).alias("name"))["name"]

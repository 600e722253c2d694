"""Events for `bench features`: seeded, skewed, with ties in time and with nulls, as one Parquet file.

Every side reads this file and no other. Values have at most three decimals, so that what a side rounds is its sums and
not its input; the file is ordered by day and by nothing within it.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

_START = datetime(2023, 3, 1, tzinfo=UTC)
_DAYS = 730
_US_A_DAY = 86_400_000_000
_GRIDS_US = (60_000_000, 1_000_000, 1)
"""Clocks of the sources: some write whole minutes, some seconds, some all they have."""
_PRODUCTS, _ORIGINS, _OFFICES = 5_000, 60, 40
_ROWS_A_GROUP = 500_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def write(path: Path, rows: int, entities: int, skew: float, seed: int) -> None:
    """Write `rows` events of up to `entities` importers; the share of the k-th falls as k to the power -`skew`."""
    draw = np.random.default_rng(seed)
    importers = _drawn(draw, rows, entities, skew)
    products = _drawn(draw, rows, _PRODUCTS, 0.8)
    origins, offices = _drawn(draw, rows, _ORIGINS, 1.0), _drawn(draw, rows, _OFFICES, 1.0)
    usual = draw.normal(3.0, 1.2, _PRODUCTS)
    value = np.round(usual[products] + draw.normal(0.0, 0.6, rows), 3)
    adverse = draw.random(rows) < 0.02 + 0.2 * (origins == 3)
    frame = pl.DataFrame(
        {
            "row": np.arange(rows),
            "event_at": pl.Series(_times(draw, rows)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "importer_id": _nulls(draw, _ids(entities, seed).gather(importers), 0.01),
            "product": pl.Series([f"{100_000 + 151 * n}" for n in range(_PRODUCTS)]).gather(products),
            "origin": pl.Series([f"C{n:02d}" for n in range(_ORIGINS)]).gather(origins),
            "office": _nulls(draw, pl.Series([f"XN{n:06d}" for n in range(_OFFICES)]).gather(offices), 0.005),
            "jurisdiction": pl.Series(["XN", "XS"]).gather((offices % 2).astype(np.int64)),
            "log_value_per_kg": _nulls(draw, pl.Series(value), 0.03),
            "duty_rate_pct": _nulls(draw, pl.Series(np.round(draw.gamma(2.0, 3.0, rows), 1)), 0.02),
            "is_adverse": _nulls(draw, pl.Series(adverse.astype(np.int8)), 0.8),
        }
    )
    frame.write_parquet(path, compression="lz4", row_group_size=_ROWS_A_GROUP)


def _drawn(draw: np.random.Generator, rows: int, kinds: int, skew: float) -> Ints:
    """Which of `kinds` each row is of."""
    shares = np.cumsum(np.arange(1, kinds + 1, dtype=np.float64) ** -skew)
    found: Ints = np.searchsorted(shares, draw.random(rows) * shares[-1]).astype(np.int64)
    return found


def _times(draw: np.random.Generator, rows: int) -> Ints:
    """Microseconds of the epoch: day after day, in no order within a day, each on the grid of its source's clock."""
    days = np.sort(draw.integers(0, _DAYS, rows))
    grids = np.asarray(_GRIDS_US)[draw.integers(0, len(_GRIDS_US), rows)]
    within = draw.integers(0, _US_A_DAY, rows) // grids * grids
    times: Ints = int(_START.timestamp()) * 1_000_000 + days * _US_A_DAY + within
    return times


def _ids(entities: int, seed: int) -> pl.Series:
    """Ids of the shape that silver carries: 32 hex digits, those of no seed alike."""
    draw = np.random.default_rng([seed, 1])
    words = draw.integers(0, 2**32, (entities, 4), dtype=np.uint32)
    return pl.Series("id", [f"{a:08x}{b:08x}{c:08x}{d:08x}" for a, b, c, d in words.tolist()])


def _nulls(draw: np.random.Generator, values: pl.Series, share: float) -> pl.Series:
    return values.set(pl.Series(draw.random(len(values)) < share), None)

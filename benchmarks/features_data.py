"""Events for `bench features`: seeded, skewed, with ties in time and with nulls, as one Parquet file.

Every side reads this file and no other. Values have at most three decimals, so that what a side rounds is its sums and
not its input; the file is ordered by day and by nothing within it. It is drawn and written in groups of rows, so that
its size is bound by no memory.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet
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
    border = _border(rows, entities, skew, seed)
    with pyarrow.parquet.ParquetWriter(path, border.drawn(0, 0).schema, compression="lz4") as file:
        for begin in range(0, rows, _ROWS_A_GROUP):
            file.write_table(border.drawn(begin, min(begin + _ROWS_A_GROUP, rows)))


@dataclass(frozen=True)
class _Border:
    """What is drawn once for all groups."""

    seed: int
    days: Ints
    """How many events there are until the end of each day."""
    importers: pl.Series
    shares: dict[str, Floats]
    usual: Floats
    """Of each product, the usual logarithm of its value per kilogram."""

    def drawn(self, begin: int, end: int) -> "pyarrow.Table":
        """Rows from `begin` until before `end`."""
        draw, rows = np.random.default_rng([self.seed, 2, begin]), end - begin
        importers, products, origins, offices = (_drawn(draw, rows, self.shares[of]) for of in self.shares)
        value = np.round(self.usual[products] + draw.normal(0.0, 0.6, rows), 3)
        adverse = draw.random(rows) < 0.02 + 0.2 * (origins == 3)
        days = np.searchsorted(self.days, np.arange(begin, end), side="right")
        frame = pl.DataFrame(
            {
                "row": np.arange(begin, end),
                "event_at": pl.Series(_times(draw, days)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
                "importer_id": _nulls(draw, self.importers.gather(importers), 0.01),
                "product": pl.Series([f"{100_000 + 151 * n}" for n in range(_PRODUCTS)]).gather(products),
                "origin": pl.Series([f"C{n:02d}" for n in range(_ORIGINS)]).gather(origins),
                "office": _nulls(draw, pl.Series([f"XN{n:06d}" for n in range(_OFFICES)]).gather(offices), 0.005),
                "jurisdiction": pl.Series(["XN", "XS"]).gather((offices % 2).astype(np.int64)),
                "log_value_per_kg": _nulls(draw, pl.Series(value), 0.03),
                "duty_rate_pct": _nulls(draw, pl.Series(np.round(draw.gamma(2.0, 3.0, rows), 1)), 0.02),
                "is_adverse": _nulls(draw, pl.Series(adverse.astype(np.int8)), 0.8),
            }
        )
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _border(rows: int, entities: int, skew: float, seed: int) -> _Border:
    draw = np.random.default_rng([seed, 0])
    kinds = {
        "importer": (entities, skew),
        "product": (_PRODUCTS, 0.8),
        "origin": (_ORIGINS, 1.0),
        "office": (_OFFICES, 1.0),
    }
    return _Border(
        seed,
        np.cumsum(draw.multinomial(rows, np.full(_DAYS, 1 / _DAYS))),
        _ids(entities, seed),
        {of: np.cumsum(np.arange(1, count + 1, dtype=np.float64) ** -power) for of, (count, power) in kinds.items()},
        draw.normal(3.0, 1.2, _PRODUCTS),
    )


def _drawn(draw: np.random.Generator, rows: int, shares: Floats) -> Ints:
    """Of which kind each row is; `shares` are cumulative."""
    found: Ints = np.searchsorted(shares, draw.random(rows) * shares[-1]).astype(np.int64)
    return found


def _times(draw: np.random.Generator, days: Ints) -> Ints:
    """Microseconds of the epoch: in no order within a day, each on the grid of its source's clock."""
    grids = np.asarray(_GRIDS_US)[draw.integers(0, len(_GRIDS_US), days.size)]
    within = draw.integers(0, _US_A_DAY, days.size) // grids * grids
    times: Ints = int(_START.timestamp()) * 1_000_000 + days * _US_A_DAY + within
    return times


def _ids(entities: int, seed: int) -> pl.Series:
    """Ids of the shape that silver carries: 32 hex digits, those of no seed alike."""
    draw = np.random.default_rng([seed, 1])
    words = draw.integers(0, 2**32, (entities, 4), dtype=np.uint32)
    return pl.Series("id", [f"{a:08x}{b:08x}{c:08x}{d:08x}" for a, b, c, d in words.tolist()])


def _nulls(draw: np.random.Generator, values: pl.Series, share: float) -> pl.Series:
    return values.set(pl.Series(draw.random(len(values)) < share), None)

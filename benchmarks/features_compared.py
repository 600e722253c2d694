"""Values of two sides of `bench features`, compared one by one."""

from pathlib import Path

import polars as pl

from benchmarks.features_views import NAMES

TOLERANCE = 1e-9
"""Relative to the greater of both values and 1."""


def compare(ours: Path, theirs: Path) -> dict[str, int]:
    """How many values of each feature differ, rows matched by their number; a row that one side lacks differs."""
    rows = [pl.read_parquet(path, columns=["row"])["row"] for path in (ours, theirs)]
    orders = [of_side.arg_sort() for of_side in rows]
    if not rows[0].gather(orders[0]).equals(rows[1].gather(orders[1])):
        return dict.fromkeys(NAMES, max(map(len, rows)))
    return {
        name: _unequal(*(_values(p, name, o) for p, o in zip((ours, theirs), orders, strict=True))) for name in NAMES
    }


def _values(path: Path, name: str, order: pl.Series) -> pl.Series:
    return pl.read_parquet(path, columns=[name])[name].cast(pl.Float64).fill_nan(None).gather(order)


def _unequal(ours: pl.Series, theirs: pl.Series) -> int:
    both = pl.DataFrame({"ours": ours, "theirs": theirs})
    largest = pl.max_horizontal(pl.col("ours").abs(), pl.col("theirs").abs(), pl.lit(1.0))
    is_near = ((pl.col("ours") - pl.col("theirs")).abs() <= TOLERANCE * largest).fill_null(False)
    equal = is_near | (pl.col("ours").is_null() & pl.col("theirs").is_null())
    return int(both.select((~equal).sum()).item())

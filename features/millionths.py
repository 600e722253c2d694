"""Numbers as whole millionths, whose sums are exact in any order (ADR 0006): which numbers can be, and how far 64 bits
reach.

What is summed, and over which rows, is not known here.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

MICRO = 1_000_000
GREATEST = 9e12
"""What is measured is below it in size, so that its millionths are an integer of 64 bits. What is not is missing, as
what is endless is."""
ROOM = 2.0**63
"""Sums below it in size are integers of 64 bits."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Exact = NDArray[np.object_]
"""Python's integers, of any size."""


def known(column: pl.Series) -> Floats:
    """A column as numbers; NaN where it is null or no number that can be measured."""
    values: Floats = column.cast(pl.Float64).to_numpy()
    beyond = np.abs(values) >= GREATEST
    return np.where(beyond, np.nan, values) if beyond.any() else values


def fixed(values: Floats) -> Ints:
    """Whole millionths of numbers that are below `GREATEST`."""
    whole: Ints = np.rint(values * MICRO).astype(np.int64)
    return whole


def exact(values: Floats) -> Exact:
    """Whole millionths of numbers of any size."""
    return np.array([int(value) for value in np.rint(values * MICRO).tolist()], dtype=np.object_)

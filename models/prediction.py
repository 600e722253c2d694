"""What trees say of the rows of a matrix, in slices that the cores take as they come free.

LightGBM gives each thread an equal share of the rows beforehand: beside other work, all would wait for the one that
was slowed. How many threads it uses holds for the whole process: every call here asks for one, so that calls may run
side by side.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = NDArray[np.float64] | NDArray[np.float32]

_SLICE = 2_000
"""Rows that are predicted at once: few enough for no core to wait long, enough for a call to cost nothing."""


def raw_scores(booster: lightgbm.Booster, matrix: Matrix) -> Floats:
    """The sum of the leaves that each row reaches, before any transformation."""
    return sliced(matrix, lambda rows: booster.predict(rows, raw_score=True, num_threads=1))


def outputs(booster: lightgbm.Booster, matrix: Matrix) -> Floats:
    """What the booster's objective makes of the raw score of each row."""
    return sliced(matrix, lambda rows: booster.predict(rows, num_threads=1))


def contributions(booster: lightgbm.Booster, matrix: Matrix) -> Floats:
    """TreeSHAP values of each row: a column a feature, then the expected value."""
    return sliced(matrix, lambda rows: booster.predict(rows, pred_contrib=True, num_threads=1))


def sliced(matrix: Matrix, predict: Callable[[Matrix], object]) -> Floats:
    """What `predict` says of all rows; it is asked by several threads at once."""

    def of(first: int) -> Floats:
        return np.asarray(predict(matrix[first : first + _SLICE]), dtype=np.float64)

    if len(matrix) <= _SLICE:
        return of(0)
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        return np.concatenate(list(pool.map(of, range(0, len(matrix), _SLICE))))

"""Sides of `bench crossings`: our blend and three plain LightGBMs. Each runs in its own process."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.crossings import OURS
from benchmarks.harness import Settings, Side
from models.blend import Parameters, Rounds, boost
from models.crossing_blend import Sample, probabilities
from models.entry import CODES, NUMBERS, entry_columns, numbers, ordinals

Floats = NDArray[np.float64]

_PLAIN: Parameters = {"objective": "binary", "metric": "binary_logloss", "verbosity": -1}
_ROUNDS = Rounds(most=500, patience=30)


def ours(rows: pl.DataFrame, settings: Settings) -> Sequence[Floats]:
    """The calibrated blend of `models.crossing_blend`."""
    sample = Sample.of(rows, _mask(rows, "train"), _mask(rows, "valid"), _mask(rows, "test"))
    return [probabilities(sample, int(settings["seed"]))]


def plain(rows: pl.DataFrame, settings: Settings, *, without: frozenset[str], native: bool) -> Sequence[Floats]:
    """LightGBM with its defaults on the entry columns, stopped early on the validation days."""
    known = entry_columns(rows.filter(pl.col("part").is_not_null()))
    train, valid, test = (_mask(known, name) for name in ("train", "valid", "test"))
    names = [name for name in CODES if name not in without]
    codes = np.column_stack(list(ordinals(known, train, names).values()))
    if native:
        # A code that training never saw has no category of its own.
        codes = np.where(codes % 1 != 0, np.nan, codes)
    matrix = np.column_stack([codes, *numbers(known, NUMBERS).values()]).astype(np.float32)
    labels = known["label"].to_numpy()
    categories = range(len(names)) if native else ()
    parameters = {**_PLAIN, "seed": int(settings["seed"])}
    booster = boost(matrix, labels, train, valid, parameters, _ROUNDS, list(categories))
    return [np.asarray(booster.predict(matrix[test]), dtype=np.float64)]


SIDES: dict[str, Side] = {
    OURS: ours,
    "lightgbm_native": partial(plain, without=frozenset(), native=True),
    "lightgbm_no_flight": partial(plain, without=frozenset({"flight"}), native=True),
    "lightgbm_ordinal": partial(plain, without=frozenset(), native=False),
}


def _mask(rows: pl.DataFrame, part: str) -> NDArray[np.bool_]:
    return (rows["part"] == part).fill_null(False).to_numpy()

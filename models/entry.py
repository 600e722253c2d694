"""What is known of a crossing at entry, as columns for a model; no outcome and nothing written after it.

`known_at` and `crossing_id` are left out on purpose: a record keyed late, or the serial of a late batch, tells of
the record's way through the agency and not of the traveller.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

CODES = (
    "nationality_code",
    "residence",
    "port",
    "mode",
    "destination",
    "purpose",
    "visa_post",
    "occupation",
    "admission_code",
    "sex",
    "carrier",
    "flight",
    "visa_class",
)
"""Columns of codes, as text. Of the nationality it is the agency's own code, where it has one: it tells more."""
NUMBERS = ("age_years", "days_granted")

NONE = "~"
"""Stands for a missing code, and sorts behind all others."""
_LONGEST_STAY = 400
_AGE_BAND = 5


def entry_columns(crossings: pl.DataFrame) -> pl.DataFrame:
    """Rows of `immigration.crossings` with `CODES`, `NUMBERS`, the arrival `day`, its weekday and the age band.

    `days_granted` is -1 where the stay is not limited; flight numbers lose leading zeros, which carriers write
    as they like.
    """
    day = pl.col("event_at").dt.date()
    return crossings.with_columns(
        day=day,
        nationality_code=pl.coalesce("nationality_code", "nationality"),
        weekday=day.dt.weekday(),
        flight=pl.col("flight_number").str.strip_chars().str.strip_chars_start("0"),
        days_granted=(pl.col("admitted_until") - day)
        .dt.total_days()
        .clip(-1, _LONGEST_STAY)
        .fill_null(-1)
        .cast(pl.Int32),
        age_band=(pl.col("age_years").fill_null(-_AGE_BAND) // _AGE_BAND).cast(pl.Int32),
    ).with_columns(pl.col(CODES).fill_null(NONE))


def ordinals(rows: pl.DataFrame, train: Mask, columns: Sequence[str] = CODES) -> Mapping[str, Floats]:
    """Each code's position in the sorted codes of the training rows; an unseen one falls between its neighbours.

    Neighbours in a code list tend to be alike (ports of a region, flights of a route), and a tree splits between
    positions: unlike a category of its own, a rare code then borrows from those beside it.
    """
    return {name: _positions(rows[name], train) for name in columns}


def _positions(codes: pl.Series, train: Mask) -> Floats:
    distinct = codes.unique().sort()
    texts = distinct.to_numpy()
    known = np.sort(codes.filter(pl.Series(train)).unique().to_numpy())
    at = np.searchsorted(known, texts, "left")
    seen = known[np.minimum(at, len(known) - 1)] == texts
    positions = pl.Series(at + np.where(seen, 0.0, -0.5))
    return codes.replace_strict(distinct, positions, return_dtype=pl.Float64).to_numpy()


def numbers(rows: pl.DataFrame, columns: Sequence[str] = NUMBERS) -> Mapping[str, Floats]:
    """Columns of numbers as they are; missing is NaN."""
    return {name: rows[name].cast(pl.Float64).to_numpy() for name in columns}

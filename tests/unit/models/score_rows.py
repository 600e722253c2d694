"""Score rows of offices and days that never were, and their selection under one key."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from hypothesis import strategies as st

from models.capacity import Capacities
from models.priority import Priority
from models.selection import select as select_with

KEY = bytes(range(32))


def select(rows: pl.DataFrame, capacities: Capacities, earlier: pl.DataFrame | None = None) -> pl.DataFrame:
    return select_with(rows, capacities, KEY, earlier)


def scores(days: dict[tuple[str | None, int], int], *, seed: int = 1, tied: bool = False) -> pl.DataFrame:
    """Score rows: so many for each location and day of January."""
    generator = np.random.default_rng(seed)
    frames = [
        pl.DataFrame(
            {
                "event_id": [f"{seed}-{place}-{day}-{row}" for row in range(rows)],
                "location": pl.Series([place] * rows, dtype=pl.String),
                "received_on": pl.Series([date(2025, 1, day)] * rows, dtype=pl.Date),
                "raw_score": np.zeros(rows) if tied else generator.normal(size=rows),
                "expected_recovery": np.full(rows, 50.0) if tied else generator.gamma(1.0, 200.0, rows),
            }
        )
        for (place, day), rows in days.items()
    ]
    return pl.concat(frames).with_columns(probability=1 / (1 + (-pl.col("raw_score")).exp()))


sizes = st.dictionaries(
    st.tuples(st.sampled_from(["XNPRT", "XNAIR", None]), st.integers(1, 3)), st.integers(1, 60), min_size=1, max_size=6
)
priorities = st.sampled_from(["probability", "money", "mix:0.7"]).map(Priority.of)
seats = st.one_of(st.floats(0, 0.99), st.integers(0, 15).map(float))

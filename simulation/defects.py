"""Faults that agencies' rows have, at low rates, each noted so that what quarantine finds can be checked.

Only single values of text layouts are spoiled here; which file and line they end on is the writer's business.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

RATE = 0.002
# Shares of records sent twice in one file, of goods items corrected later, of declaration files that come late.
DOUBLED, AMENDED, LATE = 0.001, 0.004, 0.005
# kind -> column and the text (or JSON value) it is overwritten with; JQ and JQQ are no country
DECLARATIONS = {
    "missing_hs": ("HS", None),
    "impossible_mass": ("GROSS_KG", "0,000"),
    "bad_date": ("LODGED", "31.02.2025 10:00:00"),
    "unknown_country": ("ORIGIN", "JQ"),
    "bad_number": ("VALUE", "n/a"),
}
CROSSINGS = {
    "missing_nationality": ("nationality", None),
    "bad_date": ("crossed_at", "2025-02-30T10:00:00+01:00"),
    "unknown_country": ("nationality", "JQQ"),
    "impossible_birth_date": ("birth_date", "2091-01-01"),
    "bad_code": ("direction", "??"),
}
INSPECTIONS = {
    "missing_number": ("declarationNumber", None),
    "unknown_result": ("result", "pending"),
    "bad_date": ("inspectedAt", "2025-02-30T10:00:00+01:00"),
    "impossible_amount": ("additionalDuty", -1.0),
}
OUTCOMES = {
    "missing_crossing": ("crossingId", None),
    "unknown_result": ("result", "pending"),
    "bad_date": ("examinedAt", "2025-02-30T10:00:00+01:00"),
}
Faults = Mapping[str, tuple[str, str | float | None]]


def spoil(
    rng: np.random.Generator, rows: pl.DataFrame, faults: Faults, rate: float = RATE
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with some values overwritten, and what was done: columns `row` (from 0) and `kind`."""
    hit = np.flatnonzero(rng.random(len(rows)) < rate)
    kinds = list(faults)
    which = rng.integers(0, len(kinds), len(hit))
    for code, kind in enumerate(kinds):
        spots = hit[which == code]
        column, value = faults[kind]
        if len(spots):
            mask = np.zeros(len(rows), dtype=bool)
            mask[spots] = True
            rows = rows.with_columns(
                pl.when(pl.Series(mask)).then(pl.lit(value)).otherwise(column).cast(rows.schema[column]).alias(column)
            )
    return rows, pl.DataFrame({"row": hit, "kind": pl.Series([kinds[k] for k in which], dtype=pl.String)})

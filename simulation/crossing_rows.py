"""The shape of a crossing row, and how a group of like crossings becomes rows. Nobody's behaviour is here."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

SCHEMA: dict[str, pl.DataType] = {
    "at": pl.Int64(),
    "office": pl.Int64(),
    "lane": pl.String(),
    "direction": pl.String(),
    "mode": pl.String(),
    "document_type": pl.String(),
    "document_number": pl.String(),
    "issuer": pl.Int64(),
    "nation": pl.Int64(),
    "surname": pl.String(),
    "given_names": pl.String(),
    "birth_date": pl.Date(),
    "sex": pl.String(),
    "residence": pl.Int64(),
    "visa": pl.String(),
    "purpose": pl.String(),
    "plate": pl.String(),
    "plate_country": pl.String(),
    "carrier": pl.String(),
    "flight": pl.String(),
    "party_size": pl.Int64(),
    "stay_days": pl.Int64(),
    "kind": pl.String(),
    "probability": pl.Float64(),
    "ring": pl.Int64(),
}
_DEFAULTS: dict[str, Any] = {
    "plate": "",
    "plate_country": "",
    "carrier": "",
    "flight": "",
    "party_size": 1,
    "stay_days": -1,
    "kind": "",
    "probability": 0.0,
    "ring": -1,
}


def rows(people: pl.DataFrame, **columns: Any) -> pl.DataFrame:
    """Rows of SCHEMA from `identities` and the rest; scalars repeat, issuer and residence are the nation."""
    given = {"issuer": people["nation"], "residence": people["nation"], **_DEFAULTS, **columns}
    series = {
        name: (
            pl.Series(name, value) if isinstance(value, (np.ndarray, pl.Series, list)) else pl.lit(value).alias(name)
        )
        for name, value in given.items()
    }
    return people.with_columns(**series).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def leaving(entries: pl.DataFrame, at: Any) -> pl.DataFrame:
    """The way out of those who came in: same people and papers, nothing illicit, no permission to stay."""
    return entries.with_columns(
        at=pl.Series(at),
        direction=pl.lit("exit"),
        stay_days=pl.lit(-1, pl.Int64),
        kind=pl.lit(""),
        probability=pl.lit(0.0),
    )

"""Ids: deterministic, the same on every machine and release (ADR 0004).

An event id is a hash of what the field itself calls the event: jurisdiction, agency, dataset and natural key.
BLAKE3 over the parts joined by the unit separator, first 128 bits in hex. A keyed id (see `warehouse.vault`)
hides an identity instead, and buckets spread entities over units of work.
"""

from collections.abc import Sequence

import polars as pl
import polars_hash  # noqa: F401

_UNIT_SEPARATOR = "\x1f"
_NULL = "\x00"
ID_LENGTH = 32


def digest(parts: Sequence[pl.Expr]) -> pl.Expr:
    """128 bits of BLAKE3 over the parts as text, as 32 hex digits. A null part is told from an empty one."""
    texts = [part.cast(pl.String).fill_null(_NULL) for part in parts]
    # As `concat_str` with the separator would, in two thirds of the time.
    return _hashed(pl.format(_UNIT_SEPARATOR.join(["{}"] * len(texts)), *texts))


def row_digest(rows: pl.DataFrame, columns: Sequence[str]) -> pl.Expr:
    """The digest of each row's text. Who knows all but one value can try out that one: not for tables."""
    return _hashed(row_text(rows, columns))


def row_text(rows: pl.DataFrame, columns: Sequence[str]) -> pl.Expr:
    """Each row's values as one text, times as microseconds and days of the epoch: the same on every release.

    `rows` are asked for nulls only, so that columns without any, or with nothing else, cost less.
    """
    parts: list[pl.Expr] = []
    nulls = 0
    for name in columns:
        missing = rows[name].null_count()
        if missing and missing == rows.height:
            nulls += 1
            continue
        if nulls:
            parts.append(pl.lit(_UNIT_SEPARATOR.join([_NULL] * nulls)))
            nulls = 0
        value = pl.col(name)
        text = (value.to_physical() if rows.schema[name].is_temporal() else value).cast(pl.String)
        parts.append(text.fill_null(_NULL) if missing else text)
    if nulls:
        parts.append(pl.lit(_UNIT_SEPARATOR.join([_NULL] * nulls)))
    return pl.concat_str(parts, separator=_UNIT_SEPARATOR)


def _hashed(text: pl.Expr) -> pl.Expr:
    hashed: pl.Expr = text.chash.blake3()  # type: ignore[attr-defined]  # polars_hash registers it.
    return hashed.str.slice(0, ID_LENGTH)


def event_id(jurisdiction: pl.Expr, agency: pl.Expr, dataset: str, key: Sequence[str]) -> pl.Expr:
    """The id of the event that `key` names within one dataset of an agency."""
    return digest([jurisdiction, agency, pl.lit(dataset), *(pl.col(column) for column in key)])


def bucket(hex_id: pl.Expr, buckets: int) -> pl.Expr:
    """Bucket 0..buckets-1 of an id: its first 32 bits modulo `buckets`."""
    return (hex_id.str.slice(0, 8).str.to_integer(base=16, dtype=pl.Int64) % buckets).cast(pl.Int32)

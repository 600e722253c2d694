"""What the text layouts share: times as text, numbers with a decimal comma, delimited and NDJSON bytes."""

from __future__ import annotations

import polars as pl

from simulation.geography import ZONE


def local(column: str) -> pl.Expr:
    """Unix seconds as a time in the offices' zone."""
    return pl.from_epoch(pl.col(column)).dt.convert_time_zone(ZONE)


def iso_offset(column: str) -> pl.Expr:
    """ISO 8601 with the offset of the offices' zone, to the second."""
    return local(column).dt.strftime("%Y-%m-%dT%H:%M:%S%:z")


def decimal_comma(column: str, places: int) -> pl.Expr:
    """A number as text with `places` decimals after a comma, by integer arithmetic: no digit wavers."""
    scaled = (pl.col(column) * 10**places).round().cast(pl.Int64)
    fraction = (scaled.abs() % 10**places).cast(pl.String).str.zfill(places)
    text: pl.Expr = (scaled // 10**places).cast(pl.String) + "," + fraction
    return text


def delimited(rows: pl.DataFrame, separator: str, encoding: str, line_end: str) -> bytes:
    """A header and the rows; fields that need it are quoted."""
    text = rows.write_csv(separator=separator, line_terminator=line_end)
    return text.encode(encoding)


def ndjson(rows: pl.DataFrame) -> bytes:
    """One JSON object a line, UTF-8."""
    return rows.write_ndjson().encode()

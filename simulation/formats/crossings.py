"""Norvale immigration's crossings: comma, UTF-8, LF, ISO 8601 times with offset; one row a person."""

from __future__ import annotations

from datetime import date

import polars as pl

from simulation.formats.text import delimited, iso_offset, local
from simulation.geography import OFFICES
from simulation.people import NATION_CODES


def number_crossings(crossings: pl.DataFrame, day: date) -> pl.DataFrame:
    """Adds `crossing_id`: the border post's running number of the day, in the order given."""
    sequence = pl.int_range(1, len(crossings) + 1).cast(pl.String).str.zfill(7)
    return crossings.with_columns((pl.lit(f"XN{day:%y%m%d}") + sequence).alias("crossing_id"))


def layout(crossings: pl.DataFrame) -> pl.DataFrame:
    """The agency's columns, all text, in the order of the file; what does not apply is empty."""
    admitted = (local("at").dt.date() + pl.duration(days=pl.col("stay_days"))).dt.strftime("%Y-%m-%d")

    def nation(column: str) -> pl.Series:
        return NATION_CODES.gather(crossings[column])

    return crossings.select(
        crossing_id="crossing_id",
        crossed_at=iso_offset("at"),
        recorded_at=iso_offset("recorded"),
        port=pl.Series([o.code for o in OFFICES]).gather(crossings["office"]),
        lane="lane",
        direction="direction",
        mode="mode",
        document_type="document_type",
        document_number="document_number",
        issuing_state=nation("issuer"),
        nationality=nation("nation"),
        surname="surname",
        given_names="given_names",
        birth_date=pl.col("birth_date").dt.strftime("%Y-%m-%d"),
        sex="sex",
        residence=nation("residence"),
        visa_category="visa",
        purpose="purpose",
        vehicle_plate="plate",
        carrier="carrier",
        flight_number="flight",
        party_size=pl.col("party_size").cast(pl.String),
        admitted_until=pl.when(pl.col("stay_days") >= 0).then(admitted).otherwise(pl.lit("")),
    )


def encode(rows: pl.DataFrame) -> bytes:
    """The whole file, header included."""
    # Empty text would be quoted; the agency leaves the field bare.
    return delimited(rows.with_columns(pl.when(pl.all() != "").then(pl.all())), ",", "utf-8", "\n")

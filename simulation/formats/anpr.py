"""Norvale road surveillance's plate sightings: Parquet, times in UTC microseconds."""

from __future__ import annotations

import io
from datetime import date

import polars as pl

from simulation.sightings import CAMERA_TABLE


def layout(seen: pl.DataFrame, day: date) -> pl.DataFrame:
    """The agency's columns; `sighting_id` is the running number of the day in the order received."""
    camera = CAMERA_TABLE[seen["camera"]]
    moment = (pl.col("at") * 1_000_000 + pl.col("micros")).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    received = (pl.col("received") * 1_000_000 + pl.col("micros")).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return seen.select(
        sighting_id=pl.lit(f"S{day:%y%m%d}-") + pl.int_range(1, len(seen) + 1).cast(pl.String).str.zfill(8),
        camera_id=camera["camera_id"],
        site=camera["site"],
        seen_at=moment,
        received_at=received,
        plate="plate",
        plate_country="plate_country",
        confidence="confidence",
        latitude=camera["latitude"],
        longitude=camera["longitude"],
        heading_deg=(pl.col("jitter") + camera["heading_deg"]) % 360,
    )


def encode(rows: pl.DataFrame) -> bytes:
    """The whole file."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()

"""Extracts beyond the six: manifests, passenger messages, the neighbour's two agencies, sensors, withdrawals.

What is in them follows from the same day as the rest; each format is in `formats`.
"""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from simulation import hearsay, spelling
from simulation.calendars import midnight
from simulation.formats import cuscar, paxlst, pnrgov, sudmark
from simulation.formats.declarations import number_declarations
from simulation.formats.text import delimited, iso_offset, local
from simulation.geography import LAND_NEIGHBOUR, OFFICES_OF
from simulation.people import NATION_CODES
from simulation.randomness import choose
from simulation.voyages import Calls
from simulation.world import World
from simulation.writer import Writer

WITHDRAWN, EXPORT_SEEN = 0.002, 0.85
BETWEEN_POSTS_S = (120, 900)
_LETTERS = np.array(list("ABCDEFGHJKLMNPQRSTUVWXYZ23456789"))


def customs(world: World, writer: Writer, day: date, goods: pl.DataFrame, calls: Calls) -> None:
    """Sea manifests by call; withdrawals of declarations; what Sudmark's customs saw leave by road."""
    rng, at = world.rng(day, "extended-customs"), datetime.fromtimestamp(midnight(day), UTC)
    shipped = _manifested(world, rng, goods, calls)
    if len(shipped):
        content = cuscar.encode(world, shipped, at, f"M{day:%y%m%d}")
        writer.extract("customs", "manifests", f"CUSCAR_{day:%Y%m%d}.edi", day, content, len(shipped))
    numbered = number_declarations(goods, day.timetuple().tm_yday, day.year)
    gone = numbered.filter(pl.Series(rng.random(len(goods)) < WITHDRAWN))
    gone = gone.with_columns(withdrawn=pl.col("at") + pl.Series(rng.integers(3600, 6 * 3600, len(gone))))
    rows = gone.select(
        DECL_NO="decl_no",
        ITEM_NO="item_no",
        WITHDRAWN=local("withdrawn").dt.strftime("%d.%m.%Y %H:%M:%S"),
    )
    name, content = f"WDRW_{day:%Y%m%d}.csv", delimited(rows, ";", "latin-1", "\r\n")
    writer.extract("customs", "withdrawals", name, day, content, len(rows))
    noted = {"agency": "customs", "dataset": "withdrawals", "file": name}
    lines = pl.select(line=pl.int_range(2, len(rows) + 2))
    writer.truth(
        "defects", lines.select(**{k: pl.lit(v) for k, v in noted.items()}, line="line", kind=pl.lit("withdrawal"))
    )
    left = goods.filter(
        pl.col("office").is_in(list(OFFICES_OF["land"])) & pl.Series(rng.random(len(goods)) < EXPORT_SEEN)
    )
    left = left.with_columns(left=pl.col("at") - pl.Series(rng.integers(3600, 9 * 3600, len(left)))).sort("left")
    left = hearsay.exported(world, rng, left)
    _parquet(writer, "xs-customs", "declarations", f"EXPORTS_{day:%Y%m%d}.parquet", day, sudmark.exports(world, left))


def _manifested(world: World, rng: np.random.Generator, goods: pl.DataFrame, calls: Calls) -> pl.DataFrame:
    """Consignments that came by sea, by call, as the carriers list them."""
    arrival = pl.DataFrame({"vessel": calls.vessel, "arrival": calls.arrival})
    sailed = goods.filter(pl.col("office").is_in(list(OFFICES_OF["sea"])))
    return (
        hearsay.shipped(world, rng, sailed)
        .with_columns(
            vessel=pl.col("call_vessel"),
            seller_id=world.firms.seller_id.gather(sailed["seller"]),
            importer_id=world.firms.importer_id.gather(sailed["firm"]),
        )
        .group_by("vessel", "office", "consignment", maintain_order=True)
        .agg(
            pl.col("packages").sum(),
            pl.col("manifest_kg").sum().alias("gross_kg"),
            pl.col("manifest_text").first().alias("description"),
            pl.col("seller_id", "importer_id", "dispatch").first(),
        )
        .join(arrival, on="vessel")
        .sort("vessel", "office", "consignment")
    )


def immigration(world: World, writer: Writer, day: date, crossings: pl.DataFrame) -> None:
    """Passenger and booking messages of the flights that landed; passages of Sudmark's land posts."""
    rng, at = world.rng(day, "extended-immigration"), datetime.fromtimestamp(midnight(day), UTC)
    people = spelling.by_airline(rng, passengers(world, rng, crossings))
    if len(people):
        reference = f"{day:%y%m%d}"
        for dataset, encode in (("api_messages", paxlst.encode), ("pnr_messages", pnrgov.encode)):
            name = f"{dataset[:3].upper()}_{day:%Y%m%d}.edi"
            typed = hearsay.mistyped(rng, people) if dataset == "api_messages" else people
            writer.extract("immigration", dataset, name, day, encode(typed, at, reference), len(people))
    here = crossings.filter(pl.col("mode") == "land")
    here = spelling.written(rng, here, spelling.SUDMARK, spelling.SLIPS["sudmark"])
    passages = sudmark.departures(here, rng.integers(*BETWEEN_POSTS_S, len(here)))
    _parquet(writer, "xs-immigration", "crossings", f"PASSAGES_{day:%Y%m%d}.parquet", day, passages)


def surveillance(world: World, writer: Writer, day: date, seen: pl.DataFrame | None) -> None:
    """Detections of a UTC day as NDJSON, in order of time."""
    if seen is None:
        return
    rng = world.rng(day, "extended-surveillance")
    rows = seen[rng.permutation(len(seen))].sort("at", maintain_order=True)
    rows = rows.select(
        id=pl.lit(f"D{day:%y%m%d}-") + pl.int_range(1, len(rows) + 1).cast(pl.String).str.zfill(7),
        sensor="sensor",
        sensorType="sort",
        observedAt=iso_offset("at"),
        position=pl.struct(lat=pl.col("latitude").round(5), lon=pl.col("longitude").round(5)),
        classification="class",
        confidence=pl.Series(np.round(rng.beta(6, 2, len(rows)), 2)),
        speedKnots=pl.col("speed_kn").clip(0).round(1),
    )
    writer.extract(
        "surveillance", "detections", f"DET_{day:%Y%m%d}.ndjson", day, rows.write_ndjson().encode(), len(rows)
    )


def passengers(world: World, rng: np.random.Generator, crossings: pl.DataFrame) -> pl.DataFrame:
    """Those who landed, by flight and booking: `locator` is of the party, times are UTC."""
    landed = crossings.filter((pl.col("mode") == "air") & (pl.col("direction") == "entry")).sort("flight", "at")
    landed = hearsay.checked_in(rng, landed)
    n = len(landed)
    flights = pl.DataFrame(
        {
            "flight": world.flights.number,
            "departed_from": NATION_CODES.gather(world.flights.origin),
            "hour": world.flights.hour,
        }
    )
    # People of one booking come one after the other; the first of each says how many they are.
    party = np.cumsum(rng.random(n) < 1 / np.maximum(landed["party_size"].to_numpy(), 1))
    locators = pl.Series(["".join(row) for row in _LETTERS[choose(rng, np.ones(32), 6 * (n + 1)).reshape(-1, 6)]])
    booked = rng.integers(2 * 86_400, 90 * 86_400, n + 1)
    return landed.with_columns(
        locator=locators.gather(party),
        nationality=NATION_CODES.gather(landed["nation"]),
        issuing_state=NATION_CODES.gather(landed["issuer"]),
        landed=pl.from_epoch(pl.col("at").min().over("flight") - 1200),
        departed=pl.from_epoch(pl.col("at").min().over("flight") - 9600),
        booked=pl.from_epoch(pl.col("at") - pl.Series(booked[party])),
    ).join(flights.drop("hour"), on="flight", how="left", maintain_order="left")


def _parquet(writer: Writer, agency: str, dataset: str, name: str, day: date, rows: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    writer.extract(agency, dataset, name, day, buffer.getvalue(), len(rows), jurisdiction=LAND_NEIGHBOUR)

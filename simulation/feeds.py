"""What each agency sends for a day: number, examine, lay out, spoil, write; and the truth beside it.

What happened is given; layouts are in `formats`, files in `writer`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation import defects, secondary
from simulation.agenda import Diary
from simulation.formats import ais, anpr, crossings, declarations, inspections, outcomes
from simulation.formats.text import ndjson
from simulation.geography import OFFICES
from simulation.inspection import inspect_goods
from simulation.world import World
from simulation.writer import Writer


def customs(world: World, writer: Writer, diary: Diary, day: date, goods: pl.DataFrame) -> None:
    """Declarations, a file an office; the inspections reported today; the truth of the shipments."""
    goods = declarations.number_declarations(goods, day.timetuple().tm_yday, day.year)
    rng = world.rng(day, "customs")
    found = inspect_goods(rng, world.products, goods)
    world.adaptation.seized(found["ring"].to_numpy(), day)
    diary.inspections.put(found)
    for index, office in enumerate(OFFICES):
        rows = declarations.layout(world, goods.filter(pl.col("office") == index))
        rows, faults = defects.spoil(rng, rows, defects.DECLARATIONS)
        name = f"DECL_{office.code}_{day:%Y%m%d}.csv"
        writer.extract("customs", "declarations", name, day, declarations.encode(rows), len(rows))
        _note(writer, "customs", "declarations", name, faults, 2)
    writer.truth(
        "shipments",
        goods.select(
            declaration_number="decl_no",
            item_number="item_no",
            is_illicit="is_illicit",
            kind="kind",
            probability="probability",
            recoverable_eur="recoverable_eur",
            ring="ring",
        ),
    )
    reported = diary.inspections.take(day)
    if reported is not None:
        rows, faults = defects.spoil(rng, inspections.layout(in_order(rng, reported, "at")), defects.INSPECTIONS)
        name = f"INSP_{day:%Y%m%d}.ndjson"
        writer.extract("customs", "inspections", name, day, ndjson(rows), len(rows))
        _note(writer, "customs", "inspections", name, faults, 1)


def immigration(world: World, writer: Writer, diary: Diary, day: date, today: pl.DataFrame) -> None:
    """Crossings in the order recorded; the outcomes reported today; the truth of the crossings."""
    rng = world.rng(day, "immigration")
    today = crossings.number_crossings(today, day)
    found = secondary.examine(rng, today)
    world.adaptation.seized(found["ring"].to_numpy(), day)
    diary.outcomes.put(found)
    rows, faults = defects.spoil(rng, crossings.layout(today), defects.CROSSINGS)
    name = f"CROSSINGS_{day:%Y%m%d}.csv"
    writer.extract("immigration", "crossings", name, day, crossings.encode(rows), len(rows))
    _note(writer, "immigration", "crossings", name, faults, 2)
    writer.truth(
        "crossings",
        today.select(
            crossing_id="crossing_id",
            is_illicit=pl.col("kind") != "",
            kind="kind",
            probability="probability",
            ring="ring",
        ),
    )
    reported = diary.outcomes.take(day)
    if reported is not None:
        rows, faults = defects.spoil(rng, outcomes.layout(in_order(rng, reported, "at")), defects.OUTCOMES)
        name = f"OUTCOMES_{day:%Y%m%d}.ndjson"
        writer.extract("immigration", "outcomes", name, day, ndjson(rows), len(rows))
        _note(writer, "immigration", "outcomes", name, faults, 1)


def surveillance(
    world: World, writer: Writer, day: date, seen: pl.DataFrame | None, heard: pl.DataFrame | None
) -> None:
    """Sightings and vessel reports of a UTC day, each if there are any."""
    rng = world.rng(day, "surveillance")
    if seen is not None:
        rows = anpr.layout(in_order(rng, seen, "received", "micros"), day)
        writer.extract(
            "surveillance",
            "vehicle_sightings",
            f"ANPR_{day:%Y%m%d}.parquet",
            day,
            anpr.encode(rows),
            len(rows),
        )
    if heard is not None:
        content = ais.encode(world, in_order(rng, heard, "at"))
        writer.extract("surveillance", "vessel_positions", f"AIS_{day:%Y%m%d}.nmea", day, content, len(heard))


def in_order(rng: np.random.Generator, rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Sorted by time; rows of one second in random order, so that order tells nothing."""
    return rows[rng.permutation(len(rows))].sort(*by, maintain_order=True)


def _note(writer: Writer, agency: str, dataset: str, name: str, faults: pl.DataFrame, first_line: int) -> None:
    writer.truth(
        "defects",
        faults.select(
            agency=pl.lit(agency),
            dataset=pl.lit(dataset),
            file=pl.lit(name),
            line=pl.col("row") + first_line,
            kind="kind",
        ),
    )

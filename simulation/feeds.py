"""What each agency sends for a day: number, examine, lay out, spoil, write; and the truth beside it.

What happened is given; layouts are in `formats`, files in `writer`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulation import defects, dispatch, secondary
from simulation.agenda import Diary
from simulation.dispatch import Layout
from simulation.feed_changes import rewritten
from simulation.formats import ais, anpr, crossings, declarations, inspections, outcomes
from simulation.formats.text import ndjson
from simulation.geography import OFFICES
from simulation.inspection import inspect_goods
from simulation.spelling import NORVALE, SLIPS, written
from simulation.world import World
from simulation.writer import Writer

DECLARATIONS = Layout(
    "customs",
    "declarations",
    declarations.encode,
    2,
    defects.DECLARATIONS,
    doubled=True,
    late_share=defects.LATE,
    wrong_encoding="utf-8-sig",
    swaps=(("ORIGIN", "CURRENCY"), ("HS", "VALUE"), ("LODGED", "OFFICE")),
)
INSPECTIONS = Layout("customs", "inspections", ndjson, 1, defects.INSPECTIONS)
CROSSINGS = Layout(
    "immigration",
    "crossings",
    crossings.encode,
    2,
    defects.CROSSINGS,
    doubled=True,
    wrong_encoding="utf-16",
    swaps=(("direction", "mode"), ("nationality", "birth_date"), ("crossed_at", "port")),
)
OUTCOMES = Layout("immigration", "outcomes", ndjson, 1, defects.OUTCOMES)


def customs(world: World, writer: Writer, diary: Diary, day: date, goods: pl.DataFrame) -> None:
    """Declarations, a file an office; the inspections reported today; the truth of the shipments."""
    goods = declarations.number_declarations(goods, day.timetuple().tm_yday, day.year)
    rng = world.rng(day, "customs")
    found = inspect_goods(rng, world.products, world.customs_officers, goods)
    world.adaptation.seized(found["ring"].to_numpy(), day)
    diary.inspections.put(found)
    goods = goods.with_columns(amended=pl.lit(0, pl.Int64))
    diary.amendments.put(amendments(world.rng(day, "amendments"), goods))
    again = diary.amendments.take(day)
    everything = goods if again is None else pl.concat([goods, again])
    for index, office in enumerate(OFFICES):
        here = everything.filter(pl.col("office") == index)
        rows = _as_kept(world, DECLARATIONS, day, declarations.layout(world, here))
        rows = rows.with_columns(__again=here["amended"] > 0)
        name = f"DECL_{office.code}_{day:%Y%m%d}.csv"
        dispatch.send(writer, world.scenario, rng, DECLARATIONS, name, day, rows)
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
        rows = inspections.layout(in_order(rng, reported, "at"))
        dispatch.send(writer, world.scenario, rng, INSPECTIONS, f"INSP_{day:%Y%m%d}.ndjson", day, rows)


def immigration(world: World, writer: Writer, diary: Diary, day: date, today: pl.DataFrame) -> None:
    """Crossings in the order recorded; the outcomes reported today; the truth of the crossings."""
    rng = world.rng(day, "immigration")
    today = crossings.number_crossings(today, day)
    found = secondary.examine(rng, world.border_officers, today)
    world.adaptation.seized(found["ring"].to_numpy(), day)
    diary.outcomes.put(found)
    name = f"CROSSINGS_{day:%Y%m%d}.csv"
    named = written(world.rng(day, "spelling"), today, NORVALE, SLIPS["immigration"])
    rows = _as_kept(world, CROSSINGS, day, crossings.layout(named))
    dispatch.send(writer, world.scenario, rng, CROSSINGS, name, day, rows)
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
        told = outcomes.layout(in_order(rng, reported, "at"))
        dispatch.send(writer, world.scenario, rng, OUTCOMES, f"OUTCOMES_{day:%Y%m%d}.ndjson", day, told)


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
        # No receiver takes down one message twice.
        heard = heard.unique(["vessel", "at", "static"], keep="first", maintain_order=True)
        content = ais.encode(world, in_order(rng, heard, "at"))
        writer.extract("surveillance", "vessel_positions", f"AIS_{day:%Y%m%d}.nmea", day, content, len(heard))


def _as_kept(world: World, layout: Layout, day: date, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as the agency's software writes them on that day."""
    return rewritten(rows, world.scenario.changes_of(f"{layout.agency}.{layout.dataset}", world.number(day)))


def in_order(rng: np.random.Generator, rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Sorted by time; rows of one second in random order, so that order tells nothing."""
    return rows[rng.permutation(len(rows))].sort(*by, maintain_order=True)


def amendments(rng: np.random.Generator, goods: pl.DataFrame) -> pl.DataFrame:
    """Items that their declarants correct some days later: mass, packages and value as they should have been."""
    some = goods.filter(pl.Series(rng.random(len(goods)) < defects.AMENDED))
    n = len(some)
    mass, price = pl.Series(rng.uniform(0.97, 1.03, n)), pl.Series(rng.uniform(0.95, 1.05, n))
    return some.with_columns(
        net_kg=(pl.col("net_kg") * mass).round(3),
        gross_kg=(pl.col("gross_kg") * mass).round(3),
        packages=pl.col("packages") + pl.Series(rng.integers(0, 2, n)),
        value=(pl.col("value") * price).round(2),
        amended=pl.col("at") + pl.Series(rng.integers(86_400, 9 * 86_400, n)),
    )

"""From arguments to files: the loop over days that ties actors' behaviour to agencies' extracts.

What happens on a day is in the subject's module; here is only the order, and what waits for another day.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from simulation import defects, secondary
from simulation.agenda import Agenda
from simulation.formats import ais, anpr, crossings, declarations, inspections, outcomes
from simulation.formats.text import ndjson
from simulation.geography import OFFICES, ZONE
from simulation.inspection import inspect_goods
from simulation.sightings import day_of_sightings
from simulation.tracks import day_of_reports
from simulation.trade import day_of_trade
from simulation.travel import day_of_travel
from simulation.truth import actors_truth
from simulation.voyages import calls_of
from simulation.world import World, draw_world
from simulation.writer import Summary, Writer

# Travellers on their way home when the world begins set out within these days before it.
WARM_UP_DAYS = 10
Progress = Callable[[str, int, int], None]


def simulate(
    start: date, days: int, scale: float, seed: int, out: Path, progress: Progress | None = None
) -> Summary:
    """Writes `days` of extracts from `start` on below `out`; the same arguments give the same bytes.

    `scale` 1.0 is 500 declared goods items, 2,500 crossings and 8,333 surveillance records a day. `progress` is
    called with (what, days done, days to do). Raises ValueError that names the argument which is impossible.
    """
    _refuse_impossible(start, days, scale, seed, out)
    world, writer = draw_world(start, scale, seed), Writer(out)
    diary = _Diary()
    for step in range(-WARM_UP_DAYS, days + 1):
        _live(world, writer, diary, start + timedelta(days=step), days)
        if step > 0 and progress is not None:
            progress("simulate", step, days)
    for table, rows in actors_truth(world).items():
        writer.truth(table, rows)
    return writer.close()


def _refuse_impossible(start: date, days: int, scale: float, seed: int, out: Path) -> None:
    if not isinstance(start, date):
        raise ValueError(f"start: {start!r} is not a date")
    if days < 1:
        raise ValueError(f"days: {days} is less than one day")
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale: {scale} is not a positive number; 1.0 is 500 goods items a day")
    if seed < 0:
        raise ValueError(f"seed: {seed} is negative; any whole number from 0 on will do")
    if not 1 <= (start.toordinal() - 4100) <= date.max.toordinal() - days - 8200 or start.year < 1971:
        raise ValueError(f"start: {start} leaves no room for the days before and after")
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: {out} is a file, not a folder")


class _Diary:
    """What waits for its day: crossings, reports by officers, sightings and vessel reports."""

    def __init__(self) -> None:
        self.crossings = Agenda("recorded", ZONE)
        self.inspections, self.outcomes = Agenda("at", ZONE), Agenda("at", ZONE)
        self.sightings, self.tracks = Agenda("received", "UTC"), Agenda("at", "UTC")


def _live(world: World, writer: Writer, diary: _Diary, day: date, days: int) -> None:
    """One local day; surveillance is sent a day later, when all that belongs to its UTC day has happened."""
    calls = calls_of(world, day)
    goods, arrivals = day_of_trade(world, day, calls)
    travelled = day_of_travel(world, day, arrivals)
    delay = world.rng(day, "recording").integers(2, 150, len(travelled))
    diary.crossings.put(travelled.with_columns(recorded=pl.col("at") + pl.Series(delay)))
    today = diary.crossings.take(day)
    diary.tracks.put(day_of_reports(world, day, calls))
    if today is not None:
        today = _in_order(world.rng(day, "order"), today, "recorded")
        diary.sightings.put(day_of_sightings(world, day, today))
    if world.start <= day < world.start + timedelta(days=days):
        _customs(world, writer, diary, day, goods)
        if today is not None:
            _immigration(world, writer, diary, day, today)
    yesterday = day - timedelta(days=1)
    seen, heard = diary.sightings.take(yesterday), diary.tracks.take(yesterday)
    if yesterday >= world.start:
        _surveillance(world, writer, yesterday, seen, heard)


def _in_order(rng: np.random.Generator, rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Sorted by time; rows of one second in random order, so that order tells nothing."""
    return rows[rng.permutation(len(rows))].sort(*by, maintain_order=True)


def _customs(world: World, writer: Writer, diary: _Diary, day: date, goods: pl.DataFrame) -> None:
    goods = declarations.number_declarations(goods, day.timetuple().tm_yday, day.year)
    rng = world.rng(day, "customs")
    diary.inspections.put(inspect_goods(rng, world.products, goods))
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
        rows, faults = defects.spoil(
            rng, inspections.layout(_in_order(rng, reported, "at")), defects.INSPECTIONS
        )
        name = f"INSP_{day:%Y%m%d}.ndjson"
        writer.extract("customs", "inspections", name, day, ndjson(rows), len(rows))
        _note(writer, "customs", "inspections", name, faults, 1)


def _immigration(world: World, writer: Writer, diary: _Diary, day: date, today: pl.DataFrame) -> None:
    rng = world.rng(day, "immigration")
    today = crossings.number_crossings(today, day)
    diary.outcomes.put(secondary.examine(rng, today))
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
        rows, faults = defects.spoil(rng, outcomes.layout(_in_order(rng, reported, "at")), defects.OUTCOMES)
        name = f"OUTCOMES_{day:%Y%m%d}.ndjson"
        writer.extract("immigration", "outcomes", name, day, ndjson(rows), len(rows))
        _note(writer, "immigration", "outcomes", name, faults, 1)


def _surveillance(
    world: World, writer: Writer, day: date, seen: pl.DataFrame | None, heard: pl.DataFrame | None
) -> None:
    rng = world.rng(day, "surveillance")
    if seen is not None:
        rows = anpr.layout(_in_order(rng, seen, "received", "micros"), day)
        writer.extract(
            "surveillance",
            "vehicle_sightings",
            f"ANPR_{day:%Y%m%d}.parquet",
            day,
            anpr.encode(rows),
            len(rows),
        )
    if heard is not None:
        content = ais.encode(world, _in_order(rng, heard, "at"))
        writer.extract("surveillance", "vessel_positions", f"AIS_{day:%Y%m%d}.nmea", day, content, len(heard))


def _note(
    writer: Writer, agency: str, dataset: str, name: str, faults: pl.DataFrame, first_line: int
) -> None:
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

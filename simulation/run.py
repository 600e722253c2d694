"""From arguments to files: the loop over days that ties actors' behaviour to agencies' extracts.

What happens on a day is in the subject's module; here is only the order of things.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from simulation import extended as beyond
from simulation import feeds
from simulation.agenda import Diary
from simulation.detections import day_of_detections
from simulation.posts import let_through, to_open_posts
from simulation.scenario import load
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
    start: date,
    days: int,
    scale: float,
    seed: int,
    out: Path,
    progress: Progress | None = None,
    scenario: str | Path = "calm",
    extended: bool = False,
) -> Summary:
    """Writes `days` of extracts from `start` on below `out`; the same arguments give the same bytes.

    `scale` 1.0 is 500 declared goods items, 2,500 crossings and 8,333 surveillance records a day. `scenario` is
    one of `scenario.known()`, or a TOML file; `extended` adds manifests, passenger messages, the neighbour's
    agencies and sensors. `progress` is called with (what, days done, days to do). Raises
    ValueError that names the impossible argument.
    """
    chosen = load(scenario)
    arguments = _arguments(start, days, scale, seed, chosen.name, extended)
    _refuse_impossible(start, days, scale, seed)
    _refuse_another_world(out, arguments)
    world, writer = draw_world(start, scale, seed, chosen), Writer(out)
    diary = Diary()
    for step in range(-WARM_UP_DAYS, days + 1):
        _live(world, writer, diary, start + timedelta(days=step), days, extended)
        if step > 0 and progress is not None:
            progress("simulate", step, days)
    for table, rows in actors_truth(world, days).items():
        writer.truth(table, rows)
    return writer.close(arguments)


def _refuse_impossible(start: date, days: int, scale: float, seed: int) -> None:
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


def _refuse_another_world(out: Path, arguments: str) -> None:
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: {out} is a file, not a folder")
    note = out / "truth" / "arguments.json"
    if note.exists() and note.read_text(encoding="utf-8") != arguments:
        raise ValueError(f"out: {out} holds another world ({note}); choose another folder or remove this one")


def _arguments(start: date, days: int, scale: float, seed: int, scenario: str, extended: bool) -> str:
    given: dict[str, object] = {
        "start": start.isoformat(),
        "days": days,
        "scale": scale,
        "seed": seed,
        "scenario": scenario,
    }
    if extended:
        given["extended"] = extended
    return json.dumps(given) + "\n"


def _live(world: World, writer: Writer, diary: Diary, day: date, days: int, extended: bool) -> None:
    """One local day; surveillance is sent a day later, when all that belongs to its UTC day has happened."""
    calls = calls_of(world, day)
    goods, arrivals = day_of_trade(world, day, calls)
    travelled = day_of_travel(world, day, arrivals)
    delay = world.rng(day, "recording").integers(2, 150, len(travelled))
    diary.crossings.put(travelled.with_columns(recorded=pl.col("at") + pl.Series(delay)))
    today = diary.crossings.take(day)
    reports = day_of_reports(world, day, calls)
    diary.tracks.put(reports.filter("heard"))
    if extended:
        diary.detections.put(day_of_detections(world, day, reports))
    if today is not None:
        today = let_through(world, day, to_open_posts(world, day, today))
        today = feeds.in_order(world.rng(day, "order"), today, "recorded")
        diary.sightings.put(day_of_sightings(world, day, today))
    if world.start <= day < world.start + timedelta(days=days):
        feeds.customs(world, writer, diary, day, goods)
        if extended:
            beyond.customs(world, writer, day, goods, calls)
        if today is not None:
            feeds.immigration(world, writer, diary, day, today)
        if extended and today is not None:
            beyond.immigration(world, writer, day, today)
    yesterday = day - timedelta(days=1)
    seen, heard = diary.sightings.take(yesterday), diary.tracks.take(yesterday)
    if yesterday >= world.start:
        feeds.surveillance(world, writer, yesterday, seen, heard)
    noticed = diary.detections.take(yesterday)
    if extended and yesterday >= world.start:
        beyond.surveillance(world, writer, yesterday, noticed)

"""Figures of a debrief: what each team found of what was there, and what others would have found with as much work.

Frames in, plain data out; no files. A *choice* is what a team marks on a day (a shipment, a crossing, a vehicle or
vessel); an *event* is a shipment or crossing. A choice hits when an illicit event is behind it; an illicit event is
found when a choice has it behind it. Precision is of choices, recall of events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.exercise.worklists import TEAMS

CHOSEN = {"team": pl.String, "on": pl.Date, "id": pl.String}
TRUTH = {
    "event_id": pl.String,
    "is_illicit": pl.Boolean,
    "kind": pl.String,
    "ring": pl.Int64,
    "recoverable_eur": pl.Float64,
}
_UNIT = ["team", "on", "id"]


@dataclass(frozen=True)
class Said:
    """An inject as it fell due."""

    on: date
    to: str
    text: str


@dataclass(frozen=True)
class Played:
    """An exercise as far as it has been played, with the truth of it."""

    offered: pl.DataFrame
    """What teams could choose: `worklists.EVENTS`."""
    truth: pl.DataFrame
    """What is true of each event: `TRUTH`; events that it lacks are licit."""
    chosen: pl.DataFrame
    """What teams chose, each once a day: `CHOSEN`. An id that was not on offer finds nothing."""
    by_lanes: frozenset[str]
    """Teams that chose nothing themselves and are judged by the red and yellow lanes."""
    by_rule: frozenset[str]
    """Events that the old rule policy examined, as far as reported."""
    injects: Sequence[Said]
    happened: pl.DataFrame
    """`on`, `kind`, `ring`, `detail`, as the truth tells them."""

    def judged(self) -> pl.DataFrame:
        """`offered` with the truth of each event, and whether the team saw it."""
        facts = pl.col("is_illicit").fill_null(False)
        return (
            self.offered.join(self.truth.select(list(TRUTH)), on="event_id", how="left")
            .join(self.chosen.select(_UNIT).with_columns(is_seen=True), on=_UNIT, how="left")
            .with_columns(
                is_illicit=facts,
                is_seen=pl.col("is_seen").fill_null(False),
                kind=pl.when(facts).then(pl.col("kind").replace("", None).fill_null("unknown")),
                ring=pl.when(pl.col("ring") >= 0).then("ring"),
            )
        )


def by_lanes(offered: pl.DataFrame, teams: Sequence[str], lanes: Sequence[str]) -> pl.DataFrame:
    """What teams would have chosen had they followed the lanes: `CHOSEN`."""
    followed = offered.filter(pl.col("team").is_in(list(teams)) & pl.col("lane").is_in(list(lanes)))
    return followed.select(_UNIT).unique().sort(_UNIT)


def of_teams(played: Played) -> list[dict[str, Any]]:
    """One entry a team: its own figures and the yardsticks at the same number of choices each day."""
    judged = played.judged()
    return [_of_team(played, judged.filter(pl.col("team") == team), team) for team in TEAMS]


def _of_team(played: Played, events: pl.DataFrame, team: str) -> dict[str, Any]:
    chosen = played.chosen.filter(pl.col("team") == team)
    units = _units(events)
    illicit = _distinct(events.filter("is_illicit"))
    own = _measured(chosen.height, units.filter("is_seen"), events.filter("is_seen"), illicit.height)
    return {
        "team": team,
        "judged_by": "lanes" if team in played.by_lanes else "selections",
        "offered": units.height,
        "illicit": illicit.height,
        "own": own,
        "yardsticks": {
            "model": _top_of_model(chosen, units, events, illicit.height),
            "old rules": _old_rules(chosen.height, played.by_rule, units, events, illicit.height),
            "random": _random(chosen, units, events, illicit.height),
        },
        "recovered_eur": _value(_distinct(events.filter(pl.col("is_illicit") & pl.col("is_seen")))),
        "by_kind": by_kind(events),
    }


def by_kind(events: pl.DataFrame) -> list[dict[str, Any]]:
    """By kind of illicit act: distinct events that there were, and that were found."""
    each = events.filter("is_illicit").group_by("event_id").agg(pl.col("kind").first(), pl.col("is_seen").any())
    counted = each.group_by("kind").agg(events=pl.len(), found=pl.col("is_seen").sum())
    return counted.sort("kind").to_dicts()


def by_day(played: Played) -> list[dict[str, Any]]:
    """By day of delivery: distinct illicit events, and how many any team found that day."""
    illicit = played.judged().filter("is_illicit")
    each = illicit.group_by("on", "event_id").agg(pl.col("is_seen").any())
    return each.group_by("on").agg(illicit=pl.len(), found=pl.col("is_seen").sum()).sort("on").to_dicts()


def _units(events: pl.DataFrame) -> pl.DataFrame:
    """One row a choice on offer: whether it hits, whether it was chosen, its place on the worklist, its illicit
    events."""
    units = events.group_by(_UNIT).agg(
        pl.col("raw_score").max(),
        pl.col("is_illicit").any().alias("is_hit"),
        pl.col("is_seen").any(),
        is_illicit_count=pl.col("event_id").filter(pl.col("is_illicit")).n_unique(),
    )
    ordered = units.sort(["on", "raw_score", "id"], descending=[False, True, False])
    return ordered.with_columns(place=pl.int_range(1, pl.len() + 1).over("on"))


def _measured(size: int, units: pl.DataFrame, events: pl.DataFrame, illicit: int) -> dict[str, Any]:
    hits = int(units["is_hit"].sum())
    found = _distinct(events.filter("is_illicit")).height
    return _figures(size, hits, found, illicit)


def _figures(size: float, hits: float, found: float, illicit: int) -> dict[str, Any]:
    return {
        "choices": size,
        "hits": hits,
        "found": found,
        "precision": hits / size if size else None,
        "recall": found / illicit if illicit else None,
    }


def _top_of_model(chosen: pl.DataFrame, units: pl.DataFrame, events: pl.DataFrame, illicit: int) -> dict[str, Any]:
    """The top of each day's worklist, as many as the team chose that day."""
    sizes = chosen.group_by("on").agg(size=pl.len())
    top = units.join(sizes, on="on").filter(pl.col("place") <= pl.col("size"))
    return _measured(top.height, top, events.join(top, on=_UNIT, how="semi"), illicit)


def _old_rules(
    size: int, by_rule: frozenset[str], units: pl.DataFrame, events: pl.DataFrame, illicit: int
) -> dict[str, Any] | None:
    """What as many choices by the old rules find on average, by those examined so far; None where there are none."""
    behind = events.filter(pl.col("event_id").is_in(list(by_rule)))
    examined = units.join(behind, on=_UNIT, how="semi")
    if examined.is_empty():
        return None
    # Who stops a vehicle finds all that is behind it, whichever event made him stop it.
    found = _distinct(events.join(examined, on=_UNIT, how="semi").filter("is_illicit")).height
    share = size / examined.height
    return _figures(size, share * int(examined["is_hit"].sum()), min(share * found, illicit), illicit)


def _random(chosen: pl.DataFrame, units: pl.DataFrame, events: pl.DataFrame, illicit: int) -> dict[str, Any]:
    """What as many choices drawn at random each day find on average: exact, without drawing."""
    sizes = chosen.group_by("on").agg(size=pl.len())
    of_day = units.group_by("on").agg(units=pl.len(), hits=pl.col("is_hit").sum())
    chance = of_day.join(sizes, on="on").with_columns(
        drawn=pl.min_horizontal("size", "units"),
        share=pl.min_horizontal(pl.lit(1.0), pl.col("size") / pl.col("units")),
    )
    hits = float((chance["share"] * chance["hits"]).sum())
    # An event delivered again, corrected, has a chance on each of its days.
    each = events.filter("is_illicit").unique([*_UNIT, "event_id"]).join(chance, on="on", how="left")
    missed = each.group_by("event_id").agg((1 - pl.col("share").fill_null(0.0)).product().alias("missed"))
    found = float((1 - missed["missed"]).sum())
    return _figures(int(chance["drawn"].sum()), hits, found, illicit)


def _distinct(events: pl.DataFrame) -> pl.DataFrame:
    return events.unique("event_id", keep="first", maintain_order=True)


def _value(events: pl.DataFrame) -> float:
    return round(float(events["recoverable_eur"].sum()), 2)

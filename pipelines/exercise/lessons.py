"""Lessons of a debrief: what followed each inject, how long new things went unseen, what was missed, what was done
twice. Frames in, plain data out; no files."""

from datetime import date, timedelta
from itertools import combinations
from typing import Any

import polars as pl

from pipelines.exercise.figures import Played, Said
from pipelines.exercise.worklists import CUSTOMS, TEAMS

_SHOWN = 10
ROUTE = "route_displaced"
RING = "ring_begins"


def after_injects(played: Played, days: int) -> list[dict[str, Any]]:
    """For each inject and team it speaks to: found of what was there in the `days` after it and before it.

    What is delivered on the morning of an inject happened before it, and counts so.
    """
    judged = played.judged()
    return [
        {
            "on": said.on,
            "to": said.to,
            "text": said.text,
            "team": team,
            "before": _between(judged, team, said.on - timedelta(days=days), said.on),
            "after": _between(judged, team, said.on, said.on + timedelta(days=days)),
        }
        for said in played.injects
        for team in _spoken_to(said)
    ]


def _spoken_to(said: Said) -> tuple[str, ...]:
    return tuple(team for team in TEAMS if said.to in ("all", team))


def _between(judged: pl.DataFrame, team: str, after: date, until: date) -> dict[str, int]:
    rows = judged.filter(
        (pl.col("team") == team) & (pl.col("on") > after) & (pl.col("on") <= until) & pl.col("is_illicit")
    )
    each = rows.group_by("event_id").agg(pl.col("is_seen").any())
    return {"illicit": each.height, "found": int(each["is_seen"].sum())}


def delays(played: Played) -> list[dict[str, Any]]:
    """For each ring that began and each route that moved while teams played: days until the first of its events was
    chosen, by whom, and how many events had passed unseen by then."""
    judged = played.judged().filter("is_illicit")
    if judged.is_empty():
        return []
    first_day = judged["on"].min()
    found = []
    for row in played.happened.sort("on", "kind").iter_rows(named=True):
        if row["kind"] == RING and row["ring"] is not None:
            concerned = judged.filter(pl.col("ring") == row["ring"])
            what = f"ring {row['ring']} begins"
        elif row["kind"] == ROUTE:
            concerned = judged.join(_goods_of_rings_at(judged, row["detail"].rpartition(" to ")[2]), on="event_id")
            what = f"route moves, {row['detail']}"
        else:
            continue
        if row["on"] < first_day:
            continue
        found.append({"on": row["on"], "what": what, **_first_seen(concerned, row["on"])})
    return found


def _goods_of_rings_at(judged: pl.DataFrame, office: str) -> pl.DataFrame:
    """Events that a moved route concerns: it is goods of rings that take another road, not people."""
    goods = (pl.col("team") == CUSTOMS) & (pl.col("location") == office) & pl.col("ring").is_not_null()
    return judged.filter(goods).select("event_id").unique()


def _first_seen(events: pl.DataFrame, since: date) -> dict[str, Any]:
    later = events.filter(pl.col("on") > since)
    seen = later.filter("is_seen").sort("on", "team")
    first = seen.row(0, named=True) if seen.height else None
    passed = later.filter(pl.col("on") < first["on"]) if first else later
    return {
        "days": (first["on"] - since).days if first else None,
        "team": first["team"] if first else None,
        "passed_unseen": passed["event_id"].n_unique(),
        "events": later["event_id"].n_unique(),
    }


def misses(played: Played) -> dict[str, Any]:
    """What nobody chose: how much of it, by ring (null: no ring), and the single largest by recoverable value."""
    illicit = played.judged().filter("is_illicit")
    each = (
        illicit.sort("on", "team")
        .group_by("event_id", maintain_order=True)
        .agg(pl.col("team", "on", "kind", "ring", "location", "recoverable_eur").first(), pl.col("is_seen").any())
    )
    rings = each.group_by("ring").agg(
        events=pl.len(),
        found=pl.col("is_seen").sum(),
        missed_eur=pl.col("recoverable_eur").filter(~pl.col("is_seen")).sum().round(2),
    )
    missed = each.filter(~pl.col("is_seen"))
    largest = missed.filter(pl.col("recoverable_eur") > 0).sort(
        ["recoverable_eur", "event_id"], descending=[True, False]
    )
    return {
        "events": missed.height,
        "missed_eur": round(float(missed["recoverable_eur"].sum()), 2),
        "by_ring": rings.sort(["missed_eur", "events", "ring"], descending=[True, True, False]).to_dicts(),
        "largest": largest.drop("is_seen").head(_SHOWN).to_dicts(),
    }


def double_work(played: Played) -> dict[str, Any]:
    """Vehicles and vessels that two teams or more chose on the same day, by pair of teams.

    Several events of one team in one vehicle are no double work.
    """
    seen = played.judged().filter(pl.col("is_seen") & pl.col("means").is_not_null())
    by_means = seen.group_by("on", "means").agg(
        teams=pl.col("team").unique().sort(), is_illicit=pl.col("is_illicit").any()
    )
    twice = by_means.filter(pl.col("teams").list.len() > 1)
    pairs = []
    for first, second in combinations(TEAMS, 2):
        both = twice.filter(pl.col("teams").list.contains(first) & pl.col("teams").list.contains(second))
        pairs.append({"teams": [first, second], "looked_at": both.height, "illicit": int(both["is_illicit"].sum())})
    return {"looked_at": by_means.height, "by_two_or_more": twice.height, "pairs": pairs}

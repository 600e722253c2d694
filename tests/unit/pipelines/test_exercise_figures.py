"""Figures of a debrief against a twin that counts them one by one over a tiny world."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations, product
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.exercise import figures, lessons
from pipelines.exercise.figures import CHOSEN, TRUTH, Played, Said
from pipelines.exercise.worklists import EVENTS, TEAMS

FIRST = date(2025, 3, 3)
KINDS = ["concealment", "a kind nobody knew of", None]
TEAM_OF = {"S": "customs", "C": "immigration"}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def event(name: str, on: int, place: str, means: str | None, score: float) -> list[dict[str, Any]]:
    """An event as its own team sees it, and as surveillance does where something brought it."""
    common = {
        "on": day(on), "event_id": name, "event_at": datetime(2025, 3, 1, tzinfo=UTC), "risk": 0.1,
        "location": place, "raw_score": score, "lane": "green", "reasons": "", "means": means,
    }  # fmt: skip
    own = {**common, "team": TEAM_OF[name[0]], "id": f"id-{name}"}
    return [own] if means is None else [own, {**common, "team": "surveillance", "id": means}]


@st.composite
def worlds(draw: st.DrawFn) -> Played:
    rows, truth, names = [], [], []
    for number in range(draw(st.integers(1, 14))):
        name = f"{draw(st.sampled_from('SC'))}{number}"
        days = draw(st.sets(st.integers(0, 3), min_size=1, max_size=2))
        means = draw(st.sampled_from([None, "V-1", "V-2", "W-1"]))
        score = float(draw(st.integers(0, 3)))
        place = draw(st.sampled_from(["XNGRE", "XNLIN"]))
        rows += [row for on in days for row in event(name, on, place, means, score)]
        names.append(name)
        if draw(st.booleans()):
            kind, ring = draw(st.sampled_from(KINDS)), draw(st.sampled_from([None, -1, 0, 1]))
            truth.append((name, draw(st.booleans()), kind, ring, draw(st.sampled_from([None, 0.0, 5.0, 7.5]))))
    offered = pl.DataFrame(rows, schema=EVENTS, orient="row")
    units = offered.select("team", "on", "id").unique().sort("team", "on", "id").rows()
    taken = [unit for unit in units if draw(st.booleans())]
    taken += [("customs", day(0), "unknown")] if draw(st.booleans()) else []
    ruled = frozenset(name for name in names if draw(st.booleans()))
    happened = [
        (day(-3), "ring_begins", 0, ""), (day(0), "ring_begins", 1, ""), (day(0), "ring_moves", 1, ""),
        (day(1), "route_displaced", None, "XNGRE to XNLIN"),
    ]  # fmt: skip
    return Played(
        offered=offered,
        truth=pl.DataFrame(truth, schema=TRUTH, orient="row"),
        chosen=pl.DataFrame(taken, schema=CHOSEN, orient="row"),
        by_lanes=frozenset(),
        by_rule=ruled,
        injects=[Said(day(1), "all", "look"), Said(day(2), "customs", "again"), Said(day(2), "staff", "quiet")],
        happened=pl.DataFrame(
            happened, schema={"on": pl.Date, "kind": pl.String, "ring": pl.Int64, "detail": pl.String}, orient="row"
        ),
    )


class Twin:
    """The same questions, asked of plain rows one at a time."""

    def __init__(self, played: Played) -> None:
        self.rows = played.offered.to_dicts()
        self.truth = {row["event_id"]: row for row in played.truth.to_dicts()}
        self.chosen = set(played.chosen.rows())
        self.by_rule = played.by_rule

    def is_illicit(self, name: str) -> bool:
        return name in self.truth and self.truth[name]["is_illicit"]

    def behind(self, unit: tuple[str, date, str]) -> set[str]:
        return {row["event_id"] for row in self.rows if (row["team"], row["on"], row["id"]) == unit}

    def units(self, team: str) -> list[tuple[str, date, str]]:
        return sorted({(row["team"], row["on"], row["id"]) for row in self.rows if row["team"] == team})

    def illicit(self, events: set[str]) -> set[str]:
        return {name for name in events if self.is_illicit(name)}

    def in_reach(self, team: str) -> set[str]:
        return {row["event_id"] for row in self.rows if row["team"] == team}

    def found(self, units: list[tuple[str, date, str]]) -> tuple[int, int]:
        hits = sum(bool(self.illicit(self.behind(unit))) for unit in units)
        return hits, len(self.illicit({name for unit in units for name in self.behind(unit)}))

    def score(self, unit: tuple[str, date, str]) -> float:
        return max(row["raw_score"] for row in self.rows if (row["team"], row["on"], row["id"]) == unit)


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_each_team_is_credited_with_what_is_behind_its_choices(played: Played) -> None:
    twin = Twin(played)
    for got in figures.of_teams(played):
        mine = sorted(unit for unit in twin.chosen if unit[0] == got["team"])
        hits, found = twin.found(mine)
        there = twin.illicit(twin.in_reach(got["team"]))
        assert (got["own"]["choices"], got["own"]["hits"], got["own"]["found"]) == (len(mine), hits, found)
        assert got["illicit"] == len(there)
        assert got["own"]["precision"] == (pytest.approx(hits / len(mine)) if mine else None)
        assert got["own"]["recall"] == (pytest.approx(found / len(there)) if there else None)
        seen = {name for unit in mine for name in twin.behind(unit)}
        worth = sum(twin.truth[name]["recoverable_eur"] or 0 for name in twin.illicit(seen))
        assert got["recovered_eur"] == pytest.approx(worth)
        for row in got["by_kind"]:
            of_kind = {name for name in there if (twin.truth[name]["kind"] or "unknown") == row["kind"]}
            assert (row["events"], row["found"]) == (len(of_kind), len(of_kind & seen))
        assert sum(row["events"] for row in got["by_kind"]) == len(there)


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_yardsticks_have_as_many_choices_each_day_as_the_team(played: Played) -> None:
    twin = Twin(played)
    for got in figures.of_teams(played):
        units = twin.units(got["team"])
        sizes = {on: sum(unit[:2] == (got["team"], on) for unit in twin.chosen) for on in {unit[1] for unit in units}}
        top = [
            unit
            for on, size in sizes.items()
            for unit in sorted((u for u in units if u[1] == on), key=lambda u: (-twin.score(u), u[2]))[:size]
        ]
        model = got["yardsticks"]["model"]
        assert (model["choices"], model["hits"], model["found"]) == (len(top), *twin.found(top))
        drawn = _average_of_all_draws(twin, units, sizes)
        random = got["yardsticks"]["random"]
        assert (random["hits"], random["found"]) == (pytest.approx(drawn[0]), pytest.approx(drawn[1]))
        ruled = [unit for unit in units if twin.behind(unit) & twin.by_rule]
        rules = got["yardsticks"]["old rules"]
        assert (rules is None) == (not ruled)
        if rules is not None:
            hits, found = twin.found(ruled)
            assert rules["hits"] == pytest.approx(got["own"]["choices"] * hits / len(ruled))
            expected = min(got["own"]["choices"] * found / len(ruled), got["illicit"])
            assert rules["found"] == pytest.approx(expected)


def _average_of_all_draws(
    twin: Twin, units: list[tuple[str, date, str]], sizes: dict[date, int]
) -> tuple[float, float]:
    """Mean hits, and mean illicit events found, over every draw there is of so many units on each day."""
    by_day = {on: [unit for unit in units if unit[1] == on] for on in sizes}
    draws = {on: list(combinations(of_day, min(sizes[on], len(of_day)))) for on, of_day in by_day.items()}
    hits = sum(sum(twin.found(list(draw))[0] for draw in of_day) / len(of_day) for of_day in draws.values())
    events = twin.illicit({name for unit in units for name in twin.behind(unit)})
    found = 0.0
    for name in events:
        missed = 1.0
        for of_day in draws.values():
            missed *= sum(all(name not in twin.behind(unit) for unit in draw) for draw in of_day) / len(of_day)
        found += 1 - missed
    return hits, found


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(1, 3))
def test_windows_of_injects_count_each_event_once_and_never_the_other_side(played: Played, window: int) -> None:
    twin = Twin(played)
    rows = lessons.after_injects(played, window)
    assert [(row["text"], row["team"]) for row in rows] == [*product(["look"], TEAMS), ("again", "customs")]
    for row in rows:
        spans = {"before": range(-window + 1, 1), "after": range(1, window + 1)}
        for side, span in spans.items():
            days = {row["on"] + timedelta(days=offset) for offset in span}
            units = [unit for unit in twin.units(row["team"]) if unit[1] in days]
            there = twin.illicit({name for unit in units for name in twin.behind(unit)})
            _, found = twin.found([unit for unit in units if unit in twin.chosen])
            assert row[side] == {"illicit": len(there), "found": found}


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_misses_and_rings_add_up(played: Played) -> None:
    twin = Twin(played)
    seen = {name for unit in twin.chosen for name in twin.behind(unit)}
    there = twin.illicit({row["event_id"] for row in twin.rows})
    missed = there - seen
    got = lessons.misses(played)
    assert got["events"] == len(missed)
    assert got["missed_eur"] == pytest.approx(sum(twin.truth[name]["recoverable_eur"] or 0 for name in missed))
    worth = {name: twin.truth[name]["recoverable_eur"] for name in missed if twin.truth[name]["recoverable_eur"]}
    assert [row["event_id"] for row in got["largest"]] == sorted(worth, key=lambda name: (-worth[name], name))[:10]
    for row in got["by_ring"]:
        members = {n for n in there if _ring(twin.truth[n]) == row["ring"]}
        assert (row["events"], row["found"]) == (len(members), len(members & seen))
    assert sum(row["events"] for row in got["by_ring"]) == len(there)


def _ring(truth: dict[str, Any]) -> int | None:
    return None if truth["ring"] in (None, -1) else truth["ring"]


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_delays_run_from_what_happened_to_the_first_choice_of_its_events(played: Played) -> None:
    twin = Twin(played)
    rings = {name: _ring(twin.truth[name]) for name in twin.illicit(set(twin.truth))}
    illicit_days = [row["on"] for row in twin.rows if twin.is_illicit(row["event_id"])]
    expected = []
    for since, what in ((day(0), "ring"), (day(1), "route")):
        if not illicit_days or since < min(illicit_days):
            continue
        if what == "ring":
            concerned = {name for name, ring in rings.items() if ring == 1}
        else:
            at = {r["event_id"] for r in twin.rows if r["team"] == "customs" and r["location"] == "XNLIN"}
            concerned = {name for name, ring in rings.items() if ring is not None} & at
        rows = [row for row in twin.rows if row["event_id"] in concerned and row["on"] > since]
        days = [row["on"] for row in rows if (row["team"], row["on"], row["id"]) in twin.chosen]
        passed = {row["event_id"] for row in rows if not days or row["on"] < min(days)}
        expected.append(((min(days) - since).days if days else None, len(passed)))
    assert [(row["days"], row["passed_unseen"]) for row in lessons.delays(played)] == expected


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_double_work_is_one_means_on_one_day_by_two_teams(played: Played) -> None:
    twin = Twin(played)
    teams: dict[tuple[date, str], set[str]] = {}
    for row in twin.rows:
        if row["means"] and (row["team"], row["on"], row["id"]) in twin.chosen:
            teams.setdefault((row["on"], row["means"]), set()).add(row["team"])
    got = lessons.double_work(played)
    assert got["looked_at"] == len(teams)
    assert got["by_two_or_more"] == sum(len(several) > 1 for several in teams.values())
    for pair in got["pairs"]:
        assert pair["looked_at"] == sum(set(pair["teams"]) <= several for several in teams.values())


def test_a_team_without_choices_is_judged_by_its_lanes() -> None:
    rows = [row for name in ("S1", "S2") for row in event(name, 0, "XNGRE", None, 1.0)]
    offered = pl.DataFrame([{**rows[0], "lane": "red"}, rows[1]], schema=EVENTS, orient="row")
    assert figures.by_lanes(offered, ["customs"], ["red", "yellow"]).rows() == [("customs", day(0), "id-S1")]
    assert figures.by_lanes(offered, [], ["red", "yellow"]).is_empty()

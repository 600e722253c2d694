"""A debrief as one HTML page that needs nothing else: pictures first, then every table. Nothing is computed here."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pipelines.exercise import svg
from pipelines.exercise.tables import contents, euros, number, percent, share

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #24303b; max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
p { margin: .3rem 0; } .quiet { color: #5b6772; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; }
.tile { flex: 1 1 10rem; border: 1px solid #d5dbe1; border-radius: 6px; padding: .6rem .9rem; }
.tile b { display: block; font-size: 1.5rem; } svg { width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; } th:not(.n) { text-align: left; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #e6eaee; vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
"""
_EVERY_ROW = 200
"""Rows of one table on the page; more would be read by nobody."""


def page(debrief: Mapping[str, Any]) -> str:
    """The whole page."""
    so_far = "" if debrief["is_over"] else " (so far)"
    parts = [
        f"<h1>Debrief: {escape(debrief['scenario'])}{so_far}</h1>",
        f"<p class=quiet>{escape(debrief['title'])}</p>",
        f"<p class=quiet>Days of delivery {debrief['from']} to {debrief['until']}. A choice hits when an illicit event "
        "is behind it; precision is of choices, recall of events.</p>",
        _tiles(debrief),
        "<h2>Recall: each team, and others with as many choices a day</h2>",
        svg.grouped_bars(_by_team(debrief["teams"], "recall"), "recall"),
        "<h2>Precision</h2>",
        svg.grouped_bars(_by_team(debrief["teams"], "precision"), "precision"),
        "<h2>Illicit events by day of delivery</h2>",
        _timeline(debrief),
        "<h2>Found by kind</h2>",
        svg.parts_of([(row["kind"].replace("_", " "), row["found"], row["events"]) for row in debrief["by_kind"]]),
        *(_table(*content) for content in contents(debrief)),
    ]
    title = escape(f"Debrief: {debrief['scenario']}")
    return (
        f"<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{title}</title><style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def _tiles(debrief: Mapping[str, Any]) -> str:
    there = sum(row["events"] for row in debrief["by_kind"])
    found = sum(row["found"] for row in debrief["by_kind"])
    choices = sum(team["own"]["choices"] for team in debrief["teams"])
    hits = sum(team["own"]["hits"] for team in debrief["teams"])
    tiles = (
        (f"{found} of {there}", f"illicit events found ({share(found, there)})"),
        (percent(hits / choices if choices else None), f"of {number(choices)} choices hit"),
        (euros(debrief["misses"]["missed_eur"]), "EUR of duty went by unseen"),
        (str(debrief["double_work"]["by_two_or_more"]), "vehicles and vessels looked at by two teams on one day"),
    )
    return (
        "<div class=tiles>"
        + "".join(f"<div class=tile><b>{escape(big)}</b>{escape(small)}</div>" for big, small in tiles)
        + "</div>"
    )


def _by_team(teams: Sequence[Mapping[str, Any]], figure: str) -> dict[str, dict[str, float | None]]:
    return {
        team["team"]: {
            "team's choices": team["own"][figure],
            **{name: got[figure] if got else None for name, got in team["yardsticks"].items()},
        }
        for team in teams
    }


def _timeline(debrief: Mapping[str, Any]) -> str:
    injects = list(dict.fromkeys((row["on"], row["to"], row["text"]) for row in debrief["injects"]))
    happened = [
        (row["on"], f"{row['on']}: {row['kind'].replace('_', ' ')}, {row['detail']}")
        for row in debrief["happened"]
        if row["on"] >= debrief["from"] and row["kind"] != "ring_moves"
    ]
    drawn = svg.timeline(
        [(row["on"], row["found"], row["illicit"]) for row in debrief["by_day"]],
        [(on, f"to {to}: {text}") for on, to, text in injects],
        happened,
    )
    said = "".join(f"<li>{on}, to {escape(to)}: {escape(text)}</li>" for on, to, text in injects)
    unsaid = "".join(f"<li>{escape(what)}</li>" for _, what in happened)
    return f"{drawn}<ol>{said}</ol>" + (f"<p>What nobody told the players:</p><ul>{unsaid}</ul>" if unsaid else "")


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    first = rows[0] if rows else [""] * len(columns)
    head = "".join(f"<th{_aligned(value)}>{escape(column)}</th>" for column, value in zip(columns, first, strict=True))
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows[:_EVERY_ROW])
    more = f"<p class=quiet>{len(rows) - _EVERY_ROW} more rows are in --json.</p>" if len(rows) > _EVERY_ROW else ""
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: object) -> str:
    return f"<td{_aligned(value)}>{escape(_said(value))}</td>"


def _aligned(value: object) -> str:
    """Numbers stand to the right."""
    text = _said(value)
    is_number = text[:1].isdigit() and text.replace(",", "").replace(".", "").rstrip("%").isdigit()
    return " class=n" if is_number else ""


def _said(value: object) -> str:
    return "" if value is None else str(value)

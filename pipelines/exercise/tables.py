"""A debrief as tables for a terminal. Nothing is computed here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.cli.listing import Listing
from pipelines.cli.output import table

Row = tuple[object, ...]
Rows = Sequence[Mapping[str, Any]]
"""What a debrief says in a list."""
Part = tuple[str, Sequence[str], Sequence[Row]]
"""Title, columns and rows."""


def tables(debrief: Mapping[str, Any]) -> Iterator[Listing]:
    """The tables in the order one would talk about them."""
    for title, columns, rows in contents(debrief):
        yield table(title, columns, rows)


def contents(debrief: Mapping[str, Any]) -> Iterator[Part]:
    """Title, columns and rows of each table that has any."""
    every = (
        _teams(debrief["teams"]),
        _kinds(debrief["by_kind"]),
        _injects(debrief["injects"], debrief["window_days"]),
        _delays(debrief["delays"]),
        _rings(debrief["misses"]["by_ring"]),
        _largest(debrief["misses"]["largest"]),
        _pairs(debrief["double_work"]["pairs"]),
        _problems(debrief["problems"]),
    )
    yield from (part for part in every if part[2])


def _teams(teams: Rows) -> Part:
    return (
        "Teams, and what others would have found with as many choices a day",
        ("team", "judged by", "who", "choices", "hits", "precision", "found", "of", "recall"),
        [row for team in teams for row in _team(team)],
    )


def _kinds(kinds: Rows) -> Part:
    return (
        "Found by kind, all teams together",
        ("kind", "there were", "found", "share"),
        [(row["kind"], row["events"], row["found"], share(row["found"], row["events"])) for row in kinds],
    )


def _injects(injects: Rows, window_days: int) -> Part:
    return (
        f"Found in the {window_days} days before and after each inject",
        ("on", "inject", "team", "before", "after"),
        [(str(row["on"]), row["text"], row["team"], _of(row["before"]), _of(row["after"])) for row in injects],
    )


def _delays(delays: Rows) -> Part:
    def after(row: Mapping[str, Any]) -> str:
        return "never" if row["days"] is None else days_of(row["days"])

    return (
        "How long new things went unseen",
        ("on", "what", "first chosen after", "by", "events before that", "events in all"),
        [(str(row["on"]), row["what"], after(row), row["team"], row["passed_unseen"], row["events"]) for row in delays],
    )


def _rings(rings: Rows) -> Part:
    return (
        "By ring: what there was, what was found, what went by",
        ("ring", "events", "found", "missed duty, EUR"),
        [(_ring(row["ring"]), row["events"], row["found"], euros(row["missed_eur"])) for row in rings],
    )


def _largest(misses: Rows) -> Part:
    def told(row: Mapping[str, Any]) -> Row:
        where = (row["kind"], row["location"], _ring(row["ring"]))
        return (str(row["on"]), row["event_id"][:12], *where, euros(row["recoverable_eur"]))

    return (
        "The largest misses by recoverable duty",
        ("on", "event", "kind", "where", "ring", "EUR"),
        [told(row) for row in misses],
    )


def _pairs(pairs: Rows) -> Part:
    return (
        "Double work: one vehicle or vessel, one day, two teams",
        ("teams", "looked at twice", "of them illicit"),
        [(" and ".join(pair["teams"]), pair["looked_at"], pair["illicit"]) for pair in pairs],
    )


def _problems(problems: Rows) -> Part:
    return (
        "Lines of the teams' files that cannot be taken as they stand",
        ("team", "file", "line", "what is wrong"),
        [(row["team"], row["file"], row["line"], row["says"]) for row in problems],
    )


def _team(team: Mapping[str, Any]) -> Iterator[Row]:
    for who, got in (("the team", team["own"]), *team["yardsticks"].items()):
        if got is not None:
            yield (
                team["team"],
                team["judged_by"] if who == "the team" else "",
                who,
                number(got["choices"]),
                number(got["hits"]),
                percent(got["precision"]),
                number(got["found"]),
                number(team["illicit"]),
                percent(got["recall"]),
            )


def _of(window: Mapping[str, int]) -> str:
    return f"{window['found']} of {window['illicit']}"


def _ring(ring: int | None) -> str:
    return "none" if ring is None else str(ring)


def days_of(count: int) -> str:
    """`1 day`, `3 days`."""
    return "1 day" if count == 1 else f"{count} days"


def number(value: float) -> str:
    """Whole numbers as such, averages with one decimal."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def percent(value: float | None) -> str:
    """A share, or a dash where there is none."""
    return "–" if value is None else f"{value:.1%}"


def euros(value: float) -> str:
    """Whole euros."""
    return f"{value:,.0f}"


def share(part: float, whole: float) -> str:
    """`part` of `whole` in percent."""
    return percent(part / whole if whole else None)

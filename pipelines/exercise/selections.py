"""Selections: what a team would examine on a day, and why, as it wrote them down. Reads and makes files; no truth."""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HEADER = ("id", "reason")
README = """\
One file a day, YYYY-MM-DD.csv, beside the worklist of the same name. One line for each thing you would examine:

  id      as in the worklist's column "id" (copy it)
  reason  why, in your own words; put it into "quotation marks" if it holds a comma

Keep the header line. Further columns are ignored, so you may paste whole lines of the worklist under its own header,
if you add a column "reason". Comma, semicolon or tab may separate. A file with no line means that you examine nothing
that day; a team that leaves every file empty is judged by the model's red and yellow lanes.
"""
_ENCODING = "utf-8-sig"  # Spreadsheets put a mark before the first column's name.


@dataclass(frozen=True)
class Choice:
    """One thing a team would examine."""

    team: str
    on: date
    id: str
    reason: str
    line: int


@dataclass(frozen=True)
class Problem:
    """A line of a team's file that cannot be taken as it stands; line 0 is the whole file."""

    team: str
    file: str
    line: int
    says: str


@dataclass(frozen=True)
class Reading:
    """What a team's files say: choices, each once a day, and what is wrong with them."""

    choices: tuple[Choice, ...]
    problems: tuple[Problem, ...]


def prepare(folder: Path, day: date) -> None:
    """An empty file for a day, and what its columns mean; never over one that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    readme, template = folder / "README.txt", folder / f"{day}.csv"
    if not readme.exists():
        readme.write_text(README, encoding="utf-8")
    if not template.exists():
        template.write_text(",".join(HEADER) + "\n", encoding="utf-8")


def read(folder: Path, team: str, worklists: Mapping[date, Collection[str]]) -> Reading:
    """A team's selections of the days whose worklists are given (ids by day).

    An id that is not on the day's worklist is reported and stays a choice: it takes up capacity and finds nothing.
    """
    choices: list[Choice] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.csv")):
        day = _day_of(path)
        if day is None or day not in worklists:
            said = "is not named by a day: YYYY-MM-DD.csv" if day is None else "there is no worklist of that day"
            problems.append(Problem(team, path.name, 0, said))
            continue
        made = _read_file(path, team, day, set(worklists[day]))
        choices += made.choices
        problems += made.problems
    return Reading(tuple(choices), tuple(problems))


def _day_of(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.stem)
    except ValueError:
        return None


def _read_file(path: Path, team: str, day: date, offered: Collection[str]) -> Reading:
    try:
        text = path.read_text(_ENCODING)
    except UnicodeDecodeError:
        return _refused(team, path, 0, "is not UTF-8; save it as CSV UTF-8")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    lines = csv.reader(text.splitlines(keepends=True), delimiter=separator)
    header = [name.strip().casefold() for name in next(lines, [])]
    if "id" not in header:
        return _refused(team, path, 1, f"has no column id; the header line is {','.join(HEADER)}")
    choices: dict[str, Choice] = {}
    problems = []
    try:
        for row in lines:
            if not any(value.strip() for value in row):
                continue
            given = dict(zip(header, (value.strip() for value in row), strict=False))
            choice = Choice(team, day, given.get("id", ""), given.get("reason", ""), lines.line_num)
            wrong = _wrong_with(choice, row, header, offered, choices)
            problems += [Problem(team, path.name, choice.line, said) for said in wrong]
            if choice.id:
                choices.setdefault(choice.id, choice)
    except csv.Error as error:
        problems.append(Problem(team, path.name, lines.line_num, f"cannot be read as CSV ({error})"))
    return Reading(tuple(choices.values()), tuple(problems))


def _wrong_with(
    choice: Choice, row: list[str], header: list[str], offered: Collection[str], chosen: Mapping[str, Choice]
) -> list[str]:
    said = []
    if not choice.id:
        said.append("has no id; the line counts for nothing")
    elif choice.id not in offered:
        said.append("its id is not on that day's worklist; it takes up capacity and finds nothing")
    elif choice.id in chosen:
        said.append(f"repeats line {chosen[choice.id].line}; it counts once")
    if not choice.reason:
        said.append("gives no reason; it counts all the same")
    if len(row) > len(header):
        said.append("has more values than the header has columns; put a reason with commas into quotation marks")
    return said


def _refused(team: str, path: Path, line: int, said: str) -> Reading:
    return Reading((), (Problem(team, path.name, line, said),))

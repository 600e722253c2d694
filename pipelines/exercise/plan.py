"""Plans: which scenario is played, over which days, and what the directing staff says when. No files but scenarios.

Days of a scenario count from the world's first, which is 1. The exercise begins the morning after the history, when
all that happened in it has been delivered, and ends the morning after the world's last day.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from simulation import scenario as scenarios
from simulation.scenario import Inject, Scenario
from warehouse.errors import BorderlakeError

HISTORY_DAYS = 60
"""Days before the exercise that models learn from, if not told otherwise."""
_LEAST_DAYS = 120
_AFTER_A_CHANGE = 6
_FOR_EVER = 10**5


@dataclass(frozen=True)
class Plan:
    """One exercise: its scenario and the world it is played in."""

    scenario: str
    """A name, or the path of a file."""
    fingerprint: str
    """Of what the scenario says: a file that is edited is another exercise."""
    start: date
    days: int
    history_days: int
    scale: float
    seed: int

    @property
    def begins(self) -> date:
        """The morning on which the players come in."""
        return self.start + timedelta(days=self.history_days)

    @property
    def ends(self) -> date:
        """The morning on which the last day's deliveries are in."""
        return self.start + timedelta(days=self.days)

    def date_of(self, number: int) -> date:
        """The date of the scenario's day `number`."""
        return self.start + timedelta(days=number - 1)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "start": self.start.isoformat()}


def plan_from(given: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` gave."""
    return Plan(**{**given, "start": date.fromisoformat(given["start"])})


def new_plan(
    chosen: Scenario, source: str, *, start: date, days: int | None, history_days: int, scale: float, seed: int
) -> Plan:
    """A plan for a scenario; refuses one that ends before it begins."""
    length = length_days(chosen) if days is None else days
    if not 1 <= history_days < length:
        raise BorderlakeError(
            f"the world lasts {length} days and {history_days} of them are history, which leaves no day to play; "
            "give a longer --world-days or a shorter --history"
        )
    return Plan(source, fingerprint(chosen), start, length, history_days, scale, seed)


def known(folder: Path | None = None) -> dict[str, Scenario]:
    """Scenarios that ship, and those of a folder, by the name or path that `find` takes; raises on an unreadable
    file."""
    found = {name: load(name) for name in scenarios.known()}
    if folder is not None:
        if not folder.is_dir():
            raise BorderlakeError(f"there is no folder {folder}; give --scenarios a folder of scenario files (*.toml)")
        found |= {str(path): load(path) for path in sorted(folder.glob("*.toml"))}
    return found


def find(name: str, folder: Path | None = None) -> tuple[str, Scenario]:
    """A scenario by name, by path, or by name within `folder`; and the name or path it was found under."""
    own = folder / f"{name.removesuffix('.toml')}.toml" if folder is not None else None
    if own is not None and own.is_file():
        return str(own.absolute()), load(own)
    source = str(Path(name).absolute()) if name.endswith(".toml") else name
    return source, load(source)


def load(source: str | Path) -> Scenario:
    """The scenario of that name or file."""
    try:
        return scenarios.load(source)
    except (ValueError, OSError) as error:
        raise BorderlakeError(f"{error}. See them: borderlake exercise list") from error


def played(plan: Plan) -> Scenario:
    """The scenario of a plan; refuses a file that has been edited since."""
    chosen = load(plan.scenario)
    if fingerprint(chosen) != plan.fingerprint:
        raise BorderlakeError(
            f"{plan.scenario} has been edited since the exercise began; put it back, or play the new one in another "
            "BORDERLAKE_HOME"
        )
    return chosen


def length_days(chosen: Scenario) -> int:
    """Days of the world a scenario asks for: until the last inject, or long enough to see what it changes."""
    begun = [*chosen.new_rings, *chosen.lasting_from]
    periods = (*chosen.smuggling, *chosen.travel)
    begun += [period.from_day for period in periods]
    ended = [period.to_day for period in periods if period.to_day < _FOR_EVER]
    least = [] if chosen.injects else [_LEAST_DAYS]
    return max([*(day + _AFTER_A_CHANGE for day in begun), *ended, *(i.day for i in chosen.injects), *least])


def addressed(chosen: Scenario) -> list[str]:
    """To whom the injects speak, each once."""
    return sorted({inject.to for inject in chosen.injects})


def due(chosen: Scenario, plan: Plan, after: date, until: date) -> list[tuple[date, Inject]]:
    """Injects of the days after `after`, up to and including `until`, in order."""
    dated = [(plan.date_of(inject.day), inject) for inject in chosen.injects]
    return sorted((pair for pair in dated if after < pair[0] <= until), key=lambda pair: pair[0])


def happenings(chosen: Scenario) -> Sequence[tuple[int, str]]:
    """What the scenario changes, by day: for the directing staff only."""
    rows = [(day, f"new rings, {share:g} of the first ones") for day, share in chosen.new_rings.items()]
    rows += [(m.from_day, f"smuggling by road leaves {m.away_from} for {m.towards}") for m in chosen.displaced]
    rows += [(closure.from_day, f"{closure.port} closes") for closure in chosen.closed]
    rows += [(change.from_day, change.said) for change in chosen.feed_changes]
    for what, periods in (("smuggling", chosen.smuggling), ("travel", chosen.travel)):
        for period in periods:
            until = f"to day {period.to_day}" if period.to_day < _FOR_EVER else "for good"
            rows.append((period.from_day, f"{what} times {period.factor:g}, {until}"))
    rows += [(1, f"{fault.replace('_', ' ')} files, {rate:.0%}") for fault, rate in chosen.file_faults.items()]
    return sorted(rows)


def fingerprint(chosen: Scenario) -> str:
    """Equal scenarios, equal fingerprint; the name does not count."""
    said = {name: repr(value) for name, value in vars(chosen).items() if name != "name"}
    return hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()[:12]

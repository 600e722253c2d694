"""What is said of a feed: each finding in words, with the next step. No judging here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from warehouse.transmissions import Lacking
from warehouse.usual import FEWEST_DELIVERIES, FEWEST_OF_A_WEEKDAY, Band, Silence

_COLUMNS_SHOWN, _REPORTS_SHOWN, _NAME_SHOWN = 5, 3, 40
_SHOWS_FILES = "Its files: borderlake show ledger.landings"


@dataclass(frozen=True)
class Feed:
    """One agency's dataset."""

    agency: str
    dataset: str

    @property
    def name(self) -> str:
        return f"{self.agency}.{self.dataset}"


def is_young(seen: int, *, by_weekday: bool = False) -> str:
    """Too little history."""
    weekdays = f", and {FEWEST_OF_A_WEEKDAY} of its weekday" if by_weekday else ""
    return f"{_counted(seen, 'day', 'days')} to compare with; a judgement takes {FEWEST_DELIVERIES}{weekdays}"


def is_history(last: date, landed_at: datetime) -> str:
    """Deliveries that were brought in long after their day."""
    return f"the last delivery, of {last}, was brought in on {landed_at.date()}: its silence since tells nothing"


def freshness(feed: Feed, last: date, quiet: Silence, *, is_late: bool) -> str:
    """How long nothing came."""
    if quiet.due_seen:
        missed = f"{_counted(quiet.missed, 'due delivery', 'due deliveries')} missed since"
        before = f"of {quiet.due_seen} days before on which one was due, {quiet.missed_before} passed without"
        said = f"last delivery {last:%a} {last}; {missed}; {before}"
    else:
        said = f"last delivery {last:%a} {last}, {quiet.missed} days ago; {quiet.allowed} days are usual"
    if not is_late:
        return said
    return f"{said}. Look for its files in inbox/{feed.agency}/{feed.dataset}/, then ask {feed.agency}"


def volume(feed: Feed, first: date, last: date, rows: int, band: Band, *, is_odd: bool) -> str:
    """How many rows came on a day, or from a first to a last."""
    when = f"on {last:%a} {last}" if first == last else f"from {first} to {last}"
    of = f"on a {last:%A}" if first == last else "on such days together"
    said = (
        f"{_counted(rows, 'row', 'rows')} {when}; {band.low:,.0f} to {band.high:,.0f} are usual {of} ({band.seen} seen)"
    )
    if not is_odd:
        return said
    if rows < band.low:
        return f"{said}. Ask {feed.agency} whether extracts were cut or files are missing. {_SHOWS_FILES}"
    return f"{said}. See whether files came twice, or late. {_SHOWS_FILES}"


def part(feed: Feed, measure: str, rows: int, read: int, most: float, *, is_odd: bool) -> str:
    """What share of the rows was refused, or stood twice in their file."""
    what = measure.split()[0]
    said = f"{rows:,} of {read:,} rows {what}; at most {most:.1%} is usual for so many"
    return f"{said}. See which rules: borderlake quarantine list --dataset {feed.name}" if is_odd else said


def columns(feed: Feed, new: Sequence[str]) -> str:
    """Columns that came up."""
    if not new:
        return "no column has come up"
    shown = ", ".join(_short(name) for name in new[:_COLUMNS_SHOWN])
    more = f" and {len(new) - _COLUMNS_SHOWN} more" if len(new) > _COLUMNS_SHOWN else ""
    return (
        f"{_counted(len(new), 'column', 'columns')} came up and no dialect maps: {shown}{more}, kept aside. Ask "
        f"{feed.agency} what it holds, then map it in the dialect and raise its version"
    )


def columns_unknown() -> str:
    """Nothing to compare with."""
    return "no earlier delivery tells which columns it had"


def files(feed: Feed, rules: Mapping[str, int]) -> str:
    """Files that were refused as a whole."""
    if not rules:
        return "no file is refused as a whole"
    told = ", ".join(f"{rule} {count}" for rule, count in rules.items())
    return (
        f"{_counted(sum(rules.values()), 'file', 'files')} refused as a whole within a week, not read since ({told}). "
        f"See why: borderlake quarantine list --dataset {feed.name}; mend the dialect and redrive, or ask {feed.agency}"
    )


def parts(feed: Feed, found: Sequence[Lacking]) -> str:
    """Reports of which a part has not landed."""
    if not found:
        return "no part of a report is missing"
    shown = "; ".join(f"{_short(one.of)} of {one.made_at}: {one.numbers}" for one in found[:_REPORTS_SHOWN])
    more = f" and {len(found) - _REPORTS_SHOWN} more" if len(found) > _REPORTS_SHOWN else ""
    return (
        f"{_counted(len(found), 'report', 'reports')} of the last days without all their parts ({shown}{more}). See "
        f"whether one was refused: borderlake quarantine list --dataset {feed.name}; else ask {feed.agency} for it"
    )


def _short(name: str) -> str:
    return name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}..."


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"

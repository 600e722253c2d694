"""Reports that come in several messages: which of their parts have not landed. No table is read here.

A sender numbers the parts of a report, says which is the last, and gives all of them one reference (UN/EDIFACT: S010
and the common access reference of UNH). A later report of the same flight may have the same reference: parts are of
another report where their numbers begin anew, or long after the part before. A part that was refused has not landed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from warehouse.readers import Part

_APART = timedelta(hours=2)
"""Parts of one report are made within so long of one another."""


@dataclass(frozen=True)
class Lacking:
    """A report of which parts have not landed."""

    of: str
    made_at: str
    missing: tuple[int, ...]
    """Numbers below the greatest that landed."""
    is_open: bool
    """Whether none of those that landed is the last."""

    @property
    def numbers(self) -> str:
        """Which parts, in words."""
        told = [str(number) for number in self.missing]
        return ", ".join([*told, "the last"] if self.is_open else told)


def lacking(parts: Sequence[Part]) -> Iterator[Lacking]:
    """The reports among landed parts that are not whole, by reference and time; a part may have landed twice."""
    for _, alike in groupby(sorted(set(parts)), key=lambda part: part.of):
        for report in _reports(list(alike)):
            numbers = {part.number for part in report}
            missing = tuple(sorted(set(range(1, max(numbers))) - numbers))
            # A first part that says of no second is one of senders who number all they send.
            is_open = not any(part.is_last for part in report) and (numbers != {1} or report[0].mark == "C")
            if missing or is_open:
                yield Lacking(report[0].of, report[0].made_at, missing, is_open)


def _reports(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts of one reference, in the order in which they were made, report by report."""
    report: list[Part] = []
    for part in parts:
        if report and (_is_long_after(part, report[-1]) or any(part.number == one.number == 1 for one in report)):
            yield report
            report = []
        report.append(part)
    if report:
        yield report


def _is_long_after(part: Part, before: Part) -> bool:
    try:
        return datetime.fromisoformat(part.made_at) - datetime.fromisoformat(before.made_at) > _APART
    except ValueError:  # What is no time says nothing.
        return False

"""Refused rows on the terminal, for whoever shows them: a dry run of a landing, and `borderlake quarantine show`."""

from collections.abc import Iterable

from pipelines.cli.output import printable, table
from warehouse.complaints import Line


def refused_table(title: str, lines: Iterable[Line], *, with_raw: bool = False) -> object:
    """What is wrong with each line, in its sender's terms, and the rule; as received only where that is asked."""
    columns = ("line", "column", "problem", "what would mend it", "rule", *(("as received",) if with_raw else ()))
    shown = [
        (
            str(line.number or "whole file"),
            *map(printable, (line.where, line.complaint.problem, line.complaint.mend, line.complaint.rule)),
            *((printable(line.raw or ""),) if with_raw else ()),
        )
        for line in lines
    ]
    return table(title, columns, shown)

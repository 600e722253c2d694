"""Refused rows line by line, each broken rule in its sender's own terms: for a report, a terminal, a dry run.

The wording of a rule is `warehouse.terms`; how lines are laid out is for who shows them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from warehouse.contracts import Contract
from warehouse.dialect import Dialect
from warehouse.terms import Complaint, once, terms

_Broken = tuple[str, str]
"""A rule, and the message kept with the row."""


@dataclass(frozen=True)
class Line:
    """One broken rule of one line; line 0 is the whole file."""

    number: int
    dataset: str
    complaint: Complaint
    raw: str | None = None

    @property
    def where(self) -> str:
        """The columns to look at."""
        return ", ".join(self.complaint.columns) or ("the whole line" if self.number else "the whole file")


def lines(contract: Contract, dataset: str, rows: pl.DataFrame, dialect: Dialect | None) -> Iterator[Line]:
    """What is to be told of refused rows (`source_line`, `rules`, `messages`, perhaps `raw`) of a file that was read
    as `dataset` under a dialect; None where that dialect is gone."""
    words = terms(contract, dataset, dialect)
    told: dict[_Broken, Complaint] = {}
    for row in rows.iter_rows(named=True):
        broken = list(zip(row["rules"], row["messages"], strict=True))
        for rule, message in broken:
            if (rule, message) not in told:
                told[rule, message] = words.complaint(rule, message)
        for complaint in once([told[rule, message] for rule, message in broken]):
            yield Line(row["source_line"], contract.name, complaint, row.get("raw"))

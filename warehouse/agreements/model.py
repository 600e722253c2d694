"""A data-sharing agreement as values: who gives whom what, for which purpose, from when to when.

What is not said is not shared: columns that are not named stay, and so do rows that no condition admits. How an
agreement is written is `reading`; whether something may be seen is `decision`; what flows under it is `cutting`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from warehouse.contracts.base import Purpose

Value = str | int | float | bool | date

REASONS = "reasons"
"""The column of a score's reasons: shared by the owners that an agreement names, never as a whole."""


class Mask(StrEnum):
    """What becomes of a column's values on their way out."""

    KEEP = "keep"
    PSEUDONYM = "pseudonym"
    """A keyed name of its own for each recipient: joins what one of them has, and nothing between two."""
    DATE = "date"
    """The first day of the period that the time lies in."""
    PLACE = "place"
    """Of a UN/LOCODE its country."""
    BAND = "band"
    """The lower end of the band that the number lies in: ages by tens."""
    ROUND = "round"
    """The nearest multiple of a step; what lies in the middle goes away from zero."""


class Period(StrEnum):
    """What a time may be coarsened to."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Operator(StrEnum):
    """How a condition compares; null meets none."""

    IS = "is"
    ONE_OF = "one_of"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True)
class Masking:
    """What becomes of a column, and how far: a period, a band's width, a step."""

    mask: Mask
    parameter: str | float | None = None

    def __str__(self) -> str:
        return self.mask.value if self.parameter is None else f"{self.mask} {self.parameter}"


@dataclass(frozen=True)
class RowCondition:
    """A condition on a column of the source, shared or not."""

    column: str
    operator: Operator
    value: Value | tuple[Value, ...]

    def __str__(self) -> str:
        value = ", ".join(map(str, self.value)) if isinstance(self.value, tuple) else str(self.value)
        return f"{self.column} {self.operator.replace('_', ' ')} {value}"


@dataclass(frozen=True)
class SharedTable:
    """What of one table flows. Rows meet every condition."""

    table: str
    columns: Mapping[str, Masking]
    rows: tuple[RowCondition, ...] = ()
    reasons: frozenset[str] | None = None
    """Owners whose data a score's reasons may speak of; of the others it is told that they are restricted. None: no
    reasons at all."""
    has_history: bool = False
    """Whether earlier versions of the shared table may be read."""
    has_changes: bool = False
    """Whether its change feed may be read."""
    delay: timedelta = timedelta(0)
    """How old a row must be before it flows."""


@dataclass(frozen=True)
class Party:
    """A giving or receiving agency. `code` is the agency's code, or the recipient's in URLs and table names."""

    code: str
    name: str
    jurisdiction: str


@dataclass(frozen=True)
class Contact:
    """Whom to write to about the agreement."""

    role: str
    email: str


@dataclass(frozen=True)
class Agreement:
    """One version of an agreement between two parties."""

    agreement_id: str
    version: int
    title: str
    regime: str
    provider: Party
    recipient: Party
    legal_basis: str
    purposes: frozenset[Purpose]
    tables: Mapping[str, SharedTable]
    retention_days: int
    """How long the recipient may keep what it got."""
    contacts: tuple[Contact, ...]
    signed_on: date
    starts_on: date
    review_on: date
    expires_on: date
    """The last day on which it holds."""
    revoked_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.agreement_id} version {self.version}"

    def is_in_force(self, at: datetime) -> bool:
        """Whether it has begun, has not ended, and was not revoked; days are those of UTC."""
        today = at.astimezone(UTC).date()
        is_revoked = self.revoked_at is not None and at >= self.revoked_at
        return self.starts_on <= today <= self.expires_on and not is_revoked

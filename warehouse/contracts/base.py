"""What every contract is made of: the event columns, the facts about a column, the contract itself.

The datasets themselves live beside this module, one module a domain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any

import dataframely as dy
import polars as pl

from warehouse.contracts import codes
from warehouse.contracts.codes import CodeList


class Purpose(StrEnum):
    """What data may be used for. Default is deny: a column serves only the purposes of its contract."""

    CUSTOMS_RISK = "customs-risk-management"
    BORDER_CHECK = "border-check-risk"
    BORDER_SURVEILLANCE = "border-surveillance"
    TRAFFIC_STATISTICS = "traffic-statistics"
    PNR_ASSESSMENT = "pnr-assessment"


class Sensitivity(StrEnum):
    """How far a value may travel. `PERSONAL` stays in bronze, quarantine, archive and vault."""

    OPEN = "open"
    COMMERCIAL = "commercial"
    PERSONAL = "personal"


# Later than the zeros of other clocks (Excel 1899 and 1904, SAS 1960, Unix 1970, GPS 1980), which stand for "no time".
EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)
EARLIEST_BIRTH = date(1880, 1, 1)
CLOCK_SKEW = timedelta(minutes=10)
"""How far the clocks of an agency's own systems may lie apart."""


def facts(
    *,
    unit: str | None = None,
    identifies: str | None = None,
    sensitivity: Sensitivity = Sensitivity.OPEN,
    code_list: CodeList | None = None,
    standard: str | None = None,
) -> dict[str, Any]:
    """Facts about a column that outlive its type.

    `unit` is that of a number; one that counts, orders or names says of what. `identifies` names the entity kind whose
    identity the value gives away (organisation, person, document, vehicle, vessel): silver keeps only a keyed id of
    it. `standard` names what the values follow where no list of them is kept.
    """
    standard = standard or (code_list.name if code_list else None)
    return {
        "unit": unit,
        "identifies": identifies,
        "sensitivity": sensitivity,
        "code_list": code_list,
        "standard": standard,
    }


def coded(code_list: CodeList, description: str, *, nullable: bool = False) -> dy.String:
    """A column of codes of a list; any other is refused."""
    return dy.String(
        nullable=nullable,
        check=lambda e: e.is_in(list(code_list.meanings)),
        description=description,
        metadata=facts(code_list=code_list),
    )


def moment(description: str, *, nullable: bool = False) -> dy.Datetime:
    """A column of plausible times, in UTC."""
    return dy.Datetime(
        nullable=nullable,
        time_unit="us",
        time_zone="UTC",
        min=EARLIEST,
        max=LATEST,
        description=description,
        metadata=facts(unit="UTC, microseconds"),
    )


def day(description: str, *, earliest: date, nullable: bool = False, sensitivity: Sensitivity) -> dy.Date:
    """A column of plausible days."""
    return dy.Date(
        nullable=nullable,
        min=earliest,
        max=LATEST.date(),
        description=description,
        metadata=facts(unit="day", sensitivity=sensitivity),
    )


class Event(dy.Schema):
    """The three times of an event, less the landing time, which landing itself adds."""

    event_at = moment("When it happened.")
    event_precision = coded(
        codes.PRECISIONS, "How exact `event_at` is; a day makes all events of that day simultaneous."
    )
    event_tz = coded(codes.TIME_ZONES, "IANA time zone of the office that recorded it.")
    known_at = moment("When the fact could first be used, as its agency says.")


class Observed(Event):
    """An event that its agency records when it has happened, never before."""

    @dy.rule()
    def known_not_before_event(cls) -> pl.Expr:
        """What happens is not known before it happens, ten minutes for differing clocks apart."""
        return pl.col("known_at") >= pl.col("event_at") - CLOCK_SKEW


@dataclass(frozen=True)
class Consistency:
    """A rule across rows: those of one sender and one moment that share `by` tell the same of each of `agree`.

    No row is refused by it, for which of them is right cannot be told: the groups that disagree are reported.
    """

    name: str
    by: tuple[str, ...]
    agree: tuple[str, ...]
    description: str

    def broken(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Groups of bronze rows that disagree: their `by`, sender and `known_at`, and which columns differ."""
        group = ["jurisdiction", "source_agency", "known_at", *self.by]
        counts = rows.group_by(group).agg(pl.col(name).drop_nulls().n_unique() > 1 for name in self.agree)
        return counts.filter(pl.any_horizontal(self.agree))


@cache
def _columns(schema: type[dy.Schema]) -> Mapping[str, dy.Column]:
    """A schema's columns, which dataframely makes anew each time; asked for many times for each part of a file."""
    return MappingProxyType(schema.columns())


@dataclass(frozen=True)
class Contract:
    """One dataset as all agencies of a domain have agreed to deliver it."""

    name: str
    """`domain.dataset`, the field's own terms: `customs.declarations`."""
    version: int
    title: str
    schema: type[dy.Schema]
    key: tuple[str, ...]
    """Columns that, within an agency, name one event."""
    subject: str
    """What one row is, in the singular: `goods item`."""
    owner: str
    """The kind of agency whose data it is, and who decides on its use."""
    purposes: frozenset[Purpose]
    cadence: timedelta
    floor: int
    """Fewest rows a day that do not raise an alarm."""
    ceiling: int
    """Most rows a day that do not raise an alarm: a multiple of what the busiest borders send."""
    retention_days: int
    consistencies: tuple[Consistency, ...]
    """Rules across rows, beside the one of every contract: the very same record stands once in a file."""
    recognised_by: tuple[str, ...] = ()
    """Columns by which what was refused is known again where each sending has references of its own; else the key."""

    @property
    def domain(self) -> str:
        return self.name.split(".")[0]

    @property
    def dataset(self) -> str:
        return self.name.split(".")[1]

    @property
    def table_suffix(self) -> str:
        """`customs__declarations`, as in `bronze.customs__declarations`."""
        return self.name.replace(".", "__")

    def columns(self) -> Mapping[str, dy.Column]:
        return _columns(self.schema)

    def dtypes(self) -> dict[str, pl.DataType]:
        return {name: column.dtype for name, column in self.columns().items()}

    def facts_of(self, column: str) -> dict[str, Any]:
        return self.columns()[column].metadata or facts()

    def row_rules(self) -> dict[str, str]:
        """Rules that concern several columns of a row, and what each asks for."""
        own = {name for name in dir(self.schema) if hasattr(getattr(self.schema, name), "validation_fn")}
        return {name: (getattr(self.schema, name).validation_fn.__doc__ or "").strip() for name in sorted(own)}

    def identifying(self) -> dict[str, str]:
        """Column -> the entity kind whose identity it gives away."""
        kinds = {name: self.facts_of(name)["identifies"] for name in self.columns()}
        return {name: kind for name, kind in kinds.items() if kind}

    def content(self) -> list[str]:
        """Columns that say what an agency said: all but when it could be known."""
        return [name for name in self.columns() if name != "known_at"]

    def personal(self) -> frozenset[str]:
        """Columns that may hold personal data."""
        return frozenset(name for name in self.columns() if self.facts_of(name)["sensitivity"] is Sensitivity.PERSONAL)

    def unlogged(self) -> frozenset[str]:
        """Columns no value of which may stand in a log: all that are not open."""
        return frozenset(name for name in self.columns() if self.facts_of(name)["sensitivity"] is not Sensitivity.OPEN)

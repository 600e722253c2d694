"""What every contract is made of: the event columns, the facts about a column, the contract itself.

The datasets themselves live beside this module, one module a domain.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import dataframely as dy
import polars as pl


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


PRECISIONS = ("second", "minute", "day")


def facts(
    *, unit: str | None = None, identifies: str | None = None, sensitivity: Sensitivity = Sensitivity.OPEN
) -> dict[str, Any]:
    """Facts about a column that outlive its type.

    `identifies` names the entity kind whose identity the value gives away (organisation, person, document,
    vehicle, vessel): silver keeps only a keyed id of it.
    """
    return {"unit": unit, "identifies": identifies, "sensitivity": sensitivity}


class Event(dy.Schema):
    """The three times of an event, less the landing time, which landing itself adds."""

    event_at = dy.Datetime(time_unit="us", time_zone="UTC", description="When it happened.")
    event_precision = dy.String(
        check=lambda e: e.is_in(PRECISIONS),
        description="How exact `event_at` is; a day makes all events of that day simultaneous.",
    )
    event_tz = dy.String(description="IANA time zone of the office that recorded it.")
    known_at = dy.Datetime(
        time_unit="us", time_zone="UTC", description="When the fact could first be used, as its agency says."
    )


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
    purposes: frozenset[Purpose]
    cadence: timedelta
    floor: int
    """Fewest rows a day that do not raise an alarm."""
    retention_days: int

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

    def columns(self) -> dict[str, dy.Column]:
        return self.schema.columns()

    def dtypes(self) -> dict[str, pl.DataType]:
        return {name: column.dtype for name, column in self.columns().items()}

    def facts_of(self, column: str) -> dict[str, Any]:
        return self.columns()[column].metadata or facts()

    def identifying(self) -> dict[str, str]:
        """Column -> the entity kind whose identity it gives away."""
        kinds = {name: self.facts_of(name)["identifies"] for name in self.columns()}
        return {name: kind for name, kind in kinds.items() if kind}

    def personal(self) -> frozenset[str]:
        """Columns that may hold personal data."""
        return frozenset(name for name in self.columns() if self.facts_of(name)["sensitivity"] is Sensitivity.PERSONAL)

    def unlogged(self) -> frozenset[str]:
        """Columns no value of which may stand in a log: all that are not open."""
        return frozenset(name for name in self.columns() if self.facts_of(name)["sensitivity"] is not Sensitivity.OPEN)

"""FeatureView: a frozen declaration of features over the history of an entity.

What a declaration may say is held by `features.registry`; how views are computed is `features.windows`; the views
themselves are declared one module a subject.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from warehouse.contracts.base import Purpose, Sensitivity
from warehouse.contracts.codes import CodeList

PRIOR_OF = "jurisdiction"
"""Rates are drawn to the rate of all entities of the event's own jurisdiction."""


Days = int | Fraction
"""A window in days, exact where it is of hours."""


class Kind(StrEnum):
    """What an aggregation computes over the rows of the entity that were known strictly before the event."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    STD = "std"
    """Standard deviation of the rows themselves (population); null under 2 rows."""
    MIN = "min"
    MAX = "max"
    LAST = "last"
    """Value of the row that happened last, a number or a category; of simultaneous rows the one known last, then the
    greatest."""
    SHARE = "share"
    """Share of rows whose 0/1 column is 1, or that meet the condition `holds`: the mean of a flag, by its name."""
    RATE = "rate"
    """Mean of a 0/1 column, drawn to the rate of its jurisdiction by `prior_weight` rows of it."""
    DEVIATION = "deviation"
    """How many standard deviations the event's own value lies from the entity's mean; null under 3 rows."""
    GAP = "gap"
    """The event's own value less the entity's mean; null without rows."""
    DISTINCT = "distinct"
    ENTROPY = "entropy"
    """How evenly rows spread over the values of a category, in bits: 0 where all hold one, 1 where two share them."""
    CONCENTRATION = "concentration"
    """Herfindahl-Hirschman index of a category: the chance that two rows drawn, with return, hold the same value."""
    DAYS_SINCE_LAST = "days_since_last"
    DAYS_SINCE_FIRST = "days_since_first"


OF_NUMBERS = frozenset({Kind.SUM, Kind.MEAN, Kind.STD, Kind.MIN, Kind.MAX, Kind.DEVIATION, Kind.GAP})
OF_FLAGS = frozenset({Kind.RATE, Kind.SHARE})
OF_CATEGORIES = frozenset({Kind.DISTINCT, Kind.ENTROPY, Kind.CONCENTRATION})
NEEDS_COLUMN = OF_NUMBERS | OF_FLAGS | OF_CATEGORIES | {Kind.LAST}
NEEDS_OWN_VALUE = frozenset({Kind.DEVIATION, Kind.GAP})
LIFETIME_ONLY = frozenset({Kind.DAYS_SINCE_FIRST, Kind.DAYS_SINCE_LAST})


@dataclass(frozen=True)
class Where:
    """A condition on a column of the source; all that is said must hold. A row that lacks the column, or has no finite
    number to hold against a bound, does not meet it."""

    column: str
    among: tuple[str | int, ...] = ()
    """Values, one of which the row holds."""
    at_least: float | None = None
    below: float | None = None


@dataclass(frozen=True)
class Aggregation:
    """One feature. A window is of whole days or of whole hours; without one it is the entity's lifetime. Nothing known
    gives 0 for counts, sums and distinct counts, the prior for rates, null for the rest."""

    name: str
    kind: Kind
    description: str
    unit: str
    column: str | None = None
    window_days: int | None = None
    prior_weight: float = 20.0
    window_hours: int | None = None
    where: tuple[Where, ...] = ()
    """Only rows that meet all of these count, besides what the view asks of them."""
    holds: Where | None = None
    """Of a share without a column: what is to hold. A row that lacks the condition's column counts on neither side."""

    @property
    def days(self) -> Days | None:
        """The window in days, exactly; None is the entity's lifetime."""
        return self.window_days if self.window_hours is None else Fraction(self.window_hours, 24)


@dataclass(frozen=True)
class FeatureView:
    """Features of one entity from one source."""

    name: str
    entity: tuple[str, ...]
    """Key columns of the event."""
    source: str
    aggregations: tuple[Aggregation, ...]
    owner: str
    """Agency domain whose data the values rest on; `partner-...` where it is another jurisdiction's."""
    purposes: frozenset[Purpose]
    description: str
    source_entity: tuple[str, ...] = ()
    """Key columns of the source, where they are named otherwise than the event's."""
    sensitivity: Sensitivity = Sensitivity.COMMERCIAL
    where: tuple[Where, ...] = ()
    """Only rows of the source that meet all of these are its history."""

    @property
    def keys_in_source(self) -> tuple[str, ...]:
        return self.source_entity or self.entity


@dataclass(frozen=True)
class Feature:
    """One input of a model: an aggregation of a view, or an attribute of the event itself."""

    name: str
    description: str
    unit: str
    owner: str
    purposes: frozenset[Purpose]
    sensitivity: Sensitivity
    is_category: bool = False
    theme: str = ""
    """What a reason that rests on it speaks of: `features.themes`."""
    codes: CodeList | None = None
    """What its values mean, where a list of them is kept."""
    phrase: str = ""
    """How a reason says it, with a place for the value; where there is none, by its description."""
    measures: str = ""
    """The feature in which the event says the value that this one holds against others; none for most."""

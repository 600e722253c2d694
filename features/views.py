"""FeatureView: a frozen declaration of features over the history of an entity.

What a declaration may say is held by `features.registry`; how views are computed is `features.windows`; the views
themselves are declared one module a subject.
"""

from dataclasses import dataclass
from enum import StrEnum

from warehouse.contracts.base import Purpose, Sensitivity

PRIOR_OF = "jurisdiction"
"""Rates are drawn to the rate of all entities of the event's own jurisdiction."""


class Kind(StrEnum):
    """What an aggregation computes over the rows of the entity that were known strictly before the event."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    RATE = "rate"
    """Mean of a 0/1 column, drawn to the rate of its jurisdiction by `prior_weight` rows of it."""
    DEVIATION = "deviation"
    """How many standard deviations the event's own value lies from the entity's mean; null under 3 rows."""
    GAP = "gap"
    """The event's own value less the entity's mean; null without rows."""
    DISTINCT = "distinct"
    DAYS_SINCE_LAST = "days_since_last"
    DAYS_SINCE_FIRST = "days_since_first"


NEEDS_COLUMN = frozenset({Kind.SUM, Kind.MEAN, Kind.RATE, Kind.DEVIATION, Kind.GAP, Kind.DISTINCT})
NEEDS_OWN_VALUE = frozenset({Kind.DEVIATION, Kind.GAP})
LIFETIME_ONLY = frozenset({Kind.DISTINCT, Kind.DAYS_SINCE_FIRST, Kind.DAYS_SINCE_LAST})


@dataclass(frozen=True)
class Aggregation:
    """One feature. `window_days` None is the entity's lifetime. Nothing known gives 0 for counts, sums and
    distinct counts, the prior for rates, null for the rest."""

    name: str
    kind: Kind
    description: str
    unit: str
    column: str | None = None
    window_days: int | None = None
    prior_weight: float = 20.0


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

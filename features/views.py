"""FeatureView: a frozen declaration of features over the history of an entity, and the registry of all views.

How views are computed is `features.windows`; the views themselves are declared one module a subject.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from warehouse.contracts.base import Purpose, Sensitivity
from warehouse.errors import BorderlakeError

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


_NEEDS_COLUMN = frozenset({Kind.SUM, Kind.MEAN, Kind.RATE, Kind.DEVIATION, Kind.GAP, Kind.DISTINCT})
_NEEDS_OWN_VALUE = frozenset({Kind.DEVIATION, Kind.GAP})
_LIFETIME_ONLY = frozenset({Kind.DISTINCT, Kind.DAYS_SINCE_FIRST, Kind.DAYS_SINCE_LAST})


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


@dataclass
class Registry:
    """Every feature of one subject; refuses what would be ambiguous or unaccounted for."""

    subject: str
    source_columns: Mapping[str, frozenset[str]]
    """Columns each source offers."""
    event_columns: frozenset[str]
    source_purposes: Mapping[str, frozenset[Purpose]]
    """What the contracts behind each source allow."""
    views: list[FeatureView] = field(default_factory=list)
    features: dict[str, Feature] = field(default_factory=dict)

    def attribute(self, *features: Feature) -> None:
        """Register attributes of the event itself."""
        for feature in features:
            self._add(feature)

    def view(self, *views: FeatureView) -> None:
        """Register views; raises on a clash, an unknown column, or a view without owner or purpose."""
        for view in views:
            self._check(view)
            self.views.append(view)
            for aggregation in view.aggregations:
                self._add(
                    Feature(
                        aggregation.name,
                        aggregation.description,
                        aggregation.unit,
                        view.owner,
                        view.purposes,
                        view.sensitivity,
                    )
                )

    def for_model(self, *purposes: Purpose) -> tuple[Feature, ...]:
        """The features that may serve one of `purposes`, in order of registration."""
        return tuple(feature for feature in self.features.values() if feature.purposes & set(purposes))

    def _add(self, feature: Feature) -> None:
        if feature.name in self.features:
            raise BorderlakeError(f"feature '{feature.name}' is declared twice; give one of them another name")
        self.features[feature.name] = feature

    def _check(self, view: FeatureView) -> None:
        where = f"view '{view.name}'"
        if not view.owner or not view.purposes:
            raise BorderlakeError(f"{where} needs an owner and at least one purpose")
        offered = self.source_columns.get(view.source)
        if offered is None:
            raise BorderlakeError(f"{where}: unknown source '{view.source}'; sources: {', '.join(self.source_columns)}")
        forbidden = view.purposes - self.source_purposes[view.source]
        if forbidden:
            raise BorderlakeError(
                f"{where}: the contracts of '{view.source}' do not allow {', '.join(sorted(forbidden))}"
            )
        if not view.entity or len(view.entity) != len(view.keys_in_source):
            raise BorderlakeError(f"{where} needs an entity, with as many key columns in the source as in the event")
        _require(where, "source", view.keys_in_source, offered)
        _require(where, "event", view.entity, self.event_columns)
        for aggregation in view.aggregations:
            self._check_aggregation(f"{where}, feature '{aggregation.name}'", aggregation, offered)

    def _check_aggregation(self, where: str, aggregation: Aggregation, offered: frozenset[str]) -> None:
        if aggregation.window_days is not None and aggregation.window_days <= 0:
            raise BorderlakeError(f"{where}: a window of {aggregation.window_days} days holds nothing; use 1 or more")
        if aggregation.window_days is not None and aggregation.kind in _LIFETIME_ONLY:
            raise BorderlakeError(f"{where}: {aggregation.kind} is over the entity's lifetime; leave the window out")
        if (aggregation.column is not None) != (aggregation.kind in _NEEDS_COLUMN):
            raise BorderlakeError(
                f"{where}: {aggregation.kind} {'needs a' if aggregation.column is None else 'takes no'} column"
            )
        if aggregation.column is not None:
            _require(where, "source", (aggregation.column,), offered)
            if aggregation.kind in _NEEDS_OWN_VALUE:
                _require(where, "event", (aggregation.column,), self.event_columns)
        if aggregation.kind is Kind.RATE:
            _require(where, "source", (PRIOR_OF,), offered)
            _require(where, "event", (PRIOR_OF,), self.event_columns)


def _require(where: str, of: str, names: Sequence[str], offered: frozenset[str]) -> None:
    missing = sorted(set(names) - offered)
    if missing:
        raise BorderlakeError(
            f"{where}: the {of} has no column {', '.join(missing)}; it has {', '.join(sorted(offered))}"
        )

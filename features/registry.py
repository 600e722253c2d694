"""The registry: every feature of a subject, what a declaration may not say, and who may use what where.

A declaration that is ambiguous, unaccounted for or cannot be computed is refused here by name, before any row is read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from features.terms import ORDINARY, Terms
from features.views import (
    LIFETIME_ONLY,
    NEEDS_COLUMN,
    NEEDS_OWN_VALUE,
    PRIOR_OF,
    Aggregation,
    Feature,
    FeatureView,
    Kind,
)
from warehouse.contracts.base import Purpose
from warehouse.errors import BorderlakeError, UnknownName

LONGEST_DAYS = 36_525
"""A century: a longer window is the lifetime, and is left out."""


@dataclass
class Registry:
    """Every feature of one subject; refuses what would be ambiguous or unaccounted for."""

    subject: str
    source_columns: Mapping[str, frozenset[str]]
    """Columns each source offers."""
    event_columns: frozenset[str]
    source_purposes: Mapping[str, frozenset[Purpose]]
    """What the contracts behind each source allow."""
    terms: Terms = ORDINARY
    views: list[FeatureView] = field(default_factory=list)
    features: dict[str, Feature] = field(default_factory=dict)

    def attribute(self, *features: Feature) -> None:
        """Register attributes of the event itself; raises on a clash, or one without owner or purpose."""
        for feature in features:
            _accounted(f"attribute '{feature.name}'", feature.owner, feature.purposes)
        self._add(features)

    def view(self, *views: FeatureView) -> None:
        """Register views; raises on a clash, an unknown column, or a view without owner or purpose."""
        for view in views:
            self._check(view)
            self._add(
                [
                    Feature(one.name, one.description, one.unit, view.owner, view.purposes, view.sensitivity)
                    for one in view.aggregations
                ]
            )
            self.views.append(view)

    def for_model(self, purpose: Purpose, jurisdiction: str) -> tuple[Feature, ...]:
        """The features that may serve `purpose` in `jurisdiction`, in order of registration."""
        granted = self.terms.purposes(purpose, jurisdiction)
        return tuple(
            feature
            for feature in self.features.values()
            if feature.purposes & granted and self.terms.shows(feature.owner, jurisdiction)
        )

    def view_of(self, name: str) -> FeatureView | None:
        """The view that computes a feature; None for an attribute of the event. Raises `UnknownName`."""
        if name not in self.features:
            raise UnknownName("feature", name, list(self.features))
        return next((view for view in self.views if any(one.name == name for one in view.aggregations)), None)

    def _add(self, features: Sequence[Feature]) -> None:
        """All of them or none."""
        added: dict[str, Feature] = {}
        for feature in features:
            where = f"feature '{feature.name}'"
            if not feature.name.isidentifier():
                raise BorderlakeError(f"{where} is no name of a column; use letters, digits and underscores")
            if feature.name in self.features or feature.name in added:
                raise BorderlakeError(f"{where} is declared twice; give one of them another name")
            if not feature.description.strip() or not feature.unit.strip():
                raise BorderlakeError(f"{where} needs a description and a unit: what is counted, and in what")
            added[feature.name] = feature
        self.features.update(added)

    def _check(self, view: FeatureView) -> None:
        where = f"view '{view.name}'"
        if any(view.name == other.name for other in self.views):
            raise BorderlakeError(f"{where} is declared twice; give one of them another name")
        _accounted(where, view.owner, view.purposes)
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
        for keys in (view.entity, view.keys_in_source):
            twice = _repeated(keys)
            if twice:
                raise BorderlakeError(f"{where}: the entity names {', '.join(twice)} twice; name each key column once")
        _require(where, "source", view.keys_in_source, offered)
        _require(where, "event", view.entity, self.event_columns)
        if not view.aggregations:
            raise BorderlakeError(f"{where} computes nothing; give it one aggregation or more")
        for aggregation in view.aggregations:
            self._check_aggregation(f"{where}, feature '{aggregation.name}'", aggregation, offered)

    def _check_aggregation(self, where: str, aggregation: Aggregation, offered: frozenset[str]) -> None:
        _check_window(where, aggregation)
        if (aggregation.column is not None) != (aggregation.kind in NEEDS_COLUMN):
            raise BorderlakeError(
                f"{where}: {aggregation.kind} {'needs a' if aggregation.column is None else 'takes no'} column"
            )
        if aggregation.column is not None:
            _require(where, "source", (aggregation.column,), offered)
            if aggregation.kind in NEEDS_OWN_VALUE:
                _require(where, "event", (aggregation.column,), self.event_columns)
        if aggregation.kind is Kind.RATE:
            _require(where, "source", (PRIOR_OF,), offered)
            _require(where, "event", (PRIOR_OF,), self.event_columns)
            if not (isfinite(aggregation.prior_weight) and aggregation.prior_weight > 0):
                raise BorderlakeError(
                    f"{where}: a prior of {aggregation.prior_weight:g} rows leaves an entity without history without a "
                    "rate; use more than 0"
                )


def _check_window(where: str, aggregation: Aggregation) -> None:
    days = aggregation.window_days
    if days is None:
        return
    if not isinstance(days, int) or isinstance(days, bool):
        raise BorderlakeError(f"{where}: a window of {days} days is not of whole days; use a whole number")
    if days <= 0:
        raise BorderlakeError(f"{where}: a window of {days} days holds nothing; use 1 or more")
    if days > LONGEST_DAYS:
        raise BorderlakeError(f"{where}: a window of {days:,} days is the lifetime; leave the window out")
    if aggregation.kind in LIFETIME_ONLY:
        raise BorderlakeError(f"{where}: {aggregation.kind} is over the entity's lifetime; leave the window out")


def _accounted(where: str, owner: str, purposes: frozenset[Purpose]) -> None:
    if not owner.strip() or not purposes:
        raise BorderlakeError(f"{where} needs an owner and at least one purpose")


def _repeated(names: Iterable[str]) -> list[str]:
    seen = list(names)
    return sorted({name for name in seen if seen.count(name) > 1})


def _require(where: str, of: str, names: Sequence[str], offered: frozenset[str]) -> None:
    missing = sorted(set(names) - offered)
    if missing:
        raise BorderlakeError(
            f"{where}: the {of} has no column {', '.join(missing)}; it has {', '.join(sorted(offered))}"
        )

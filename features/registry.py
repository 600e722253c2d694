"""The registry: every feature of a subject, what a declaration may not say, and who may use what where.

A declaration that is ambiguous, unaccounted for or cannot be computed is refused here by name, before any row is read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from math import isfinite

import polars as pl

from features import attributes, declaring, themes
from features.terms import ORDINARY, PARTNER, Terms
from features.views import NEEDS_OWN_VALUE, PRIOR_OF, Aggregation, Feature, FeatureView, Kind
from warehouse.contracts.base import Purpose, Sensitivity
from warehouse.errors import BorderlakeError, UnknownName

Columns = Mapping[str, pl.DataType]

_BESIDE_FEATURES = frozenset(
    {
        "location", "feature_set", "numbers", "categories",
        "is_adverse", "label_known_at", "selection", "selection_probability", "recovered", "recovered_in",
    }
)  # fmt: skip
"""What vectors have besides their features and the event's own columns: where they are stored, and with labels."""


@dataclass
class Registry:
    """Every feature of one subject; refuses what would be ambiguous or unaccounted for."""

    subject: str
    source_columns: Mapping[str, Mapping[str, pl.DataType]]
    """Columns each source offers, with their types."""
    event_columns: frozenset[str]
    """Columns of the event that views may name."""
    source_purposes: Mapping[str, frozenset[Purpose]]
    """What the contracts behind each source allow."""
    source_owners: Mapping[str, frozenset[str]]
    """The agency domains whose data each source rests on."""
    taken: frozenset[str] = frozenset()
    """All columns of the event: no computed feature may be called as one of them."""
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
            offered = self.source_columns[view.source]
            self._add([_feature(view, one, offered) for one in view.aggregations])
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
            if not feature.name.isidentifier() or iskeyword(feature.name):
                raise BorderlakeError(f"{where} is no name of a column; use letters, digits and underscores")
            if feature.name in self.features or feature.name in added:
                raise BorderlakeError(f"{where} is declared twice; give one of them another name")
            if not feature.description.strip() or not feature.unit.strip():
                raise BorderlakeError(f"{where} needs a description and a unit: what is counted, and in what")
            added[feature.name] = feature
        self.features.update(added)

    def _check(self, view: FeatureView) -> None:
        where = f"view '{view.name}'"
        if not view.name.isidentifier():
            raise BorderlakeError(f"{where} is no name of a view; use letters, digits and underscores")
        if any(view.name == other.name for other in self.views):
            raise BorderlakeError(f"{where} is declared twice; give one of them another name")
        if not view.description.strip():
            raise BorderlakeError(f"{where} needs a description: what its features tell of the entity")
        _accounted(where, view.owner, view.purposes)
        offered = self.source_columns.get(view.source)
        if offered is None:
            raise BorderlakeError(f"{where}: unknown source '{view.source}'; sources: {', '.join(self.source_columns)}")
        self._check_terms(where, view)
        declaring.check_several(where, "the entity", view.entity, str)
        declaring.check_several(where, "the entity in the source", view.source_entity, str)
        declaring.check_several(where, "`aggregations`", view.aggregations, Aggregation)
        if not view.entity or len(view.entity) != len(view.keys_in_source):
            raise BorderlakeError(f"{where} needs an entity, with as many key columns in the source as in the event")
        for keys in (view.entity, view.keys_in_source):
            twice = _repeated(keys)
            if twice:
                raise BorderlakeError(f"{where}: the entity names {', '.join(twice)} twice; name each key column once")
        declaring.require(where, "source", view.keys_in_source, offered)
        declaring.require(where, "event", view.entity, self.event_columns)
        if not view.aggregations:
            raise BorderlakeError(f"{where} computes nothing; give it one aggregation or more")
        declaring.check_conditions(where, view.where, offered)
        for aggregation in view.aggregations:
            self._check_aggregation(f"{where}, feature '{aggregation.name}'", aggregation, offered)

    def _check_terms(self, where: str, view: FeatureView) -> None:
        """Whose the data is, for what it may serve, and how far it may travel."""
        owners = self.source_owners[view.source]
        if view.owner.removeprefix(PARTNER) not in owners:
            known = " or ".join(sorted(owners))
            raise BorderlakeError(
                f"{where}: '{view.owner}' does not own '{view.source}'; its owner is {known}, or {PARTNER}... of "
                "another jurisdiction"
            )
        allowed = self.source_purposes[view.source]
        forbidden = view.purposes - allowed
        if forbidden:
            raise BorderlakeError(
                f"{where}: the contracts of '{view.source}' do not allow {', '.join(sorted(forbidden))}; they allow "
                f"{', '.join(sorted(allowed)) or 'nothing'}"
            )
        if not isinstance(view.sensitivity, Sensitivity) or view.sensitivity is Sensitivity.PERSONAL:
            raise BorderlakeError(
                f"{where}: sensitivity '{view.sensitivity}'; say Sensitivity.OPEN or COMMERCIAL, for none is personal"
            )

    def _check_aggregation(self, where: str, aggregation: Aggregation, offered: Columns) -> None:
        if aggregation.name in self.taken | _BESIDE_FEATURES:
            raise BorderlakeError(f"{where}: vectors have a column of this name already; give the feature another")
        declaring.check_kind(where, aggregation)
        declaring.check_window(where, aggregation)
        declaring.check_column(where, aggregation, offered)
        declaring.check_conditions(where, aggregation.where, offered)
        if aggregation.column is not None and aggregation.kind in NEEDS_OWN_VALUE:
            declaring.require(where, "event", (aggregation.column,), self.event_columns)
        if aggregation.kind is Kind.RATE:
            declaring.require(where, "source", (PRIOR_OF,), offered)
            declaring.require(where, "event", (PRIOR_OF,), self.event_columns)
            if not (isfinite(aggregation.prior_weight) and aggregation.prior_weight > 0):
                raise BorderlakeError(
                    f"{where}: a prior of {aggregation.prior_weight:g} rows leaves an entity without history without a "
                    "rate; use more than 0"
                )


def _feature(view: FeatureView, one: Aggregation, offered: Columns) -> Feature:
    is_category = one.kind is Kind.LAST and one.column is not None and not declaring.is_number(offered[one.column])
    own = one.column if one.kind in NEEDS_OWN_VALUE and one.column is not None else ""
    return Feature(
        one.name,
        one.description,
        one.unit,
        view.owner,
        view.purposes,
        view.sensitivity,
        is_category,
        themes.of_aggregation(view, one),
        measures=attributes.TOLD_BY.get(own, own),
    )


def _accounted(where: str, owner: str, purposes: frozenset[Purpose]) -> None:
    if not owner.strip() or not purposes:
        raise BorderlakeError(f"{where} needs an owner and at least one purpose")
    if not isinstance(purposes, frozenset) or not all(isinstance(one, Purpose) for one in purposes):
        raise BorderlakeError(f"{where}: `purposes` is no set of Purposes; write frozenset({{Purpose.CUSTOMS_RISK}})")


def _repeated(names: Iterable[str]) -> list[str]:
    seen = list(names)
    return sorted({name for name in seen if seen.count(name) > 1})

"""Feature vectors: every feature of a subject for given events, from silver histories."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import polars as pl

from features import conditions, crossings, entities, shipments
from features.attributes import crossing_attributes, shipment_attributes
from features.registry import Registry
from features.sources import SOURCES, Silver
from features.terms import ORDINARY, Terms
from features.views import FeatureView
from warehouse.contracts.base import Purpose
from warehouse.errors import UnknownName

EVENT_KEY = ("event_id", "event_version", "event_at", "event_date", "received_on", "jurisdiction")


@dataclass(frozen=True)
class Subject:
    """What is scored: its registry, its attributes, and where it happens."""

    name: str
    registry: Registry
    attributes: Callable[[pl.LazyFrame], pl.LazyFrame]
    location: str
    """Column of the place whose officers act: the office, or the crossing point."""
    context: tuple[str, ...] = ()
    """Columns that no feature is, and that tell with which events this one is alike."""


SUBJECTS: dict[str, Subject] = {
    "shipments": Subject("shipments", shipments.registry(), shipment_attributes, "office", ("hs_code", "hs4")),
    "crossings": Subject("crossings", crossings.registry(), crossing_attributes, "port"),
}
_REGISTRIES: dict[str, Callable[[Terms], Registry]] = {"shipments": shipments.registry, "crossings": crossings.registry}


def subject_of(name: str, terms: Terms = ORDINARY) -> Subject:
    """The subject called `name` under the terms of a deployment's jurisdictions; raises `UnknownName`."""
    if name not in SUBJECTS:
        raise UnknownName("subject", name, list(SUBJECTS))
    return SUBJECTS[name] if terms == ORDINARY else _under(name, terms)


@cache
def _under(name: str, terms: Terms) -> Subject:
    return replace(SUBJECTS[name], registry=_REGISTRIES[name](terms))


@dataclass(frozen=True)
class FeatureSet:
    """The order of features in a stored vector."""

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    definitions: str = ""
    """What the views' features are computed from and how: a feature that means something else is another feature."""

    @property
    def digest(self) -> str:
        """Names the set wherever a vector is stored."""
        content = [self.numbers, self.categories, self.definitions]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def feature_set(registry: Registry) -> FeatureSet:
    """All features of a registry, in its order."""
    features = registry.features.values()
    return FeatureSet(
        tuple(feature.name for feature in features if not feature.is_category),
        tuple(feature.name for feature in features if feature.is_category),
        json.dumps([_definition(view) for view in registry.views]),
    )


def _definition(view: FeatureView) -> list[object]:
    computed = [
        [a.name, a.kind, a.column, a.window_days, a.prior_weight, *conditions.defined(view, a).items()]
        for a in view.aggregations
    ]
    return [view.source, view.entity, view.keys_in_source, computed]


def compute(subject: Subject, events: pl.LazyFrame, silver: Silver) -> pl.DataFrame:
    """One row an event: its key, its location, and one column a feature."""
    described = subject.attributes(events).collect()
    by_source: dict[str, list[FeatureView]] = {}
    for view in subject.registry.views:
        by_source.setdefault(view.source, []).append(view)
    columns = [entities.compute(views, described, SOURCES[name].history(silver)) for name, views in by_source.items()]
    names = feature_set(subject.registry)
    key = described.select(*EVENT_KEY, pl.col(subject.location).alias("location"))
    own = described.select(
        *(pl.col(name).cast(pl.Float64) for name in names.numbers if name in described.columns),
        *(pl.col(name).cast(pl.String) for name in names.categories if name in described.columns),
    )
    return _lawful(pl.concat([key, own, *columns], how="horizontal"), subject.registry)


def pack(vectors: pl.DataFrame, names: FeatureSet) -> pl.DataFrame:
    """The shape of `gold.event_features__*`: the vector as two lists."""
    return vectors.select(
        *EVENT_KEY,
        pl.lit(names.digest).alias("feature_set"),
        pl.concat_list(pl.col(names.numbers).cast(pl.Float64)).alias("numbers"),
        pl.concat_list(pl.col(names.categories).cast(pl.String)).alias("categories"),
    )


def unpack(packed: pl.DataFrame, names: FeatureSet) -> pl.DataFrame:
    """Packed vectors with one column a feature again."""
    numbers = pl.col("numbers").list.to_struct(fields=list(names.numbers))
    categories = pl.col("categories").list.to_struct(fields=list(names.categories))
    return packed.with_columns(numbers, categories).unnest("numbers", "categories")


def _lawful(made: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """What derives from PNR is null for the events of jurisdictions whose law has not switched it on."""
    from_pnr = [name for name, feature in registry.features.items() if feature.purposes == {Purpose.PNR_ASSESSMENT}]
    switched_on = pl.col("jurisdiction").is_in(list(registry.terms.pnr))
    return made.with_columns(pl.when(switched_on).then(pl.col(name)).alias(name) for name in from_pnr)

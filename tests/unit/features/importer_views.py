"""A view of what importers did, and a registry that takes it: what tests of declaring views begin with."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from features.registry import Registry
from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose

RISK, CHECK, TRAFFIC = Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK, Purpose.TRAFFIC_STATISTICS
COUNT = Aggregation("importer_count_7d", Kind.COUNT, "items of the importer in the last 7 days", "items", None, 7)
RATE = Aggregation("importer_hit_rate", Kind.RATE, "share of hits", "share", "is_adverse")
VIEW = FeatureView(
    "importer_activity", ("importer_id",), "shipments", (COUNT,), "customs", frozenset({RISK}), "How much was traded."
)


def a_registry() -> Registry:
    """A registry without views, over two sources."""
    columns = {
        "importer_id": pl.String(), "jurisdiction": pl.String(), "is_adverse": pl.Int8(), "log_value": pl.Float64(),
        "hs4": pl.String(), "lodged_at": pl.Datetime("us", "UTC"), "items": pl.Int32(),
    }  # fmt: skip
    return Registry(
        subject="shipments",
        source_columns={"shipments": columns, "sightings": {"object_id": pl.String(), "is_night": pl.Int8()}},
        event_columns=frozenset({"importer_id", "jurisdiction", "vehicle_id"}),
        source_purposes={"shipments": frozenset({RISK, CHECK}), "sightings": frozenset({RISK})},
        source_owners={"shipments": frozenset({"customs"}), "sightings": frozenset({"surveillance"})},
        taken=frozenset({"importer_id", "jurisdiction", "vehicle_id", "event_id", "received_on", "procedure"}),
    )


def with_(**changes: object) -> FeatureView:
    """The view with one aggregation changed."""
    return replace(VIEW, aggregations=(replace(COUNT, **changes),))  # type: ignore[arg-type]

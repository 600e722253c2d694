"""Views of road vehicles that subjects share: what plate cameras have seen of them, what customs found in them."""

from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose


def seen_by_cameras(purposes: frozenset[Purpose]) -> FeatureView:
    """Where and when cameras have seen the vehicle: shared by surveillance."""
    return FeatureView(
        "vehicle_sightings",
        ("vehicle_id",),
        "vehicle_sightings",
        (
            Aggregation(
                "vehicle_seen_7d", Kind.COUNT, "readings of the vehicle's plate in the last 7 days", "readings", None, 7
            ),
            Aggregation(
                "vehicle_nights_3d",
                Kind.SUM,
                "readings of the vehicle at night in the last 3 days",
                "readings",
                "is_night",
                3,
            ),
            Aggregation(
                "vehicle_night_share_30d",
                Kind.SHARE,
                "share of the vehicle's readings at night in the last 30 days",
                "share",
                "is_night",
                30,
            ),
            Aggregation(
                "vehicle_seen_6h",
                Kind.COUNT,
                "readings of the vehicle's plate in the last 6 hours",
                "readings",
                window_hours=6,
            ),
            Aggregation("vehicle_sites", Kind.DISTINCT, "sites at which the vehicle has been seen", "sites", "site"),
            Aggregation(
                "vehicle_seen_age_days", Kind.DAYS_SINCE_FIRST, "days since the vehicle was first seen", "days"
            ),
        ),
        "surveillance",
        purposes,
        "Where and when cameras have seen the vehicle: shared by surveillance.",
        source_entity=("object_id",),
    )


def found_in_goods(purposes: frozenset[Purpose]) -> FeatureView:
    """What customs found in the vehicle: shared by customs."""
    return FeatureView(
        "vehicle_goods_results",
        ("vehicle_id",),
        "shipment_outcomes",
        (
            Aggregation(
                "vehicle_goods_hit_rate",
                Kind.RATE,
                "share of customs inspections of the vehicle's goods that found something",
                "share",
                "is_adverse",
                prior_weight=5.0,
            ),
        ),
        "customs",
        purposes,
        "What customs found in the vehicle: shared by customs.",
    )

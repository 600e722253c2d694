"""Views of what sensors notice around a border point: shared by surveillance."""

from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose


def noticed_near(place: str, purposes: frozenset[Purpose]) -> FeatureView:
    """Detections near the border point that the event's column `place` names."""
    return FeatureView(
        "detections_near",
        ("jurisdiction", place),
        "detections",
        (
            Aggregation(
                "near_detections_1d", Kind.COUNT, "detections near the border point in the last 24 hours", "detections",
                None, 1,
            ),
            Aggregation(
                "near_detections_3h", Kind.COUNT, "detections near the border point in the last 3 hours", "detections",
                window_hours=3,
            ),
            Aggregation(
                "near_night_movements_2d",
                Kind.SUM,
                "people and vehicles noticed near the border point at night in the last 2 days",
                "detections",
                "is_at_night",
                2,
            ),
            Aggregation(
                "near_detections_30d", Kind.COUNT, "detections near the border point in the last 30 days", "detections",
                None, 30,
            ),
            Aggregation(
                "near_vessels_1d",
                Kind.SUM,
                "radar plots of vessels near the border point in the last 24 hours",
                "plots",
                "is_vessel",
                1,
            ),
        ),
        "surveillance",
        purposes,
        "What unattended sensors have noticed near the border point.",
        source_entity=("jurisdiction", "area"),
    )  # fmt: skip

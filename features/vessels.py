"""Views of vessels: how they moved, fell silent and met others, by AIS: shared by surveillance."""

from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose


def movements(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """How the vessel that brings the goods has moved before."""
    return _behaviour(purposes), _meetings(purposes)


def _behaviour(purposes: frozenset[Purpose]) -> FeatureView:
    return FeatureView(
        "vessel_behaviour",
        ("vessel_id",),
        "vessel_positions",
        (
            Aggregation(
                "vessel_positions_3d",
                Kind.COUNT,
                "AIS positions of the vessel in the last 3 days",
                "positions",
                None,
                3,
            ),
            Aggregation(
                "vessel_slow_share_7d",
                Kind.SHARE,
                "share of the vessel's positions under 2 knots in the last 7 days",
                "share",
                "is_slow",
                7,
            ),
            Aggregation(
                "vessel_dark_gaps_14d",
                Kind.SUM,
                "silences of the vessel's AIS over 6 hours in the last 14 days",
                "silences",
                "is_dark_gap",
                14,
            ),
            Aggregation(
                "vessel_silence_max_30d",
                Kind.MAX,
                "longest silence of the vessel's AIS that ended in the last 30 days",
                "hours",
                "gap_hours",
                30,
            ),
        ),
        "surveillance",
        purposes,
        "How the vessel has moved.",
        source_entity=("object_id",),
    )


def _meetings(purposes: frozenset[Purpose]) -> FeatureView:
    return FeatureView(
        "vessel_meetings",
        ("vessel_id",),
        "vessel_meetings",
        (
            Aggregation(
                "vessel_meetings_7d",
                Kind.COUNT,
                "slow positions of the vessel beside another slow vessel, off any port, in the last 7 days",
                "positions",
                None,
                7,
            ),
            Aggregation(
                "vessel_met",
                Kind.DISTINCT,
                "other vessels that the vessel has lain beside, off any port",
                "vessels",
                "other_id",
            ),
        ),
        "surveillance",
        purposes,
        "Whom the vessel has met at sea.",
        source_entity=("object_id",),
    )

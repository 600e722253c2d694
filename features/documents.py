"""Views of how a travel document is used at the border: when, by whom, at which posts and in which vehicles.

What carriers announce of it is `announcements`, what neighbours see of it `partners`, what came of it `crossings`.
"""

from functools import partial

from features.views import Aggregation, FeatureView, Kind, Where
from warehouse.contracts.base import Purpose


def used(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """How the document has been used, and whether it has been here, and come in this vehicle, before."""
    return _use(purposes), _at_the_post(purposes), _in_the_vehicle(purposes)


def _view(
    purposes: frozenset[Purpose], name: str, beside: tuple[str, ...], description: str, *aggregations: Aggregation
) -> FeatureView:
    entity = ("jurisdiction", "document_id", *beside)
    return FeatureView(name, entity, "crossings", aggregations, "immigration", purposes, description)


def _use(purposes: frozenset[Purpose]) -> FeatureView:
    shown = partial(Aggregation, kind=Kind.LAST, unit="code")
    return _view(
        purposes,
        "document_use",
        (),
        "How a document has been used.",
        Aggregation("document_count", Kind.COUNT, "crossings with this document so far", "crossings"),
        Aggregation(
            "document_travellers",
            Kind.DISTINCT,
            "travellers who have shown this document",
            "travellers",
            "traveller_id",
        ),
        Aggregation(
            "document_balance",
            Kind.SUM,
            "entries less exits with this document so far (1: its holder is in the country)",
            "crossings",
            "entries_less_exits",
        ),
        Aggregation("document_gap_days", Kind.DAYS_SINCE_LAST, "days since the document was last shown", "days"),
        Aggregation(
            "document_count_6h",
            Kind.COUNT,
            "crossings with this document in the last 6 hours",
            "crossings",
            window_hours=6,
        ),
        Aggregation(
            "document_entries_24h",
            Kind.COUNT,
            "entries with this document in the last 24 hours (several, with no exit between: reuse)",
            "entries",
            window_hours=24,
            where=(Where("is_entry", among=(1,)),),
        ),
        shown("document_last_port", description="crossing point at which the document was last shown", column="port"),
        shown(
            "document_last_direction",
            description="direction in which the document last crossed",
            column="direction",
        ),
    )


def _at_the_post(purposes: frozenset[Purpose]) -> FeatureView:
    return _view(
        purposes,
        "document_at_post",
        ("port",),
        "Whether the document has been shown at this crossing point before.",
        Aggregation(
            "document_port_count", Kind.COUNT, "crossings with this document at this crossing point so far", "crossings"
        ),
    )


def _in_the_vehicle(purposes: frozenset[Purpose]) -> FeatureView:
    """Who comes home does so in what he left in; none where no vehicle is known."""
    return _view(
        purposes,
        "document_in_vehicle",
        ("vehicle_id",),
        "Whether the document has crossed in this vehicle before.",
        Aggregation(
            "document_vehicle_count", Kind.COUNT, "crossings with this document in this vehicle so far", "crossings"
        ),
    )

"""Views of what carriers say beforehand: cargo manifests, advance passenger information, bookings (PNR)."""

from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose

_PNR = frozenset({Purpose.PNR_ASSESSMENT})


def manifested(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """What the vessel's manifest says about the consignment that the goods belong to."""

    def view(name: str, entity: tuple[str, ...], description: str, *aggregations: Aggregation) -> FeatureView:
        return FeatureView(name, entity, "manifests", aggregations, "customs", purposes, description)

    return (
        view(
            "manifest",
            ("consignment_id",),
            "The consignment in the vessel's manifest.",
            Aggregation("manifest_seen", Kind.COUNT, "manifests that name the consignment", "manifests"),
            Aggregation(
                "manifest_mass_gap",
                Kind.GAP,
                "gross mass of the item against that of the consignment in the manifest",
                "log ratio",
                "ln_gross",
            ),
        ),
        view(
            "manifest_goods",
            ("consignment_id", "goods_description"),
            "Whether the manifest describes the same goods.",
            Aggregation(
                "manifest_same_goods", Kind.COUNT, "manifests that describe the consignment as declared", "manifests"
            ),
        ),
    )


def announced(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """What carriers told about the document before the flight arrived."""

    def view(name: str, entity: tuple[str, ...], description: str, *aggregations: Aggregation) -> FeatureView:
        return FeatureView(name, entity, "passengers", aggregations, "immigration", purposes, description)

    return (
        view(
            "document_announced",
            ("document_id",),
            "The document in advance passenger information.",
            Aggregation(
                "document_announced_2d",
                Kind.COUNT,
                "flights the document was announced on in the last 2 days",
                "flights",
                None,
                2,
            ),
            Aggregation(
                "document_announced_travellers",
                Kind.DISTINCT,
                "travellers the document was announced for, as carriers spell them",
                "travellers",
                "traveller_id",
            ),
        ),
        view(
            "flight_announced",
            ("carrier", "flight_number"),
            "How full the flight is announced to be.",
            Aggregation(
                "flight_announced_1d",
                Kind.COUNT,
                "travellers announced on the flight in the last 24 hours",
                "travellers",
                None,
                1,
            ),
        ),
    )


def booked() -> FeatureView:
    """What the booking says. PNR serves a purpose of its own, and no other."""
    return FeatureView(
        "booking",
        ("document_id",),
        "bookings",
        (
            Aggregation("booking_lead_days", Kind.MEAN, "days from booking to departure", "days", "lead_days", 2),
            Aggregation("booking_party_size", Kind.MEAN, "travellers in the booking", "travellers", "party_size", 2),
            Aggregation("booking_bags", Kind.MEAN, "bags checked in", "bags", "bags", 2),
        ),
        "immigration",
        _PNR,
        "How the traveller's flight was booked.",
    )

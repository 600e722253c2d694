"""Views of what a neighbouring jurisdiction has seen of the same goods, documents, people and vehicles."""

from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose

CUSTOMS, IMMIGRATION = "partner-customs", "partner-immigration"


def declared_at_export(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """What the exporter declared on the other side about the same item of the same consignment (mirror data)."""
    item = ("consignment_id", "goods_item_number")

    def view(name: str, entity: tuple[str, ...], description: str, *aggregations: Aggregation) -> FeatureView:
        return FeatureView(name, entity, "exports", aggregations, CUSTOMS, purposes, description)

    return (
        view(
            "export_declaration",
            item,
            "The item as the neighbour's customs saw it leave.",
            Aggregation("export_seen", Kind.COUNT, "export declarations of the item", "declarations"),
            Aggregation(
                "export_mass_gap", Kind.GAP, "net mass against that declared at export", "log ratio", "ln_mass"
            ),
        ),
        view(
            "export_price",
            (*item, "currency"),
            "The price of the item at export, where it is in the same currency.",
            Aggregation(
                "export_value_gap",
                Kind.GAP,
                "value per kg against that declared at export",
                "log ratio",
                "ln_value_per_kg",
            ),
        ),
        view(
            "export_goods",
            (*item, "hs_code"),
            "Whether the export declaration names the same goods.",
            Aggregation(
                "export_same_goods", Kind.COUNT, "export declarations of the item with its HS code", "declarations"
            ),
        ),
        view(
            "export_origin",
            (*item, "country_of_origin"),
            "Whether the export declaration names the same origin.",
            Aggregation(
                "export_same_origin", Kind.COUNT, "export declarations of the item with its origin", "declarations"
            ),
        ),
    )


def seen_abroad(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """What other jurisdictions' border posts have seen of the document, the traveller and the vehicle."""
    return _document(purposes), _traveller(purposes), _vehicle(purposes)


def _abroad(
    purposes: frozenset[Purpose], name: str, key: str, description: str, *aggregations: Aggregation
) -> FeatureView:
    return FeatureView(
        name,
        ("jurisdiction", key),
        "crossings_abroad",
        aggregations,
        IMMIGRATION,
        purposes,
        description,
        source_entity=("seen_from", key),
    )


def _document(purposes: frozenset[Purpose]) -> FeatureView:
    return _abroad(
        purposes,
        "document_abroad",
        "document_id",
        "The document at the neighbours' posts.",
        Aggregation(
            "document_abroad_gap_days", Kind.DAYS_SINCE_LAST, "days since a neighbour saw the document", "days"
        ),
        Aggregation(
            "document_abroad_1d",
            Kind.COUNT,
            "passages with the document at a neighbour's border in the last 24 hours",
            "passages",
            None,
            1,
        ),
        Aggregation(
            "document_abroad_balance",
            Kind.SUM,
            "entries less exits with the document at a neighbour's border",
            "passages",
            "entries_less_exits",
        ),
        Aggregation(
            "document_abroad_travellers",
            Kind.DISTINCT,
            "people who showed the document at a neighbour's border",
            "people",
            "traveller_id",
        ),
    )


def _traveller(purposes: frozenset[Purpose]) -> FeatureView:
    return _abroad(
        purposes,
        "traveller_abroad",
        "traveller_id",
        "The traveller at the neighbours' posts.",
        Aggregation(
            "traveller_abroad_30d",
            Kind.COUNT,
            "passages of the traveller at a neighbour's border in the last 30 days",
            "passages",
            None,
            30,
        ),
    )


def _vehicle(purposes: frozenset[Purpose]) -> FeatureView:
    return _abroad(
        purposes,
        "vehicle_abroad",
        "vehicle_id",
        "The vehicle at the neighbours' posts.",
        Aggregation(
            "vehicle_abroad_7d",
            Kind.COUNT,
            "persons the vehicle carried over a neighbour's border in the last 7 days",
            "passages",
            None,
            7,
        ),
        Aggregation(
            "vehicle_abroad_travellers",
            Kind.DISTINCT,
            "different people the vehicle carried over a neighbour's border",
            "people",
            "traveller_id",
        ),
    )

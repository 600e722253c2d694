"""Views of what inspections of goods items found: each a rate, drawn to that of the jurisdiction."""

from functools import partial

from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose


def inspected(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """What came of inspections before: of who acts, and of such goods."""
    return *_of_parties(purposes), *_of_goods(purposes)


def _of_parties(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    view = partial(_results, purposes)
    return (
        view("importer_results", ("importer_id",), "Past inspections of the importer.", "importer", "importer", 5.0),
        view("declarant_results", ("declarant_id",), "Past inspections of the declarant.", "declarant", "declarant"),
        view("seller_results", ("seller_id",), "Past inspections of the seller.", "seller", "seller", 5.0),
        view("carrier_results", ("carrier_id",), "Past inspections of the carrier.", "carrier", "carrier"),
        view(
            "vehicle_results",
            ("vehicle_id",),
            "Past inspections of what the vehicle brought.",
            "vehicle",
            "vehicle",
            5.0,
        ),
        view("vessel_results", ("vessel_id",), "Past inspections of what the vessel brought.", "vessel", "vessel", 5.0),
    )


def _of_goods(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """Such goods in the jurisdiction, from where they come and where they enter."""
    view = partial(_results, purposes)
    return (
        view("product_results", ("jurisdiction", "hs_code"), "Past inspections of the product.", "product", "product"),
        view(
            "heading_results", ("jurisdiction", "hs4"), "Past inspections of the HS heading.", "heading", "HS heading"
        ),
        view(
            "origin_results",
            ("jurisdiction", "country_of_origin"),
            "Past inspections of the origin.",
            "origin",
            "origin",
        ),
        view(
            "product_origin_results",
            ("jurisdiction", "hs4", "country_of_origin"),
            "Past inspections of product and origin.",
            "product_origin",
            "HS heading from this origin",
        ),
        view("office_results", ("jurisdiction", "office"), "Past inspections at the office.", "office", "office"),
        view(
            "same_goods_results",
            ("jurisdiction", "goods_key"),
            "Past inspections of goods declared alike to the gram.",
            "same_goods",
            "same goods",
            1.0,
        ),
    )


def _results(
    purposes: frozenset[Purpose],
    name: str,
    entity: tuple[str, ...],
    description: str,
    who: str,
    label: str,
    weight: float = 20.0,
) -> FeatureView:
    rate = Aggregation(
        f"{who}_hit_rate",
        Kind.RATE,
        f"share of inspections of the {label} that found something, as reported so far (few count for little)",
        "share",
        "is_adverse",
        prior_weight=weight,
    )
    return FeatureView(name, entity, "shipment_outcomes", (rate,), "customs", purposes, description)

"""Themes: what a feature speaks of, in the words that a reader of reasons is given.

Many features say one thing in several ways; a reason adds them up. A view has the theme of what it looks at, and so
has each of the event's own columns; how long somebody is known is newness, whatever view computes it.
"""

from features.views import Aggregation, FeatureView, Kind

VALUE = "value against what is usual"
DUTY = "duty against what is usual"
GOODS = "the goods as declared"
ROUTE = "route"
IMPORTER = "importer's past"
PARTIES = "past of the other parties"
LIKE_GOODS = "past findings on such goods"
VEHICLE = "the vehicle"
SIGHTINGS = "what cameras and sensors saw"
VESSEL = "movements of the vessel"
ANNOUNCED = "what the carrier announced"
NEIGHBOUR = "what the neighbour saw"
NEWNESS = "newness"
TRAFFIC = "time and traffic"
TRAVELLER = "traveller's past"
STATED = "the traveller as declared"
DOCUMENT = "use of the document"
FLIGHT = "the flight"
LIKE_CROSSINGS = "past findings on such crossings"
BOOKING = "the booking"

OF_VIEWS: dict[str, str] = {
    "importer_activity": IMPORTER,
    "importer_spread": IMPORTER,
    "importer_results": IMPORTER,
    "importer_withdrawals": IMPORTER,
    "importer_series": IMPORTER,
    "importer_price": VALUE,
    "importer_product_price": VALUE,
    "product_price": VALUE,
    "product_price_of_any_origin": VALUE,
    "seller_price": VALUE,
    "seller_duty": DUTY,
    "importer_duty": DUTY,
    "product_duty": DUTY,
    "importer_product_novelty": NEWNESS,
    "importer_origin_novelty": NEWNESS,
    "seller_origin_novelty": NEWNESS,
    "seller_product_novelty": NEWNESS,
    "seller_activity": PARTIES,
    "declarant_activity": PARTIES,
    "declarant_withdrawals": PARTIES,
    "declarant_results": PARTIES,
    "seller_results": PARTIES,
    "carrier_results": PARTIES,
    "vehicle_trips": VEHICLE,
    "vehicle_results": VEHICLE,
    "vessel_results": VESSEL,
    "office_load": TRAFFIC,
    "product_results": LIKE_GOODS,
    "heading_results": LIKE_GOODS,
    "origin_results": LIKE_GOODS,
    "product_origin_results": LIKE_GOODS,
    "office_results": LIKE_GOODS,
    "same_goods_results": LIKE_GOODS,
    "vehicle_sightings": SIGHTINGS,
    "detections_near": SIGHTINGS,
    "vessel_behaviour": VESSEL,
    "vessel_meetings": VESSEL,
    "manifest": ANNOUNCED,
    "manifest_goods": ANNOUNCED,
    "export_declaration": NEIGHBOUR,
    "export_price": NEIGHBOUR,
    "export_goods": NEIGHBOUR,
    "export_origin": NEIGHBOUR,
    "traveller_activity": TRAVELLER,
    "traveller_results": TRAVELLER,
    "traveller_entry_results": TRAVELLER,
    "document_use": DOCUMENT,
    "document_at_post": DOCUMENT,
    "document_in_vehicle": DOCUMENT,
    "document_results": DOCUMENT,
    "document_announced": ANNOUNCED,
    "route_volume": ROUTE,
    "port_load": TRAFFIC,
    "vehicle_crossings": VEHICLE,
    "vehicle_crossing_results": VEHICLE,
    "vehicle_goods_results": VEHICLE,
    "flight_mix": FLIGHT,
    "flight_results": FLIGHT,
    "flight_announced": FLIGHT,
    "nationality_results": LIKE_CROSSINGS,
    "nationality_port_results": LIKE_CROSSINGS,
    "visa_results": LIKE_CROSSINGS,
    "port_results": LIKE_CROSSINGS,
    "document_abroad": NEIGHBOUR,
    "traveller_abroad": NEIGHBOUR,
    "vehicle_abroad": NEIGHBOUR,
    "booking": BOOKING,
}

OF_ATTRIBUTES: dict[str, str] = {
    "log_value_per_kg": VALUE,
    "log_value": VALUE,
    "log_mass": GOODS,
    "gross_to_net": GOODS,
    "duty_rate_pct": GOODS,
    "hs2": GOODS,
    "procedure": GOODS,
    "duty_regime": GOODS,
    "trader_status": GOODS,
    "import_type": GOODS,
    "import_use": GOODS,
    "payment_type": GOODS,
    "country_of_origin": ROUTE,
    "country_of_dispatch": ROUTE,
    "origin_indicator": ROUTE,
    "office": ROUTE,
    "transport_mode": ROUTE,
    "port": ROUTE,
    "mode": ROUTE,
    "direction": ROUTE,
    "hour": TRAFFIC,
    "weekday": TRAFFIC,
    "age_years": STATED,
    "stay_days": STATED,
    "party_size": STATED,
    "nationality": STATED,
    "document_type": STATED,
    "visa_class": STATED,
    "purpose": STATED,
    "residence": STATED,
    "sex": STATED,
}


def of_aggregation(view: FeatureView, aggregation: Aggregation) -> str:
    """The theme of a view's feature; a view that declares none is a theme of its own, in the words of its
    description."""
    if aggregation.kind is Kind.DAYS_SINCE_FIRST:
        return NEWNESS
    return OF_VIEWS.get(view.name, view.description.rstrip("."))


def of_attribute(name: str, description: str) -> str:
    """The theme of what the event says of itself; where none is declared, its description."""
    return OF_ATTRIBUTES.get(name, description)

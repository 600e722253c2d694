"""Features of a border crossing."""

from functools import partial

from features.announcements import announced, booked
from features.attributes import stated
from features.documents import used
from features.partners import seen_abroad
from features.registry import Registry
from features.sources import offering_all
from features.surroundings import noticed_near
from features.terms import ORDINARY, Terms
from features.vehicles import found_in_goods, seen_by_cameras
from features.views import Aggregation, FeatureView, Kind, Where
from warehouse.contracts.base import Purpose
from warehouse.contracts.codes import CROSSING_MODES, DIRECTIONS, NATIONALITIES, SEXES

_PURPOSES = frozenset({Purpose.BORDER_CHECK})
_attribute = partial(stated, "immigration", _PURPOSES)

EVENT_COLUMNS = frozenset(
    {
        "traveller_id", "document_id", "vehicle_id", "nationality", "port", "carrier", "flight_number", "visa_class",
        "residence", "age_band", "jurisdiction", "party_size", "stay_days",
    }
)  # fmt: skip


def _adverse_rate(who: str, label: str, weight: float) -> Aggregation:
    return Aggregation(
        f"{who}_adverse_rate",
        Kind.RATE,
        f"share of examined crossings of the {label} with an adverse outcome, as reported so far (few count for "
        "little)",
        "share",
        "is_adverse",
        prior_weight=weight,
    )


def _history(name: str, entity: tuple[str, ...], description: str, *aggregations: Aggregation) -> FeatureView:
    return FeatureView(name, entity, "crossings", aggregations, "immigration", _PURPOSES, description)


def _results(
    name: str, entity: tuple[str, ...], description: str, who: str, label: str, weight: float = 30.0
) -> FeatureView:
    rate = _adverse_rate(who, label, weight)
    return FeatureView(name, entity, "crossing_outcomes", (rate,), "immigration", _PURPOSES, description)


_ATTRIBUTES = (
    _attribute("age_years", "age of the traveller", "years"),
    _attribute("stay_days", "days of authorised stay", "days"),
    _attribute("party_size", "persons crossing together", "persons"),
    _attribute("hour", "hour of crossing, office time", "hour"),
    _attribute("weekday", "day of the week of crossing, Monday is 1", "day", phrase="crosses on a {}"),
    _attribute("port", "border crossing point", "code", is_category=True),
    _attribute("mode", "mode of travel", "code", is_category=True, codes=CROSSING_MODES),
    _attribute("direction", "direction of crossing", "code", is_category=True, codes=DIRECTIONS),
    _attribute("nationality", "nationality", "code", is_category=True, codes=NATIONALITIES),
    _attribute("document_type", "type of travel document", "code", is_category=True),
    _attribute("visa_class", "class of admission", "code", is_category=True),
    _attribute("purpose", "declared purpose", "code", is_category=True),
    _attribute("residence", "country of residence", "code", is_category=True),
    _attribute("sex", "sex", "code", is_category=True, codes=SEXES),
)
"""What the event says of itself."""

_TRAVELLER = (
    _history(
        "traveller_activity",
        ("jurisdiction", "traveller_id"),
        "How often and how recently the traveller has crossed.",
        Aggregation(
            "traveller_count_30d",
            Kind.COUNT,
            "crossings of the traveller in the last 30 days",
            "crossings",
            None,
            30,
        ),
        Aggregation(
            "traveller_count_365d",
            Kind.COUNT,
            "crossings of the traveller in the last year",
            "crossings",
            None,
            365,
        ),
        Aggregation("traveller_gap_days", Kind.DAYS_SINCE_LAST, "days since the traveller's last crossing", "days"),
        Aggregation("traveller_age_days", Kind.DAYS_SINCE_FIRST, "days since the traveller was first seen", "days"),
        Aggregation("traveller_ports", Kind.DISTINCT, "crossing points the traveller has used", "points", "port"),
        Aggregation(
            "traveller_documents", Kind.DISTINCT, "documents the traveller has shown", "documents", "document_id"
        ),
        Aggregation(
            "traveller_count_24h",
            Kind.COUNT,
            "crossings of the traveller in the last 24 hours (several: a short turn-round)",
            "crossings",
            window_hours=24,
        ),
        Aggregation(
            "traveller_port_entropy",
            Kind.ENTROPY,
            "how evenly the traveller's crossings of the last year spread over crossing points (0: all at one)",
            "bits",
            "port",
            365,
        ),
    ),
)
"""What the traveller has done before."""

_PLACES = (
    _history(
        "route_volume",
        ("jurisdiction", "nationality", "port"),
        "How usual the nationality is at this crossing point.",
        Aggregation(
            "nationality_port_count_30d",
            Kind.COUNT,
            "crossings of this nationality at this crossing point in the last 30 days",
            "crossings",
            None,
            30,
        ),
    ),
    _history(
        "port_load",
        ("jurisdiction", "port"),
        "How busy the crossing point is.",
        Aggregation(
            "port_count_1d", Kind.COUNT, "crossings at this crossing point in the last 24 hours", "crossings", None, 1
        ),
        Aggregation(
            "port_count_2h",
            Kind.COUNT,
            "crossings at this crossing point in the last 2 hours",
            "crossings",
            window_hours=2,
        ),
    ),
    _history(
        "vehicle_crossings",
        ("jurisdiction", "vehicle_id"),
        "How often the vehicle has crossed.",
        Aggregation(
            "vehicle_crossings_30d",
            Kind.COUNT,
            "persons who crossed in this vehicle in the last 30 days",
            "crossings",
            None,
            30,
        ),
        Aggregation(
            "vehicle_travellers", Kind.DISTINCT, "travellers seen in this vehicle", "travellers", "traveller_id"
        ),
        Aggregation(
            "vehicle_travellers_7d",
            Kind.DISTINCT,
            "travellers seen in this vehicle in the last 7 days",
            "travellers",
            "traveller_id",
            7,
        ),
        Aggregation(
            "vehicle_party_std",
            Kind.STD,
            "how much the size of the parties in this vehicle differs from crossing to crossing",
            "persons",
            "party_size",
        ),
    ),
    _history(
        "flight_mix",
        ("jurisdiction", "carrier", "flight_number"),
        "Who usually travels on the flight.",
        Aggregation(
            "flight_nationality_concentration",
            Kind.CONCENTRATION,
            "how far one nationality prevails on the flight in the last 90 days",
            "index",
            "nationality",
            90,
        ),
    ),
)
"""How usual and how busy it is here, and what the vehicle has carried."""

_RESULTS = (
    _results("traveller_results", ("traveller_id",), "Past outcomes of the traveller.", "traveller", "traveller", 3.0),
    FeatureView(
        "traveller_entry_results",
        ("traveller_id",),
        "crossing_outcomes",
        (
            Aggregation(
                "traveller_entry_adverse_rate",
                Kind.RATE,
                "share of examined entries of the traveller with an adverse outcome, as reported so far (few count for "
                "little)",
                "share",
                "is_adverse",
                prior_weight=3.0,
            ),
        ),
        "immigration",
        _PURPOSES,
        "Past outcomes of the traveller's entries: of one who comes and goes, ways out found clean say little.",
        where=(Where("is_entry", among=(1,)),),
    ),
    _results("document_results", ("document_id",), "Past outcomes of the document.", "document", "document", 3.0),
    _results(
        "vehicle_crossing_results",
        ("vehicle_id",),
        "Past outcomes of travellers in the vehicle.",
        "vehicle_traveller",
        "travellers in this vehicle",
        3.0,
    ),
    _results(
        "nationality_results",
        ("jurisdiction", "nationality"),
        "Past outcomes of the nationality.",
        "nationality",
        "nationality",
    ),
    _results(
        "nationality_port_results",
        ("jurisdiction", "nationality", "port"),
        "Past outcomes of nationality and crossing point.",
        "nationality_port",
        "nationality at this crossing point",
    ),
    _results("carrier_results", ("jurisdiction", "carrier"), "Past outcomes of the carrier.", "carrier", "carrier"),
    _results(
        "flight_results",
        ("jurisdiction", "carrier", "flight_number"),
        "Past outcomes of the flight.",
        "flight",
        "flight",
    ),
    _results(
        "visa_results",
        ("jurisdiction", "nationality", "visa_class"),
        "Past outcomes of nationality and class of admission.",
        "visa",
        "nationality and class of admission",
    ),
    _results(
        "port_results", ("jurisdiction", "port"), "Past outcomes at the crossing point.", "port", "crossing point"
    ),
)
"""What came of it before: each rate drawn to that of the jurisdiction."""

_SHARED = (
    found_in_goods(_PURPOSES),
    seen_by_cameras(_PURPOSES),
    noticed_near("port", _PURPOSES),
    *announced(_PURPOSES),
    *seen_abroad(_PURPOSES),
)
"""What other agencies and neighbours know."""


def registry(terms: Terms = ORDINARY) -> Registry:
    """Every feature a crossing model may ask for; what derives from PNR only where a law has switched it on."""
    known = offering_all("crossings", EVENT_COLUMNS, terms)
    known.attribute(*_ATTRIBUTES)
    known.view(*_TRAVELLER, *used(_PURPOSES), *_PLACES, *_RESULTS, *_SHARED)
    if terms.pnr:
        known.view(booked())
    return known

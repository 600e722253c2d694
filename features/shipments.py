"""Features of a shipment (a goods item of an import declaration)."""

from functools import partial

from features.announcements import manifested
from features.attributes import stated
from features.habits import habits
from features.inspections import inspected
from features.partners import declared_at_export
from features.registry import Registry
from features.series import small_series
from features.sources import offering_all
from features.surroundings import noticed_near
from features.terms import ORDINARY, Terms
from features.vehicles import seen_by_cameras
from features.vessels import movements
from features.views import Aggregation, FeatureView, Kind, Where
from warehouse.contracts.base import Purpose
from warehouse.contracts.codes import COUNTRIES, TRADER_STATUSES, TRANSPORT_MODES

_PURPOSES = frozenset({Purpose.CUSTOMS_RISK})
_attribute = partial(stated, "customs", _PURPOSES)

EVENT_COLUMNS = frozenset(
    {
        "importer_id", "declarant_id", "seller_id", "carrier_id", "vehicle_id", "vessel_id", "hs_code", "hs4", "hs2",
        "country_of_origin", "country_of_dispatch", "office", "jurisdiction", "currency", "consignment_id",
        "goods_item_number", "goods_description", "goods_key", "log_value_per_kg", "log_value", "log_mass",
        "ln_mass", "ln_gross", "ln_value_per_kg", "duty_rate_pct",
    }
)  # fmt: skip


def _volume(who: str, label: str, days: int) -> Aggregation:
    span = "24 hours" if days == 1 else f"{days} days"
    return Aggregation(
        f"{who}_count_{days}d", Kind.COUNT, f"goods items of the {label} in the last {span}", "items", None, days
    )


def _burst(who: str, label: str, hours: int) -> Aggregation:
    return Aggregation(
        f"{who}_count_{hours}h", Kind.COUNT, f"goods items of the {label} in the last {hours} hours", "items",
        window_hours=hours,
    )  # fmt: skip


def _first_seen(who: str, label: str, did: str = "was first seen") -> Aggregation:
    return Aggregation(f"{who}_age_days", Kind.DAYS_SINCE_FIRST, f"days since the {label} {did}", "days")


def _history(name: str, entity: tuple[str, ...], description: str, *aggregations: Aggregation) -> FeatureView:
    return FeatureView(name, entity, "shipments", aggregations, "customs", _PURPOSES, description)


def _withdrawn(who: str, label: str) -> FeatureView:
    withdrawn = Aggregation(
        f"{who}_withdrawn_90d", Kind.COUNT, f"goods items the {label} took back in the last 90 days", "items", None, 90
    )
    return FeatureView(
        f"{who}_withdrawals",
        (f"{who}_id",),
        "withdrawals",
        (withdrawn,),
        "customs",
        _PURPOSES,
        f"What the {label} declared and took back.",
    )


_ATTRIBUTES = (
    _attribute("log_value_per_kg", "declared value per kg", "log currency/kg"),
    _attribute("log_value", "declared value", "log currency"),
    _attribute("log_mass", "net mass", "log kg"),
    _attribute("gross_to_net", "gross mass over net mass", "ratio"),
    _attribute("duty_rate_pct", "rate of duty declared", "%"),
    _attribute("hour", "hour of lodging, office time", "hour"),
    _attribute("weekday", "day of the week of lodging, Monday is 1", "day", phrase="lodged on a {}"),
    _attribute("office", "office of entry", "code", is_category=True),
    _attribute("transport_mode", "mode of transport at the border", "code", is_category=True, codes=TRANSPORT_MODES),
    _attribute("hs2", "HS chapter", "code", is_category=True),
    _attribute("country_of_origin", "country of origin", "code", is_category=True, codes=COUNTRIES),
    _attribute("country_of_dispatch", "country of dispatch", "code", is_category=True, codes=COUNTRIES),
    _attribute("procedure", "customs procedure", "code", is_category=True),
    _attribute("duty_regime", "tariff applied", "code", is_category=True),
    _attribute("origin_indicator", "proof or marking of origin", "code", is_category=True),
    _attribute("trader_status", "status of the trader", "code", is_category=True, codes=TRADER_STATUSES),
    _attribute("import_type", "type of import", "code", is_category=True),
    _attribute("import_use", "declared use", "code", is_category=True),
    _attribute("payment_type", "terms of payment", "code", is_category=True),
)
"""What the event says of itself."""

_IMPORTER = (
    _history(
        "importer_activity",
        ("importer_id",),
        "How much, how long and how variedly an importer has traded.",
        _volume("importer", "importer", 7),
        _volume("importer", "importer", 90),
        _first_seen("importer", "importer"),
        _burst("importer", "importer", 6),
        Aggregation("importer_gap_days", Kind.DAYS_SINCE_LAST, "days since the importer's last item", "days"),
        Aggregation("importer_products", Kind.DISTINCT, "HS chapters the importer has declared", "chapters", "hs2"),
        Aggregation(
            "importer_declarants", Kind.DISTINCT, "declarants the importer has used", "declarants", "declarant_id"
        ),
        Aggregation(
            "importer_declarants_90d",
            Kind.DISTINCT,
            "declarants the importer has used in the last 90 days (many: it keeps switching)",
            "declarants",
            "declarant_id",
            90,
        ),
    ),
    _history(
        "importer_spread",
        ("importer_id",),
        "How the importer's trade spreads over origins, goods and rates of duty.",
        Aggregation(
            "importer_origin_concentration",
            Kind.CONCENTRATION,
            "how far one origin prevails among the importer's items of the last year (1: all of one)",
            "index",
            "country_of_origin",
            365,
        ),
        Aggregation(
            "importer_chapter_entropy",
            Kind.ENTROPY,
            "how evenly the importer's items of the last year spread over HS chapters (0: all of one)",
            "bits",
            "hs2",
            365,
        ),
        Aggregation(
            "importer_low_duty_share",
            Kind.SHARE,
            "share of the importer's items of the last year declared at a rate of duty under 1 %",
            "share",
            window_days=365,
            holds=Where("duty_rate_pct", below=1.0),
        ),
    ),
    _history(
        "importer_price",
        ("importer_id", "currency"),
        "What is usual for the importer.",
        Aggregation(
            "importer_value_deviation",
            Kind.DEVIATION,
            "value per kg against the importer's own usual",
            "standard deviations",
            "log_value_per_kg",
        ),
        Aggregation(
            "importer_value_per_kg_max",
            Kind.MAX,
            "greatest value per kg that the importer declared in the last year",
            "log currency/kg",
            "log_value_per_kg",
            365,
        ),
        Aggregation(
            "importer_value_std",
            Kind.STD,
            "how much the values that the importer declares differ among themselves",
            "log currency",
            "log_value",
        ),
    ),
    _history(
        "importer_product_novelty",
        ("importer_id", "hs4"),
        "Whether the importer has declared this product before.",
        Aggregation("importer_product_count", Kind.COUNT, "items of this HS heading by the importer so far", "items"),
        Aggregation(
            "importer_product_count_24h",
            Kind.COUNT,
            "items of this HS heading by the importer in the last 24 hours (many: a consignment may be split)",
            "items",
            window_hours=24,
        ),
    ),
    _history(
        "importer_origin_novelty",
        ("importer_id", "country_of_origin"),
        "Whether the importer has bought from this origin before.",
        Aggregation("importer_origin_count", Kind.COUNT, "items of this origin by the importer so far", "items"),
    ),
)
"""What the importer has done before."""

_GOODS = (
    _history(
        "product_price",
        ("jurisdiction", "currency", "hs_code", "country_of_origin"),
        "What is usual for this product from this origin.",
        Aggregation(
            "product_value_deviation",
            Kind.DEVIATION,
            "value per kg against what is usual for this product and origin",
            "standard deviations",
            "log_value_per_kg",
        ),
        Aggregation(
            "product_duty_deviation",
            Kind.DEVIATION,
            "rate of duty against what is usual for this product and origin",
            "standard deviations",
            "duty_rate_pct",
        ),
        _volume("product_origin", "product from this origin", 90),
        Aggregation(
            "product_value_per_kg_min",
            Kind.MIN,
            "least value per kg declared for this product and origin in the last year",
            "log currency/kg",
            "log_value_per_kg",
            365,
        ),
    ),
)
"""What is usual for the goods."""

_OTHERS = (
    _history(
        "seller_activity",
        ("seller_id",),
        "How long a seller is known.",
        _volume("seller", "seller", 90),
        _first_seen("seller", "seller"),
        Aggregation(
            "seller_importers_365d",
            Kind.DISTINCT,
            "importers the seller has supplied in the last year",
            "importers",
            "importer_id",
            365,
        ),
    ),
    _history(
        "declarant_activity",
        ("declarant_id",),
        "How busy a declarant is.",
        _volume("declarant", "declarant", 30),
        _first_seen("declarant", "declarant"),
        Aggregation(
            "declarant_importer_concentration",
            Kind.CONCENTRATION,
            "how far one importer prevails among the declarant's items of the last 90 days",
            "index",
            "importer_id",
            90,
        ),
    ),
    _history(
        "vehicle_trips",
        ("vehicle_id",),
        "How often a vehicle has brought goods.",
        _volume("vehicle", "vehicle", 30),
        _first_seen("vehicle", "vehicle", "first brought goods"),
    ),
    _withdrawn("importer", "importer"),
    _withdrawn("declarant", "declarant"),
    _history(
        "office_load",
        ("jurisdiction", "office"),
        "How busy the office is.",
        _volume("office", "office", 1),
        _burst("office", "office", 3),
    ),
)
"""Who else acts, with what, and where."""

_SHARED = (
    seen_by_cameras(_PURPOSES),
    *movements(_PURPOSES),
    noticed_near("office", _PURPOSES),
    *manifested(_PURPOSES),
    *declared_at_export(_PURPOSES),
)
"""What other agencies and neighbours know."""


def registry(terms: Terms = ORDINARY) -> Registry:
    """Every feature a shipment model may ask for."""
    known = offering_all("shipments", EVENT_COLUMNS, terms)
    known.attribute(*_ATTRIBUTES)
    known.view(*_IMPORTER, *small_series(_PURPOSES), *_GOODS, *habits(_PURPOSES), *_OTHERS)
    known.view(*inspected(_PURPOSES), *_SHARED)
    return known

"""Sources of history for the views: silver frames in, frames with usable_at, sign and derived columns out.

A version of an event begins to count when it has happened and is known, and stops when a correction replaces it
or its withdrawal ends it; each is a row, with sign +1 and -1. Identities are resolved to entities through
`silver.entity_links`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import polars as pl

from features import tracking
from features.attributes import crossing_attributes, ln, shipment_attributes
from features.registry import Registry
from features.terms import Terms
from features.windows import BEGAN_AT, EVENT_AT, SIGN, USABLE_AT
from warehouse import catalog, places
from warehouse.catalog import Table
from warehouse.contracts import Contract
from warehouse.contracts.base import Purpose
from warehouse.contracts.customs import DECLARATIONS, INSPECTIONS, MANIFESTS, WITHDRAWALS
from warehouse.contracts.immigration import API_MESSAGES, CROSSINGS, OUTCOMES, PNR_MESSAGES
from warehouse.contracts.surveillance import DETECTIONS, VEHICLE_SIGHTINGS, VESSEL_POSITIONS
from warehouse.places import Place


@dataclass(frozen=True)
class Silver:
    """The silver tables that features read, and the border points of the deployment."""

    shipments: pl.LazyFrame
    exports: pl.LazyFrame
    manifests: pl.LazyFrame
    crossings: pl.LazyFrame
    passengers: pl.LazyFrame
    bookings: pl.LazyFrame
    tracks: pl.LazyFrame
    detections: pl.LazyFrame
    outcomes: pl.LazyFrame
    entity_links: pl.LazyFrame
    border_points: tuple[Place, ...] = ()

    @staticmethod
    def tables() -> Mapping[str, Table]:
        """The table behind each field."""
        return {
            field.name: catalog.table_of(f"silver.{field.name}")
            for field in fields(Silver)
            if field.name != "border_points"
        }


def read_silver(scan: Callable[[Table], pl.LazyFrame], border_points: tuple[Place, ...] | None = None) -> Silver:
    """Every silver table through `scan`; the border points that ship with borderlake, if none are given."""
    points = places.shipped() if border_points is None else border_points
    return Silver(**{name: scan(table) for name, table in Silver.tables().items()}, border_points=points)


@dataclass(frozen=True)
class Source:
    """History of one kind: what it offers, what it rests on, and how it is made from silver."""

    columns: frozenset[str]
    contracts: tuple[Contract, ...]
    """A view serves no purpose that one of these does not allow."""
    tables: tuple[str, ...]
    """The fields of `Silver` it reads."""
    rows: Callable[[Silver], pl.LazyFrame]
    """Events with `event_at`, `known_at`, `superseded_at` and the columns."""

    @property
    def purposes(self) -> frozenset[Purpose]:
        """Purposes that every contract behind the source allows."""
        return frozenset.intersection(*(contract.purposes for contract in self.contracts))

    @property
    def owners(self) -> frozenset[str]:
        """Agency domains of the contracts behind the source."""
        return frozenset(contract.domain for contract in self.contracts)

    @cached_property
    def types(self) -> Mapping[str, pl.DataType]:
        """The type of each column."""
        return {name: self.schema[name] for name in sorted(self.columns)}

    @cached_property
    def schema(self) -> pl.Schema:
        """All that the rows have, with what is not offered to views."""
        return self.rows(read_silver(lambda table: table.empty().lazy(), ())).collect_schema()

    def history(self, silver: Silver) -> pl.LazyFrame:
        """The rows as they begin and stop to count."""
        return _signed(self.rows(silver), self.columns)


SHIPMENT_KEYS = (
    "importer_id", "declarant_id", "seller_id", "carrier_id", "vehicle_id", "vessel_id", "consignment_id",
    "goods_item_number", "goods_description", "hs_code", "hs4", "hs2", "country_of_origin", "country_of_dispatch",
    "office", "jurisdiction", "currency",
)  # fmt: skip
SHIPMENT_VALUES = (
    "log_value_per_kg", "log_value", "log_mass", "ln_mass", "ln_gross", "ln_value_per_kg", "duty_rate_pct", "goods_key",
)  # fmt: skip
CROSSING_KEYS = (
    "traveller_id", "document_id", "vehicle_id", "nationality", "port", "direction", "carrier", "flight_number",
    "visa_class", "residence", "age_band", "jurisdiction",
)  # fmt: skip
CROSSING_VALUES = ("party_size", "stay_days", "is_entry", "entries_less_exits")


def _shipments(silver: Silver) -> pl.LazyFrame:
    return shipment_attributes(silver.shipments)


def _exports(silver: Silver) -> pl.LazyFrame:
    return shipment_attributes(silver.exports)


def _manifests(silver: Silver) -> pl.LazyFrame:
    return silver.manifests.with_columns(ln_gross=ln(pl.col("gross_mass_kg").cast(pl.Float64)))


def _bookings(silver: Silver) -> pl.LazyFrame:
    ahead = (pl.col("departure_at") - pl.col("booked_at")).dt.total_hours() / 24
    return silver.bookings.with_columns(lead_days=ahead)


def _crossings(silver: Silver) -> pl.LazyFrame:
    return crossing_attributes(silver.crossings)


def _withdrawals(silver: Silver) -> pl.LazyFrame:
    """A withdrawal is a fact of its own: it happens when the item is taken back, and nothing takes it back."""
    gone = _shipments(silver).filter(pl.col("withdrawn_at").is_not_null())
    never = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    return gone.with_columns(event_at="withdrawn_at", known_at="withdrawn_at", superseded_at=never)


def _seen_abroad(silver: Silver) -> pl.LazyFrame:
    """Crossings of every other jurisdiction, under `seen_from`, the one that looks."""
    crossings = _crossings(silver)
    pointed = pl.LazyFrame(
        {"seen_from": [point.jurisdiction for point in silver.border_points]}, {"seen_from": pl.String}
    )
    looking = pl.concat([pointed, silver.crossings.select(seen_from="jurisdiction")]).unique()
    return crossings.join(looking, how="cross").filter(pl.col("seen_from") != pl.col("jurisdiction"))


def _observed_vessels(silver: Silver) -> pl.LazyFrame:
    return silver.tracks.filter(pl.col("object_kind") == "vessel")


def _vessels(silver: Silver) -> pl.LazyFrame:
    return tracking.resolve(_observed_vessels(silver), silver.entity_links, "vessel")


def _meetings(silver: Silver) -> pl.LazyFrame:
    ports = [point for point in silver.border_points if point.mode == "sea"]
    return tracking.meetings(_vessels(silver), _observed_vessels(silver), ports)


SOURCES: dict[str, Source] = {
    "shipments": Source(frozenset((*SHIPMENT_KEYS, *SHIPMENT_VALUES)), (DECLARATIONS,), ("shipments",), _shipments),
    "shipment_outcomes": Source(
        frozenset((*SHIPMENT_KEYS, *SHIPMENT_VALUES, "is_adverse")),
        (INSPECTIONS, DECLARATIONS),
        ("outcomes", "shipments"),
        lambda silver: _outcomes(silver.outcomes, _shipments(silver), "shipment", SHIPMENT_KEYS + SHIPMENT_VALUES),
    ),
    "withdrawals": Source(
        frozenset((*SHIPMENT_KEYS, *SHIPMENT_VALUES)), (WITHDRAWALS, DECLARATIONS), ("shipments",), _withdrawals
    ),
    "exports": Source(frozenset((*SHIPMENT_KEYS, *SHIPMENT_VALUES)), (DECLARATIONS,), ("exports",), _exports),
    "manifests": Source(
        frozenset(("consignment_id", "goods_description", "ln_gross", "vessel_id", "consignor_id", "consignee_id")),
        (MANIFESTS,),
        ("manifests",),
        _manifests,
    ),
    "passengers": Source(
        frozenset(("document_id", "traveller_id", "carrier", "flight_number")),
        (API_MESSAGES,),
        ("passengers",),
        lambda silver: silver.passengers,
    ),
    "bookings": Source(
        frozenset(("document_id", "traveller_id", "lead_days", "party_size", "bags")),
        (PNR_MESSAGES,),
        ("bookings",),
        _bookings,
    ),
    "crossings": Source(frozenset((*CROSSING_KEYS, *CROSSING_VALUES)), (CROSSINGS,), ("crossings",), _crossings),
    "crossing_outcomes": Source(
        frozenset((*CROSSING_KEYS, *CROSSING_VALUES, "is_adverse")),
        (OUTCOMES, CROSSINGS),
        ("outcomes", "crossings"),
        lambda silver: _outcomes(silver.outcomes, _crossings(silver), "crossing", CROSSING_KEYS + CROSSING_VALUES),
    ),
    "crossings_abroad": Source(
        frozenset((*CROSSING_KEYS, *CROSSING_VALUES, "seen_from")), (CROSSINGS,), ("crossings",), _seen_abroad
    ),
    "vehicle_sightings": Source(
        frozenset(("object_id", "site", "is_night")),
        (VEHICLE_SIGHTINGS,),
        ("tracks",),
        lambda silver: tracking.sightings(silver.tracks),
    ),
    "vessel_positions": Source(
        frozenset(("object_id", "is_slow", "speed_knots", "is_dark_gap", "gap_hours")),
        (VESSEL_POSITIONS,),
        ("tracks", "entity_links"),
        lambda silver: tracking.positions(_vessels(silver)),
    ),
    "vessel_meetings": Source(
        frozenset(("object_id", "other_id")), (VESSEL_POSITIONS,), ("tracks", "entity_links"), _meetings
    ),
    "detections": Source(
        frozenset(("jurisdiction", "area", "is_at_night", "is_vessel")),
        (DETECTIONS,),
        ("detections",),
        lambda silver: tracking.detections(silver.detections),
    ),
}


def offering_all(subject: str, event_columns: frozenset[str], terms: Terms) -> Registry:
    """A subject's registry, still without features, whose views may rest on any source."""
    return Registry(
        subject,
        {name: source.types for name, source in SOURCES.items()},
        event_columns,
        {name: source.purposes for name, source in SOURCES.items()},
        {name: source.owners for name, source in SOURCES.items()},
        frozenset(SOURCES[subject].schema),
        terms,
    )


def _outcomes(outcomes: pl.LazyFrame, subjects: pl.LazyFrame, kind: str, columns: tuple[str, ...]) -> pl.LazyFrame:
    """Outcomes with the attributes of what they speak of, as known then; they count from their own report.

    An outcome counts under each version of its subject for as long as both stand.
    """
    described = subjects.select("event_id", *columns, described_at="known_at", redescribed_at="superseded_at")
    found = outcomes.filter(pl.col("subject_kind") == kind).select(
        "subject_id", EVENT_AT, "known_at", "superseded_at", pl.col("is_adverse").cast(pl.Int8)
    )
    return (
        found.join(described, left_on="subject_id", right_on="event_id", how="inner")
        .with_columns(
            known_at=pl.max_horizontal("known_at", "described_at"),
            superseded_at=pl.min_horizontal("superseded_at", "redescribed_at"),
        )
        .filter(pl.col("superseded_at").is_null() | (pl.col("superseded_at") > pl.col("known_at")))
    )


def _signed(rows: pl.LazyFrame, columns: frozenset[str]) -> pl.LazyFrame:
    kept = (*sorted(columns - {EVENT_AT}), EVENT_AT)
    began = pl.max_horizontal(EVENT_AT, "known_at")
    begins = rows.select(*kept, began.alias(BEGAN_AT), began.alias(USABLE_AT), pl.lit(1, dtype=pl.Int64).alias(SIGN))
    ends = rows.filter(pl.col("superseded_at").is_not_null()).select(
        *kept,
        began.alias(BEGAN_AT),
        pl.max_horizontal(EVENT_AT, "superseded_at").alias(USABLE_AT),
        pl.lit(-1, dtype=pl.Int64).alias(SIGN),
    )
    return pl.concat([begins, ends])

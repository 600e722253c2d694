"""Sources of history for the views: silver frames in, frames with usable_at, sign and derived columns out.

A version of an event begins to count when it has happened and is known, and stops when a correction replaces
it; each is a row, with sign +1 and -1. Identities are resolved to entities through `silver.entity_links`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from features.windows import BEGAN_AT, EVENT_AT, SIGN, USABLE_AT
from warehouse.contracts import Contract
from warehouse.contracts.base import Purpose
from warehouse.contracts.customs import DECLARATIONS, INSPECTIONS
from warehouse.contracts.immigration import CROSSINGS, OUTCOMES
from warehouse.contracts.surveillance import VEHICLE_SIGHTINGS, VESSEL_POSITIONS

_NIGHT_FROM, _NIGHT_TO = 22, 5
_SLOW_KNOTS = 2.0

SHIPMENT_KEYS = (
    "importer_id", "declarant_id", "seller_id", "carrier_id", "vehicle_id", "vessel_id",
    "hs_code", "hs4", "hs2", "country_of_origin", "country_of_dispatch", "office", "jurisdiction", "currency",
)  # fmt: skip
SHIPMENT_VALUES = ("log_value_per_kg", "log_value", "log_mass", "duty_rate_pct", "goods_key")
CROSSING_KEYS = (
    "traveller_id", "document_id", "vehicle_id", "nationality", "port", "carrier", "flight_number", "visa_class",
    "residence", "age_band", "jurisdiction",
)  # fmt: skip
CROSSING_VALUES = ("party_size", "stay_days")

SOURCES: dict[str, frozenset[str]] = {
    "shipments": frozenset((*SHIPMENT_KEYS, *SHIPMENT_VALUES)),
    "shipment_outcomes": frozenset((*SHIPMENT_KEYS, *SHIPMENT_VALUES, "is_adverse")),
    "crossings": frozenset((*CROSSING_KEYS, *CROSSING_VALUES)),
    "crossing_outcomes": frozenset((*CROSSING_KEYS, *CROSSING_VALUES, "is_adverse")),
    "vehicle_sightings": frozenset(("object_id", "site", "is_night")),
    "vessel_positions": frozenset(("object_id", "is_slow", "speed_knots", "is_dark_gap", "gap_hours")),
}


SOURCE_CONTRACTS: dict[str, tuple[Contract, ...]] = {
    "shipments": (DECLARATIONS,),
    "shipment_outcomes": (INSPECTIONS, DECLARATIONS),
    "crossings": (CROSSINGS,),
    "crossing_outcomes": (OUTCOMES, CROSSINGS),
    "vehicle_sightings": (VEHICLE_SIGHTINGS,),
    "vessel_positions": (VESSEL_POSITIONS,),
}
"""What each source rests on: a view serves no purpose that one of these contracts does not allow."""


def purposes_of(source: str) -> frozenset[Purpose]:
    """Purposes that every contract behind a source allows."""
    return frozenset.intersection(*(contract.purposes for contract in SOURCE_CONTRACTS[source]))


@dataclass(frozen=True)
class Silver:
    """The silver tables that features read."""

    shipments: pl.LazyFrame
    crossings: pl.LazyFrame
    tracks: pl.LazyFrame
    outcomes: pl.LazyFrame
    entity_links: pl.LazyFrame


def shipment_attributes(shipments: pl.LazyFrame) -> pl.LazyFrame:
    """Shipments with the derived columns that views and models name."""
    mass = pl.col("net_mass_kg").cast(pl.Float64)
    value = pl.col("item_value").cast(pl.Float64)
    local = pl.col("event_local_at")
    return shipments.with_columns(
        hs2=pl.col("hs_code").str.slice(0, 2),
        hs4=pl.col("hs_code").str.slice(0, 4),
        log_mass=mass.log1p(),
        log_value=value.log1p(),
        log_value_per_kg=pl.when(mass > 0).then((value / mass).log1p()),
        gross_to_net=pl.when(mass > 0).then(pl.col("gross_mass_kg").cast(pl.Float64) / mass),
        goods_key=pl.concat_str(
            "hs_code", "country_of_dispatch", "country_of_origin", "duty_rate_pct", "duty_regime", "net_mass_kg",
            separator="|", ignore_nulls=True,
        ),
        hour=local.dt.hour().cast(pl.Float64),
        weekday=local.dt.weekday().cast(pl.Float64),
    )  # fmt: skip


def crossing_attributes(crossings: pl.LazyFrame) -> pl.LazyFrame:
    """Crossings with the derived columns that views and models name."""
    local = pl.col("event_local_at")
    return crossings.with_columns(
        age_band=(pl.col("age_years") // 10).cast(pl.String),
        hour=local.dt.hour().cast(pl.Float64),
        weekday=local.dt.weekday().cast(pl.Float64),
    )


def histories(silver: Silver) -> Mapping[str, pl.LazyFrame]:
    """Every source by name."""
    shipments = shipment_attributes(silver.shipments)
    crossings = crossing_attributes(silver.crossings)
    vessels = resolve(silver.tracks.filter(pl.col("object_kind") == "vessel"), silver.entity_links, "vessel")
    return {
        "shipments": _signed(shipments, SOURCES["shipments"]),
        "crossings": _signed(crossings, SOURCES["crossings"]),
        "shipment_outcomes": _outcomes(silver.outcomes, shipments, "shipment", SHIPMENT_KEYS + SHIPMENT_VALUES),
        "crossing_outcomes": _outcomes(silver.outcomes, crossings, "crossing", CROSSING_KEYS + CROSSING_VALUES),
        "vehicle_sightings": _signed(_sightings(silver.tracks), SOURCES["vehicle_sightings"]),
        "vessel_positions": _signed(_positions(vessels), SOURCES["vessel_positions"]),
    }


def resolve(tracks: pl.LazyFrame, links: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """Observations under the entity their source identity is linked to; a link counts from its own known_at."""
    of_kind = links.filter((pl.col("entity_kind") == kind) & (pl.col("entity_id") != pl.col("source_id")))
    first = (
        of_kind.sort("known_at", "entity_id")
        .unique("source_id", keep="first")
        .select("source_id", "entity_id", linked_at=pl.col("known_at"))
    )
    joined = tracks.join(first, left_on="object_id", right_on="source_id", how="left")
    return joined.with_columns(
        object_id=pl.coalesce("entity_id", "object_id"), known_at=pl.max_horizontal("known_at", "linked_at")
    ).drop("entity_id", "linked_at")


def _sightings(tracks: pl.LazyFrame) -> pl.LazyFrame:
    hour = pl.col("event_local_at").dt.hour()
    return tracks.filter(pl.col("object_kind") == "vehicle").with_columns(
        is_night=((hour >= _NIGHT_FROM) | (hour < _NIGHT_TO)).cast(pl.Int8)
    )


def _positions(vessels: pl.LazyFrame) -> pl.LazyFrame:
    """A silence is measured when the position that ends it becomes usable: what is delivered later mends nothing."""
    usable = pl.max_horizontal(EVENT_AT, "known_at")
    ordered = vessels.filter(pl.col("speed_knots").is_not_null()).sort("object_id", usable, EVENT_AT)
    last = pl.col(EVENT_AT).cum_max().shift(1).over("object_id")
    gap = pl.when(pl.col(EVENT_AT) >= last).then((pl.col(EVENT_AT) - last).dt.total_seconds() / 3_600)
    return ordered.with_columns(
        is_slow=(pl.col("speed_knots") < _SLOW_KNOTS).cast(pl.Int8),
        gap_hours=gap,
        is_dark_gap=(gap > 6).cast(pl.Int8),
    )


def _outcomes(outcomes: pl.LazyFrame, subjects: pl.LazyFrame, kind: str, columns: tuple[str, ...]) -> pl.LazyFrame:
    """Outcomes with the attributes of what they speak of, as known then; they count from their own report.

    An outcome counts under each version of its subject for as long as both stand.
    """
    described = subjects.select("event_id", *columns, described_at="known_at", redescribed_at="superseded_at")
    found = outcomes.filter(pl.col("subject_kind") == kind).select(
        "subject_id", EVENT_AT, "known_at", "superseded_at", pl.col("is_adverse").cast(pl.Int8)
    )
    joined = (
        found.join(described, left_on="subject_id", right_on="event_id", how="inner")
        .with_columns(
            known_at=pl.max_horizontal("known_at", "described_at"),
            superseded_at=pl.min_horizontal("superseded_at", "redescribed_at"),
        )
        .filter(pl.col("superseded_at").is_null() | (pl.col("superseded_at") > pl.col("known_at")))
    )
    return _signed(joined, frozenset((*columns, "is_adverse")))


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

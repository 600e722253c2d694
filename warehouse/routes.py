"""Routes: which silver table a contract feeds, and how. Declarations only; `warehouse.conform` follows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from warehouse import ids, vault
from warehouse.catalog import (
    BOOKINGS,
    CARGO,
    CROSSINGS_TABLE,
    DETECTED,
    EXPORTS,
    OUTCOMES,
    PASSENGERS,
    SHIPMENTS,
    TRACKS,
    Table,
)
from warehouse.contracts import Contract
from warehouse.contracts.customs import DECLARATIONS, INSPECTIONS, MANIFESTS, WITHDRAWALS
from warehouse.contracts.immigration import API_MESSAGES, CROSSINGS, PNR_MESSAGES
from warehouse.contracts.immigration import OUTCOMES as CROSSING_OUTCOMES
from warehouse.contracts.surveillance import DETECTIONS, VEHICLE_SIGHTINGS, VESSEL_POSITIONS


@dataclass(frozen=True)
class Identity:
    """How a silver id column is made: the entity kind and the bronze columns whose values identify it.

    A scoped identity is only meant within its jurisdiction (a trader's registration number); others are the same
    everywhere (a plate, an IMO number).
    """

    kind: str
    columns: tuple[str, ...]
    is_scoped: bool = False

    def value(self) -> pl.Expr:
        scope = [pl.col("jurisdiction")] if self.is_scoped else []
        return vault.normalised([*scope, *(pl.col(column) for column in self.columns)])


@dataclass(frozen=True)
class Route:
    """From the bronze table of one contract to a silver table."""

    contract: Contract
    target: Table
    identities: Mapping[str, Identity] = field(default_factory=dict)
    derive: Mapping[str, pl.Expr] = field(default_factory=dict)
    where: pl.Expr = field(default_factory=lambda: pl.lit(True))
    """The rows of the contract that this route takes."""
    is_located: bool = False
    """Whether `area`, the border point nearest to the row's position, is told."""
    withdrawn_by: Contract | None = None
    """The contract whose rows take events of this route back; its columns hold the key of the event."""

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """Every contract the route reads."""
        return (self.contract,) if self.withdrawn_by is None else (self.contract, self.withdrawn_by)


def _organisation(column: str) -> Identity:
    return Identity("organisation", (column,), is_scoped=True)


def _subject(dataset: str, key: Sequence[str]) -> pl.Expr:
    """The id of the event that an outcome speaks of: the same agency's, in its other dataset."""
    return ids.event_id(pl.col("jurisdiction"), pl.col("source_agency"), dataset, key)


_TRAVELLER = {
    "traveller_id": Identity("person", ("surname", "given_names", "birth_date", "nationality")),
    "document_id": Identity("document", ("issuing_state", "document_number")),
}
_OUTCOME_LACKS = {"additional_duty": pl.lit(None), "currency": pl.lit(None)}
_TRACK_LACKS = {
    "speed_knots": pl.lit(None),
    "nav_status": pl.lit(None),
    "message_type": pl.lit(None),
    "imo_id": pl.lit(None),
}

ROUTES: tuple[Route, ...] = (
    *(
        Route(
            DECLARATIONS,
            table,
            identities={
                "importer_id": _organisation("importer_id"),
                "declarant_id": _organisation("declarant_id"),
                "seller_id": _organisation("seller_id"),
                "carrier_id": _organisation("carrier_id"),
                "vehicle_id": Identity("vehicle", ("vehicle_plate",)),
                "vessel_id": Identity("vessel", ("vessel_imo",)),
            },
            derive={"withdrawn_at": pl.lit(None)},
            where=pl.col("declaration_type") == kind,
            withdrawn_by=WITHDRAWALS,
        )
        for kind, table in (("IM", SHIPMENTS), ("EX", EXPORTS))
    ),
    Route(
        MANIFESTS,
        CARGO,
        identities={
            "consignor_id": _organisation("consignor_id"),
            "consignee_id": _organisation("consignee_id"),
            "carrier_id": _organisation("carrier_id"),
            "vessel_id": Identity("vessel", ("vessel_imo",)),
        },
    ),
    Route(API_MESSAGES, PASSENGERS, identities=_TRAVELLER),
    Route(PNR_MESSAGES, BOOKINGS, identities=_TRAVELLER),
    Route(
        CROSSINGS,
        CROSSINGS_TABLE,
        identities={
            **_TRAVELLER,
            "vehicle_id": Identity("vehicle", ("vehicle_plate",)),
        },
        derive={
            "stay_days": (pl.col("admitted_until") - pl.col("event_at").dt.date()).dt.total_days(),
            "age_years": pl.coalesce(
                pl.col("age_years"),
                pl.col("event_at").dt.year() - pl.coalesce(pl.col("birth_date").dt.year(), pl.col("birth_year")),
            ),
        },
    ),
    Route(
        VEHICLE_SIGHTINGS,
        TRACKS,
        identities={"object_id": Identity("vehicle", ("vehicle_plate",))},
        derive={"object_kind": pl.lit("vehicle"), **_TRACK_LACKS},
    ),
    Route(
        VESSEL_POSITIONS,
        TRACKS,
        identities={"object_id": Identity("vessel", ("mmsi",)), "imo_id": Identity("vessel", ("imo_number",))},
        derive={"object_kind": pl.lit("vessel"), "site": pl.col("station")},
    ),
    Route(DETECTIONS, DETECTED, is_located=True),
    Route(
        INSPECTIONS,
        OUTCOMES,
        derive={
            "subject_kind": pl.lit("shipment"),
            "subject_id": _subject(DECLARATIONS.dataset, DECLARATIONS.key),
            "is_adverse": pl.col("is_irregular"),
            "finding": pl.col("infringement"),
        },
    ),
    Route(
        CROSSING_OUTCOMES,
        OUTCOMES,
        derive={
            "subject_kind": pl.lit("crossing"),
            "subject_id": _subject(CROSSINGS.dataset, CROSSINGS.key),
            **_OUTCOME_LACKS,
        },
    ),
)


def routes_to(target: Table) -> tuple[Route, ...]:
    """The routes that feed a silver table."""
    return tuple(route for route in ROUTES if route.target is target)

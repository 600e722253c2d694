"""Immigration: border crossings of travellers, and what became of the crossings that were looked into."""

from datetime import timedelta

import dataframely as dy
import polars as pl

from warehouse.contracts import codes
from warehouse.contracts.base import Contract, Event, Purpose, Sensitivity, facts
from warehouse.contracts.customs import SELECTIONS

PERSONAL = Sensitivity.PERSONAL

FINDINGS = ("document_fraud", "impostor", "overstay", "refused_entry", "smuggling", "facilitation", "other")


class Crossings(Event):
    """One traveller crossing the border once."""

    crossing_id = dy.String(min_length=1, max_length=64, description="Reference of the crossing record.")
    port = dy.String(min_length=1, max_length=17, description="Border crossing point.")
    lane = dy.String(nullable=True, max_length=12, description="Control lane or booth.")
    direction = dy.String(check=lambda e: e.is_in(list(codes.DIRECTIONS)), description="Entry or exit.")
    mode = dy.String(
        nullable=True, check=lambda e: e.is_in(list(codes.CROSSING_MODES)), description="Air, sea or land."
    )
    document_type = dy.String(nullable=True, max_length=2, description="Document code, ICAO Doc 9303.")
    document_number = dy.String(
        nullable=True,
        max_length=24,
        description="Travel document number.",
        metadata=facts(identifies="document", sensitivity=PERSONAL),
    )
    issuing_state = dy.String(
        nullable=True,
        check=lambda e: e.is_in(sorted(codes.nationalities())),
        description="Issuing state, ICAO Doc 9303.",
    )
    nationality = dy.String(
        check=lambda e: e.is_in(sorted(codes.nationalities())),
        description="Nationality, ICAO Doc 9303; XXX where unspecified.",
    )
    nationality_code = dy.String(
        nullable=True, max_length=8, description="Nationality in the agency's own code list, where it has one."
    )
    surname = dy.String(nullable=True, max_length=128, description="Surname.", metadata=facts(sensitivity=PERSONAL))
    given_names = dy.String(
        nullable=True, max_length=128, description="Given names.", metadata=facts(sensitivity=PERSONAL)
    )
    birth_date = dy.Date(nullable=True, description="Date of birth.", metadata=facts(sensitivity=PERSONAL))
    birth_year = dy.Int32(nullable=True, min=1850, max=2100, description="Year of birth.")
    age_years = dy.Int32(nullable=True, min=0, max=130, description="Age at crossing.", metadata=facts(unit="years"))
    sex = dy.String(nullable=True, check=lambda e: e.is_in(list(codes.SEXES)), description="Sex, ICAO Doc 9303.")
    residence = dy.String(nullable=True, max_length=8, description="Country of residence, in the agency's code list.")
    visa_class = dy.String(nullable=True, max_length=12, description="Class of admission or visa category.")
    visa_post = dy.String(nullable=True, max_length=12, description="Post that issued the visa.")
    purpose = dy.String(nullable=True, max_length=24, description="Declared purpose of travel.")
    destination = dy.String(nullable=True, max_length=64, description="First intended destination (region).")
    vehicle_plate = dy.String(
        nullable=True,
        max_length=20,
        description="Registration of the vehicle crossed in.",
        metadata=facts(identifies="vehicle", sensitivity=PERSONAL),
    )
    carrier = dy.String(nullable=True, max_length=12, description="Carrier code (IATA for air).")
    flight_number = dy.String(nullable=True, max_length=10, description="Flight or voyage.")
    party_size = dy.Int32(nullable=True, min=1, max=500, description="Persons crossing together.")
    occupation = dy.String(nullable=True, max_length=24, description="Occupation code.")
    admission_code = dy.String(nullable=True, max_length=4, description="How the traveller was admitted.")
    registration_number = dy.String(
        nullable=True,
        max_length=24,
        description="Number of an earlier registration.",
        metadata=facts(sensitivity=PERSONAL),
    )
    admitted_until = dy.Date(nullable=True, description="Last day of the authorised stay; null if not limited.")

    @dy.rule()
    def born_before_crossing(cls) -> pl.Expr:
        """A traveller is born before crossing, and not more than 130 years before."""
        years = pl.col("event_at").dt.year() - pl.col("birth_date").dt.year()
        return pl.col("birth_date").is_null() | (
            (pl.col("birth_date") <= pl.col("event_at").dt.date()) & (years <= 130)
        )


class Outcomes(Event):
    """What was found about one crossing. `event_at` is the finding, `known_at` its report."""

    crossing_id = dy.String(min_length=1, max_length=64, description="Crossing looked into.")
    selection = dy.String(check=lambda e: e.is_in(SELECTIONS), description="What made the officers look.")
    selection_probability = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        description="Chance that this crossing was selected, where it was drawn at random.",
        metadata=facts(unit="probability"),
    )
    is_adverse = dy.Bool(description="Whether the outcome was adverse.")
    finding = dy.String(nullable=True, check=lambda e: e.is_in(FINDINGS), description="Kind of adverse outcome.")
    officer_id = dy.String(
        nullable=True,
        max_length=35,
        description="Examining officer.",
        metadata=facts(identifies="officer", sensitivity=PERSONAL),
    )


CROSSINGS = Contract(
    name="immigration.crossings",
    version=1,
    title="Border crossings",
    schema=Crossings,
    key=("crossing_id",),
    subject="crossing",
    purposes=frozenset({Purpose.BORDER_CHECK, Purpose.TRAFFIC_STATISTICS}),
    cadence=timedelta(days=1),
    floor=1,
    retention_days=1_095,
)

OUTCOMES = Contract(
    name="immigration.outcomes",
    version=1,
    title="Outcomes of border crossings",
    schema=Outcomes,
    key=("crossing_id",),
    subject="outcome",
    purposes=frozenset({Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    floor=0,
    retention_days=1_095,
)

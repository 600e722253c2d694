"""Immigration: border crossings of travellers, what became of those looked into, and what carriers tell beforehand."""

from datetime import timedelta

import dataframely as dy
import polars as pl

from warehouse.contracts import codes
from warehouse.contracts.base import Contract, Event, Purpose, Sensitivity, facts
from warehouse.contracts.customs import SELECTIONS

PERSONAL = Sensitivity.PERSONAL

TRAVELLER_ROLES = ("passenger", "crew", "transit")
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
        return _born_before_travel()


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


class ApiMessages(Event):
    """One traveller of a flight or voyage, as its carrier tells before arrival (UN/EDIFACT PAXLST).

    `event_at` is the arrival if it is told, else the departure; `known_at` when the message was made.
    """

    message_id = dy.String(
        min_length=1,
        max_length=120,
        description="Sender, reference of the interchange and of the message, flight and day: alike in all sendings.",
    )
    traveller_number = dy.Int32(min=1, max=100_000, description="How the traveller stands in the message, from 1.")
    carrier = dy.String(nullable=True, max_length=12, description="Carrier code (IATA for air).")
    flight_number = dy.String(min_length=1, max_length=17, description="Flight, with its carrier's code, or voyage.")
    departed_from = dy.String(nullable=True, max_length=17, description="Port left last, IATA or UN/LOCODE.")
    arrives_at = dy.String(nullable=True, max_length=17, description="Port of arrival, IATA or UN/LOCODE.")
    departure_at = dy.Datetime(
        nullable=True, time_unit="us", time_zone="UTC", description="Departure from the port left last."
    )
    arrival_at = dy.Datetime(nullable=True, time_unit="us", time_zone="UTC", description="Arrival.")
    traveller_role = dy.String(
        check=lambda e: e.is_in(list(TRAVELLER_ROLES)), description="Passenger, crew, or in transit."
    )
    surname = dy.String(nullable=True, max_length=128, description="Surname.", metadata=facts(sensitivity=PERSONAL))
    given_names = dy.String(
        nullable=True, max_length=128, description="Given names.", metadata=facts(sensitivity=PERSONAL)
    )
    birth_date = dy.Date(nullable=True, description="Date of birth.", metadata=facts(sensitivity=PERSONAL))
    sex = dy.String(nullable=True, check=lambda e: e.is_in(list(codes.SEXES)), description="Sex, ICAO Doc 9303.")
    nationality = dy.String(
        nullable=True,
        check=lambda e: e.is_in(sorted(codes.nationalities())),
        description="Nationality, ICAO Doc 9303.",
    )
    document_type = dy.String(nullable=True, max_length=2, description="Document code, ICAO Doc 9303.")
    document_number = dy.String(
        nullable=True,
        max_length=24,
        description="Number of the first travel document.",
        metadata=facts(identifies="document", sensitivity=PERSONAL),
    )
    issuing_state = dy.String(
        nullable=True,
        check=lambda e: e.is_in(sorted(codes.nationalities())),
        description="Issuing state, ICAO Doc 9303.",
    )
    record_locator = dy.String(
        nullable=True,
        max_length=35,
        description="Locator of the booking.",
        metadata=facts(sensitivity=PERSONAL),
    )

    @dy.rule()
    def born_before_travel(cls) -> pl.Expr:
        """A traveller is born before travelling, and not more than 130 years before."""
        return _born_before_travel()


class PnrMessages(Event):
    """One traveller of a booking on a flight, as its airline pushes it (UN/EDIFACT PNRGOV).

    `event_at` is the departure; `known_at` when the interchange was made. A later push of the same booking is a
    later version of the same rows.
    """

    record_locator = dy.String(
        min_length=1,
        max_length=35,
        description="Locator of the booking, in the system that pushes it.",
        # In the key, which is never personal; silver leaves it out.
        metadata=facts(sensitivity=Sensitivity.COMMERCIAL),
    )
    traveller_number = dy.String(
        min_length=1, max_length=12, description="Number of the traveller in the booking, as the airline counts."
    )
    carrier = dy.String(nullable=True, max_length=12, description="Carrier code, IATA.")
    flight_number = dy.String(min_length=1, max_length=10, description="Flight, with its carrier's code.")
    departed_from = dy.String(min_length=1, max_length=17, description="Airport of departure, IATA.")
    arrives_at = dy.String(nullable=True, max_length=17, description="Airport of arrival, IATA.")
    departure_at = dy.Datetime(time_unit="us", time_zone="UTC", description="Departure.")
    booked_at = dy.Datetime(nullable=True, time_unit="us", time_zone="UTC", description="When the booking was made.")
    party_size = dy.Int32(nullable=True, min=1, max=999, description="Travellers in the booking.")
    surname = dy.String(nullable=True, max_length=128, description="Surname.", metadata=facts(sensitivity=PERSONAL))
    given_names = dy.String(
        nullable=True, max_length=128, description="Given names.", metadata=facts(sensitivity=PERSONAL)
    )
    document_number = dy.String(
        nullable=True,
        max_length=24,
        description="Number of the travel document.",
        metadata=facts(identifies="document", sensitivity=PERSONAL),
    )
    issuing_state = dy.String(
        nullable=True,
        check=lambda e: e.is_in(sorted(codes.nationalities())),
        description="Issuing state, ICAO Doc 9303.",
    )
    nationality = dy.String(
        nullable=True,
        check=lambda e: e.is_in(sorted(codes.nationalities())),
        description="Nationality, ICAO Doc 9303.",
    )
    birth_date = dy.Date(nullable=True, description="Date of birth.", metadata=facts(sensitivity=PERSONAL))
    sex = dy.String(nullable=True, check=lambda e: e.is_in(list(codes.SEXES)), description="Sex, ICAO Doc 9303.")
    bags = dy.Int32(nullable=True, min=0, max=999, description="Bags checked in on this flight.")
    payment_form = dy.String(nullable=True, max_length=10, description="Form of payment; never a card's number.")
    seat = dy.String(nullable=True, max_length=10, description="Seat on this flight.")

    @dy.rule()
    def born_before_travel(cls) -> pl.Expr:
        """A traveller is born before travelling, and not more than 130 years before."""
        return _born_before_travel()


def _born_before_travel() -> pl.Expr:
    years = pl.col("event_at").dt.year() - pl.col("birth_date").dt.year()
    return pl.col("birth_date").is_null() | ((pl.col("birth_date") <= pl.col("event_at").dt.date()) & (years <= 130))


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

API_MESSAGES = Contract(
    name="immigration.api_messages",
    version=1,
    title="Advance passenger information",
    schema=ApiMessages,
    key=("message_id", "traveller_number"),
    subject="traveller",
    purposes=frozenset({Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    # A port may have days without an arrival from abroad.
    floor=0,
    # Told to prepare a check; the crossing's own record, kept for three years, holds what the check found. Half a
    # year covers a visitor's stay (90 days of 180), so that who left can still be told from who stayed.
    retention_days=180,
)

PNR_MESSAGES = Contract(
    name="immigration.pnr_messages",
    version=1,
    title="Passenger name records",
    schema=PnrMessages,
    key=("record_locator", "traveller_number", "flight_number", "departed_from", "departure_at"),
    subject="traveller of a booking",
    # Bookings serve the assessment of PNR by its own rules and officers, and no other purpose: no view or model of
    # another purpose can ask for them.
    purposes=frozenset({Purpose.PNR_ASSESSMENT}),
    cadence=timedelta(days=1),
    floor=0,
    # Five years at the most: Directive (EU) 2016/681, article 12, and ICAO Annex 9, standard 9.34.
    retention_days=1_825,
)

"""Immigration: border crossings of travellers, what became of those looked into, and what carriers tell beforehand."""

from datetime import timedelta

import dataframely as dy
import polars as pl

from warehouse.contracts import codes
from warehouse.contracts.base import (
    EARLIEST,
    EARLIEST_BIRTH,
    Consistency,
    Contract,
    Event,
    Observed,
    Purpose,
    Sensitivity,
    coded,
    day,
    facts,
    moment,
)

PERSONAL = Sensitivity.PERSONAL
OWNER = "immigration or border police authority"
_SLACK = timedelta(days=1)
"""Times of a journey may be on the clocks of different places."""


class Crossings(Observed):
    """One traveller crossing the border once."""

    crossing_id = dy.String(min_length=1, max_length=64, description="Reference of the crossing record.")
    port = dy.String(min_length=1, max_length=17, description="Border crossing point.")
    lane = dy.String(nullable=True, max_length=12, description="Control lane or booth.")
    direction = coded(codes.DIRECTIONS, "Entry or exit.")
    mode = coded(codes.CROSSING_MODES, "Air, sea or land.", nullable=True)
    document_type = dy.String(
        nullable=True,
        regex=codes.DOCUMENT_CODE,
        description="Kind of travel document: P passport, V visa, A, C or I official travel document.",
        metadata=facts(standard=codes.TRAVEL_DOCUMENT),
    )
    document_number = dy.String(
        nullable=True,
        max_length=24,
        description="Travel document number.",
        metadata=facts(identifies="document", sensitivity=PERSONAL),
    )
    issuing_state = coded(codes.NATIONALITIES, "Issuing state, ICAO Doc 9303.", nullable=True)
    nationality = coded(codes.NATIONALITIES, "Nationality, ICAO Doc 9303; XXX where unspecified.")
    nationality_code = dy.String(
        nullable=True, max_length=8, description="Nationality in the agency's own code list, where it has one."
    )
    surname = dy.String(nullable=True, max_length=128, description="Surname.", metadata=facts(sensitivity=PERSONAL))
    given_names = dy.String(
        nullable=True, max_length=128, description="Given names.", metadata=facts(sensitivity=PERSONAL)
    )
    birth_date = day("Date of birth.", earliest=EARLIEST_BIRTH, nullable=True, sensitivity=PERSONAL)
    birth_year = dy.Int32(
        nullable=True, min=EARLIEST_BIRTH.year, max=2099, description="Year of birth.", metadata=facts(unit="year")
    )
    age_years = dy.Int32(nullable=True, min=0, max=130, description="Age at crossing.", metadata=facts(unit="years"))
    sex = coded(codes.SEXES, "Sex, ICAO Doc 9303.", nullable=True)
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
    party_size = dy.Int32(
        nullable=True, min=1, max=500, description="Persons crossing together.", metadata=facts(unit="persons")
    )
    occupation = dy.String(nullable=True, max_length=24, description="Occupation code.")
    admission_code = dy.String(nullable=True, max_length=4, description="How the traveller was admitted.")
    registration_number = dy.String(
        nullable=True,
        max_length=24,
        description="Number of an earlier registration.",
        metadata=facts(sensitivity=PERSONAL),
    )
    admitted_until = day(
        "Last day of the authorised stay; null if not limited.",
        earliest=EARLIEST.date(),
        nullable=True,
        sensitivity=Sensitivity.OPEN,
    )

    @dy.rule()
    def born_before_crossing(cls) -> pl.Expr:
        """A traveller is born before crossing, and not more than 130 years before."""
        return _born_before_travel()

    @dy.rule()
    def birth_year_before_crossing(cls) -> pl.Expr:
        """A traveller is not born after the year of the crossing."""
        return pl.col("birth_year").is_null() | (pl.col("birth_year") <= pl.col("event_at").dt.year())


class Outcomes(Observed):
    """What was found about one crossing. `event_at` is the finding, `known_at` its report."""

    crossing_id = dy.String(min_length=1, max_length=64, description="Crossing looked into.")
    selection = coded(codes.SELECTIONS, "What made the officers look.")
    selection_probability = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        description="Chance that this crossing was selected, where it was drawn at random.",
        metadata=facts(unit="probability"),
    )
    is_adverse = dy.Bool(description="Whether the outcome was adverse.")
    finding = coded(codes.FINDINGS, "Kind of adverse outcome.", nullable=True)
    officer_id = dy.String(
        nullable=True,
        max_length=35,
        description="Examining officer.",
        metadata=facts(identifies="officer", sensitivity=PERSONAL),
    )

    @dy.rule()
    def finding_only_where_adverse(cls) -> pl.Expr:
        """A kind of adverse outcome is named only where the outcome was adverse."""
        return pl.col("finding").is_null() | pl.col("is_adverse")


class ApiMessages(Event):
    """One traveller of a flight or voyage, as its carrier tells before arrival (UN/EDIFACT PAXLST).

    `event_at` is the arrival if it is told, else the departure; `known_at` when the message was made.
    """

    message_id = dy.String(
        min_length=1,
        max_length=120,
        description="Sender, reference of the interchange and of the message, flight and day: alike in all sendings.",
    )
    traveller_number = dy.Int32(
        min=1,
        max=100_000,
        description="How the traveller stands in the message, from 1.",
        metadata=facts(unit="ordinal number"),
    )
    carrier = dy.String(nullable=True, max_length=12, description="Carrier code (IATA for air).")
    flight_number = dy.String(min_length=1, max_length=17, description="Flight, with its carrier's code, or voyage.")
    departed_from = dy.String(
        nullable=True, regex=codes.PORT, description="Port left last.", metadata=facts(standard=codes.CARRIER_PORT)
    )
    arrives_at = dy.String(
        nullable=True, regex=codes.PORT, description="Port of arrival.", metadata=facts(standard=codes.CARRIER_PORT)
    )
    departure_at = moment("Departure from the port left last.", nullable=True)
    arrival_at = moment("Arrival.", nullable=True)
    traveller_role = coded(codes.TRAVELLER_ROLES, "Passenger, crew, or in transit.")
    surname = dy.String(nullable=True, max_length=128, description="Surname.", metadata=facts(sensitivity=PERSONAL))
    given_names = dy.String(
        nullable=True, max_length=128, description="Given names.", metadata=facts(sensitivity=PERSONAL)
    )
    birth_date = day("Date of birth.", earliest=EARLIEST_BIRTH, nullable=True, sensitivity=PERSONAL)
    sex = coded(codes.SEXES, "Sex, ICAO Doc 9303.", nullable=True)
    nationality = coded(codes.NATIONALITIES, "Nationality, ICAO Doc 9303.", nullable=True)
    document_type = dy.String(
        nullable=True,
        regex=codes.DOCUMENT_CODE,
        description="Kind of travel document: P passport, V visa, A, C or I official travel document.",
        metadata=facts(standard=codes.TRAVEL_DOCUMENT),
    )
    document_number = dy.String(
        nullable=True,
        max_length=24,
        description="Number of the first travel document.",
        metadata=facts(identifies="document", sensitivity=PERSONAL),
    )
    issuing_state = coded(codes.NATIONALITIES, "Issuing state, ICAO Doc 9303.", nullable=True)
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

    @dy.rule()
    def arrives_after_departure(cls) -> pl.Expr:
        """Who travels arrives after departing, a day for the clocks of the two places apart."""
        told = pl.col("arrival_at").is_not_null() & pl.col("departure_at").is_not_null()
        return ~told | (pl.col("arrival_at") >= pl.col("departure_at") - _SLACK)


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
    departed_from = dy.String(
        regex=codes.PORT, description="Airport of departure.", metadata=facts(standard=codes.CARRIER_PORT)
    )
    arrives_at = dy.String(
        nullable=True, regex=codes.PORT, description="Airport of arrival.", metadata=facts(standard=codes.CARRIER_PORT)
    )
    departure_at = moment("Departure.")
    booked_at = moment("When the booking was made.", nullable=True)
    party_size = dy.Int32(
        nullable=True, min=1, max=999, description="Travellers in the booking.", metadata=facts(unit="persons")
    )
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
    issuing_state = coded(codes.NATIONALITIES, "Issuing state, ICAO Doc 9303.", nullable=True)
    nationality = coded(codes.NATIONALITIES, "Nationality, ICAO Doc 9303.", nullable=True)
    birth_date = day("Date of birth.", earliest=EARLIEST_BIRTH, nullable=True, sensitivity=PERSONAL)
    sex = coded(codes.SEXES, "Sex, ICAO Doc 9303.", nullable=True)
    bags = dy.Int32(
        nullable=True, min=0, max=999, description="Bags checked in on this flight.", metadata=facts(unit="bags")
    )
    payment_form = dy.String(nullable=True, max_length=10, description="Form of payment; never a card's number.")
    seat = dy.String(nullable=True, max_length=10, description="Seat on this flight.")

    @dy.rule()
    def born_before_travel(cls) -> pl.Expr:
        """A traveller is born before travelling, and not more than 130 years before."""
        return _born_before_travel()

    @dy.rule()
    def booked_before_departure(cls) -> pl.Expr:
        """A flight is booked before it departs, a day for the clocks of the two places apart."""
        return pl.col("booked_at").is_null() | (pl.col("booked_at") <= pl.col("departure_at") + _SLACK)


def _born_before_travel() -> pl.Expr:
    years = pl.col("event_at").dt.year() - pl.col("birth_date").dt.year()
    return pl.col("birth_date").is_null() | ((pl.col("birth_date") <= pl.col("event_at").dt.date()) & (years <= 130))


CROSSINGS = Contract(
    name="immigration.crossings",
    version=2,
    title="Border crossings",
    schema=Crossings,
    key=("crossing_id",),
    subject="crossing",
    owner=OWNER,
    purposes=frozenset({Purpose.BORDER_CHECK, Purpose.TRAFFIC_STATISTICS}),
    cadence=timedelta(days=1),
    floor=1,
    ceiling=5_000_000,
    retention_days=1_095,
    consistencies=(),
)

OUTCOMES = Contract(
    name="immigration.outcomes",
    version=2,
    title="Outcomes of border crossings",
    schema=Outcomes,
    key=("crossing_id",),
    subject="outcome",
    owner=OWNER,
    purposes=frozenset({Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    floor=0,
    ceiling=5_000_000,
    retention_days=1_095,
    consistencies=(),
)

API_MESSAGES = Contract(
    name="immigration.api_messages",
    version=2,
    title="Advance passenger information",
    schema=ApiMessages,
    key=("message_id", "traveller_number"),
    subject="traveller",
    owner=OWNER,
    purposes=frozenset({Purpose.BORDER_CHECK}),
    cadence=timedelta(days=1),
    # A port may have days without an arrival from abroad.
    floor=0,
    ceiling=10_000_000,
    # Told to prepare a check; the crossing's own record, kept for three years, holds what the check found. Half a
    # year covers a visitor's stay (90 days of 180), so that who left can still be told from who stayed.
    retention_days=180,
    consistencies=(
        Consistency(
            "one_message_one_flight",
            by=("message_id",),
            agree=("flight_number", "departed_from", "arrives_at"),
            description="Travellers of one message are on one flight.",
        ),
    ),
    recognised_by=("flight_number", "event_at", "surname", "given_names"),
)

PNR_MESSAGES = Contract(
    name="immigration.pnr_messages",
    version=2,
    title="Passenger name records",
    schema=PnrMessages,
    key=("record_locator", "traveller_number", "flight_number", "departed_from", "departure_at"),
    subject="traveller of a booking",
    owner=OWNER,
    # Bookings serve the assessment of PNR by its own rules and officers, and no other purpose: no view or model of
    # another purpose can ask for them.
    purposes=frozenset({Purpose.PNR_ASSESSMENT}),
    cadence=timedelta(days=1),
    floor=0,
    ceiling=20_000_000,
    # Five years at the most: Directive (EU) 2016/681, article 12, and ICAO Annex 9, standard 9.34.
    retention_days=1_825,
    consistencies=(
        Consistency(
            "one_booking_one_party",
            by=("record_locator", "flight_number", "departed_from", "departure_at"),
            agree=("party_size", "arrives_at", "booked_at"),
            description="Travellers of one booking on one flight are of one party.",
        ),
    ),
)

"""PNRGOV, passenger name records pushed by airlines: a row a traveller of a booking on the message's flight.

The message is that of the IATA/ICAO/WCO implementation guide: the flight (first TVL), then bookings (SRC), each with
its locator (RCI), the names in it (TIF, each followed by what concerns that person), its flights (TVL, each followed
by seats, check-in and bags) and its history (ABI, SAC). The history says what no longer holds, and is not read.
Numbers of payment cards are left where they are. `pnrgov_booking` tells the parts of a booking apart.

Dates are ISO 8601 on the clock of the airport. `document_type` to `sex` are from the traveller's DOCS entry;
`seat`, `bags` and `bag_tags` are those of the message's flight.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from warehouse.readers import edifact_table
from warehouse.readers.edifact import Message, Refused
from warehouse.readers.edifact_segment import Segment, Total
from warehouse.readers.edifact_table import STRICT, Layout, Row
from warehouse.readers.edifact_values import flight_moment, precision
from warehouse.readers.flights import designator
from warehouse.readers.pnrgov_booking import Booking, Flight, Traveller, booking_of, flight_of
from warehouse.readers.pnrgov_papers import papers_of
from warehouse.readers.port import Chunk

COLUMNS = (
    "carrier",
    "operating_carrier",
    "flight_number",
    "departed_from",
    "departure_at",
    "departure_precision",
    "arrives_at",
    "arrival_at",
    "record_locator",
    "locator_carrier",
    "other_locators",
    "booked_at",
    "changed_at",
    "ticketed_at",
    "party_size",
    "traveller_number",
    "traveller_type",
    "surname",
    "given_names",
    "document_type",
    "issuing_state",
    "document_number",
    "document_expires",
    "document_surname",
    "document_given_names",
    "nationality",
    "birth_date",
    "sex",
    "infants",
    "tickets",
    "payment_form",
    "frequent_flyer",
    "seat",
    "bags",
    "bag_mass",
    "bag_tags",
    "seats",
    "legs",
)


_PAPERS = (
    "pnrgov-papers",
    "the SSR entry (DOCS or INFT) cannot be read, or it cannot be told whose it is; ask for it as IATA Resolution 830d "
    "has it, with the number of its traveller (+::2)",
)


def read(path: Path, columns: frozenset[str] = frozenset(), *, control: str = STRICT) -> Iterator[Chunk]:
    """Travellers of a file's bookings, with `COLUMNS` and those of `edifact_table.HEADER`, all as text.

    `source_line` is the number of the traveller's TIF segment in the file (see `edifact`); a booking that names
    nobody is refused at its SRC, and an entry of papers that is nobody's at its SSR. Control "lenient" lets pass
    trailers that contradict. Raises `FileRefused` when the file is empty or no interchange.
    """
    return edifact_table.read(LAYOUT, path, columns, control)


def _rows(message: Message, header: Mapping[str, str]) -> Iterator[Row | Refused]:
    segments = message.segments
    at = _bookings_at(segments)
    head = segments[: at[0]] if at else segments
    flight = next((flight_of(segment) for segment in head if segment.tag == "TVL"), Flight())
    shared = {**header, **_of_flight(flight)}
    for first, end in pairwise([*at, len(segments)]):
        booking = booking_of(segments[first:end])
        if not booking.travellers:
            told = "the booking names no traveller; ask the sender whether it is a group without names yet"
            yield message.refused(segments[first].number, segments[end - 1].number, "pnrgov-no-traveller", told)
            continue
        told_on = shared["prepared_at"] or flight.departure_at
        papers, unread = papers_of(booking, told_on)
        yield from _of_booking(booking, flight, shared, papers)
        for entry in unread:
            yield message.refused(entry.number, entry.number, *_PAPERS)


def _bookings_at(segments: Sequence[Segment]) -> list[int]:
    return [index for index, segment in enumerate(segments) if segment.tag == "SRC"]


def _totals(segments: Sequence[Segment]) -> Iterator[Total]:
    """EQN before the first booking counts them all; one within a booking, those it was split into."""
    at = _bookings_at(segments)
    head = segments[: at[0]] if at else segments
    yield from (Total(one, one.value(1), len(at), "bookings") for one in head if one.tag == "EQN")


def _of_flight(flight: Flight) -> dict[str, str]:
    return {
        "carrier": flight.carrier,
        "operating_carrier": flight.operating_carrier,
        "flight_number": designator(flight.carrier, flight.number),
        "departed_from": flight.origin,
        "departure_at": flight.departure_at,
        "departure_precision": precision(flight.departure_at),
        "arrives_at": flight.destination,
        "arrival_at": flight.arrival_at,
    }


def _of_booking(
    booking: Booking, flight: Flight, shared: Mapping[str, str], papers: Sequence[Mapping[str, str]]
) -> Iterator[Row]:
    leg = next((one for one in booking.flights if one.is_same(flight)), None)
    about = {
        **shared,
        **_locators(booking.locators),
        **_dates(booking.dates),
        "party_size": str(len(booking.travellers)),
        "legs": json.dumps([_described(one) for one in booking.flights]) if len(booking.flights) > 1 else "",
    }
    numbers = _numbers(booking.travellers)
    for traveller, number, own in zip(booking.travellers, numbers, papers, strict=True):
        seats = {one.name: one.seat_of(traveller, booking) for one in booking.flights}
        seats = {name: seat for name, seat in seats.items() if seat}
        pieces, mass, tags = leg.bags_of(traveller, booking) if leg else ("", "", "")
        yield Row(
            traveller.segment.number,
            {
                "traveller_number": number,
                "traveller_type": traveller.kind,
                "surname": traveller.surname,
                "given_names": traveller.given_names,
                **own,
                "tickets": " ".join(dict.fromkeys(booking.tickets_of(traveller))),
                "payment_form": traveller.payment_form or booking.payment_form,
                "frequent_flyer": traveller.frequent_flyer,
                "seat": leg.seat_of(traveller, booking) if leg else "",
                "seats": json.dumps(seats) if len(seats) > 1 else "",
                "bags": pieces,
                "bag_mass": mass,
                "bag_tags": tags,
            },
            about,
        )


def _numbers(travellers: Sequence[Traveller]) -> list[str]:
    """The airline's own numbers of the travellers if each has one, which outlast changes; else how they stand."""
    told = [traveller.reference for traveller in travellers]
    whole = all(told) and len(set(told)) == len(told)
    return told if whole else [str(number) for number in range(1, len(told) + 1)]


def _locators(segments: Sequence[Segment]) -> dict[str, str]:
    """The booking's locator is the first one; others are those of code-share partners and other systems."""
    found = [
        (segment.value(element), segment.value(element, 1), _made(segment.composite(element)[2:]))
        for segment in segments
        for element in range(1, len(segment.elements))
        if segment.value(element, 1)
    ]
    if not found:
        return {}
    carrier, locator, _ = found[0]
    booked = next((made for _, its, made in found if its == locator and made), "")
    others = dict.fromkeys((carrier, its) for carrier, its, _ in found if its != locator)
    return {
        "locator_carrier": carrier,
        "record_locator": locator,
        "booked_at": booked,
        "other_locators": " ".join(f"{carrier}/{its}" for carrier, its in others),
    }


def _made(components: Sequence[str]) -> str:
    """Date and time of a locator: behind its type, which some leave out without its separator."""
    told = [part.strip() for part in components if len(part.strip()) > 1]
    return flight_moment(told[0], told[1] if told[1:] else "") if told else ""


def _dates(segments: Sequence[Segment]) -> dict[str, str]:
    """DAT: 700 is the last change, 710 the issue of tickets."""
    columns = {"700": "changed_at", "710": "ticketed_at"}
    told: dict[str, str] = {}
    for segment in segments:
        for element in range(1, len(segment.elements)):
            name = columns.get(segment.value(element))
            if name and segment.value(element, 1):
                told.setdefault(name, flight_moment(segment.value(element, 1), segment.value(element, 2)))
    return told


def _described(flight: Flight) -> dict[str, str]:
    told = _of_flight(flight) | {"departure_precision": "", "status": flight.status}
    return {name: value for name, value in told.items() if value}


WORDING = edifact_table.wording(
    {
        "carrier": "first TVL carrier",
        "flight_number": "first TVL number",
        "departed_from": "first TVL from",
        "departure_at": "first TVL departure",
        "arrives_at": "first TVL to",
        "arrival_at": "first TVL arrival",
        "record_locator": "RCI locator",
        "booked_at": "RCI date and time",
        "changed_at": "DAT+700",
        "ticketed_at": "DAT+710",
        "party_size": "number of TIF",
        "traveller_number": "TIF reference",
        "traveller_type": "TIF type",
        "surname": "TIF surname",
        "given_names": "TIF given names",
        "document_type": "SSR+DOCS",
        "issuing_state": "SSR+DOCS",
        "document_number": "SSR+DOCS",
        "document_expires": "SSR+DOCS",
        "nationality": "SSR+DOCS",
        "birth_date": "SSR+DOCS",
        "sex": "SSR+DOCS",
        "tickets": "TKT or SSR+TKNE",
        "payment_form": "FOP",
        "frequent_flyer": "FTI",
        "seat": "SSD or SSR+SEAT",
        "bags": "TBD pieces",
        "bag_mass": "TBD mass",
        "bag_tags": "TBD tags",
    },
    "DDMMYY, with a time DDMMYY:HHMM; in SSR+DOCS as 31DEC25",
)
LAYOUT = Layout("PNRGOV", COLUMNS, _bookings_at, _rows, "booking", _totals)

"""A booking of a PNRGOV message taken apart: travellers, flights, and which seat, bag or ticket is whose.

What a segment is about follows from where it stands (implementation guide, groups 1 to 12): behind SRC of the
booking, behind a TIF of that person, behind a TVL of that flight; a TIF behind TRI names who is checked in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from warehouse.readers.edifact_segment import Segment
from warehouse.readers.edifact_values import flight_moment

_SEATS = frozenset(("SEAT", "RQST", "NSST", "NSSA", "NSSW", "NSSB", "SMST", "SMSA", "SMSW", "SMSB"))
_TICKETS = frozenset(("TKNE", "TKNA", "TKNM", "TKNO"))
INFANT = "IN"
_MASS_UNITS = {"700": "KGM", "701": "LBR"}
_FIRST_TAG = 5
"""Element of TBD from which on tags are told, one each."""


@dataclass
class Traveller:
    """A person named in a booking."""

    segment: Segment
    requests: list[Segment] = field(default_factory=list)
    """SSR entries behind the name."""
    tickets: list[str] = field(default_factory=list)
    payment_form: str = ""
    frequent_flyer: str = ""

    @property
    def surname(self) -> str:
        return self.segment.value(1)

    @property
    def given_names(self) -> str:
        return self.segment.value(2)

    @property
    def kind(self) -> str:
        """A adult, C child, IN infant; as sent."""
        return self.segment.value(2, 1)

    @property
    def reference(self) -> str:
        return self.segment.value(2, 2)

    def is_called(self, surname: str, given_names: str) -> bool:
        """Whether its own names are these; blanks apart, since wrapping leaves some."""
        mine, theirs = (_squeezed(self.surname), _squeezed(self.given_names)), (_squeezed(surname), given_names)
        return mine[0] == theirs[0] and bool(mine[1]) and _alike(mine[1], _squeezed(theirs[1]))


@dataclass
class Flight:
    """A flight of a booking, and what is behind it: seats, boarding cards, bags."""

    carrier: str = ""
    operating_carrier: str = ""
    number: str = ""
    origin: str = ""
    destination: str = ""
    departure_at: str = ""
    arrival_at: str = ""
    status: str = ""
    requests: list[Segment] = field(default_factory=list)
    boarded: list["Boarding"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.carrier}{self.number} {self.origin}-{self.destination}".strip()

    def is_same(self, other: "Flight") -> bool:
        """Whether it is the message's flight: the same airports and day, under whichever carrier it is sold."""
        return (self.origin, self.departure_at[:10]) == (other.origin, other.departure_at[:10]) and (
            not self.destination or not other.destination or self.destination == other.destination
        )

    def seat_of(self, traveller: Traveller, booking: "Booking") -> str:
        """The seat given at check-in, else the one booked."""
        for boarding in self.boarded:
            if boarding.seat and boarding.is_of(traveller, booking):
                return boarding.seat
        behind_name = [request for request in traveller.requests if self._is_here(request)]
        for request in [*self.requests, *behind_name]:
            if request.value(1) not in _SEATS:
                continue
            for seat, whose in _places(request):
                alone = not whose and (request in behind_name or len(booking.travellers) == 1)
                if alone or (whose and whose == traveller.reference):
                    return seat
        return ""

    def bags_of(self, traveller: Traveller, booking: "Booking") -> tuple[str, str, str]:
        """Pieces checked in, their mass with its unit, and their tags."""
        for boarding in self.boarded:
            if boarding.bags and boarding.is_of(traveller, booking):
                details = boarding.bags
                unit = _MASS_UNITS.get(details.value(2, 2), details.value(2, 2))
                mass = f"{details.value(2, 1)} {unit}".strip() if details.value(2, 1) else ""
                pieces = details.value(2).lstrip("0") or "0" * bool(details.value(2))
                return pieces, mass, " ".join(_tags(details))
        return "", "", ""

    def _is_here(self, request: Segment) -> bool:
        """Whether an SSR entry names this flight's airports, or none."""
        here, there = request.value(1, 6), request.value(1, 7)
        return here in ("", self.origin) and there in ("", self.destination)


@dataclass
class Boarding:
    """A person's check-in on a flight (TRI, TIF, SSD, TBD)."""

    reference: str = ""
    surname: str = ""
    given_names: str = ""
    seat: str = ""
    bags: Segment | None = None

    def is_of(self, traveller: Traveller, booking: "Booking") -> bool:
        if self.surname:
            if self.reference and traveller.reference:
                return self.reference == traveller.reference and _squeezed(self.surname) == _squeezed(traveller.surname)
            return traveller.is_called(self.surname, self.given_names)
        return len(booking.travellers) == 1


@dataclass
class Booking:
    """One passenger name record."""

    locators: list[Segment] = field(default_factory=list)
    dates: list[Segment] = field(default_factory=list)
    requests: list[Segment] = field(default_factory=list)
    travellers: list[Traveller] = field(default_factory=list)
    flights: list[Flight] = field(default_factory=list)
    payment_form: str = ""

    def tickets_of(self, traveller: Traveller) -> Iterator[str]:
        """Ticket numbers behind the name, and those of TKNE entries that name the traveller."""
        yield from traveller.tickets
        is_infant = traveller.kind == INFANT
        is_only_infant = is_infant and [one.kind for one in self.travellers].count(INFANT) == 1
        for behind, request in self.every_request():
            if request.value(1) in _TICKETS:
                number = request.value(1, 8).lstrip(".")  # Some carriers write a full stop before it.
                whose = {who for _, who in _places(request)} - {""}
                mine = traveller.reference in whose if whose else behind is traveller
                # The infant's ticket stands behind its adult, and begins with INF.
                if (mine or is_only_infant) and number.startswith("INF") == is_infant:
                    yield number.removeprefix("INF")

    def every_request(self) -> Iterator[tuple[Traveller | None, Segment]]:
        """All SSR entries, with the traveller behind whose name they stand; those behind names come first."""
        for traveller in self.travellers:
            yield from ((traveller, request) for request in traveller.requests)
        yield from ((None, request) for request in self.requests)
        for flight in self.flights:
            yield from ((None, request) for request in flight.requests)


def flight_of(tvl: Segment) -> Flight:
    """The flight of a TVL segment."""
    on, at, until_on, until_at = (tvl.value(1, part) for part in range(4))
    if len(until_on) == 4 and not until_at:
        until_on, until_at = "", until_on  # Some leave out the empty date, too.
    # An arrival of the same day may come without its date.
    arrival = flight_moment(until_on or on, until_at) if until_at else flight_moment(until_on, "")
    return Flight(
        carrier=tvl.value(4),
        operating_carrier=tvl.value(4, 1),
        number=tvl.value(5),
        origin=tvl.value(2),
        destination=tvl.value(3),
        departure_at=flight_moment(on, at),
        arrival_at=arrival,
    )


def booking_of(segments: Sequence[Segment]) -> Booking:
    """Take the segments of a booking apart, from its SRC on."""
    booking = Booking()
    before = ""
    in_other_service = False
    for segment in segments:
        tag = segment.tag
        if tag in ("ABI", "SAC", "LTS"):
            break
        if tag == "TVL" and segment.value(2) and segment.value(3):
            in_other_service = before == "MSG"  # A hotel, car or train.
            if not in_other_service:
                booking.flights.append(flight_of(segment))
        elif tag in ("MSG", "EQN") and booking.flights:
            in_other_service = True  # A hotel, or the bookings that this one was split from.
        elif tag == "TRI" and booking.flights:
            in_other_service = False
            booking.flights[-1].boarded.append(Boarding())
        elif not in_other_service:
            _place(booking, segment)
        before = tag
    return booking


def _place(booking: Booking, segment: Segment) -> None:
    """Put a segment where it belongs: to the last flight, the last traveller, or the booking."""
    if segment.tag == "RCI":
        booking.locators.append(segment)
    elif booking.flights:
        _to_flight(booking.flights[-1], segment)
    elif segment.tag == "TIF":
        booking.travellers.append(Traveller(segment))
    elif segment.tag == "FOP":
        _to_payment(booking, segment)
    elif booking.travellers:
        _to_traveller(booking.travellers[-1], segment)
    elif segment.tag == "SSR":
        booking.requests.append(segment)
    elif segment.tag == "DAT":
        booking.dates.append(segment)


def _to_flight(flight: Flight, segment: Segment) -> None:
    boarding = flight.boarded[-1] if flight.boarded else None
    match segment.tag:
        case "SSR":
            flight.requests.append(segment)
        case "RPI":
            flight.status = segment.value(2)
        case "TIF" if boarding:
            boarding.surname, boarding.given_names = segment.value(1), segment.value(2)
            boarding.reference = segment.value(2, 2)
        case "SSD" if boarding:
            boarding.seat = segment.value(1)
        case "TBD" if boarding:
            boarding.bags = segment


def _to_traveller(traveller: Traveller, segment: Segment) -> None:
    match segment.tag:
        case "SSR":
            traveller.requests.append(segment)
        case "TKT" if segment.value(1):
            traveller.tickets.append(segment.value(1))
        case "FTI" if not traveller.frequent_flyer:
            traveller.frequent_flyer = f"{segment.value(1)}/{segment.value(1, 1)}"


def _to_payment(booking: Booking, fop: Segment) -> None:
    """The form of payment alone: never the number of a card."""
    form = fop.value(1)
    booking.payment_form = booking.payment_form or form
    if booking.travellers:
        last = booking.travellers[-1]
        last.payment_form = last.payment_form or form


def _places(request: Segment) -> Iterator[tuple[str, str]]:
    """Seats (empty where it is of none) and whose they are, from the further elements of an SSR entry."""
    for element in range(2, len(request.elements)):
        yield request.value(element), request.value(element, 2)
    if len(request.elements) == 2:
        yield "", ""


def _tags(tbd: Segment) -> Iterator[str]:
    """Tags of bags as `618/0123456788`; one that stands for several in a row has their number behind (`:2`)."""
    for element in range(_FIRST_TAG, len(tbd.elements)):
        carrier, number, count = (tbd.value(element, part) for part in range(3))
        if number:
            yield "/".join(filter(None, (carrier, number))) + (f":{count}" if count else "")


def _squeezed(name: str) -> str:
    return name.replace(" ", "").upper()


def _alike(one: str, other: str) -> bool:
    """Whether one of two given names begins with the other: titles and middle names come behind."""
    return bool(one and other) and (one.startswith(other) or other.startswith(one))

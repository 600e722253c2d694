"""Booking records: PNRGOV 13.1 after the IATA/ICAO/WCO implementation guide, one message a flight."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from simulation.formats.airports import AIRPORTS, HOME_AIRPORT
from simulation.formats.edifact import Segment, interchange, message

_KIND = ("PNRGOV", "13", "1", "IA")


def encode(passengers: pl.DataFrame, at: datetime, reference: str) -> bytes:
    """All flights and bookings of `passengers` (columns as `extended.passengers` gives them)."""
    flights = passengers.partition_by("flight", maintain_order=True)
    messages = [message(k, _KIND, _flight(f)) for k, f in enumerate(flights, 1)]
    return interchange(("IATA", "1"), "NVPNR", "XNIMM", at, reference, messages)


def _flight(passengers: pl.DataFrame) -> list[Segment]:
    bookings = passengers.partition_by("locator", maintain_order=True)
    head = passengers.row(0, named=True)
    body: list[Segment] = [
        ("MSG", ("", "22")),
        ("ORG", (head["carrier"], AIRPORTS[head["departed_from"]])),
        _leg(passengers),
        ("EQN", str(len(bookings))),
    ]
    for booking in bookings:
        body += _booking(booking)
    return body


def _leg(passengers: pl.DataFrame) -> Segment:
    one = passengers.row(0, named=True)
    times = (f"{one['departed']:%d%m%y}", f"{one['departed']:%H%M}", f"{one['landed']:%d%m%y}", f"{one['landed']:%H%M}")
    return ("TVL", times, AIRPORTS[one["departed_from"]], HOME_AIRPORT, one["carrier"], one["flight"][2:])


def _booking(booking: pl.DataFrame) -> list[Segment]:
    one = booking.row(0, named=True)
    body: list[Segment] = [
        ("SRC",),
        ("RCI", (one["carrier"], one["locator"], "", f"{one['booked']:%d%m%y}", f"{one['booked']:%H%M}")),
        ("DAT", ("710", f"{one['booked']:%d%m%y}", f"{one['booked']:%H%M}")),
        ("ORG", (one["carrier"], AIRPORTS[one["departed_from"]])),
    ]
    for number, person in enumerate(booking.iter_rows(named=True), 1):
        papers = (
            f"/{person['document_type']}/{person['issuing_state']}/{person['document_number']}/{person['nationality']}"
            f"/{person['birth_date']:%d%b%y}/{person['sex']}//{person['surname']}/{person['given_names']}"
        ).upper()
        body += [
            ("TIF", person["surname"], (person["given_names"], "A", str(number))),
            ("SSR", ("DOCS", "HK", "1", person["carrier"], "", "", "", "", papers)),
        ]
    return [*body, _leg(booking)]

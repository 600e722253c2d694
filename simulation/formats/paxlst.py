"""Advance passenger information: PAXLST D.02B after the WCO/IATA/ICAO guidelines, one message a flight."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from simulation.formats.airports import AIRPORTS, HOME_AIRPORT
from simulation.formats.edifact import Segment, interchange, message

_KIND = ("PAXLST", "D", "02B", "UN", "IATA")


def encode(passengers: pl.DataFrame, at: datetime, reference: str) -> bytes:
    """All flights of `passengers` (columns as `extended.passengers` gives them), in order of flight number."""
    flights = passengers.partition_by("flight", maintain_order=True)
    messages = [message(k, _KIND, _flight(f)) for k, f in enumerate(flights, 1)]
    return interchange(("UNOA", "4"), "NVAPIS", "XNIMM", at, reference, messages)


def _flight(passengers: pl.DataFrame) -> list[Segment]:
    one = passengers.row(0, named=True)
    body: list[Segment] = [
        ("BGM", "745"),
        ("NAD", "MS", "", "", one["carrier"] + " OPERATIONS"),
        ("TDT", "20", one["flight"]),
        ("LOC", "125", AIRPORTS[one["departed_from"]]),
        ("DTM", ("189", f"{one['departed']:%y%m%d%H%M}", "201")),
        ("LOC", "87", HOME_AIRPORT),
        ("DTM", ("232", f"{one['landed']:%y%m%d%H%M}", "201")),
    ]
    for person in passengers.iter_rows(named=True):
        body += _passenger(person)
    return [*body, ("CNT", ("42", str(len(passengers))))]


def _passenger(person: Mapping[str, Any]) -> list[Segment]:
    return [
        ("NAD", "FL", "", "", (person["surname"], person["given_names"])),
        ("ATT", "2", "", person["sex"] if person["sex"] in "MF" else "U"),
        ("DTM", ("329", f"{person['birth_date']:%y%m%d}")),
        ("LOC", "178", AIRPORTS[person["departed_from"]]),
        ("LOC", "179", HOME_AIRPORT),
        ("NAT", "2", person["nationality"]),
        ("RFF", ("AVF", person["locator"])),
        ("DOC", (person["document_type"], "110", "111"), person["document_number"]),
        ("LOC", "91", person["issuing_state"]),
    ]

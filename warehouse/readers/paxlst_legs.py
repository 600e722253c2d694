"""The legs of a PAXLST message, and which of them is the flight or voyage that its travellers are told of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from warehouse.readers.edifact_segment import Segment
from warehouse.readers.edifact_values import moment, precision
from warehouse.readers.flights import carrier_of, designator

# UN code list 2005, the scheduled time first: the first that is told counts.
_DEPARTURES = ("189", "133", "136", "186")
_ARRIVALS = ("232", "132", "178")
_LAST_BEFORE, _FIRST_INSIDE = "125", "87"


@dataclass(frozen=True)
class Leg:
    """One movement from a port to the next."""

    conveyance: str
    carrier: str
    origin: str = ""
    departure_at: str = ""
    destination: str = ""
    arrival_at: str = ""
    ends: tuple[str, str] = ("", "")
    """The codes (UN code list 3227) of its two places."""


@dataclass
class _Place:
    """A place of call and when one comes and goes."""

    code: str
    name: str
    times: dict[str, str] = field(default_factory=dict)

    def told(self, kinds: Sequence[str]) -> str:
        return next((self.times[kind] for kind in kinds if kind in self.times), "")


def legs_of(head: Sequence[Segment]) -> list[Leg]:
    """The legs that the segments before the first traveller tell: conveyances (TDT), places (LOC), times (DTM)."""
    legs: list[Leg] = []
    places: list[_Place] = []
    means = ("", "")
    for segment in head:
        if segment.tag == "TDT":
            legs += _between(means, places)
            number = segment.value(2) or segment.value(8, 3)
            means, places = (number, segment.value(5)), []
        elif segment.tag == "LOC" and any(means):
            places.append(_Place(segment.value(1), segment.value(2)))
        elif segment.tag == "DTM" and places:
            kind, text, layout = segment.value(1), segment.value(1, 1), segment.value(1, 2)
            places[-1].times.setdefault(kind, moment(text, layout))
    return legs + _between(means, places)


def _between(means: tuple[str, str], places: Sequence[_Place]) -> list[Leg]:
    """The legs of one conveyance: from each place to the next; a single place is a leg with one end."""
    leg = Leg(*means)
    if not places:
        return [leg] if any(means) else []
    if len(places) == 1:
        (place,) = places
        if place.code == _FIRST_INSIDE or (place.told(_ARRIVALS) and not place.told(_DEPARTURES)):
            return [replace(leg, destination=place.name, arrival_at=place.told(_ARRIVALS), ends=("", place.code))]
        return [replace(leg, origin=place.name, departure_at=place.told(_DEPARTURES), ends=(place.code, ""))]
    return [
        replace(
            leg,
            origin=here.name,
            departure_at=here.told(_DEPARTURES),
            destination=there.name,
            arrival_at=there.told(_ARRIVALS),
            ends=(here.code, there.code),
        )
        for here, there in pairwise(places)
    ]


def flight(legs: Sequence[Leg]) -> dict[str, str]:
    """The columns of the leg into the receiving country, else of the last; all legs are in `legs`."""
    arriving = [leg for leg in legs if leg.ends[1] == _FIRST_INSIDE]
    leaving = [leg for leg in legs if leg.ends[0] == _LAST_BEFORE]
    leg = (arriving or leaving or list(legs[-1:]) or [Leg("", "")])[0]
    carrier = leg.carrier or carrier_of(leg.conveyance)
    return {
        "carrier": carrier,
        "flight_number": designator(carrier, leg.conveyance),
        "departed_from": leg.origin,
        "departure_at": leg.departure_at,
        "departure_precision": precision(leg.departure_at),
        "arrives_at": leg.destination,
        "arrival_at": leg.arrival_at,
        "arrival_precision": precision(leg.arrival_at),
        "legs": json.dumps([_described(leg) for leg in legs]) if len(legs) > 1 else "",
    }


def _described(leg: Leg) -> dict[str, str]:
    told = {
        "flight_number": designator(leg.carrier or carrier_of(leg.conveyance), leg.conveyance),
        "departed_from": leg.origin,
        "departure_at": leg.departure_at,
        "arrives_at": leg.destination,
        "arrival_at": leg.arrival_at,
    }
    return {name: value for name, value in told.items() if value}

"""PAXLST, advance passenger information: a row a traveller, passenger or crew, of a flight or voyage.

The message is that of the WCO/IATA/ICAO guidelines on API (Annex III, UN/EDIFACT D.02B and later): transport legs
(TDT, with places LOC and times DTM), then travellers (NAD), each with attributes and travel documents (DOC). Codes
stay as sent; dates are ISO 8601 on the clock of the place they are told for, without a zone.

The flight of a row is the leg that arrives at the first port of the receiving country (LOC 87), else the one that
leaves from the last port before it (LOC 125), else the last leg (`paxlst_legs`). Of several documents
the first passport comes first, else the first identity document that is no visa; the others are in `other_documents`.

`document_name` says what the list is of (UN code list 1001: 745 passengers, 250 crew, 266 a flight's close-out), and
`document_identifier` to what end, where it is told: XR cancels and CP changes what was told before, CLOB and CLNB are
who was on board at close-out and who was not.

`bag_tags` are parted by blanks; one that stands for several in a row has their number behind a colon (`2660009:2`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from warehouse.readers import edifact_table
from warehouse.readers.edifact import Message, Refused
from warehouse.readers.edifact_segment import Segment, Total
from warehouse.readers.edifact_table import STRICT, Layout, Row
from warehouse.readers.edifact_values import alpha_3, birth_day, day
from warehouse.readers.paxlst_legs import flight, legs_of
from warehouse.readers.port import Chunk

COLUMNS = (
    "document_name",
    "document_identifier",
    "message_function",
    "transaction_reference",
    "traveller_number",
    "role_code",
    "surname",
    "given_names",
    "sex",
    "birth_date",
    "nationality",
    "residence",
    "birth_place",
    "embarked_at",
    "debarks_at",
    "record_locator",
    "passenger_reference",
    "seat",
    "bags",
    "bag_mass",
    "bag_tags",
    "document_type",
    "document_number",
    "issuing_state",
    "document_expires",
    "other_documents",
    "carrier",
    "flight_number",
    "departed_from",
    "departure_at",
    "departure_precision",
    "arrives_at",
    "arrival_at",
    "arrival_precision",
    "legs",
)

# UN code list 3035: passenger, crew member, crew member and passenger in transit.
_TRAVELLERS = frozenset(("FL", "FM", "DDT", "DDU"))
_CREW = frozenset(("FM", "DDT"))
_COUNTED = {"41": "crew", "42": "passengers"}
_REPORTER = "MS"
_OLD_LAYOUT = (
    "it tells travellers by PDT, the layout of US customs before that of the guidelines; ask for D.02B or later"
)
# Tag and qualifier of what is told of a person (places: UN code list 3227, references: 1153) and of a document.
_OF_PERSON = {
    ("ATT", "2"): "sex",
    ("DTM", "329"): "birth_date",
    ("NAT", "2"): "nationality",
    ("LOC", "174"): "residence",
    ("LOC", "178"): "embarked_at",
    ("LOC", "179"): "debarks_at",
    ("LOC", "180"): "birth_place",
    ("RFF", "AVF"): "record_locator",
    ("RFF", "ABO"): "passenger_reference",
    ("RFF", "SEA"): "seat",
    ("MEA", "CT"): "bags",
    ("MEA", "WT"): "bag_mass",
    ("FTX", "BAG"): "bag_tags",
}
_SEVERAL = frozenset(("bag_tags",))
"""Told in as many segments as there are of it."""
_OF_DOCUMENT = frozenset((("LOC", "91"), ("DTM", "36")))
_PARTS_OF_NAME = 5  # The sixth component of a name tells how it is written.
_REGIONS = "163"  # UN code list 1131: parts of a country, whose codes may be those of other countries.


def read(path: Path, columns: frozenset[str] = frozenset(), *, control: str = STRICT) -> Iterator[Chunk]:
    """Travellers of a file's messages, with `COLUMNS` and those of `edifact_table.HEADER`, all as text.

    `source_line` is the number of the traveller's NAD segment in the file (see `edifact`); what is refused has that
    of its first segment. Control "lenient" lets pass trailers that contradict. Raises `FileRefused` when the file
    is empty or no interchange.
    """
    return edifact_table.read(LAYOUT, path, columns, control)


def _rows(message: Message, header: Mapping[str, str]) -> Iterator[Row | Refused]:
    at = _travellers_at(message.segments)
    if not at and any(segment.tag == "PDT" for segment in message.segments):
        yield message.refused_whole("paxlst-layout", _OLD_LAYOUT)
        return
    head = message.segments[: at[0]] if at else message.segments
    shared = {**header, **_about(head), **flight(legs_of(head))}
    # Told before travel: nobody is born after the message was made.
    told_on = header["prepared_at"] or shared["departure_at"]
    for number, (first, end) in enumerate(pairwise([*at, len(message.segments)]), start=1):
        segments = message.segments[first:end]
        values = _traveller(segments, told_on)
        yield Row(segments[0].number, {"traveller_number": str(number), **values}, shared)


def _travellers_at(segments: Sequence[Segment]) -> list[int]:
    """Where travellers begin: at a NAD of their functions, and behind the legs at any other but the reporter's.

    The code of such another is for the dialect to refuse.
    """
    found: list[int] = []
    has_legs = False
    for index, segment in enumerate(segments):
        has_legs |= segment.tag == "TDT"
        if segment.tag == "NAD":
            function = segment.value(1)
            if function in _TRAVELLERS or (has_legs and function != _REPORTER):
                found.append(index)
    return found


def _totals(segments: Sequence[Segment]) -> Iterator[Total]:
    """CNT of passengers (42) and of crew (41), UN code list 6069; the only one of a mixed list may be of both."""
    roles = [segments[index].value(1) for index in _travellers_at(segments)]
    crew = sum(role in _CREW for role in roles)
    told = {one.value(1): one for one in segments if one.tag == "CNT" and one.value(1) in _COUNTED}
    for kind, segment in told.items():
        count = segment.value(1, 1) or segment.value(2)  # Some write + for the colon.
        found = crew if kind == "41" else len(roles) - crew
        is_of_both = len(told) == 1 and count.lstrip("0") == str(len(roles))
        yield Total(segment, count, len(roles) if is_of_both else found, _COUNTED[kind])


def _about(head: Sequence[Segment]) -> dict[str, str]:
    told: dict[str, str] = {}
    for segment in head:
        if segment.tag == "BGM":
            columns = ("document_name", "document_identifier", "message_function")
            told |= {column: segment.value(element) for element, column in enumerate(columns, start=1)}
        elif segment.tag == "RFF" and segment.value(1) == "TN":
            told["transaction_reference"] = segment.value(1, 1)
    return told


def _traveller(segments: Sequence[Segment], told_on: str) -> dict[str, str]:
    nad = segments[0]
    names = [name.strip() for name in nad.composite(4)[:_PARTS_OF_NAME]]
    values = {
        "role_code": nad.value(1),
        "surname": names[0] if names else "",
        "given_names": " ".join(name for name in names[1:] if name),
    }
    documents: list[dict[str, str]] = []
    for segment in segments[1:]:
        tag, code = segment.tag, segment.value(1)
        if tag == "DOC":
            documents.append({"document_type": code, "document_number": segment.value(2)})
        elif documents and (tag, code) in _OF_DOCUMENT:
            _of_document(documents[-1], segment)
        elif column := _OF_PERSON.get((tag, code)):
            told = _told(column, segment, told_on)
            if column in _SEVERAL and column in values:
                values[column] += f" {told}"
            else:
                values.setdefault(column, told)
    ranked = sorted(documents, key=_rank)
    if ranked:
        values |= ranked[0]
    if ranked[1:]:
        values["other_documents"] = json.dumps(ranked[1:])
    return values


def _told(column: str, segment: Segment, told_on: str) -> str:
    """The value of a column in the segment that tells it."""
    match column:
        case "sex":
            return segment.value(3)
        case "birth_date":
            return birth_day(segment.value(1, 1), told_on, segment.value(1, 2))
        case "nationality":
            return alpha_3(segment.value(2))
        case "birth_place":
            place = (segment.value(2), segment.value(2, 3), segment.value(3, 3), segment.value(4, 3))
            return ", ".join(part for part in place if part)
        case "record_locator" | "passenger_reference" | "seat":
            return segment.value(1, 1)
        case "bags":
            return segment.value(3, 1) or segment.value(3)  # A count has no unit; some leave out its separator, too.
        case "bag_mass":
            return " ".join(part for part in (segment.value(3, 1), segment.value(3)) if part)
        case "bag_tags":
            return ":".join(part.strip() for part in segment.composite(4))
        case _:
            return segment.value(2)


def _of_document(document: dict[str, str], segment: Segment) -> None:
    if segment.tag == "LOC" and segment.value(2, 1) == _REGIONS:
        return
    if segment.tag == "LOC":
        document.setdefault("issuing_state", alpha_3(segment.value(2)))
    else:
        document.setdefault("document_expires", day(segment.value(1, 1), segment.value(1, 2)))


def _rank(document: dict[str, str]) -> int:
    """Passports, then other papers that say who one is, then visas and licences."""
    kind = document["document_type"][:1]
    return 0 if kind == "P" else 2 if kind in ("V", "L") else 1


WORDING = edifact_table.wording(
    {
        "document_name": "BGM document name",
        "document_identifier": "BGM document identifier",
        "message_function": "BGM message function",
        "transaction_reference": "RFF+TN",
        "traveller_number": "place among the travellers' NAD",
        "role_code": "NAD function",
        "surname": "NAD surname",
        "given_names": "NAD given names",
        **{column: f"{tag}+{code}" for (tag, code), column in _OF_PERSON.items()},
        "document_type": "DOC type",
        "document_number": "DOC number",
        "issuing_state": "LOC+91",
        "document_expires": "DTM+36",
        "carrier": "TDT carrier",
        "flight_number": "TDT number",
        "departed_from": "LOC+125",
        "departure_at": "DTM+189",
        "arrives_at": "LOC+87",
        "arrival_at": "DTM+232",
    },
    "YYMMDD, or CCYYMMDD with the code 102; with a time YYMMDDHHMM, with the code 201",
)
LAYOUT = Layout("PAXLST", COLUMNS, _travellers_at, _rows, "traveller", _totals)

"""CUSCAR, cargo reports of carriers: a row a consignment of a vessel's call.

The message is UN/EDIFACT's customs cargo report (D.95B and later): the voyage (TDT, LOC, DTM), then consignments
(CNI) with their parties (NAD), goods (GID, FTX, MEA) and containers (EQD, SGP). Packages and masses of a consignment
are those that it declares for itself, else the sums of its goods. Masses are in kilograms as decimal text, dates in
ISO 8601 without a zone, codes as sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

from warehouse.readers import edifact_table
from warehouse.readers.edifact import Message, Refused
from warehouse.readers.edifact_segment import Segment, Total
from warehouse.readers.edifact_table import STRICT, Layout, Row
from warehouse.readers.edifact_values import moment, precision
from warehouse.readers.port import Chunk

COLUMNS = (
    "document_name",
    "message_function",
    "manifest_id",
    "documented_at",
    "voyage_number",
    "transport_mode",
    "carrier_id",
    "carrier_name",
    "vessel_id",
    "vessel_name",
    "arrival_port",
    "arrival_at",
    "arrival_precision",
    "consignment_number",
    "consignment_id",
    "discharge_port",
    "loading_place",
    "country_of_dispatch",
    "consignor_id",
    "consignor_name",
    "consignee_id",
    "consignee_name",
    "notify_id",
    "packages",
    "package_type",
    "gross_mass_kg",
    "goods_description",
    "hs_code",
    "containers",
)

# UN code list 3227 (places), 2005 (times; estimated arrival first), 3035 (parties), 6411 (units of mass).
_ARRIVAL_PORTS, _DISCHARGE, _LOADING, _DISPATCH = ("60", "11", "7"), ("11", "8"), ("9",), ("35", "9")
_ARRIVALS = ("132", "178", "232")
_PARTIES = {"CZ": "consignor", "CN": "consignee", "NI": "notify"}
_KILOGRAMS = {"KGM": Decimal(1), "TNE": Decimal(1000), "GRM": Decimal("0.001"), "LBR": Decimal("0.45359237")}
_GROSS = frozenset(("G", "AAD", "AAB", "AAE", ""))
_COUNTRIES_LIST = "162"
_CONSIGNMENTS = "10"  # UN code list 6069.


def read(path: Path, columns: frozenset[str] = frozenset(), *, control: str = STRICT) -> Iterator[Chunk]:
    """Consignments of a file's messages, with `COLUMNS` and those of `edifact_table.HEADER`, all as text.

    `source_line` is the number of the consignment's CNI segment in the file (see `edifact`). Control "lenient" lets
    pass trailers that contradict. Raises `FileRefused` when the file is empty or no interchange.
    """
    return edifact_table.read(LAYOUT, path, columns, control)


def _rows(message: Message, header: Mapping[str, str]) -> Iterator[Row | Refused]:
    segments = message.segments
    at = _consignments_at(segments)
    shared = {**header, **_voyage(segments[: at[0]] if at else segments)}
    for first, end in pairwise([*at, len(segments)]):
        own = segments[first:end]
        yield Row(own[0].number, _consignment(own, shared["arrival_port"]), shared)


def _consignments_at(segments: Sequence[Segment]) -> list[int]:
    return [index for index, segment in enumerate(segments) if segment.tag == "CNI"]


def _totals(segments: Sequence[Segment]) -> Iterator[Total]:
    """CNT of consignments; its others count packages and masses."""
    found = len(_consignments_at(segments))
    told = (one for one in segments if one.tag == "CNT" and one.value(1) == _CONSIGNMENTS)
    yield from (Total(one, one.value(1, 1), found, "consignments") for one in told)


def _voyage(head: Sequence[Segment]) -> dict[str, str]:
    told: dict[str, str] = {}
    times: dict[str, str] = {}
    for segment in head:
        match segment.tag:
            case "BGM":
                told |= {
                    "document_name": segment.value(1),
                    "manifest_id": segment.value(2),
                    "message_function": segment.value(3),
                }
            case "DTM":
                times.setdefault(segment.value(1), moment(segment.value(1, 1), segment.value(1, 2)))
            case "TDT" if "voyage_number" not in told:
                told |= {
                    "voyage_number": segment.value(2),
                    "transport_mode": segment.value(3),
                    "carrier_id": segment.value(5),
                    "carrier_name": segment.value(5, 3),
                    "vessel_id": segment.value(8),
                    "vessel_name": segment.value(8, 3),
                }
    arrival = next((times[kind] for kind in _ARRIVALS if kind in times), "")
    return told | {
        "arrival_port": _place(_places(head), _ARRIVAL_PORTS),
        "arrival_at": arrival,
        "arrival_precision": precision(arrival),
        "documented_at": times.get("137", ""),
    }


def _consignment(segments: Sequence[Segment], arrival_port: str) -> dict[str, str]:
    cni = segments[0]
    first = next((at for at, segment in enumerate(segments) if segment.tag == "GID"), len(segments))
    own, items = segments[:first], segments[first:]
    references = {segment.value(1): segment.value(1, 1) for segment in segments if segment.tag == "RFF"}
    gids = [segment for segment in items if segment.tag == "GID"]
    places = _places(segments)
    return {
        "consignment_number": cni.value(1),
        "consignment_id": cni.value(2) or references.get("BM", "") or references.get("MB", ""),
        "discharge_port": _place(places, _DISCHARGE) or arrival_port,
        "loading_place": _place(places, _LOADING),
        "country_of_dispatch": _country(places),
        **_parties(segments),
        "packages": _count(own) or _sum([segment.value(2) for segment in gids]),
        "package_type": " ".join(dict.fromkeys(kind for one in gids if (kind := one.value(2, 1)))),
        "gross_mass_kg": _mass(own) or _mass(items),
        "goods_description": "; ".join(dict.fromkeys(_descriptions(segments))),
        "hs_code": " ".join(dict.fromkeys(_codes(segments))),
        "containers": " ".join(dict.fromkeys(_containers(segments))),
    }


def _places(segments: Sequence[Segment]) -> dict[str, Segment]:
    """Places by what they are; of several of a kind the last."""
    return {segment.value(1): segment for segment in segments if segment.tag == "LOC"}


def _place(places: Mapping[str, Segment], kinds: Sequence[str]) -> str:
    """The place told under the first of `kinds` that is told."""
    return next((place.value(2) for kind in kinds if (place := places.get(kind))), "")


def _country(places: Mapping[str, Segment]) -> str:
    """Alpha-2: a country told as such, or the first letters of a port's UN/LOCODE."""
    place = next((places[kind] for kind in _DISPATCH if kind in places), None)
    if place is None:
        return ""
    code = place.value(2)
    is_port = len(code) == 5 and place.value(2, 1) != _COUNTRIES_LIST
    return code[:2] if is_port else code


def _parties(segments: Sequence[Segment]) -> dict[str, str]:
    told: dict[str, str] = {}
    for segment in segments:
        if segment.tag == "NAD" and (party := _PARTIES.get(segment.value(1))):
            name = " ".join(part.strip() for part in segment.composite(4) or segment.composite(3))
            told.setdefault(f"{party}_id", segment.value(2))
            told.setdefault(f"{party}_name", name.strip())
    told.pop("notify_name", None)
    return told


def _count(segments: Sequence[Segment]) -> str:
    """Packages that the consignment declares for itself (CNT 11)."""
    return next((one.value(1, 1) for one in segments if one.tag == "CNT" and one.value(1) == "11"), "")


def _mass(segments: Sequence[Segment]) -> str:
    """The gross mass in kilograms; text that is no number, or of no known unit, as it was sent."""
    total: Decimal | None = None
    for segment in segments:
        if segment.tag != "MEA" or segment.value(1) not in ("WT", "AAE") or segment.value(2) not in _GROSS:
            continue
        unit, text = segment.value(3), segment.value(3, 1)
        try:
            # An overlong exponent would make a text of a million digits.
            mass = Decimal(text) * _KILOGRAMS[unit] if len(text) <= 18 and "E" not in text.upper() else None
        except (InvalidOperation, KeyError):
            mass = None
        if mass is None or not mass.is_finite():
            return f"{text} {unit}"
        total = mass if total is None else total + mass
    return "" if total is None else f"{total:f}"


def _sum(texts: Sequence[str]) -> str:
    """The sum of whole numbers; the first text that is none, as it was sent."""
    told = [text for text in texts if text]
    wrong = next((text for text in told if not (text.isascii() and text.isdigit()) or len(text) > 9), None)
    return wrong if wrong is not None else str(sum(map(int, told))) if told else ""


def _descriptions(segments: Sequence[Segment]) -> Iterator[str]:
    for segment in segments:
        if segment.tag == "FTX" and segment.value(1) == "AAA":
            text = " ".join(part.strip() for part in segment.composite(4)).strip()
            if text:
                yield text


def _codes(segments: Sequence[Segment]) -> Iterator[str]:
    """Codes of the Harmonized System: PIA and CST say which list a code is of."""
    for segment in segments:
        is_code = segment.tag == "CST" or (segment.tag == "PIA" and segment.value(2, 1) == "HS")
        if is_code and segment.value(2):
            yield segment.value(2)


def _containers(segments: Sequence[Segment]) -> Iterator[str]:
    for segment in segments:
        number = segment.value(2) if segment.tag == "EQD" else segment.value(1) if segment.tag == "SGP" else ""
        if number:
            yield number


WORDING = edifact_table.wording(
    {
        "document_name": "BGM document name",
        "message_function": "BGM message function",
        "manifest_id": "BGM document identifier",
        "documented_at": "DTM+137",
        "voyage_number": "TDT voyage",
        "transport_mode": "TDT mode",
        "carrier_id": "TDT carrier",
        "carrier_name": "TDT carrier's name",
        "vessel_id": "TDT means of transport",
        "vessel_name": "TDT vessel's name",
        "arrival_port": "LOC+60",
        "arrival_at": "DTM+132",
        "consignment_number": "CNI number",
        "consignment_id": "CNI document or RFF+BM",
        "discharge_port": "LOC+11",
        "loading_place": "LOC+9",
        "country_of_dispatch": "LOC+35 or LOC+9",
        "consignor_id": "NAD+CZ",
        "consignor_name": "NAD+CZ name",
        "consignee_id": "NAD+CN",
        "consignee_name": "NAD+CN name",
        "notify_id": "NAD+NI",
        "packages": "CNT+11 or GID",
        "package_type": "GID type",
        "gross_mass_kg": "MEA+WT or MEA+AAE",
        "goods_description": "FTX+AAA",
        "hs_code": "PIA or CST",
        "containers": "EQD or SGP",
    },
    "YYMMDD, or CCYYMMDD with the code 102; with a time YYMMDDHHMM, with the code 201",
)
LAYOUT = Layout("CUSCAR", COLUMNS, _consignments_at, _rows, "consignment", _totals)

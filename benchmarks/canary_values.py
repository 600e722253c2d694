"""Canaries: one invented person and firm whose every value is like no other, and extracts that carry them.

One sound record beside one that is refused, in every format, and files that fail as a whole. Nothing of ours is read.
"""

import gzip
import hashlib
import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from simulation.formats.edifact import Segment, interchange, message

_LETTERS = "BCDFGHKLMNPQRSTVWXZ"
_SIDECAR = ".manifest.json"
DAY = date(2025, 3, 3)


@dataclass(frozen=True)
class Canary:
    """Values that stand nowhere unless somebody put them there."""

    surname: str
    given_names: str
    born: date
    document: str
    plate: str
    locator: str
    phone: str
    importer: str
    firm: str
    officer: str

    def forms(self) -> dict[str, tuple[str, ...]]:
        """Each value in the forms in which it may turn up."""
        days = tuple(f"{self.born:{form}}" for form in ("%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%d.%m.%Y", "%d%b%y"))
        return {
            "surname": (self.surname,),
            "given_names": (self.given_names,),
            "born": (*days, days[-1].upper()),
            "document": (self.document,),
            "plate": (self.plate, self.plate.replace(" ", "").replace("-", "")),
            "locator": (self.locator,),
            "phone": (self.phone, self.phone.replace(" ", "")),
            "importer": (self.importer,),
            "firm": (self.firm, self.firm.upper().replace(" ", "")),
            "officer": (self.officer, self.officer.replace("-", "")),
        }

    def subjects(self) -> list[str]:
        """What a data protection officer would give to `borderlake erase`."""
        return [
            f"document:{self.document}",
            f"person:{self.surname}/{self.given_names}/{self.born}",
            f"vehicle:{self.plate}",
            f"organisation:{self.importer}",
            f"officer:{self.officer}",
            *(f"text:{one}" for one in (self.surname, self.given_names, self.locator, self.phone, self.firm)),
        ]


def canary(seed: int) -> Canary:
    """The canary of a seed."""
    draw = random.Random(f"canary/{seed}")

    def word(length: int) -> str:
        return "".join(draw.choice(_LETTERS) for _ in range(length))

    return Canary(
        surname=f"Q{word(9)}",
        given_names=f"J{word(7)}",
        born=date(1931, 1, 1) + timedelta(days=draw.randrange(9_000)),
        document=f"X{draw.randrange(10**8, 10**9)}",
        plate=f"{word(3)} {draw.randrange(1000, 9999)}-{word(3)}",
        locator=f"{word(3)}{draw.randrange(100, 999)}{word(1)}",
        phone=f"+999 {draw.randrange(10**7, 10**8)}",
        importer=f"XN{draw.randrange(10**8, 10**9)}",
        firm=f"{word(7).title()} & {word(6).title()}",
        officer=f"XN-{word(8)}",
    )


def crossing(one: Canary, number: str, **changed: object) -> dict[str, object]:
    """A crossing as Norvale's immigration writes it, with a column that no contract knows."""
    return {
        "crossing_id": number,
        "crossed_at": "2025-03-03T10:15:00+01:00",
        "recorded_at": "2025-03-03T10:16:00+01:00",
        "port": "XNROAD1",
        "lane": "2",
        "direction": "entry",
        "mode": "land",
        "document_type": "P",
        "document_number": one.document,
        "issuing_state": "DEU",
        "nationality": "DEU",
        "surname": one.surname,
        "given_names": one.given_names,
        "birth_date": one.born.isoformat(),
        "sex": "F",
        "residence": "DEU",
        "visa_category": "",
        "purpose": "pleasure",
        "vehicle_plate": one.plate,
        "carrier": "",
        "flight_number": "",
        "party_size": "2",
        "admitted_until": "2025-06-01",
        "phone": one.phone,
    } | changed


def declaration(one: Canary, number: str, **changed: object) -> dict[str, object]:
    """A goods item as Norvale's customs writes it."""
    return {
        "DECL_NO": number,
        "ITEM_NO": "1",
        "LODGED": "03.03.2025 10:15:00",
        "OFFICE": "XNRDA",
        "PROCEDURE": "4000",
        "MODE": "3",
        "CONSIGNMENT": f"C{number}",
        "CONVEYANCE": one.plate,
        "IMPORTER": one.importer,
        "IMPORTER_NAME": one.firm,
        "TRADER_STATUS": "AEO",
        "DECLARANT": "XN200",
        "SELLER": "S1",
        "CARRIER": "T1",
        "HS": "870899",
        "ORIGIN": "DE",
        "DISPATCH": "DE",
        "DUTY_PCT": "4,5",
        "NET_KG": "120,5",
        "GROSS_KG": "130",
        "PACKAGES": "3",
        "VALUE": "1000,25",
        "CURRENCY": "EUR",
        "DESCRIPTION": "parts of vehicles",
        "AMENDED": "",
    } | changed


def csv(records: Sequence[Mapping[str, object]], mark: str = ",") -> bytes:
    """Records as delimited text."""
    lines = [mark.join(records[0]), *(mark.join(map(str, one.values())) for one in records)]
    return ("\n".join(lines) + "\n").encode("iso-8859-1")


def outcomes(one: Canary, tag: str) -> bytes:
    """A sound outcome, one of an unknown result, and a line that is no JSON."""
    told = {
        "examinedAt": "2025-03-03T10:30:00+01:00",
        "reportedAt": "2025-03-05T10:30:00+01:00",
        "crossingId": f"K{tag}",
        "selection": "rule",
        "selectionProbability": None,
        "result": "adverse",
        "finding": "document_fraud",
        "officer": one.officer,
    }
    broken = json.dumps(told)[:-9]
    return "".join(
        f"{line}\n" for line in (json.dumps(told), json.dumps(told | {"result": one.surname}), broken)
    ).encode()


def sightings(one: Canary, tag: str) -> bytes:
    """Parquet: a sound reading, and one whose latitude is none."""
    seen = pl.DataFrame(
        {
            "sighting_id": [f"S{tag}1", f"S{tag}2"],
            "seen_at": ["2025-03-03T09:00:00Z", "2025-03-03T09:05:00Z"],
            "received_at": ["2025-03-03T09:01:00Z", "2025-03-03T09:06:00Z"],
            "camera_id": ["C1", "C1"],
            "site": ["XNRDA", "XNRDA"],
            "plate": [one.plate, one.plate],
            "plate_country": ["DE", "DE"],
            "confidence": [0.9, 0.9],
            "latitude": [36.0, 136.0],
            "longitude": [17.0, 17.0],
            "heading_deg": [90.0, 90.0],
        }
    ).with_columns(pl.col("seen_at", "received_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"))
    out = io.BytesIO()
    seen.write_parquet(out)
    return out.getvalue()


def paxlst(one: Canary, tag: str) -> bytes:
    """A traveller, and the same once more with a day of birth that is none."""
    body: list[Segment] = [
        ("BGM", "745"),
        ("NAD", "MS", "", "", "NV OPERATIONS"),
        ("TDT", "20", "NV100"),
        ("LOC", "125", "VIE"),
        ("DTM", ("189", "2503030900", "201")),
        ("LOC", "87", "NVA"),
        ("DTM", ("232", "2503031100", "201")),
    ]
    for born in (f"{one.born:%y%m%d}", "991399"):
        body += [
            ("NAD", "FL", "", "", (one.surname, one.given_names)),
            ("ATT", "2", "", "F"),
            ("DTM", ("329", born)),
            ("LOC", "178", "VIE"),
            ("LOC", "179", "NVA"),
            ("NAT", "2", "DEU"),
            ("RFF", ("AVF", one.locator)),
            ("DOC", ("P", "110", "111"), one.document),
            ("LOC", "91", "DEU"),
        ]
    body.append(("CNT", ("42", "2")))
    return _interchange(tag, [message(1, ("PAXLST", "D", "02B", "UN", "IATA"), body)], ("UNOA", "4"))


def pnrgov(one: Canary, tag: str, sex: str = "F") -> bytes:
    """A booking with its document, and one without a flight."""
    times = ("030325", "0900", "030325", "1100")
    papers = f"/P/DEU/{one.document}/DEU/{one.born:%d%b%y}/{sex}//{one.surname}/{one.given_names}".upper()
    body: list[Segment] = [
        ("MSG", ("", "22")),
        ("ORG", ("NV", "VIE")),
        ("TVL", times, "VIE", "NVA", "NV", "100"),
        ("EQN", "2"),
    ]
    for leg in (times, ("991399", "0900", "991399", "1100")):
        body += [
            ("SRC",),
            ("RCI", ("NV", one.locator, "", "010225", "1200")),
            ("DAT", ("710", "010225", "1200")),
            ("ORG", ("NV", "VIE")),
            ("TIF", one.surname, (one.given_names, "A", "1")),
            ("SSR", ("DOCS", "HK", "1", "NV", "", "", "", "", papers)),
            ("SSR", ("CTCM", "HK", "1", "NV", "", "", "", "", one.phone.replace("+", ""))),
            ("TVL", leg, "VIE", "NVA", "NV", "100"),
        ]
    return _interchange(tag, [message(1, ("PNRGOV", "13", "1", "IA"), body)], ("IATA", "1"))


def cuscar(one: Canary, tag: str) -> bytes:
    """A consignment, and one of a country that is none."""
    body: list[Segment] = [
        ("BGM", "785", f"M{tag}", "9"),
        ("DTM", ("137", "202503030900", "203")),
        ("TDT", "20", "V1", "1", "", ("T1", "172", "20"), "", "", ("9074729", "146", "11", "NORTH")),
        ("LOC", "60", ("XNPRT", "139", "6")),
        ("DTM", ("132", "202503031100", "203")),
    ]
    for number, (country, packages) in enumerate((("DE", "3"), ("??", "many")), 1):
        body += [
            ("CNI", str(number), f"T{tag}{number}"),
            ("LOC", "9", (country, "162", "5")),
            ("NAD", "CZ", "S1"),
            ("NAD", "CN", one.importer),
            ("GID", "1", (packages, "PK")),
            ("FTX", "AAA", "", "", "parts of vehicles"),
            ("MEA", "WT", "G", ("KGM", "12.000")),
        ]
    return _interchange(tag, [message(1, ("CUSCAR", "D", "95B", "UN"), body)], ("UNOA", "2"))


def _interchange(tag: str, messages: Sequence[Sequence[Segment]], syntax: tuple[str, str]) -> bytes:
    return interchange(syntax, "NVAPIS", "XNIMM", datetime(2025, 3, 3, 6), f"R{tag}", messages)


def crossings(one: Canary, tag: str) -> bytes:
    """A sound crossing, one of an unknown direction, one without a day of birth that exists, and a cut line."""
    rows = [
        crossing(one, f"K{tag}"),
        crossing(one, f"L{tag}", direction="sideways"),
        crossing(one, f"M{tag}", birth_date=one.surname),
    ]
    return csv(rows) + f"N{tag},{one.surname},{one.document},{one.phone}\n".encode()


def declarations(one: Canary, tag: str) -> bytes:
    """A sound goods item, and one whose mass is a name."""
    return csv([declaration(one, f"D{tag}"), declaration(one, f"E{tag}", NET_KG=one.firm)], ";")


FORMATS = {
    "crossings csv": ("immigration/crossings", "crossings.csv", crossings),
    "declarations csv": ("customs/declarations", "declarations.csv", declarations),
    "outcomes ndjson": ("immigration/outcomes", "outcomes.ndjson", outcomes),
    "sightings parquet": ("surveillance/vehicle_sightings", "sightings.parquet", sightings),
    "paxlst": ("immigration/api_messages", "flights.edi", paxlst),
    "pnrgov": ("immigration/pnr_messages", "bookings.edi", pnrgov),
    "cuscar": ("customs/manifests", "calls.edi", cuscar),
}
"""Format -> folder of the inbox, file, and what it holds."""


def damaged(one: Canary) -> Iterator[tuple[str, str, str, bytes, dict[str, object] | None]]:
    """Files that fail as a whole: what is wrong, folder, name, content, sidecar."""
    folder = "immigration/crossings"
    whole = csv([crossing(one, f"W{at}") for at in range(4)])
    sent = {"rows": 4, "sha256": hashlib.sha256(whole).hexdigest(), "extracted_at": "2025-03-03T12:00:00+00:00"}
    yield "cut file", folder, "cut.csv", whole[: int(len(whole) * 0.8)], sent
    yield "cut gzip", folder, "cut.csv.gz", gzip.compress(whole + b"x" * 99_000)[:400], None
    yield "wrong header", folder, "header.csv", whole.replace(b"surname", b"surnom", 1), None
    yield "header of a record", folder, "headless.csv", whole.split(b"\n", 1)[1], None
    yield "count against the sidecar", folder, "count.csv", whole + b"\n", {"rows": 17}
    yield (
        "bad encoding",
        folder,
        "encoding.csv",
        whole.replace(one.given_names.encode(), one.given_names.encode() + b"\xff\xc3", 2),
        None,
    )
    yield "another encoding", folder, "utf16.csv", whole.decode().encode("utf-16"), None
    yield "no sidecar", folder, "sidecar.csv", whole.replace(b"W0", b"W9"), {"rows": one.surname}
    yield (
        "quote left open",
        folder,
        "quote.csv",
        whole.replace(one.surname.encode(), b'"' + one.surname.encode(), 1),
        None,
    )
    yield "bad trailer", "immigration/api_messages", "trailer.edi", paxlst(one, "7").replace(b"UNT+", b"UNT+9"), None
    yield "cut message", "immigration/pnr_messages", "cut.edi", pnrgov(one, "8")[:-160], None
    yield "broken parquet", "surveillance/vehicle_sightings", "broken.parquet", sightings(one, "9")[:-30], None
    yield "no JSON", "immigration/outcomes", "broken.ndjson", b"[" + outcomes(one, "9"), None


def deliver(inbox: Path, folder: str, name: str, content: bytes, sidecar: Mapping[str, object] | None = None) -> Path:
    """Put a file where its agency drops it."""
    path = inbox / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if sidecar is not None:
        path.with_name(path.name + _SIDECAR).write_text(json.dumps(sidecar))
    path.write_bytes(content)
    return path

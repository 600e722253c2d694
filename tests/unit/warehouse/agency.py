"""A small agency for the tests: records with sound values, files in Norvale's own dialect, and their landing."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path

from warehouse.delivery import Delivery, delivery, sidecar_of
from warehouse.delta import Lake
from warehouse.dialect import Dialect, parse
from warehouse.landing import land
from warehouse.ledger import Account

DAY = date(2025, 3, 3)
AT = datetime(2025, 3, 3, 20, tzinfo=UTC)
DOMAINS = {
    "declarations": "customs",
    "inspections": "customs",
    "withdrawals": "customs",
    "crossings": "immigration",
    "outcomes": "immigration",
    "vehicle_sightings": "surveillance",
    "detections": "surveillance",
}
NORVALE = resources.files("warehouse").joinpath("dialects").joinpath("norvale.toml").read_text("utf-8")

DECLARATION = {
    "DECL_NO": "25XN1",
    "ITEM_NO": "1",
    "LODGED": "03.03.2025 10:15:00",
    "OFFICE": "XN0001",
    "PROCEDURE": "4000",
    "MODE": "3",
    "CONSIGNMENT": "C1",
    "CONVEYANCE": "KX 12-AB",
    "IMPORTER": "XN100",
    "IMPORTER_NAME": "Zoë Trading",
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
}
CROSSING = {
    "crossing_id": "K1",
    "crossed_at": "2025-03-03T10:15:00+01:00",
    "recorded_at": "2025-03-03T10:16:00+01:00",
    "port": "XNROAD1",
    "lane": "2",
    "direction": "entry",
    "mode": "land",
    "document_type": "P",
    "document_number": "P1234567",
    "issuing_state": "DEU",
    "nationality": "DEU",
    "surname": "MUSTERMANN",
    "given_names": "ERIKA",
    "birth_date": "1983-08-12",
    "sex": "F",
    "residence": "DEU",
    "visa_category": "",
    "purpose": "pleasure",
    "vehicle_plate": "KX 12-AB",
    "carrier": "",
    "flight_number": "",
    "party_size": "2",
    "admitted_until": "2025-06-01",
}
INSPECTION = {
    "inspectedAt": "2025-03-04T09:00:00+01:00",
    "reportedAt": "2025-03-10T09:00:00+01:00",
    "declarationNumber": "25XN1",
    "itemNumber": 1,
    "selection": "random",
    "selectionProbability": 0.02,
    "result": "irregular",
    "infringement": "undervaluation",
    "additionalDuty": 120.5,
    "currency": "EUR",
    "officer": "XN-OFFICER-7",
}
WITHDRAWAL = {"DECL_NO": "25XN1", "ITEM_NO": "1", "WITHDRAWN": "03.03.2025 14:00:00"}
DETECTION = {
    "id": "D1",
    "sensor": "CAM-XNR03",
    "sensorType": "camera",
    "observedAt": "2025-03-03T02:10:00+01:00",
    "position": {"lat": 36.01, "lon": 17.69},
    "classification": "person",
    "confidence": 0.8,
    "speedKnots": 1.5,
}
OUTCOME = {
    "examinedAt": "2025-03-03T10:30:00+01:00",
    "reportedAt": "2025-03-05T10:30:00+01:00",
    "crossingId": "K1",
    "selection": "rule",
    "selectionProbability": None,
    "result": "adverse",
    "finding": "document_fraud",
    "officer": "XN-OFFICER-9",
}


def norvale(version: int = 1, changes: Mapping[str, str] | None = None) -> Dialect:
    """Norvale's dialect in a version, with texts of it changed."""
    text = re.sub(r"version = \d+", f"version = {version}", NORVALE, count=1)
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    return parse(text, "norvale.toml")


def write(path: Path, records: Iterable[Mapping[str, object]]) -> Path:
    """Records as Norvale writes the dataset that the file is named after: `declarations-1.csv`."""
    dataset = path.name.split("-")[0]
    records = list(records)
    if dataset in ("inspections", "outcomes", "detections"):
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        mark = ";" if DOMAINS[dataset] == "customs" else ","
        lines = [mark.join(records[0]), *(mark.join(str(value) for value in record.values()) for record in records)]
        path.write_text("\n".join(lines) + "\n", encoding="iso-8859-1" if mark == ";" else "utf-8")
    return path


def declare(path: Path, **declared: object) -> None:
    """The sidecar of a file."""
    sidecar_of(path).write_text(json.dumps(declared))


def deliver(path: Path, dialect: Dialect | None = None, on: date = DAY, jurisdiction: str = "XN") -> Delivery:
    """The delivery of a file that is named after its dataset."""
    dataset = path.name.split("-")[0].split(".")[0]
    return delivery(
        path,
        agency=DOMAINS[dataset],
        domain=DOMAINS[dataset],
        dataset=dataset,
        jurisdiction=jurisdiction,
        dialect=dialect or norvale(),
        arrived_on=on,
    )


def landed(lake: Lake, *deliveries: Delivery, at: datetime = AT) -> list[Account]:
    """Land deliveries and return their accounts."""
    return [account for group in land(lake, deliveries, at) for account in group]

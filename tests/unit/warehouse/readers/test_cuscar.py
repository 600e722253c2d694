"""Cargo reports: consignments of a vessel's call as rows."""

from pathlib import Path

import pytest
from interchanges import fuzz, interchange, message, read_with

from warehouse.readers import cuscar
from warehouse.readers.edifact_table import HEADER

VOYAGE = (
    "BGM+785+M1+9",
    "DTM+137:202503010600:203",
    "TDT+20+V77+1++LINE:172:20+++9411604:146:11:VEGA EXPRESS",
    "LOC+60+XNPRT:139:6",
    "DTM+132:202503021708:203",
)
CONSIGNMENT = (
    "CNI+1+C1",
    "LOC+9+ITGOA:139:6",
    "NAD+CZ+IT-1",
    "NAD+CN+XN1",
    "GID+1+53:PK",
    "FTX+AAA+++Pine, sawn:lengthwise",
    "MEA+WT+G+KGM:1071.379",
)


def rows_of(tmp_path: Path, *consignments: str) -> list[dict[str, str]]:
    """The rows of a message with these consignments, none of which is refused."""
    rows, refused, _ = read_with(cuscar.read, tmp_path, interchange(message("CUSCAR", *VOYAGE, *consignments)))
    assert refused == []
    return rows


def test_a_consignment_is_a_row_with_its_voyage(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, *CONSIGNMENT)
    assert row == {
        "source_line": 9,
        "sender": "SENDER",
        "interchange_reference": "R1",
        "message_reference": "1",
        "message_id": "SENDER/R1/1",
        "prepared_at": "2025-03-01T06:00",
        "document_name": "785",
        "message_function": "9",
        "manifest_id": "M1",
        "documented_at": "2025-03-01T06:00",
        "voyage_number": "V77",
        "transport_mode": "1",
        "carrier_id": "LINE",
        "vessel_id": "9411604",
        "vessel_name": "VEGA EXPRESS",
        "arrival_port": "XNPRT",
        "arrival_at": "2025-03-02T17:08",
        "arrival_precision": "minute",
        "consignment_number": "1",
        "consignment_id": "C1",
        "discharge_port": "XNPRT",
        "loading_place": "ITGOA",
        "country_of_dispatch": "IT",
        "consignor_id": "IT-1",
        "consignee_id": "XN1",
        "packages": "53",
        "package_type": "PK",
        "gross_mass_kg": "1071.379",
        "goods_description": "Pine, sawn lengthwise",
    }
    assert set(row) - {"source_line"} <= {*HEADER, *cuscar.COLUMNS}


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param(
            ("GID+1+2:PK", "MEA+WT+G+KGM:1.5", "GID+2+3:CT", "MEA+WT+G+KGM:2.25"),
            {"packages": "5", "package_type": "PK CT", "gross_mass_kg": "3.75"},
            id="goods-add-up",
        ),
        pytest.param(
            ("CNT+11:9", "MEA+WT+G+KGM:4", "GID+1+2:PK", "MEA+WT+G+KGM:1.5"),
            {"packages": "9", "package_type": "PK", "gross_mass_kg": "4"},
            id="what-the-consignment-declares-goes-first",
        ),
        pytest.param(("MEA+WT+G+TNE:1.5",), {"gross_mass_kg": "1500.0"}, id="tonnes"),
        pytest.param(("MEA+WT+AAA+KGM:7",), {}, id="a-net-mass-is-not-the-gross"),
        pytest.param(("MEA+WT+G+KGM:1,5",), {"gross_mass_kg": "1,5 KGM"}, id="what-is-no-number-stays-as-sent"),
        pytest.param(("MEA+WT+G+KGM:1E99999999",), {"gross_mass_kg": "1E99999999 KGM"}, id="a-monstrous-number"),
        pytest.param(("MEA+WT+G+STN:1",), {"gross_mass_kg": "1 STN"}, id="an-unknown-unit-stays-as-sent"),
        pytest.param(("GID+1+two:PK",), {"packages": "two", "package_type": "PK"}, id="a-count-in-words-stays-as-sent"),
        pytest.param(("LOC+9+SE:162:5",), {"loading_place": "SE", "country_of_dispatch": "SE"}, id="a-country"),
        pytest.param(
            ("LOC+9+DEHAM", "LOC+35+AT:162:5"), {"loading_place": "DEHAM", "country_of_dispatch": "AT"}, id="dispatch"
        ),
        pytest.param(("LOC+11+XNSKV",), {"discharge_port": "XNSKV"}, id="a-port-of-discharge-of-its-own"),
        pytest.param(("EQD+CN+ABCU1234567", "SGP+ABCU1234567"), {"containers": "ABCU1234567"}, id="a-container"),
        pytest.param(("NAD+CN+++EVERT SHIPPING",), {"consignee_name": "EVERT SHIPPING"}, id="a-party-by-name"),
    ],
)
def test_what_is_told_of_a_consignment(tmp_path: Path, segments: tuple[str, ...], expected: dict[str, str]) -> None:
    (row,) = rows_of(tmp_path, "CNI+1+C1", *segments)
    (bare,) = rows_of(tmp_path, "CNI+1+C1")
    assert dict(row.items() - bare.items()) == expected


def test_a_consignment_without_a_number_takes_its_bill_of_lading(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "CNI+1", "RFF+BM:BL7", "CNI+2")
    assert [row.get("consignment_id") for row in rows] == ["BL7", None]


def test_mutated_files_are_read_or_refused_and_no_consignment_is_lost(tmp_path: Path) -> None:
    goods = [segment.replace("C1", f"C{at}") for at in range(4) for segment in CONSIGNMENT]
    messages = [message("CUSCAR", *VOYAGE, *goods, number=str(number)) for number in (1, 2)]
    fuzz(cuscar.read, tmp_path, interchange(*messages).encode(), [b"CNI+"], 400)


def test_the_consignments_are_as_many_as_the_message_counts(tmp_path: Path) -> None:
    for told, refused in (("1", []), ("2", ["edifact-cnt-count"])):
        body = message("CUSCAR", *VOYAGE, "CNI+1+BL1", "CNT+11:9", f"CNT+10:{told}")
        rows, found, _ = read_with(cuscar.read, tmp_path, interchange(body))
        assert (len(rows), [rule for _, rule in found]) == (1, refused)

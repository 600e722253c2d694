"""Passenger lists: who travels on which flight with which document, as rows."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interchanges import fuzz, interchange, message, read_with

from warehouse.errors import FileRefused
from warehouse.readers import edifact_table, paxlst
from warehouse.readers.edifact_table import HEADER

HEAD = ("BGM+745", "NAD+MS+++LINE OPERATIONS", "COM+555-1212:TE")
FLIGHT = ("TDT+20+XY0123", "LOC+125+VIE", "DTM+189:2503012200:201", "LOC+87+XNV", "DTM+232:2503020010:201")
PERSON = ("NAD+FL+++BERG:ANNA:MARIA", "ATT+2++F", "DTM+329:640712", "LOC+178+VIE", "LOC+179+XNV", "NAT+2+AUT")
PASSPORT = ("DOC+P:110:111+P123", "DTM+36:300101", "LOC+91+AUT")


def rows_of(tmp_path: Path, *body: str, access: str = "") -> list[dict[str, str]]:
    """The rows of a message of these segments, none of which is refused."""
    rows, refused, _ = read_with(paxlst.read, tmp_path, interchange(message("PAXLST", *body, access=access)))
    assert refused == []
    return rows


def one(tmp_path: Path, *body: str) -> dict[str, str]:
    (row,) = rows_of(tmp_path, *HEAD, *FLIGHT, *body)
    return row


def test_a_traveller_is_a_row_with_flight_and_document(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, *HEAD, *FLIGHT, *PERSON, "RFF+AVF:LOC123", *PASSPORT, "CNT+42:1", access="XY123")
    assert row == {
        "source_line": 12,
        "sender": "SENDER",
        "interchange_reference": "R1",
        "message_reference": "1",
        "access_reference": "XY123",
        "message_id": "SENDER/R1/1",
        "prepared_at": "2025-03-01T06:00",
        "document_name": "745",
        "traveller_number": "1",
        "role_code": "FL",
        "surname": "BERG",
        "given_names": "ANNA MARIA",
        "sex": "F",
        "birth_date": "1964-07-12",
        "nationality": "AUT",
        "embarked_at": "VIE",
        "debarks_at": "XNV",
        "record_locator": "LOC123",
        "document_type": "P",
        "document_number": "P123",
        "issuing_state": "AUT",
        "document_expires": "2030-01-01",
        "carrier": "XY",
        "flight_number": "XY123",
        "departed_from": "VIE",
        "departure_at": "2025-03-01T22:00",
        "departure_precision": "minute",
        "arrives_at": "XNV",
        "arrival_at": "2025-03-02T00:10",
        "arrival_precision": "minute",
    }
    assert set(row) - {"source_line"} <= {*HEADER, *paxlst.COLUMNS}


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param(("DTM+329:640712",), {"birth_date": "1964-07-12"}, id="a-year-of-two-digits-is-past"),
        pytest.param(("DTM+329:240712",), {"birth_date": "2024-07-12"}, id="a-child-is-born-in-this-century"),
        pytest.param(("DTM+329:250302",), {"birth_date": "1925-03-02"}, id="nobody-is-born-after-the-message"),
        pytest.param(("DTM+329:19240712:102",), {"birth_date": "1924-07-12"}, id="a-year-of-four-digits"),
        pytest.param(("DTM+329:640000",), {}, id="month-and-day-are-told-as-unknown"),
        pytest.param(("DTM+329:641340",), {"birth_date": "641340"}, id="what-is-no-day-stays-as-sent"),
        pytest.param(("DTM+329:12JUL64",), {"birth_date": "12JUL64"}, id="another-layout-stays-as-sent"),
        pytest.param(("NAT+2+AT",), {"nationality": "AUT"}, id="a-nationality-of-two-letters"),
        pytest.param(("NAT+2+D",), {"nationality": "D"}, id="a-nationality-of-the-passports-own"),
        pytest.param(("ATT+2++U",), {"sex": "U"}, id="the-sex-is-unknown"),
        pytest.param(("MEA+CT++:2", "MEA+WT++KGM:31"), {"bags": "2", "bag_mass": "31 KGM"}, id="bags"),
        pytest.param(("MEA+CT++2",), {"bags": "2"}, id="a-count-of-bags-without-the-separator-of-its-unit"),
        pytest.param(
            ("FTX+BAG+++XY100:2", "FTX+BAG+++XY200", "FTX+BAG+++ZZ7"),
            {"bag_tags": "XY100:2 XY200 ZZ7"},
            id="each-tag-of-several-bags",
        ),
        pytest.param(
            ("RFF+SEA:12A", "RFF+ABO:Q7"), {"seat": "12A", "passenger_reference": "Q7"}, id="seat-and-reference"
        ),
        pytest.param(("LOC+174+DEU", "LOC+180+:::GRAZ"), {"residence": "DEU", "birth_place": "GRAZ"}, id="places"),
    ],
)
def test_what_is_told_of_a_person(tmp_path: Path, segments: tuple[str, ...], expected: dict[str, str]) -> None:
    row = one(tmp_path, "NAD+FL+++BERG:ANNA", *segments)
    told = ("birth_date", "nationality", "sex", "bags", "bag_mass", "bag_tags", "seat", "passenger_reference")
    assert {name: value for name, value in row.items() if name in (*told, "residence", "birth_place")} == expected


@pytest.mark.parametrize(
    ("documents", "first", "others"),
    [
        pytest.param((), None, [], id="none"),
        pytest.param(("V", "P"), "P", ["V"], id="a-passport-goes-before-a-visa"),
        pytest.param(("I", "P", "PD"), "P", ["PD", "I"], id="the-first-passport-counts"),
        pytest.param(("V", "I"), "I", ["V"], id="an-identity-card-goes-before-a-visa"),
        pytest.param(("L", "A", "V"), "A", ["L", "V"], id="a-pilots-licence-is-no-travel-document"),
    ],
)
def test_of_several_documents_the_travel_document_comes_first(
    tmp_path: Path, documents: tuple[str, ...], first: str | None, others: list[str]
) -> None:
    segments = [part for kind in documents for part in (f"DOC+{kind}:110:111+{kind}9", f"LOC+91+{kind}XX")]
    row = one(tmp_path, *PERSON, *segments)
    assert row.get("document_type") == first
    assert row.get("issuing_state") == (f"{first}XX" if first else None)
    assert [other["document_number"] for other in json.loads(row.get("other_documents", "[]"))] == [
        f"{kind}9" for kind in others
    ]


ATL_ORD = ("TDT+20+AA123+++AA", "LOC+92+ATL", "DTM+189:2503011540:201", "LOC+92+ORD", "DTM+232:2503011740:201")


@pytest.mark.parametrize(
    ("legs", "flight", "count"),
    [
        pytest.param(
            (*ATL_ORD, "TDT+20+AA124+++AA", "LOC+92+ORD", "DTM+189:2503011840:201", "LOC+92+JFK"),
            ("AA124", "ORD", "JFK", "2025-03-01T18:40"),
            2,
            id="the-last-leg-where-no-place-is-told-apart",
        ),
        pytest.param(
            (*FLIGHT, *ATL_ORD), ("XY123", "VIE", "XNV", "2025-03-01T22:00"), 2, id="the-leg-into-the-country"
        ),
        pytest.param(
            (
                "TDT+20+XY9",
                "LOC+92+CAI",
                "DTM+189:2503010900:201",
                "LOC+125+VIE",
                "DTM+189:2503011200:201",
                "LOC+87+XNV",
            ),
            ("XY9", "VIE", "XNV", "2025-03-01T12:00"),
            2,
            id="one-flight-of-two-legs",
        ),
        pytest.param(
            ("TDT+20+XY9", "LOC+125+VIE", "DTM+189:250301:101", "LOC+87+XNV"),
            ("XY9", "VIE", "XNV", "2025-03-01"),
            1,
            id="a-departure-without-a-time",
        ),
        pytest.param(
            ("TDT+20+V77+1++LINE:172:20", "LOC+125+ITGOA", "DTM+189:202503011200:203", "LOC+87+XNPRT"),
            ("V77", "ITGOA", "XNPRT", "2025-03-01T12:00"),
            1,
            id="a-ships-voyage",
        ),
    ],
)
def test_the_flight_is_the_leg_that_enters_the_country(
    tmp_path: Path, legs: tuple[str, ...], flight: tuple[str, ...], count: int
) -> None:
    (row,) = rows_of(tmp_path, *HEAD, *legs, *PERSON)
    assert (row["flight_number"], row["departed_from"], row["arrives_at"], row["departure_at"]) == flight
    assert len(json.loads(row.get("legs", "[{}]"))) == count
    assert row["departure_precision"] == ("minute" if "T" in flight[3] else "day")


def test_crew_and_travellers_in_transit_are_rows_and_the_reporter_is_not(tmp_path: Path) -> None:
    functions = ("FM", "FL", "DDU", "DDT", "QQ")
    people = [part for at, code in enumerate(functions) for part in (f"NAD+{code}+++N{at}", "NAT+2+AUT")]
    rows = rows_of(tmp_path, *HEAD, *FLIGHT, *people)
    assert [(row["role_code"], row["surname"], row["traveller_number"]) for row in rows] == [
        (code, f"N{at}", str(at + 1)) for at, code in enumerate(functions)
    ]


@pytest.mark.parametrize(
    ("bgm", "expected"),
    [
        pytest.param("BGM+745+XR", ("745", "XR", None), id="a-cancellation"),
        pytest.param("BGM+266+CLOB+9", ("266", "CLOB", "9"), id="a-close-out"),
        pytest.param("BGM+250", ("250", None, None), id="a-crew"),
    ],
)
def test_what_a_list_is_of_and_to_what_end(tmp_path: Path, bgm: str, expected: tuple[str | None, ...]) -> None:
    (row,) = rows_of(tmp_path, bgm, *FLIGHT, *PERSON)
    assert tuple(row.get(name) for name in ("document_name", "document_identifier", "message_function")) == expected


def test_how_a_name_is_written_is_no_name(tmp_path: Path) -> None:
    row = one(tmp_path, "NAD+FL+1234:8++BERG:ANNA:MARIA:::1", "NAT+2+AUT")
    assert (row["surname"], row["given_names"]) == ("BERG", "ANNA MARIA")


def test_a_part_of_a_country_issues_no_passport(tmp_path: Path) -> None:
    row = one(tmp_path, *PERSON, "DOC+5K+L77", "LOC+91+VA:163", "LOC+91+US:162")
    assert (row["document_number"], row["issuing_state"]) == ("L77", "USA")


@pytest.mark.parametrize("control", ["strict", "lenient"])
def test_bytes_off_the_character_set_cost_the_traveller_they_stand_in(tmp_path: Path, control: str) -> None:
    people = [part for name in ("ASK", "NOV\xe1K", "LUND") for part in (f"NAD+FL+++{name}:IDA", *PASSPORT)]
    content = interchange(message("PAXLST", *HEAD, *FLIGHT, *people, "CNT+42:3")).encode("latin-1")
    rows, refused, frame = read_with(paxlst.read, tmp_path, content, control=control)
    assert [(row["surname"], row["traveller_number"]) for row in rows] == [("ASK", "1"), ("LUND", "3")]
    assert refused == [(16, "edifact-encoding")]
    assert frame["raw"].item() == "NAD+FL+++NOV\\xe1K:IDA'" + "".join(f"{part}'" for part in PASSPORT)


def test_a_zero_byte_costs_the_traveller_it_stands_in(tmp_path: Path) -> None:
    people = [part for name in ("ASK", "NO\0VAK", "LUND") for part in (f"\0NAD+FL+++{name}:IDA", *PASSPORT)]
    rows, refused, _ = read_with(
        paxlst.read, tmp_path, interchange(message("PAXLST", *HEAD, *FLIGHT, *people)) + "\0\0"
    )
    assert [row["surname"] for row in rows] == ["ASK", "LUND"]
    assert refused == [(16, "edifact-encoding")]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged=st.sets(st.integers(0, 5)), place=st.integers(0, len(PASSPORT)))
def test_every_traveller_is_read_or_refused_wherever_bytes_are_damaged(
    tmp_path: Path, damaged: set[int], place: int
) -> None:
    people = [[f"NAD+FL+++P{at}:IDA", *PASSPORT] for at in range(6)]
    for at in damaged:
        people[at][place] += "\xff"
    content = interchange(message("PAXLST", *HEAD, *FLIGHT, *(part for one in people for part in one)))
    rows, refused, _ = read_with(paxlst.read, tmp_path, content.encode("latin-1"))
    assert [int(row["traveller_number"]) - 1 for row in rows] == sorted(set(range(6)) - damaged)
    assert refused == [(12 + 4 * at, "edifact-encoding") for at in sorted(damaged)]


def test_bytes_off_the_character_set_before_the_travellers_cost_the_message(tmp_path: Path) -> None:
    content = interchange(message("PAXLST", "BGM+745", "NAD+MS+++\xe9", *FLIGHT, *PERSON)).encode("latin-1")
    assert read_with(paxlst.read, tmp_path, content)[:2] == ([], [(3, "edifact-encoding")])


@pytest.mark.parametrize(
    ("roles", "totals", "refused"),
    [
        pytest.param(("FL", "FL"), ("CNT+42:2",), 0, id="as-many-passengers"),
        pytest.param(("FL", "FL"), ("CNT+42:3",), 1, id="a-passenger-is-missing"),
        pytest.param(("FL", "FL"), ("CNT+42:1",), 1, id="a-passenger-too-many"),
        pytest.param(("FL", "FL"), ("CNT+42",), 1, id="no-number"),
        pytest.param(("FL", "FL"), ("CNT+42+02",), 0, id="a-plus-for-the-colon"),
        pytest.param(("FL",), ("CNT+1:7",), 0, id="a-total-of-something-else"),
        pytest.param(("FM", "FM"), ("CNT+41:2",), 0, id="as-many-of-the-crew"),
        pytest.param(("FL", "DDU", "FM"), ("CNT+42:2", "CNT+41:1"), 0, id="both-kinds-each-counted"),
        pytest.param(("FL", "FL", "FM"), ("CNT+42:3", "CNT+41:1"), 1, id="both-kinds-one-counted-wrongly"),
        pytest.param(("FL", "FL", "FM"), ("CNT+42:3",), 0, id="a-single-total-of-both-kinds"),
    ],
)
def test_a_total_that_is_not_that_of_the_list_is_refused_alone(
    tmp_path: Path, roles: tuple[str, ...], totals: tuple[str, ...], refused: int
) -> None:
    people = [part for role in roles for part in (f"NAD+{role}+++ASK:IDA", *PASSPORT)]
    content = interchange(message("PAXLST", *HEAD, *FLIGHT, *people, *totals))
    rows, found, frame = read_with(paxlst.read, tmp_path, content)
    assert len(rows) == len(roles)
    first_total = 3 + len(HEAD) + len(FLIGHT) + len(people) + 1
    assert found == [(first_total, "edifact-cnt-count")] * refused
    assert frame["raw"].to_list() == [f"{totals[0]}'"] * refused
    (chunk,) = paxlst.read(tmp_path / "message.edi", control="lenient")
    assert chunk.refused.is_empty()
    assert dict(chunk.notes.let_pass) == ({"edifact-cnt-count": 1} if refused else {})


def test_the_totals_of_a_report_in_several_messages_are_those_of_the_whole(tmp_path: Path) -> None:
    body = (*HEAD, *FLIGHT, *PERSON, "CNT+42:136")
    part, whole = (message("PAXLST", *body, access=f"XY0123+{number}") for number in ("02:F", "01:F"))
    assert read_with(paxlst.read, tmp_path, interchange(part))[1] == []
    assert read_with(paxlst.read, tmp_path, interchange(whole))[1] == [(18, "edifact-cnt-count")]


def test_a_message_that_names_nobody_is_refused(tmp_path: Path) -> None:
    rows, refused, _ = read_with(paxlst.read, tmp_path, interchange(message("PAXLST", *HEAD, *FLIGHT, "CNT+42:0")))
    assert (rows, refused) == ([], [(3, "edifact-empty-message")])


def test_the_layout_of_us_customs_is_refused_by_its_name(tmp_path: Path) -> None:
    old = message("PAXLST", "TDT++XY812+40+XY", "LOC+5+NZAKL:50", "UNS+D", "PDT+P/P123:980701:AT+BERG:ANNA::640712:F")
    rows, refused, frame = read_with(paxlst.read, tmp_path, interchange(old))
    assert (rows, refused) == ([], [(3, "paxlst-layout")])
    assert "ask for D.02B" in frame["message"].item()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("", "holds nothing", id="empty"),
        pytest.param(" \r\n", "holds nothing", id="blank"),
        pytest.param("id,name\n1,a\n", "no UNB", id="another-format"),
        pytest.param(interchange(), "no message", id="an-interchange-without-a-message"),
    ],
)
def test_a_file_that_is_no_interchange_is_refused_whole(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(FileRefused, match=told):
        read_with(paxlst.read, tmp_path, content)


@pytest.mark.parametrize("held", [1 << 20, 8], ids=["in-memory", "on-the-disk"])
def test_a_packed_interchange_is_read_as_it_was_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(edifact_table, "_HELD_BYTES", held)
    content = interchange(message("PAXLST", *FLIGHT, *PERSON), message("PAXLST", *FLIGHT, *PERSON, count=99)).encode()
    rows, broken, refused = read_with(paxlst.read, tmp_path, content)
    assert (len(rows), broken) == (1, [(16, "edifact-unt-count")])
    packed_rows, packed_broken, packed_refused = read_with(paxlst.read, tmp_path, gzip.compress(content))
    assert (packed_rows, packed_broken) == (rows, broken)
    assert packed_refused.equals(refused)
    with pytest.raises(FileRefused, match="ends early or is damaged"):
        read_with(paxlst.read, tmp_path, gzip.compress(content)[:-20])


def test_a_column_that_the_message_does_not_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="PAXLST gives no shoe_size"):
        list(paxlst.read(tmp_path / "any.edi", frozenset({"shoe_size"})))
    with pytest.raises(FileRefused, match="control is strict or lenient"):
        list(paxlst.read(tmp_path / "any.edi", control="loose"))


def test_mutated_files_are_read_or_refused_and_no_traveller_is_lost(tmp_path: Path) -> None:
    people = [part for name in "ABC" for part in (f"NAD+FL+++{name}?'S:X", *PERSON[1:], *PASSPORT)]
    messages = [message("PAXLST", *HEAD, *FLIGHT, *people, number=str(number)) for number in (1, 2)]
    fuzz(paxlst.read, tmp_path, interchange(*messages).encode(), [b"NAD+FL"], 400)


@pytest.mark.parametrize(
    ("name", "strict", "lenient"),
    [
        pytest.param("apisMessage.txt", (2, 0), (2, 0), id="two-legs"),
        pytest.param("airline2.edi", (0, 1), (10, 0), id="a-count-of-another-list"),
        pytest.param("Test1.txt", (0, 3), (8, 0), id="a-crew-with-references-mixed-up"),
    ],
)
def test_real_messages_are_read_or_refused(
    shared_data: Path, tmp_path: Path, name: str, strict: tuple[int, int], lenient: tuple[int, int]
) -> None:
    content = (shared_data / "immigration" / "messages" / name).read_bytes()
    for control, expected in (("strict", strict), ("lenient", lenient)):
        rows, refused, _ = read_with(paxlst.read, tmp_path, content, control=control)
        assert (len(rows), len(refused)) == expected
        assert all(row["birth_date"][4] == "-" and "T" in row["departure_at"] for row in rows)

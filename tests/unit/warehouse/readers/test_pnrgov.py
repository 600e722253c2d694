"""Booking records: travellers with their papers, tickets, seats and bags, and what of a booking is not read."""

import json
from pathlib import Path

import pytest
from interchanges import fuzz, interchange, message, read_with

from warehouse.readers import pnrgov
from warehouse.readers.edifact_table import HEADER

LEG = "TVL+010325:2200:020325:0010+VIE+XNV+XY+123"
ONWARD = "TVL+020325:0900:020325:1000+XNV+SKV+XY+7:Y"
LEADING = ("MSG+:22", "ORG+XY:VIE", LEG)
HEAD = (*LEADING, "EQN+1")
BOOKING = ("SRC", "RCI+XY:LOC123::050225:1010", "DAT+700:060225:1200+710:070225:0900", "ORG+XY:VIE")


def docs(number: str = "P1", sex: str = "F", name: str = "BERG/ANNA/MARIA", birth: str = "12JUL64") -> str:
    return f"SSR+DOCS:HK:1:XY:::::/P/AUT/{number}/AUT/{birth}/{sex}/01JAN30/{name}"


def rows_of(tmp_path: Path, *booking: str) -> list[dict[str, str]]:
    """The rows of a message with these bookings, none of which is refused."""
    rows, refused, _ = read_with(
        pnrgov.read, tmp_path, interchange(message("PNRGOV", *HEAD, *booking), syntax="IATA:1")
    )
    assert refused == []
    return rows


def test_a_traveller_is_a_row_with_booking_flight_and_papers(tmp_path: Path) -> None:
    (row,) = rows_of(
        tmp_path,
        *BOOKING,
        "TIF+BERG+ANNA MRS:A:1",
        "FTI+XY:987",
        docs(),
        "TKT+1112223334445:T:1",
        "FOP+CC:::VI:XXXXXXXXXXXX1186:0227",
        LEG + ":B",
        "RPI+1+HK",
        "SSR+SEAT:HK:1:XY:::VIE:XNV+12A::1",
        "TRI++31:::1",
        "TIF+BERG+ANNA MRS:A:1",
        "SSD+14C++++Y",
        "TBD++2:31:700++MP+618:1026000001:2:XNV",
    )
    assert row == {
        "source_line": 12,
        "sender": "SENDER",
        "interchange_reference": "R1",
        "message_reference": "1",
        "message_id": "SENDER/R1/1",
        "prepared_at": "2025-03-01T06:00",
        "carrier": "XY",
        "flight_number": "XY123",
        "departed_from": "VIE",
        "departure_at": "2025-03-01T22:00",
        "departure_precision": "minute",
        "arrives_at": "XNV",
        "arrival_at": "2025-03-02T00:10",
        "record_locator": "LOC123",
        "locator_carrier": "XY",
        "booked_at": "2025-02-05T10:10",
        "changed_at": "2025-02-06T12:00",
        "ticketed_at": "2025-02-07T09:00",
        "party_size": "1",
        "traveller_number": "1",
        "traveller_type": "A",
        "surname": "BERG",
        "given_names": "ANNA MRS",
        "document_type": "P",
        "issuing_state": "AUT",
        "document_number": "P1",
        "document_expires": "2030-01-01",
        "document_surname": "BERG",
        "document_given_names": "ANNA MARIA",
        "nationality": "AUT",
        "birth_date": "1964-07-12",
        "sex": "F",
        "tickets": "1112223334445",
        "payment_form": "CC",
        "frequent_flyer": "XY/987",
        "seat": "14C",
        "bags": "2",
        "bag_mass": "31 KGM",
        "bag_tags": "618/1026000001:2",
    }
    assert set(row) - {"source_line"} <= {*HEADER, *pnrgov.COLUMNS}
    assert not any("1186" in str(value) for value in row.values()), "no card's number"


def test_seats_and_bags_are_those_of_the_messages_flight(tmp_path: Path) -> None:
    (row,) = rows_of(
        tmp_path,
        *BOOKING,
        "TIF+BERG+ANNA:A:1",
        ONWARD,
        "TRI++9:::1",
        "TIF+BERG+ANNA:A:1",
        "SSD+1A++++Y",
        "TBD++5:99:700",
        LEG,
        "TVL+++++123:Y",
        "TRI++31:::1",
        "TIF+BERG+ANNA:A:1",
        "SSD+14C++++Y",
        "TBD++3:44:701++HP:VIE-9+XY:0443::XNV+:0555:2+618",
    )
    assert (row["seat"], row["bags"], row["bag_mass"]) == ("14C", "3", "44 LBR")
    assert row["bag_tags"] == "XY/0443 0555:2"
    assert json.loads(row["seats"]) == {"XY7 XNV-SKV": "1A", "XY123 VIE-XNV": "14C"}
    assert [leg["flight_number"] for leg in json.loads(row["legs"])] == ["XY7", "XY123"]


def test_a_code_share_is_the_same_flight(tmp_path: Path) -> None:
    (row,) = rows_of(
        tmp_path,
        "SRC",
        "RCI+1A:LOC123::050225:1010+ZZ:PARTNER",
        "TIF+BERG+ANNA:A:1",
        "TVL+010325:2200:020325:0010+VIE+XNV+ZZ:XY+5123:B",
        "SSR+RQST:HK:1:XY:::VIE:XNV+14A::1",
    )
    assert (row["flight_number"], row["seat"], row["other_locators"]) == ("XY123", "14A", "ZZ/PARTNER")
    assert row["record_locator"] == "LOC123"


def test_an_infant_has_the_papers_that_stand_behind_its_adult(tmp_path: Path) -> None:
    adult, infant = rows_of(
        tmp_path,
        *BOOKING,
        "TIF+BERG+ANNA MRS:A:1.1:1",
        "SSR+INFT:NN:1:XY:::::BERG/LEO/10AUG24+::1.1",
        "SSR+TKNE:HK:1:XY:::VIE:XNV:1110000000001C1+::1.1",
        "SSR+TKNE:HK:1:XY:::VIE:XNV:INF1110000000002C1+::1.1",
        docs("P1") + "+::1.1",
        docs("P2", "MI", "BERG/LEO", "10AUG24") + "+::1.1",
        "TIF+BERG+LEO:IN:2.1",
    )
    assert (adult["document_number"], adult["sex"], adult["birth_date"]) == ("P1", "F", "1964-07-12")
    assert (infant["document_number"], infant["sex"], infant["birth_date"]) == ("P2", "M", "2024-08-10")
    assert (adult["tickets"], infant["tickets"]) == ("1110000000001C1", "1110000000002C1")
    assert (adult["party_size"], adult["traveller_number"], infant["traveller_number"]) == ("2", "1.1", "2.1")
    assert [one["birth_date"] for one in json.loads(adult["infants"])] == ["2024-08-10"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("BERG/LEO/10AUG24", ("BERG", "LEO", "2024-08-10"), id="between-slashes"),
        pytest.param("BERG/LEO 10AUG24", ("BERG", "LEO", "2024-08-10"), id="a-blank-before-the-day"),
        pytest.param("/BERG/LEO MAX/10AUG2024 OCC SEAT", ("BERG", "LEO MAX", "2024-08-10"), id="with-a-remark"),
        pytest.param("BERG/LEO 10AUG24-1BERG/ANNA MRS", ("BERG", "LEO", "2024-08-10"), id="with-whose-it-is"),
        pytest.param("BERG/LEO", ("BERG", "LEO", None), id="without-a-day"),
    ],
)
def test_an_infant_as_its_adults_entry_tells_it(
    tmp_path: Path, text: str, expected: tuple[str, str, str | None]
) -> None:
    (row,) = rows_of(tmp_path, *BOOKING, "TIF+BERG+ANNA:A:1", f"SSR+INFT:HK:1:XY:::VIE:XNV:{text}+::1")
    (infant,) = json.loads(row["infants"])
    names = ("document_surname", "document_given_names", "birth_date")
    assert tuple(infant.get(name) for name in names) == expected


def test_whose_an_entry_is_and_a_full_stop_before_a_number_are_not_of_its_values(tmp_path: Path) -> None:
    (row,) = rows_of(
        tmp_path,
        *BOOKING,
        "TIF+BERG+ANNA MRS:A:1",
        docs() + "-1BERG/ANNA MRS",
        "SSR+TKNE:HK:1:XY:::VIE:XNV:.1110000000001C1+::1",
    )
    assert (row["document_given_names"], row["tickets"]) == ("ANNA MARIA", "1110000000001C1")


def test_bytes_off_the_character_set_cost_the_booking_they_stand_in(tmp_path: Path) -> None:
    booked = [(*BOOKING, f"TIF+{name}+IDA:A:1", LEG) for name in ("ASK", "NOV\xe1K", "LUND")]
    content = interchange(message("PNRGOV", *LEADING, "EQN+3", *(part for one in booked for part in one))).encode(
        "latin-1"
    )
    rows, refused, _ = read_with(pnrgov.read, tmp_path, content)
    assert [row["surname"] for row in rows] == ["ASK", "LUND"]
    assert refused == [(14, "edifact-encoding")]


def test_papers_of_a_flight_go_to_the_traveller_whom_they_name(tmp_path: Path) -> None:
    named = ("TIF+BERG+ANNA:A:1", "TIF+BERG+OLE:A:2", "TIF+LUND+IDA:A:3")
    entries = (docs("P2", "M", "BERG/OLE KARL") + "+::2", docs("P3", "F", "LUND/IDA"))
    rows = rows_of(tmp_path, *BOOKING, *named, LEG, *entries)
    assert [row.get("document_number") for row in rows] == [None, "P2", "P3"]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(docs("P9", "F", "OTHER/PERSON"), id="a-document-of-nobody"),
        pytest.param(docs("P9", "FI", "OTHER/CHILD"), id="a-document-of-nobodys-infant"),
        pytest.param("SSR+INFT:HK:1:XY:::VIE:XNV:OTHER/CHILD 10AUG24", id="nobodys-infant"),
        pytest.param("SSR+DOCS:HK:1:XY:::::MUMBLE+::1", id="of-which-nothing-can-be-read"),
    ],
)
def test_an_entry_of_papers_that_is_nobodys_is_refused_where_it_stands(tmp_path: Path, entry: str) -> None:
    named = ("TIF+BERG+ANNA:A:1", "TIF+BERG+OLE:A:2")
    body = message("PNRGOV", *HEAD, *BOOKING, *named, LEG, entry)
    rows, refused, frame = read_with(pnrgov.read, tmp_path, interchange(body, syntax="IATA:1"))
    assert [row["given_names"] for row in rows] == ["ANNA", "OLE"]
    assert [rule for _, rule in refused] == ["pnrgov-papers"]
    assert frame["raw"].to_list() == [entry + "'"]


def test_an_infant_without_a_name_of_its_own_has_its_papers_beside_its_birth(tmp_path: Path) -> None:
    entries = ("SSR+INFT:HK:1:XY:::VIE:XNV:BERG/LEO 10AUG24", docs("P2", "MI", "BERG/LEO", "10AUG24"))
    for order in (entries, entries[::-1]):
        (row,) = rows_of(tmp_path, *BOOKING, "TIF+BERG+ANNA:A:1", docs("P1"), LEG, *order)
        (infant,) = json.loads(row["infants"])
        assert (row["document_number"], row["sex"]) == ("P1", "F")
        assert (infant["document_number"], infant["birth_date"], infant["sex"]) == ("P2", "2024-08-10", "M")


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param(
            ("SSR+DOCS:HK::XY:::::////GBR/12JUL64/M//BERG/OLE",),
            {"nationality": "GBR", "birth_date": "1964-07-12", "sex": "M"},
            id="a-document-is-told-in-part",
        ),
        pytest.param(
            ("SSR+DOCS:HK:1:XY:::::/P/AT/P1/AT/12JUL64/F/01JAN30/BERG/ANNA/H",),
            {"document_number": "P1", "nationality": "AUT", "birth_date": "1964-07-12", "sex": "F"},
            id="countries-of-two-letters-and-a-holder",
        ),
        pytest.param(
            ("SSR+DOCS:HK:1:XY:::::/P/AUT/P1/AUT/32JUL64/F",),
            {"document_number": "P1", "nationality": "AUT", "birth_date": "32JUL64", "sex": "F"},
            id="what-is-no-day-stays-as-sent",
        ),
        pytest.param(("SSR+DOCS:HK:1:XY", "SSR+DOCS", "SSR"), {}, id="entries-without-text"),
        pytest.param(("SSR+CTCM:HK:1:XY:::::4366012345",), {}, id="another-entry"),
    ],
)
def test_what_an_entry_of_documents_tells(tmp_path: Path, segments: tuple[str, ...], expected: dict[str, str]) -> None:
    (row,) = rows_of(tmp_path, *BOOKING, "TIF+BERG+ANNA:A:1", *segments)
    told = ("document_number", "nationality", "birth_date", "sex")
    assert {name: row[name] for name in told if name in row} == expected


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param("/P/AUT", id="as-agreed"),
        pytest.param("P/AUT", id="the-slash-before-the-type-is-left-out"),
        pytest.param("//P/AUT", id="the-slash-before-the-type-is-doubled"),
        pytest.param("//AUT", id="the-type-is-not-told"),
    ],
)
def test_an_entry_of_documents_is_read_however_it_opens(tmp_path: Path, opening: str) -> None:
    entry = f"SSR+DOCS:HK:1:XY:::::{opening}/P1/AUT/12JUL64/F/01JAN30/BERG/ANNA"
    (row,) = rows_of(tmp_path, *BOOKING, "TIF+BERG+ANNA:A:1", entry)
    told = [row[name] for name in ("issuing_state", "document_number", "nationality", "birth_date", "sex")]
    assert told == ["AUT", "P1", "AUT", "1964-07-12", "F"]


@pytest.mark.parametrize(
    ("tvl", "expected"),
    [
        pytest.param("TVL+010325:2200+VIE+XNV+XY+123", ("2025-03-01T22:00", None), id="no-arrival"),
        pytest.param(
            "TVL+010325:2200::2310+VIE+XNV+XY+123", ("2025-03-01T22:00", "2025-03-01T23:10"), id="the-same-day"
        ),
        pytest.param(
            "TVL+010325:2200:2310+VIE+XNV+XY+123", ("2025-03-01T22:00", "2025-03-01T23:10"), id="a-lost-colon"
        ),
        pytest.param("TVL+010325+VIE+XNV+XY+123", ("2025-03-01", None), id="a-day-alone"),
        pytest.param("TVL+310225:2200+VIE+XNV+XY+123", ("310225 2200", None), id="what-is-no-day-stays-as-sent"),
    ],
)
def test_when_a_flight_leaves_and_arrives(tmp_path: Path, tvl: str, expected: tuple[str, str | None]) -> None:
    body = message("PNRGOV", "MSG+:22", tvl, *BOOKING, "TIF+BERG+ANNA:A:1")
    ((row,), refused, _) = read_with(pnrgov.read, tmp_path, interchange(body))
    assert refused == []
    assert (row["departure_at"], row.get("arrival_at")) == expected


def test_history_other_services_and_splits_are_not_of_the_booking(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path,
        *BOOKING,
        "TIF+BERG+ANNA:A:1",
        "FOP+CA::100.00",
        LEG,
        "EQN+1",
        "RCI+XY:SPLIT1",
        "MSG+8",
        "TVL+020325:1500:050325+XNV:HOTEL NORD++HH+67576:ROH",
        "MSG+8",
        "TVL+020325:1500:050325+XNV+SKV+HH+67576",
        "SSR+SEAT:HK:1:HH:::VIE:XNV+99Z::1",
        "ABI+1+:VIERR+VIE++XY",
        "DAT+ZT:071210:1010",
        "SAC+++X",
        "TIF+OLD+NAME:A:2",
        "SAC+++X",
        LEG,
        "SSR+SEAT:HK:1:XY:::VIE:XNV+1A::1",
    )
    (row,) = rows
    assert (row["record_locator"], row["party_size"], row["payment_form"]) == ("LOC123", "1", "CA")
    assert not {"other_locators", "seat", "legs"} & set(row)


def test_travellers_without_numbers_of_their_own_are_counted(tmp_path: Path) -> None:
    alike = rows_of(tmp_path, *BOOKING, "TIF+BERG+ANNA:A:1", "TIF+LUND+IDA:A:1")
    without = rows_of(tmp_path, *BOOKING, "TIF+BERG+ANNA", "TIF+LUND+IDA")
    assert [row["traveller_number"] for row in (*alike, *without)] == ["1", "2", "1", "2"]


def test_a_booking_that_names_nobody_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    body = message("PNRGOV", *LEADING, "EQN+2", "SRC", "RCI+XY:GROUP1", LEG, *BOOKING, "TIF+BERG+ANNA:A:1")
    rows, refused, frame = read_with(pnrgov.read, tmp_path, interchange(body))
    assert [row["record_locator"] for row in rows] == ["LOC123"]
    assert refused == [(8, "pnrgov-no-traveller")]
    assert frame["raw"].item() == f"SRC'RCI+XY:GROUP1'{LEG}'"
    empty = message("PNRGOV", "MSG+:22", LEG, "EQN+0")
    assert read_with(pnrgov.read, tmp_path, interchange(empty))[:2] == ([], [(3, "edifact-empty-message")])


@pytest.mark.parametrize(("told", "refused"), [("2", []), ("3", [(7, "edifact-eqn-count")])])
def test_the_bookings_are_as_many_as_the_message_counts(
    tmp_path: Path, told: str, refused: list[tuple[int, str]]
) -> None:
    bookings = [*BOOKING, "EQN+9:DV", "TIF+BERG+ANNA:A:1", *BOOKING, "TIF+LUND+IDA:A:1"]
    body = message("PNRGOV", *LEADING, f"EQN+{told}", *bookings)
    rows, found, frame = read_with(pnrgov.read, tmp_path, interchange(body))
    assert [row["surname"] for row in rows] == ["BERG", "LUND"]
    assert found == refused
    assert all("3 bookings, the message holds 2: some may be missing" in text for text in frame["message"])


def test_mutated_files_are_read_or_refused_and_no_traveller_is_lost(tmp_path: Path) -> None:
    booking = (
        *BOOKING,
        "TIF+BERG+ANNA:A:1",
        docs() + "+::1",
        "TIF+O?'DAY+IDA:A:2",
        docs("P2"),
        "FOP+CA",
        LEG,
        "SSD+1A",
    )
    messages = [message("PNRGOV", *HEAD, *booking, *booking, number=str(number)) for number in (1, 2)]
    fuzz(pnrgov.read, tmp_path, interchange(*messages).encode(), (), 400)


@pytest.mark.parametrize(
    ("name", "strict", "lenient"),
    [
        pytest.param("adult_and_infant.edi", (2, 0), (2, 0), id="an-infant-and-three-legs"),
        pytest.param("codeshare.edi", (0, 1), (2, 0), id="una-lacks-a-mark"),
        pytest.param("2_pnrs_basic.edi", (0, 1), (4, 0), id="two-bookings"),
        pytest.param("pnr1.txt", (0, 1), (2, 0), id="the-first-of-them"),
        pytest.param("pnr2.txt", (0, 1), (2, 0), id="the-second-of-them"),
        pytest.param("pnrMessageExample.txt", (0, 2), (5, 0), id="five-travellers-and-bags"),
    ],
)
def test_real_messages_are_read_or_refused(
    shared_data: Path, tmp_path: Path, name: str, strict: tuple[int, int], lenient: tuple[int, int]
) -> None:
    content = (shared_data / "immigration" / "messages" / name).read_bytes()
    for control, expected in (("strict", strict), ("lenient", lenient)):
        rows, refused, _ = read_with(pnrgov.read, tmp_path, content, control=control)
        assert (len(rows), len(refused)) == expected
        assert all(row["birth_date"][4] == "-" and "T" in row["departure_at"] for row in rows)

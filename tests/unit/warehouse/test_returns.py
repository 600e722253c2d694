"""The return report: the sender's own columns, what would mend them, and nothing it did not ask to see again."""

import csv
import io
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from agency import DECLARATION, INSPECTION, deliver, landed, norvale, write

from warehouse.contracts import CONTRACTS
from warehouse.delta import Lake
from warehouse.dialect import dialect_of, dialects
from warehouse.mapping import message_for
from warehouse.quarantine import readings, rows_of
from warehouse.readers import WORDINGS
from warehouse.returns import Return, as_csv, as_html, returned
from warehouse.terms import Complaint, terms


def report_of(lake: Lake, *, with_raw: bool = False) -> Return:
    found = readings(lake)
    rows = {one.contract.name: rows_of(lake, one, with_raw=with_raw) for one in found}
    return returned(found, rows, norvale())


def entries(report: Return) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(report))))


def told(rule: str, contract: str = "customs.declarations", dialect: str = "norvale") -> Complaint:
    made = CONTRACTS[contract]
    return terms(made, contract.split(".")[1], dialect_of(dialect)).complaint(rule, message_for(made, rule))


@pytest.mark.parametrize(
    ("rule", "columns", "mend"),
    [
        pytest.param("hs_code|regex", ("HS",), "six digits, of a chapter that exists", id="a-plain-column"),
        pytest.param("net_mass_kg|unreadable", ("NET_KG",), "',' as the decimal mark", id="a-decimal-comma"),
        pytest.param("event_at|unreadable", ("LODGED",), "31.12.2025 23:59:58", id="a-time-as-the-dialect-writes-it"),
        pytest.param("known_at|nullability", ("AMENDED", "LODGED"), "give a value", id="through-derived-columns"),
        pytest.param("vessel_imo|regex", ("CONVEYANCE", "MODE"), "^[0-9]{7}$", id="through-an-expression"),
        pytest.param("gross_mass_not_below_net", ("GROSS_KG", "NET_KG"), "never weighs less", id="a-rule-of-the-row"),
        pytest.param("event_tz|nullability", ("event_tz (set by the dialect)",), "give", id="a-constant"),
    ],
)
def test_a_rule_is_told_in_the_columns_of_the_sender(rule: str, columns: tuple[str, ...], mend: str) -> None:
    complaint = told(rule)
    assert complaint.columns == columns
    assert mend in complaint.mend


def test_agreed_codes_are_listed_and_another_column_is_followed() -> None:
    complaint = told("transport_mode|unreadable", dialect="kcs")
    assert complaint.columns == ("Mode of Transport",)
    assert "agreed codes (10, 11, 12" in complaint.mend
    assert told("known_at|nullability", dialect="kcs").columns == ("Date",)


@pytest.mark.parametrize("dialect", list(dialects()))
def test_every_rule_of_every_contract_can_be_told(dialect: str) -> None:
    for extract in dialect_of(dialect).extracts:
        wording = WORDINGS.get(extract.format)
        called = {wording.called(column) if wording else column for column in extract.columns}
        for output in extract.outputs:
            words = terms(output.contract, extract.dataset.split(".")[1], dialect_of(dialect))
            assert words.output is output
            rules = [*output.contract.schema._validation_rules(with_cast=False)]
            for rule in [*rules, *(f"{name}|unreadable" for name in output.contract.columns())]:
                complaint = words.complaint(rule, message_for(output.contract, rule))
                assert complaint.columns
                assert set(complaint.columns) <= called | {
                    f"{name} (set by the dialect)" for name in output.contract.columns()
                } | {"extracted_at of the sidecar"}
                assert "None" not in complaint.mend


def test_without_its_dialect_a_report_keeps_our_names() -> None:
    contract = CONTRACTS["customs.declarations"]
    assert terms(contract, "declarations", None).complaint("hs_code|regex", "").columns == ("hs_code",)


def test_a_report_says_under_which_layout_the_file_was_read(lake: Lake, tmp_path: Path) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION | {"HS": "none"}])))
    found = readings(lake)
    rows = {one.contract.name: rows_of(lake, one) for one in found}
    for dialect, said in ((norvale(1), "version 1)"), (norvale(2), "names are those of version 2"), (None, "is gone")):
        assert said in as_html(returned(found, rows, dialect))


def test_the_csv_says_of_each_line_what_is_wrong_beside_what_became_of_the_file(lake: Lake, tmp_path: Path) -> None:
    bad = DECLARATION | {"DECL_NO": "B", "HS": "none", "CURRENCY": ""}
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION, bad])))
    assert "send them in a new file of the same layout" in as_html(report_of(lake))
    found = entries(report_of(lake))
    assert sorted((row["line"], row["column"]) for row in found) == [("3", "CURRENCY"), ("3", "HS")]
    assert {(row["rows_read"], row["rows_landed"], row["rows_refused"]) for row in found} == {("2", "1", "1")}
    assert {(row["file"], row["received"]) for row in found} == {("declarations-1.csv", "2025-03-03")}


@pytest.mark.parametrize(
    ("said", "rules", "complaints"),
    [
        pytest.param({"LODGED": "yesterday"}, 2, [("LODGED", "the value cannot be read")], id="read-twice-told-once"),
        pytest.param(
            {"LODGED": "yesterday", "CURRENCY": ""},
            3,
            [("CURRENCY", "a value is missing"), ("LODGED", "the value cannot be read")],
            id="what-else-is-missing-is-told",
        ),
        pytest.param(
            {"LODGED": ""},
            2,
            [("AMENDED, LODGED", "a value is missing"), ("LODGED", "a value is missing")],
            id="what-is-missing-is-told-of-each",
        ),
    ],
)
def test_one_column_that_cannot_be_read_is_told_once(
    lake: Lake, tmp_path: Path, said: dict[str, str], rules: int, complaints: list[tuple[str, str]]
) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION | said])))
    (refused,) = rows_of(lake, readings(lake)[0]).iter_rows(named=True)
    assert len(refused["rules"]) == rules
    found = sorted(
        (row["column"], row["problem"].removesuffix(" or cannot be read")) for row in entries(report_of(lake))
    )
    assert found == complaints


def test_of_a_line_that_is_no_row_the_problem_and_the_mend_stand_apart(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION])
    path.write_bytes(path.read_bytes() + b"B;1\n")
    landed(lake, deliver(path))
    (entry,) = entries(report_of(lake))
    assert entry["problem"].startswith("the line has 2 fields and the header 25")
    assert entry["what_would_mend_it"].startswith("send it whole"), "not what its receiver may ask for"


@pytest.mark.parametrize("kind", sorted(WORDINGS))
def test_every_column_that_a_dialect_reads_of_a_message_has_its_place_there(kind: str) -> None:
    extracts = [one for name in sorted(dialects()) for one in dialect_of(name).extracts if one.format == kind]
    # How exact a time is follows from how it is written.
    read = {column for extract in extracts for column in extract.columns if not column.endswith("_precision")}
    assert read
    assert read <= set(WORDINGS[kind].places)


@pytest.mark.parametrize(
    ("rule", "columns", "mend"),
    [
        pytest.param("birth_date|unreadable", ("DTM+329 (birth_date)",), "CCYYMMDD with the code 102", id="a-day"),
        pytest.param("sex|unreadable", ("ATT+2 (sex)",), "agreed codes (F, M, U, X)", id="a-code"),
        pytest.param("flight_number|nullability", ("TDT number (flight_number)",), "give a value", id="nothing"),
        pytest.param("document_type|regex", ("DOC type (document_type)",), "give it as described", id="a-form"),
        pytest.param(
            "arrives_after_departure",
            ("DTM+232 (arrival_at)", "DTM+189 (departure_at)"),
            "arrives after departing",
            id="a-rule-of-the-row",
        ),
    ],
)
def test_a_sender_of_messages_is_told_their_segments(rule: str, columns: tuple[str, ...], mend: str) -> None:
    complaint = told(rule, "immigration.api_messages")
    assert complaint.columns == columns
    assert mend in complaint.mend


@pytest.mark.parametrize(
    ("rule", "message", "mend"),
    [
        pytest.param("edifact-unt-count", "x; ask for it again, or read it so", "send the message again", id="a-count"),
        pytest.param("edifact-cut", "x; ask for it again, whole", "send it again, whole", id="what-is-cut"),
        pytest.param("nmea-checksum", "x; ask for the log as recorded", "send the log as recorded", id="a-log"),
        pytest.param("pnrgov-no-traveller", "x; ask the sender whether it is so", "say whether it is so", id="a-doubt"),
    ],
)
def test_what_the_receiver_may_ask_for_is_what_the_sender_may_do(rule: str, message: str, mend: str) -> None:
    complaint = terms(CONTRACTS["immigration.api_messages"], "api_messages", dialect_of("norvale")).complaint(
        rule, message
    )
    assert complaint.problem == "x"
    assert complaint.mend.startswith(mend)


def test_no_value_of_a_row_is_in_a_report_unless_it_is_asked_for(lake: Lake, tmp_path: Path) -> None:
    bad = DECLARATION | {"IMPORTER_NAME": "CANARY-NAME", "CONVEYANCE": "CANARY-PLATE", "HS": "CANARY-HS"}
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [bad])))
    silent, full = report_of(lake), report_of(lake, with_raw=True)
    assert "CANARY" not in as_csv(silent) + as_html(silent) + str(silent)
    assert "raw" not in entries(silent)[0]
    for text in (as_csv(full), as_html(full)):
        assert "CANARY-NAME" in text
    assert "personal data" in as_html(full)


def test_a_file_that_was_refused_whole_is_one_entry(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "declarations-1.csv"
    path.write_text("another;layout\n1;2\n")
    landed(lake, deliver(path))
    (entry,) = entries(report_of(lake))
    assert (entry["line"], entry["column"]) == ("whole file", "the whole file")
    assert "header lacks" in entry["problem"]
    assert entry["what_would_mend_it"].startswith("send the file with the columns"), "not what its receiver may do"
    page = as_html(report_of(lake))
    assert "the whole file was refused" in page
    assert "Please mend it and send it again as a whole" in page


class _Strict(HTMLParser):
    """Opens and closes of every element."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.stack.append(tag)
        self.asked += [name for name, _ in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def test_the_page_stands_alone_and_takes_nothing_of_a_row_for_markup(lake: Lake, tmp_path: Path) -> None:
    bad = DECLARATION | {"HS": "<script>alert(1)</script>", "DESCRIPTION": "<b>x"}
    landed(lake, deliver(write(tmp_path / "declarations-1<i>.csv", [bad])))
    page = as_html(report_of(lake, with_raw=True))
    parser = _Strict()
    parser.feed(page)
    assert parser.stack == []
    assert parser.asked == [], "nothing is fetched"
    assert "<script>" not in page
    assert "<i>" not in page


def test_no_cell_is_a_formula_to_a_spreadsheet(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "inspections-1.ndjson", [INSPECTION])
    path.write_text('=HYPERLINK("x")\n@SUM(1)\n')
    landed(lake, deliver(path, on=date(2025, 3, 4)))
    raws = [row["raw"] for row in entries(report_of(lake, with_raw=True))]
    assert raws == ['\'=HYPERLINK("x")', "'@SUM(1)"]

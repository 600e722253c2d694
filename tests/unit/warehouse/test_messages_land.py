"""Manifests, passenger information and booking records of the simulated agencies land whole."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from agency import declare, landed, norvale

from simulation import simulate
from warehouse import streaming
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
from warehouse.contracts import CONTRACTS
from warehouse.contracts.base import Purpose
from warehouse.corrected import with_corrections
from warehouse.delivery import Delivery, delivery
from warehouse.delta import Lake
from warehouse.ids import row_digest
from warehouse.ledger import Account
from warehouse.quarantine import readings
from warehouse.readers import Part

DATASETS = ("customs.manifests", "immigration.api_messages", "immigration.pnr_messages")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world")
    simulate(date(2025, 1, 1), days=2, scale=0.1, seed=3, out=out, extended=True)
    return out / "inbox"


def deliveries(inbox: Path, name: str) -> list[Delivery]:
    domain, dataset = name.split(".")
    files = sorted((inbox / domain / dataset).glob("*.edi"))
    return [_delivery(path, domain, dataset) for path in files]


def _delivery(path: Path, domain: str, dataset: str) -> Delivery:
    return delivery(
        path,
        agency=domain,
        domain=domain,
        dataset=dataset,
        jurisdiction="XN",
        dialect=norvale(),
        arrived_on=date(2025, 1, 2),
    )


def refusals(accounts: Sequence[Account]) -> list[dict[str, int]]:
    return [account.by_rule for account in accounts if account.rows_refused or account.reason]


@pytest.mark.parametrize("name", DATASETS)
def test_every_row_of_the_simulated_files_lands(inbox: Path, lake: Lake, name: str) -> None:
    accounts = landed(lake, *deliveries(inbox, name))
    assert accounts
    assert refusals(accounts) == []
    rows = lake.scan(BRONZE[name]).collect()
    # The sidecar's own count has been checked against the file.
    assert rows.height == sum(account.rows_landed for account in accounts) > 0
    assert rows["event_id"].is_unique().all()


def test_the_same_people_are_told_by_both_messages(inbox: Path, lake: Lake) -> None:
    for name in DATASETS[1:]:
        landed(lake, *deliveries(inbox, name))
    api, pnr = (lake.scan(BRONZE[name]).collect() for name in DATASETS[1:])
    assert (api["known_at"] < api["arrival_at"]).all(), "told before anybody lands"
    on = ["record_locator", "flight_number", "birth_date", "nationality", "departed_from", "departure_at"]
    assert api.height == pnr.height
    assert api.join(pnr, on=on, how="semi").height == api.height
    # Now and then a document's number is mistyped at check-in.
    assert 0.9 * api.height < api.join(pnr, on=[*on, "document_number"], how="semi").height <= api.height
    booking = ["record_locator", "flight_number", "departure_at"]
    parties = pnr.group_by(booking).agg(pl.col("party_size").first(), rows=pl.len())
    assert (parties["party_size"] == parties["rows"]).all()


@pytest.mark.parametrize("name", DATASETS)
def test_a_message_sent_again_tells_of_the_same_events(inbox: Path, lake: Lake, tmp_path: Path, name: str) -> None:
    first = deliveries(inbox, name)[0]
    text = first.path.read_text("ascii")
    unb = text.splitlines()[1]
    later = tmp_path / "again.edi"
    later.write_text(text.replace(unb, unb.replace(":2300+", ":2345+")).replace("\n", ""))
    assert later.read_text() != text
    domain, dataset = name.split(".")
    accounts = landed(lake, first) + landed(
        lake, _delivery(later, domain, dataset), at=datetime(2025, 1, 5, tzinfo=UTC)
    )
    assert [account.rows_landed for account in accounts] == [accounts[0].rows_landed] * 2
    rows = lake.scan(BRONZE[name]).collect()
    said = rows.select(row_digest(rows, CONTRACTS[name].content())).to_series()
    assert rows["event_id"].n_unique() == said.n_unique() == accounts[0].rows_landed


def test_a_broken_message_goes_to_quarantine_and_the_others_land(inbox: Path, lake: Lake, tmp_path: Path) -> None:
    (source, *_) = deliveries(inbox, "immigration.api_messages")
    lines = source.path.read_text("ascii").splitlines()
    broken = [
        line.replace("UNT+", "UNT+9") if line.endswith("+1'") and line.startswith("UNT") else line for line in lines
    ]
    assert broken != lines
    copy = tmp_path / "api_messages.edi"
    copy.write_text("\n".join(broken))
    (account,) = landed(lake, _delivery(copy, "immigration", "api_messages"))
    assert account.by_rule == {"edifact-unt-count": 1}
    assert account.rows_landed > 0
    (refused,) = lake.scan(QUARANTINE["immigration.api_messages"]).collect().to_dicts()
    assert refused["source_line"] == 3
    assert refused["raw"].startswith("UNH+1+PAXLST")
    declare(copy, rows=5)
    (whole,) = landed(lake, _delivery(copy, "immigration", "api_messages"))
    assert whole.status != "refused", "the batch is known by its content"


def of_one_message(inbox: Path, name: str) -> list[str]:
    """The segments of a simulated file up to the end of its first message, and its trailer."""
    (source, *_) = deliveries(inbox, name)
    text = source.path.read_text("ascii").splitlines()
    end = next(at for at, segment in enumerate(text) if segment.startswith("UNT+"))
    trailer = text[-1].split("+")
    return [*text[: end + 1], f"UNZ+1+{trailer[2]}"]


def anew(segments: Sequence[str]) -> list[str]:
    """The same message in an interchange of another reference."""
    unb, unz = segments[1].split("+"), segments[-1].split("+")
    return [segments[0], "+".join([*unb[:5], "NEW'", *unb[6:]]), *segments[2:-1], f"{unz[0]}+{unz[1]}+NEW'"]


def without_one(segments: Sequence[str], begins: tuple[str, ...]) -> list[str]:
    """The message without the last traveller or consignment."""
    at = max(at for at, segment in enumerate(segments) if segment.startswith(begins))
    left = [segment for segment in segments[:at] if not segment.startswith(("CNT+42", "EQN"))]
    return [*left, f"UNT+{len(left) - 1}+{segments[2].split('+')[1]}'", segments[-1]]


BREAKS = {
    "a-wrong-count": lambda segments: [*segments[:-2], segments[-2].replace("UNT+", "UNT+9"), segments[-1]],
    "no-end": lambda segments: [*segments[:-2], segments[-1]],
    "cut": lambda segments: [*segments[:-2], "DTM+3"],
    "a-wrong-trailer": lambda segments: [*segments[:-1], segments[-1].replace("UNZ+1", "UNZ+2")],
}


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("name", DATASETS)
def test_a_message_that_was_refused_is_answered_once_all_that_can_be_read_in_it_has_landed(
    inbox: Path, lake: Lake, tmp_path: Path, name: str, how: str
) -> None:
    segments = of_one_message(inbox, name)
    begins = ("NAD+F", "TIF", "CNI")

    def send(number: int, said: Sequence[str]) -> Account:
        path = tmp_path / f"sent-{number}.edi"
        path.write_text("\n".join(said))
        at = datetime(2025, 1, 2 + number, tzinfo=UTC)
        (account,) = landed(lake, _delivery(path, *name.split(".")), at=at)
        return account

    def state() -> list[tuple[int, int, tuple[str, ...]]]:
        found = with_corrections(lake, readings(lake), lambda _: norvale())
        return [(one.rows_refused, one.rows_open, one.corrected_by) for one in found if one.rows_refused]

    assert send(0, BREAKS[how](segments)).rows_refused >= 1
    ((refused, still_open, _),) = state()
    assert still_open == refused
    send(1, anew(without_one(segments, begins)))
    assert state() == [(refused, refused, ())]
    again = send(2, anew(segments))
    ends = 1 if how == "cut" else 0  # Of the end that is missing nothing says what it was of.
    assert again.rows_landed > 1
    assert state() == [(refused, ends, (again.batch_id,))]


def test_a_value_that_cannot_be_read_is_refused_by_its_column(inbox: Path, lake: Lake, tmp_path: Path) -> None:
    (source, *_) = deliveries(inbox, "immigration.api_messages")
    text = source.path.read_text("ascii")
    birth = next(line for line in text.splitlines() if line.startswith("DTM+329"))
    copy = tmp_path / "api_messages.edi"
    copy.write_text(text.replace(birth, "DTM+329:991345'", 1).replace("ATT+2++F'", "ATT+2++Q'", 1))
    (account,) = landed(lake, _delivery(copy, "immigration", "api_messages"))
    assert set(account.by_rule) <= {"birth_date|unreadable", "sex|unreadable"}
    assert 1 <= account.rows_refused <= 2


@pytest.mark.parametrize(
    ("bgm", "is_cancelling"),
    [
        pytest.param("BGM+745+XR'", True, id="bookings-given-up"),
        pytest.param("BGM+745+RP'", True, id="a-party-made-smaller"),
        pytest.param("BGM+266+XF'", True, id="a-flight-that-does-not-go"),
        pytest.param("BGM+266+CLNB'", True, id="not-on-board-at-close-out"),
        pytest.param("BGM+745++1'", True, id="the-function-cancels"),
        pytest.param("BGM+266+CLOB'", False, id="on-board-at-close-out"),
        pytest.param("BGM+745+CP+9'", False, id="changed-data-of-who-travels"),
        pytest.param("BGM+745'", False, id="a-plain-list"),
    ],
)
def test_a_list_that_cancels_is_refused_by_name_and_lands_nobody(
    inbox: Path, lake: Lake, tmp_path: Path, bgm: str, is_cancelling: bool
) -> None:
    (source, *_) = deliveries(inbox, "immigration.api_messages")
    text = source.path.read_text("ascii")
    copy = tmp_path / "api_messages.edi"
    copy.write_text(text.replace("BGM+745'", bgm, 1))
    (account,) = landed(lake, _delivery(copy, "immigration", "api_messages"))
    travellers = text[: text.index("UNT+")].count("NAD+FL")
    assert account.by_rule == ({"list-cancels": travellers} if is_cancelling else {})
    assert account.rows_read == text.count("NAD+FL")


LENIENT = {'format = "pnrgov"': 'format = "pnrgov"\noptions = { control = "lenient" }'}


def test_what_a_lenient_dialect_lets_pass_lands_and_is_in_the_ledger(inbox: Path, lake: Lake, tmp_path: Path) -> None:
    (source, *_) = deliveries(inbox, "immigration.pnr_messages")
    copy = tmp_path / "pnr_messages.edi"
    copy.write_text(source.path.read_text("ascii").replace("UNT+", "UNT+9"))
    strict = _delivery(copy, "immigration", "pnr_messages")
    (refused,) = landed(lake, strict)
    assert set(refused.by_rule) == {"edifact-unt-count"}
    (account,) = landed(lake, replace(strict, dialect=norvale(9, LENIENT)))
    messages = copy.read_text().count("UNH+")
    assert account.notes.let_pass == {"edifact-unt-count": messages} == refused.by_rule
    assert account.rows_landed > 0 == account.rows_refused
    told = lake.scan(LEDGER).sort("landed_at", "dialect_version").collect()["let_pass_by_rule"].to_list()
    assert told == [None, json.dumps({"edifact-unt-count": messages})]


@pytest.mark.parametrize("large", [False, True], ids=["with-others", "by-itself"])
def test_parts_of_a_report_are_in_the_ledger(
    inbox: Path, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr(streaming, "LARGE_BYTES", 1)
    (source, *_) = deliveries(inbox, "immigration.pnr_messages")
    lines = source.path.read_text("ascii").splitlines()
    headers = [at for at, line in enumerate(lines) if line.startswith("UNH+")]
    for at, told in zip(headers, ("XY9/250102+01:C", "XY9/250102+02", "XY7/250102+01:F", "+03:F"), strict=False):
        lines[at] = f"{lines[at][:-1]}+{told}'"
    copy = tmp_path / "pnr_messages.edi"
    copy.write_text("\n".join(lines))
    (account,) = landed(lake, _delivery(copy, "immigration", "pnr_messages"))
    assert [(part.of.partition("/")[2], part.number, part.mark) for part in account.notes.parts] == [
        ("XY9/250102", 1, "C"),
        ("XY9/250102", 2, ""),
    ], "one that is whole, and one without a reference, are parts of nothing"
    (told,) = lake.scan(LEDGER).collect()["parts"]
    assert [Part(*one) for one in json.loads(told)] == list(account.notes.parts)


def test_booking_records_serve_no_ordinary_purpose() -> None:
    assert CONTRACTS["immigration.pnr_messages"].purposes == {Purpose.PNR_ASSESSMENT}
    others = [contract for name, contract in CONTRACTS.items() if name != "immigration.pnr_messages"]
    assert not any(Purpose.PNR_ASSESSMENT in contract.purposes for contract in others)
    assert CONTRACTS["immigration.pnr_messages"].retention_days <= 5 * 365
    kept = {name: CONTRACTS[f"immigration.{name}"].retention_days for name in ("api_messages", "crossings")}
    assert kept["api_messages"] < kept["crossings"]

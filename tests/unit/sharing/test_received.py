"""Who received a record: told of the very files that held it, however often keys change and rows are taken back."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.leak_world import BEGAN
from sharing.audit import Action, Entry
from sharing.received import Receipt, Tracing
from sharing.server.urls import Signer
from sharing.shares import Share
from tests.unit.sharing.house import KEEP, PSEUDONYM, SCORES, House, agreed, refreshed, scores
from warehouse.agreements import SharedTable

SIGNER = Signer(b"k" * 32)
SHARED = SharedTable(SCORES.name, {"score_id": PSEUDONYM, "event_id": PSEUDONYM, "location": KEEP}, has_changes=True)
LATER = BEGAN + timedelta(hours=1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path, random.Random(0))
    made.append(SCORES.name, scores(made.draw, 30))
    return made


def served(house: House, share: Share) -> list[Entry]:
    """Lines of the log once the recipient has fetched every file that there is now."""
    snapshot = house.lake.snapshot(share.table)
    assert snapshot is not None
    return [
        Entry(
            at=BEGAN,
            action=Action.FILE,
            recipient=share.agreement.recipient.code,
            agreement_id=str(share.agreement),
            table=share.source.name,
            version=snapshot.version,
            purpose="customs-risk-management",
            file_id=SIGNER.file_id(snapshot.table_id, file.path),
        )
        for file in snapshot.files
    ]


def traced(house: House, share: Share, log: list[Entry], named: str) -> list[Receipt]:
    tracing = Tracing(house.lake, (share.agreement,), house.keys, SIGNER.file_id, LATER)
    return tracing.receipts(log, [named])


def test_a_record_is_traced_to_the_files_that_hold_it_and_to_no_other(house: House) -> None:
    share = agreed(SHARED)
    refreshed(house, share)
    log = served(house, share)
    for row in house.rows[SCORES.name]:
        days = {one["event_date"] for one in house.rows[SCORES.name] if one["event_id"] == row["event_id"]}
        found = traced(house, share, log, row["event_id"])
        assert len(found) == len(days)
        assert {(one.recipient, one.agreement_id, one.state) for one in found} == {
            (share.agreement.recipient.code, str(share.agreement), "certain")
        }
    assert traced(house, share, log, "nobody") == []


def test_what_was_listed_and_never_fetched_was_not_received(house: House) -> None:
    share = agreed(SHARED)
    refreshed(house, share)
    log = [replace(one, action=Action.URL) for one in served(house, share)]
    assert traced(house, share, log, house.rows[SCORES.name][0]["event_id"]) == []


def test_a_file_that_is_gone_may_have_held_what_its_day_has(house: House) -> None:
    share = agreed(replace(SHARED, has_changes=False))
    refreshed(house, share)
    log = served(house, share)
    house.keys.rotate(share.agreement.recipient.code)
    refreshed(house, share, LATER)
    row = house.rows[SCORES.name][0]
    before = traced(house, share, log, row["event_id"])
    assert {one.state for one in before} == {"possible"}
    assert {one.state for one in traced(house, share, served(house, share), row["event_id"])} == {"certain"}


def test_a_rotated_key_is_no_loss_before_the_share_is_made_anew(house: House) -> None:
    share = agreed(SHARED)
    refreshed(house, share)
    log = served(house, share)
    house.keys.rotate(share.agreement.recipient.code)
    found = traced(house, share, log, house.rows[SCORES.name][0]["event_id"])
    assert {one.state for one in found} == {"certain"}


def test_of_an_agreement_that_is_gone_it_is_possible_by_day(house: House) -> None:
    share = agreed(SHARED)
    refreshed(house, share)
    log = served(house, share)
    tracing = Tracing(house.lake, (), house.keys, SIGNER.file_id, LATER)
    found = tracing.receipts(log, [house.rows[SCORES.name][0]["event_id"]])
    assert {one.state for one in found} == {"possible"}

"""Shares are kept as other tables are: what is damaged of one is found, and comes back from the lake where it may."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.leak_twin import served
from benchmarks.leak_world import BEGAN, draw_rows
from sharing.dictionary import Dictionary
from sharing.keeping import Deriving, every_share, vacuum
from sharing.materialise import refresh, refresh_dictionary
from sharing.progress import standing
from sharing.shares import Share
from tests.unit.sharing.house import PLAIN, SCORES, House, agreed, refreshed
from warehouse.agreements import Agreement
from warehouse.catalog import Table, table_of
from warehouse.errors import BorderlakeError
from warehouse.findings import Finding, Kind
from warehouse.repair import Step, Workshop
from warehouse.verify import verify

LATER = datetime.now(UTC) + timedelta(hours=1)
"""When whatever is half there has been so for long enough to be called damage."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path, random.Random(0))
    made.append(SCORES.name, draw_rows(made.draw, SCORES, 60))
    return made


@pytest.fixture
def share(house: House) -> Share:
    made = agreed(PLAIN)
    refreshed(house, made)
    refresh_dictionary(house.lake, Dictionary(made.agreement), BEGAN)
    return made


def found(house: House, *tables: Table) -> list[Finding]:
    return verify(house.lake, tables or every_share(house.lake), LATER, deep=True)


def repaired(house: House, *agreements: Agreement, also: tuple[Table, ...] = ()) -> list[Step]:
    tables = (*every_share(house.lake), *also)
    deriving = Deriving(house.lake, lambda: agreements, house.keys, BEGAN)
    workshop = Workshop(house.lake, LATER, lambda _: None, {one.name: one for one in tables}, deriving.plan)
    steps = list(workshop.plan(found(house, *tables)))
    for step in steps:
        if step.run is not None:
            step.run()
    return steps


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_every_share_is_known_whatever_is_left_of_it(house: House, share: Share) -> None:
    names = [share.name, Dictionary(share.agreement).name]
    assert [one.name for one in every_share(house.lake)] == sorted(names)
    for one in house.lake.store.list("_shares"):
        house.lake.store.delete(one.path)
    for one in house.lake.store.list("shares"):
        house.lake.store.delete(one.path)
    assert [one.name for one in every_share(house.lake)] == sorted(names)


def test_a_sound_share_has_no_findings(house: House, share: Share) -> None:
    house.append(SCORES.name, draw_rows(house.draw, SCORES, 20))
    refreshed(house, share, BEGAN + timedelta(days=1))
    assert found(house) == []


@pytest.mark.parametrize("harm", [flip, Path.unlink], ids=["a-flipped-bit", "a-file-that-is-gone"])
def test_damage_is_found_and_the_share_cut_anew(house: House, share: Share, harm) -> None:
    harm(house.files(share)[0])
    kinds = {one.kind for one in found(house)}
    assert kinds & {Kind.DAMAGED_FILE, Kind.MISSING_FILE}
    (step,) = [one for one in repaired(house, share.agreement) if one.finding.kind in kinds and one.is_safe][:1]
    assert SCORES.name in step.what
    assert found(house) == []
    assert served(house.folder(share)) == house.due(share, BEGAN)


def test_of_a_damaged_file_of_the_past_the_past_is_given_up_and_no_row(house: House, share: Share) -> None:
    first = house.files(share)[0]
    rows = house.rows[SCORES.name]
    house.replace(SCORES.name, rows[:10], sorted({one["event_date"] for one in rows}))
    at = BEGAN + timedelta(hours=1)
    refreshed(house, share, at)
    flip(first)
    assert {one.path for one in found(house)} == {str(first.relative_to(house.folder(share)))}
    (step,) = repaired(house, share.agreement)
    assert "of the past" in step.what
    assert found(house) == []
    assert served(house.folder(share)) == house.due(share, at)
    progress = standing(house.lake, share.table).progress
    assert progress is not None
    assert progress.since == house.lake.version(share.table)
    assert refreshed(house, share, at + timedelta(hours=1)).rows_added == 0


def test_a_damaged_dictionary_is_written_anew(house: House, share: Share) -> None:
    dictionary = Dictionary(share.agreement)
    (file,) = Path(house.lake.uri(dictionary.table)).glob("*.parquet")
    flip(file)
    repaired(house, share.agreement)
    assert found(house) == []
    assert house.lake.scan(dictionary.table).collect().equals(dictionary.rows)


def test_a_share_is_not_cut_from_a_source_that_is_damaged(house: House, share: Share) -> None:
    flip(house.files(share)[0])
    flip(next(Path(house.lake.uri(SCORES)).rglob("*.parquet")))
    steps = repaired(house, share.agreement, also=(table_of(SCORES.name),))
    (refused,) = [one for one in steps if one.finding.table == share.name]
    assert not refused.is_safe
    assert "damaged too" in refused.what


def test_a_share_that_no_agreement_in_force_speaks_of_is_not_cut(house: House, share: Share) -> None:
    flip(house.files(share)[0])
    (refused,) = repaired(house)
    assert "no agreement in force" in refused.what

    def unreadable() -> tuple[Agreement, ...]:
        raise BorderlakeError("norvale.yaml line 3: not a date")

    deriving = Deriving(house.lake, unreadable, house.keys, BEGAN)
    with pytest.raises(BorderlakeError, match="line 3"):
        deriving.plan(share.table, [one.path for one in house.lake.files(share.table)], [])


def test_a_lost_commit_comes_back_and_the_share_goes_on(house: House, share: Share) -> None:
    log = house.folder(share) / "_delta_log"
    max(log.glob("*.json")).unlink()
    assert {one.kind for one in found(house)} == {Kind.LOST_COMMIT}
    repaired(house, share.agreement)
    assert found(house) == []
    assert refreshed(house, share, BEGAN + timedelta(hours=1)).rows_added == 0


def test_a_vacuum_takes_what_a_stopped_refresh_left_and_nothing_that_a_reader_may_ask_for(house: House) -> None:
    made = agreed(PLAIN)  # With its changes: files that were taken back are still needed.
    refreshed(house, made)
    rows = house.rows[SCORES.name]
    house.replace(SCORES.name, rows[:10], sorted({one["received_on"] for one in rows}))
    refresh(house.lake, made.agreement, made.shared, house.keys, BEGAN + timedelta(hours=1))
    before = set(house.files(made))
    left = house.folder(made) / "abcd" / "part-left.parquet"
    left.parent.mkdir()
    left.write_bytes(b"PAR1")
    at = BEGAN + timedelta(hours=2)
    assert vacuum(house.lake, made.table, at) == ["abcd/part-left.parquet"]
    assert left.exists()
    vacuum(house.lake, made.table, at, dry_run=False)
    assert set(house.files(made)) == before
    assert vacuum(house.lake, made.table, BEGAN + timedelta(days=40)) != []
    assert found(house) == []

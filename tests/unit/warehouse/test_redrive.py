"""Redrive: what a mended dialect makes good lands once, in place of the earlier reading; nothing else moves."""

import multiprocessing
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from agency import AT, DAY, DECLARATION, INSPECTION, NORVALE, declare, deliver, landed, norvale, write

from warehouse import landing
from warehouse.agencies import agencies
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, SHIPMENTS
from warehouse.conform import conform, live_batches
from warehouse.contracts import CONTRACTS
from warehouse.delivery import Delivery, sidecar_of, to_keep
from warehouse.delta import Lake
from warehouse.dialect import dialect_of
from warehouse.errors import BorderlakeError
from warehouse.ledger import KNOWN, unaccounted
from warehouse.quarantine import readings, rows_of
from warehouse.redrive import Files, Prospect, open_readings, prospects

LATER = AT + timedelta(days=1)
CONTRACT = CONTRACTS["customs.declarations"]
SHIPPED = dialect_of("norvale").version
TABLES = (BRONZE[CONTRACT.name], QUARANTINE[CONTRACT.name], LEDGER)
CHINESE = DECLARATION | {"DECL_NO": "B", "ORIGIN": "PRC"}
CODES = {'country_of_origin = "ORIGIN"': 'country_of_origin = { column = "ORIGIN", codes = { DE = "DE", PRC = "CN" } }'}
"""The mend: the office's own code of a country."""


def mended(folder: Path, version: int = SHIPPED + 1, changes: Mapping[str, str] = CODES) -> Path:
    """A deployment's folder of dialects in which Norvale's has changed."""
    text = re.sub(r"version = \d+", f"version = {version}", NORVALE, count=1)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    folder.mkdir()
    (folder / "norvale.toml").write_text(text)
    return folder


def place(archive: Path, item: Delivery) -> Path:
    """Where the archive keeps a file, as if it had come from an inbox."""
    return archive / str(to_keep(item, item.path.parent, archive).archived_as)


def kept(archive: Path, item: Delivery) -> Delivery:
    """Move a landed file and its sidecar to the archive."""
    target = place(archive, item)
    target.parent.mkdir(parents=True, exist_ok=True)
    if sidecar_of(item.path).exists():
        shutil.move(sidecar_of(item.path), sidecar_of(target))
    shutil.move(item.path, target)
    return item


def files_of(home: Path, dialects: Path | None = None, **options: object) -> Files:
    return Files(home / "archive", agencies(home / "none.toml"), dialects, **options)  # type: ignore[arg-type]


def plan(lake: Lake, files: Files, names: Sequence[str] = ()) -> list[Prospect]:
    found = readings(lake)
    return list(prospects(found, open_readings(found, names)[0], files, LATER))


def landing_of(lake: Lake, home: Path, *records: Mapping[str, object], version: int = SHIPPED) -> Delivery:
    """A file that has landed under Norvale's dialect and lies in the archive."""
    item = deliver(write(home / "declarations-1.csv", records), norvale(version))
    landed(lake, item)
    return kept(home / "archive", item)


def versions(lake: Lake) -> list[int | None]:
    return [lake.version(table) for table in TABLES]


def test_planning_counts_what_landing_would_and_writes_nothing(lake: Lake, tmp_path: Path) -> None:
    landing_of(lake, tmp_path, DECLARATION, CHINESE, DECLARATION | {"HS": "none"})
    before = versions(lake)
    (prospect,) = plan(lake, files_of(tmp_path, mended(tmp_path / "v4")))
    assert (prospect.landed_before, prospect.landed_after) == (1, 2)
    assert (prospect.refused_before, prospect.refused_after) == (2, 1)
    assert prospect.held is None
    assert versions(lake) == before


def test_what_is_mended_lands_in_place_of_the_earlier_reading_and_history_stays(lake: Lake, tmp_path: Path) -> None:
    old = landing_of(lake, tmp_path, DECLARATION, CHINESE)
    conform(lake, SHIPMENTS, [DAY], b"k" * 32)
    assert lake.scan(SHIPMENTS).collect().height == 1
    (prospect,) = plan(lake, files_of(tmp_path, mended(tmp_path / "v4")))
    assert prospect.delivery is not None
    accounts = landed(lake, prospect.delivery, at=LATER)
    assert unaccounted(lake, accounts) == {}
    assert live_batches(lake, CONTRACT)["batch_id"].to_list() == [prospect.delivery.batch_id]
    new, before = readings(lake)
    assert (new.file_name, new.received_on) == (before.file_name, before.received_on) == ("declarations-1.csv", DAY)
    assert (before.batch_id, before.replaced_by) == (old.batch_id, new.batch_id)
    assert rows_of(lake, before)["rules"].to_list() == [["country_of_origin|check"]], "what was refused stays readable"
    conform(lake, SHIPMENTS, [DAY], b"k" * 32)
    silver = lake.scan(SHIPMENTS).collect().sort("declaration_id")
    assert silver["country_of_origin"].to_list() == ["DE", "CN"]
    assert set(silver["batch_id"]) == {new.batch_id}


def test_a_second_redrive_finds_nothing_to_do(lake: Lake, tmp_path: Path) -> None:
    landing_of(lake, tmp_path, DECLARATION, CHINESE)
    files = files_of(tmp_path, mended(tmp_path / "v4"))
    (prospect,) = plan(lake, files)
    assert prospect.delivery is not None
    landed(lake, prospect.delivery, at=LATER)
    assert plan(lake, files) == []
    assert [account.status for account in landed(lake, prospect.delivery, at=LATER)] == [KNOWN]


def held(prospect: Prospect) -> str:
    assert prospect.held is not None
    return prospect.held


def test_a_dialect_of_the_same_version_changes_nothing_and_says_what_to_do(lake: Lake, tmp_path: Path) -> None:
    landing_of(lake, tmp_path, DECLARATION, CHINESE)
    (prospect,) = plan(lake, files_of(tmp_path))
    assert held(prospect) == f"dialect 'norvale' is still version {SHIPPED}"


def test_a_contract_that_has_changed_alone_asks_for_the_dialects_version_as_well(lake: Lake, tmp_path: Path) -> None:
    landing_of(lake, tmp_path, DECLARATION, CHINESE)
    found = [replace(one, contract_version=one.contract_version - 1) for one in readings(lake)]
    (prospect,) = prospects(found, found, files_of(tmp_path), LATER)
    version = CONTRACTS["customs.declarations"].version
    assert f"customs.declarations is now version {version}: raise the dialect's version as well" in held(prospect)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({'hs_code = "HS"': 'hs_code = "OFFICE"'}, "fewer rows would land than stand", id="it-loses-rows"),
        pytest.param({'hs_code = "HS"': 'hs_code = "TARIFF"'}, "refused as a whole: the header lacks", id="no-header"),
        pytest.param({'procedure = "PROCEDURE"\n': ""}, "no row more would land", id="it-mends-something-else"),
    ],
)
def test_a_dialect_that_does_not_help_leaves_the_file_as_it_is(
    lake: Lake, tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    landing_of(lake, tmp_path, DECLARATION, CHINESE)
    (prospect,) = plan(lake, files_of(tmp_path, mended(tmp_path / "v4", SHIPPED + 1, changes)))
    assert message in held(prospect)


def test_a_file_that_was_refused_whole_lands_once_its_dialect_reads_it(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION, CHINESE])
    path.write_text(path.read_text("iso-8859-1").replace("LODGED", "LOGGED"), "iso-8859-1")
    item = deliver(path, norvale(SHIPPED))
    landed(lake, item)
    kept(tmp_path / "archive", item)
    (prospect,) = plan(lake, files_of(tmp_path, mended(tmp_path / "v4", SHIPPED + 1, {"LODGED": "LOGGED"})))
    assert (prospect.held, prospect.landed_after, prospect.refused_after) == (None, 1, 1)
    assert prospect.delivery is not None
    landed(lake, prospect.delivery, at=LATER)
    assert [(one.is_whole_file, one.is_open) for one in readings(lake)] == [(False, True), (True, False)]


def test_the_sidecar_counts_again_with_its_file(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION, CHINESE])
    declare(path, rows=2, extracted_at="2025-03-01T05:00:00+00:00")
    item = deliver(path, norvale(SHIPPED))
    landed(lake, item)
    kept(tmp_path / "archive", item)
    (prospect,) = plan(lake, files_of(tmp_path, mended(tmp_path / "v4")))
    assert prospect.delivery is not None
    assert prospect.delivery.sidecar.rows == 2
    assert prospect.delivery.received_on == item.received_on != DAY


def test_a_file_that_the_archive_does_not_hold_is_read_from_the_path_it_is_given(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION, CHINESE])
    landed(lake, deliver(path, norvale(SHIPPED)))
    dialects = mended(tmp_path / "v4")
    (prospect,) = plan(lake, files_of(tmp_path, dialects))
    assert "archive does not hold it" in held(prospect)
    moved = path.rename(tmp_path / "elsewhere.csv")
    found = readings(lake)
    wanted, paths = open_readings(found, [str(moved)])
    (prospect,) = prospects(found, wanted, files_of(tmp_path, dialects, given=paths), LATER)
    assert (prospect.held, prospect.landed_after) == (None, 2)
    assert prospect.delivery is not None
    assert prospect.delivery.file_name == "declarations-1.csv"


def test_an_archived_file_with_other_bytes_is_not_read(lake: Lake, tmp_path: Path) -> None:
    item = landing_of(lake, tmp_path, DECLARATION, CHINESE)
    place(tmp_path / "archive", item).write_text("other")
    (prospect,) = plan(lake, files_of(tmp_path, mended(tmp_path / "v4")))
    assert "archive does not hold it" in held(prospect)


def test_only_what_is_named_is_read_again(lake: Lake, tmp_path: Path) -> None:
    for number in ("1", "2"):
        item = deliver(
            write(tmp_path / f"declarations-{number}.csv", [CHINESE | {"DECL_NO": number}]), norvale(SHIPPED)
        )
        landed(lake, item)
        kept(tmp_path / "archive", item)
    files = files_of(tmp_path, mended(tmp_path / "v4"))
    assert len(plan(lake, files)) == 2
    assert [one.file_name for one in plan(lake, files, ["declarations-2.csv"])] == ["declarations-2.csv"]
    with pytest.raises(BorderlakeError, match="no such file was read here"):
        plan(lake, files, ["declarations-3.csv"])


def test_a_prospect_and_what_is_said_of_it_hold_no_value_of_a_row(lake: Lake, tmp_path: Path) -> None:
    landing_of(lake, tmp_path, DECLARATION | {"IMPORTER_NAME": "CANARY"}, CHINESE | {"IMPORTER_NAME": "CANARY"})
    risky = {'procedure = "PROCEDURE"': "procedure = { sql = \"STRPTIME(IMPORTER_NAME, '%Y')\" }"}
    for folder, changes in (("v4", CODES), ("v5", risky)):
        (prospect,) = plan(lake, files_of(tmp_path, mended(tmp_path / folder, SHIPPED + 1, changes)))
        assert "CANARY" not in str(prospect)


@pytest.mark.parametrize("table", ["quarantine", "ledger"])
def test_a_redrive_that_is_cut_short_leaves_the_earlier_reading_and_the_next_lands_once(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    old = landing_of(lake, tmp_path, DECLARATION, CHINESE, DECLARATION | {"HS": "none"})
    files = files_of(tmp_path, mended(tmp_path / "v4"))
    append = Lake.append

    def crash(self: Lake, target: object, *args: object, **options: object) -> int:
        if target.layer == table:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        return append(self, target, *args, **options)  # type: ignore[arg-type]

    (prospect,) = plan(lake, files)
    assert prospect.delivery is not None
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append", crash)
        with pytest.raises(KeyboardInterrupt):
            landed(lake, prospect.delivery, at=LATER)
    assert live_batches(lake, CONTRACT)["batch_id"].to_list() == [old.batch_id]
    (again,) = plan(lake, files)
    assert again.delivery is not None
    accounts = landed(lake, again.delivery, at=LATER + timedelta(hours=1))
    assert [(account.rows_landed, account.rows_refused) for account in accounts] == [(2, 1)]
    assert unaccounted(lake, accounts) == {}
    assert live_batches(lake, CONTRACT)["batch_id"].to_list() == [again.delivery.batch_id]
    assert [lake.scan(held_in).collect().height for held_in in TABLES] == [1 + 2, 2 + 1, 2]


def _redrive(home: str, root: str, gate: "multiprocessing.synchronize.Barrier") -> None:
    lake = Lake(root)
    planned = plan(lake, files_of(Path(home), Path(home) / "v4"))
    gate.wait(60)
    for prospect in planned:  # One commit a file, so that the two meet often.
        assert prospect.delivery is not None
        landed(lake, prospect.delivery, at=LATER)


def test_two_redrives_at_once_land_each_row_once(lake: Lake, tmp_path: Path) -> None:
    count = 4
    for number in range(count):
        records = [DECLARATION | {"DECL_NO": f"{number}a"}, CHINESE | {"DECL_NO": f"{number}b"}]
        item = deliver(write(tmp_path / f"declarations-{number}.csv", records), norvale(SHIPPED))
        landed(lake, item)
        kept(tmp_path / "archive", item)
    mended(tmp_path / "v4")
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(2)
    workers = [spawn.Process(target=_redrive, args=(str(tmp_path), lake.root, gate)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    live = lake.scan(TABLES[0]).collect().join(live_batches(lake, CONTRACT), on="batch_id", how="semi")
    assert sorted(live["declaration_id"]) == [f"{number}{letter}" for number in range(count) for letter in "ab"]
    assert [lake.scan(table).collect().height for table in TABLES] == [count * 3, count, count * 2]
    assert not [one for one in readings(lake) if one.is_open]


BOTH = {
    '[[extract.output]]\ncontract = "customs.inspections"': """[[extract.output]]
contract = "customs.withdrawals"
[extract.output.columns]
event_at = { column = "inspectedAt", time = "iso" }
event_precision = { value = "second" }
event_tz = { value = "Europe/Vienna" }
known_at = { column = "reportedAt", time = "iso" }
declaration_id = "declarationNumber"
goods_item_number = "itemNumber"

[[extract.output]]
contract = "customs.inspections\""""
}
"""An extract of inspections that gives withdrawals as well."""
TIPS = {
    'selection = "selection"\nselection_probability = "selectionProbability"\nis_irregular': """\
selection = { column = "selection", codes = { random = "random", tip = "intelligence" } }
selection_probability = "selectionProbability"
is_irregular"""
}


def test_what_one_contract_gains_does_not_pay_for_what_another_loses(lake: Lake, tmp_path: Path) -> None:
    records = [INSPECTION, INSPECTION | {"itemNumber": 2, "selection": "tip"}]
    item = deliver(write(tmp_path / "inspections-1.ndjson", records), norvale(SHIPPED, BOTH))
    landed(lake, item)
    kept(tmp_path / "archive", item)
    (gain,) = plan(lake, files_of(tmp_path, mended(tmp_path / "v4", SHIPPED + 1, BOTH | TIPS)))
    assert (gain.held, gain.landed_before, gain.landed_after) == (None, 3, 4)
    no_items = {old: new.replace('number = "itemNumber"', "number = { value = 0 }") for old, new in BOTH.items()}
    (loss,) = plan(lake, files_of(tmp_path, mended(tmp_path / "v5", SHIPPED + 1, no_items | TIPS)))
    assert "customs.withdrawals 2 -> 0" in held(loss)


def test_two_readings_under_different_versions_entered_at_once_supersede_one_another(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were made while the first reading stood; what is entered second supersedes what was entered first."""
    landing_of(lake, tmp_path, DECLARATION, CHINESE)
    one, other = SHIPPED + 1, SHIPPED + 2
    found = {
        version: plan(lake, files_of(tmp_path, mended(tmp_path / f"v{version}", version)))[0].delivery
        for version in (one, other)
    }
    entered, is_first = landing.ledger_rows, [True]

    def beside_another(*told: Any) -> pl.DataFrame:
        rows = entered(*told)
        if is_first.pop() if is_first else False:  # Its ledger commit comes between our look and our commit.
            assert found[other] is not None
            landed(lake, found[other], at=LATER)
        return rows

    monkeypatch.setattr(landing, "ledger_rows", beside_another)
    assert found[one] is not None
    landed(lake, found[one], at=LATER)
    ledger = {row["dialect_version"]: row for row in lake.scan(LEDGER).collect().to_dicts()}
    assert ledger[other]["supersedes"] == ledger[SHIPPED]["batch_id"]
    assert ledger[one]["supersedes"] == ledger[other]["batch_id"]
    assert live_batches(lake, CONTRACT)["batch_id"].to_list() == [ledger[one]["batch_id"]]

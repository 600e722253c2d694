"""Landing: each row once, whatever happens; rows read = landed + refused; no personal value where it may not be."""

import json
import multiprocessing
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from agency import AT, CROSSING, DAY, DECLARATION, INSPECTION, declare, deliver, landed, norvale, write
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import streaming
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
from warehouse.delivery import Delivery, delivery, file_sha256
from warehouse.delta import Lake
from warehouse.dialect import dialect_of
from warehouse.ledger import KNOWN, LANDED, REFUSED, Account

DECLARATIONS, QUARANTINED = BRONZE["customs.declarations"], QUARANTINE["customs.declarations"]


def declarations(*numbers: str) -> list[dict[str, str]]:
    return [DECLARATION | {"DECL_NO": number} for number in numbers]


def bronze(lake: Lake) -> pl.DataFrame:
    return lake.scan(DECLARATIONS).collect()


def statuses(accounts: Sequence[Account]) -> list[tuple[str, int, int]]:
    return [(account.status, account.rows_landed, account.rows_refused) for account in accounts]


def test_a_row_lands_typed_as_the_contract_says(lake: Lake, tmp_path: Path) -> None:
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION])))
    (row,) = bronze(lake).to_dicts()
    assert row["event_at"] == datetime(2025, 3, 3, 9, 15, tzinfo=UTC)
    assert str(row["net_mass_kg"]) == "120.500"
    assert row["importer_name"] == "Zoë Trading"
    assert (row["vehicle_plate"], row["vessel_imo"], row["flight_number"]) == ("KX 12-AB", None, None)
    assert (row["source_line"], row["received_on"], row["landed_at"]) == (2, DAY, AT)


def test_the_same_file_twice_lands_once(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", declarations("A", "B"))
    assert statuses(landed(lake, deliver(path))) == [(LANDED, 2, 0)]
    again = path.rename(tmp_path / "declarations-renamed.csv")
    assert statuses(landed(lake, deliver(again))) == [(KNOWN, 0, 0)]
    assert bronze(lake).height == 2
    assert lake.scan(LEDGER).collect().height == 1


def test_a_copy_in_the_same_inbox_shares_the_fate_of_the_first(lake: Lake, tmp_path: Path) -> None:
    good = write(tmp_path / "declarations-1.csv", declarations("A"))
    copy = write(tmp_path / "declarations-2.csv", declarations("A"))
    bad, bad_copy = tmp_path / "declarations-3.csv", tmp_path / "declarations-4.csv"
    bad.write_text("no header\n")
    bad_copy.write_text("no header\n")
    accounts = landed(lake, deliver(good), deliver(copy), deliver(bad), deliver(bad_copy))
    assert [account.status for account in accounts] == [LANDED, KNOWN, REFUSED, REFUSED]
    assert bronze(lake).height == 1


def test_files_that_share_a_commit_keep_their_own_account(lake: Lake, tmp_path: Path) -> None:
    first = write(tmp_path / "declarations-1.csv", declarations("A", "B"))
    second = write(tmp_path / "declarations-2.csv", [*declarations("C"), DECLARATION | {"HS": "none"}])
    accounts = landed(lake, deliver(first, on=date(2025, 3, 1)), deliver(second, on=date(2025, 3, 2)))
    assert statuses(accounts) == [(LANDED, 2, 0), (LANDED, 1, 1)]
    assert lake.version(DECLARATIONS) == 1
    held = bronze(lake).sort("declaration_id").select("declaration_id", "received_on", "source_line", "batch_id")
    assert held.rows() == [
        ("A", date(2025, 3, 1), 2, accounts[0].delivery.batch_id),
        ("B", date(2025, 3, 1), 3, accounts[0].delivery.batch_id),
        ("C", date(2025, 3, 2), 2, accounts[1].delivery.batch_id),
    ]
    (refused,) = lake.scan(QUARANTINED).collect().to_dicts()
    assert (refused["file_name"], refused["source_line"], refused["received_on"]) == (
        second.name,
        3,
        date(2025, 3, 2),
    )


def test_a_mended_dialect_supersedes_what_the_file_gave_before(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", declarations("A"))
    old, new = deliver(path), deliver(path, norvale(2))
    landed(lake, old)
    assert statuses(landed(lake, new)) == [(LANDED, 1, 0)]
    ledger = lake.scan(LEDGER).sort("dialect_version").collect()
    assert ledger["supersedes"].to_list() == [None, old.batch_id]
    assert bronze(lake).height == 2, "bronze keeps the history"
    assert statuses(landed(lake, old, new)) == [(KNOWN, 0, 0), (KNOWN, 0, 0)]


@pytest.mark.parametrize("table", ["quarantine", "ledger"])
def test_a_crash_before_the_ledger_and_a_retry_give_each_row_once(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    path = write(tmp_path / "declarations-1.csv", [*declarations("A", "B"), DECLARATION | {"HS": "none"}])
    append = Lake.append

    def crash(self: Lake, target: object, *args: object, **options: object) -> int:
        if target.layer == table:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        return append(self, target, *args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append", crash)
        with pytest.raises(KeyboardInterrupt):
            landed(lake, deliver(path))
    assert bronze(lake).height == 2
    assert lake.scan(LEDGER).collect().is_empty()
    assert statuses(landed(lake, deliver(path), at=AT.replace(hour=21))) == [(LANDED, 2, 1)]
    assert bronze(lake).height == 2
    assert lake.scan(QUARANTINED).collect().height == 1
    assert lake.scan(LEDGER).collect().height == 1


def _land_inbox(folder: str, root: str, gate: "multiprocessing.synchronize.Barrier") -> None:
    deliveries = [deliver(path) for path in sorted(Path(folder).glob("*.csv"))]
    gate.wait(60)
    for one in deliveries:  # One commit a file, so that the two meet often.
        landed(Lake(root), one)


def test_two_landings_of_one_inbox_at_once_give_each_row_once(lake: Lake, tmp_path: Path) -> None:
    for i in range(5):
        write(tmp_path / f"declarations-{i}.csv", [*declarations(f"{i}a", f"{i}b"), DECLARATION | {"HS": "none"}])
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(2)
    workers = [spawn.Process(target=_land_inbox, args=(str(tmp_path), lake.root, gate)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert sorted(bronze(lake)["declaration_id"]) == [f"{i}{x}" for i in range(5) for x in "ab"]
    assert lake.scan(QUARANTINED).collect().height == 5
    assert lake.scan(LEDGER).collect().height == 5


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        pytest.param({"rows": 3}, "row-count", id="a-row-lost-on-the-way"),
        pytest.param({"sha256": "0" * 64}, "hash", id="other-bytes"),
    ],
)
def test_a_file_that_is_not_what_its_sidecar_declares_is_refused_whole(
    lake: Lake, tmp_path: Path, declared: dict[str, object], rule: str
) -> None:
    path = write(tmp_path / "declarations-1.csv", declarations("A", "B"))
    declare(path, **declared)
    (account,) = landed(lake, deliver(path))
    assert (account.status, account.by_rule) == (REFUSED, {rule: 1})
    assert lake.version(DECLARATIONS) is None, "no half-written table"
    assert lake.scan(QUARANTINED).select("source_line", "rules").collect().rows() == [(0, [rule])]
    assert [account.status for account in landed(lake, deliver(path))] == [REFUSED]
    assert lake.scan(LEDGER).collect().height == 1
    declare(path, rows=2, sha256=file_sha256(path))
    assert statuses(landed(lake, deliver(path))) == [(LANDED, 2, 0)]
    assert lake.scan(LEDGER).filter(pl.col("status") == LANDED).collect()["supersedes"].to_list() == [None]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"JANE;DOE\nP1;P2\n", "header", id="another-layout"),
        pytest.param(b"\x1f\x8b\x08\x00broken", "truncated", id="cut-gzip"),
    ],
)
def test_an_unreadable_file_is_refused_whole_and_writes_no_bronze(
    lake: Lake, tmp_path: Path, content: bytes, rule: str
) -> None:
    path = tmp_path / "declarations-1.csv"
    path.write_bytes(content)
    (account,) = landed(lake, deliver(path))
    assert (account.status, account.by_rule) == (REFUSED, {rule: 1})
    assert "DOE" not in str(account.reason)
    assert lake.version(DECLARATIONS) is None


def test_a_column_that_only_sql_names_is_required_as_well(lake: Lake, tmp_path: Path) -> None:
    record = {name: value for name, value in DECLARATION.items() if name != "CONVEYANCE"}
    (account,) = landed(lake, deliver(write(tmp_path / "declarations-1.csv", [record])))
    assert account.status == REFUSED
    assert "lacks CONVEYANCE" in str(account.reason)


def test_a_dialect_that_fails_on_one_file_refuses_that_file_without_its_values(lake: Lake, tmp_path: Path) -> None:
    risky = norvale(2, {'lane = "lane"': "lane = { sql = \"STRPTIME(lane, '%Y')\" }"})
    good = write(tmp_path / "declarations-1.csv", declarations("A"))
    bad = write(tmp_path / "crossings-1.csv", [CROSSING | {"lane": "CANARY"}])
    accounts = landed(lake, deliver(good, risky), deliver(bad, risky))
    assert {account.contract.name: account.status for account in accounts} == {
        "customs.declarations": LANDED,
        "immigration.crossings": REFUSED,
    }
    assert "CANARY" not in json.dumps([account.reason for account in accounts])


def test_garbage_lines_of_a_line_format_are_refused_one_by_one(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "inspections-1.ndjson", [])
    path.write_text("garbage\nmore garbage\n")
    assert statuses(landed(lake, deliver(path))) == [(LANDED, 0, 2)]


def test_the_very_same_record_twice_in_one_file_is_refused_once_and_a_correction_is_not(
    lake: Lake, tmp_path: Path
) -> None:
    records = [DECLARATION, DECLARATION, DECLARATION | {"NET_KG": "1"}]
    (account,) = landed(lake, deliver(write(tmp_path / "declarations-1.csv", records)))
    assert (account.rows_landed, account.by_rule) == (2, {"repeated-in-file": 1})


def test_two_jurisdictions_with_the_same_number_are_two_events(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION])
    landed(lake, deliver(path), deliver(path, jurisdiction="YY"))
    assert bronze(lake)["event_id"].n_unique() == 2


_CELL = st.sampled_from(
    ["", "x", "0", "-1", "1,5", "1.5", "DE", "EUR", "999999999999999999", "NaN", "03.03.2025 10:00:00"]
)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(sorted(DECLARATION)), _CELL, max_size=3), min_size=1, max_size=12),
    st.lists(st.text(st.characters(codec="iso-8859-1", exclude_characters="\n"), max_size=30), max_size=4),
)
def test_rows_read_are_landed_or_refused_for_any_garbage(changes: list[dict[str, str]], junk: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "declarations-1.csv"
        write(path, [DECLARATION | {"DECL_NO": f"D{i}"} | change for i, change in enumerate(changes)])
        with path.open("a", encoding="iso-8859-1", newline="") as stream:
            stream.write("".join(line.replace('"', "") + "\n" for line in junk))
        lake = Lake(f"{folder}/lake")
        (account,) = landed(lake, deliver(path))
        lines = [line for line in path.read_bytes().decode("iso-8859-1").split("\n") if line.rstrip("\r")]
        refused = lake.scan(QUARANTINED).collect()
        assert account.rows_read == len(lines) - 1 == bronze(lake).height + refused.height
        assert (account.rows_landed, account.rows_refused) == (bronze(lake).height, refused.height)
        assert sum(account.by_rule.values()) == refused.height
        assert refused["rules"].list.len().min() in (None, *range(1, 40))
        assert refused["raw"].null_count() == 0


def test_a_refused_row_is_kept_as_received_with_every_reason(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION | {"HS": "12", "NET_KG": "heavy", "CURRENCY": ""}])
    declare(path, extracted_at="2025-03-03T23:30:00+00:00")
    landed(lake, deliver(path))
    (row,) = lake.scan(QUARANTINED).collect().to_dicts()
    assert set(row["rules"]) == {"hs_code|regex", "net_mass_kg|unreadable", "currency|nullability"}
    assert len(row["messages"]) == 3
    assert json.loads(row["raw"]) == DECLARATION | {"HS": "12", "NET_KG": "heavy", "CURRENCY": None, "AMENDED": None}
    assert "heavy" not in "".join(row["messages"])


def test_personal_values_stay_out_of_the_delta_log_and_the_ledger(lake: Lake, tmp_path: Path) -> None:
    canaries = {
        "document_number": "CANARY-DOC",
        "surname": "CANARY-NAME",
        "given_names": "CANARY-GIVEN",
        "vehicle_plate": "CANARY-PLATE",
        "birth_date": "1971-11-23",
    }
    rows = [CROSSING | canaries, CROSSING | canaries | {"crossing_id": "K2", "sex": "CANARY-SEX"}]
    landed(lake, deliver(write(tmp_path / "crossings-1.csv", rows)))
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION | {"IMPORTER_NAME": "CANARY-TRADER"}])))
    logs = [path for path in Path(lake.root).rglob("_delta_log/*") if path.is_file()]
    text = "".join(path.read_text("utf-8", errors="replace") for path in logs)
    assert '\\"event_at\\"' in text, "bounds of times are there"
    assert "CANARY" not in text
    assert "1971-11-23" not in text
    assert "CANARY" not in str(lake.scan(LEDGER).collect().to_dicts())


def of_kcs(path: Path) -> Delivery:
    return delivery(
        path,
        agency="customs",
        domain="customs",
        dataset="declarations",
        jurisdiction="KR",
        dialect=dialect_of("kcs"),
        arrived_on=DAY,
    )


def test_the_public_declarations_of_2020_reconcile(lake: Lake, shared_data: Path) -> None:
    accounts = landed(lake, of_kcs(shared_data / "customs" / "kcs" / "declarations_2020.csv"))
    counts = {account.contract.name: (account.rows_landed, account.rows_refused) for account in accounts}
    assert counts == {"customs.declarations": (37_385, 0), "customs.inspections": (37_385, 0)}
    found = lake.scan(BRONZE["customs.inspections"]).collect()["infringement"].value_counts()
    assert dict(found.iter_rows()) == {None: 29_271, "other": 7_720, "critical": 394}


def test_a_label_that_is_no_number_is_refused_and_costs_only_its_row(
    lake: Lake, shared_data: Path, tmp_path: Path
) -> None:
    lines = (shared_data / "customs" / "kcs" / "declarations_2020.csv").read_text().splitlines()[:4]
    lines[2] = lines[2].rsplit(",", 1)[0] + ",CANARY"
    path = tmp_path / "declarations.csv"
    path.write_text("\n".join(lines))
    accounts = {account.contract.name: account for account in landed(lake, of_kcs(path))}
    assert statuses([accounts["customs.inspections"]]) == [(LANDED, 2, 1)]
    assert accounts["customs.inspections"].by_rule == {"infringement|unreadable": 1}
    assert statuses([accounts["customs.declarations"]]) == [(LANDED, 3, 0)]


def test_a_large_file_of_several_contracts_lands_as_a_small_one_does(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (shared_data / "customs" / "kcs" / "declarations_2020.csv").read_text().splitlines()[:60]
    lines[20] = lines[20].rsplit(",", 1)[0] + ",CANARY"
    lines[50] = lines[7]
    path = tmp_path / "declarations.csv"
    path.write_text("\n".join(lines))
    small, streamed = Lake(str(tmp_path / "small")), Lake(str(tmp_path / "streamed"))
    accounts = landed(small, of_kcs(path))
    monkeypatch.setattr(streaming, "LARGE_BYTES", 0)
    monkeypatch.setattr(streaming, "PART_ROWS", 9)
    assert landed(streamed, of_kcs(path)) == accounts
    for name in ("customs.declarations", "customs.inspections"):
        for table in (BRONZE[name], QUARANTINE[name]):
            rows = [lake.scan(table).collect().sort("source_line").to_dicts() for lake in (small, streamed)]
            assert rows[0] == rows[1]


def test_the_public_arrivals_reconcile(lake: Lake, shared_data: Path) -> None:
    path = shared_data / "immigration" / "i94" / "arrivals_2016-04-01_05.parquet"
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    one = replace(
        of_kcs(path), agency="immigration", domain="immigration", dataset="crossings", dialect=dialect_of("i94")
    )
    crossings, outcomes = landed(lake, replace(one, jurisdiction="US"))
    assert crossings.rows_landed + crossings.rows_refused == rows == 500_742
    assert outcomes.rows_read + outcomes.rows_set_aside == rows
    assert lake.size(BRONZE["immigration.crossings"])[0] == crossings.rows_landed


def test_the_inspections_of_a_declaration_share_its_file_or_have_their_own(lake: Lake, tmp_path: Path) -> None:
    accounts = landed(lake, deliver(write(tmp_path / "inspections-1.ndjson", [INSPECTION])))
    assert statuses(accounts) == [(LANDED, 1, 0)]
    (row,) = lake.scan(BRONZE["customs.inspections"]).collect().to_dicts()
    assert (row["is_irregular"], str(row["additional_duty"])) == (True, "120.5000")

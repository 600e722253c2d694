"""Conforming: versions, corrections, as-of reads, keyed ids; doing it twice changes nothing."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from agency import (
    AT,
    CROSSING,
    DAY,
    DECLARATION,
    DETECTION,
    INSPECTION,
    OUTCOME,
    WITHDRAWAL,
    deliver,
    landed,
    norvale,
    write,
)

from warehouse.catalog import (
    BRONZE,
    CROSSINGS_TABLE,
    DETECTED,
    ENTITY_LINKS,
    EXPORTS,
    IDENTITIES,
    OUTCOMES,
    SHIPMENTS,
    TRACKS,
    Table,
)
from warehouse.conform import conform, versioned, with_local_time
from warehouse.contracts.base import Event
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError

KEY = b"k" * 32
NEXT_DAY = date(2025, 3, 4)
SILVER = (SHIPMENTS, CROSSINGS_TABLE, TRACKS, OUTCOMES)


def feed(
    lake: Lake, path: Path, *records: dict[str, object], on: date = DAY, at: datetime = AT, version: int = 1
) -> None:
    landed(lake, deliver(write(path, records), norvale(version), on), at=at)


def silver(lake: Lake, table: Table) -> pl.DataFrame:
    return lake.scan(table).sort("event_id", "event_version").collect()


def as_of(lake: Lake, table: Table, moment: datetime) -> pl.DataFrame:
    known = pl.col("known_at") <= moment
    return lake.scan(table).filter(known & (pl.col("superseded_at") > moment).fill_null(True)).collect()


CORRECTED = CROSSING | {"recorded_at": "2025-03-04T08:00:00+01:00", "visa_category": "C"}
FIRST_KNOWN, CORRECTED_AT = datetime(2025, 3, 3, 9, 16, tzinfo=UTC), datetime(2025, 3, 4, 7, tzinfo=UTC)


def test_a_correction_is_a_second_version_and_what_was_known_then_can_be_read(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "crossings-1.csv", CROSSING)
    conform(lake, CROSSINGS_TABLE, [DAY], KEY)
    feed(lake, tmp_path / "crossings-2.csv", CORRECTED, on=NEXT_DAY)
    conform(lake, CROSSINGS_TABLE, [NEXT_DAY], KEY)
    versions = silver(lake, CROSSINGS_TABLE)
    assert versions.select("visa_class", "known_at", "superseded_at").rows() == [
        (None, FIRST_KNOWN, CORRECTED_AT),
        ("C", CORRECTED_AT, None),
    ]
    assert versions["event_id"].n_unique() == 1
    assert versions["event_version"].is_unique().all()
    assert as_of(lake, CROSSINGS_TABLE, datetime(2025, 3, 3, 12, tzinfo=UTC))["visa_class"].to_list() == [None]
    assert as_of(lake, CROSSINGS_TABLE, CORRECTED_AT)["visa_class"].to_list() == ["C"]
    assert as_of(lake, CROSSINGS_TABLE, datetime(2025, 3, 3, tzinfo=UTC)).is_empty()


def test_days_conformed_in_another_order_or_at_once_give_the_same(tmp_path: Path) -> None:
    results = []
    for name, order in (("a", [[DAY], [NEXT_DAY]]), ("b", [[NEXT_DAY], [DAY]]), ("c", [[DAY, NEXT_DAY]])):
        lake = Lake(str(tmp_path / name))
        feed(lake, tmp_path / "crossings-1.csv", CROSSING, CROSSING | {"crossing_id": "K2"})
        feed(lake, tmp_path / "crossings-2.csv", CORRECTED, CROSSING | {"crossing_id": "K3"}, on=NEXT_DAY)
        for days in order:
            conform(lake, CROSSINGS_TABLE, days, KEY)
        results.append(silver(lake, CROSSINGS_TABLE))
    assert results[0].height == 4
    assert results[0].equals(results[1])
    assert results[0].equals(results[2])


def test_a_record_sent_again_unchanged_is_no_version(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "crossings-1.csv", CROSSING)
    feed(lake, tmp_path / "crossings-2.csv", CROSSING | {"recorded_at": "2025-03-04T08:00:00+01:00"}, on=NEXT_DAY)
    conform(lake, CROSSINGS_TABLE, [DAY, NEXT_DAY], KEY)
    (row,) = silver(lake, CROSSINGS_TABLE).to_dicts()
    assert (row["known_at"], row["superseded_at"]) == (FIRST_KNOWN, None)


def test_a_correction_that_is_taken_back_is_current_again(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "crossings-1.csv", CROSSING)
    feed(lake, tmp_path / "crossings-2.csv", CORRECTED, on=NEXT_DAY)
    back = CROSSING | {"recorded_at": "2025-03-05T08:00:00+01:00"}
    feed(lake, tmp_path / "crossings-3.csv", back, on=date(2025, 3, 5))
    conform(lake, CROSSINGS_TABLE, [DAY, NEXT_DAY, date(2025, 3, 5)], KEY)
    assert silver(lake, CROSSINGS_TABLE)["visa_class"].to_list() == [None, "C", None]
    assert as_of(lake, CROSSINGS_TABLE, datetime(2025, 3, 9, tzinfo=UTC))["visa_class"].to_list() == [None]


@pytest.mark.parametrize("later", [1, 2, 3, 4])
def test_of_versions_known_at_one_moment_the_one_delivered_last_is_current(
    lake: Lake, tmp_path: Path, later: int
) -> None:
    # Norvale's declarations are known when lodged: a correction has the very `known_at` of what it corrects.
    feed(lake, tmp_path / "declarations-1.csv", DECLARATION)
    changed = DECLARATION | {"NET_KG": f"10{later}"}
    feed(lake, tmp_path / "declarations-2.csv", changed, at=AT.replace(hour=21))
    conform(lake, SHIPMENTS, [DAY], KEY)
    current = lake.scan(SHIPMENTS).filter(pl.col("superseded_at").is_null()).collect()
    assert [str(mass) for mass in current["net_mass_kg"]] == [f"10{later}.000"]
    assert silver(lake, SHIPMENTS).height == 2


def test_a_correction_moves_an_event_to_another_day(lake: Lake, tmp_path: Path) -> None:
    other = CROSSING | {"crossing_id": "K2"}
    feed(lake, tmp_path / "crossings-1.csv", CROSSING, other)
    conform(lake, CROSSINGS_TABLE, [DAY], KEY)
    moved = CORRECTED | {"crossed_at": "2025-03-01T10:15:00+01:00"}
    feed(lake, tmp_path / "crossings-2.csv", moved, on=NEXT_DAY)
    conform(lake, CROSSINGS_TABLE, [NEXT_DAY], KEY)
    current = lake.scan(CROSSINGS_TABLE).filter(pl.col("superseded_at").is_null()).collect()
    assert sorted(current["event_date"]) == [date(2025, 3, 1), DAY]
    assert silver(lake, CROSSINGS_TABLE).height == 3


def test_conforming_twice_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "crossings-1.csv", CROSSING, CORRECTED)
    feed(lake, tmp_path / "outcomes-1.ndjson", OUTCOME)
    rows = [conform(lake, table, [DAY], KEY) for table in SILVER]
    before = [silver(lake, table) for table in SILVER]
    links = lake.scan(ENTITY_LINKS).collect()
    assert [conform(lake, table, [DAY], KEY) for table in SILVER] == rows == [0, 2, 0, 1]
    assert all(old.equals(silver(lake, table)) for old, table in zip(before, SILVER, strict=True))
    assert lake.scan(ENTITY_LINKS).collect().equals(links)


def test_an_outcome_speaks_of_the_event_that_it_names(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "declarations-1.csv", DECLARATION)
    feed(lake, tmp_path / "inspections-1.ndjson", INSPECTION)
    feed(lake, tmp_path / "crossings-1.csv", CROSSING)
    feed(lake, tmp_path / "outcomes-1.ndjson", OUTCOME)
    for table in SILVER:
        conform(lake, table, [DAY], KEY)
    found = dict(silver(lake, OUTCOMES).select("subject_kind", "subject_id").iter_rows())
    assert found == {
        "shipment": silver(lake, SHIPMENTS)["event_id"].item(),
        "crossing": silver(lake, CROSSINGS_TABLE)["event_id"].item(),
    }
    assert set(silver(lake, OUTCOMES)["event_id"]).isdisjoint(found.values())


LODGED = datetime(2025, 3, 3, 9, 15, tzinfo=UTC)
WITHDRAWN = datetime(2025, 3, 3, 13, tzinfo=UTC)


def standing(lake: Lake) -> list[tuple[object, ...]]:
    return silver(lake, SHIPMENTS).select("known_at", "superseded_at", "withdrawn_at").rows()


@pytest.mark.parametrize("day", [DAY, NEXT_DAY], ids=["on-the-same-day", "on-a-later-day"])
def test_a_withdrawal_ends_what_stood_and_as_of_reads_still_see_it(lake: Lake, tmp_path: Path, day: date) -> None:
    feed(lake, tmp_path / "declarations-1.csv", DECLARATION, DECLARATION | {"ITEM_NO": "2"})
    conform(lake, SHIPMENTS, [DAY], KEY)
    feed(lake, tmp_path / "withdrawals-1.csv", WITHDRAWAL, on=day)
    conform(lake, SHIPMENTS, [day], KEY)
    ended, stands = sorted(standing(lake), key=lambda version: version[1] is None)
    assert (ended, stands) == ((LODGED, WITHDRAWN, WITHDRAWN), (LODGED, None, None))
    assert as_of(lake, SHIPMENTS, datetime(2025, 3, 3, 12, tzinfo=UTC)).height == 2
    assert as_of(lake, SHIPMENTS, datetime(2025, 3, 3, 14, tzinfo=UTC))["goods_item_number"].to_list() == [2]
    conform(lake, SHIPMENTS, [DAY, day], KEY)
    assert silver(lake, SHIPMENTS).height == 2


def test_a_withdrawal_that_arrives_before_what_it_takes_back_counts_all_the_same(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "withdrawals-1.csv", WITHDRAWAL)
    conform(lake, SHIPMENTS, [DAY], KEY)
    feed(lake, tmp_path / "declarations-1.csv", DECLARATION, on=NEXT_DAY)
    conform(lake, SHIPMENTS, [NEXT_DAY], KEY)
    assert standing(lake) == [(LODGED, WITHDRAWN, WITHDRAWN)]


def test_what_is_lodged_anew_after_a_withdrawal_stands_even_if_it_says_the_same(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "declarations-1.csv", DECLARATION)
    feed(lake, tmp_path / "withdrawals-1.csv", WITHDRAWAL)
    feed(lake, tmp_path / "declarations-2.csv", DECLARATION | {"AMENDED": "03.03.2025 15:00:00"})
    conform(lake, SHIPMENTS, [DAY], KEY)
    again = datetime(2025, 3, 3, 14, tzinfo=UTC)
    assert standing(lake) == [(LODGED, WITHDRAWN, WITHDRAWN), (again, None, None)]


def test_exports_are_no_shipments_to_score(lake: Lake, tmp_path: Path) -> None:
    sells = norvale(2, {'declaration_type = { value = "IM" }': 'declaration_type = { value = "EX" }'})
    landed(lake, deliver(write(tmp_path / "declarations-1.csv", [DECLARATION]), sells))
    for table in (SHIPMENTS, EXPORTS):
        conform(lake, table, [DAY], KEY)
    assert silver(lake, SHIPMENTS).is_empty()
    assert silver(lake, EXPORTS)["declaration_id"].to_list() == ["25XN1"]


def test_a_reading_that_finds_an_export_where_an_import_was_moves_it(lake: Lake, tmp_path: Path) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION])
    landed(lake, deliver(path))
    conform(lake, SHIPMENTS, [DAY], KEY)
    mended = norvale(2, {'declaration_type = { value = "IM" }': 'declaration_type = { value = "EX" }'})
    landed(lake, deliver(path, mended), at=AT.replace(hour=21))
    for table in (SHIPMENTS, EXPORTS):
        conform(lake, table, [DAY], KEY)
    assert (silver(lake, SHIPMENTS).height, silver(lake, EXPORTS).height) == (0, 1)


def test_a_detection_is_near_the_nearest_border_point_or_none(lake: Lake, tmp_path: Path) -> None:
    far = DETECTION | {"id": "D2", "position": {"lat": 10.0, "lon": 10.0}}
    feed(lake, tmp_path / "detections-1.ndjson", DETECTION, far)
    conform(lake, DETECTED, [DAY], KEY)
    assert dict(silver(lake, DETECTED).select("detection_id", "area").iter_rows()) == {"D1": "XNGRE", "D2": None}


@pytest.mark.parametrize("on", [DAY, NEXT_DAY], ids=["on-the-same-day", "on-a-later-day"])
def test_a_file_read_again_replaces_what_it_gave_before_and_withdraws_what_it_no_longer_gives(
    lake: Lake, tmp_path: Path, on: date
) -> None:
    path = write(tmp_path / "declarations-1.csv", [DECLARATION, DECLARATION | {"DECL_NO": "2", "PROCEDURE": "71"}])
    landed(lake, deliver(path))
    conform(lake, SHIPMENTS, [DAY], KEY)
    mended = norvale(2, {'procedure = "PROCEDURE"': 'procedure = { column = "PROCEDURE", codes = { "4000" = "H1" } }'})
    landed(lake, deliver(path, mended, on), at=AT.replace(hour=21))
    conform(lake, SHIPMENTS, [on], KEY)
    (row,) = silver(lake, SHIPMENTS).to_dicts()
    assert (row["declaration_id"], row["procedure"], row["superseded_at"]) == ("25XN1", "H1", None)
    assert lake.scan(BRONZE["customs.declarations"]).collect().height == 3


def test_rows_that_the_ledger_does_not_hold_yet_are_not_conformed(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Lake.append

    def crash(self: Lake, table: Table, *args: object, **options: object) -> int:
        if table.layer == "ledger":
            raise KeyboardInterrupt
        return append(self, table, *args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append", crash)
        with pytest.raises(KeyboardInterrupt):
            feed(lake, tmp_path / "crossings-1.csv", CROSSING)
    assert conform(lake, CROSSINGS_TABLE, [DAY], KEY) == 0
    feed(lake, tmp_path / "crossings-1.csv", CROSSING)
    assert conform(lake, CROSSINGS_TABLE, [DAY], KEY) == 1


def test_no_identifying_or_personal_value_reaches_silver(lake: Lake, tmp_path: Path) -> None:
    canary = {
        "document_number": "CANARYDOC",
        "surname": "CANARYNAME",
        "given_names": "CANARYGIVEN",
        "vehicle_plate": "CANARYPLATE",
        "birth_date": "1971-11-23",
    }
    feed(lake, tmp_path / "crossings-1.csv", CROSSING | canary)
    feed(lake, tmp_path / "outcomes-1.ndjson", OUTCOME | {"officer": "CANARYOFFICER"})
    parties = dict.fromkeys(("CONVEYANCE", "IMPORTER", "IMPORTER_NAME", "DECLARANT", "SELLER", "CARRIER"), "CANARYID")
    feed(lake, tmp_path / "declarations-1.csv", DECLARATION | parties)
    feed(lake, tmp_path / "inspections-1.ndjson", INSPECTION | {"officer": "CANARYOFFICER"})
    for table in SILVER:
        conform(lake, table, [DAY], KEY)
    for table in (*SILVER, ENTITY_LINKS):
        text = str(lake.scan(table).collect().to_dicts())
        assert "CANARY" not in text, table.name
        assert "1971, 11, 23" not in text, table.name
    stored = b"".join(path.read_bytes() for path in (Path(lake.root) / "silver").rglob("*") if path.is_file())
    assert b"CANARY" not in stored
    held = lake.scan(IDENTITIES).collect()
    assert held["identity"].str.contains("CANARYNAME").any(), "the vault can go back"
    log = "".join(path.read_text() for path in (Path(lake.root) / "vault").rglob("*.json"))
    assert "CANARY" not in log


def test_links_are_written_once_from_their_first_mention(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "crossings-1.csv", CORRECTED | {"crossing_id": "K2"}, CROSSING)
    conform(lake, CROSSINGS_TABLE, [DAY], KEY)
    feed(lake, tmp_path / "crossings-2.csv", CROSSING | {"crossing_id": "K3"}, on=NEXT_DAY)
    conform(lake, CROSSINGS_TABLE, [NEXT_DAY], KEY)
    links = lake.scan(ENTITY_LINKS).collect()
    assert sorted(links["entity_kind"]) == ["document", "person", "vehicle"]
    assert links["known_at"].unique().to_list() == [FIRST_KNOWN]
    assert links["source_id"].equals(links["entity_id"].alias("source_id"))


def test_one_plate_is_one_vehicle_to_every_agency_but_a_trader_is_of_its_country(lake: Lake, tmp_path: Path) -> None:
    feed(lake, tmp_path / "crossings-1.csv", CROSSING | {"vehicle_plate": "kx12ab"})
    path = write(tmp_path / "declarations-1.csv", [DECLARATION])
    landed(lake, deliver(path), deliver(path, jurisdiction="YY"))
    for table in (CROSSINGS_TABLE, SHIPMENTS):
        conform(lake, table, [DAY], KEY)
    ours, theirs = silver(lake, SHIPMENTS).to_dicts()
    assert ours["vehicle_id"] == theirs["vehicle_id"] == silver(lake, CROSSINGS_TABLE)["vehicle_id"].item()
    assert ours["importer_id"] != theirs["importer_id"]


def test_local_time_is_the_clock_of_each_rows_own_zone() -> None:
    rows = pl.DataFrame(
        {
            "event_at": [datetime(2025, 7, 1, 22, 30, tzinfo=UTC)] * 3,
            "event_tz": ["Europe/Vienna", "UTC", "Asia/Seoul"],
        },
        schema_overrides={"event_at": Event.columns()["event_at"].dtype},
    )
    local = with_local_time(rows)["event_local_at"].to_list()
    assert local == [datetime(2025, 7, 2, 0, 30), datetime(2025, 7, 1, 22, 30), datetime(2025, 7, 2, 7, 30)]


def test_events_of_one_version_each_are_all_current() -> None:
    moment = pl.Series([datetime(2025, 3, 3, tzinfo=UTC)] * 2, dtype=pl.Datetime("us", "UTC"))
    events = versioned(pl.DataFrame({"event_id": ["a", "b"], "known_at": moment}))
    assert events["superseded_at"].null_count() == 2
    assert events["event_version"].to_list() == [1_740_960_000_000_000] * 2


def test_another_vault_key_than_that_of_the_lakes_ids_stops_before_anything_is_written(
    lake: Lake, tmp_path: Path
) -> None:
    landed(lake, deliver(write(tmp_path / "crossings-1.csv", [CROSSING])))
    conform(lake, CROSSINGS_TABLE, [DAY], KEY)
    version = lake.version(CROSSINGS_TABLE)
    landed(lake, deliver(write(tmp_path / "crossings-2.csv", [CROSSING | {"crossing_id": "K2"}])))
    with pytest.raises(BorderlakeError, match="another vault key than this home's"):
        conform(lake, CROSSINGS_TABLE, [DAY], b"o" * 32)
    assert lake.version(CROSSINGS_TABLE) == version

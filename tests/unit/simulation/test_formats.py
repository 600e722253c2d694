"""The extracts, opened with readers that are not ours: csv, json, pyais, pyarrow's Parquet through Polars."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from pyais.stream import FileReaderStream

DECLARATION_COLUMNS = (
    "DECL_NO;ITEM_NO;LODGED;OFFICE;PROCEDURE;MODE;IMPORTER;IMPORTER_NAME;DECLARANT;SELLER;CARRIER;CONVEYANCE;"
    "CONSIGNMENT;HS;ORIGIN;DISPATCH;DUTY_PCT;NET_KG;GROSS_KG;PACKAGES;VALUE;CURRENCY;DESCRIPTION;AMENDED;TRADER_STATUS"
)
CROSSING_COLUMNS = (
    "crossing_id,crossed_at,recorded_at,port,lane,direction,mode,document_type,document_number,issuing_state,"
    "nationality,surname,given_names,birth_date,sex,residence,visa_category,purpose,vehicle_plate,carrier,"
    "flight_number,party_size,admitted_until"
)


def files(world: Path, agency: str, dataset: str) -> list[Path]:
    folder = world / "inbox" / agency / dataset
    return sorted(p for p in folder.iterdir() if not p.name.endswith(".manifest.json"))


def manifest_rows(path: Path) -> int:
    return int(json.loads(path.with_name(path.name + ".manifest.json").read_text(encoding="utf-8"))["rows"])


def declarations(world: Path) -> list[dict[str, str]]:
    rows = []
    for path in files(world, "customs", "declarations"):
        with path.open(encoding="iso-8859-1", newline="") as handle:
            found = list(csv.DictReader(handle, delimiter=";"))
        assert len(found) == manifest_rows(path)
        rows += found
    return rows


def crossings(world: Path) -> list[dict[str, str]]:
    rows = []
    for path in files(world, "immigration", "crossings"):
        with path.open(encoding="utf-8", newline="") as handle:
            found = list(csv.DictReader(handle))
        assert len(found) == manifest_rows(path)
        rows += found
    return rows


def test_declarations_read_as_the_agency_says(world_dir: Path) -> None:
    first = files(world_dir, "customs", "declarations")[0].read_bytes()
    assert first.split(b"\r\n", 1)[0].decode("ascii") == DECLARATION_COLUMNS
    assert first.endswith(b"\r\n")
    rows = declarations(world_dir)
    assert {r["MODE"] for r in rows} == {"1", "3", "4"}
    kinds = pl.read_parquet(world_dir / "truth" / "defects.parquet").filter(dataset="declarations")["kind"].to_list()
    again = kinds.count("correction") + kinds.count("duplicate")
    assert len({(r["DECL_NO"], r["ITEM_NO"]) for r in rows}) == len(rows) - again
    assert all(len(r["DECL_NO"]) == 18 for r in rows)
    lodged = [r["LODGED"] for r in rows if not r["LODGED"].startswith("31.02.")]
    assert all(datetime.strptime(t, "%d.%m.%Y %H:%M:%S") for t in lodged)
    assert any(ord(c) > 127 for r in rows for c in r["IMPORTER_NAME"])


def test_sea_consignments_name_a_vessel_by_a_valid_imo_number(world_dir: Path) -> None:
    numbers = {r["CONVEYANCE"] for r in declarations(world_dir) if r["MODE"] == "1"}
    for number in numbers:
        assert sum(int(d) * w for d, w in zip(number, range(7, 1, -1), strict=False)) % 10 == int(number[6])
    heard = set()
    for path in files(world_dir, "surveillance", "vessel_positions"):
        heard |= {str(m.decode().asdict().get("imo")) for m in FileReaderStream(str(path)) if m.ais_id == 5}
    assert len(numbers & heard) / len(numbers) > 0.9


def test_crossings_read_as_the_agency_says(world_dir: Path) -> None:
    head = files(world_dir, "immigration", "crossings")[0].read_bytes().split(b"\n", 1)[0]
    assert head.decode("ascii") == CROSSING_COLUMNS
    rows = crossings(world_dir)
    defects = pl.read_parquet(world_dir / "truth" / "defects.parquet").filter(dataset="crossings", kind="duplicate")
    assert len({r["crossing_id"] for r in rows}) == len(rows) - len(defects)
    assert {r["direction"] for r in rows} <= {"entry", "exit", "??"}
    assert all(datetime.fromisoformat(r["recorded_at"]).tzinfo for r in rows)
    assert all(r["admitted_until"] == "" for r in rows if r["direction"] == "exit")


def test_lorries_of_declarations_cross_and_are_seen(world_dir: Path) -> None:
    lorries = {r["CONVEYANCE"] for r in declarations(world_dir) if r["MODE"] == "3"}
    crossed = {r["vehicle_plate"] for r in crossings(world_dir) if r["lane"] == "TRUCK"}
    seen: set[str] = set()
    for path in files(world_dir, "surveillance", "vehicle_sightings"):
        seen |= set(pl.read_parquet(path)["plate"])
    assert len(lorries & crossed) / len(lorries) > 0.95
    assert len(lorries & seen) / len(lorries) > 0.95


def test_reports_follow_what_they_report_and_are_filed_by_their_day(world_dir: Path) -> None:
    for agency, dataset, happened in (
        ("customs", "inspections", "inspectedAt"),
        ("immigration", "outcomes", "examinedAt"),
    ):
        for path in files(world_dir, agency, dataset):
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            assert len(rows) == manifest_rows(path)
            for row in rows:
                assert row["reportedAt"][:10].replace("-", "") == path.stem.split("_")[1]
                assert "-02-30T" in row[happened] or row[happened] <= row["reportedAt"]
                assert 0 < row["selectionProbability"] <= 1


def test_sightings_are_in_the_order_received_on_their_utc_day(world_dir: Path) -> None:
    for path in files(world_dir, "surveillance", "vehicle_sightings"):
        seen = pl.read_parquet(path)
        assert seen.height == manifest_rows(path)
        assert seen.schema["seen_at"] == pl.Datetime("us", "UTC")
        assert seen["received_at"].is_sorted()
        assert (seen["seen_at"] <= seen["received_at"]).all()
        assert seen["received_at"].dt.strftime("%Y%m%d").unique().to_list() == [path.stem.split("_")[1]]


def test_ais_decodes_with_pyais(world_dir: Path) -> None:
    path = files(world_dir, "surveillance", "vessel_positions")[1]
    kinds: Counter[int] = Counter()
    for sentence in FileReaderStream(str(path)):
        assert sentence.is_valid
        assert sentence.tag_block is not None
        sentence.tag_block.init()
        assert sentence.tag_block.is_valid
        moment = datetime.fromtimestamp(int(sentence.tag_block.receiver_timestamp), UTC)
        assert f"{moment:%Y%m%d}" == path.stem.split("_")[1]
        message = sentence.decode().asdict()
        kinds[message["msg_type"]] += 1
        if message["msg_type"] == 1:
            assert 35.9 < message["lat"] < 38.3
            assert 18.2 < message["lon"] < 20.6
            assert message["second"] == moment.second
        else:
            assert message["shipname"]
            assert message["destination"] in {"XNPRT", "XNSKV"}
    assert set(kinds) == {1, 5}
    assert kinds.total() == manifest_rows(path)

"""Further extracts: sent only when asked for, read with a plain splitter of EDIFACT, json and Parquet readers."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from simulation import Summary, simulate

SIX = {
    "customs.declarations", "customs.inspections", "immigration.crossings", "immigration.outcomes",
    "surveillance.vehicle_sightings", "surveillance.vessel_positions",
}  # fmt: skip


@pytest.fixture(scope="module")
def beyond(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    out = tmp_path_factory.mktemp("beyond")
    return out / "inbox", simulate(date(2025, 3, 3), 2, 0.2, 5, out, extended=True)


def segments(path: Path) -> list[list[list[str]]]:
    """Tags, elements and components of an interchange by the service characters its UNA names."""
    text = path.read_text(encoding="ascii")
    assert text.startswith("UNA:+.? '")
    body = re.sub(r"(?<=')\r?\n", "", text[9:]).lstrip()
    cut = [s for s in re.split(r"(?<!\?)'", body) if s]
    return [[re.split(r"(?<!\?):", e) for e in re.split(r"(?<!\?)\+", s)] for s in cut]


def test_only_the_six_datasets_go_out_unless_more_is_asked_for(world_summary: Summary) -> None:
    assert set(world_summary.rows) == SIX


def test_the_six_are_the_same_with_and_without_the_others(tmp_path: Path, beyond: tuple[Path, Summary]) -> None:
    simulate(date(2025, 3, 3), 2, 0.2, 5, tmp_path)
    for plain in (p for p in (tmp_path / "inbox").rglob("*") if p.is_file()):
        assert plain.read_bytes() == (beyond[0] / plain.relative_to(tmp_path / "inbox")).read_bytes()


@pytest.mark.parametrize(
    ("dataset", "kind", "record"),
    [
        pytest.param("customs/manifests", ["CUSCAR", "D", "95B", "UN"], "CNI", id="manifests"),
        pytest.param("immigration/api_messages", ["PAXLST", "D", "02B", "UN", "IATA"], "DOC", id="api"),
        pytest.param("immigration/pnr_messages", ["PNRGOV", "13", "1", "IA"], "TIF", id="pnr"),
    ],
)
def test_interchanges_count_what_they_hold(
    beyond: tuple[Path, Summary], dataset: str, kind: list[str], record: str
) -> None:
    files = sorted((beyond[0] / dataset).glob("*.edi"))
    assert files
    for path in files:
        found = segments(path)
        assert found[0][0] == ["UNB"]
        assert found[-1][0] == ["UNZ"]
        starts = [i for i, s in enumerate(found) if s[0] == ["UNH"]]
        ends = [i for i, s in enumerate(found) if s[0] == ["UNT"]]
        assert found[-1][1:] == [[str(len(starts))], found[0][5]]
        for start, end in zip(starts, ends, strict=True):
            assert found[start][2] == kind
            assert found[end][1:] == [[str(end - start + 1)], found[start][1]]
        note = json.loads(path.with_name(f"{path.name}.manifest.json").read_text(encoding="utf-8"))
        assert note["rows"] == sum(s[0] == [record] for s in found)


def test_api_and_crossings_agree_on_who_landed(beyond: tuple[Path, Summary]) -> None:
    announced = {
        s[2][0] for p in (beyond[0] / "immigration/api_messages").glob("*.edi") for s in segments(p) if s[0] == ["DOC"]
    }
    crossed: set[str] = set()
    for path in (beyond[0] / "immigration/crossings").glob("*.csv"):
        rows = pl.read_csv(path, infer_schema=False).filter(mode="air", direction="entry")
        crossed |= set(rows["document_number"])
    # The rest were mistyped, or showed another document at check-in.
    assert len(announced & crossed) > 0.9 * len(crossed) > 0


def test_the_neighbour_writes_its_own_way(beyond: tuple[Path, Summary]) -> None:
    for agency, dataset, plate in (("xs-customs", "declarations", "lorry"), ("xs-immigration", "crossings", "car")):
        for path in (beyond[0] / agency / dataset).glob("*.parquet"):
            note = json.loads(path.with_name(f"{path.name}.manifest.json").read_text(encoding="utf-8"))
            rows = pl.read_parquet(path)
            assert (note["jurisdiction"], note["agency"], note["rows"]) == ("XS", agency, rows.height)
            assert rows[plate].drop_nulls().str.contains(r"^[A-Z]{2}-\d{3}-[A-Z]{2}$").all()


def test_detections_are_objects_with_a_place(beyond: tuple[Path, Summary]) -> None:
    files = list((beyond[0] / "surveillance/detections").glob("*.ndjson"))
    rows = [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    assert {r["sensorType"] for r in rows} == {"radar", "camera", "ground_sensor", "drone"}
    assert all(35.5 < r["position"]["lat"] < 38.5 and 16.5 < r["position"]["lon"] < 21 for r in rows)

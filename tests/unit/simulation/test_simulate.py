"""The world as a whole: the same twice, what was promised, bad arguments, manifests, no give-aways."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from simulation import Summary, simulate


def extracts(out: Path) -> list[Path]:
    return sorted(p for p in (out / "inbox").rglob("*") if p.is_file() and not p.name.endswith(".manifest.json"))


def contents(out: Path) -> dict[str, str]:
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*") if p.is_file()}


def simulate_small(out: Path, **changes: Any) -> Summary:
    arguments: dict[str, Any] = {"start": date(2025, 3, 28), "days": 2, "scale": 0.05, "seed": 3, "out": out}
    return simulate(**{**arguments, **changes})


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    simulate_small(tmp_path / "one")
    simulate_small(tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    simulate_small(tmp_path / "one")
    simulate_small(tmp_path / "two", seed=4)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    # What the scenario says happens whatever the seed.
    assert {k for k, v in one.items() if two.get(k) == v} <= {"truth/events.parquet"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({"days": 0}, "days", id="no-day"),
        pytest.param({"scale": 0.0}, "scale", id="scale-zero"),
        pytest.param({"scale": -1.0}, "scale", id="scale-negative"),
        pytest.param({"scale": float("nan")}, "scale", id="scale-not-a-number"),
        pytest.param({"scale": float("inf")}, "scale", id="scale-endless"),
        pytest.param({"seed": -1}, "seed", id="seed-negative"),
        pytest.param({"start": date(1, 1, 1)}, "start", id="before-any-border"),
        pytest.param({"start": date(9999, 12, 1)}, "start", id="end-of-calendar"),
    ],
)
def test_impossible_arguments_are_refused_by_name(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}:"):
        simulate_small(tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_another_world_is_refused(tmp_path: Path) -> None:
    simulate_small(tmp_path)
    with pytest.raises(ValueError, match=r"^out: .*another world"):
        simulate_small(tmp_path, seed=4)


def test_a_tiny_world_still_turns(tmp_path: Path) -> None:
    summary = simulate_small(tmp_path, scale=0.001, days=1)
    assert summary.rows["immigration.crossings"] > 0


def test_progress_counts_the_days(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    simulate_small(tmp_path, progress=lambda what, done, total: calls.append((what, done, total)))
    assert [done for _, done, _ in calls] == [1, 2]
    assert {total for _, _, total in calls} == {2}


def test_manifests_match_their_files(world_dir: Path, world_summary: Summary) -> None:
    files = extracts(world_dir)
    assert len(files) == world_summary.files
    rows: dict[str, int] = {}
    for path in files:
        manifest = json.loads(path.with_name(path.name + ".manifest.json").read_text(encoding="utf-8"))
        assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (manifest["agency"], manifest["dataset"]) == (path.parent.parent.name, path.parent.name)
        assert manifest["jurisdiction"] == "XN"
        assert manifest["extracted_at"].endswith("T02:00:00Z")
        name = f"{manifest['agency']}.{manifest['dataset']}"
        rows[name] = rows.get(name, 0) + manifest["rows"]
    assert rows == world_summary.rows


def test_volumes_follow_the_scale(world_summary: Summary) -> None:
    scale, days = 0.3, 8
    assert world_summary.rows["customs.declarations"] == pytest.approx(500 * scale * days, rel=0.25)
    assert world_summary.rows["immigration.crossings"] == pytest.approx(2500 * scale * days, rel=0.25)
    seen = world_summary.rows["surveillance.vehicle_sightings"] + world_summary.rows["surveillance.vessel_positions"]
    assert seen == pytest.approx(8333 * scale * days, rel=0.1)


def test_base_rates_are_those_of_a_border(world_dir: Path) -> None:
    shipments = pl.read_parquet(world_dir / "truth" / "shipments.parquet")
    crossings = pl.read_parquet(world_dir / "truth" / "crossings.parquet")
    assert 0.012 < shipments["is_illicit"].mean() < 0.05  # type: ignore[operator]
    assert 0.005 < crossings["is_illicit"].mean() < 0.025  # type: ignore[operator]


@pytest.mark.parametrize(("table", "key"), [("shipments", "declaration_number"), ("crossings", "crossing_id")])
def test_ids_and_order_carry_no_signal(world_dir: Path, table: str, key: str) -> None:
    truth = pl.read_parquet(world_dir / "truth" / f"{table}.parquet")
    illicit = truth["is_illicit"].to_numpy()
    number = truth[key].str.extract(r"(\d{6})\D?\d?$").cast(pl.Int64)
    for signal in (np.arange(len(truth)), number.to_numpy(), (number % 10).to_numpy()):
        assert abs(_auc(signal, illicit) - 0.5) < 4 * 0.29 / np.sqrt(illicit.sum())


def _auc(signal: np.ndarray[Any, Any], illicit: np.ndarray[Any, Any]) -> float:
    ranks = pl.Series(signal).rank().to_numpy()
    bad = illicit.sum()
    return float((ranks[illicit].sum() - bad * (bad + 1) / 2) / (bad * (len(illicit) - bad)))


def test_every_defect_is_where_the_truth_says(world_dir: Path) -> None:
    defects = pl.read_parquet(world_dir / "truth" / "defects.parquet")
    marks = {
        "missing_hs": ";;", "bad_date": "-02-30T", "unknown_country": "JQ", "impossible_mass": ";0,000;",
        "bad_number": "n/a", "unknown_result": "pending", "bad_code": "??", "impossible_birth_date": "2091",
        "missing_nationality": ",,", "missing_number": "null", "missing_crossing": "null",
        "impossible_amount": "-1.0",
    }  # fmt: skip
    assert defects.height > 10
    assert {"correction", "duplicate"} <= set(defects["kind"])
    for agency, dataset, file, line, kind in defects.iter_rows():
        path = world_dir / "inbox" / agency / dataset / file
        if kind == "late_file":
            note = json.loads(path.with_name(f"{file}.manifest.json").read_text(encoding="utf-8"))
            assert note["extracted_at"][:10].replace("-", "") > str(int(file[-12:-4]) + 1)
            continue
        lines = path.read_text(encoding="latin-1" if dataset == "declarations" else "utf-8").splitlines()
        if kind == "duplicate":
            assert lines[line - 1] == lines[line - 2]
        elif kind == "correction":
            assert lines[line - 1].rsplit(";", 2)[1] != ""
        else:
            mark = "31.02." if kind == "bad_date" and dataset == "declarations" else marks[kind]
            assert mark in lines[line - 1], (file, line, kind)


def test_a_correction_repeats_number_and_lodging_of_what_it_corrects(world_dir: Path) -> None:
    folder = world_dir / "inbox" / "customs" / "declarations"
    sent = pl.concat(
        pl.read_csv(f, separator=";", encoding="latin-1", infer_schema=False) for f in sorted(folder.glob("*.csv"))
    ).filter(~pl.col("LODGED").str.starts_with("31.02."))
    first, later = sent.filter(pl.col("AMENDED").is_null()), sent.filter(pl.col("AMENDED").is_not_null())
    both = later.join(first, on=["DECL_NO", "ITEM_NO"], suffix="_FIRST")
    assert both.height >= later.height - 2 > 0
    assert both["LODGED"].to_list() == both["LODGED_FIRST"].to_list()
    assert (both["VALUE"] != both["VALUE_FIRST"]).all()

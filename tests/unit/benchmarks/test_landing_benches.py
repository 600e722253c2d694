"""The benches of landing at their smallest, and that each sees the fault it is there for."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from benchmarks import ais, crash, crash_worker, declaration_lines, landing, malformed, malformed_child, mutations
from benchmarks.harness import Settings
from benchmarks.questioned import Questioned
from benchmarks.trial_result import TrialResult
from benchmarks.trials import Trials, Usage, run_trials
from pipelines.cli import bench
from tests.unit.benchmarks.conftest import PATIENCE_S
from warehouse.catalog import BRONZE, LEDGER
from warehouse.delivery import file_sha256, sidecar_of
from warehouse.delta import Lake

runner = CliRunner()


def watch(_: str) -> None:
    """Nobody looks."""


def test_ais_gives_what_pyais_gives_and_says_how_fast(tmp_path: Path) -> None:
    out = tmp_path / "ais.json"
    done = runner.invoke(bench.app, ["ais", "--lines", "400", "--json", str(out)])
    assert done.exit_code == 0, done.output
    made = json.loads(out.read_text())
    assert made["figures"]["lines"] == 400
    assert made["rows"] > 300
    assert made["figures"]["fields_unequal"] == made["figures"]["messages_only_pyais"] == 0
    assert made["ratios"]["pyais.messages_per_s"] > 0


def test_one_field_of_one_message_that_differs_is_seen(tmp_path: Path) -> None:
    from warehouse.readers.ais import read

    log = tmp_path / "log.nmea"
    log.write_bytes(ais.log_of(200, 3))
    rows = pl.concat([chunk.rows for chunk in read(log)])
    first = pl.int_range(pl.len()) == 0
    changed = rows.with_columns(mmsi=pl.when(first).then(1).otherwise("mmsi"))
    assert ais.compare(rows, changed)["fields_unequal"] == 1
    fewer = ais.compare(rows.head(-1), rows)
    assert (fewer["fields_unequal"], fewer["messages_only_pyais"]) == (0, 1)


def test_landing_accounts_for_every_line(tmp_path: Path) -> None:
    result = landing.run(500, 1, watch, repeats=1)
    assert result.faults == []
    assert {name: result.figures[name] for name in ("rows_read", "rows_landed", "rows_refused", "rows_bad")} == {
        "rows_read": 500,
        "rows_landed": 495,
        "rows_refused": 5,
        "rows_bad": 5,
    }
    assert result.peers["polars"].figures["rows_read"] == 500
    lost = Trials([{**result.figures, "rows_in_bronze": 494}], tmp_path)
    assert landing._unaccounted(lost, 500, 5) == 1


def test_the_same_seed_writes_the_same_lines(tmp_path: Path) -> None:
    assert declaration_lines.write(tmp_path / "a.csv", 300, 1) == 3
    declaration_lines.write(tmp_path / "b.csv", 300, 1)
    declaration_lines.write(tmp_path / "c.csv", 300, 2)
    one, same, other = (file_sha256(tmp_path / f"{name}.csv") for name in "abc")
    assert one == same != other


def test_a_fault_of_a_result_ends_the_command_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    made = TrialResult("landing", 0, 1, {"rows_unaccounted": 2.0}, {}, must_be_zero=("rows_unaccounted",))
    monkeypatch.setattr(landing, "run", lambda *_: made)
    done = runner.invoke(bench.app, ["landing", "--rows", "100"])
    assert done.exit_code == 3
    assert "rows_unaccounted" in done.output


def test_sides_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(module: str, side: str, settings: Settings, folder: Path, command: None) -> Mapping[str, float]:
        assert not list(folder.iterdir()), "what the trial before left is gone"
        (folder / "left").touch()
        ran.append(side)
        return {"wall_s": float(len(ran))}

    monkeypatch.setattr("benchmarks.trials._run", run)
    found = run_trials("any", ("a", "b"), {}, tmp_path, watch, repeats=3)
    assert ran == ["a", "b"] * 3
    assert found["a"].medians() == {"wall_s": 3.0}


def test_time_and_memory_are_those_of_the_work() -> None:
    usage = Usage()
    with usage:
        sum(range(1_000_000))
    assert usage.wall_s > 0
    assert usage.cpu_s > 0
    assert usage.peak_rss_mb > 10


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[malformed.Original]]:
    return {form: list(found) for form, found in malformed.originals(tmp_path_factory.mktemp("border"), 1).items()}


@pytest.mark.parametrize("form", malformed.FORMATS)
def test_every_format_has_originals_and_each_mutation_changes_one(
    form: str, originals: Mapping[str, list[malformed.Original]]
) -> None:
    assert originals[form]
    for way, mutate in {**mutations.BYTEWISE, **mutations.STRUCTURAL[form]}.items():
        draw, changed = random.Random(1), False
        for original in originals[form] * 3:
            data = original.path.read_bytes()
            changed = changed or mutate(data, draw) != data
        assert changed, way


def _examined(original: malformed.Original, path: Path, **asked: bool) -> dict[str, int]:
    wanted = {"must_not_land": False, "must_be_original": False, **asked}
    return malformed_child.examine(path, original.path, original.agency, original.dataset, **wanted)


def test_a_row_that_changed_silently_is_seen(originals: Mapping[str, list[malformed.Original]], tmp_path: Path) -> None:
    original = next(one for one in originals["ndjson"] if one.dataset == "detections")
    changed = tmp_path / original.path.name
    first, *rest = original.path.read_bytes().splitlines(keepends=True)
    record = json.loads(first)
    record["speedKnots"] += 1
    changed.write_bytes(json.dumps(record).encode() + b"\n" + b"".join(rest))
    assert _examined(original, changed, must_be_original=True)["silent_changes"] == 1
    assert _examined(original, original.path, must_be_original=True)["silent_changes"] == 0
    landed = _examined(original, changed, must_not_land=True)
    assert landed["silent_changes"] == landed["rows_landed"] > 1
    sidecar_of(changed).write_bytes(sidecar_of(original.path).read_bytes())
    refused = _examined(original, changed, must_not_land=True)
    assert (refused["silent_changes"], refused["files_refused"]) == (0, 1)


def test_a_reader_that_loses_a_line_is_seen(
    originals: Mapping[str, list[malformed.Original]], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = next(one for one in originals["delimited"] if one.dataset == "declarations")
    assert _examined(original, original.path)["unreconciled"] == 0
    sent = malformed_child._lines_sent
    monkeypatch.setattr(malformed_child, "_lines_sent", lambda path, item: (sent(path, item) or 0) + 1)
    assert _examined(original, original.path)["unreconciled"] == 1


def test_a_child_that_dies_or_hangs_is_counted_and_replaced() -> None:
    child = Questioned("benchmarks.malformed_child")
    asked = {"path": "none", "original": "none", "agency": "customs", "dataset": "declarations"}
    asked |= {"must_not_land": False, "must_be_original": False}  # type: ignore[dict-item]
    try:
        assert child.ask(asked, PATIENCE_S) == {"crashes": 1}, "no such file is no refusal"
        assert child._process is not None
        child._process.kill()
        child._process.wait()
        assert child.ask(asked, PATIENCE_S) == {"crashes": 1}
        os.kill(child._started().pid, signal.SIGSTOP)
        assert child.ask(asked, 0.0) == {"hangs": 1}
        assert child._process is None
    finally:
        child.stop()


def test_malformed_at_its_smallest(tmp_path: Path) -> None:
    out = tmp_path / "malformed.json"
    done = runner.invoke(bench.app, ["malformed", "--files", "14", "--seed", "3", "--json", str(out)])
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())["figures"]
    assert (figures["files"], figures["formats"]) == (14, 7)
    assert all(figures[fault] == 0 for fault in malformed.FAULTS)


def test_crash_at_its_smallest(tmp_path: Path) -> None:
    out = tmp_path / "crash.json"
    done = runner.invoke(bench.app, ["crash", "--kills", "2", "--json", str(out)])
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())["figures"]
    assert (figures["kills"], figures["rows_lost"], figures["rows_doubled"]) == (2, 0, 0)
    assert figures["rows_sent"] >= 2_400
    assert figures["reads"] > 0


def test_lost_doubled_and_half_seen_rows_are_counted(tmp_path: Path) -> None:
    inbox, lake = tmp_path / "inbox", Lake(str(tmp_path / "lake"))
    inbox.mkdir()
    declaration_lines.write(inbox / "declarations-1.csv", 200, 1)
    crash_worker.land_all(inbox, lake, random.Random(1))
    assert crash.count(lake, inbox)["rows_lost"] == crash.inconsistent(lake) == 0
    table = BRONZE["customs.declarations"]
    lake.append(table, lake.scan(table).collect().head(3))
    assert crash.count(lake, inbox)["rows_doubled"] == 3
    assert crash.inconsistent(lake) == 1
    lake.append(LEDGER, lake.scan(LEDGER).collect())
    assert crash.count(lake, inbox)["batches_not_once_in_ledger"] == 1
    declaration_lines.write(inbox / "declarations-2.csv", 200, 2)
    assert crash.count(lake, inbox)["rows_lost"] == 200


def test_what_a_kill_leaves_is_counted_apart_from_verifying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox, lake = tmp_path / "inbox", crash_worker.opened(tmp_path / "lake")
    inbox.mkdir()
    declaration_lines.write(inbox / "declarations-1.csv", 200, 1)
    crash_worker.land_all(inbox, lake, random.Random(1))
    assert crash.orphans(lake) == {"orphans": 0, "orphans_found": 0, "orphans_missed": 0, "other_findings": 0}
    bronze = tmp_path / "lake" / "bronze" / "customs__declarations"
    for stray in (bronze / "part-1.parquet", bronze / "_delta_log" / "1.json#1", tmp_path / "lake/_manifests/.draft-1"):
        stray.write_bytes(b"left")
    counted = crash.orphans(lake)
    assert (counted["orphans"], counted["orphans_found"], counted["orphans_missed"]) == (3, 2, 1)
    monkeypatch.setattr(crash, "verify", lambda *_, **__: [])
    assert crash.orphans(lake)["orphans_missed"] == 3

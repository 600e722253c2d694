"""The commands on tiny extracts; once with real child processes, else in this one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import crossings, shipments
from benchmarks.harness import Scored, Task, Watch
from benchmarks.run import SIDES
from pipelines.cli import bench
from pipelines.cli.bench import running
from warehouse.errors import BorderlakeError

runner = CliRunner()
FILES = ["shipments", "--train", "a.csv", "--valid", "a.csv", "--test", "a.csv"]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sides run in this process: a child takes seconds to import what it needs."""

    def run_sides(task: Task, sides: Sequence[str], watch: Watch) -> dict[str, Scored]:
        return {side: Scored(SIDES[task.bench][side](task.rows, task.settings), 0.1, 1.0) for side in sides}

    for module in (shipments, crossings):
        monkeypatch.setattr(module, "run_sides", run_sides)


def test_shipments_published(kcs_files: tuple[Path, Path], tmp_path: Path) -> None:
    year, quarter = kcs_files
    out = tmp_path / "out.json"
    files = ["--train", str(year), "--valid", str(quarter), "--test", str(quarter)]
    done = runner.invoke(
        bench.app, ["shipments", *files, "--dialect", "kcs", "--protocol", "published", "--json", str(out)]
    )
    assert done.exit_code == 0, done.output
    made = json.loads(out.read_text())
    assert (made["bench"], made["rows"], made["figures"]["rows_train"]) == ("shipments", 250, 500)
    assert set(made["peers"]) == {"default_lightgbm", "twin_lookup", "published_lightgbm"}
    assert {"auc", "auc_low", "recall_at_10_high", "auc_gain_low", "twin_share", "wall_s"} <= set(made["figures"])
    assert made["figures"]["peak_rss_mb"] > 50
    assert made["figures"]["twin_share"] >= 0.4


def test_shipments_twin_free_in_one_repetition(
    kcs_files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, in_process: None
) -> None:
    year, quarter = kcs_files
    monkeypatch.setattr(shipments, "FOLDS", 2)
    result = shipments.run(shipments.Files(year, quarter, quarter), "kcs", "twin-free", 0, lambda _: None, repeats=1)
    assert result.figures["twin_share"] == 0
    assert result.figures["auc"] > result.peers["twin_lookup"].figures["auc"]


def test_crossings(i94_folder: Path, tmp_path: Path, in_process: None) -> None:
    out = tmp_path / "out.json"
    days = ["--train-until", "2016-04-04", "--valid-until", "2016-04-06", "--test-from", "2016-04-07"]
    done = runner.invoke(
        bench.app,
        ["crossings", "--data", str(i94_folder), "--dialect", "i94", *days, "--slice", "air", "--json", str(out)],
    )
    assert done.exit_code == 0, done.output
    made = json.loads(out.read_text())
    assert {"ap_gain_low", "ap_gain_high", "calibration_slope", "rows_refused"} <= set(made["figures"])
    assert sum(peer["figures"]["is_best"] for peer in made["peers"].values()) == 1
    assert made["rows"] < made["figures"]["rows_test"]
    assert made["figures"]["auc"] > 0.7


def test_a_missing_file_is_an_error_a_user_can_mend(kcs_files: tuple[Path, Path]) -> None:
    year, _ = kcs_files
    done = runner.invoke(bench.app, ["shipments", "--train", str(year), "--valid", "none.csv", "--test", "none.csv"])
    assert isinstance(done.exception, BorderlakeError)
    assert "none.csv is not a file" in str(done.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["shipments"], id="no-files"),
        pytest.param(
            ["shipments", "--train", "a", "--valid", "a", "--test", "a", "--protocol", "other"], id="protocol"
        ),
        pytest.param(["crossings", "--data", ".", "--train-until", "April"], id="no-date"),
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    assert runner.invoke(bench.app, arguments).exit_code == 2


def test_an_installed_package_says_that_it_has_no_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "find_spec", lambda _: None)
    with pytest.raises(BorderlakeError, match="checkout of the repository"):
        running.require_benchmarks()

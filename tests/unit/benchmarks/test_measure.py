"""Figures and results: repetitions averaged, gains paired, the shape of the JSON object."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rich.console import Console

from benchmarks.harness import peak_rss_mb
from benchmarks.measure import gains, measure
from benchmarks.result import Peer, Result

GENERATOR = np.random.default_rng(5)
TRUE = GENERATOR.random(2_000) * 0.5
LABELS = (GENERATOR.random(2_000) < TRUE).astype(np.float64)
NOISY = np.clip(TRUE + GENERATOR.normal(0, 0.3, 2_000), 0.01, 0.99)


def test_repetitions_are_averaged() -> None:
    alone = [measure(LABELS, [scores], seed=1, draws=20).values["auc"] for scores in (TRUE, NOISY)]
    together = measure(LABELS, [TRUE, NOISY], seed=1, draws=20)
    assert together.values["auc"] == pytest.approx(np.mean(alone))


def test_gains_are_paired() -> None:
    better, worse = (measure(LABELS, [scores], seed=1, draws=100) for scores in (TRUE, NOISY))
    found = gains(better, worse)
    assert 0 < found["auc_gain_low"] < found["auc_gain"] < found["auc_gain_high"]
    assert set(gains(better, better).values()) == {0.0}
    assert not any(name.startswith(("brier", "calibration")) for name in found)


def test_figures_have_their_intervals_beside_them() -> None:
    flat = measure(LABELS, [TRUE], seed=1, draws=50).flat("_alone")
    assert flat["ap_alone_low"] < flat["ap_alone"] < flat["ap_alone_high"]


RESULT = Result(
    bench="shipments",
    seed=3,
    rows=2_000,
    figures={"auc": 0.8, "auc_low": 0.7, "auc_high": 0.9, "ap": 0.5, "wall_s": 2.0, "auc_gain": 0.1},
    peers={
        "lookup": Peer("twin lookup", "1", {"auc": 0.4, "auc_low": 0.3, "auc_high": 0.5, "ap": 0.0, "wall_s": 1.0}),
        "published": Peer("published", "a paper", {"precision_at_5": 0.7}),
    },
    arguments={"protocol": "published"},
)


def test_the_object_has_the_shape_all_benches_share() -> None:
    made = json.loads(json.dumps(RESULT.to_json()))
    assert set(made) == {"bench", "version", "seed", "rows", "figures", "peers", "ratios", "machine"}
    assert made["ratios"] == {"lookup.auc": 2.0, "lookup.wall_s": 2.0}
    assert made["peers"]["published"] == {"version": "a paper", "figures": {"precision_at_5": 0.7}}
    assert all(isinstance(value, float) for value in made["figures"].values())


def test_the_table_says_the_same() -> None:
    console = Console(record=True, width=160)
    for table in RESULT.tables():
        console.print(table)
    text = console.export_text()
    assert all(said in text for said in ("twin lookup", "0.8000", "0.7000 to 0.9000", "auc_gain", "2,000 rows"))


def test_peak_memory_is_this_process_s_own() -> None:
    assert 20 < peak_rss_mb() < 8_000

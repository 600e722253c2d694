"""`borderlake whatif` and `leakage` against a count by hand; every figure below can be checked on a sheet of paper."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from models.estimators import Estimate
from pipelines.cli import app
from pipelines.cli.output import Exit
from pipelines.cli.selecting import interval
from pipelines.deployment import Deployment
from tests.unit.pipelines.judged_world import DAY, Judged, write
from warehouse.catalog import OUTCOMES
from warehouse.errors import BorderlakeError, NotReady
from warehouse.settings import Settings

runner = CliRunner()

# Red, yellow and blue have a seat each at each office. The agency looked into some by rule, and drew at random one of
# two at A, one of four at B.
WORLD = [
    Judged("a1", "A", 0.9, "red", adverse=True),
    Judged("a2", "A", 0.8, "yellow", adverse=False, selection="random", chance=0.5),
    Judged("a3", "A", 0.7, "blue"),
    Judged("a4", "A", 0.4, adverse=True, selection="random", chance=0.5),
    Judged("a5", "A", 0.2),
    Judged("a6", "A", 0.1, adverse=False, selection="random", chance=0.5),
    Judged("b1", "B", 0.6, "red", adverse=False),
    Judged("b2", "B", 0.5, "yellow"),
    Judged("b3", "B", 0.3, "blue", adverse=True, selection="random", chance=0.25),
    Judged("b4", "B", 0.05, adverse=False, selection="random", chance=0.25),
]
CAPACITY = """
[shipments.default]
red = 2
yellow = 2
blue = 0
exploration = 0
[shipments.A]
red = 2
yellow = 2
blue = 0
exploration = 0
minutes = { red = 90 }
"""


@pytest.fixture
def deployment(deployment: Deployment) -> Deployment:
    write(deployment, WORLD)
    return deployment


def run(tmp_path: Path, *arguments: str, code: Exit = Exit.DONE) -> tuple[dict[str, Any], str]:
    out = tmp_path / "out.json"
    result = runner.invoke(app, [*arguments, "--json", str(out)])
    if isinstance(result.exception, BorderlakeError):
        raise result.exception
    assert result.exit_code == code, result.output
    return json.loads(out.read_text()), result.output


def days(first: int = 0, last: int = 0) -> list[str]:
    return ["--from", str(DAY + timedelta(days=first)), "--to", str(DAY + timedelta(days=last))]


def figures(side: dict[str, Any]) -> dict[str, Any]:
    return {name: side[name] for name in ("events", "looked_at", "known", "hits", "precision", "officer_hours")}


@pytest.mark.usefixtures("deployment")
def test_a_capacity_is_replayed_as_a_count_by_hand_says(tmp_path: Path) -> None:
    capacity = tmp_path / "capacity.toml"
    capacity.write_text(CAPACITY)
    told, output = run(tmp_path, "whatif", *days(), "--capacity", str(capacity))
    # Looked at: a1, a2, b1, b2; b2's outcome is not known, of the others a1 was adverse.
    # A: 90 + 15 + 30 minutes, B: 60 + 15 + 30.
    assert figures(told["as_it_was"]) == {
        "events": 10, "looked_at": 4, "known": 3, "hits": 1, "precision": 1 / 3, "officer_hours": 4.0
    }  # fmt: skip
    # Looked at: a1 to a4, b1 to b4; known: a1, a2, a4, b1, b3, b4, of which a1, a4, b3 were adverse.
    # A: 2 x 90 + 2 x 15 minutes, B: 2 x 60 + 2 x 15.
    assert figures(told["what_if"]) == {
        "events": 10, "looked_at": 8, "known": 6, "hits": 3, "precision": 0.5, "officer_hours": 6.0
    }  # fmt: skip
    by_office = {
        row["location"]: (row["looked_at"], row["hits"], row["officer_hours"]) for row in told["what_if"]["offices"]
    }
    assert by_office == {"A": (4, 2, 3.5), "B": (4, 1, 2.5)}
    # Of the random sample a4 stands for 2 events and b3 for 4; what rules found stands for nothing else.
    assert told["as_it_was"]["expected_hits"]["value"] == 0
    assert told["what_if"]["expected_hits"]["value"] == 2 + 4
    assert told["gain"]["value"] == 6
    assert told["gain"]["low"] < 6 < told["gain"]["high"]
    assert "Hits gained, estimated: 6" in output


# One seat at C. By risk it goes to c1, by money to c2, and a mix of equal parts weighs 0.5 + 0.05, 0.35 + 0.75 and
# 0.15 + 0.2 halves: to c2 as well.
MONEY = [
    Judged("c1", "C", 0.5, "red", adverse=True, expected=100.0, recovered=80.0),
    Judged("c2", "C", 0.35, "green", adverse=True, expected=1_500.0, recovered=2_000.0, selection="random", chance=0.5),
    Judged("c3", "C", 0.15, "green", adverse=True, expected=400.0, recovered=900.0, recovered_in="USD"),
]
ONE_SEAT = "[shipments.default]\nred = 1\nyellow = 0\nblue = 0\nexploration = 0\n"


@pytest.mark.parametrize(
    ("rank_by", "expected", "recovered"),
    [
        pytest.param("probability", 100.0, 80.0, id="by-risk"),
        pytest.param("money", 1_500.0, 2_000.0, id="by-money"),
        pytest.param("mix:0.5", 1_500.0, 2_000.0, id="by-both"),
    ],
)
def test_money_is_replayed_as_a_count_by_hand_says(
    deployment: Deployment, tmp_path: Path, rank_by: str, expected: float, recovered: float
) -> None:
    day = DAY + timedelta(days=3)
    write(deployment, [replace(row, day=day) for row in MONEY])
    capacity = tmp_path / "capacity.toml"
    capacity.write_text(ONE_SEAT)
    told, output = run(tmp_path, "whatif", *days(3, 3), "--capacity", str(capacity), "--rank-by", rank_by)
    assert (told["as_it_was"]["expected"], told["as_it_was"]["recovered"]) == (100.0, 80.0)
    would = told["what_if"]
    assert (would["looked_at"], would["hits"], would["precision"], would["officer_hours"]) == (1, 1, 1.0, 1.0)
    assert (would["expected"], would["recovered"]) == (expected, recovered)
    assert "(EUR)" in output
    assert f"{recovered:,.0f}" in output


def test_money_of_another_currency_does_not_count_and_an_event_of_two_versions_counts_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    day = DAY + timedelta(days=3)
    again = replace(MONEY[1], version=2, adverse=None)
    write(deployment, [replace(row, day=day) for row in [*MONEY, again]])
    told, _ = run(tmp_path, "whatif", *days(3, 3), "--threshold", "0")
    assert (told["what_if"]["looked_at"], told["what_if"]["hits"]) == (4, 3)
    assert (told["what_if"]["expected"], told["what_if"]["recovered"]) == (2_000.0, 2_080.0)


@pytest.mark.usefixtures("deployment")
def test_money_cannot_be_asked_of_a_model_that_expects_none(tmp_path: Path) -> None:
    with pytest.raises(BorderlakeError, match="shipment_risk expects no recovery for these events"):
        run(tmp_path, "whatif", *days(), "--rank-by", "mix:0.5")
    told, _ = run(tmp_path, "whatif", *days(), "--rank-by", "probability")
    assert (told["what_if"]["expected"], told["what_if"]["recovered"]) == (None, None)
    for wrong in (
        ["--rank-by", "luck"],
        ["--rank-by", "money", "--threshold", "0.3"],
        ["--threshold", "nan"],
        ["--threshold", "1.5"],
    ):
        assert runner.invoke(app, ["whatif", *days(), *wrong]).exit_code == Exit.USAGE


@pytest.mark.usefixtures("deployment")
def test_a_threshold_looks_at_all_from_it_on_whatever_the_capacity(tmp_path: Path) -> None:
    told, _ = run(tmp_path, "whatif", *days(), "--threshold", "0.5")
    # a1, a2, a3, b1, b2, each for the default hour.
    assert figures(told["what_if"]) == {
        "events": 10, "looked_at": 5, "known": 3, "hits": 1, "precision": 1 / 3, "officer_hours": 5.0
    }  # fmt: skip


def test_an_event_of_two_versions_takes_time_twice_and_is_hit_once(deployment: Deployment, tmp_path: Path) -> None:
    write(deployment, [Judged("a1", "A", 0.9, "red", day=DAY + timedelta(days=1), version=2)])
    told, _ = run(tmp_path, "whatif", *days(0, 1), "--threshold", "0.9")
    assert figures(told["what_if"]) == {
        "events": 11, "looked_at": 2, "known": 1, "hits": 1, "precision": 1.0, "officer_hours": 2.0
    }  # fmt: skip


@pytest.mark.usefixtures("deployment")
def test_an_outcome_counts_from_the_day_that_it_was_known(tmp_path: Path) -> None:
    told, output = run(tmp_path, "whatif", *days(), "--threshold", "0", "--known-by", str(DAY + timedelta(days=9)))
    assert (told["what_if"]["known"], told["what_if"]["precision"]) == (0, None)
    assert told["gain"] is None
    assert "nothing is known" in output


def test_the_advice_that_was_given_first_is_what_was(deployment: Deployment, tmp_path: Path) -> None:
    later = [Judged(row.event, row.location, row.probability, "green", model_version=2) for row in WORLD]
    write(deployment, later)
    told, _ = run(tmp_path, "whatif", *days(), "--threshold", "0.5")
    assert (told["as_it_was"]["events"], told["as_it_was"]["looked_at"]) == (10, 4)


@pytest.mark.usefixtures("deployment")
def test_leakage_by_lane_and_office_is_as_a_count_by_hand_says(tmp_path: Path) -> None:
    told, output = run(tmp_path, "leakage", *days())
    assert [row["lane_by_risk"] for row in told["lane"]] == ["red", "yellow", "blue", "green"]
    assert "All estimates rest on the 5 that were drawn with a known chance" in output
    lanes = {
        row["lane_by_risk"]: (row["events"], row["sampled"], row["adverse"], row["missed"]) for row in told["lane"]
    }
    # Of red nothing was drawn; but what is looked at for certain is not missed.
    assert lanes == {"red": (2, 0, None, 0), "yellow": (2, 1, 0, 0), "blue": (2, 1, 4, 4), "green": (4, 3, 2, 2)}
    offices = {
        row["location"]: (row["events"], row["sampled"], row["adverse"], row["missed"]) for row in told["office"]
    }
    assert offices == {"A": (6, 3, 2, 2), "B": (4, 2, 4, 4)}
    # At B 1 of 2 sampled, as often at B as each other; at A 1 of 3.
    assert [row["rate"] for row in told["office"]] == pytest.approx([1 / 3, 1 / 2])


@pytest.mark.usefixtures("deployment")
def test_what_cannot_be_answered_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"no scores from 2025-02-06 to 2025-02-06; scores are there from 2025-02-01 to"):
        run(tmp_path, "whatif", *days(5, 5))
    with pytest.raises(BorderlakeError, match="--to is before --from"):
        run(tmp_path, "whatif", *days(1, 0))
    with pytest.raises(BorderlakeError, match="a number, champion or challenger"):
        run(tmp_path, "whatif", *days(), "--version", "best")
    run_code = runner.invoke(app, ["whatif", *days(), "--capacity", str(tmp_path / "none.toml")]).exit_code
    assert run_code == Exit.USAGE
    told, output = run(tmp_path, "leakage", *days(5, 5), code=Exit.NOTHING)
    assert told["events"] == 0
    assert "no scores from 2025-02-06 to 2025-02-06; scores are there from 2025-02-01 to 2025-02-01" in output


def test_a_lake_without_scores_says_how_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "new"
    monkeypatch.setenv("BORDERLAKE_HOME", str(home))
    Deployment(Settings(home, str(home / "lake"))).lake.ensure(OUTCOMES)
    _, output = run(tmp_path, "leakage", *days(), code=Exit.NOTHING)
    assert "nothing has been scored yet; run: borderlake train shipment_risk, then borderlake score" in output
    with pytest.raises(NotReady, match="nothing has been scored yet; run: borderlake train shipment_risk"):
        run(tmp_path, "whatif", *days())


def test_leakage_without_any_draw_says_that_nothing_can_be_estimated(deployment: Deployment, tmp_path: Path) -> None:
    write(deployment, [Judged("d1", "D", 0.9, "red", adverse=True, day=DAY + timedelta(days=30))])
    told, output = run(tmp_path, "leakage", *days(30, 30), code=Exit.NOTHING)
    assert (told["events"], told["sampled"]) == (1, 0)
    assert "no outcome of any came of a draw of known chance" in output


@pytest.mark.usefixtures("deployment")
def test_a_question_that_asks_nothing_says_so(tmp_path: Path) -> None:
    _, nothing = run(tmp_path, "whatif", *days())
    assert "give --capacity, --rank-by, --threshold or --version" in nothing
    _, something = run(tmp_path, "whatif", *days(), "--threshold", "0.5")
    assert "give --capacity" not in something


@given(low=st.floats(-2, 2), high=st.floats(-2, 2))
def test_no_interval_has_a_zero_with_a_sign(low: float, high: float) -> None:
    assert "-0 " not in f"{interval(Estimate(low, low, high))} ".replace("(", "").replace(")", " ")

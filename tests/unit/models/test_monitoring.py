"""Monitoring: what is judged on a day rests on what was known by its end, and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features.vectors import subject_of
from models import drift, high_scores
from models import monitoring_words as words
from models.monitoring import (
    CHECKS,
    HISTORY_DAYS,
    OUTCOME_DAYS,
    SCHEMA,
    VOLUME_DAYS,
    Evidence,
    Figure,
    monitor,
    outcomes_beside_scores,
    sources_of,
)
from warehouse import usual

DAY = date(2025, 3, 1)
LAST = DAY + timedelta(days=119)
FEATURES = subject_of("shipments").registry.features


def days_from(first: int, until: int) -> list[date]:
    return [DAY + timedelta(days=step) for step in range(first, until)]


def events_of(days: int = 120, a_day: int = 30, seed: int = 3) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    rows = days * a_day
    return pl.DataFrame(
        {
            "received_on": np.repeat(days_from(0, days), a_day).tolist(),
            "log_mass": generator.normal(4, 1, rows),
            "office": generator.choice(["XNPRT", "XNAIR"], rows),
            "raw_score": generator.normal(-3, 1, rows),
        }
    ).with_columns(probability=1 / (1 + (-pl.col("raw_score")).exp()))


def outcomes_of(rows: int = 2_400, seed: int = 4, rate: float = 0.05) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    received = generator.integers(0, 120, rows)
    return pl.DataFrame(
        {
            "received_on": [DAY + timedelta(days=int(step)) for step in received],
            "known_on": [DAY + timedelta(days=int(step)) for step in received + generator.integers(1, 10, rows)],
            "is_adverse": generator.random(rows) < rate,
            "selection": generator.choice(["random", "rule"], rows),
            "probability": np.full(rows, rate),
            "is_selected": generator.random(rows) < 0.3,
        }
    )


@pytest.fixture(scope="module")
def calm() -> Evidence:
    events = events_of()
    return Evidence(
        events=events,
        reference=events.filter(pl.col("received_on") < DAY + timedelta(days=28)),
        numbers=["log_mass"],
        categories=["office"],
        scores=events_of(a_day=300, seed=5).select("received_on", "raw_score"),
        volumes=dict(events.group_by("received_on").len().iter_rows()),
        outcomes=outcomes_of(),
        arrivals={"silver.shipments": days_from(0, 120)},
    )


def alerts(rows: pl.DataFrame) -> set[tuple[str, str]]:
    return set(rows.filter("is_alert").select("figure", "feature").iter_rows())


def test_a_calm_world_has_every_figure_and_no_alert(calm: Evidence) -> None:
    rows = monitor(calm, days_from(80, 120))
    assert rows.schema == SCHEMA
    assert set(rows["figure"]) == {figure.value for figure in Figure}
    assert rows.drop_nulls("high").height == rows.height
    assert not alerts(rows)


def test_each_day_alone_is_judged_as_among_others(calm: Evidence) -> None:
    days = days_from(100, 120)
    together = monitor(calm, days)
    alone = pl.concat([monitor(_as_of(calm, day), [day]) for day in days])
    assert together.equals(alone)


def _as_of(evidence: Evidence, day: date) -> Evidence:
    """What a daily run reads: the days that the judgement rests on, and nothing that came later."""
    recent = pl.col("received_on").is_between(day - timedelta(days=HISTORY_DAYS - 1), day)
    return replace(
        evidence,
        events=evidence.events.filter(recent),
        scores=evidence.scores.filter(recent),
        volumes={one: count for one, count in evidence.volumes.items() if (day - one).days in range(HISTORY_DAYS)},
        outcomes=evidence.outcomes.filter(recent & (pl.col("known_on") <= day)),
        arrivals={name: [one for one in came if one <= day] for name, came in evidence.arrivals.items()},
    )


def test_nothing_that_came_later_changes_what_a_day_was_told(calm: Evidence) -> None:
    day = DAY + timedelta(days=100)
    changed = replace(
        calm,
        events=calm.events.with_columns(log_mass=pl.when(pl.col("received_on") > day).then(99.0).otherwise("log_mass")),
        scores=calm.scores.with_columns(
            raw_score=pl.when(pl.col("received_on") > day).then(9.0).otherwise("raw_score")
        ),
        outcomes=calm.outcomes.with_columns(is_adverse=(pl.col("known_on") > day) | pl.col("is_adverse")),
    )
    assert monitor(changed, [day]).equals(monitor(calm, [day]))


def _shifted(evidence: Evidence, since: date) -> Evidence:
    late = pl.col("received_on") >= since
    moved = evidence.events.with_columns(log_mass=pl.when(late).then(pl.col("log_mass") + 1).otherwise("log_mass"))
    return replace(evidence, events=moved)


def _rescored(evidence: Evidence, since: date) -> Evidence:
    late = pl.col("received_on") >= since
    higher = pl.when(late).then(pl.col("probability") * 3).otherwise("probability")
    return replace(evidence, events=evidence.events.with_columns(probability=higher))


def _riskier(evidence: Evidence, since: date) -> Evidence:
    """One event in seventy ranks far above the others."""
    few = (pl.col("received_on") >= since) & (pl.int_range(pl.len()) % 70 == 0)
    higher = pl.when(few).then(2.0).otherwise("raw_score")
    return replace(evidence, scores=evidence.scores.with_columns(raw_score=higher))


def _emptied(evidence: Evidence, since: date) -> Evidence:
    fewer = {day: count // 5 if day >= since else count for day, count in evidence.volumes.items()}
    return replace(evidence, volumes=fewer)


def _worse(evidence: Evidence, since: date) -> Evidence:
    worse = (pl.col("known_on") >= since) & (pl.int_range(pl.len()) % 2 == 0)
    return replace(evidence, outcomes=evidence.outcomes.with_columns(is_adverse=pl.col("is_adverse") | worse))


def _silent(evidence: Evidence, since: date) -> Evidence:
    return replace(evidence, arrivals={"silver.shipments": [day for day in days_from(0, 120) if day < since]})


@pytest.mark.parametrize(
    ("change", "figures"),
    [
        pytest.param(_shifted, {(Figure.INPUT_DRIFT, "log_mass")}, id="a-feature-that-moves"),
        pytest.param(_rescored, {(Figure.SCORE_DRIFT, "probability")}, id="probabilities-that-rise"),
        pytest.param(_riskier, {(Figure.HIGH_SCORES, "")}, id="more-that-ranks-highest"),
        pytest.param(_emptied, {(Figure.VOLUME, "")}, id="events-that-stay-away"),
        pytest.param(
            _worse,
            {(Figure.CALIBRATION, ""), (Figure.PRECISION, ""), (Figure.BASE_RATE, "")},
            id="outcomes-that-get-worse",
        ),
        pytest.param(_silent, {(Figure.SILENCE, "silver.shipments")}, id="a-source-that-falls-silent"),
    ],
)
def test_a_change_is_told_in_its_own_figure(
    calm: Evidence, change: Callable[[Evidence, date], Evidence], figures: set[tuple[Figure, str]]
) -> None:
    since = DAY + timedelta(days=100)
    changed = change(calm, since)
    assert not alerts(monitor(changed, days_from(85, 100)))
    assert alerts(monitor(changed, days_from(100, 115))) == figures


def test_a_day_without_events_is_told_of_by_what_is_left(calm: Evidence) -> None:
    rows = monitor(calm, [LAST + timedelta(days=1)])
    assert set(rows["figure"]) & {Figure.VOLUME, Figure.SILENCE} == {Figure.VOLUME, Figure.SILENCE}
    assert not set(rows["figure"]) & {Figure.INPUT_DRIFT, Figure.SCORE_DRIFT}


def test_a_young_deployment_says_how_much_came_and_nothing_it_cannot_know(calm: Evidence) -> None:
    day = DAY + timedelta(days=5)
    rows = monitor(_as_of(calm, day), [day])
    assert (Figure.VOLUME.value, 180.0) in set(rows.select("figure", "value").iter_rows())
    assert not alerts(rows)
    assert not set(rows["figure"]) & {Figure.INPUT_DRIFT, Figure.SCORE_DRIFT}


def test_an_outcome_counts_once_as_first_reported_and_only_of_events_that_the_model_never_saw() -> None:
    at = datetime(2025, 3, 5, 12, tzinfo=UTC)
    scored = pl.DataFrame(
        {
            "event_id": ["seen", "new", "new"],
            "event_version": [1, 2, 1],
            "received_on": [DAY, DAY + timedelta(days=3), DAY],
            "in_training": [True, False, False],
            "probability": [0.1, 0.9, 0.2],
            "is_selected": [False, True, False],
        }
    )
    reported = pl.DataFrame(
        {
            "subject_id": ["seen", "new", "new", "other"],
            "known_at": [at, at + timedelta(days=1), at, at],
            "received_on": [date(2025, 3, 9)] * 4,
            "is_adverse": [True, True, False, True],
            "selection": ["rule"] * 4,
        }
    )
    assert outcomes_beside_scores(reported, scored).to_dicts() == [
        {
            "is_adverse": False,
            "selection": "rule",
            "probability": 0.2,
            "is_selected": False,
            "received_on": DAY,
            "known_on": at.date(),
        }
    ]


def test_the_sources_of_features_are_the_tables_that_their_views_read() -> None:
    subject = subject_of("shipments")
    assert [table.name for table in sources_of(subject, ["log_mass"])] == ["silver.shipments"]
    assert {"silver.shipments", "silver.outcomes"} <= {
        table.name for table in sources_of(subject, ["log_mass", "importer_hit_rate"])
    }


def test_every_figure_has_one_check() -> None:
    checked = [figure for figures in CHECKS.values() for figure in figures]
    assert sorted(checked) == sorted(Figure)


@pytest.mark.parametrize("is_alert", [True, False], ids=["an-alert", "as-usual"])
@pytest.mark.parametrize("figure", list(Figure))
def test_every_row_says_what_was_seen_and_an_alert_what_to_do(figure: Figure, is_alert: bool) -> None:
    row = {
        "model_name": "shipment_risk",
        "monitored_on": DAY,
        "figure": figure.value,
        "feature": "log_mass" if figure is Figure.INPUT_DRIFT else "",
        "value": 0.31,
        "low": 0.1,
        "high": 0.2,
        "is_alert": is_alert,
    }
    told = words.told(row, FEATURES)
    assert "usual" in told
    assert any(next_step in told for next_step in ("borderlake", "ask the agency")) == is_alert
    unbounded = words.told({**row, "low": None, "high": None, "is_alert": False}, FEATURES)
    assert "0.2" not in unbounded


def test_an_input_is_told_by_what_it_means_and_whose_it_is() -> None:
    row = {"model_name": "shipment_risk", "figure": Figure.INPUT_DRIFT, "feature": "importer_hit_rate"}
    told = words.told(row | {"value": 0.5, "low": None, "high": 0.2, "is_alert": True}, FEATURES)
    feature = FEATURES["importer_hit_rate"]
    assert feature.description in told
    assert f"a feed of {feature.owner}" in told
    assert "0.50 standard deviations" in told


def test_counts_are_of_whole_weeks_and_of_no_more_days_than_a_judgement_rests_on() -> None:
    assert OUTCOME_DAYS % 7 == VOLUME_DAYS % 7 == 0
    assert high_scores.BEFORE % 7 == 0
    assert (
        max(drift.HISTORY_DAYS, high_scores.HISTORY_DAYS, VOLUME_DAYS + usual.WINDOW_DAYS, 2 * OUTCOME_DAYS)
        <= HISTORY_DAYS
    )

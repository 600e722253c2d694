"""The monitoring step on a lake of scores that were never computed: days, rows, and what the command says of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from features import vectors
from models import monitoring as judged
from models.abstention import Ground
from models.calibration import IDENTITY
from models.catalogue import MODELS
from models.datasets import Encoder
from models.monitoring import CHECKS, HISTORY_DAYS, Figure
from models.tracking import Registered, Registry
from models.training import Bundle, Model
from models.usual import Usual
from pipelines import flows, monitoring
from pipelines.assets import DEPLOYMENT
from pipelines.assets.monitoring import monitoring_assets, monitoring_key
from pipelines.cli import app
from pipelines.deployment import Deployment
from warehouse import catalog, ids
from warehouse.settings import Settings

SPEC = MODELS["shipment_risk"]
FIRST, DAYS, A_DAY = date(2025, 1, 2), 130, 24
LAST = FIRST + timedelta(days=DAYS - 1)
DRIFTS_ON = FIRST + timedelta(days=110)
NOW = datetime(2025, 12, 1, 12, tzinfo=UTC)
NUMBERS, CATEGORIES = ("log_mass", "importer_hit_rate"), ("office",)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


CHAMPION = Registered(
    SPEC.name,
    3,
    "champion",
    "run",
    Model(
        "",
        Bundle(
            SPEC.name,
            SPEC.digest,
            Encoder(NUMBERS, {name: {} for name in CATEGORIES}),
            IDENTITY,
            Usual(),
            _midnight(FIRST + timedelta(days=40)),
            ("XN",),
            Ground(),
        ),
    ),
    {},
)


@dataclass(frozen=True)
class Lake:
    """A deployment whose shipments weigh more from a day on."""

    deployment: Deployment

    def monitor(self, last: date = LAST, now: datetime = NOW) -> pl.DataFrame:
        return monitoring.monitor_days(self.deployment, SPEC, [last], now)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home: events, vectors, scores, lanes and outcomes of all days."""
    home = tmp_path_factory.mktemp("home")
    lake = Deployment(Settings(home, str(home / "lake"))).lake
    generator = np.random.default_rng(5)
    events = _events(generator)
    names = vectors.feature_set(vectors.subject_of(SPEC.subject).registry)
    unknown = dict.fromkeys(names.numbers, pl.Float64) | dict.fromkeys(names.categories, pl.String)
    lake.append(flows.feature_table(SPEC.subject), vectors.pack(_with_nothing(events, unknown), names))
    scored = _scored(events)
    for table in (flows.score_table(SPEC), flows.selection_table(SPEC)):
        lake.append(table, table.shape(scored))
    outcomes = _with_nothing(_outcomes(events, generator), catalog.OUTCOMES.dtypes)
    lake.append(catalog.OUTCOMES, catalog.OUTCOMES.shape(outcomes))
    return home


def _events(generator: np.random.Generator) -> pl.DataFrame:
    rows = DAYS * A_DAY
    day = [FIRST + timedelta(days=step) for step in range(DAYS) for _ in range(A_DAY)]
    at = pl.Series([_midnight(one) for one in day], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame(
        {
            "event_id": [hashlib.sha256(str(row).encode()).hexdigest()[:32] for row in range(rows)],
            "event_version": pl.Series([1] * rows, dtype=pl.Int64),
            "event_at": at,
            "event_date": day,
            "received_on": day,
            "jurisdiction": ["XN"] * rows,
            "log_mass": generator.normal(4, 1, rows) + 2.0 * np.array([one >= DRIFTS_ON for one in day]),
            "importer_hit_rate": generator.random(rows),
            "office": generator.choice(["XNPRT", "XNAIR"], rows),
            "raw_score": generator.normal(-3, 1, rows),
        }
    )


def _with_nothing(made: pl.DataFrame, dtypes: Mapping[str, Any]) -> pl.DataFrame:
    """With the columns that were not made, empty."""
    return made.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in dtypes.items() if name not in made.columns
    )


def _scored(events: pl.DataFrame) -> pl.DataFrame:
    """Scores and lanes of all events in one."""
    return events.with_columns(
        score_id=pl.col("event_id"),
        location=pl.col("office"),
        model_name=pl.lit(SPEC.name),
        model_version=pl.lit(CHAMPION.version, pl.Int64),
        model_sha256=pl.lit(""),
        scored_at=pl.lit(NOW),
        in_training=pl.col("event_at") < CHAMPION.model.bundle.trained_until,
        has_unseen_category=pl.lit(False),
        probability=1 / (1 + (-pl.col("raw_score")).exp()),
        expected_recovery=pl.lit(None, pl.Float64),
        recovery_currency=pl.lit(None, pl.String),
        reasons=pl.lit([], dtype=catalog.table_of("gold.shipment_scores").dtypes["reasons"]),
        vector=pl.lit([], dtype=pl.List(pl.Float64)),
        lane=pl.when(pl.col("raw_score") > -1.5).then(pl.lit("red")).otherwise(pl.lit("green")),
        rank=pl.lit(1),
        is_exploration=pl.lit(False),
        propensity=pl.lit(1.0),
        lane_by_risk=pl.lit("green"),
        reason=pl.lit("by risk"),
        abstained_for=pl.lit(None, pl.String),
    )


def _outcomes(events: pl.DataFrame, generator: np.random.Generator) -> pl.DataFrame:
    inspected = events.filter(pl.Series(generator.random(events.height) < 0.5))
    return inspected.select(
        "event_version",
        "received_on",
        event_id=ids.digest([pl.col("event_id"), pl.lit("outcome")]),
        subject_kind=pl.lit(SPEC.outcome),
        subject_id=pl.col("event_id"),
        is_adverse=pl.Series(generator.random(inspected.height) < 0.08),
        selection=pl.lit("random"),
        known_at=pl.col("event_at") + pl.duration(days=3),
    )


@pytest.fixture
def opened(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The deployment with nothing monitored yet; its registry knows the champion."""
    home = tmp_path / "home"
    home.symlink_to(written)
    monkeypatch.setattr(Registry, "load", lambda *_: CHAMPION)
    monkeypatch.setenv("BORDERLAKE_HOME", str(written))
    deployment = Deployment(Settings(written, str(written / "lake")))
    deployment.lake.overwrite(monitoring.MONITORING, monitoring.MONITORING.empty())
    return Lake(deployment)


def test_days_that_are_over_are_judged_once(opened: Lake) -> None:
    early = opened.monitor(LAST - timedelta(days=10))
    assert early["monitored_on"].max() == LAST - timedelta(days=10)
    assert early["monitored_on"].n_unique() == monitoring.CATCH_UP_DAYS
    later = opened.monitor()
    assert later["monitored_on"].unique().sort().to_list() == [LAST - timedelta(days=back) for back in range(9, -1, -1)]
    assert opened.monitor().is_empty()
    kept = monitoring.recorded(opened.deployment, SPEC)
    assert kept.height == early.height + later.height
    assert kept.select(monitoring.MONITORING.key).is_unique().all()


def test_a_day_that_is_not_over_is_not_judged(opened: Lake) -> None:
    assert opened.monitor(LAST, _midnight(LAST) + timedelta(hours=9))["monitored_on"].max() == LAST - timedelta(days=1)


def test_one_day_alone_is_judged_as_in_a_backfill(opened: Lake) -> None:
    together = opened.monitor()
    day = LAST - timedelta(days=4)
    alone = judged.monitor(monitoring.evidence(opened.deployment, SPEC, CHAMPION, [day]), [day])
    assert alone.equals(together.filter(monitored_on=day).select(alone.columns))


def test_the_evidence_is_of_the_days_that_a_judgement_rests_on_and_of_the_models_own(opened: Lake) -> None:
    found = monitoring.evidence(opened.deployment, SPEC, CHAMPION, [LAST])
    assert found.events["received_on"].min() == LAST - timedelta(days=HISTORY_DAYS - 1)
    assert found.reference["received_on"].max() < CHAMPION.model.bundle.trained_until.date()
    assert found.outcomes["received_on"].min() >= CHAMPION.model.bundle.trained_until.date()
    assert found.scores["received_on"].min() == CHAMPION.model.bundle.trained_until.date()
    assert found.scores["received_on"].max() == LAST
    assert 0 < found.outcomes["is_selected"].mean() < 0.2
    assert found.volumes[LAST] == A_DAY


def test_many_events_are_drawn_by_lot_and_all_are_counted(opened: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "_EVENTS_A_DAY", A_DAY // 3)
    found = monitoring.evidence(opened.deployment, SPEC, CHAMPION, [LAST])
    assert found.volumes[LAST] == A_DAY
    assert 0.2 < found.events.height / (HISTORY_DAYS * A_DAY) < 0.3


def test_the_drift_is_found_by_the_check_of_inputs_which_shows_and_tells_it(opened: Lake) -> None:
    context = dg.build_asset_context(
        resources={DEPLOYMENT: opened.deployment}, partition_key=(DRIFTS_ON + timedelta(days=6)).isoformat()
    )
    asset = next(one for one in monitoring_assets if monitoring_key(SPEC) in one.keys)
    results = {result.check_name: result for result in asset(context).check_results}
    assert {name for name, result in results.items() if not result.passed} == {"inputs_as_usual"}
    assert set(results) == set(CHECKS)
    failed = results["inputs_as_usual"]
    assert "log_mass" in (failed.description or "")
    assert "borderlake feeds list" in (failed.description or "")
    assert all("data:image/png" in str(result.metadata["days before"].value) for result in results.values())


@pytest.fixture
def said(opened: Lake, tmp_path: Path) -> Callable[..., tuple[int, dict, str]]:
    def run(*arguments: str) -> tuple[int, dict, str]:
        out = tmp_path / "monitor.json"
        done = CliRunner().invoke(app, ["monitor", *arguments, "--json", str(out)], env={"COLUMNS": "200"})
        told = json.loads(out.read_text())["models"] if out.exists() else {}
        return done.exit_code, told, done.output + str(done.exception or "")

    return run


def test_the_command_says_what_drifted_since_when_and_what_to_do(
    opened: Lake, said: Callable[..., tuple[int, dict, str]]
) -> None:
    opened.monitor(DRIFTS_ON + timedelta(days=6))
    code, told, output = said("--model", SPEC.name)
    assert code == 3
    (alert,) = [one for one in told[SPEC.name]["alerts"] if one["figure"] == Figure.INPUT_DRIFT]
    assert alert["feature"] == "log_mass"
    assert DRIFTS_ON.isoformat() <= alert["since"] <= told[SPEC.name]["as_of"]
    assert alert["value"] > alert["high"]
    assert not told[SPEC.name]["checks"]["inputs_as_usual"]
    assert f"since {alert['since']}" in output
    assert "borderlake train shipment_risk" in output


def test_the_command_is_content_before_anything_drifted(
    opened: Lake, said: Callable[..., tuple[int, dict, str]]
) -> None:
    opened.monitor(DRIFTS_ON - timedelta(days=1))
    code, told, output = said()
    assert code == 0, output
    assert all(told[SPEC.name]["checks"].values())
    assert "crossing_risk: no day has been judged yet" in output


def test_the_command_says_when_nothing_was_judged(said: Callable[..., tuple[int, dict, str]]) -> None:
    code, _, output = said()
    assert code == 1
    assert "no day has been judged yet; borderlake score" in output


def told_of(days: int, figure: Figure = Figure.INPUT_DRIFT, **raised: dict[int, float]) -> pl.DataFrame:
    """Rows of a figure over so many days: an alert of that value on the days named, else as usual."""
    rows = [
        {
            "monitored_on": FIRST + timedelta(days=step),
            "figure": figure.value,
            "feature": feature,
            "value": alerts.get(step, 0.1),
            "low": None,
            "high": 0.5,
            "is_alert": step in alerts,
        }
        for feature, alerts in raised.items()
        for step in range(days)
    ]
    return pl.DataFrame(rows, judged.SCHEMA)


@pytest.mark.parametrize(
    ("days", "raised", "since"),
    [
        pytest.param(10, {9: 1.0}, 9, id="raised-today"),
        pytest.param(10, {3: 1.0}, 3, id="raised-within-the-week"),
        pytest.param(11, {3: 1.0}, None, id="raised-longer-ago"),
        pytest.param(20, {3: 1.0, 10: 2.0, 14: 1.5}, 3, id="raised-again-and-again"),
        pytest.param(20, {3: 1.0, 14: 2.0}, 14, id="raised-again-after-a-break"),
    ],
)
def test_an_alert_stands_for_a_week_after_it_was_last_raised(
    days: int, raised: dict[int, float], since: int | None
) -> None:
    found = monitoring.standing(told_of(days, log_mass=raised, duty_rate_pct={}))
    assert found["feature"].to_list() == ([] if since is None else ["log_mass"])
    if since is not None:
        assert found["since"].item() == FIRST + timedelta(days=since)
        assert found["value"].item() == raised[max(raised)]


def test_an_alert_of_a_source_ends_when_it_brings_rows_again() -> None:
    silent = told_of(10, Figure.SILENCE, tracks={6: 3.0, 7: 4.0}, outcomes={8: 3.0, 9: 4.0})
    assert monitoring.standing(silent).select("feature", "since").rows() == [("outcomes", FIRST + timedelta(days=8))]


def test_the_alert_that_is_farthest_beyond_what_is_usual_comes_first() -> None:
    found = monitoring.standing(told_of(10, log_mass={8: 0.6}, duty_rate_pct={6: 0.7, 9: 3.0}))
    assert found.select("feature", "value").rows() == [("duty_rate_pct", 3.0), ("log_mass", 0.6)]

"""`bench drift`: what counts as a report, and a small world lived and monitored to the end."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from benchmarks import drift, drift_worlds
from benchmarks.drift import Asked, days_to_alert, reports
from benchmarks.drift_worlds import Life
from models.monitoring import SCHEMA, Figure
from warehouse.errors import BorderlakeError

DAY = date(2025, 3, 10)


def rows_of(*told: tuple[int, Figure, str]) -> pl.DataFrame:
    """Twenty days of monitoring with alerts at (day, figure, feature), and all figures told of every day."""
    days = [(step, figure, "") for step in range(20) for figure in Figure]
    rows = [
        {
            "monitored_on": DAY + timedelta(days=step),
            "figure": figure.value,
            "feature": feature,
            "value": 1.0,
            "is_alert": is_alert,
        }
        for events, is_alert in ((days, False), (told, True))
        for step, figure, feature in events
    ]
    return pl.DataFrame(rows, SCHEMA).with_columns(model_name=pl.lit("shipment_risk"))


def test_a_check_that_fails_again_within_the_week_is_one_report_and_later_another() -> None:
    told = [(step, Figure.INPUT_DRIFT, "log_mass") for step in (2, 3, 6, 14)]
    found = reports(rows_of(*told, (3, Figure.VOLUME, ""), (3, Figure.BASE_RATE, "")))
    assert found.select("check", pl.col("monitored_on") - DAY).rows() == [
        ("inputs_as_usual", timedelta(days=2)),
        ("inputs_as_usual", timedelta(days=14)),
        ("outcomes_as_predicted", timedelta(days=3)),
    ]


def test_a_calm_world_reports_nothing() -> None:
    assert reports(rows_of()).is_empty()


def test_only_what_is_reported_after_the_change_counts_for_it() -> None:
    reported = reports(rows_of((1, Figure.VOLUME, ""), (12, Figure.INPUT_DRIFT, "log_mass")))
    assert days_to_alert(reported, DAY + timedelta(days=8)) == 4
    assert days_to_alert(reported, DAY + timedelta(days=12)) > drift.SOON_DAYS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('title = "x"', "mine changes nothing", id="no-change"),
        pytest.param('title = "x"\n[[travel]]\nfrom_day = 20\nfactor = 0.1', "changes on day 20", id="too-early"),
        pytest.param('title = "x"\nweather = 1', "says weather", id="no-scenario"),
    ],
)
def test_a_drift_that_cannot_be_measured_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BorderlakeError, match=said):
        drift.run(Asked(1, 0, 0.1, (str(path),)), lambda _: None)


def test_a_small_world_is_lived_learnt_from_and_monitored() -> None:
    life = Life(seed=4, scenario="calm", scale=0.3, learnt_days=28, watched_days=2)
    (rows,) = drift_worlds.many([life], lambda _: None, at_once=1)
    assert set(rows["monitored_on"]) == set(life.watched)
    assert set(rows["model_name"]) == {"shipment_risk", "crossing_risk"}
    assert {Figure.VOLUME, Figure.SILENCE} <= set(rows["figure"])
    assert set(rows.filter(figure=Figure.SILENCE.value)["feature"]) >= {"silver.tracks", "silver.outcomes"}

"""Monitoring: is a model still where it was trained to be? One row a day, figure and feature; no IO and no clock.

Inputs and scores are held against the weeks before (`models.drift`), outcomes over predictions, and those of random
inspections over all of these, against earlier ones (`models.counted`), sources against how often they usually bring
nothing (`warehouse.usual`). What an alert says to its reader is in `models.monitoring_words`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import partial

import numpy as np
import polars as pl

from features.sources import SOURCES, Silver
from features.vectors import Subject
from models import cells, drift
from models.counted import Band, Tally, beside
from warehouse import usual
from warehouse.catalog import Table

OUTCOME_DAYS = 28
"""Outcomes that became known in so many days are judged together."""
CALIBRATION_TOLERANCE, BASE_RATE_TOLERANCE = 1.5, 1.25
"""Factors by which a calibration, or a base rate, may be off before it is worth a call."""
SCORES = ("raw_score", "probability")
RANDOM = "random"


class Figure(StrEnum):
    """What is monitored."""

    INPUT_DRIFT = "input_drift"
    VOLUME = "volume"
    SCORE_DRIFT = "score_drift"
    CALIBRATION = "calibration"
    PRECISION = "precision"
    BASE_RATE = "base_rate"
    SILENCE = "days_missed"


CHECKS: dict[str, tuple[Figure, ...]] = {
    "inputs_as_usual": (Figure.INPUT_DRIFT, Figure.VOLUME),
    "scores_as_usual": (Figure.SCORE_DRIFT,),
    "outcomes_as_predicted": (Figure.CALIBRATION, Figure.PRECISION, Figure.BASE_RATE),
    "sources_are_fresh": (Figure.SILENCE,),
}
"""What an analyst is told of together."""


@dataclass(frozen=True)
class Evidence:
    """What the monitoring of a model rests on."""

    events: pl.DataFrame
    """Scored events of the days judged and `drift.HISTORY_DAYS` before: `received_on`, features and `SCORES`."""
    reference: pl.DataFrame
    """Events by which the cells of features and scores are learnt: those that the model was trained by."""
    numbers: Sequence[str]
    categories: Sequence[str]
    volumes: Mapping[date, int]
    """Events by day of delivery, all of them, where `events` may be a sample."""
    outcomes: pl.DataFrame
    """Outcomes of events that the model never saw: `known_on`, `is_adverse`, `selection`, `probability`, and whether
    the event was in the red or yellow lane (`is_selected`)."""
    arrivals: Mapping[str, Collection[date]]
    """Days on which each source of the features brought rows."""


def monitor(evidence: Evidence, days: Sequence[date]) -> pl.DataFrame:
    """Rows of `gold.model_monitoring` for these days, in `SCHEMA`: whose model it is, the caller knows."""
    rows = [
        *_drifting(evidence, Figure.INPUT_DRIFT, evidence.numbers, evidence.categories, days),
        *_drifting(evidence, Figure.SCORE_DRIFT, SCORES, (), days),
        *(_row(day, Figure.VOLUME, _volume(evidence.volumes, day)) for day in days),
        *(row for day in days for row in _hindsight(evidence.outcomes, day)),
        *(
            _row(day, Figure.SILENCE, _silence(came, day), source)
            for source, came in sorted(evidence.arrivals.items())
            for day in days
        ),
    ]
    return pl.DataFrame(rows, SCHEMA).sort("monitored_on", "figure", "feature")


def outcomes_beside_scores(reported: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
    """Outcomes of events that the model never saw, each as first reported, in the shape of `Evidence.outcomes`.

    `reported` are rows of `silver.outcomes`; `scored` has the event's key, `in_training`, `probability`, `is_selected`.
    """
    first = reported.sort("known_at", "is_adverse").unique("subject_id", keep="first", maintain_order=True)
    unseen = scored.filter(~pl.col("in_training")).sort("event_version")
    once = unseen.unique("event_id", keep="first", maintain_order=True)
    joined = first.join(once, left_on="subject_id", right_on="event_id", maintain_order="left")
    return joined.select("is_adverse", "selection", "probability", "is_selected", known_on=pl.col("known_at").dt.date())


SCHEMA = pl.Schema(
    {
        "monitored_on": pl.Date(),
        "figure": pl.String(),
        "feature": pl.String(),
        "value": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "is_alert": pl.Boolean(),
    }
)
Row = Mapping[str, object]


def sources_of(subject: Subject, features: Collection[str]) -> list[Table]:
    """Silver tables that the features of a subject rest on."""
    views = [subject.registry.view_of(name) for name in features]
    used = {table for view in views if view is not None for table in SOURCES[view.source].tables} | {subject.name}
    return [table for name, table in Silver.tables().items() if name in used and "received_on" in table.columns]


def _row(day: date, figure: Figure, band: Band, feature: str = "") -> Row:
    return {
        "monitored_on": day,
        "figure": figure.value,
        "feature": feature,
        "value": band.value,
        "low": band.low,
        "high": band.high,
        "is_alert": band.is_outside,
    }


def _drifting(
    evidence: Evidence, figure: Figure, numbers: Sequence[str], categories: Sequence[str], days: Sequence[date]
) -> Iterator[Row]:
    learnt = cells.learn(evidence.reference, numbers, categories)
    counts = cells.count(evidence.events, learnt, "received_on")
    places = {day: place for place, day in enumerate(counts.days)}
    known = [places[day] for day in days if day in places]
    found = drift.judge(counts, known)
    for day in days:
        for column, feature in enumerate(learnt.features):
            band = Band(None)
            if day in places:
                place = places[day]
                band = Band(_known(found.distance[place, column]), None, _known(found.limit[place, column]))
            yield _row(day, figure, band, feature)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _volume(volumes: Mapping[date, int], day: date) -> Band:
    """Events of the week up to the day."""
    week = [day - timedelta(days=back) for back in range(drift.WINDOW)]
    past = [day - timedelta(days=back) for back in range(drift.WINDOW, drift.WINDOW + usual.WINDOW_DAYS)]
    value = float(sum(volumes.get(one, 0) for one in week))
    first = min(volumes, default=day)
    band = usual.volume_band([(one, volumes.get(one, 0)) for one in past if one >= first], week)
    return Band(value) if band is None else Band(value, band.low, band.high)


def _hindsight(outcomes: pl.DataFrame, day: date) -> Iterator[Row]:
    """What the outcomes that became known lately say, beside those known before."""
    known, since = pl.col("known_on"), day - timedelta(days=OUTCOME_DAYS)
    recent = outcomes.filter((known > since) & (known <= day))
    before = outcomes.filter(known <= since)
    band = partial(beside, tolerance=CALIBRATION_TOLERANCE, chance=drift.CHANCE)
    yield _row(day, Figure.CALIBRATION, band(_predicted(recent), _predicted(before)))
    acted_on, acted_on_before = recent.filter("is_selected"), before.filter("is_selected")
    yield _row(day, Figure.PRECISION, band(_predicted(acted_on), _predicted(acted_on_before)))
    drawn, drawn_before = (rows.filter(pl.col("selection") == RANDOM) for rows in (recent, before))
    yield _row(
        day, Figure.BASE_RATE, beside(_examined(drawn), _examined(drawn_before), BASE_RATE_TOLERANCE, drift.CHANCE)
    )


def _predicted(outcomes: pl.DataFrame) -> Tally:
    return Tally(int(outcomes["is_adverse"].sum()), float(outcomes["probability"].sum()))


def _examined(outcomes: pl.DataFrame) -> Tally:
    return Tally(int(outcomes["is_adverse"].sum()), float(outcomes.height))


def _silence(came: Collection[date], day: date) -> Band:
    """Days up to this one on which a delivery was due and none came."""
    past = [one for one in came if one <= day]
    if not past:
        return Band(None)
    found = usual.silence(past, max(past), day, timedelta(days=1))
    return Band(None) if found is None else Band(float(found.missed), None, float(found.allowed))

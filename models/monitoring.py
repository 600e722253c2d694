"""Monitoring: is a model still where it was trained to be? One row a day, figure and feature; no IO and no clock.

Inputs and scores are held against the days before (`models.drift`), and so is how many score high
(`models.high_scores`); outcomes over predictions, and those of random inspections over all of these, against earlier
ones (`models.counted`), sources against how often they usually bring nothing (`warehouse.usual`). What an alert says to
its reader is in `models.monitoring_words`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import floor, log

import numpy as np
import polars as pl

from features.sources import SOURCES, Silver
from features.vectors import Subject
from models import cells, drift
from models.counted import Band, Tally, beside
from models.high_scores import Scores
from models.tips import TIP
from warehouse import usual
from warehouse.catalog import Table

HISTORY_DAYS = 98
"""Days up to the judged one that its judgement rests on."""
LEARNT_DAYS = 28
"""Days before its training from which a model's cells of features are learnt."""
VOLUME_DAYS = 7
"""Days whose events are counted together: one of each weekday."""
OUTCOME_DAYS = 28
"""Outcomes that became known in so many days are judged together."""
STANDS_DAYS = 7
"""An alert that is raised again within a week is the same one."""
LEAST_PART_OF_VOLUME = 0.3
"""A model is none the worse for a quarter more or less; what a feed usually brings is watched by itself."""
MODEL_TOLERANCE, BASE_RATE_TOLERANCE = 1.5, 1.25
"""Factors by which calibration and precision, or a base rate, may change before it is worth a call."""
CHANCE = 1 / 2_000
"""Of a false alert from counts of outcomes or of high scores, or from days without rows: each figure and day."""
SCORES = ("raw_score", "probability")
RANDOM = "random"
_OF_EVENT = "_of_event"


class Figure(StrEnum):
    """What is monitored."""

    INPUT_DRIFT = "input_drift"
    VOLUME = "volume"
    SCORE_DRIFT = "score_drift"
    HIGH_SCORES = "high_scores"
    CALIBRATION = "calibration"
    PRECISION = "precision"
    BASE_RATE = "base_rate"
    SILENCE = "days_missed"


STANDING = (Figure.INPUT_DRIFT, Figure.SCORE_DRIFT, Figure.HIGH_SCORES)
"""Whose alerts stand for `STANDS_DAYS`: what has changed for good is soon itself among the days before."""
CHECKS: dict[str, tuple[Figure, ...]] = {
    "inputs_as_usual": (Figure.INPUT_DRIFT, Figure.VOLUME),
    "scores_as_usual": (Figure.SCORE_DRIFT, Figure.HIGH_SCORES),
    "outcomes_as_predicted": (Figure.CALIBRATION, Figure.PRECISION, Figure.BASE_RATE),
    "sources_are_fresh": (Figure.SILENCE,),
}
"""What an analyst is told of together."""


@dataclass(frozen=True)
class Evidence:
    """What the monitoring of a model rests on."""

    events: pl.DataFrame
    """Scored events of the days judged and `HISTORY_DAYS` up to each: `received_on`, features and `SCORES`."""
    reference: pl.DataFrame
    """Events by which the cells of features and scores are learnt: those that the model was trained by."""
    numbers: Sequence[str]
    categories: Sequence[str]
    scores: pl.DataFrame
    """`received_on` and `raw_score` of all events of those days that the model never saw."""
    volumes: Mapping[date, int]
    """Events by day of delivery, all of them, where `events` may be a sample."""
    outcomes: pl.DataFrame
    """Outcomes of events that the model never saw: `known_on`, `is_adverse`, `selection`, the event's `received_on` and
    `probability`, and whether it was in the red or yellow lane (`is_selected`)."""
    arrivals: Mapping[str, Collection[date]]
    """Days on which each source of the features brought rows."""


def monitor(evidence: Evidence, days: Sequence[date]) -> pl.DataFrame:
    """Rows of `gold.model_monitoring` for these days, in `SCHEMA`: whose model it is, the caller knows.

    What nothing can be said of yet has no row; the volume always has one.
    """
    scores = Scores.of(evidence.scores)
    rows = [
        *_drifting(evidence, days),
        *(_row(day, Figure.HIGH_SCORES, scores.band(day, CHANCE)) for day in days),
        *(_row(day, Figure.VOLUME, _volume(evidence.volumes, day)) for day in days),
        *(row for day in days for row in _hindsight(evidence.outcomes, day)),
        *(
            _row(day, Figure.SILENCE, _silence(came, day), source)
            for source, came in sorted(evidence.arrivals.items())
            for day in days
        ),
    ]
    said = pl.DataFrame(rows, SCHEMA).drop_nulls("value")
    return said.sort("monitored_on", "figure", "feature")


def outcomes_beside_scores(reported: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
    """Outcomes of events that the model never saw, each as first reported, in the shape of `Evidence.outcomes`.

    `reported` are rows of `silver.outcomes`; `scored` has the event's key, `in_training`, `probability`, `is_selected`.
    """
    first = reported.sort("known_at", "is_adverse", "subject_id").unique(
        "subject_id", keep="first", maintain_order=True
    )
    unseen = scored.filter(~pl.col("in_training")).sort("event_version")
    once = unseen.unique("event_id", keep="first", maintain_order=True)
    joined = first.join(once, left_on="subject_id", right_on="event_id", suffix=_OF_EVENT, maintain_order="left")
    return joined.select(
        "is_adverse",
        "selection",
        "probability",
        "is_selected",
        received_on=f"received_on{_OF_EVENT}",
        known_on=pl.col("known_at").dt.date(),
    )


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


def _drifting(evidence: Evidence, days: Sequence[date]) -> Iterator[Row]:
    """Inputs and scores by day and feature."""
    learnt = cells.learn(evidence.reference, [*evidence.numbers, *SCORES], evidence.categories)
    counts = cells.count(evidence.events, learnt, "received_on")
    places = {day: place for place, day in enumerate(counts.days)}
    known = [day for day in days if day in places]
    found = drift.judge(counts, [places[day] for day in known])
    for day in known:
        for column, feature in enumerate(learnt.features):
            distance, limit = found.distance[places[day], column], found.limit[places[day], column]
            figure = Figure.SCORE_DRIFT if feature in SCORES else Figure.INPUT_DRIFT
            yield _row(day, figure, Band(_known(distance), None, _known(limit)), feature)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _volume(volumes: Mapping[date, int], day: date) -> Band:
    """Events of the week up to the day."""
    week = [day - timedelta(days=back) for back in range(VOLUME_DAYS)]
    past = [day - timedelta(days=back) for back in range(VOLUME_DAYS, VOLUME_DAYS + usual.WINDOW_DAYS)]
    value = float(sum(volumes.get(one, 0) for one in week))
    first = min(volumes, default=day)
    known = [(one, volumes.get(one, 0)) for one in past if one >= first]
    band = usual.volume_band(known, week, LEAST_PART_OF_VOLUME)
    return Band(value) if band is None else Band(value, band.low, band.high)


def _hindsight(outcomes: pl.DataFrame, day: date) -> Iterator[Row]:
    """What the outcomes that became known lately say, beside those known before."""
    since, oldest = day - timedelta(days=OUTCOME_DAYS), day - timedelta(days=HISTORY_DAYS)
    told = outcomes.filter((pl.col("known_on") <= day) & (pl.col("received_on") > oldest))
    recent, before = told.filter(pl.col("known_on") > since), told.filter(pl.col("known_on") <= since)
    drawn = pl.col("selection") == RANDOM
    for figure, tally, which, tolerance in (
        (Figure.CALIBRATION, _predicted, pl.col("selection").ne_missing(TIP), MODEL_TOLERANCE),
        (Figure.PRECISION, _examined, pl.col("is_selected"), MODEL_TOLERANCE),
        (Figure.BASE_RATE, _examined, drawn, BASE_RATE_TOLERANCE),
    ):
        now, then = tally(recent.filter(which)), tally(before.filter(which))
        yield _row(day, figure, beside(now, then, tolerance, CHANCE))


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
    if found is None:
        return Band(None)
    # Looked at every day: a silence that comes once in fifty is not worth a call on its own.
    missed_share = (found.missed_before + 0.5) / (found.due_seen + 1)
    allowed = max(found.allowed, floor(log(CHANCE) / log(missed_share))) if found.due_seen else found.allowed
    return Band(float(found.missed), None, float(allowed))

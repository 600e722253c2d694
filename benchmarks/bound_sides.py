"""Sides of `bench bound`. Each runs in its own process and reads the silver frames that its settings name."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl
import polars.selectors as cs

from benchmarks import world
from benchmarks.bound_lessons import SUBJECTS, Subject
from benchmarks.bound_result import ALL, BOUND, OWN, POLICY, RANDOM, RAW
from benchmarks.harness import Settings, Side
from features import vectors
from features.sources import Silver, read_silver
from features.vectors import subject_of
from models import prediction, tips
from models.calibrating import calibrate
from models.datasets import Floats, labels_of, learn_encoder, with_labels
from models.growing import grow
from models.signs import possible, teach
from models.spec import ModelSpec
from warehouse.catalog import OUTCOMES, Table
from warehouse.errors import NotReady
from warehouse.routes import ROUTES

LOTS = 10
"""Repetitions of what is ranked by lot: the figure is their mean."""
_RECORD_NUMBERS = frozenset({"consignment_id", "event_precision", "event_tz"})
"""Contract columns that say nothing of an event: serial numbers beside the key, and how its time is written."""
_VERSION = ["event_id", "event_version"]


def lottery(rows: pl.DataFrame, settings: Settings) -> Sequence[Floats]:
    """Each event by lot; what the old rules selected before all else, where the rows say so."""
    first = rows["selected"].cast(pl.Float64).to_numpy() if "selected" in rows.columns else np.zeros(rows.height)
    generator = np.random.default_rng(int(settings["seed"]))
    return [(first + generator.random(rows.height)) / 2 for _ in range(LOTS)]


def raw(rows: pl.DataFrame, settings: Settings) -> Sequence[Floats]:
    """LightGBM as it comes on the contract's own columns: numbers as they are, codes as native categories."""
    subject = SUBJECTS[str(settings["subject"])]
    events = _events(subject, settings, rows).collect()
    labelled, judged = _labelled(events, subject, settings), _in_order(events, rows)
    train, test = raw_columns(labelled, subject), raw_columns(judged, subject)
    categories = train.select(cs.string()).columns
    for name in categories:
        kinds = pl.Enum(train[name].drop_nulls().unique().sort())
        # A code that training never saw has no category of its own.
        train = train.with_columns(pl.col(name).cast(kinds).to_physical().cast(pl.Float64))
        test = test.with_columns(pl.col(name).cast(kinds, strict=False).to_physical().cast(pl.Float64))
    data = lightgbm.Dataset(
        train.cast(pl.Float64).to_numpy(),
        labels_of(labelled),
        feature_name=train.columns,
        categorical_feature=categories,
    )
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "seed": int(settings["seed"])}, data)
    return [np.asarray(booster.predict(test.cast(pl.Float64).to_numpy()), dtype=np.float64)]


def raw_columns(events: pl.DataFrame, subject: Subject) -> pl.DataFrame:
    """What one agency's own record says: its contract's columns, times as hour and weekday, dates as days ahead."""
    keyed = {name for route in ROUTES if route.contract is subject.contract for name in route.identities}
    own = (set(subject.contract.columns()) | keyed) - set(subject.contract.key) - _RECORD_NUMBERS
    said = events.select(name for name in events.columns if name in own)
    day = events["event_at"].dt.date()
    dates = [(said[name] - day).dt.total_days().cast(pl.Float64) for name in said.select(cs.date()).columns]
    return said.select(
        cs.numeric().cast(pl.Float64),
        *dates,
        cs.string(),
        hour=events["event_local_at"].dt.hour().cast(pl.Float64),
        weekday=events["event_local_at"].dt.weekday().cast(pl.Float64),
    )


def learner(rows: pl.DataFrame, settings: Settings, *, is_alone: bool) -> Sequence[Floats]:
    """The product's learner on the features its registry gives; alone, on those of the subject's own agency only."""
    subject = SUBJECTS[str(settings["subject"])]
    spec = alone(subject) if is_alone else subject.spec
    silver = _silver(settings, subject.agency if is_alone else None)
    events = _events(subject, settings, rows, spec)
    made = vectors.compute(subject_of(subject.name), events, silver)
    labelled, judged = _labelled(made, subject, settings), _in_order(made, rows)
    unlabelled = made.join(pl.read_parquet(str(settings["unlabelled"])), on="event_id", how="semi")
    del made
    at = datetime.fromisoformat(str(settings["valid_from"]))
    is_early, is_told = pl.col("event_at") < at, pl.col("label_known_at") < at
    share = tips.share_told(labelled.filter(is_early & is_told))
    train, late, valid = (
        tips.evened(labelled.filter(part), share) for part in (is_early & is_told, is_early & ~is_told, ~is_early)
    )
    for part, learnt in (("training", train), ("validation", valid)):
        if learnt["is_adverse"].n_unique() < 2:
            raise NotReady(f"{spec.name}: the {part} days hold {learnt.height} outcomes of one kind; give more days")
    encoder = learn_encoder(train, spec)
    taught = teach(spec, train, unlabelled, datetime.fromisoformat(str(settings["test_from"])))
    parts = taught.beside(train, valid, late, at)
    grown = grow(spec, encoder, *parts)
    calibrator = calibrate(spec, encoder, grown, *parts)
    return [calibrator.probability(prediction.raw_scores(grown.booster, encoder.matrix(judged)))]


def alone(subject: Subject) -> ModelSpec:
    """The product's model without the features that rest on another agency's data."""
    features = subject.spec.features()
    others = {feature.name for feature in features if feature.owner != subject.contract.domain}
    return replace(subject.spec, without=subject.spec.without | others)


SIDES: dict[str, Side] = {
    RANDOM: lottery,
    POLICY: lottery,
    RAW: raw,
    OWN: partial(learner, is_alone=True),
    ALL: partial(learner, is_alone=False),
    BOUND: partial(learner, is_alone=False),
}


def _events(subject: Subject, settings: Settings, rows: pl.DataFrame, taught: ModelSpec | None = None) -> pl.LazyFrame:
    """Versions of the events to learn from, of outcomes alone or also of what signs of `taught` may tell, and of the
    events to judge the one that was known first."""
    every = world.frames(Path(str(settings["silver"])), subject.table)
    learnt = [every.join(pl.scan_parquet(str(settings["events"])), on="event_id", how="semi")]
    if taught is not None and taught.signs_given():
        others = every.join(pl.scan_parquet(str(settings["unlabelled"])), on="event_id", how="semi")
        may_bear = subject_of(subject.name).attributes(others).filter(possible(taught))
        learnt.append(may_bear.select(every.collect_schema().names()))
    return pl.concat([*learnt, every.join(rows.lazy(), on=_VERSION, how="semi")])


def _labelled(events: pl.DataFrame, subject: Subject, settings: Settings) -> pl.DataFrame:
    """Rows to learn from with the labels that were known when the test began."""
    test_from = datetime.fromisoformat(str(settings["test_from"]))
    outcomes = pl.scan_parquet(str(settings["outcomes"])).filter(pl.col("subject_kind") == subject.spec.outcome)
    weights = pl.read_parquet(str(settings["events"])).drop("event_at")
    learnt = events.join(weights, on="event_id", how="inner")
    return with_labels(learnt, outcomes.collect(), test_from)


def _in_order(events: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The judged events in the order they were asked for."""
    return rows.select(_VERSION).join(events, on=_VERSION, how="left", maintain_order="left")


def _silver(settings: Settings, agency: str | None) -> Silver:
    """The frames as the features' sources; of one agency only, where it is named."""
    folder = Path(str(settings["silver"]))

    def scan(table: Table) -> pl.LazyFrame:
        rows = pl.scan_parquet(str(settings["outcomes"])) if table is OUTCOMES else world.frames(folder, table)
        return rows if agency is None else rows.filter(pl.col("source_agency") == agency)

    return read_silver(scan)

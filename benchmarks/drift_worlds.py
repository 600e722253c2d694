"""One world of `bench drift`: lived, read, scored by models of its own, and monitored day by day as a deployment is.

Models learn from what inspections had reported by the end of the days they learn from; then each day of delivery is
judged by `models.monitoring`, which sees what was known by its end. There is no lake between: rows go in memory.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

import simulation
from benchmarks import world
from benchmarks.bound_lessons import SUBJECTS, Subject
from benchmarks.harness import Watch
from benchmarks.world import LAKE_FROM, Span
from features import vectors
from features.sources import read_silver
from features.vectors import subject_of
from models import training
from models.capacity import Capacities
from models.datasets import with_labels
from models.monitoring import LEARNT_DAYS, Evidence, monitor, outcomes_beside_scores, sources_of
from models.selection import select
from models.training import Model
from warehouse.catalog import OUTCOMES
from warehouse.errors import BorderlakeError

_ACTED_ON = ("red", "yellow")
_LOT_KEY = b"no secret in a simulated world"
_VALID_SHARE = 0.35
"""Of the labelled events: more than the product's, since two months of a small world have few adverse outcomes, and
without one on the validation days there is no model to monitor."""


@dataclass(frozen=True)
class Life:
    """A world: `learnt_days` that its models learn from, then `watched_days` that are monitored."""

    seed: int
    scenario: str
    scale: float
    learnt_days: int
    watched_days: int

    @property
    def watched(self) -> list[date]:
        """Days of delivery that are judged: a day's extracts come on the day after it."""
        return [LAKE_FROM + timedelta(days=self.learnt_days + 1 + step) for step in range(self.watched_days)]

    @property
    def learnt_until(self) -> datetime:
        """When the models are trained."""
        day = LAKE_FROM + timedelta(days=self.learnt_days + 1)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)


def live(life: Life) -> pl.DataFrame:
    """Rows of monitoring of both models on every watched day, with `model_name`."""
    with TemporaryDirectory(prefix="borderlake-drift-") as folder:
        silver = _lake(life, Path(folder))
        return pl.concat(
            monitor(_evidence(subject, life, silver), life.watched).with_columns(model_name=pl.lit(subject.spec.name))
            for subject in SUBJECTS.values()
        )


def _lake(life: Life, folder: Path) -> Path:
    """The world's silver frames, as a lake holds them that opened on its first day."""
    days = life.learnt_days + life.watched_days
    try:
        simulation.simulate(
            LAKE_FROM, days, life.scale, life.seed, folder / "simulated", scenario=life.scenario, extended=True
        )
    except ValueError as error:
        raise BorderlakeError(str(error)) from error
    span = Span(life.seed, days, life.scale, life.scenario, history_times=1, test_days=1)
    world.read(span, folder / "simulated" / "inbox", folder / "parts", lambda _step: None, at_once=1)
    for table in world.tables():
        world.lay_out(folder / "parts", folder / "silver", table, span.in_lake())
    world.lay_out_links(folder / "parts", folder / "silver", span.in_lake())
    return folder / "silver"


def _evidence(subject: Subject, life: Life, silver: Path) -> Evidence:
    """What is known of a model that has learnt from the first days, and of all events since the first."""
    asked = subject_of(subject.name)
    events = world.frames(silver, subject.table).filter(pl.col("source_agency") == subject.agency)
    made = vectors.compute(asked, events, read_silver(lambda table: world.frames(silver, table)))
    outcomes = world.frames(silver, OUTCOMES).filter(pl.col("subject_kind") == subject.spec.outcome).collect()
    known = made.filter(pl.col("event_at") < life.learnt_until)
    spec = replace(subject.spec, valid_share=_VALID_SHARE)
    model = training.train(spec, with_labels(known, outcomes, life.learnt_until)).model
    scored = _scored(model, made)
    encoder = model.bundle.encoder
    until = model.bundle.trained_until.date()
    learnt_by = pl.col("received_on").is_between(until - timedelta(days=LEARNT_DAYS), until, closed="left")
    return Evidence(
        events=scored,
        reference=scored.filter(learnt_by),
        numbers=encoder.numbers,
        categories=tuple(encoder.codes),
        scores=scored.filter(~pl.col("in_training")),
        volumes=dict(scored.group_by("received_on").len().iter_rows()),
        outcomes=outcomes_beside_scores(outcomes, scored),
        arrivals={table.name: _days(world.frames(silver, table)) for table in sources_of(asked, encoder.columns)},
    )


def _scored(model: Model, made: pl.DataFrame) -> pl.DataFrame:
    """The vectors with their scores and whether a lane sends officers to them."""
    raw = model.raw_scores(model.bundle.encoder.matrix(made))
    scored = made.with_columns(
        raw_score=pl.Series(raw),
        probability=pl.Series(model.bundle.calibrator.probability(raw)),
        in_training=pl.col("event_at") < model.bundle.trained_until,
    )
    lanes = select(scored, Capacities(), _LOT_KEY).select("event_id", "event_version", "lane")
    joined = scored.join(lanes, on=["event_id", "event_version"], how="left", maintain_order="left")
    return joined.with_columns(is_selected=pl.col("lane").is_in(list(_ACTED_ON))).drop("lane")


def _days(rows: pl.LazyFrame) -> Collection[date]:
    return rows.select(pl.col("received_on").unique()).collect()["received_on"].to_list()


def many(lives: Sequence[Life], watch: Watch, at_once: int) -> list[pl.DataFrame]:
    """Every life's rows, in order; each in a process of its own."""
    if at_once == 1:
        return [_told(life, watch) for life in lives]
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        found = []
        for done, rows in enumerate(pool.map(live, lives), start=1):
            found.append(rows)
            watch(f"worlds: {done} of {len(lives)}")
        return found


def _told(life: Life, watch: Watch) -> pl.DataFrame:
    watch(f"{life.scenario}, seed {life.seed}")
    return live(life)

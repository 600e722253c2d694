"""What if: a day's scores under a capacity, and past days under another capacity, threshold or model version.

Nothing is written. Past days are scored with the vectors that were served then, which no later data changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from models import selection, whatif
from models.capacity import Capacities
from models.estimators import Estimate
from models.spec import ModelSpec
from models.tracking import Registered
from pipelines import deciding
from pipelines.deployment import Deployment
from pipelines.flows import score_table, selection_table, stored_vectors
from warehouse.errors import NotReady
from warehouse.recalls import standing, withdrawn

_KEYS = ["event_id", "event_version"]
_JUDGED_BY = ["is_adverse", "chance", "is_sampled", "is_awaited", "recovered", "recovered_in"]
_SCORED = ["raw_score", "probability", "expected_recovery", "recovery_currency", "in_training"]
"""What another version of the model would have said otherwise."""


def lanes_of_day(deployment: Deployment, spec: ModelSpec, day: date, capacities: Capacities) -> pl.DataFrame:
    """The champion's scores of a day of delivery that stand, in lanes under `capacities`; raises without any."""
    champion = deployment.registry.load(spec.name)
    of_day = (pl.col("received_on") == day) & (pl.col("model_version") == champion.version)
    marks = deployment.lake.scan(selection_table(spec)).filter(of_day).select("score_id", "abstained_for")
    scores = standing(deployment.lake, score_table(spec)).filter(of_day).drop("vector")
    found = scores.join(marks, on="score_id", how="left").collect()
    if found.is_empty():
        raise deciding.no_scores(deployment, spec, f"of {day}")
    return selection.select(found, capacities, deployment.vault_key)


def withdrawn_of_day(deployment: Deployment, spec: ModelSpec, day: date) -> int:
    """How many scores of a day of delivery, of whatever version, were withdrawn and are in no lane."""
    scores = deployment.lake.scan(score_table(spec)).filter(pl.col("received_on") == day).select("score_id")
    return int(withdrawn(deployment.lake, scores).select(pl.len()).collect().item())


@dataclass(frozen=True)
class Question:
    """Which past days, and what is to be otherwise. Without a threshold lanes are filled by `capacities`."""

    spec: ModelSpec
    days: Sequence[date]
    capacities: Capacities
    known_by: datetime
    """Outcomes that were known by then count."""
    threshold: float | None = None
    model: Registered | None = None
    """Another version than the one that gave the advice; None: the scores as they were."""


@dataclass(frozen=True)
class Answer:
    """The days as they were and as they would have been: rows of events in lanes, with decisions and outcomes."""

    was: pl.DataFrame
    would: pl.DataFrame
    seen_in_training: int
    """Rows that the asked version was trained on: hits among them flatter it."""
    without_vector: int
    """Rows that it cannot be asked about, for no vector of its features was served; they are left out of both."""

    @property
    def gain(self) -> Estimate | None:
        return whatif.gained(self.was, self.would)


def ask(deployment: Deployment, question: Question) -> Answer:
    """Place past days anew. Raises `NotReady` where no scores or vectors of them are there."""
    spec = question.spec
    was = deciding.selections_with_outcomes(deployment, spec, question.days, question.known_by)
    if was.is_empty():
        raise deciding.no_scores(deployment, spec, f"from {min(question.days)} to {max(question.days)}")
    scored = was if question.model is None else _scored_anew(deployment, question, was)
    bare = scored.select(*_KEYS, "location", "received_on", *_JUDGED_BY, *_SCORED)
    would = (
        selection.select(bare, question.capacities, deployment.vault_key)
        if question.threshold is None
        else selection.by_threshold(bare, question.threshold)
    )
    both = was.join(would, on=_KEYS, how="semi", maintain_order="left")
    return Answer(both, would, int(would["in_training"].sum()), was.height - both.height)


def _scored_anew(deployment: Deployment, question: Question, rows: pl.DataFrame) -> pl.DataFrame:
    assert question.model is not None
    model = question.model.model
    vectors = stored_vectors(deployment, deployment.subject(question.spec.subject), question.days)
    served = vectors.join(rows.select(_KEYS), on=_KEYS, how="semi", maintain_order="left")
    missing = sorted(set(model.bundle.encoder.columns) - set(served.columns))
    if missing or served.is_empty():
        raise NotReady(
            f"{question.model.name} version {question.model.version} cannot be asked about these days: no vectors with "
            f"{', '.join(missing[:5]) or 'its features'} were served then"
        )
    matrix = model.bundle.encoder.matrix(served)
    raw = model.raw_scores(matrix)
    probability = model.bundle.calibrator.probability(raw)
    recovery = model.bundle.recovery
    expected = None if recovery is None else pl.Series(recovery.expected(matrix, probability))
    anew = served.select(
        *_KEYS,
        raw_score=pl.Series(raw),
        probability=pl.Series(probability),
        expected_recovery=pl.lit(expected, dtype=pl.Float64) if expected is None else expected,
        recovery_currency=pl.lit(recovery and recovery.currency, dtype=pl.String),
        in_training=pl.col("event_at") < pl.lit(model.bundle.trained_until),
    )
    return rows.drop(_SCORED).join(anew, on=_KEYS)

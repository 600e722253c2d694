"""A handful of scored events in lanes, with outcomes, written straight into the lake: small enough to count by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from models.catalogue import MODELS
from models.dispositions import ADVISED
from models.spec import ModelSpec
from pipelines.deployment import Deployment
from pipelines.flows import score_table, selection_table
from warehouse.catalog import OUTCOMES, Table

SPEC = MODELS["shipment_risk"]
DAY = date(2025, 2, 1)


def end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


@dataclass(frozen=True)
class Judged:
    """One event version: where, how risky, in which lane, and what became of it."""

    event: str
    location: str
    probability: float
    lane: str = "green"
    adverse: bool | None = None
    selection: str = "rule"
    chance: float | None = None
    """Of the agency's own draw."""
    drawn: bool = False
    propensity: float | None = None
    day: date = DAY
    version: int = 1
    model_version: int = 1
    abstained_for: str | None = None
    expected: float | None = None
    """What looking is expected to bring, in EUR."""
    recovered: float | None = None
    recovered_in: str = "EUR"
    spec: ModelSpec = SPEC

    @property
    def score_id(self) -> str:
        return f"{self.event}-{self.version}-{self.model_version}".ljust(32, "0")


def write(deployment: Deployment, rows: list[Judged]) -> None:
    """Append scores and selections of all rows, and outcomes of those that have one, known ten days later."""
    for spec in MODELS.values():
        of_model = [row for row in rows if row.spec is spec]
        _append(deployment, score_table(spec), [_score(row) for row in of_model])
        _append(deployment, selection_table(spec), [_selection(row) for row in of_model])
    report(deployment, [row for row in rows if row.adverse is not None])


def report(deployment: Deployment, rows: list[Judged]) -> None:
    """Append outcomes alone."""
    _append(deployment, OUTCOMES, [_outcome(row) for row in rows])


def _append(deployment: Deployment, table: Table, rows: list[dict[str, object]]) -> None:
    if rows:
        made = [dict.fromkeys(table.dtypes) | row for row in rows]
        deployment.lake.append(
            table, pl.DataFrame([{name: row[name] for name in table.dtypes} for row in made], table.dtypes)
        )


def _common(row: Judged) -> dict[str, object]:
    return {
        "score_id": row.score_id,
        "event_id": row.event,
        "event_version": row.version,
        "event_date": row.day,
        "received_on": row.day,
        "location": row.location,
        "model_version": row.model_version,
        "scored_at": end_of(row.day),
    }


def _score(row: Judged) -> dict[str, object]:
    return _common(row) | {
        "event_at": end_of(row.day) - timedelta(hours=12),
        "jurisdiction": "XN",
        "model_name": row.spec.name,
        "model_sha256": "0" * 64,
        "in_training": False,
        "has_unseen_category": False,
        "raw_score": row.probability,
        "probability": row.probability,
        "expected_recovery": row.expected,
        "recovery_currency": None if row.expected is None else "EUR",
        "reasons": [],
        "vector": [0.0],
    }


def _selection(row: Judged) -> dict[str, object]:
    looks = row.lane in ("red", "yellow") and not row.drawn
    return _common(row) | {
        "lane": row.lane,
        "lane_by_risk": "green" if row.drawn else row.lane,
        "rank": 1,
        "is_exploration": row.drawn,
        "propensity": row.propensity if row.propensity is not None else float(looks),
        "reason": f"by risk, {ADVISED[row.lane]}",
        "abstained_for": row.abstained_for,
    }


def _outcome(row: Judged) -> dict[str, object]:
    return {
        "event_id": f"outcome-{row.event}",
        "event_version": 1,
        "event_at": end_of(row.day),
        "known_at": end_of(row.day) + timedelta(days=10),
        "event_date": row.day,
        "received_on": row.day + timedelta(days=10),
        "jurisdiction": "XN",
        "source_agency": "customs",
        "subject_kind": row.spec.outcome,
        "subject_id": row.event,
        "is_adverse": row.adverse,
        "selection": row.selection,
        "selection_probability": row.chance,
        "additional_duty": row.recovered,
        "currency": None if row.recovered is None else row.recovered_in,
    }

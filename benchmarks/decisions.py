"""`borderlake bench decisions`: one function decides every question, so it is asked many, and a twin is asked the same.

The twin asks one thing after the other in plain Python. Time is that of the function alone.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from benchmarks.harness import Watch
from benchmarks.leak_world import draw_agreement
from benchmarks.trial_result import TrialResult
from warehouse.agreements import Agreement, may
from warehouse.contracts.base import Purpose

AGREEMENTS = 50
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_TABLES = ("gold.shipment_scores", "gold.dispositions", "silver.outcomes", "gold.crossing_selections", "gold.tiles")
_COLUMNS = (None, "reasons", "event_id", "location", "scored_at", "officer", "no_such_column")


@dataclass(frozen=True)
class Question:
    """May X see Y for Z at T?"""

    recipient: str
    table: str
    column: str | None
    purpose: Purpose
    at: datetime


def run(questions: int, seed: int, watch: Watch) -> TrialResult:
    """Ask, time, and ask the twin."""
    draw = random.Random(seed)
    agreements = [_agreement(draw, number) for number in range(AGREEMENTS)]
    asked = [_question(draw, agreements) for _ in range(questions)]
    watch("deciding")
    began = time.perf_counter()
    decided = [may(agreements, one.recipient, one.table, one.column, one.purpose, one.at).allowed for one in asked]
    wall_s = time.perf_counter() - began
    watch("asking the twin")
    right = [twin(agreements, one) for one in asked]
    figures = {
        "decisions": float(questions),
        "allowed": float(sum(decided)),
        "wrong": float(sum(one is not other for one, other in zip(decided, right, strict=True))),
        "per_second": questions / wall_s,
        "wall_s": wall_s,
    }
    arguments = {"n": f"{questions:,}", "agreements": str(AGREEMENTS)}
    return TrialResult("decisions", seed, questions, figures, {}, arguments, must_be_zero=("wrong",))


def twin(agreements: Sequence[Agreement], asked: Question) -> bool:
    """The answer, worked out the long way."""
    for one in agreements:
        shared = one.tables.get(asked.table)
        if shared is None or one.recipient.code != asked.recipient or asked.purpose not in one.purposes:
            continue
        names = [*shared.columns, *([] if shared.reasons is None else ["reasons"])]
        is_named = asked.column is None or asked.column in names
        first = datetime(one.starts_on.year, one.starts_on.month, one.starts_on.day, tzinfo=UTC)
        last = datetime(one.expires_on.year, one.expires_on.month, one.expires_on.day, tzinfo=UTC)
        ends = last + timedelta(days=1)
        if one.revoked_at is not None:
            ends = min(ends, one.revoked_at)
        if is_named and first <= asked.at < ends:
            return True
    return False


def _agreement(draw: random.Random, number: int) -> Agreement:
    starts, ends = sorted((_day(draw), _day(draw)))
    return replace(
        draw_agreement(draw, f"agency-{number % 20}", most_tables=3),
        agreement_id=f"agreement-{number}",
        purposes=frozenset(draw.sample(list(Purpose), draw.randint(1, 3))),
        starts_on=starts,
        expires_on=ends,
        revoked_at=_moment(draw) if draw.random() < 0.3 else None,
    )


def _question(draw: random.Random, agreements: Sequence[Agreement]) -> Question:
    """Mostly about a pair of an agreement, so that many answers are yes; now and then of its very first or last day."""
    one = draw.choice(agreements)
    edges = [one.starts_on, one.expires_on, one.expires_on + timedelta(days=1)]
    edge = draw.choice(edges)
    return Question(
        one.recipient.code if draw.random() < 0.95 else "nobody",
        draw.choice(list(one.tables)) if draw.random() < 0.8 else draw.choice(_TABLES),
        draw.choice(_COLUMNS),
        draw.choice(sorted(one.purposes)) if draw.random() < 0.8 else draw.choice(list(Purpose)),
        datetime(edge.year, edge.month, edge.day, tzinfo=UTC) if draw.random() < 0.1 else _moment(draw),
    )


def _day(draw: random.Random) -> date:
    return _FIRST.date() + timedelta(days=draw.randrange(400))


def _moment(draw: random.Random) -> datetime:
    return _FIRST + timedelta(minutes=draw.randrange(400 * 24 * 60))

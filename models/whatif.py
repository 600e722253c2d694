"""What if: past days under other lanes, counted and estimated. Frames in, frames out.

Hits and precision are counted over the outcomes that are known, so that they can be checked by hand; of events that
nobody looked at they say nothing. What the other lanes would really have found is estimated (`models.estimators`).
"""

from collections.abc import Sequence

import polars as pl

from models import estimators
from models.capacity import Capacities
from models.estimators import Estimate
from models.selection import looks


def tally(placed: pl.DataFrame, capacities: Capacities, by: Sequence[str] = ()) -> pl.DataFrame:
    """By group, or of all: `events` placed, `looked_at` in red or yellow, of these `known` and `hits`, `precision`
    (hits of known; null without), `officer_hours` of all lanes, and in the currency of the scores what was
    `expected` of those looked at and what the known ones `recovered`; null where the model has learnt no amounts.

    An event that was delivered in several versions is placed several times, and takes time each time; it is known, and
    hit, and brings what it brings, once.
    """
    known = looks() & pl.col("is_adverse").is_not_null()
    in_currency = pl.col("recovered_in") == pl.col("recovery_currency")
    brought = pl.when(in_currency).then(pl.col("recovered")).fill_null(0.0).clip(0.0)
    figures = {
        "events": pl.len(),
        "looked_at": looks().sum(),
        "known": pl.col("event_id").filter(known).n_unique(),
        "hits": pl.col("event_id").filter(known & pl.col("is_adverse")).n_unique(),
        "officer_hours": pl.col("officer_minutes").sum() / 60,
        "expected": _once_an_event(pl.col("expected_recovery"), looks()),
        "recovered": _once_an_event(brought, known),
    }
    timed = placed.with_columns(officer_minutes=capacities.officer_minutes())
    counted = timed.group_by(by).agg(**figures).sort(by, nulls_last=True) if by else timed.select(**figures)
    precision = pl.when(pl.col("known") > 0).then(pl.col("hits") / pl.col("known"))
    has_amounts = pl.col("expected").is_not_null()
    return counted.select(
        *by,
        "events",
        "looked_at",
        "known",
        "hits",
        "officer_hours",
        "expected",
        recovered=pl.when(has_amounts).then("recovered"),
        precision=precision,
    )


def _once_an_event(amount: pl.Expr, counts: pl.Expr) -> pl.Expr:
    """Sum over the events with a row that counts, of each its first; null where no row tells an amount."""
    told = amount.filter(counts).filter(pl.col("event_id").filter(counts).is_first_distinct())
    return pl.when(amount.count() > 0).then(told.sum())


def expected_hits(placed: pl.DataFrame) -> Estimate | None:
    """Adverse events that such lanes look at, on average over draws; None where no outcome came by a draw."""
    return estimators.total(placed, pl.col("propensity"))


def gained(was: pl.DataFrame, would: pl.DataFrame) -> Estimate | None:
    """How many more adverse events `would` looks at than `was`; rows are matched by event version."""
    keys = ["event_id", "event_version"]
    both = was.join(would.select(*keys, new="propensity"), on=keys)
    return estimators.gain(both, "new", "propensity")

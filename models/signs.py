"""Signs: what is learnt from events that nobody looked at, but that say themselves what would have been found.

Few events are inspected, so few of those that contradict, say, the export declaration of the same goods are; a learner
of small leaves then passes over them. Where a declared sign (`models.spec.Sign`) holds of an event without an outcome,
the event is learnt from as adverse, at a weight that inspections of other events with that sign have earned: the lower
end of Wilson's interval of 95 % for the share that proved adverse, and nothing below what the sign asks. Weak labels
from rules, weighed by how well these agree with what is known, are those of Ratner et al. (2017, VLDB 11(3)).

Only rows to grow trees of are added, all from before the days that judge. What stops, calibrates and judges a model is
outcomes alone, and is not made here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from features import conditions
from models.estimators import wilson
from models.spec import ModelSpec, Sign
from models.tips import TIP

_WEIGHT = "weight"


@dataclass(frozen=True)
class Weighed:
    """What inspections say of a sign, and how many events it teaches."""

    sign: Sign
    inspected: int
    """Training rows that bear it and were looked at, but for tips."""
    adverse: int
    weight: float
    """Of each event that it teaches; 0 where it teaches none."""
    rows: int
    """Events it teaches. One with several signs is of each, and is learnt from once, at the greatest weight."""


@dataclass(frozen=True)
class Taught:
    """What signs teach: events without an outcome, to be learnt from as adverse by their `weight`."""

    signs: tuple[Weighed, ...]
    rows: pl.DataFrame

    def beside(
        self, train: pl.DataFrame, valid: pl.DataFrame, late: pl.DataFrame, valid_from: datetime
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """The rows to grow from, in the order of `models.growing.grow`: those given, and of the taught ones the earlier
        with the training rows and the others with the late ones. The held-out rows stay outcomes alone.

        Without taught rows all are given back as they are, so that nothing is otherwise than without signs.
        """
        if self.rows.is_empty():
            return train, valid, late
        is_early = pl.col("event_at") < valid_from
        return (
            _joined(train, self.rows.filter(is_early)),
            _joined(valid, self.rows.clear()),
            _joined(late, self.rows.filter(~is_early)),
        )


def weigh(sign: Sign, train: pl.DataFrame) -> tuple[int, int, float]:
    """How many training rows with the sign were looked at, how many of these proved adverse, and its weight."""
    # Who acts on a tip knows of the very event more than its sign says: what he finds does not speak for the sign.
    inspected = train.filter(pl.col("selection").ne_missing(TIP), _bears(sign))
    adverse = int(inspected["is_adverse"].sum())
    low = wilson(adverse / inspected.height, inspected.height)[0] if inspected.height else 0.0
    return inspected.height, adverse, low * sign.share if low >= sign.least else 0.0


def bearing(spec: ModelSpec, vectors: pl.DataFrame) -> pl.DataFrame:
    """Rows on which a sign of the spec holds: all that can be taught."""
    return vectors.filter(pl.any_horizontal([pl.lit(value=False), *map(_bears, spec.signs_given())]))


def possible(spec: ModelSpec) -> pl.Expr:
    """Where a sign may hold by what an event says of itself: whom a sign may teach, before histories are read."""
    own = {feature.name for feature in spec.own_features()}
    ways = [tuple(one for one in way if one.column in own) for sign in spec.signs_given() for way in sign.ways]
    return pl.any_horizontal([pl.lit(value=False), *map(conditions.all_met, ways)])


def teach(spec: ModelSpec, train: pl.DataFrame, unlabelled: pl.DataFrame | None, until: datetime) -> Taught:
    """What the spec's signs teach of the unlabelled events in the jurisdictions of `train`, from its first day up to
    `until`, where the days begin that judge.

    Weights come from `train` alone: held-out outcomes say nothing of a sign.
    """
    signs = spec.signs_given()
    if not signs or unlabelled is None or train.is_empty():
        return Taught((), train.clear())
    known = unlabelled.filter(
        pl.col("event_at").is_between(train["event_at"].min(), until, closed="left"),
        pl.col("jurisdiction").is_in(train["jurisdiction"].unique().implode()),
    )
    weighed, borne = [], []
    for sign in signs:
        inspected, adverse, weight = weigh(sign, train)
        of_sign = known.filter(_bears(sign)) if weight else known.clear()
        weighed.append(Weighed(sign, inspected, adverse, weight, of_sign.height))
        borne.append(of_sign.with_columns(pl.lit(weight).alias(_WEIGHT)))
    return Taught(tuple(weighed), _each_once(borne).with_columns(is_adverse=pl.lit(value=True)))


def _bears(sign: Sign) -> pl.Expr:
    return pl.any_horizontal(conditions.all_met(way) for way in sign.ways)


def _each_once(borne: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Every event version once, by its weightiest sign, in order of time."""
    key = ["event_at", "event_id", "event_version"]
    every = pl.concat(borne).sort(*key, _WEIGHT)
    return every.unique(key, keep="last", maintain_order=True)


def _joined(rows: pl.DataFrame, taught: pl.DataFrame) -> pl.DataFrame:
    """Rows with an outcome count once unless they say otherwise."""
    weight = pl.col(_WEIGHT) if _WEIGHT in rows.columns else pl.lit(1.0).alias(_WEIGHT)
    both = pl.concat([rows.with_columns(weight), taught], how="diagonal_relaxed")
    return both.sort("event_at", "event_id", maintain_order=True)

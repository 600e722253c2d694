"""Abstention: which events a model has no ground to judge, and why, in plain words.

A score is still given, and the event keeps the lane that its capacity allows; the mark tells the officer not to lean
on it. Grounds are learnt from the training rows only: how far its numbers reach, and how many of them an event of the
training days may have had outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from models.datasets import Encoder

_EDGE = 0.01
"""A number reaches from this quantile of the training rows to the one as far from the other end, and beyond it by"""
_MARGIN = 0.5
"""of that width at each end: what grows with the days, as counts and ages do, is not strange for that alone."""
_RARE = 0.99
"""An event is far from training when more of its numbers lie outside than of this share of the training rows,"""
_LEAST_SHARE = 0.1
"""and more than this share of them: one odd number is what scores are made of."""


@dataclass(frozen=True)
class Ground:
    """What a model stands on."""

    reach: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of each number, the range that all but the outermost training rows lie in."""
    outside: int = 0
    """Numbers outside their range that hardly any training row has more of."""
    history: tuple[str, ...] = ()
    """Features that are all missing where nobody of the event was ever seen before."""

    def to_dict(self) -> dict[str, Any]:
        return {"reach": dict(self.reach), "outside": self.outside, "history": list(self.history)}

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> "Ground":
        reach = {name: (low, high) for name, (low, high) in stored["reach"].items()}
        return Ground(reach, int(stored["outside"]), tuple(stored["history"]))


def learn(rows: pl.DataFrame, encoder: Encoder, history: Sequence[str]) -> Ground:
    """The ground that training rows are; `history` as the spec says it, as far as the model has those features."""
    edges = {
        name: (rows[name].quantile(_EDGE, "lower"), rows[name].quantile(1 - _EDGE, "higher"))
        for name in encoder.numbers
    }
    reach = {
        name: (low - _MARGIN * (high - low), high + _MARGIN * (high - low))
        for name, (low, high) in edges.items()
        if low is not None and high is not None
    }
    counts = rows.select(_outside(reach)).to_series()
    most = counts.quantile(_RARE, "higher")
    known = tuple(name for name in history if name in encoder.columns)
    return Ground(reach, max(int(most or 0), int(_LEAST_SHARE * len(reach))), known)


def abstained_for(ground: Ground, encoder: Encoder, jurisdictions: Sequence[str], vectors: pl.DataFrame) -> pl.Series:
    """Why the model has no ground to judge each row of vectors; null where it has. Raises as `Encoder.check` does."""
    encoder.check(vectors)
    reasons = [
        _told(~pl.col("jurisdiction").is_in(list(jurisdictions)), pl.lit("not trained in its jurisdiction")),
        *(
            _told(unseen, pl.lit(f"unseen in training: {name.replace('_', ' ')}"))
            for name, unseen in encoder.unseen_by_name().items()
        ),
    ]
    if ground.history:
        nobody = pl.all_horizontal(pl.col(name).cast(pl.Float64).fill_nan(None).is_null() for name in ground.history)
        reasons.append(_told(nobody, pl.lit("thin history: nobody in it was seen before")))
    if ground.reach:
        outside = pl.col("outside")
        told = pl.format("far from training: {} of its {} numbers lie outside", outside, len(ground.reach))
        reasons.append(_told(outside > ground.outside, told))
    judged = vectors.with_columns(outside=_outside(ground.reach))
    text = pl.concat_str(reasons, separator="; ", ignore_nulls=True)
    return judged.select(pl.when(text != "").then(text).alias("abstained_for")).to_series()


def _outside(reach: Mapping[str, tuple[float, float]]) -> pl.Expr:
    """How many known numbers of a row lie outside their range."""
    beyond = [(pl.col(name) < low) | (pl.col(name) > high) for name, (low, high) in reach.items()]
    return pl.sum_horizontal(pl.lit(0), *(one.fill_null(value=False).cast(pl.Int32) for one in beyond)).alias("outside")


def _told(holds: pl.Expr, text: pl.Expr) -> pl.Expr:
    return pl.when(holds).then(text)

"""Abstention: which events a model has no ground to judge, and why, in plain words.

A score is still given, and the event keeps the lane that its capacity allows; the mark tells the officer not to lean
on it. Grounds are learnt from the training rows only: how far its numbers reach, and how many of them an event of the
training days may have had outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.served import Served, of_columns
from features.views import Feature
from models.datasets import Encoded, Encoder
from models.wording import named

_EDGE = 0.01
"""A number reaches from this quantile of the training rows to the one as far from the other end, and beyond it by"""
_MARGIN = 0.5
"""of that width at each end: what grows with the days, as counts and ages do, is not strange for that alone."""
_RARE = 0.99
"""An event is far from training when more of its numbers lie outside than of this share of the training rows,"""
_LEAST_SHARE = 0.1
"""and more than this share of them: one odd number is what scores are made of."""


_NEVER_SEEN = "never seen in training"


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
    counts = pl.Series(_outside(reach, of_columns(rows, encoder.numbers, ())))
    most = counts.quantile(_RARE, "higher")
    known = tuple(name for name in history if name in encoder.columns)
    return Ground(reach, max(int(most or 0), int(_LEAST_SHARE * len(reach))), known)


def abstained_for(
    ground: Ground,
    encoder: Encoder,
    jurisdictions: Sequence[str],
    features: Mapping[str, Feature],
    served: Served,
    encoded: Encoded,
) -> pl.Series:
    """Why the model has no ground to judge each event; null where it has. `features` are those of the encoder."""
    judged = served.events.select(
        ~pl.col("jurisdiction").is_in(list(jurisdictions)).alias("elsewhere"),
        *(
            _new(features[name], served.categories[name], encoded.unseen[:, place])
            for place, name in enumerate(encoder.codes)
        ),
        pl.Series("thin", _has_no_history(ground, encoder, encoded)),
        pl.Series("outside", _outside(ground.reach, served)),
    )
    reasons = [
        _told(pl.col("elsewhere"), pl.lit("not trained in its jurisdiction")),
        *(pl.col(f"new {name}") for name in encoder.codes),
        _told(pl.col("thin"), pl.lit("thin history: nobody in it was seen before")),
        _told(
            pl.col("outside") > ground.outside,
            pl.format(
                "far from training: {} of its {} numbers lie outside what it was trained on",
                "outside",
                len(ground.reach),
            ),
        ),
    ]
    text = pl.concat_str(reasons, separator="; ", ignore_nulls=True)
    return judged.select(pl.when(text != "").then(text).alias("abstained_for")).to_series()


def _new(feature: Feature, values: pl.Series, unseen: NDArray[np.bool_]) -> pl.Series:
    """What of a category training never saw, in words; null where it did."""
    column, nothing = f"new {feature.name}", pl.repeat(None, len(values), dtype=pl.String, eager=True)
    if not unseen.any():
        return nothing.alias(column)
    chosen = values.cast(pl.String).zip_with(pl.Series(unseen), nothing)
    # Grounds are told apart by a semicolon, and free text may hold one.
    words = {
        value: f"{_NEVER_SEEN}: {named(feature, value)}".replace(";", ",") for value in chosen.drop_nulls().unique()
    }
    return chosen.replace_strict(words, return_dtype=pl.String).alias(column)


def _has_no_history(ground: Ground, encoder: Encoder, encoded: Encoded) -> NDArray[np.bool_]:
    """Whether all that tells of an event's parties is missing; never, where the model has no such features."""
    if not ground.history:
        return np.zeros(len(encoded.matrix), dtype=np.bool_)
    told = [encoder.columns.index(name) for name in ground.history]
    return np.asarray(np.isnan(encoded.matrix[:, told]).all(axis=1))


def _outside(reach: Mapping[str, tuple[float, float]], served: Served) -> NDArray[np.int64]:
    """How many known numbers of an event lie outside their range."""
    edges = np.array([reach.get(name, (-np.inf, np.inf)) for name in served.names]).reshape(-1, 2)
    numbers = served.numbers
    beyond: NDArray[np.int64] = np.count_nonzero((numbers < edges[:, 0]) | (numbers > edges[:, 1]), axis=1)
    return beyond


def _told(holds: pl.Expr, text: pl.Expr) -> pl.Expr:
    return pl.when(holds).then(text)

"""Calibrating: what to make of the raw scores of grown trees, from rows that trees like them have not seen.

Of rows that they were grown on trees are too sure, and the days held out are few: of a hundred finds they hold some
thirty, from which a slope is known to a fifth at best. So labelled rows are cut into spans of time, each scored by as
many trees that were grown on the other spans, and the calibrator is fitted on all (cross-fitting: Platt, 1999, section
2.2.2; Zadrozny and Elkan, 2002, KDD). Spans and no lots: what is alike and near in time (a ring, a convoy, a party)
mostly stays together. Where the held-out days alone hold finds enough, they calibrate, and no trees are grown for that.

Later spans thus help to score earlier ones, as they could not have at the time. That tells how sure trees of so many
rows may be and judges nothing: the days that judge are in no span.
"""

import numpy as np
import polars as pl

from models import calibration, prediction
from models.calibration import Calibrator
from models.datasets import Encoder, Floats, labels_of, weights_of
from models.growing import Grown, grow_again
from models.spec import ModelSpec

SPANS = 4
ENOUGH = 500
"""Finds of the held-out days from which a slope is known to a twentieth or better."""


def calibrate(
    spec: ModelSpec,
    encoder: Encoder,
    grown: Grown,
    train_rows: pl.DataFrame,
    valid_rows: pl.DataFrame,
    late_rows: pl.DataFrame,
) -> Calibrator:
    """A calibrator for `grown.booster`, of the rows it was grown on, those of signs included.

    Only outcomes calibrate. Where they are too few for the spans to hold both kinds, what the stopped trees say of the
    held-out days calibrates alone.
    """
    outcomes = valid_rows.filter(_is_outcome())
    if suffice(outcomes):
        return _of_held_out(encoder, grown, outcomes)
    rows = pl.concat([train_rows, late_rows, valid_rows]).sort("event_at", "event_id")
    scores = unseen(spec, encoder, grown.rounds, rows)
    counts = np.isfinite(scores) & rows.select(_is_outcome()).to_series().to_numpy()
    told = rows.filter(pl.Series(counts))
    if told["is_adverse"].n_unique() < 2:
        return _of_held_out(encoder, grown, outcomes)
    return _fitted(scores[counts], told)


def suffice(valid_rows: pl.DataFrame) -> bool:
    """Whether held-out outcomes are enough to calibrate by alone."""
    return int(valid_rows["is_adverse"].sum()) >= ENOUGH


def _is_outcome() -> pl.Expr:
    """What signs teach has no report."""
    return pl.col("label_known_at").is_not_null()


def _of_held_out(encoder: Encoder, grown: Grown, rows: pl.DataFrame) -> Calibrator:
    return _fitted(prediction.raw_scores(grown.stopped, encoder.matrix(rows)), rows)


def unseen(spec: ModelSpec, encoder: Encoder, rounds: int, rows: pl.DataFrame) -> Floats:
    """What trees grown on the other spans say of each row; NaN where these hold one kind of outcome alone."""
    spans = np.arange(rows.height) * SPANS // max(rows.height, 1)
    scores = np.full(rows.height, np.nan)
    for span in range(SPANS):
        is_in = pl.Series(spans == span)
        others = rows.filter(~is_in)
        if others["is_adverse"].n_unique() == 2:
            booster = grow_again(spec, encoder, others, rounds)
            scores[is_in.to_numpy()] = prediction.raw_scores(booster, encoder.matrix(rows.filter(is_in)))
    return scores


def _fitted(scores: Floats, rows: pl.DataFrame) -> Calibrator:
    return calibration.fit(scores, labels_of(rows), weights_of(rows))

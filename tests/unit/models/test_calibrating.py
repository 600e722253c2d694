"""Calibrating: no row is scored by trees that saw its outcome, only outcomes calibrate, and few are enough."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from models import calibrating, calibration, prediction
from models.datasets import Encoder, Split, labels_of, weights_of
from models.growing import Grown, grow, grow_again
from models.spec import ModelSpec


def spans(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows in four, by time."""
    bounds = [round(rows.height * part / 4) for part in range(5)]
    return [rows[first:last] for first, last in pairwise(bounds)]


def test_each_span_is_scored_by_as_many_trees_of_the_others(
    split: Split, encoder: Encoder, small_spec: ModelSpec
) -> None:
    rows = split.learnt[:1_200]
    parts = spans(rows)
    expected = [
        prediction.raw_scores(
            grow_again(small_spec, encoder, pl.concat(parts[:at] + parts[at + 1 :]), 4), encoder.matrix(part)
        )
        for at, part in enumerate(parts)
    ]
    found = calibrating.unseen(small_spec, encoder, 4, rows)
    assert found.tobytes() == np.concatenate(expected).tobytes()


def test_the_outcomes_of_a_span_never_reach_its_own_scores(
    split: Split, encoder: Encoder, small_spec: ModelSpec
) -> None:
    rows = split.learnt[:1_200]
    is_first = pl.int_range(pl.len()) < 300
    turned = rows.with_columns(pl.col("is_adverse") ^ is_first)
    ours, theirs = (calibrating.unseen(small_spec, encoder, 4, each) for each in (rows, turned))
    assert ours[:300].tobytes() == theirs[:300].tobytes()
    assert not (ours[300:] == theirs[300:]).all()


def test_the_calibrator_is_that_of_all_spans(
    split: Split, encoder: Encoder, grown: Grown, small_spec: ModelSpec
) -> None:
    scores = calibrating.unseen(small_spec, encoder, grown.rounds, split.learnt)
    expected = calibration.fit(scores, labels_of(split.learnt), weights_of(split.learnt))
    assert calibrating.calibrate(small_spec, encoder, grown, split.train, split.valid, split.late) == expected
    turned = calibrating.calibrate(small_spec, encoder, grown, split.train, split.valid.reverse(), split.late)
    assert turned == expected


def test_what_signs_teach_is_grown_on_and_calibrates_nothing(
    split: Split, encoder: Encoder, grown: Grown, small_spec: ModelSpec
) -> None:
    taught = split.train[:200].with_columns(
        is_adverse=True, label_known_at=pl.lit(None, split.train.schema["label_known_at"]), weight=pl.lit(0.4)
    )
    train, valid, late = (part.with_columns(weight=pl.lit(1.0)) for part in (split.train, split.valid, split.late))
    both = pl.concat([train, taught], how="diagonal").sort("event_at", "event_id", maintain_order=True)
    rows = pl.concat([both, late, valid]).sort("event_at", "event_id")
    scores = calibrating.unseen(small_spec, encoder, grown.rounds, rows)
    is_outcome = rows["label_known_at"].is_not_null()
    outcomes = rows.filter(is_outcome)
    assert outcomes.height == split.learnt.height
    expected = calibration.fit(scores[is_outcome.to_numpy()], labels_of(outcomes), weights_of(outcomes))
    assert calibrating.calibrate(small_spec, encoder, grown, both, valid, late) == expected


def test_where_the_held_out_days_hold_finds_enough_they_calibrate_alone(
    split: Split, encoder: Encoder, grown: Grown, small_spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_out = prediction.raw_scores(grown.stopped, encoder.matrix(split.valid))
    alone = calibration.fit(held_out, labels_of(split.valid))
    assert split.valid["is_adverse"].sum() < calibrating.ENOUGH
    assert calibrating.calibrate(small_spec, encoder, grown, split.train, split.valid, split.late) != alone
    monkeypatch.setattr(calibrating, "ENOUGH", int(split.valid["is_adverse"].sum()))
    assert calibrating.calibrate(small_spec, encoder, grown, split.train, split.valid, split.late) == alone


def test_finds_of_one_span_alone_leave_it_to_the_held_out_days(
    split: Split, encoder: Encoder, small_spec: ModelSpec
) -> None:
    """Trees of the other three know of no find, and what these three hold has none to calibrate by."""
    rows = split.learnt[:400]
    last = rows["event_at"][330]
    few = rows.with_columns(is_adverse=pl.col("is_adverse") & (pl.col("event_at") > last))
    train, valid = few[:360], few[360:]
    assert train["is_adverse"].any()
    assert valid["is_adverse"].any()
    spec = replace(small_spec, rounds=2)
    scores = calibrating.unseen(spec, encoder, 2, few)
    assert np.isnan(scores[300:]).all()
    assert np.isfinite(scores[:300]).all()
    grown = grow(spec, encoder, train, valid)
    held_out = prediction.raw_scores(grown.stopped, encoder.matrix(valid))
    found = calibrating.calibrate(spec, encoder, grown, train, valid, few.clear())
    assert found == calibration.fit(held_out, labels_of(valid))

"""Growing: what the stopped trees may not know, what all trees learn from, and how large each stage grows."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from models.datasets import Encoder, Split
from models.growing import Grown, grow
from models.spec import ModelSpec


def leaves(grown: Grown) -> list[int]:
    return [tree["num_leaves"] for tree in grown.booster.dump_model()["tree_info"]]


def test_as_many_trees_are_grown_again_as_the_held_out_days_asked_for(grown: Grown) -> None:
    assert grown.booster.num_trees() == grown.stopped.best_iteration


def test_the_first_trees_are_small_and_the_rest_of_full_size(grown: Grown, small_spec: ModelSpec) -> None:
    first, rest = leaves(grown)[: small_spec.opening_rounds], leaves(grown)[small_spec.opening_rounds :]
    assert max(first) == small_spec.opening["num_leaves"]
    assert max(first) < max(rest) <= small_spec.parameters["num_leaves"]


def test_late_outcomes_teach_all_trees_but_those_that_are_stopped(
    split: Split, encoder: Encoder, grown: Grown, small_spec: ModelSpec
) -> None:
    assert split.late.height > 0
    turned = grow(small_spec, encoder, split.train, split.valid, split.late.with_columns(~pl.col("is_adverse")))
    assert turned.stopped.model_to_string() == grown.stopped.model_to_string()
    assert turned.booster.model_to_string() != grown.booster.model_to_string()


def test_held_out_outcomes_choose_the_rounds_and_teach_no_stopped_tree(
    split: Split, encoder: Encoder, grown: Grown, small_spec: ModelSpec
) -> None:
    turned = grow(small_spec, encoder, split.train, split.valid.with_columns(~pl.col("is_adverse")), split.late)
    trees = min(turned.stopped.best_iteration, grown.stopped.best_iteration)
    matrix = encoder.matrix(split.test)
    ours, theirs = (one.stopped.predict(matrix, num_iteration=trees, raw_score=True) for one in (grown, turned))
    assert ours.tobytes() == theirs.tobytes()
    assert turned.booster.model_to_string() != grown.booster.model_to_string()


def test_no_late_outcomes_are_as_good_as_none_told_of(split: Split, encoder: Encoder, small_spec: ModelSpec) -> None:
    few = replace(small_spec, rounds=3)
    none, empty = (grow(few, encoder, split.train, split.valid, late) for late in (None, split.late.clear()))
    assert none.booster.model_to_string() == empty.booster.model_to_string()


def test_the_order_of_rows_changes_no_tree_that_scores(
    split: Split, encoder: Encoder, grown: Grown, small_spec: ModelSpec
) -> None:
    again = grow(small_spec, encoder, split.train, split.valid.reverse(), split.late.reverse())
    assert again.booster.model_to_string() == grown.booster.model_to_string()

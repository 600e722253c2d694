"""Tuning: folds that keep time, labels as they were known, the same trials again, nothing better than what is best."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from models import tuning
from models.datasets import folds_by_time, split_by_time
from models.spec import BASE_PARAMETERS, ModelSpec
from models.tuning import SPACE, Tuned, tune
from warehouse.errors import NotReady

TRIALS, FOLDS = 4, 2


@pytest.fixture(scope="module")
def quick(small_spec: ModelSpec) -> ModelSpec:
    return replace(small_spec, rounds=8, patience=3)


@pytest.fixture(scope="module")
def tuned(quick: ModelSpec, labelled: pl.DataFrame) -> Tuned:
    return tune(quick, labelled, TRIALS, FOLDS, lambda: None)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("delay", [timedelta(0), timedelta(days=3)], ids=["told-at-once", "told-late"])
def test_folds_move_on_in_time_and_know_no_label_of_later(
    make_labelled: Callable[..., pl.DataFrame], small_spec: ModelSpec, count: int, delay: timedelta
) -> None:
    labelled = make_labelled(2_500, delay=delay)
    kept_apart = split_by_time(labelled, small_spec).test_from
    made = folds_by_time(labelled, small_spec, count)
    assert len(made) == count
    for fold in made:
        assert fold.train["label_known_at"].max() < fold.valid_from <= fold.valid["event_at"].min()
        assert fold.valid["label_known_at"].max() < fold.test_from <= fold.test["event_at"].min()
        assert max(fold.test["event_at"].max(), fold.test["label_known_at"].max()) < kept_apart
    judged = [(fold.test["event_at"].min(), fold.test["event_at"].max()) for fold in made]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(judged))
    assert [fold.valid_from for fold in made[1:]] == [fold.test_from for fold in made[:-1]]


def test_too_many_folds_for_the_outcomes_are_refused(
    make_labelled: Callable[..., pl.DataFrame], small_spec: ModelSpec
) -> None:
    with pytest.raises(NotReady, match="outcomes of one kind"):
        folds_by_time(make_labelled(40), small_spec, 9)
    with pytest.raises(NotReady, match="no outcome is known yet"):
        folds_by_time(make_labelled(40).clear(), small_spec, 2)


def test_the_best_is_no_worse_than_the_spec_as_it_is(tuned: Tuned, quick: ModelSpec) -> None:
    assert tuned.before == quick
    assert len(tuned.was) == len(tuned.would) == FOLDS
    assert tuned.gain >= 0
    assert (tuned.gain == 0) == (not tuned.changed)
    assert replace(tuned.found, parameters=quick.parameters) == quick, "nothing but parameters is otherwise"
    assert set(tuned.changed) <= set(SPACE)


def test_parameters_stay_within_what_they_may_be(tuned: Tuned) -> None:
    for name, value in tuned.changed.items():
        assert SPACE[name].low <= value <= SPACE[name].high


def test_the_same_trials_again_find_the_same(tuned: Tuned, quick: ModelSpec, labelled: pl.DataFrame) -> None:
    seen: list[None] = []
    assert tune(quick, labelled, TRIALS, FOLDS, lambda: seen.append(None)) == tuned
    assert len(seen) == TRIALS


def test_what_is_printed_is_the_spec_that_was_tried(tuned: Tuned) -> None:
    declared = tuned.declared().strip().removeprefix("parameters=").removesuffix(",")
    assert eval(declared, {"BASE_PARAMETERS": BASE_PARAMETERS}) == tuned.found.parameters


def test_bad_parameters_are_not_kept(quick: ModelSpec, labelled: pl.DataFrame) -> None:
    stump = replace(quick, parameters={**quick.parameters, "learning_rate": 0.0001, "num_leaves": 2})
    found = tune(stump, labelled, TRIALS, 1, lambda: None)
    assert found.gain > 0
    assert found.folds_better == 1


def test_without_optuna_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, quick: ModelSpec, labelled: pl.DataFrame
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(NotReady, match="install borderlake with its extra 'tune'"):
        tuning.tune(quick, labelled, TRIALS, FOLDS, lambda: None)

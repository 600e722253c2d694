"""The gate: each rule by what it must let through and what it must stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from models import promotion, training
from models.capacity import Capacities, Capacity
from models.evaluation import Figure
from models.priority import Priority
from models.promotion import RULES, Rival, Verdict, judge
from models.spec import ModelSpec
from models.training import Model, Trained, train
from models.twins import Twins

CAPACITY = 0.1


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "REPEATS", 30)


@pytest.fixture(scope="module")
def ignorant(make_labelled: Callable[..., pl.DataFrame], small_spec: ModelSpec) -> Model:
    """A model that learnt from labels that mean nothing."""
    labelled = make_labelled(1_500)
    return train(small_spec, labelled.with_columns(pl.col("is_adverse").shuffle(seed=1))).model


def rival(model: Model, *, is_proven: bool = True) -> Rival:
    return Rival(7, model, is_proven)


def rule(verdict: Verdict, name: str) -> promotion.Rule:
    return next(one for one in verdict.rules if one.name == name)


def test_a_verdict_has_every_rule_once_in_order_and_survives_json(trained: Trained) -> None:
    verdict = judge(trained, trained.model, rival(trained.model), CAPACITY)
    assert [one.name for one in verdict.rules] == list(RULES)
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert verdict.passed == all(one.passed for one in verdict.rules) == (not verdict.failed)


def test_without_a_champion_it_must_beat_chance(trained: Trained) -> None:
    verdict = judge(trained, trained.model, None, CAPACITY)
    assert verdict.against is None
    better = rule(verdict, "better")
    assert better.passed
    assert better.figures["auc_low"] == trained.figures["auc"].low > 0.5


def test_it_is_better_than_a_champion_that_knows_nothing(trained: Trained, ignorant: Model) -> None:
    verdict = judge(trained, trained.model, rival(ignorant), CAPACITY)
    better = rule(verdict, "better")
    assert (better.passed, verdict.against) == (True, 7)
    assert 0 < better.figures["gain_low"] <= better.figures["gain"]
    assert better.figures["gain"] == pytest.approx(better.figures["found"] - better.figures["found_by_champion"])


def test_its_own_twin_is_not_beaten_beyond_noise_and_keeps_the_place(trained: Trained) -> None:
    better = rule(judge(trained, trained.model, rival(trained.model), CAPACITY), "better")
    assert not better.passed
    assert better.figures["gain"] == better.figures["gain_low"] == better.figures["gain_high"] == 0.0


def test_a_champion_that_never_passed_need_not_be_beaten_beyond_noise(trained: Trained) -> None:
    verdict = judge(trained, trained.model, rival(trained.model, is_proven=False), CAPACITY)
    assert rule(verdict, "better").passed


BY_MONEY, BY_A_MIX = (Capacities(Capacity(rank_by=Priority.of(way))) for way in ("money", "mix:0.5"))


@pytest.fixture(scope="module")
def blind_to_money(with_amounts: Trained) -> Model:
    """The same probabilities, and no amounts."""
    return Model(with_amounts.model.text, replace(with_amounts.model.bundle, recovery=None))


@pytest.mark.parametrize("declared", [pytest.param(BY_MONEY, id="by-money"), pytest.param(BY_A_MIX, id="by-a-mix")])
def test_an_office_that_ranks_by_money_gets_the_one_that_brings_more(
    with_amounts: Trained, blind_to_money: Model, declared: Capacities
) -> None:
    better = rule(judge(with_amounts, with_amounts.model, rival(blind_to_money), CAPACITY, declared), "better")
    assert better.passed == (better.figures["gain_low"] > 0)
    assert better.passed or declared is BY_A_MIX  # Half of it is probabilities, which are the same.
    assert "EUR that came in" in better.said
    assert better.figures["gain"] > 0


def test_the_same_probabilities_are_no_gain_where_all_rank_by_them(
    with_amounts: Trained, blind_to_money: Model
) -> None:
    better = rule(judge(with_amounts, with_amounts.model, rival(blind_to_money), CAPACITY), "better")
    assert (better.passed, better.figures["gain"]) == (False, 0.0)


def test_one_that_forgot_what_things_are_worth_does_not_replace_one_that_knows(
    with_amounts: Trained, blind_to_money: Model
) -> None:
    challenger = replace(with_amounts, model=blind_to_money)
    champion = rival(with_amounts.model, is_proven=False)
    better = rule(judge(challenger, blind_to_money, champion, CAPACITY, BY_MONEY), "better")
    assert not better.passed
    assert better.figures["gain"] < 0


def test_where_no_amounts_are_known_hits_decide_and_the_gate_says_so(trained: Trained, ignorant: Model) -> None:
    by_money = rule(judge(trained, trained.model, rival(ignorant), CAPACITY, BY_MONEY), "better")
    by_chance = rule(judge(trained, trained.model, rival(ignorant), CAPACITY), "better")
    assert by_money.figures == by_chance.figures
    assert "no amounts are known" in by_money.said


def test_only_days_that_the_champion_has_not_learnt_from_judge(trained: Trained) -> None:
    later = replace(
        trained.model, bundle=replace(trained.model.bundle, trained_until=trained.split.test_from + timedelta(days=400))
    )
    verdict = judge(trained, trained.model, rival(later), CAPACITY)
    assert rule(verdict, "enough_labels").figures == {"adverse": 0.0, "harmless": 0.0}
    assert {"enough_labels", "better"} <= set(verdict.failed)


def test_a_champion_of_other_features_cannot_judge(trained: Trained) -> None:
    encoder = trained.model.bundle.encoder
    other = replace(trained.model.bundle, encoder=replace(encoder, numbers=(*encoder.numbers, "gone")))
    assert judge(trained, trained.model, rival(Model(trained.model.text, other)), CAPACITY).against is None


def test_a_second_training_on_the_same_rows_is_the_same_to_the_last_bit(trained: Trained) -> None:
    again = training.fit_again(trained)
    assert again == trained.model
    assert rule(judge(trained, again, None, CAPACITY), "reproducible").passed


def test_another_model_from_a_second_training_is_told(trained: Trained, ignorant: Model) -> None:
    assert "reproducible" in judge(trained, ignorant, None, CAPACITY).failed


@pytest.mark.parametrize(
    ("low", "high", "passed"),
    [
        pytest.param(0.95, 1.05, True, id="within"),
        pytest.param(0.5, 0.9, True, id="reaches-in-from-below"),
        pytest.param(1.1, 1.9, True, id="reaches-in-from-above"),
        pytest.param(0.5, 0.89, False, id="overconfident"),
        pytest.param(1.11, 1.9, False, id="underconfident"),
    ],
)
def test_the_interval_of_the_slope_must_reach_in(trained: Trained, low: float, high: float, passed: bool) -> None:
    slope = replace(trained.figures["calibration_slope"], low=low, high=high)
    judged = replace(trained, figures={**trained.figures, "calibration_slope": slope})
    assert rule(judge(judged, trained.model, None, CAPACITY), "calibrated").passed is passed


@pytest.mark.parametrize(
    ("twins", "passed", "says"),
    [
        pytest.param(Twins(400, 0, {}), True, "none of 400", id="no-twins"),
        pytest.param(
            Twins(400, 90, {"auc": Figure(0.70, 0.6, 0.8)}, Figure(0.02, -0.01, 0.06)),
            True,
            "90 of 400",
            id="twins-that-hardly-flatter",
        ),
        pytest.param(
            Twins(400, 90, {"auc": Figure(0.70, 0.6, 0.8)}, Figure(0.20, 0.06, 0.30)),
            False,
            "higher by 0.200",
            id="it-remembers-more-than-it-has-learnt",
        ),
        pytest.param(
            Twins(400, 90, {"auc": Figure(0.55, 0.49, 0.6)}, Figure(0.02, -0.01, 0.06)),
            False,
            "low end above 0.5",
            id="no-better-than-chance-without-them",
        ),
        pytest.param(Twins(400, 390, {}), False, "fewer than", id="too-few-are-left"),
    ],
)
def test_what_is_remembered_does_not_count_as_learnt(trained: Trained, twins: Twins, passed: bool, says: str) -> None:
    found = rule(judge(replace(trained, twins=twins), trained.model, None, CAPACITY), "twins")
    assert found.passed is passed
    assert says in found.said
    assert found.figures["with_twin"] == twins.with_twin


def test_a_slice_that_loses_what_the_champion_knew_is_named() -> None:
    generator = np.random.default_rng(5)
    rows = pl.DataFrame({"location": ["XNAIR"] * 300 + ["XNPRT"] * 300 + [None] * 20, "mode": ["air"] * 620})
    labels = (generator.random(620) < 0.3).astype(float)
    theirs = labels * 0.6 + generator.random(620) * 0.4
    ours = np.where(np.arange(620) < 300, generator.random(620), theirs)
    found = promotion.slices_of(rows, ["location", "mode"], labels, ours, theirs, seed=3)
    by_name = {(one.column, one.value): one for one in found}
    assert by_name["location", "XNAIR"].is_worse
    assert not by_name["location", "XNPRT"].is_worse
    assert by_name["mode", "air"].rows == 620
    assert ("location", "unknown") not in by_name, "too few outcomes to be judged by itself"
    told = promotion._no_slice_worse(found)
    assert not told.passed
    assert "location XNAIR" in told.said

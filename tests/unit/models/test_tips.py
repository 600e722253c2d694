"""Tips: their finds stay, the odds of all that pass come back, and no days judge by them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import tips
from models.datasets import split_by_time, weights_of
from models.spec import ModelSpec
from models.training import train
from warehouse.errors import NotReady

OUTCOME = st.tuples(
    st.booleans(),
    st.sampled_from(["random", "rule", tips.TIP, None]),
    st.one_of(st.none(), st.sampled_from([0.0, 0.01, 0.3, 0.5, 1.0])),
)
SCHEMA = {"is_adverse": pl.Boolean, "selection": pl.String, "selection_probability": pl.Float64}


def rows_of(outcomes: list[tuple[bool, str | None, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(outcomes, schema=SCHEMA, orient="row").with_row_index("place")


def by_hand(outcomes: list[tuple[bool, str | None, float | None]]) -> dict[int, float]:
    """Weight by place of the rows that are learnt from."""
    told = [adverse for adverse, why, _ in outcomes if why == "intelligence"]
    others = [(adverse, chance or 1.0) for adverse, why, chance in outcomes if why != "intelligence"]
    if not told or {adverse for adverse, _ in others} != {True, False}:
        return dict.fromkeys(range(len(outcomes)), 1.0)
    share = sum(told) / sum(1 / chance for adverse, chance in others if adverse)
    weights = {}
    for place, (adverse, why, chance) in enumerate(outcomes):
        if adverse:
            weights[place] = 1.0
        elif why != "intelligence" or not share:
            weights[place] = 1.0 + share / (chance or 1.0)
    return weights


@given(st.lists(OUTCOME, max_size=30))
def test_weights_are_those_reckoned_by_hand(outcomes: list[tuple[bool, str | None, float | None]]) -> None:
    rows = rows_of(outcomes)
    evened = tips.evened(rows, tips.share_told(rows))
    weights = weights_of(evened)
    found = np.ones(evened.height) if weights is None else weights
    assert dict(zip(evened["place"], found, strict=True)) == pytest.approx(by_hand(outcomes))


@given(st.lists(OUTCOME.filter(lambda outcome: outcome[1] != tips.TIP), max_size=30))
def test_without_tips_rows_stay_as_they_are(outcomes: list[tuple[bool, str | None, float | None]]) -> None:
    rows = rows_of(outcomes)
    assert tips.evened(rows, tips.share_told(rows)).equals(rows)
    assert tips.by_chance(rows).equals(rows)


def test_a_sample_with_a_weight_keeps_it_beside_what_tips_ask() -> None:
    rows = rows_of([(True, tips.TIP, 1.0), (True, "random", 0.1), (False, "random", 0.1)])
    weighed = rows.with_columns(weight=pl.Series([1.0, 2.0, 3.0]))
    assert tips.share_told(rows) == pytest.approx(0.1)
    assert tips.evened(weighed, 0.1)["weight"].to_list() == pytest.approx([1.0, 2.0, 6.0])


def border(events: int = 1_000_000) -> pl.DataFrame:
    """Examined events of two kinds, as risky as each other: strangers, half of whom rules choose, and residents, who
    are looked at by lot; one in fifty of all that is adverse is told of."""
    generator = np.random.default_rng(5)
    is_resident = generator.random(events) < 0.5
    is_adverse = generator.random(events) < 0.03
    chance = np.where(is_resident, 0.01, 0.5)
    is_told = is_adverse & (generator.random(events) < 0.02)
    is_drawn = generator.random(events) < chance
    why = np.where(is_told, tips.TIP, np.where(is_resident, "random", "rule"))
    made = pl.DataFrame(
        {
            "is_resident": is_resident,
            "is_adverse": is_adverse,
            "selection": why,
            "selection_probability": np.where(is_told, 1.0, chance),
        }
    )
    return made.filter(pl.Series(is_told | is_drawn))


def rates(rows: pl.DataFrame) -> dict[bool, float]:
    weighed = rows if "weight" in rows.columns else rows.with_columns(weight=pl.lit(1.0))
    share = (pl.col("weight") * pl.col("is_adverse")).sum() / pl.col("weight").sum()
    return dict(weighed.group_by("is_resident").agg(share).rows())


def test_evened_rows_have_the_odds_of_all_that_pass() -> None:
    examined = border()
    share = tips.share_told(examined)
    assert share == pytest.approx(0.02, rel=0.2)
    as_they_are, evened = rates(examined), rates(tips.evened(examined, share))
    assert as_they_are[True] > 2 * as_they_are[False], "those whom nobody suspects seem risky"
    assert evened[True] == pytest.approx(0.03, rel=0.2)
    assert evened[False] == pytest.approx(0.03, rel=0.05)


def test_every_find_is_learnt_from() -> None:
    examined = border()
    evened = tips.evened(examined, tips.share_told(examined))
    assert evened.filter("is_adverse").height == examined.filter("is_adverse").height


@pytest.fixture(scope="module")
def told(labelled: pl.DataFrame) -> pl.DataFrame:
    """Outcomes of which a third of the adverse ones were tipped, and one tip in eight was wrong."""
    lot = pl.col("event_id").hash(3) % 24
    is_told = pl.when("is_adverse").then(lot < 8).otherwise(lot < 1)
    return labelled.with_columns(
        selection=pl.when(is_told).then(pl.lit(tips.TIP)).otherwise("selection"),
        selection_probability=pl.when(is_told).then(1.0).otherwise(0.5),
    )


def test_a_split_weighs_what_is_learnt_from_and_judges_by_what_nobody_told(
    told: pl.DataFrame, small_spec: ModelSpec
) -> None:
    split = split_by_time(told, small_spec)
    share = tips.share_told(told.filter(pl.col("label_known_at") < split.valid_from))
    assert 0.1 < share < 0.4
    for part in (split.train, split.late, split.valid):
        assert part.filter("is_adverse")["weight"].unique().to_list() == [1.0]
        assert part.filter(~pl.col("is_adverse"))["weight"].unique().to_list() == pytest.approx([1 + share / 0.5])
        assert part.filter("is_adverse")["selection"].is_in([tips.TIP]).any()
    assert split.test.height
    assert not split.test["selection"].is_in([tips.TIP]).any()
    assert "weight" not in split.test.columns


def test_held_out_tips_say_nothing_of_how_many_are_told(told: pl.DataFrame, small_spec: ModelSpec) -> None:
    split = split_by_time(told, small_spec)
    silent = told.with_columns(
        selection=pl.when(pl.col("label_known_at") < split.valid_from).then("selection").otherwise(pl.lit("random"))
    )
    assert split_by_time(silent, small_spec).train.equals(split.train)


def test_an_agency_that_acts_on_tips_alone_is_judged_by_them(labelled: pl.DataFrame, small_spec: ModelSpec) -> None:
    split = split_by_time(labelled.with_columns(selection=pl.lit(tips.TIP)), small_spec)
    assert "weight" not in split.train.columns
    assert split.test.height == split_by_time(labelled, small_spec).test.height > 0


def test_days_that_judge_with_tips_finds_alone_are_refused(told: pl.DataFrame, small_spec: ModelSpec) -> None:
    from_day = split_by_time(told, small_spec).test_from
    is_find_of_test = (pl.col("event_at") >= from_day) & pl.col("is_adverse")
    only = told.with_columns(selection=pl.when(is_find_of_test).then(pl.lit(tips.TIP)).otherwise("selection"))
    with pytest.raises(NotReady, match="test days hold"):
        split_by_time(only, small_spec)


def test_what_is_predicted_is_what_is_found_without_tips(told: pl.DataFrame, small_spec: ModelSpec) -> None:
    found = train(small_spec, told)
    matrix = found.model.bundle.encoder.matrix(found.split.valid)
    predicted = found.model.bundle.calibrator.probability(found.model.raw_scores(matrix))
    valid = found.split.valid.with_columns(predicted=pl.Series(predicted))
    untold = tips.by_chance(valid)
    late = told.filter(pl.col("event_at").is_between(valid["event_at"].min(), valid["event_at"].max()))
    assert untold["predicted"].mean() == pytest.approx(untold["is_adverse"].mean(), rel=0.25)
    assert untold["predicted"].mean() < 0.9 * late["is_adverse"].mean()
    assert late["label_known_at"].max() - late["event_at"].max() <= timedelta(days=3)


def test_money_is_expected_of_what_nobody_told_of(told: pl.DataFrame, small_spec: ModelSpec) -> None:
    paid = told.with_columns(recovered=pl.when("is_adverse").then(100.0), recovered_in=pl.lit("EUR"))
    found = train(small_spec, paid)
    held_out = tips.by_chance(found.split.valid)
    bundle = found.model.bundle
    assert bundle.recovery is not None
    matrix = bundle.encoder.matrix(held_out)
    probabilities = bundle.calibrator.probability(found.model.raw_scores(matrix))
    expected = bundle.recovery.expected(matrix, probabilities).sum()
    assert expected == pytest.approx(held_out["recovered"].fill_null(0.0).sum(), rel=0.25)
    assert expected < 0.9 * found.split.valid["recovered"].fill_null(0.0).sum()

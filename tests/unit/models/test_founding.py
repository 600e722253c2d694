"""Founding: the first tree repeats what a record says, to the rounding that it is told in, and says nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.views import Where
from models import founding
from models.crossing_risk import CROSSING_RISK
from models.datasets import learn_encoder
from models.growing import grow
from models.shipment_risk import SHIPMENT_RISK
from models.spec import ModelSpec, Record
from models.training import fit_again, train
from warehouse.errors import UnknownName

RECORD = Record("importer_hit_rate", (Where("office", among=("of1", "of3")),))
RATE = st.one_of(st.none(), st.just(float("nan")), st.floats(0.001, 0.9))


@pytest.fixture(scope="module")
def spec(small_spec: ModelSpec) -> ModelSpec:
    return replace(small_spec, record=RECORD)


@pytest.fixture(scope="module")
def rated(labelled: pl.DataFrame) -> pl.DataFrame:
    """Vectors whose rate is one: above 0."""
    return labelled.with_columns(importer_hit_rate=(pl.col("importer_hit_rate") * 0.5 - 3.0).exp())


def by_hand(rate: float | None, office: str | None, usual: float) -> float:
    if rate is None or math.isnan(rate) or rate <= 0 or office not in ("of1", "of3"):
        return 0.0
    return round(math.log(rate / usual) / 0.1) * 0.1


@given(st.lists(st.tuples(RATE, st.sampled_from(["of1", "of2", "of3", None])), min_size=1, max_size=40))
def test_a_record_says_how_many_times_the_usual_rate_it_is(rows: list[tuple[float | None, str | None]]) -> None:
    schema = {"importer_hit_rate": pl.Float64, "office": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(jurisdiction=pl.lit("XN"))
    rates = [rate for rate, _ in rows if rate is not None and not math.isnan(rate)]
    usual = float(np.median(rates)) if rates else 1.0
    said = founding.said_by(RECORD, frame).to_list()
    assert said == pytest.approx([by_hand(rate, office, usual) for rate, office in rows], abs=1e-9)


def test_who_has_no_past_has_no_record_wherever_more_is_found_of_all() -> None:
    frame = pl.DataFrame(
        {
            "jurisdiction": ["XN"] * 3 + ["XS"] * 3,
            "importer_hit_rate": [0.02, 0.02, 0.08, 0.08, 0.08, 0.02],
            "office": ["of1"] * 6,
        }
    )
    assert founding.said_by(RECORD, frame).to_list() == pytest.approx([0, 0, 1.4, 0, 0, -1.4])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_tree_is_the_odds_of_all_and_the_record_and_nothing_else(seed: int) -> None:
    spec = replace(SHIPMENT_RISK, record=RECORD)
    rows = drawn(spec, 400, seed)
    encoder = learn_encoder(rows, spec)
    tree = founding.found(spec, encoder, rows)
    assert tree is not None
    assert tree.num_trees() == 1
    share = rows["is_adverse"].mean()
    told = tree.predict(encoder.matrix(rows)) - founding.said_by(RECORD, rows).to_numpy()
    np.testing.assert_allclose(told, math.log(share / (1 - share)), atol=1e-5)
    used = {encoder.columns[place] for place in np.flatnonzero(tree.feature_importance())}
    assert used <= RECORD.columns()


def drawn(spec: ModelSpec, rows: int, seed: int) -> pl.DataFrame:
    """Vectors whose columns are all noise; one row in five is adverse."""
    generator = np.random.default_rng(seed)
    made: dict[str, pl.Series] = {
        one.name: pl.Series(generator.choice(["of1", "of2", "of3"], rows))
        if one.is_category
        else pl.Series(generator.lognormal(-3, 1, rows))
        for one in spec.features()
    }
    rate = made["importer_hit_rate"].scatter(np.flatnonzero(generator.random(rows) < 0.1), None)
    adverse = pl.Series(np.arange(rows) % 5 == 0)
    place = pl.Series(["XN"] * rows)
    return pl.DataFrame(made | {"importer_hit_rate": rate, "is_adverse": adverse, "jurisdiction": place})


def test_weights_count_in_the_odds_of_all(spec: ModelSpec, rated: pl.DataFrame) -> None:
    encoder = learn_encoder(rated, spec)
    weight = pl.when("is_adverse").then(1.0).otherwise(3.0)
    plain, weighed = (
        founding.found(spec, encoder, rows) for rows in (rated, rated.with_columns(weight.alias("weight")))
    )
    assert plain is not None
    assert weighed is not None
    gap = plain.predict(encoder.matrix(rated)) - weighed.predict(encoder.matrix(rated))
    np.testing.assert_allclose(gap, math.log(3), atol=1e-5)


def test_no_tree_where_no_record_speaks(spec: ModelSpec, rated: pl.DataFrame) -> None:
    encoder = learn_encoder(rated, spec)
    assert founding.found(replace(spec, record=None), encoder, rated) is None
    assert founding.found(spec, encoder, rated.with_columns(importer_hit_rate=pl.lit(0.04))) is None
    assert founding.found(spec, encoder, rated.with_columns(office=pl.lit("of2"))) is None


def test_a_record_that_rests_on_a_feature_the_model_is_not_given_is_left_aside(spec: ModelSpec) -> None:
    assert spec.record_given() == RECORD
    assert replace(spec, without=spec.without | {"importer_hit_rate"}).record_given() is None
    with pytest.raises(UnknownName, match="importer_rate"):
        replace(spec, record=Record("importer_rate")).record_given()


def test_a_record_is_in_the_digest_and_none_leaves_it_as_it_was(spec: ModelSpec, small_spec: ModelSpec) -> None:
    assert spec.digest != small_spec.digest
    assert replace(spec, record=None).digest == small_spec.digest
    assert CROSSING_RISK.record_given() == CROSSING_RISK.record is not None


def test_growing_starts_from_the_record_and_trees_go_on_from_there(spec: ModelSpec, rated: pl.DataFrame) -> None:
    trained = train(spec, rated)
    booster, encoder = trained.model.booster(), trained.model.bundle.encoder
    first = booster.predict(encoder.matrix(trained.split.learnt), num_iteration=1, raw_score=True)
    said = founding.said_by(RECORD, trained.split.learnt).to_numpy()
    assert np.ptp(first - said) < 1e-5
    assert np.ptp(said) > 1
    assert booster.num_trees() > 1 + spec.opening_rounds
    assert fit_again(trained).sha256 == trained.model.sha256


def test_stopped_trees_start_from_what_the_training_rows_know(spec: ModelSpec, rated: pl.DataFrame) -> None:
    split = train(spec, rated).split
    encoder = learn_encoder(split.train, spec)
    grown = grow(spec, encoder, split.train, split.valid, split.late)
    turned = grow(spec, encoder, split.train, split.valid.with_columns(~pl.col("is_adverse")), split.late)
    matrix = encoder.matrix(split.test)
    ours, theirs = (one.stopped.predict(matrix, num_iteration=1, raw_score=True) for one in (grown, turned))
    assert ours.tobytes() == theirs.tobytes()

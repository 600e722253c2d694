"""Training: the same data gives the same model, and a model survives being written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.growing import grow
from models.shipment_risk import SHIPMENT_RISK
from models.spec import ModelSpec
from models.training import Bundle, Model, Trained, train
from warehouse.errors import BorderlakeError, NotReady


def test_two_trainings_are_bit_identical(trained: Trained, labelled: pl.DataFrame, small_spec: ModelSpec) -> None:
    again = train(small_spec, labelled)
    assert again.model.sha256 == trained.model.sha256
    assert again.figures == trained.figures


def test_order_of_the_labelled_rows_within_their_time_is_the_caller_s(trained: Trained) -> None:
    at = trained.split.train["event_at"]
    assert at.is_sorted()


def test_another_seed_is_another_model(trained: Trained, labelled: pl.DataFrame, small_spec: ModelSpec) -> None:
    assert train(replace(small_spec, seed=5), labelled).model.sha256 != trained.model.sha256


def test_bundle_reads_back_as_it_was_written(trained: Trained) -> None:
    bundle = trained.model.bundle
    read = Bundle.from_json(bundle.to_json())
    assert read == bundle
    assert read.to_json() == bundle.to_json()


def test_a_bundle_of_another_release_is_refused_by_what_it_lacks(trained: Trained) -> None:
    stored = json.loads(trained.model.bundle.to_json())
    del stored["recovery"]
    with pytest.raises(NotReady, match=r"lacks 'recovery'.*train the model again"):
        Bundle.from_json(json.dumps(stored))


def test_bundle_read_back_keeps_the_order_of_the_model_s_columns(trained: Trained, fresh: pl.DataFrame) -> None:
    encoder = trained.model.bundle.encoder
    read = Bundle.from_json(trained.model.bundle.to_json()).encoder
    assert read.columns == encoder.columns
    assert list(read.columns) == trained.model.booster().feature_name()
    assert np.array_equal(read.matrix(fresh), encoder.matrix(fresh), equal_nan=True)


def test_a_model_read_back_scores_bit_for_bit_the_same(trained: Trained, fresh: pl.DataFrame) -> None:
    model = trained.model
    read = Model(model.text, Bundle.from_json(model.bundle.to_json()))
    assert read.sha256 == model.sha256
    ours, theirs = (m.raw_scores(m.bundle.encoder.matrix(fresh)) for m in (model, read))
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda stored: stored["calibrator"].update(c=1.0), id="a-changed-calibrator"),
        pytest.param(lambda stored: stored["usual"]["overall"].update(hour=[0.0, 1.0]), id="a-changed-usual-range"),
        pytest.param(lambda stored: stored["numbers"].reverse(), id="another-order-of-columns"),
        pytest.param(lambda stored: stored.update(jurisdictions=["XS"]), id="another-jurisdiction"),
    ],
)
def test_a_changed_bundle_is_a_changed_model(trained: Trained, change: Callable[[dict[str, object]], None]) -> None:
    stored = json.loads(trained.model.bundle.to_json())
    change(stored)
    changed = Model(trained.model.text, Bundle.from_json(json.dumps(stored)))
    assert changed.sha256 != trained.model.sha256


def test_what_is_logged_is_of_the_model_that_is_kept(trained: Trained) -> None:
    assert trained.trees == trained.model.booster().num_trees()
    assert trained.spec.opening_rounds < trained.trees <= trained.spec.opening_rounds + trained.spec.rounds
    assert set(trained.importance) == set(trained.model.bundle.encoder.columns)
    assert sum(trained.importance.values()) == pytest.approx(1.0)
    assert list(trained.importance.values()) == sorted(trained.importance.values(), reverse=True)
    split = trained.split
    assert trained.rows == {"train": split.train.height, "valid": split.valid.height, "test": split.test.height}
    assert trained.model.bundle.trained_until == split.test_from
    assert trained.model.bundle.jurisdictions == ("XN",)
    assert trained.model.bundle.spec_digest == trained.spec.digest


def test_the_signal_is_found(trained: Trained) -> None:
    assert {"importer_hit_rate", "product_value_deviation"} <= set(list(trained.importance)[:4])
    assert trained.figures["auc"].low > 0.6


@pytest.fixture(scope="module")
def turned(labelled: pl.DataFrame) -> pl.DataFrame:
    """What was found before speaks for whom it was found at: as no officer would believe."""
    hits = pl.col("seller_hit_rate").fill_null(0.0)
    return labelled.with_columns(is_adverse=hits < hits.quantile(0.3))


@pytest.fixture(scope="module")
def held(turned: pl.DataFrame, small_spec: ModelSpec) -> Model:
    return train(small_spec, turned).model


def steps_up(model: Model, rows: pl.DataFrame, name: str, step: float) -> np.ndarray:
    """By how much each row's score changes where a number that is known grows by a step."""
    known = rows.filter(pl.col(name).is_not_null())
    raised = known.with_columns(pl.col(name) + step)
    before, after = (model.raw_scores(model.bundle.encoder.matrix(one)) for one in (known, raised))
    return after - before


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(SHIPMENT_RISK.rising)), step=st.floats(0, 5), turned_world=st.booleans())
def test_more_found_before_never_lowers_the_score(
    trained: Trained, held: Model, fresh: pl.DataFrame, name: str, step: float, turned_world: bool
) -> None:
    assert steps_up(held if turned_world else trained.model, fresh, name, step).min() >= 0


def test_without_the_constraint_the_score_would_fall(
    turned: pl.DataFrame, held: Model, fresh: pl.DataFrame, small_spec: ModelSpec
) -> None:
    free = train(replace(small_spec, rising=frozenset()), turned).model
    assert steps_up(free, fresh, "seller_hit_rate", 1.0).min() < -0.5
    assert steps_up(held, fresh, "seller_hit_rate", 1.0).min() >= 0


def test_usual_is_the_quartiles_of_the_training_days(trained: Trained) -> None:
    low, high = trained.model.bundle.usual.overall["importer_hit_rate"]
    values = np.sort(trained.split.train["importer_hit_rate"].drop_nulls().to_numpy())
    assert np.mean(values <= low) == pytest.approx(0.25, abs=0.01)
    assert np.mean(values <= high) == pytest.approx(0.75, abs=0.01)


def test_a_feature_that_is_missing_everywhere_does_no_harm(labelled: pl.DataFrame, small_spec: ModelSpec) -> None:
    without = labelled.with_columns(
        pl.lit(None, dtype=pl.Float64).alias("vessel_dark_gaps_14d"), pl.lit(None, dtype=pl.String).alias("import_use")
    )
    made = train(small_spec, without)
    assert made.importance["vessel_dark_gaps_14d"] == made.importance["import_use"] == 0.0
    assert "vessel_dark_gaps_14d" not in made.model.bundle.usual.overall
    read = Bundle.from_json(made.model.bundle.to_json())
    assert read.encoder.matrix(without.head(3)).shape == (3, len(read.encoder.columns))


def test_only_missing_features_are_refused(trained: Trained, labelled: pl.DataFrame, small_spec: ModelSpec) -> None:
    encoder = trained.model.bundle.encoder
    nothing = labelled.with_columns(
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in encoder.numbers),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in encoder.codes),
    )
    no_number = nothing.with_columns(pl.col(encoder.numbers).fill_null(float("nan")))
    for empty in (nothing, no_number):
        with pytest.raises(BorderlakeError, match="every feature of the training rows is missing"):
            grow(small_spec, encoder, empty, empty)


def test_a_number_that_is_none_is_missing(trained: Trained, labelled: pl.DataFrame, small_spec: ModelSpec) -> None:
    numbers = list(trained.model.bundle.encoder.numbers)
    same = train(small_spec, labelled.with_columns(pl.col(numbers).fill_null(float("nan"))))
    assert same.model.sha256 == trained.model.sha256


def test_a_feature_of_another_type_is_refused_by_name(
    trained: Trained, labelled: pl.DataFrame, small_spec: ModelSpec
) -> None:
    with pytest.raises(NotReady, match="log_mass is String and no number"):
        train(small_spec, labelled.with_columns(log_mass=pl.lit("heavy")))


@pytest.mark.parametrize("kind", [True, False], ids=["adverse-only", "harmless-only"])
def test_outcomes_of_one_kind_are_refused_by_name(labelled: pl.DataFrame, small_spec: ModelSpec, kind: bool) -> None:
    with pytest.raises(NotReady, match=r"shipment_risk: the training days hold \d+ outcomes of one kind"):
        train(small_spec, labelled.with_columns(is_adverse=pl.lit(kind)))


def test_a_day_without_events_has_no_scores(trained: Trained, fresh: pl.DataFrame) -> None:
    encoder = trained.model.bundle.encoder
    assert trained.model.raw_scores(encoder.matrix(fresh.clear())).shape == (0,)


def test_no_labels_are_refused_by_name(labelled: pl.DataFrame, small_spec: ModelSpec) -> None:
    with pytest.raises(NotReady, match="shipment_risk: no outcome is known yet"):
        train(small_spec, labelled.clear())

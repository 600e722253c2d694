"""Labelled vectors of shipments that never were, and one small model trained on them for all tests of models."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from models import evaluation
from models.datasets import Encoder, Split, learn_encoder, split_by_time
from models.growing import Grown, grow
from models.shipment_risk import SHIPMENT_RISK
from models.spec import ModelSpec
from models.training import Trained, train

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 60
MOMENT = pl.Datetime("us", "UTC")

SMALL = replace(
    SHIPMENT_RISK,
    opening_rounds=10,
    rounds=25,
    patience=5,
    parameters={**SHIPMENT_RISK.parameters, "num_threads": 1, "min_data_in_leaf": 10, "learning_rate": 0.1},
)


def vectors_of(rows: int, seed: int = 7, spec: ModelSpec = SMALL) -> pl.DataFrame:
    """Vectors with the columns of `features.vectors`: numbers and codes at random, some missing."""
    generator = np.random.default_rng(seed)
    minutes = np.sort(generator.integers(0, DAYS * 24 * 60, rows))
    at = pl.Series("event_at", [START + timedelta(minutes=int(minute)) for minute in minutes], dtype=MOMENT)
    made = pl.DataFrame(
        {
            "event_id": [f"{seed:02x}{row:030x}" for row in range(rows)],
            "event_version": pl.Series([1] * rows, dtype=pl.Int64),
            "event_at": at,
            "event_date": at.dt.date(),
            "received_on": at.dt.date(),
            "jurisdiction": ["XN"] * rows,
            "location": generator.choice(["XNPRT", "XNAIR", "XNRLY"], rows),
        }
    )
    columns: dict[str, pl.Series] = {}
    for feature in spec.features():
        is_missing = generator.random(rows) < 0.1
        if feature.is_category:
            values = pl.Series(feature.name, generator.choice([f"{feature.name[:2]}{n}" for n in range(6)], rows))
        else:
            values = pl.Series(feature.name, generator.normal(1.0, 1.0, rows))
        columns[feature.name] = values.scatter(np.flatnonzero(is_missing), None)
    return made.with_columns(**columns)


def labelled_of(rows: int, seed: int = 7, delay: timedelta = timedelta(days=2)) -> pl.DataFrame:
    """The vectors with labels that follow two numbers and one category, reported after `delay`."""
    vectors = vectors_of(rows, seed)
    generator = np.random.default_rng(seed + 1)
    score = (
        vectors["importer_hit_rate"].fill_null(0.0) * 1.5
        + vectors["product_value_deviation"].fill_null(0.0)
        + (vectors["office"] == "of3").fill_null(value=False).cast(pl.Float64) * 2.0
        - 3.5
    ).to_numpy()
    is_adverse = generator.random(rows) < 1 / (1 + np.exp(-score))
    return vectors.with_columns(
        is_adverse=pl.Series(is_adverse),
        selection=pl.lit("random"),
        selection_probability=pl.lit(None, dtype=pl.Float64),
        label_known_at=pl.col("event_at") + delay,
    )


@contextmanager
def few_resamples() -> Iterator[None]:
    """Intervals of a few resamples: their width is tested where they are made, not in every training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "with_intervals", functools.partial(evaluation.with_intervals, repeats=8))
        yield


@pytest.fixture(scope="module", autouse=True)
def quick_trainings() -> Iterator[None]:
    """For a module at a time: tests of others that run in this process train in earnest."""
    with few_resamples():
        yield


@pytest.fixture(scope="session")
def labelled() -> pl.DataFrame:
    return labelled_of(2_500)


@pytest.fixture(scope="session")
def trained(labelled: pl.DataFrame) -> Trained:
    with few_resamples():
        return train(SMALL, labelled)


@pytest.fixture(scope="session")
def told(labelled: pl.DataFrame) -> pl.DataFrame:
    """Adverse outcomes bring more where the rate of duty is higher; some are told in another currency."""
    generator = np.random.default_rng(6)
    brought = np.exp(
        5 + labelled["duty_rate_pct"].fill_null(0.0).to_numpy() + generator.normal(0, 0.3, labelled.height)
    )
    is_other = generator.random(labelled.height) < 0.1
    return labelled.with_columns(
        recovered=pl.when("is_adverse").then(pl.Series(brought)).otherwise(0.0),
        recovered_in=pl.Series(np.where(is_other, "USD", "EUR")),
    )


@pytest.fixture(scope="session")
def with_amounts(told: pl.DataFrame) -> Trained:
    with few_resamples():
        return train(SMALL, told)


@pytest.fixture(scope="session")
def fresh() -> pl.DataFrame:
    """Vectors the model never saw."""
    return vectors_of(300, seed=99)


@pytest.fixture(scope="session")
def make_vectors() -> Callable[..., pl.DataFrame]:
    return vectors_of


@pytest.fixture(scope="session")
def make_labelled() -> Callable[..., pl.DataFrame]:
    return labelled_of


@pytest.fixture(scope="session")
def small_spec() -> ModelSpec:
    return SMALL


@pytest.fixture(scope="session")
def split(labelled: pl.DataFrame, small_spec: ModelSpec) -> Split:
    return split_by_time(labelled, small_spec)


@pytest.fixture(scope="session")
def encoder(split: Split, small_spec: ModelSpec) -> Encoder:
    return learn_encoder(split.train, small_spec)


@pytest.fixture(scope="session")
def grown(split: Split, encoder: Encoder, small_spec: ModelSpec) -> Grown:
    return grow(small_spec, encoder, split.train, split.valid, split.late)

"""Abstention: what marks an event that a model has no ground to judge, and what does not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import pytest

from features.served import of_columns
from models.abstention import Ground, abstained_for, learn
from models.crossing_risk import CROSSING_RISK
from models.datasets import Encoder
from models.shipment_risk import SHIPMENT_RISK
from models.training import Bundle, Trained

FEATURES = {one.name: one for one in SHIPMENT_RISK.features()}


def told(trained: Trained, vectors: pl.DataFrame) -> pl.Series:
    """Why, a row; an empty text where there is ground."""
    bundle = trained.model.bundle
    return told_by(bundle.ground, bundle.encoder, bundle.jurisdictions, vectors).fill_null("")


def told_by(ground: Ground, encoder: Encoder, jurisdictions: Sequence[str], vectors: pl.DataFrame) -> pl.Series:
    served = of_columns(vectors, encoder.numbers, tuple(encoder.codes))
    return abstained_for(ground, encoder, jurisdictions, FEATURES, served, encoder.encode(served))


def test_of_the_training_rows_hardly_any_is_abstained_for(trained: Trained) -> None:
    marks = told(trained, trained.split.train)
    assert set(marks.str.split(":").list.first()) <= {"", "far from training"}
    assert (marks != "").mean() <= 0.01


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"jurisdiction": pl.lit("XQ")}, "not trained in its jurisdiction", id="another-jurisdiction"),
        pytest.param(
            {name: pl.lit(None, pl.Float64) for name in SHIPMENT_RISK.history},
            "thin history: nobody in it was seen before",
            id="nobody-seen-before",
        ),
    ],
)
def test_an_event_without_ground_says_why(
    trained: Trained, fresh: pl.DataFrame, change: dict[str, pl.Expr], reason: str
) -> None:
    before, after = told(trained, fresh), told(trained, fresh.with_columns(**change))
    assert not before.str.contains(reason, literal=True).any()
    assert after.str.contains(reason, literal=True).all()


def test_one_party_that_is_known_is_history(trained: Trained, fresh: pl.DataFrame) -> None:
    one = fresh.with_columns(
        importer_age_days=pl.lit(2.0),
        **{name: pl.lit(None, pl.Float64) for name in SHIPMENT_RISK.history[1:]},
    )
    assert not told(trained, one).str.contains("thin history").any()


def test_what_is_missing_is_not_outside_and_more_numbers_outside_than_usual_are_far(
    trained: Trained, fresh: pl.DataFrame
) -> None:
    ground = trained.model.bundle.ground
    numbers = list(ground.reach)
    within = fresh.with_columns(pl.lit(ground.reach[name][0]).alias(name) for name in numbers)
    missing = within.with_columns(pl.lit(None, pl.Float64).alias(name) for name in numbers[: ground.outside])
    allowed = within.with_columns(pl.lit(ground.reach[name][1] + 1).alias(name) for name in numbers[: ground.outside])
    beyond = within.with_columns(
        pl.lit(ground.reach[name][1] + 1).alias(name) for name in numbers[: ground.outside + 1]
    )
    assert not told(trained, missing).str.contains("far from training").any()
    assert not told(trained, allowed).str.contains("far from training").any()
    expected = f"far from training: {ground.outside + 1} of its {len(numbers)} numbers lie outside"
    assert told(trained, beyond).str.contains(expected, literal=True).all()


@pytest.mark.parametrize("nothing", [None, math.nan], ids=["missing", "no-number"])
def test_an_event_of_which_nothing_is_known_is_marked(
    trained: Trained, fresh: pl.DataFrame, nothing: float | None
) -> None:
    encoder = trained.model.bundle.encoder
    unknown = fresh.with_columns(
        *(pl.lit(nothing, pl.Float64).alias(name) for name in encoder.numbers),
        *(pl.lit(None, pl.String).alias(name) for name in encoder.codes),
    )
    assert told(trained, unknown).str.contains("thin history").all()
    assert np.isfinite(trained.model.raw_scores(encoder.matrix(unknown))).all()


def test_reasons_stand_side_by_side(trained: Trained, fresh: pl.DataFrame) -> None:
    strange = fresh.with_columns(jurisdiction=pl.lit("XQ"), office=pl.lit("elsewhere"))
    expected = "not trained in its jurisdiction; never seen in training: office of entry elsewhere"
    assert told(trained, strange).str.starts_with(expected).all()


def test_what_is_new_is_said_with_its_meaning_and_never_looks_like_two_grounds(
    trained: Trained, fresh: pl.DataFrame
) -> None:
    strange = fresh.head(2).with_columns(
        country_of_origin=pl.Series(["TD", fresh["country_of_origin"][1]]), procedure=pl.lit("40; 71")
    )
    first, second = (one.split("; ") for one in told(trained, strange))
    assert "never seen in training: country of origin Chad (TD)" in first
    assert "never seen in training: customs procedure 40, 71" in first
    assert not any("country of origin" in one for one in second)


def test_of_what_others_know_only_the_kind_is_told() -> None:
    """The last port of a document is no word of the traveller's own."""
    (last_port,) = (one for one in CROSSING_RISK.features() if one.name == "document_last_port")
    encoder = Encoder((), {last_port.name: {"XNPRT": 1}})
    rows = pl.DataFrame({"jurisdiction": ["XN", "XN"], last_port.name: ["XNPRT", "XNLIN"]})
    served = of_columns(rows, (), (last_port.name,))
    marks = abstained_for(Ground(), encoder, ("XN",), {last_port.name: last_port}, served, encoder.encode(served))
    assert marks.to_list() == [None, f"never seen in training: {last_port.description}"]


def test_a_ground_is_stored_and_read_as_it_was(trained: Trained) -> None:
    bundle = trained.model.bundle
    assert bundle.ground.reach
    assert Bundle.from_json(bundle.to_json()).ground == bundle.ground


def test_without_numbers_or_history_only_categories_and_jurisdiction_tell(
    trained: Trained, make_vectors: Callable[..., pl.DataFrame]
) -> None:
    encoder = trained.model.bundle.encoder
    vectors = make_vectors(20).with_columns(pl.lit(None, pl.Float64).alias(name) for name in encoder.numbers)
    assert learn(vectors, encoder, ()) == Ground({}, 0, ())
    assert told_by(Ground(), encoder, ("XN",), vectors).is_null().all()

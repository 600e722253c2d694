"""Training sets: splits that respect when labels were known, codes learnt from training rows only."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.served import of_columns
from models.datasets import Encoder, labels_of, learn_encoder, split_by_time, with_labels
from models.spec import ModelSpec
from models.training import Trained
from warehouse.errors import NotReady

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENT = pl.Datetime("us", "UTC")


def labels_at(ats: list[datetime], delays: list[timedelta]) -> pl.DataFrame:
    """Labelled events of alternating outcome."""
    known = [at + delay for at, delay in zip(ats, delays, strict=True)]
    return pl.DataFrame(
        {"event_at": ats, "label_known_at": known, "is_adverse": [i % 2 == 0 for i in range(len(ats))]},
        schema={"event_at": MOMENT, "label_known_at": MOMENT, "is_adverse": pl.Boolean},
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100 * 24), st.integers(0, 30 * 24)), min_size=30, max_size=120))
def test_no_part_holds_a_label_reported_after_the_next_begins(
    small_spec: ModelSpec, hours: list[tuple[int, int]]
) -> None:
    ats = [START + timedelta(hours=at) for at, _ in hours]
    labelled = labels_at(ats, [timedelta(hours=delay) for _, delay in hours])
    try:
        split = split_by_time(labelled, small_spec)
    except NotReady:
        return
    assert split.train["label_known_at"].max() < split.valid_from
    assert split.train["event_at"].max() < split.valid_from <= split.valid["event_at"].min()
    assert split.valid["label_known_at"].max() < split.test_from <= split.test["event_at"].min()
    assert split.test.height == labelled.filter(pl.col("event_at") >= split.test_from).height


def test_parts_begin_at_midnight_and_hold_about_their_share(trained: Trained, labelled: pl.DataFrame) -> None:
    split, spec = trained.split, trained.spec
    for moment in (split.valid_from, split.test_from):
        assert (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
    assert split.test.height / labelled.height == pytest.approx(spec.test_share, abs=0.03)
    between = labelled.filter((pl.col("event_at") >= split.valid_from) & (pl.col("event_at") < split.test_from))
    assert between.height / labelled.height == pytest.approx(spec.valid_share, abs=0.03)


def test_labels_of_the_gap_are_in_no_part(trained: Trained, labelled: pl.DataFrame) -> None:
    split = trained.split
    placed = split.train.height + split.valid.height + split.test.height
    late = labelled.filter(
        (pl.col("event_at") < split.test_from) & (pl.col("label_known_at") >= split.test_from)
        | (pl.col("event_at") < split.valid_from) & (pl.col("label_known_at") >= split.valid_from)
    )
    assert late.height > 0
    assert placed + late.height == labelled.height


def test_late_labels_are_learnt_from_once_the_validation_days_are_over(
    trained: Trained, labelled: pl.DataFrame
) -> None:
    split = trained.split
    assert split.late["event_at"].max() < split.valid_from <= split.late["label_known_at"].min()
    known = labelled.filter((pl.col("event_at") < split.test_from) & (pl.col("label_known_at") < split.test_from))
    assert split.learnt["event_id"].to_list() == known["event_id"].to_list()


@pytest.mark.parametrize(
    ("part", "one_class"),
    [
        pytest.param("training", pl.col("event_at") < START + 55 * DAY, id="one-class-training-days"),
        pytest.param("validation", pl.col("event_at") >= START + 55 * DAY, id="one-class-validation-days"),
        pytest.param("test", pl.col("event_at") >= START + 80 * DAY, id="one-class-test-days"),
    ],
)
def test_parts_of_one_class_are_refused_by_name(small_spec: ModelSpec, part: str, one_class: pl.Expr) -> None:
    labelled = labels_at([START + day * DAY for day in range(100)], [timedelta(hours=1)] * 100)
    changed = labelled.with_columns(is_adverse=pl.col("is_adverse") & ~one_class)
    with pytest.raises(NotReady, match=f"shipment_risk: the {part} days hold .* of one kind"):
        split_by_time(changed, small_spec)


@pytest.mark.parametrize(
    ("days", "delay", "message"),
    [
        pytest.param([], DAY, "no outcome is known yet", id="no-labels"),
        pytest.param([3] * 50, DAY, "training days hold", id="one-day"),
        pytest.param(list(range(50)), 400 * DAY, "training days hold 0 outcomes", id="labels-a-year-late"),
    ],
)
def test_too_few_days_are_refused(small_spec: ModelSpec, days: list[int], delay: timedelta, message: str) -> None:
    labelled = labels_at([START + day * DAY for day in days], [delay] * len(days))
    with pytest.raises(NotReady, match=message):
        split_by_time(labelled, small_spec)


def outcomes(*rows: dict[str, Any]) -> pl.DataFrame:
    plain = {"selection": "rule", "selection_probability": None, "superseded_at": None}
    return pl.DataFrame(
        [plain | row for row in rows],
        schema={
            "subject_id": pl.String, "is_adverse": pl.Boolean, "selection": pl.String,
            "selection_probability": pl.Float64, "known_at": MOMENT, "superseded_at": MOMENT,
        },
    )  # fmt: skip


VECTORS = pl.DataFrame({"event_id": ["a", "b"], "event_at": [START, START]}, schema_overrides={"event_at": MOMENT})


def outcome(subject: str, is_adverse: bool, known: int, superseded: int | None = None) -> dict[str, Any]:
    return {
        "subject_id": subject,
        "is_adverse": is_adverse,
        "known_at": START + known * DAY,
        "superseded_at": None if superseded is None else START + superseded * DAY,
    }


CORRECTED = (outcome("a", True, 2, superseded=5), outcome("a", False, 5))


@pytest.mark.parametrize(
    ("known", "by", "expected"),
    [
        pytest.param((outcome("a", True, 3),), 2, {}, id="an-outcome-reported-tomorrow-is-no-label"),
        pytest.param((outcome("a", True, 3),), 3, {"a": True}, id="an-outcome-of-this-moment-is"),
        pytest.param(CORRECTED, 1, {}, id="before-the-first-report-there-is-none"),
        pytest.param(CORRECTED, 4, {"a": True}, id="before-the-correction-it-stands-as-first-reported"),
        pytest.param(CORRECTED, 5, {"a": False}, id="at-the-correction-it-stands-corrected"),
        pytest.param(CORRECTED, 9, {"a": False}, id="after-the-correction-it-stands-corrected"),
        pytest.param((outcome("a", True, 1), outcome("a", False, 2)), 9, {"a": False}, id="the-later-report-counts"),
        pytest.param(
            (outcome("a", True, 1), outcome("a", False, 1)), 9, {"a": True}, id="of-two-at-once-the-adverse-one-counts"
        ),
        pytest.param(
            (outcome("a", False, 1), outcome("a", True, 1)), 9, {"a": True}, id="in-whatever-order-they-are-listed"
        ),
        pytest.param((outcome("stranger", True, 1),), 9, {}, id="an-outcome-of-an-unknown-event-is-no-row"),
    ],
)
def test_labels_are_outcomes_as_they_stood(
    known: tuple[dict[str, Any], ...], by: int, expected: dict[str, bool]
) -> None:
    made = with_labels(VECTORS, outcomes(*known), START + by * DAY)
    assert dict(made.select("event_id", "is_adverse").iter_rows()) == expected


def test_labels_are_ones_and_zeros() -> None:
    assert labels_of(pl.DataFrame({"is_adverse": [True, False]})).tolist() == [1.0, 0.0]


def has_unseen(encoder: Encoder, vectors: pl.DataFrame) -> list[bool]:
    served = of_columns(vectors, encoder.numbers, tuple(encoder.codes))
    unseen: list[bool] = encoder.encode(served).unseen.any(axis=1).tolist()
    return unseen


@pytest.fixture
def encoder(small_spec: ModelSpec, make_vectors: Callable[..., pl.DataFrame]) -> Encoder:
    """Codes of offices: 12 frequent ones each, one rare, one null."""
    vectors = make_vectors(26, seed=3).with_columns(
        office=pl.Series(["XNPRT"] * 12 + ["XNAIR"] * 12 + ["XNTINY", None]),
        hs2=pl.Series([None] * 26, dtype=pl.String),
    )
    return learn_encoder(vectors, small_spec)


@pytest.mark.parametrize(
    ("office", "code", "is_unseen"),
    [
        pytest.param("XNAIR", 1.0, False, id="the-first-frequent-category-is-1"),
        pytest.param("XNPRT", 2.0, False, id="the-next-is-2-in-the-order-of-their-text"),
        pytest.param("XNTINY", 0.0, False, id="a-rare-category-is-0-but-was-seen"),
        pytest.param("XNNEW", 0.0, True, id="an-unseen-category-is-0-and-flagged"),
        pytest.param(None, math.nan, False, id="a-missing-category-is-missing-and-not-unseen"),
    ],
)
def test_codes(
    encoder: Encoder, make_vectors: Callable[..., pl.DataFrame], office: str | None, code: float, is_unseen: bool
) -> None:
    row = make_vectors(1).with_columns(
        *(pl.lit(None, dtype=pl.String).alias(name) for name in encoder.codes if name != "office"),
        office=pl.lit(office, dtype=pl.String),
    )
    found = encoder.matrix(row)[0, encoder.columns.index("office")]
    assert found == code or (math.isnan(found) and math.isnan(code))
    assert has_unseen(encoder, row) == [is_unseen]


def test_a_category_never_seen_in_training_is_unseen_whatever_it_is(
    encoder: Encoder, make_vectors: Callable[..., pl.DataFrame]
) -> None:
    assert encoder.codes["hs2"] == {}
    row = make_vectors(1).with_columns(hs2=pl.lit("64"))
    assert encoder.matrix(row)[0, encoder.columns.index("hs2")] == 0.0
    assert has_unseen(encoder, row) == [True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(pl.lit("ten").alias("log_mass"), "log_mass is String and no number", id="text-for-a-number"),
        pytest.param(pl.lit(3).alias("office"), "office is Int32 and no text", id="a-number-for-a-category"),
        pytest.param(pl.lit("").str.split("").alias("hour"), r"hour is List\(String\)", id="a-list-for-a-number"),
    ],
)
def test_features_of_another_type_are_refused_by_name(
    encoder: Encoder, make_vectors: Callable[..., pl.DataFrame], change: pl.Expr, said: str
) -> None:
    with pytest.raises(NotReady, match=f"features of another type: {said}.*materialise features again"):
        encoder.matrix(make_vectors(3).with_columns(change))


def test_missing_features_are_refused_by_name(encoder: Encoder, make_vectors: Callable[..., pl.DataFrame]) -> None:
    with pytest.raises(NotReady, match="features log_mass, office are missing; materialise features again"):
        encoder.matrix(make_vectors(3).drop("log_mass", "office"))


def test_what_counts_is_whether_a_type_can_hold_the_values(
    encoder: Encoder, make_vectors: Callable[..., pl.DataFrame]
) -> None:
    other = make_vectors(3).with_columns(
        hour=pl.lit(7), office=pl.lit("XNAIR").cast(pl.Categorical), log_mass=pl.lit(None), hs2=pl.lit(None)
    )
    assert encoder.matrix(other).shape == (3, len(encoder.columns))


def test_an_encoder_of_numbers_alone_sees_nothing_unseen() -> None:
    rows = pl.DataFrame({"x": [1.0, None]})
    encoder = Encoder(("x",), {})
    assert has_unseen(encoder, rows) == [False, False]
    assert np.array_equal(encoder.matrix(rows), [[1.0], [math.nan]], equal_nan=True)


def test_the_matrix_is_numbers_then_codes_row_by_row(trained: Trained, fresh: pl.DataFrame) -> None:
    encoder = trained.model.bundle.encoder
    matrix = encoder.matrix(fresh)
    assert matrix.shape == (fresh.height, len(encoder.columns))
    assert matrix.flags["C_CONTIGUOUS"]
    for index, name in enumerate(encoder.numbers):
        single = fresh[name].cast(pl.Float32).cast(pl.Float64)
        assert np.array_equal(matrix[:, index], single.fill_null(math.nan).to_numpy(), equal_nan=True)
    assert [encoder.columns[index] for index in encoder.category_columns] == list(encoder.codes)


def test_codes_do_not_depend_on_the_order_of_rows(trained: Trained, small_spec: ModelSpec) -> None:
    rows = trained.split.train
    assert learn_encoder(rows.reverse(), small_spec) == learn_encoder(rows, small_spec)

"""Vectors in bulk: the same values as with one column a feature, in whichever order and however many are asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.served import PACKED, of_columns, of_packed
from features.vectors import EVENT_KEY, FeatureSet, pack, unpack
from warehouse.errors import BorderlakeError

NAMES = FeatureSet(("mass", "value", "age"), ("office", "origin"))
AT = datetime(2025, 3, 1, tzinfo=UTC)
ROWS = st.lists(
    st.fixed_dictionaries(
        {name: st.none() | st.floats(allow_nan=False, allow_infinity=False) for name in NAMES.numbers}
        | {name: st.none() | st.text(max_size=3) for name in NAMES.categories}
    ),
    max_size=9,
)


def packed(rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = {**dict.fromkeys(NAMES.numbers, pl.Float64()), **dict.fromkeys(NAMES.categories, pl.String())}
    features = pl.DataFrame(rows, schema=schema)
    key = {name: pl.lit(AT) for name in EVENT_KEY} | {"event_id": pl.int_range(pl.len()).cast(pl.String)}
    return pack(features.with_columns(**key), NAMES)


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, more=ROWS, seed=st.integers(0, 9))
def test_bulk_and_columns_hold_the_same(
    rows: list[dict[str, object]], more: list[dict[str, object]], seed: int
) -> None:
    stored = pl.concat([packed(rows), packed(more)])  # Of several files, as a table is read.
    columns = unpack(stored, NAMES)
    served = of_packed(stored.drop(PACKED), stored.select(PACKED), NAMES.numbers, NAMES.categories)
    some = np.random.default_rng(seed).permutation(len(served))[:4]
    assert served.by_feature(np.arange(len(served))).equals(columns)
    assert served.by_feature(some).equals(columns[some])
    again = of_columns(columns, NAMES.numbers, NAMES.categories)
    assert np.array_equal(again.numbers, served.numbers, equal_nan=True)
    assert again.categories.equals(served.categories)
    assert again.events.equals(served.events)
    turned = NAMES.numbers[:0:-1]
    expected = columns.select(turned).fill_null(float("nan")).to_numpy().reshape(len(served), len(turned))
    assert np.array_equal(served.numbers_of(turned), expected, equal_nan=True)


@pytest.mark.parametrize(
    "column",
    [pytest.param("numbers", id="a-number-too-few"), pytest.param("categories", id="a-category-too-few")],
)
def test_a_vector_that_is_not_whole_is_refused(column: str) -> None:
    rows = [dict.fromkeys((*NAMES.numbers, *NAMES.categories))] * 3
    stored = packed(rows).with_columns(
        pl.when(pl.col("event_id") == "1").then(pl.col(column).list.head(1)).otherwise(column).alias(column)
    )
    with pytest.raises(BorderlakeError, match="1 stored vectors do not hold 3 numbers and 2 categories"):
        of_packed(stored.drop(PACKED), stored.select(PACKED), NAMES.numbers, NAMES.categories)

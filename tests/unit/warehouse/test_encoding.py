"""Parquet as landing writes it: every value comes back, whichever way a column is encoded."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.encoding import _single, encoded

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))
SCHEMA = {
    "code": pl.String(),
    "batch": pl.String(),
    "never": pl.String(),
    "at": pl.Datetime("us", "UTC"),
    "on": pl.Date(),
    "count": pl.Int32(),
    "rate": pl.Float64(),
    "mass": pl.Decimal(16, 3),
    "value": pl.Decimal(20, 4),
    "is_odd": pl.Boolean(),
    "rules": pl.List(pl.String()),
    "reasons": pl.List(pl.Struct({"text": pl.String(), "weight": pl.Float64()})),
}
REASON = st.fixed_dictionaries({"text": st.none() | st.text(), "weight": st.floats(0, 1)})
ROWS = st.fixed_dictionaries(
    {
        "code": st.none() | st.sampled_from(["DE", "AT", ""]) | st.text(max_size=5),
        "batch": st.just("b1"),
        "never": st.none(),
        "at": st.none() | MOMENTS,
        "on": st.none() | st.dates(date(1880, 1, 1), date(2099, 1, 1)),
        "count": st.none() | st.integers(-(2**31), 2**31 - 1),
        "rate": st.none() | st.floats(allow_nan=False),
        "mass": st.none() | st.decimals(Decimal(-999), Decimal(999), places=3),
        "value": st.none() | st.decimals(Decimal(-999), Decimal(999), places=4),
        "is_odd": st.none() | st.booleans(),
        "rules": st.none() | st.lists(st.none() | st.text(max_size=4), max_size=3),
        "reasons": st.none()
        | st.lists(st.fixed_dictionaries({"text": st.text(), "weight": st.floats(0, 1)}), max_size=2),
    }
)


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROWS, max_size=12), more=st.lists(ROWS, max_size=4))
def test_every_value_comes_back(rows: list[dict[str, object]], more: list[dict[str, object]]) -> None:
    written = pl.concat([frame(rows), frame(more)])  # Of several parts, as rows come when a large file lands.
    back = pl.read_parquet(io.BytesIO(encoded(written, ("at", "code"))))
    assert back.schema == written.schema
    assert back.equals(written, null_equal=True)


def test_a_column_of_one_value_costs_next_to_nothing_and_new_values_go_plainly() -> None:
    rows = pl.DataFrame({"batch": ["b" * 32] * 50_000, "id": [f"{number:032x}" for number in range(50_000)]})
    columns = pq.ParquetFile(io.BytesIO(encoded(rows))).metadata.row_group(0)
    batch, number = columns.column(0), columns.column(1)
    assert batch.has_dictionary_page
    assert batch.total_uncompressed_size < 1_000
    assert not number.has_dictionary_page


def test_only_a_column_with_nulls_tells_of_each_row_whether_it_has_a_value() -> None:
    rows = pl.DataFrame({"whole": ["a", "b"], "one": ["c", "c"], "none": [None, None], "some": [1, None]}).cast(
        {"none": pl.String()}
    )
    fields = pq.ParquetFile(io.BytesIO(encoded(rows))).schema_arrow
    assert {field.name: field.nullable for field in fields} == {
        "whole": False,
        "one": False,
        "none": True,
        "some": True,
    }


@settings(max_examples=100, deadline=None)
@given(
    texts=st.lists(st.sampled_from(["DE", "AT", "a" * 40, "a" * 39 + "b"]), min_size=1, max_size=4),
    cut=st.integers(0, 4),
)
def test_a_column_is_constant_wherever_its_texts_lie(texts: list[str], cut: int) -> None:
    pieces = [pl.Series("code", part, dtype=pl.String()) for part in (texts[:cut], texts[cut:])]
    apart = pl.concat([piece.to_frame() for piece in pieces]).to_series()
    repeated = pl.DataFrame({"at": range(len(texts))}).select(code=pl.lit(texts[0])).to_series()
    for column in (apart, apart.slice(1), repeated):
        if len(column):
            assert (_single(column) is not None) == (column.n_unique() == 1)


def test_only_the_columns_that_readers_skip_by_have_bounds() -> None:
    rows = pl.DataFrame({"at": [1, 2], "name": ["Ada", "Ben"]})
    group = pq.ParquetFile(io.BytesIO(encoded(rows, ("at",)))).metadata.row_group(0)
    assert group.column(0).statistics.max == 2
    assert not group.column(1).is_stats_set

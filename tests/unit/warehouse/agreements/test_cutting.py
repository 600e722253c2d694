"""What flows: cell by cell what a slow twin in plain Python says, and nothing that joins between two recipients."""

import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.agreements.cutting import RESTRICTED, cut
from warehouse.agreements.model import Mask, Masking, Operator, Period, RowCondition, SharedTable
from warehouse.catalog import Table, table_of
from warehouse.errors import BorderlakeError

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
KEY, OTHER = b"k" * 32, b"o" * 32
REASON = dy.Struct(
    {
        "theme": dy.String(),
        "feature": dy.String(),
        "text": dy.String(),
        "contribution": dy.Float64(),
        "owners": dy.List(dy.String()),
        "sensitivity": dy.String(),
    }
)
TABLE = Table(
    name="gold.example",
    description="A table of every kind of column.",
    columns={
        "known_at": dy.Datetime(time_unit="us", time_zone="UTC"),
        "name": dy.String(nullable=True),
        "place": dy.String(nullable=True),
        "on": dy.Date(nullable=True),
        "age": dy.Int64(nullable=True),
        "share": dy.Float64(nullable=True),
        "mass": dy.Decimal(16, 3, nullable=True),
        "reasons": dy.List(REASON),
    },
    key=("name",),
    owner="models",
)
MASKS: dict[str, list[Masking]] = {
    "known_at": [Masking(Mask.KEEP), *(Masking(Mask.DATE, period.value) for period in Period)],
    "name": [Masking(Mask.KEEP), Masking(Mask.PSEUDONYM)],
    "place": [Masking(Mask.KEEP), Masking(Mask.PLACE)],
    "on": [Masking(Mask.KEEP), *(Masking(Mask.DATE, period.value) for period in Period)],
    "age": [Masking(Mask.KEEP), Masking(Mask.BAND, 10), Masking(Mask.ROUND, 5)],
    "share": [Masking(Mask.KEEP), Masking(Mask.ROUND, 0.05), Masking(Mask.BAND, 0.25)],
    "mass": [Masking(Mask.KEEP), Masking(Mask.ROUND, 100)],
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "known_at": st.datetimes(datetime(2024, 2, 27), datetime(2026, 3, 31)).map(
                lambda at: at.replace(tzinfo=UTC)
            ),
            "name": st.one_of(st.none(), st.sampled_from(["ann", "bob", "é"])),
            "place": st.one_of(st.none(), st.sampled_from(["XNPRT", "XSGRZ"])),
            "on": st.one_of(st.none(), st.dates(date(2024, 2, 27), date(2025, 3, 2))),
            "age": st.one_of(st.none(), st.integers(0, 110)),
            # Never half way between two steps: there the last bit of a division decides.
            "share": st.one_of(st.none(), st.integers(0, 1000).map(lambda part: (part + 0.3) / 1000)),
            "mass": st.one_of(st.none(), st.integers(0, 10**9).map(lambda grams: Decimal(grams) / 1000)),
            "reasons": st.lists(
                st.fixed_dictionaries(
                    {
                        "theme": st.just("of"),
                        "feature": st.sampled_from(["f", "g"]),
                        "text": st.just("why"),
                        "contribution": st.sampled_from([0.5, 1.5]),
                        "owners": st.lists(st.sampled_from(["customs", "immigration"]), unique=True),
                        "sensitivity": st.just("open"),
                    }
                ),
                max_size=3,
            ),
        }
    ),
    max_size=8,
)
CONDITIONS = st.sampled_from(
    [
        RowCondition("place", Operator.IS, "XNPRT"),
        RowCondition("name", Operator.ONE_OF, ("ann", "bob")),
        RowCondition("age", Operator.AT_LEAST, 18),
        RowCondition("share", Operator.AT_MOST, 0.5),
        RowCondition("on", Operator.AT_LEAST, date(2024, 6, 1)),
    ]
)


@st.composite
def shares(draw: st.DrawFn) -> SharedTable:
    names = draw(st.sets(st.sampled_from(sorted(MASKS)), min_size=1))
    return SharedTable(
        TABLE.name,
        {name: draw(st.sampled_from(MASKS[name])) for name in names},
        tuple(draw(st.lists(CONDITIONS, max_size=2))),
        draw(st.sampled_from([None, frozenset(), frozenset({"customs"})])),
        delay=timedelta(days=draw(st.sampled_from([0, 30]))),
    )


def twin_admits(row: Mapping[str, Any], shared: SharedTable) -> bool:
    for condition in shared.rows:
        value = row[condition.column]
        if value is None:
            return False
        match condition.operator:
            case Operator.IS:
                met = value == condition.value
            case Operator.ONE_OF:
                met = value in condition.value  # type: ignore[operator]
            case Operator.AT_LEAST:
                met = value >= condition.value
            case Operator.AT_MOST:
                met = value <= condition.value
        if not met:
            return False
    return not shared.delay or row["known_at"] <= AT - shared.delay


def twin_first_day(day: date, period: str) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": 3 * ((day.month - 1) // 3) + 1, "year": 1}.get(period)
    return day if month is None else date(day.year, month, 1)


def twin_value(value: Any, masking: Masking, key: bytes) -> Any:
    if value is None or masking.mask is Mask.KEEP:
        return value
    match masking.mask:
        case Mask.PSEUDONYM:
            return hmac.new(key.hex().encode(), f"pseudonym\x1f{value}".encode(), hashlib.sha256).hexdigest()[:32]
        case Mask.PLACE:
            return value[:2]
        case Mask.DATE:
            day = value.date() if isinstance(value, datetime) else value
            return twin_first_day(day, str(masking.parameter))
    step = float(masking.parameter or 0)
    number = float(value) / step
    whole = math.floor(number) if masking.mask is Mask.BAND else round(number)  # Half to the even one.
    return whole * step


def twin(rows: list[dict[str, Any]], shared: SharedTable, key: bytes) -> list[dict[str, Any]]:
    made = []
    for row in rows:
        if not twin_admits(row, shared):
            continue
        out = {name: twin_value(row[name], shared.columns[name], key) for name in row if name in shared.columns}
        if shared.reasons is not None:
            hidden = {**dict.fromkeys(("theme", "feature", "text", "sensitivity"), RESTRICTED), "owners": []}
            out["reasons"] = [
                one if set(one["owners"]) <= shared.reasons else {**one, **hidden} for one in row["reasons"]
            ]
        made.append(out)
    return made


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, shared=shares())
def test_a_twin_lets_the_same_cells_go(rows: list[dict[str, Any]], shared: SharedTable) -> None:
    frame = pl.DataFrame(rows, schema=TABLE.dtypes)
    flowed = cut(frame.lazy(), TABLE, shared, KEY, AT).collect().to_dicts()
    expected = twin(rows, shared, KEY)
    assert len(flowed) == len(expected)
    for row, twin_row in zip(flowed, expected, strict=True):
        assert set(row) == set(twin_row)
        for name, value in twin_row.items():
            if isinstance(value, float) and row[name] is not None:
                assert float(row[name]) == pytest.approx(value, abs=1e-9)
            else:
                assert row[name] == value


def test_pseudonyms_of_two_recipients_share_nothing() -> None:
    frame = pl.DataFrame({"name": ["ann", "bob", None]}).lazy()
    table = replace(TABLE, columns={"name": TABLE.columns["name"]})
    shared = SharedTable(TABLE.name, {"name": Masking(Mask.PSEUDONYM)})
    one, other = (cut(frame, table, shared, key, AT).collect()["name"] for key in (KEY, OTHER))
    assert one.null_count() == other.null_count() == 1
    assert one.drop_nulls().n_unique() == 2
    assert not set(one.drop_nulls()) & set(other.drop_nulls())


def test_a_table_without_a_time_cannot_be_delayed() -> None:
    shared = SharedTable("gold.event_features__shipments", {}, delay=timedelta(hours=1))
    with pytest.raises(BorderlakeError, match="without a delay"):
        cut(pl.LazyFrame(), table_of("gold.event_features__shipments"), shared, KEY, AT)

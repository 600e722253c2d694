"""Conditions: the rows that the engine keeps are those that meet them one by one."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import conditions, windows
from features.views import Aggregation, FeatureView, Kind, Where
from warehouse.contracts.base import Purpose

texts = st.sampled_from(["a", "b", "", None])
numbers = st.one_of(st.none(), st.integers(-4, 4).map(float), st.sampled_from([math.nan, math.inf, -math.inf, -0.0]))
flags = st.sampled_from([0, 1, None])
bounds = st.one_of(st.none(), st.integers(-3, 3).map(float))
wheres = st.one_of(
    st.builds(Where, st.just("text"), st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2).map(tuple)),
    st.builds(Where, st.just("number"), st.just(()), bounds, bounds),
    st.builds(Where, st.just("flag"), st.sampled_from([(), (1,), (0, 1)]), bounds, bounds),
)
rows = st.fixed_dictionaries({"text": texts, "number": numbers, "flag": flags})
SCHEMA = {"text": pl.String, "number": pl.Float64, "flag": pl.Int8}
VIEW = FeatureView("view", ("text",), "source", (), "customs", frozenset({Purpose.CUSTOMS_RISK}), "Of text.")


@given(st.lists(wheres, max_size=3), st.lists(rows, max_size=12))
def test_the_rows_kept_are_those_that_meet_each_condition(where: list[Where], some: list[dict[str, object]]) -> None:
    frame = pl.DataFrame(some, schema=SCHEMA).with_row_index("row")
    kept = conditions.kept(frame, tuple(where))["row"].to_list()
    assert kept == [at for at, one in enumerate(some) if conditions.meets(tuple(where), one)]


@settings(deadline=None)
@given(st.lists(wheres, max_size=3), st.lists(rows, max_size=12))
def test_whether_all_are_met_is_said_of_each_row(where: list[Where], some: list[dict[str, object]]) -> None:
    met = pl.DataFrame(some, schema=SCHEMA).with_columns(met=conditions.all_met(tuple(where)))["met"].to_list()
    assert met == [conditions.meets(tuple(where), one) for one in some]


@given(wheres, st.lists(rows, min_size=1, max_size=12))
def test_what_a_share_holds_is_yes_no_or_not_said(where: Where, some: list[dict[str, object]]) -> None:
    share = Aggregation("share", Kind.SHARE, "d", "u", holds=where)
    named, columns = conditions.flagged([FeatureView(**{**vars(VIEW), "aggregations": (share,)})])
    flagged = pl.DataFrame(some, schema=SCHEMA).with_columns(columns)[str(named[0].aggregations[0].column)]
    said = [conditions.holds(where, one) for one in some]
    assert flagged.to_list() == [None if one is None else int(one) for one in said]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, None, id="a-missing-value-does-not-say"),
        pytest.param(math.nan, None, id="nor-does-no-number"),
        pytest.param(-math.inf, None, id="nor-does-an-endless-one"),
        pytest.param(2.0, False, id="below-is-less-than"),
        pytest.param(1.0, True, id="at-least-is-that-or-more"),
    ],
)
def test_edges_of_bounds(value: float | None, expected: bool | None) -> None:
    assert conditions.holds(Where("number", at_least=1.0, below=2.0), {"number": value}) is expected


def test_views_of_the_same_conditions_share_their_rows() -> None:
    only = Where("text", ("a",))
    plain = Aggregation("plain", Kind.COUNT, "d", "u")
    asked = Aggregation("asked", Kind.COUNT, "d", "u", where=(only,))
    views = [
        FeatureView(**{**vars(VIEW), "aggregations": (plain, asked)}),
        FeatureView(**{**vars(VIEW), "name": "other", "aggregations": (asked,), "where": (only,)}),
    ]
    groups = conditions.by_condition(views)
    assert {where: [view.name for view in group] for where, group in groups.items()} == {
        (): ["view"],
        (only,): ["view", "other"],
    }


def test_columns_keep_the_order_in_which_they_are_declared() -> None:
    only = Where("text", ("a",))
    names = ["first", "second", "third"]
    each = zip(names, [(), (only,), ()], strict=True)
    view = FeatureView(
        **{**vars(VIEW), "aggregations": tuple(Aggregation(n, Kind.COUNT, "d", "u", where=w) for n, w in each)}
    )
    moment = {"event_at": pl.Datetime("us", "UTC")}
    history = {"text": pl.String, "usable_at": moment["event_at"], "began_at": moment["event_at"], "sign": pl.Int64}
    made = windows.compute(view, pl.DataFrame(schema={"text": pl.String, **moment}), pl.DataFrame(schema=history))
    assert made.columns == names

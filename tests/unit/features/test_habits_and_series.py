"""Habits and series of small items, against reading one item after the other."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import windows
from features.habits import habits
from features.series import SMALL, small_series
from warehouse.contracts.base import Purpose

RISK = frozenset({Purpose.CUSTOMS_RISK})
VIEWS = (*habits(RISK), *small_series(RISK))
START = datetime(2025, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    hour: int
    seller_id: str = "s1"
    importer_id: str = "i1"
    declarant_id: str = "d1"
    hs_code: str = "61091000"
    country_of_origin: str = "TR"
    currency: str = "EUR"
    value: float = 800.0
    mass: float = 40.0
    duty_rate_pct: float = 12.0
    jurisdiction: str = "XN"

    @property
    def ln_price(self) -> float:
        return math.log(self.value / self.mass)


items = st.lists(
    st.builds(
        Item,
        hour=st.integers(0, 200),
        seller_id=st.sampled_from(["s1", "s2"]),
        importer_id=st.sampled_from(["i1", "i2"]),
        declarant_id=st.sampled_from(["d1", "d2", "d3"]),
        hs_code=st.sampled_from(["61091000", "84713000"]),
        country_of_origin=st.sampled_from(["TR", "GE"]),
        currency=st.sampled_from(["EUR", "USD"]),
        value=st.sampled_from([40.0, 499.0, 500.0, 750.0, 999.0, 1_000.0, 5_000.0]),
        mass=st.sampled_from([0.5, 12.0, 300.0]),
        duty_rate_pct=st.sampled_from([0.0, 4.0, 12.0]),
    ),
    max_size=14,
)


def computed(history: Sequence[Item], event: Item) -> dict[str, float | None]:
    """What the engine makes of the views for one event, which is of its own history as it is in a lake."""
    rows = pl.DataFrame([asdict(one) for one in (*history, event)]).with_columns(
        event_at=START + pl.duration(hours="hour"),
        log_value=pl.col("value").log1p(),
        ln_value_per_kg=(pl.col("value") / pl.col("mass")).log(),
    )
    usable = pl.col("event_at")
    known = rows.with_columns(usable_at=usable, began_at=usable, sign=pl.lit(1, dtype=pl.Int64))
    return windows.compute_all(VIEWS, rows.tail(1), known).row(0, named=True)


def read(history: Sequence[Item], event: Item) -> dict[str, float | None]:
    """The same, item by item."""
    before = [one for one in history if one.hour < event.hour]

    def alike(*names: str) -> list[Item]:
        return [one for one in before if all(getattr(one, name) == getattr(event, name) for name in names)]

    def gap(own: float, of: Callable[[Item], float], *names: str) -> float | None:
        usual = [of(one) for one in alike(*names)]
        return own - statistics.fmean(usual) if usual else None

    duties = {
        name: gap(event.duty_rate_pct, lambda one: one.duty_rate_pct, *keys)
        for name, keys in {
            "seller_duty_gap": ("seller_id",),
            "importer_duty_gap": ("importer_id",),
            "product_duty_gap": ("hs_code",),
        }.items()
    }
    prices = {
        name: gap(event.ln_price, lambda one: one.ln_price, key, "hs_code", "currency")
        for name, key in {"seller_value_gap": "seller_id", "importer_value_gap": "importer_id"}.items()
    }
    usual = [one.ln_price for one in alike("hs_code", "currency")]
    lately = [one for one in alike("importer_id", "hs_code") if one.hour >= event.hour - 72 and one.value < SMALL]
    return {
        "seller_origin_count": len(alike("seller_id", "country_of_origin")),
        "seller_product_count": len(alike("seller_id", "hs_code")),
        **duties,
        **prices,
        "product_any_origin_deviation": (event.ln_price - statistics.fmean(usual)) / (statistics.pstdev(usual) + 0.05)
        if len(usual) >= 3
        else None,
        "importer_just_small_3d": sum(one.value >= SMALL / 2 for one in lately),
        "importer_small_declarants_3d": len({one.declarant_id for one in lately}),
        "importer_small_value_3d": statistics.fmean(math.log1p(one.value) for one in lately) if lately else None,
    }


@settings(max_examples=150, deadline=None)
@given(items, items.filter(bool))
def test_every_feature_is_what_reading_item_by_item_finds(history: list[Item], events: list[Item]) -> None:
    for event in events[:2]:
        found, expected = computed(history, event), read(history, event)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            # Squares are kept in millionths, so that a spread of nothing may seem one of 0.003 beside the 0.05 added.
            rel, least = (0.06, 1e-3) if name.endswith("deviation") else (1e-6, 1e-5)
            assert found[name] == (None if value is None else pytest.approx(value, rel=rel, abs=least)), name


def test_goods_of_an_origin_that_the_seller_never_sent_at_a_duty_he_never_paid_stand_out() -> None:
    usual = [Item(hour) for hour in range(5)]
    found = computed(usual, Item(9, country_of_origin="GE", duty_rate_pct=0.0))
    assert (found["seller_origin_count"], found["seller_duty_gap"]) == (0, -12.0)
    found = computed(usual, Item(9))
    assert (found["seller_origin_count"], found["seller_duty_gap"]) == (5, 0.0)


def test_an_order_broken_up_shows_in_its_later_parts_alone() -> None:
    parts = [Item(0, declarant_id="d1", value=910), Item(20, declarant_id="d2", value=640), Item(50, value=980)]
    seen = [computed(parts[:number], part) for number, part in enumerate(parts)]
    assert [one["importer_just_small_3d"] for one in seen] == [0, 1, 2]
    assert [one["importer_small_declarants_3d"] for one in seen] == [0, 1, 2]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Item(0, value=SMALL), id="worth-a-formal-declaration"),
        pytest.param(Item(0, hs_code="84713000"), id="of-another-product"),
        pytest.param(Item(0, importer_id="i2"), id="of-another-importer"),
    ],
)
def test_what_is_no_part_of_the_series_does_not_count(other: Item) -> None:
    found = computed([other], Item(24))
    assert (found["importer_just_small_3d"], found["importer_small_declarants_3d"]) == (0, 0)
    assert computed([replace(other, value=900.0, hs_code="61091000", importer_id="i1")], Item(24)) != found


def test_a_small_item_of_longer_ago_is_forgotten() -> None:
    assert computed([Item(0)], Item(72))["importer_just_small_3d"] == 1
    assert computed([Item(0)], Item(73))["importer_just_small_3d"] == 0

"""Goods: usual values and counts leave the own row out and rest on training rows only."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from models.goods import COUNTED, PLAIN, PRIOR_ROWS, SHARES, USUAL, Goods, columns, goods_of, usual_distances
from models.goods_blend import GoodsBlend, with_history


def declarations(hs: list[str], mass: list[float], **changes: object) -> pl.DataFrame:
    count = len(hs)
    frame = pl.DataFrame(
        {
            "hs_code": hs,
            "net_mass_kg": [Decimal(str(value)) for value in mass],
            "item_value": [Decimal(1_000)] * count,
            "duty_rate_pct": [8.0] * count,
            "country_of_dispatch": ["CN"] * count,
            "country_of_origin": ["CN"] * count,
            "duty_regime": ["A"] * count,
            "import_type": ["11"] * count,
        }
    )
    return frame.with_columns(**{name: pl.lit(value) for name, value in changes.items()})


def rows(*indices: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(indices, dtype=np.int64)


@pytest.fixture(scope="module")
def goods() -> Goods:
    return goods_of(declarations(["610910", "610910", "610990", "850440", "610910"], [1, 2, 4, 8, 16]))


def test_usual_values_leave_the_own_row_out(goods: Goods) -> None:
    values = np.array([10.0, 20.0, 40.0, 80.0, 7.0])
    hs2, hs4, hs6 = usual_distances(goods, values, rows(0, 1, 2, 3))
    overall = values[:4].mean()
    # Row 0: chapter 61 without itself holds 20 and 40; its subheading without itself holds 20.
    chapter = (60 + PRIOR_ROWS * overall) / (2 + PRIOR_ROWS)
    heading = (60 + PRIOR_ROWS * chapter) / (2 + PRIOR_ROWS)
    subheading = (20 + PRIOR_ROWS * heading) / (1 + PRIOR_ROWS)
    assert (hs2[0], hs4[0], hs6[0]) == pytest.approx((10 - chapter, 10 - heading, 10 - subheading))


def test_a_new_row_is_measured_by_all_training_rows(goods: Goods) -> None:
    values = np.array([10.0, 20.0, 40.0, 80.0, 7.0])
    hs2, _, _ = usual_distances(goods, values, rows(0, 1, 2, 3))
    assert hs2[4] == pytest.approx(7 - (70 + PRIOR_ROWS * 37.5) / (3 + PRIOR_ROWS))


def test_counts_leave_the_own_row_and_rows_outside_training_out(goods: Goods) -> None:
    counts = columns(goods, rows(0, 1, 2))[:, len(PLAIN) : len(PLAIN) + len(COUNTED)]
    by_hs6, by_hs2 = (counts[:, COUNTED.index((level,))] for level in ("hs6", "hs2"))
    # Row 3 and row 4 are not in training: none of it, or all of it, stands before them.
    assert by_hs6[[0, 1, 2]].tolist() == [1, 1, 0]
    assert by_hs2[[0, 1, 2]].tolist() == [2, 2, 2]


@pytest.mark.parametrize("train", [pytest.param(rows(0, 1), id="few"), pytest.param(rows(0, 1, 2, 3), id="most")])
def test_columns_of_training_rows_do_not_depend_on_rows_outside_training(
    goods: Goods, train: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> None:
    short = goods_of(declarations(["610910", "610910", "610990", "850440"], [1, 2, 4, 8]))
    known = columns(goods, train)[train]
    assert known.shape[1] == len(PLAIN) + len(COUNTED) + 3 * len(USUAL) + len(SHARES)
    assert np.allclose(known, columns(short, train)[train])


@pytest.mark.parametrize(
    ("mass", "roundness", "digit"),
    [
        pytest.param(2_000.0, 5, 2, id="whole-tonnes"),
        pytest.param(300.0, 4, 3, id="hundreds"),
        pytest.param(7.0, 2, 7, id="whole-kilograms"),
        pytest.param(0.3, 1, 3, id="tenths"),
        pytest.param(0.125, 0, 1, id="grams"),
        pytest.param(0.0, 5, 0, id="nothing"),
    ],
)
def test_roundness_and_leading_digit(mass: float, roundness: int, digit: int) -> None:
    found = goods_of(declarations(["610910"], [mass]))
    assert (found.codes["roundness"][0], found.codes["leading_digit"][0]) == (roundness, digit)


def test_history_counts_beside_the_model_and_nothing_seen_leaves_it_alone() -> None:
    found = with_history(np.array([0.2, 0.2]), np.array([3.0, 0.0]), np.array([3.0, 0.0]), 0.5)
    assert found == pytest.approx([3.1 / 3.5, 0.2])


def test_the_blend_ranks_learns_and_never_reads_labels_of_scored_rows() -> None:
    generator = np.random.default_rng(2)
    hs = generator.choice(["610910", "850440", "640399"], 600)
    labels = (generator.random(600) < np.where(hs == "610910", 0.6, 0.1)).astype(float)
    train, score = np.arange(400), np.arange(400, 600)
    goods = goods_of(declarations(list(hs), list(generator.integers(1, 99, 600) / 10)))
    found = GoodsBlend.of(goods, labels).probabilities(train, score, seed=1)
    hidden = np.where(np.arange(600) < 400, labels, np.nan)
    assert np.array_equal(found, GoodsBlend.of(goods, hidden).probabilities(train, score, seed=1))
    assert found[hs[score] == "610910"].mean() > 0.45
    assert found[hs[score] != "610910"].mean() < 0.2

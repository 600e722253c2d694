"""`bench shipments`: folds without twins, twins counted, no side sees what it must not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks import shipment_sides, shipments
from benchmarks.shipments import PUBLISHED, TUPLE, TWIN_FREE, Files, folds, twins
from warehouse.errors import BorderlakeError


@pytest.fixture(scope="module")
def files(kcs_files: tuple[Path, Path]) -> Files:
    year, quarter = kcs_files
    return Files(year, quarter, quarter)


@pytest.fixture(scope="module")
def published(files: Files) -> pl.DataFrame:
    return shipments._published(files, "kcs")[0]


@pytest.fixture(scope="module")
def twin_free(files: Files) -> pl.DataFrame:
    return shipments._twin_free(files, "kcs")[0]


def test_twin_free_has_no_twin_across_folds(twin_free: pl.DataFrame) -> None:
    assert twin_free.unique(TUPLE).height == twin_free.height
    for _, train, held_out in folds(twin_free.height, 2, 5, seed=0):
        assert twins(twin_free[held_out], twin_free[train])["outcomes"].sum() == 0


def test_each_repetition_holds_every_row_out_once_and_splits_anew() -> None:
    held = [[], []]
    for repetition, train, held_out in folds(103, 2, 5, seed=4):
        assert set(train).isdisjoint(held_out)
        held[repetition].append(held_out)
    assert all(sorted(np.concatenate(parts)) == list(range(103)) for parts in held)
    assert not np.array_equal(held[0][0], held[1][0])


def test_validation_that_is_the_test_is_not_used(published: pl.DataFrame) -> None:
    assert set(published["part"]) == {"train", "test"}


def test_a_declaration_counts_where_it_comes_first(kcs_files: tuple[Path, Path]) -> None:
    year, quarter = kcs_files
    with pytest.raises(BorderlakeError, match="no declaration"):
        shipments._published(Files(year, quarter, year), "kcs")
    rows = shipments._published(Files(year, year, quarter), "kcs")[0]
    assert rows["declaration_id"].is_unique().all()


def test_judged_labels_are_hidden_in_the_published_protocol(published: pl.DataFrame) -> None:
    seen = shipments._without_judged_labels(published)
    assert seen.filter(pl.col("part") == "test")["label"].null_count() == (published["part"] == "test").sum()
    assert seen.filter(pl.col("part") == "train")["label"].null_count() == 0


def test_twins_of_judged_rows_are_counted(published: pl.DataFrame) -> None:
    train, test = (published.filter(pl.col("part") == part) for part in ("train", "test"))
    found = twins(test, train)
    # The last hundred rows of the quarter are goods of the year again.
    assert (found["outcomes"].tail(100) >= 1).all()
    assert found["adverse"].sum() <= found["outcomes"].sum()


def test_where_outcomes_of_the_same_goods_differ_those_of_the_same_value_tell(published: pl.DataFrame) -> None:
    goods = published.head(1)
    dear, cheap = (goods.with_columns(item_value=pl.lit(value, goods["item_value"].dtype)) for value in (90, 10))
    known = pl.concat([dear.with_columns(label=pl.lit(1.0)), cheap.with_columns(label=pl.lit(0.0))])
    other = goods.with_columns(net_mass_kg=pl.col("net_mass_kg") + 1)
    base = np.full(3, 0.2)
    of_dear, of_cheap, of_other = shipment_sides.beside_history(base, pl.concat([dear, cheap, other]), known)
    assert of_dear > 0.5 > of_cheap
    assert of_other == 0.2


@pytest.mark.parametrize("side", list(shipment_sides.SIDES))
def test_a_side_scores_every_judged_row_without_its_label(published: pl.DataFrame, side: str) -> None:
    seen = shipments._without_judged_labels(published)
    settings = {"protocol": PUBLISHED, "seed": 1, "repeats": 1, "folds": 2}
    (scores,) = shipment_sides.SIDES[side](seen, settings)
    assert len(scores) == 250
    assert ((scores >= 0) & (scores <= 1)).all()


def test_the_lookup_knows_nothing_without_twins(twin_free: pl.DataFrame) -> None:
    settings = {"protocol": TWIN_FREE, "seed": 1, "repeats": 1, "folds": 2}
    (scores,) = shipment_sides.twin_lookup(twin_free, settings)
    assert len(np.unique(scores)) <= 2


def test_a_repetition_of_ours_scores_every_row_and_repeats_by_seed(twin_free: pl.DataFrame) -> None:
    settings = {"protocol": TWIN_FREE, "seed": 1, "repeats": 1, "folds": 2}
    (first,) = shipment_sides.ours(twin_free, settings)
    (again,) = shipment_sides.ours(twin_free, settings)
    assert np.array_equal(first, again)
    assert (first > 0).all()

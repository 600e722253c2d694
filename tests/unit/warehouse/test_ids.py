"""Ids: the same on every machine and release, and no two events with one id."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import ids


def digest(*parts: str | None) -> str:
    frame = pl.DataFrame({f"p{i}": [part] for i, part in enumerate(parts)}, schema=[f"p{i}" for i in range(len(parts))])
    columns = [pl.col(name).cast(pl.String) for name in frame.columns]
    return str(frame.select(ids.digest(columns)).item())


# Golden values: stored tables hold them. A change here is a migration of every table.
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param(
            ("XN", "customs", "declarations", "25XN1", "1"), "8a998ab1564d60425376a9f846ab10cf", id="a-goods-item"
        ),
        pytest.param(("Zoë",), "1f34bf92aad459f548f27eaecafbebab", id="beyond-ascii"),
        pytest.param(("",), "af1349b9f5f9a1a6a0404dea36dcc949", id="empty"),
        pytest.param((None,), "2d3adedff11b61f14c886e35afa03673", id="null"),
    ],
)
def test_a_digest_never_changes(parts: tuple[str | None, ...], expected: str) -> None:
    assert digest(*parts) == expected


def test_the_event_id_is_the_digest_of_what_names_the_event() -> None:
    frame = pl.DataFrame({"declaration_id": ["25XN1"], "goods_item_number": pl.Series([1], dtype=pl.Int32)})
    made = frame.select(
        ids.event_id(pl.lit("XN"), pl.lit("customs"), "declarations", ("declaration_id", "goods_item_number"))
    ).item()
    assert made == digest("XN", "customs", "declarations", "25XN1", "1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param((None, "a"), ("", "a"), id="null-is-not-empty"),
        pytest.param(("a", None), (None, "a"), id="null-has-a-place"),
        pytest.param(("ab", "c"), ("a", "bc"), id="parts-do-not-run-together"),
        pytest.param(("a", ""), ("a",), id="an-empty-part-is-a-part"),
        pytest.param(("a", "b"), ("b", "a"), id="order-counts"),
    ],
)
def test_different_parts_have_different_ids(one: tuple[str | None, ...], other: tuple[str | None, ...]) -> None:
    assert digest(*one) != digest(*other)


_part = st.none() | st.text(st.characters(min_codepoint=32, codec="utf-8"), max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(_part, min_size=1, max_size=3), st.lists(_part, min_size=1, max_size=3))
def test_ids_are_equal_just_where_the_parts_are(one: list[str | None], other: list[str | None]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


@pytest.mark.parametrize("buckets", [1, 7, 64])
def test_a_bucket_is_stable_and_within_its_number(buckets: int) -> None:
    hexes = pl.DataFrame({"id": [digest(str(i)) for i in range(2_000)] + ["ffffffff" + "0" * 24]})
    found = hexes.select(ids.bucket(pl.col("id"), buckets)).to_series()
    assert found.is_between(0, buckets - 1).all()
    assert found.n_unique() == buckets
    assert found[-1] == 0xFFFFFFFF % buckets

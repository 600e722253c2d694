"""Selection: seats of each lane, exploration with its propensity, capacities from a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.selection import LANES, Capacities, Capacity, read_capacities, select
from warehouse.errors import BorderlakeError


def scores(days: dict[tuple[str | None, int], int], *, seed: int = 1, tied: bool = False) -> pl.DataFrame:
    """Score rows: so many for each location and day of January."""
    generator = np.random.default_rng(seed)
    frames = [
        pl.DataFrame(
            {
                "event_id": [f"{seed}-{place}-{day}-{row}" for row in range(rows)],
                "location": pl.Series([place] * rows, dtype=pl.String),
                "received_on": pl.Series([date(2025, 1, day)] * rows, dtype=pl.Date),
                "raw_score": np.zeros(rows) if tied else generator.normal(size=rows),
            }
        )
        for (place, day), rows in days.items()
    ]
    return pl.concat(frames)


def lanes(made: pl.DataFrame) -> dict[str, int]:
    counts = dict(made.group_by("lane").len().iter_rows())
    return {lane: counts.get(lane, 0) for lane in LANES}


sizes = st.dictionaries(
    st.tuples(st.sampled_from(["XNPRT", "XNAIR", None]), st.integers(1, 3)), st.integers(1, 60), min_size=1, max_size=6
)
seats = st.one_of(st.floats(0, 0.99), st.integers(0, 15).map(float))


@settings(max_examples=50, deadline=None)
@given(sizes, seats, seats, seats, seats)
def test_seats_are_kept_at_each_location_and_day(
    days: dict[tuple[str | None, int], int], red: float, yellow: float, blue: float, exploration: float
) -> None:
    made = select(scores(days), Capacities(Capacity(red, yellow, blue, exploration)))
    assert made.height == sum(days.values())
    for _, of_day in made.group_by("location", "received_on"):
        rows = of_day.height
        by_risk = of_day.filter(~pl.col("is_exploration"))
        limit = {lane: seats if seats >= 1 else seats * rows for lane, seats in (("red", red), ("yellow", yellow))}
        for lane, most in limit.items():
            assert by_risk.filter(pl.col("lane") == lane).height < most + 1
        looked_at = of_day.filter((pl.col("propensity") == 1.0) & ~pl.col("is_exploration"))
        drawn = of_day["is_exploration"].sum()
        rest = rows - by_risk["lane"].is_in(["red", "yellow"]).sum()
        assert drawn <= rest
        assert looked_at.height + rest >= rows
        expected = drawn / rest if rest else 1.0
        of_rest = of_day.filter(pl.col("is_exploration") | ~pl.col("lane").is_in(["red", "yellow"]))
        assert of_rest["propensity"].to_list() == pytest.approx([expected] * of_rest.height)
        assert of_day["rank"].sort().to_list() == list(range(1, rows + 1))
        assert of_day.sort("rank")["raw_score"].is_sorted(descending=True)


@pytest.mark.parametrize(
    ("rows", "capacity", "expected"),
    [
        pytest.param(
            100,
            Capacity(0.03, 0.05, 0.10, 0.0),
            {"red": 3, "yellow": 5, "blue": 10, "green": 82},
            id="shares-of-the-day",
        ),
        pytest.param(
            100, Capacity(4, 2, 1, 0.0), {"red": 4, "yellow": 2, "blue": 1, "green": 93}, id="numbers-of-events"
        ),
        pytest.param(
            100, Capacity(0.07, 0.0, 0.28, 0.0), {"red": 7, "yellow": 0, "blue": 28, "green": 65}, id="exact-shares"
        ),
        pytest.param(
            3,
            Capacity(0.03, 0.0, 0.0, 0.0),
            {"red": 1, "yellow": 0, "blue": 0, "green": 2},
            id="a-share-begun-is-a-seat",
        ),
        pytest.param(
            3, Capacity(5, 5, 5, 5), {"red": 3, "yellow": 0, "blue": 0, "green": 0}, id="more-seats-than-events"
        ),
        pytest.param(
            10, Capacity(0, 0, 0, 0), {"red": 0, "yellow": 0, "blue": 0, "green": 10}, id="an-office-without-officers"
        ),
    ],
)
def test_lanes(rows: int, capacity: Capacity, expected: dict[str, int]) -> None:
    assert lanes(select(scores({("XNPRT", 1): rows}), Capacities(capacity))) == expected


def test_the_riskiest_fill_the_lanes_from_red_down() -> None:
    made = select(scores({("XNPRT", 1): 50}), Capacities(Capacity(2, 3, 4, 0))).sort("raw_score", descending=True)
    assert made["lane"].to_list() == ["red"] * 2 + ["yellow"] * 3 + ["blue"] * 4 + ["green"] * 41


def test_a_location_s_own_capacity_goes_before_the_default() -> None:
    capacities = Capacities(Capacity(1, 0, 0, 0), {"XNAIR": Capacity(3, 0, 0, 0)})
    made = select(scores({("XNPRT", 1): 20, ("XNAIR", 1): 20, (None, 1): 20}), capacities)
    red = dict(made.filter(pl.col("lane") == "red").group_by("location").len().iter_rows())
    assert red == {"XNPRT": 1, "XNAIR": 3, None: 1}


def test_exploration_is_examined_like_red_and_says_its_chance() -> None:
    made = select(scores({("XNPRT", 1): 100}), Capacities(Capacity(5, 5, 10, 9)))
    drawn = made.filter("is_exploration")
    assert drawn.height == 9
    assert drawn["lane"].unique().to_list() == ["red"]
    assert (drawn["rank"] > 10).all()
    assert made.filter(pl.col("rank") <= 10)["propensity"].unique().to_list() == [1.0]
    assert made.filter(pl.col("rank") > 10)["propensity"].unique().to_list() == [9 / 90]


def test_exploration_does_not_follow_the_score() -> None:
    made = select(scores({("XNPRT", 1): 4_000}), Capacities(Capacity(0, 0, 0, 0.25)))
    assert made.filter("is_exploration")["rank"].mean() == pytest.approx(2_000, rel=0.05)


@pytest.mark.parametrize(
    "tied", [pytest.param(False, id="scores-of-their-own"), pytest.param(True, id="all-scores-equal")]
)
def test_order_of_rows_does_not_matter(tied: bool) -> None:
    rows = scores({("XNPRT", 1): 60, ("XNAIR", 2): 60}, tied=tied)
    capacities = Capacities(Capacity(4, 6, 8, 5))
    straight, turned = (
        select(r, capacities).sort("event_id") for r in (rows, rows.sample(fraction=1.0, shuffle=True, seed=2))
    )
    assert straight.select("event_id", "lane", "rank", "is_exploration", "propensity").equals(
        turned.select("event_id", "lane", "rank", "is_exploration", "propensity")
    )


def test_ties_are_not_broken_by_arrival() -> None:
    made = select(scores({("XNPRT", 1): 200}, tied=True), Capacities(Capacity(20, 0, 0, 0)))
    arrived = made.filter(pl.col("lane") == "red")["event_id"].str.split("-").list.last().cast(pl.Int64)
    assert arrived.max() > 100


def test_no_scores_have_no_lanes() -> None:
    assert select(scores({("XNPRT", 1): 1}).clear(), Capacities()).is_empty()


def test_capacities_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text("[shipments.default]\nred = 0.2\n[shipments.XNPRT]\nred = 12\nexploration = 2\n")
    made = read_capacities(file, "shipments")
    assert made.default == Capacity(red=0.2)
    assert made.locations == {"XNPRT": Capacity(red=12, exploration=2)}
    assert read_capacities(file, "crossings") == Capacities()


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_capacities(tmp_path / "none.toml", "shipments") == Capacities()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[shipments", id="no-toml"),
        pytest.param(b"\xff\xfe[shipments.default]", id="no-text"),
        pytest.param(b"[shipments.default]\npurple = 3\n", id="an-unknown-lane"),
        pytest.param(b"[shipments.default]\nred = 'many'\n", id="a-word-for-a-number"),
        pytest.param(b"[shipments.default]\nred = true\n", id="a-yes-for-a-number"),
        pytest.param(b"[shipments.default]\nred = -1\n", id="fewer-than-none"),
        pytest.param(b"[shipments.default]\nred = nan\n", id="not-a-number"),
        pytest.param(b"[shipments.default]\nred = inf\n", id="endless"),
        pytest.param(b"[shipments]\nred = 3\n", id="a-lane-without-a-location"),
        pytest.param(b"shipments = 3\n", id="a-number-for-a-subject"),
    ],
)
def test_a_capacity_file_that_makes_no_sense_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "capacity.toml"
    file.write_bytes(content)
    with pytest.raises(BorderlakeError, match=r"^capacity\.toml: .*lanes are red, yellow, blue and exploration"):
        read_capacities(file, "shipments")

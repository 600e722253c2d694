"""Selection: seats of each lane, exploration with its propensity, capacities from a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.capacity import LANES, Capacities, Capacity, Minutes, read_capacities
from models.priority import Priority
from models.selection import select as select_with
from warehouse.errors import BorderlakeError

KEY = bytes(range(32))


def select(rows: pl.DataFrame, capacities: Capacities, earlier: pl.DataFrame | None = None) -> pl.DataFrame:
    return select_with(rows, capacities, KEY, earlier)


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
                "expected_recovery": np.full(rows, 50.0) if tied else generator.gamma(1.0, 200.0, rows),
            }
        )
        for (place, day), rows in days.items()
    ]
    return pl.concat(frames).with_columns(probability=1 / (1 + (-pl.col("raw_score")).exp()))


def lanes(made: pl.DataFrame) -> dict[str, int]:
    counts = dict(made.group_by("lane").len().iter_rows())
    return {lane: counts.get(lane, 0) for lane in LANES}


sizes = st.dictionaries(
    st.tuples(st.sampled_from(["XNPRT", "XNAIR", None]), st.integers(1, 3)), st.integers(1, 60), min_size=1, max_size=6
)
priorities = st.sampled_from(["probability", "money", "mix:0.7"]).map(Priority.of)
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


def worth_by_hand(rows: list[dict[str, float]], weight: float) -> list[float]:
    """Of each row of one office and day its part in all expected hits and in all expected money, as weighed."""
    hits, money = (sum(row[name] for row in rows) for name in ("probability", "expected_recovery"))
    return [
        weight * row["probability"] / hits + (1 - weight) * (row["expected_recovery"] / money if money else 0.0)
        for row in rows
    ]


@settings(max_examples=25, deadline=None)
@given(sizes, st.floats(0, 1), st.integers(0, 12), st.booleans())
def test_seats_go_to_what_is_worth_most_to_the_office(
    days: dict[tuple[str | None, int], int], weight: float, red: int, pays: bool
) -> None:
    given = scores(days).with_columns(pl.col("expected_recovery") * float(pays))
    made = select(given, Capacities(Capacity(red, 0, 0, 0, rank_by=Priority(weight))))
    for _, of_day in made.group_by("location", "received_on"):
        rows = of_day.sort("rank").to_dicts()
        worth = worth_by_hand(rows, weight)
        assert worth == pytest.approx(sorted(worth, reverse=True), abs=1e-12)
        # No other choice of as many rows would be worth more.
        chosen = [one for one, row in zip(worth, rows, strict=True) if row["lane"] == "red"]
        assert sum(chosen) == pytest.approx(sum(sorted(worth, reverse=True)[: len(chosen)]))


def test_offices_rank_each_in_their_own_way_and_rows_say_how() -> None:
    ways = {place: Capacity(2, 0, 0, 1, rank_by=Priority.of(way)) for place, way in
            {"XNPRT": "money", "XNAIR": "mix:0.7"}.items()}  # fmt: skip
    made = select(scores({("XNPRT", 1): 30, ("XNAIR", 1): 30, ("XNRLY", 1): 30}), Capacities(Capacity(), ways))
    first = {row["location"]: row for row in made.filter(pl.col("rank") == 1).to_dicts()}
    assert first["XNPRT"]["reason"] == "by expected recovery: rank 1 of 30"
    assert first["XNPRT"]["expected_recovery"] == made.filter(pl.col("location") == "XNPRT")["expected_recovery"].max()
    assert first["XNAIR"]["reason"] == "by a mix of 70 % risk and 30 % expected recovery: rank 1 of 30"
    assert first["XNRLY"]["reason"] == "by risk: rank 1 of 30"
    assert first["XNRLY"]["raw_score"] == made.filter(pl.col("location") == "XNRLY")["raw_score"].max()


@pytest.mark.parametrize(
    "without",
    [
        pytest.param(pl.lit(None, pl.Float64), id="a-model-that-learnt-no-amounts"),
        pytest.param(
            pl.when(pl.col("event_id").str.ends_with("-3")).then(None).otherwise("expected_recovery"),
            id="one-row-lacks-it",
        ),
    ],
)
def test_where_amounts_are_missing_risk_ranks_and_rows_say_so(without: pl.Expr) -> None:
    rows = scores({("XNPRT", 1): 20}).with_columns(expected_recovery=without)
    made = select(rows, Capacities(Capacity(2, 2, 2, 0, rank_by=Priority.of("money"))))
    assert made.sort("rank")["raw_score"].is_sorted(descending=True)
    assert made["reason"].str.starts_with("by risk, since no amounts are known: rank ").all()


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


def test_what_an_office_leaves_out_is_as_in_the_default(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text("[shipments.XNPRT]\nred = 12\n[shipments.default]\nred = 0.2\nblue = 0\nminutes = { red = 90 }\n")
    assert read_capacities(file, "shipments").locations["XNPRT"] == Capacity(red=12, blue=0, minutes=Minutes(red=90))


def test_minutes_of_a_lane_are_an_offices_own_or_the_default(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text("[shipments.default]\nminutes = { yellow = 5 }\n[shipments.XNPRT.minutes]\nred = 90\nblue = 0\n")
    made = read_capacities(file, "shipments")
    assert made.default.minutes == Minutes(yellow=5)
    assert made.locations["XNPRT"].minutes == Minutes(red=90, yellow=5, blue=0)
    rows = pl.DataFrame(
        [("XNPRT", "red"), ("XNPRT", "green"), ("XNAIR", "yellow"), (None, "blue")], ["location", "lane"], orient="row"
    )
    assert rows.select(made.officer_minutes()).to_series().to_list() == [90, 0, 5, 30]


def test_an_office_declares_what_it_ranks_by(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text(
        "[shipments.default]\nrank_by = 'mix:0.25'\n[shipments.XNPRT]\nrank_by = 'money'\n[shipments.XNAIR]\n"
    )
    made = read_capacities(file, "shipments")
    assert made.default.rank_by == Priority(0.25) == made.locations["XNAIR"].rank_by
    assert made.locations["XNPRT"].rank_by == Priority(0.0)
    assert made.need_money
    assert not made.ranked_by(Priority.of("probability")).need_money


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
        pytest.param(b"[shipments.default]\nminutes = 3\n", id="minutes-of-no-lane"),
        pytest.param(b"[shipments.default.minutes]\npurple = 3\n", id="minutes-of-an-unknown-lane"),
        pytest.param(b"[shipments.default.minutes]\nred = -3\n", id="minutes-below-none"),
        pytest.param(b"shipments = 3\n", id="a-number-for-a-subject"),
        pytest.param(b"[shipment.default]\nred = 3\n", id="a-misspelt-subject"),
        pytest.param(b"[shipments.default]\nrank_by = 'luck'\n", id="an-unknown-ranking"),
        pytest.param(b"[shipments.default]\nrank_by = 'mix:1.2'\n", id="a-mix-of-more-than-all"),
        pytest.param(b"[shipments.default]\nrank_by = 'mix:nan'\n", id="a-mix-of-no-number"),
        pytest.param(b"[shipments.default]\nrank_by = 'money:0.3'\n", id="a-share-of-what-is-no-mix"),
        pytest.param(b"[shipments.default]\nrank_by = 0.7\n", id="a-number-for-a-ranking"),
    ],
)
def test_a_capacity_file_that_makes_no_sense_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "capacity.toml"
    file.write_bytes(content)
    with pytest.raises(BorderlakeError, match=r"^capacity\.toml: .*lanes are red, yellow, blue and exploration"):
        read_capacities(file, "shipments")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[shipment.default]\nred = 3\n", "subject 'shipment' is not known; known are shipments, crossings"),
        ("[shipments.XNPRT]\nyelow = 3\n", "key 'yelow' is not known; known are red, yellow, blue, exploration"),
        ("[shipments.default.minutes]\npink = 3\n", "lane of minutes 'pink' is not known; known are red, yellow, blue"),
    ],
)
def test_what_is_misspelt_in_a_capacity_file_is_named_beside_what_is_known(
    tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(BorderlakeError, match=said):
        read_capacities(file, "shipments")


def test_without_the_key_nobody_knows_who_is_drawn_and_with_it_the_draw_is_the_same() -> None:
    rows = scores({("XNPRT", 1): 400})
    capacities = Capacities(Capacity(0, 0, 0, 40))

    def drawn(key: bytes) -> set[str]:
        return set(select_with(rows, capacities, key).filter("is_exploration")["event_id"])

    assert drawn(KEY) == drawn(KEY)
    # Of 400, 40 and 40 share 4 by chance.
    assert len(drawn(KEY) & drawn(bytes(32))) < 15


def test_the_same_event_delivered_again_has_another_lot() -> None:
    first = scores({("XNPRT", 1): 400})
    again = first.with_columns(received_on=pl.lit(date(2025, 1, 2)))
    made = select(pl.concat([first, again]), Capacities(Capacity(0, 0, 0, 40))).filter("is_exploration")
    assert made.height == 80
    assert made["event_id"].n_unique() > 60


def test_two_models_explore_alike() -> None:
    rows = scores({("XNPRT", 1): 400})
    other = rows.with_columns(raw_score=-pl.col("raw_score"))
    first, second = (
        set(select(one, Capacities(Capacity(0, 0, 0, 40))).filter("is_exploration")["event_id"])
        for one in (rows, other)
    )
    assert first == second


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 40), st.integers(0, 5), st.integers(0, 5), st.floats(0.02, 0.6), st.booleans(), priorities)
def test_over_many_draws_each_row_is_looked_at_as_often_as_its_propensity_says(
    rows: int, red: int, blue: int, share: float, tied: bool, rank_by: Priority
) -> None:
    # As many offices a draw, each with the same scores: all are drawn for apart.
    office = scores({("XNPRT", 1): rows}, tied=tied).with_columns(event=pl.int_range(rows))
    events = pl.concat(
        office.with_columns(event_id=pl.format(f"{number}-{{}}", "event_id"), location=pl.lit(f"XN{number:03}"))
        for number in range(30)
    )
    capacities = Capacities(Capacity(red, 0, blue, share, rank_by=rank_by))
    draws = pl.concat(select_with(events, capacities, bytes([draw] * 32)) for draw in range(10))
    # Where scores are tied, chance also says who is in which lane: within a lane the propensity still holds.
    by = ["lane_by_risk"] if tied else ["event"]
    looked = draws.group_by(by).agg(pl.len(), pl.col("propensity").mean(), share=(pl.col("lane") == "red").mean())
    off = (looked["share"] - looked["propensity"]).abs()
    most = 5 * (looked["propensity"] * (1 - looked["propensity"]) / looked["len"]).sqrt() + 1e-9
    assert (off <= most).all()


def test_a_row_says_why_it_is_in_its_lane() -> None:
    made = select(scores({("XNPRT", 1): 100}), Capacities(Capacity(5, 5, 10, 9)))
    assert made.filter("is_exploration")["reason"].unique().to_list() == [
        "drawn at random: 9 of the 90 events that rank would let pass, a chance of 10.0 %"
    ]
    assert made.filter(pl.col("rank") == 7)["reason"].item() == "by risk: rank 7 of 100"


def test_the_lane_by_risk_is_the_lane_without_the_draw() -> None:
    rows = scores({("XNPRT", 1): 100})
    made = select(rows, Capacities(Capacity(5, 5, 10, 30))).sort("event_id")
    without = select(rows, Capacities(Capacity(5, 5, 10, 0))).sort("event_id")
    assert made["lane_by_risk"].equals(without["lane"].alias("lane_by_risk"))
    assert made.filter("is_exploration")["lane_by_risk"].unique().sort().to_list() == ["blue", "green"]


def test_a_day_that_comes_in_parts_has_its_seats_once() -> None:
    rows = scores({("XNPRT", 1): 90, (None, 1): 30})
    capacities = Capacities(Capacity(6, 0.1, 0, 2))
    made: pl.DataFrame | None = None
    for part in range(3):
        placed = select(rows.gather_every(3, part), capacities, made)
        made = placed if made is None else pl.concat([made.select(placed.columns), placed])
    assert made is not None
    by_risk = made.filter(~pl.col("is_exploration")).group_by("location", "lane").len()
    assert dict(by_risk.filter(pl.col("location") == "XNPRT").select("lane", "len").iter_rows()) == {
        "red": 6, "yellow": 9, "green": 90 - 6 - 9 - 2
    }  # fmt: skip
    assert dict(by_risk.filter(pl.col("location").is_null()).select("lane", "len").iter_rows()) == {
        "red": 6, "yellow": 3, "green": 30 - 6 - 3 - 2
    }  # fmt: skip


def test_of_a_day_that_comes_in_parts_every_row_has_a_chance_where_exploration_is_a_share() -> None:
    first = select(scores({("XNPRT", 1): 10}), Capacities(Capacity(0, 0, 0, 0.05)))
    second = select(scores({("XNPRT", 1): 20}, seed=2), Capacities(Capacity(0, 0, 0, 0.05)), first)
    assert first["propensity"].unique().to_list() == [1 / 10]
    assert second["propensity"].unique().to_list() == [1 / 20]

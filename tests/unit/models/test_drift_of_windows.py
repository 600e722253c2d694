"""Drift: distances against their definition, limits against what they promise."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import cells, drift
from models.cells import Counts

DAY = date(2025, 3, 1)
SEED = 11


def world(days: int, a_day: int, seed: int = SEED, changes_on: int | None = None) -> pl.DataFrame:
    """Events of a border where weekdays differ; from a day on, masses double."""
    generator = np.random.default_rng(seed)
    parts = []
    for step in range(days):
        rows = a_day // 3 if step % 7 in (5, 6) else a_day
        parts.append(
            pl.DataFrame(
                {
                    "day": [DAY + timedelta(days=step)] * rows,
                    "mass": generator.lognormal(2.0 if changes_on is None or step < changes_on else 2.7, 1.0, rows),
                    "age": generator.normal(40 + step / 50, 10, rows),
                    "office": generator.choice(["port", "air", "rail"], rows, p=[0.5, 0.3, 0.2]),
                    "regime": ["4000"] * rows,
                }
            )
        )
    return pl.concat(parts)


def counted(rows: pl.DataFrame) -> Counts:
    learnt = cells.learn(rows.filter(pl.col("day") < DAY + timedelta(days=28)), ["mass", "age"], ["office", "regime"])
    return cells.count(rows, learnt, "day")


def by_definition(window: list[float], before: list[float], learnt: cells.Parted) -> float:
    """Earth mover's distance of numbers sorted into their cells, cell by cell."""
    edges = learnt.edges.tolist()
    reach = [edges[0] - learnt.spread, *edges, edges[-1] + learnt.spread]

    def up_to(values: list[float], edge: float) -> float:
        return sum(value <= edge for value in values) / len(values)

    apart = [0.0, *(abs(up_to(window, edge) - up_to(before, edge)) for edge in edges), 0.0]
    # Beyond the ends the share is taken to have come a whole standard deviation.
    apart[0], apart[-1] = apart[1], apart[-2]
    steps = zip(reach, reach[1:], apart, apart[1:], strict=False)
    area = 0.0
    for place, (low, high, left, right) in enumerate(steps):
        is_end = place in (0, len(edges))
        area += (high - low) * (left + right) / 2 / (2 if is_end else 1)
    return area / learnt.spread


VALUES = st.lists(st.floats(0, 100).map(lambda x: round(x, 1)), min_size=3, max_size=40)


@settings(max_examples=80, deadline=None)
@given(VALUES, VALUES)
def test_a_numbers_distance_is_the_area_between_the_two_distributions(window: list[float], before: list[float]) -> None:
    learnt = cells.learn(pl.DataFrame({"mass": before}), ["mass"], [])
    codes = [learnt.codes(pl.DataFrame({"mass": part}))[:, 0] for part in (window, before)]
    now, then = (np.bincount(part, minlength=cells.WIDTH).astype(float)[None, :] for part in codes)
    found, _ = drift.apart(now, then, drift.gaps(learnt), 1)
    assert found[0] == pytest.approx(by_definition(window, before, learnt.numbers["mass"]), abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1), st.lists(st.sampled_from("abcd"), min_size=1))
def test_a_categorys_distance_is_the_share_that_would_have_to_change(window: list[str], before: list[str]) -> None:
    learnt = cells.learn(pl.DataFrame({"office": before}), [], ["office"])
    codes = [learnt.codes(pl.DataFrame({"office": part}))[:, 0] for part in (window, before)]
    now, then = (np.bincount(part, minlength=cells.WIDTH).astype(float)[None, :] for part in codes)
    found, _ = drift.apart(now, then, drift.gaps(learnt), 0)
    names = set(before)
    shares = [abs(window.count(name) / len(window) - before.count(name) / len(before)) for name in sorted(names)]
    other = sum(value not in names for value in window) / len(window)
    assert found[0] == pytest.approx((sum(shares) + other) / 2)


def test_the_floor_is_what_windows_of_one_population_are_apart_on_average() -> None:
    generator = np.random.default_rng(SEED)
    learnt = cells.learn(
        pl.DataFrame({"mass": generator.normal(size=4_000), "office": generator.choice(list("abc"), 4_000)}),
        ["mass"],
        ["office"],
    )
    found, floors = [], []
    for _ in range(60):
        sized = [
            pl.DataFrame({"mass": generator.normal(size=rows), "office": generator.choice(list("abc"), rows)})
            for rows in (120, 480)
        ]
        now, then = (
            np.stack([np.bincount(column, minlength=cells.WIDTH) for column in learnt.codes(part).T]).astype(float)
            for part in sized
        )
        distance, floor = drift.apart(now, then, drift.gaps(learnt), 1)
        found.append(distance)
        floors.append(floor)
    ratio = np.mean(found, axis=0) / np.mean(floors, axis=0)
    assert ratio == pytest.approx([1.0, 1.0], abs=0.2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(18, 40))
def test_the_last_days_are_held_against_the_same_weekdays_of_the_weeks_before(seed: int, days: int) -> None:
    rows = world(days, 40, seed)
    counts = counted(rows)
    distance, floor = drift.distances(counts)
    for place in range(days):
        window = {place - back for back in range(drift.WINDOW)}
        before = {one - 7 * week for one in window for week in range(1, drift.REFERENCE_WEEKS + 1)}
        if min(before) < 0:
            assert np.isnan(distance[place]).all()
            continue
        now, then = (counts.events[sorted(part)].sum(axis=0).astype(float) for part in (window, before))
        weights = drift.gaps(counts.cells)
        assert np.array([distance[place], floor[place]]) == pytest.approx(np.array(drift.apart(now, then, weights, 2)))


def test_a_day_needs_a_reference_and_a_past_to_be_judged() -> None:
    found = drift.judge(counted(world(70, 60)))
    first = drift.WINDOW - 1 + 7 * drift.REFERENCE_WEEKS
    assert np.isnan(found.distance[:first]).all()
    assert not np.isnan(found.distance[first:]).any()
    told = first + drift.FEWEST_PAST - 1 + drift.WINDOW
    assert np.isnan(found.limit[:told]).all()
    assert not np.isnan(found.limit[told:]).any()


def test_a_judgement_rests_on_no_more_days_than_it_says() -> None:
    counts = counted(world(90, 60))
    late = Counts(counts.days[-drift.HISTORY_DAYS :], counts.cells, counts.events[-drift.HISTORY_DAYS :])
    assert np.array_equal(drift.judge(late, [len(late.days) - 1]).limit[-1], drift.judge(counts, [89]).limit[-1])


def test_too_few_events_are_not_judged() -> None:
    assert np.isnan(drift.distances(counted(world(60, 5)))[0]).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_world_in_which_weekdays_differ_and_people_age_raises_no_alert(seed: int) -> None:
    assert not drift.judge(counted(world(150, 40, seed))).alerts.any()


def test_a_change_is_found_within_a_week_and_in_the_feature_that_changed() -> None:
    changes_on = 100
    alerts = drift.judge(counted(world(115, 60, changes_on=changes_on))).alerts
    assert not alerts[:changes_on].any()
    first = np.flatnonzero(alerts.any(axis=1))[0]
    assert changes_on <= first < changes_on + drift.WINDOW
    assert np.flatnonzero(alerts[changes_on : changes_on + drift.WINDOW].any(axis=0)).tolist() == [0]


def test_a_code_that_was_never_seen_is_a_change() -> None:
    rows = world(110, 60)
    late = pl.col("day") >= DAY + timedelta(days=100)
    recoded = rows.with_columns(regime=pl.when(late).then(pl.lit("4100")).otherwise("regime"))
    found = drift.judge(counted(recoded))
    assert found.alerts[100:107, 3].any()


def test_small_days_have_wider_limits() -> None:
    wide, narrow = (np.nanmedian(drift.distances(counted(world(80, a_day)))[1]) for a_day in (30, 300))
    assert wide > 2 * narrow


def test_days_that_are_asked_for_alone_are_judged_as_among_all() -> None:
    counts = counted(world(90, 50))
    every, some = drift.judge(counts), drift.judge(counts, [70, 88])
    assert np.array_equal(every.limit[[70, 88]], some.limit[[70, 88]])
    assert np.isnan(some.limit[80]).all()


def test_what_is_usual_is_the_cubic_mean_of_the_past_and_never_less_than_chance_alone_makes_it() -> None:
    generator = np.random.default_rng(SEED)
    chance = np.abs(generator.normal(size=(20_000, 1)))
    still, leaping = np.ones((60, 1)), np.where(np.arange(60) % 10 == 0, 9.0, 1.0)[:, None]
    assert drift.usual_times(leaping)[0] == pytest.approx(np.mean(leaping**3) ** (1 / 3))
    assert drift.usual_times(chance / chance.mean())[0] == pytest.approx(drift.usual_times(still)[0], rel=0.03)
    assert np.isnan(drift.usual_times(still[: drift.FEWEST_PAST - 1])).all()


def clustered(generator: np.random.Generator, days: int) -> pl.DataFrame:
    """Events of few ships a day, each with many rows, and of a rate that wanders with what is found."""
    rate = np.cumsum(generator.normal(scale=0.25, size=days)) * 0.5
    ships = generator.poisson(6, days) + 1
    day = np.repeat(np.arange(days), ships)
    rows = generator.geometric(1 / 8, len(day))
    of_ship = generator.normal(size=len(day))
    return pl.DataFrame(
        {
            "day": [DAY + timedelta(days=int(step)) for step in np.repeat(day, rows)],
            "ship_age": np.repeat(of_ship, rows),
            "hit_rate": np.repeat(rate[day], rows) + generator.normal(scale=0.5, size=int(rows.sum())),
            "value": generator.lognormal(3, 1, int(rows.sum())),
            "flag": np.repeat(generator.choice(["a", "b", "c"], len(day)), rows),
        }
    )


def test_rows_that_come_by_the_shipload_and_rates_that_wander_raise_few_alerts_in_quarters_of_a_year() -> None:
    generator, quarters, told = np.random.default_rng(SEED), 10, 0
    for _ in range(quarters):
        rows = clustered(generator, drift.HISTORY_DAYS + 90)
        learnt = cells.learn(
            rows.filter(pl.col("day") < DAY + timedelta(days=28)), ["ship_age", "hit_rate", "value"], ["flag"]
        )
        counts = cells.count(rows, learnt, "day")
        alerts = drift.judge(counts, range(len(counts.days) - 90, len(counts.days))).alerts
        told += int(alerts.any(axis=1).any())
    # Three of the four features are as wild as any: a model has some ten of eighty.
    assert told <= 0.1 * quarters


def test_a_steady_feature_is_told_of_beside_a_wild_one() -> None:
    generator = np.random.default_rng(SEED)
    rows = clustered(generator, 110)
    dearer = rows.with_columns(
        value=pl.when(pl.col("day") >= DAY + timedelta(days=100)).then(pl.col("value") * 2).otherwise("value")
    )
    learnt = cells.learn(rows.filter(pl.col("day") < DAY + timedelta(days=28)), ["hit_rate", "value"], ["flag"])
    found = drift.judge(cells.count(dearer, learnt, "day"))
    assert found.alerts[100:107, 1].any()
    assert not found.alerts[100:107, 0].any()

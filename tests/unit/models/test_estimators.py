"""Estimators against brute force: over every draw that could have been, and over many draws by lot."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.capacity import Capacities, Capacity
from models.estimators import Estimate, designed, difference, gain, leakage, rate, total, weighted_count
from models.selection import looks, select

Strata = list[tuple[list[bool], int]]
"""Of each stratum which events are adverse, and how many are drawn."""


@st.composite
def strata(draw: st.DrawFn) -> Strata:
    made = []
    for _ in range(draw(st.integers(1, 2))):
        adverse = draw(st.lists(st.booleans(), min_size=1, max_size=6))
        made.append((adverse, draw(st.integers(1, len(adverse)))))
    return made


def every_draw(population: Strata) -> Iterator[pl.DataFrame]:
    """The rows under each draw that could have been, all as likely as each other."""
    choices = [itertools.combinations(range(len(adverse)), drawn) for adverse, drawn in population]
    for chosen in itertools.product(*choices):
        yield pl.DataFrame(
            [
                (stratum, drawn / len(adverse), row in chosen[stratum], adverse[row])
                for stratum, (adverse, drawn) in enumerate(population)
                for row in range(len(adverse))
            ],
            schema={"stratum": pl.Int64, "chance": pl.Float64, "is_sampled": pl.Boolean, "is_adverse": pl.Boolean},
            orient="row",
        ).with_columns(is_awaited=pl.lit(value=False))


def value(estimate: Estimate | None) -> float:
    assert estimate is not None
    assert estimate.low <= estimate.value <= estimate.high
    return estimate.value


@settings(max_examples=60, deadline=None)
@given(strata(), st.integers(1, 5))
def test_over_every_possible_draw_a_total_is_right_on_average(population: Strata, weight: int) -> None:
    made = [value(total(rows, pl.lit(float(weight)))) for rows in every_draw(population)]
    assert np.mean(made) == pytest.approx(weight * sum(sum(adverse) for adverse, _ in population))


@settings(max_examples=60, deadline=None)
@given(strata(), st.data())
def test_over_every_possible_draw_a_policys_gain_is_right_on_average(population: Strata, data: st.DataObject) -> None:
    rows = sum(len(adverse) for adverse, _ in population)
    shares = st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=rows, max_size=rows)
    ours, theirs = data.draw(shares), data.draw(shares)
    policies = [pl.Series("ours", ours), pl.Series("theirs", theirs)]
    made = [value(gain(draw.with_columns(policies), "ours", "theirs")) for draw in every_draw(population)]
    adverse = np.array([one for stratum, _ in population for one in stratum], dtype=float)
    assert np.mean(made) == pytest.approx(adverse @ (np.array(ours) - np.array(theirs)))


def world(rows: int, seed: int) -> pl.DataFrame:
    """Scored events of two offices, of which some are adverse, the risky ones more often."""
    generator = np.random.default_rng(seed)
    raw = generator.normal(size=rows)
    return pl.DataFrame(
        {
            "event_id": [f"{seed}-{row}" for row in range(rows)],
            "location": generator.choice(["XNPRT", "XNAIR"], rows),
            "received_on": pl.Series([date(2025, 1, 1)] * rows),
            "raw_score": raw,
            "truth": generator.random(rows) < 1 / (1 + np.exp(2 - raw)),
            "challenger": raw + generator.normal(size=rows),
        }
    )


def looked_into(selected: pl.DataFrame) -> pl.DataFrame:
    """Selections that officers followed, with the outcomes that this gave."""
    return selected.with_columns(
        has_decisions=pl.lit(True),
        is_inspected=looks(),
        is_adverse=pl.when(looks()).then("truth"),
        selection=pl.lit(None, pl.String),
        selection_probability=pl.lit(None, pl.Float64),
    ).with_columns(**designed())


def draws(events: pl.DataFrame, capacities: Capacities, repeats: int) -> list[pl.DataFrame]:
    keys = [repeat.to_bytes(32, "big") for repeat in range(repeats)]
    return [looked_into(select(events, capacities, key)) for key in keys]


def test_over_many_lots_leakage_by_lane_and_office_is_right_on_average_and_within_its_interval() -> None:
    events = world(600, seed=4)
    capacities = Capacities(Capacity(20, 30, 60, 0.08))
    by = ["location", "lane_by_risk"]
    made = draws(events, capacities, 150)
    truth = (
        made[0]
        .group_by(by)
        .agg(adverse=pl.col("truth").sum(), missed=((1 - pl.col("propensity")) * pl.col("truth")).sum())
    )
    found = pl.concat(leakage(rows, by) for rows in made).join(truth, on=by, suffix="_true")
    judged = found.group_by(by).agg(
        *(pl.col(f"{name}_true").first() for name in ("adverse", "missed")),
        *(pl.col(name).mean() for name in ("adverse", "missed")),
        *(
            pl.col(f"{name}_true").is_between(f"{name}_low", f"{name}_high").mean().alias(f"{name}_held")
            for name in ("adverse", "missed")
        ),
        error=4 * pl.col("adverse").std() / math.sqrt(len(made)) + 1e-9,
    )
    assert judged.height == 8
    for name in ("adverse", "missed"):
        assert ((judged[name] - judged[f"{name}_true"]).abs() <= judged["error"]).all()
        assert (judged[f"{name}_held"] >= 0.93).all()


def test_over_many_lots_a_challengers_gain_at_the_same_capacity_is_right_on_average() -> None:
    events = world(600, seed=5)
    capacities = Capacities(Capacity(40, 20, 0, 0.1))
    theirs = select(events.with_columns(raw_score="challenger"), capacities, b"k" * 32)
    new = theirs.select("event_id", new="propensity")
    made = [rows.join(new, on="event_id") for rows in draws(events, capacities, 150)]
    first = made[0]
    truth = first.select(((pl.col("new") - pl.col("propensity")) * pl.col("truth")).sum()).item()
    gains = [gain(rows, "new", "propensity") for rows in made]
    values = np.array([value(one) for one in gains])
    assert values.mean() == pytest.approx(truth, abs=4 * values.std() / math.sqrt(len(values)))
    assert np.mean([one is not None and one.low <= truth <= one.high for one in gains]) >= 0.93


def test_counting_only_what_was_found_would_flatter() -> None:
    rows = looked_into(select(world(600, seed=4), Capacities(Capacity(20, 30, 60, 0.08)), bytes(32)))
    estimate = rate(rows)
    assert estimate is not None
    true = rows["truth"].mean()
    assert isinstance(true, float)
    naive = rows["is_adverse"].mean()
    assert isinstance(naive, float)
    assert estimate.low < true < estimate.high < naive


def test_an_agencys_own_draw_is_used_where_nobody_decides_on_lanes() -> None:
    reported = [
        ("random", 0.02, True), ("random", 0.02, False), ("rule", 0.6, True), ("intelligence", 1.0, True),
        ("intelligence", None, True), ("all", None, False), ("random", None, True), (None, None, None),
    ]  # fmt: skip
    rows = pl.DataFrame(
        [(*one, "green", 0.1, False, None) for one in reported],
        schema={
            "selection": pl.String, "selection_probability": pl.Float64, "is_adverse": pl.Boolean,
            "lane": pl.String, "propensity": pl.Float64, "has_decisions": pl.Boolean, "is_inspected": pl.Boolean,
        },
        orient="row",
    ).with_columns(**designed())  # fmt: skip
    assert rows["chance"].to_list() == [0.02, 0.02, None, 1.0, None, 1.0, None, None]
    assert rows["is_sampled"].to_list() == [True, True, False, True, False, True, False, False]
    assert value(total(rows, pl.lit(1.0))) == pytest.approx(1 / 0.02 + 1)
    assert value(total(rows, 1 - pl.col("propensity"))) == pytest.approx(0.9 * 51)


def test_what_was_not_looked_at_though_its_lane_said_so_is_not_sampled() -> None:
    rows = pl.DataFrame(
        {
            "lane": ["red", "red", "red", "green"],
            "propensity": [1.0, 1.0, 0.1, 0.1],
            "is_inspected": [True, False, True, None],
            "is_adverse": [True, True, None, None],
        },
        schema_overrides={"is_adverse": pl.Boolean, "is_inspected": pl.Boolean},
    ).with_columns(
        has_decisions=True, selection=pl.lit(None, pl.String), selection_probability=pl.lit(None, pl.Float64)
    )
    made = rows.with_columns(**designed())
    assert made["is_sampled"].to_list() == [True, False, False, False]
    assert made["is_awaited"].to_list() == [False, True, True, False]


def test_what_the_agencys_draw_did_not_take_may_be_adverse_too() -> None:
    """One of red was looked at for certain, at an office that decides on lanes; of the others nobody tells a chance."""
    rows = pl.DataFrame(
        {
            "lane_by_risk": ["red", "red", "red", "green", "green"],
            "propensity": [1.0, 1.0, 1.0, 0.0, 0.0],
            "chance": [1.0, None, None, 0.02, None],
            "is_sampled": [True, False, False, True, False],
            "is_awaited": [False] * 5,
            "is_adverse": [True, None, None, False, None],
        }
    )
    red = leakage(rows, ["lane_by_risk"]).row(1, named=True)
    of_nothing_found = total(rows.filter(pl.col("chance") == 0.02), pl.lit(1.0))
    assert of_nothing_found is not None
    assert (red["adverse"], red["adverse_low"]) == (1, 1)
    assert red["adverse_high"] == pytest.approx(1 + of_nothing_found.high)
    # Without any draw nothing says how many of the others are adverse.
    assert leakage(rows.filter(pl.col("lane_by_risk") == "red"), ["lane_by_risk"])["adverse"].to_list() == [None]


def test_where_all_that_was_drawn_is_awaited_none_found_yet_is_no_estimate() -> None:
    rows = pl.DataFrame(
        {"chance": [0.1, 0.1], "is_sampled": [False, False], "is_awaited": [True, False], "is_adverse": [None, None]},
        schema_overrides={"is_adverse": pl.Boolean},
    )
    assert total(rows, pl.lit(1.0)) is None
    assert value(total(rows.with_columns(is_awaited=False), pl.lit(1.0))) == 0


def test_where_nothing_was_drawn_there_is_no_estimate_and_rows_without_a_chance_are_counted() -> None:
    rows = pl.DataFrame(
        {
            "office": ["A", "A", "B"],
            "propensity": [0.0, 0.0, 0.0],
            "chance": [0.0, 0.0, None],
            "is_sampled": [False, False, False],
            "is_awaited": [False, False, False],
            "is_adverse": [None, None, None],
        },
        schema_overrides={"is_adverse": pl.Boolean, "chance": pl.Float64},
    )
    made = leakage(rows, ["office"])
    assert made["without_chance"].to_list() == [2, 0]
    assert made.select("adverse", "missed_high", "rate").null_count().row(0) == (2, 2, 2)
    assert leakage(rows.clear(), ["office"]).columns == made.columns


def test_none_found_is_not_none_there() -> None:
    nothing = weighted_count(np.array([]), np.array([]), largest=20.0)
    assert (nothing.value, nothing.low) == (0.0, 0.0)
    # The rule of three, of two sides: none of n found leaves up to 3.7 / n.
    assert nothing.high == pytest.approx(3.7 * 20, rel=0.02)


def test_what_was_certain_to_be_seen_has_no_error() -> None:
    assert weighted_count(np.ones(7), np.ones(7), largest=0.0) == Estimate(7.0, 7.0, 7.0)


def test_a_difference_is_as_wide_as_its_parts_are_in_that_direction() -> None:
    made = difference(Estimate(10, 7, 16), Estimate(4, 4, 4))
    assert (made.value, made.low, made.high) == (6, 3, 12)

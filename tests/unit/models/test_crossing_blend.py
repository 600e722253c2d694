"""Entries, parties, rates and their blend: no day sees its own outcomes, none sees later ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from models import day_calibration
from models.crossing_blend import Sample, probabilities
from models.entry import entry_columns, numbers, ordinals
from models.entry_rates import PRIOR_ROWS, entry_rates
from models.evaluation import calibration_slope
from models.party import COLUMNS, with_party

KEY = [("nationality_code",)]


def crossings(rows: int, days: int, seed: int = 1) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    nationality = generator.choice(["111", "209", "245"], rows)
    day = pl.Series(generator.integers(0, days, rows))
    start = datetime(2016, 4, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "event_at": [start + timedelta(days=offset) for offset in day],
            "admitted_until": [date(2016, 7, 1)] * rows,
            "nationality": ["XXX"] * rows,
            "nationality_code": nationality,
            "residence": nationality,
            "port": generator.choice(["NYC", "MIA"], rows),
            "mode": generator.choice(["air", "air", "sea"], rows),
            "destination": ["NY"] * rows,
            "purpose": ["pleasure"] * rows,
            "visa_post": pl.Series([None] * rows, dtype=pl.String),
            "occupation": pl.Series([None] * rows, dtype=pl.String),
            "admission_code": ["G"] * rows,
            "sex": generator.choice(["M", "F"], rows),
            "carrier": generator.choice(["AA", "KE"], rows),
            "flight_number": generator.choice(["0012", "12"], rows),
            "visa_class": ["WT"] * rows,
            "age_years": pl.Series(generator.integers(1, 80, rows), dtype=pl.Int32),
            "label": (generator.random(rows) < np.where(nationality == "245", 0.5, 0.05)).astype(float),
        }
    )


def masks(frame: pl.DataFrame, *until: int) -> list[np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    day = frame["event_at"].dt.day().to_numpy()
    return [(day > low) & (day <= high) for low, high in zip((0, *until), (*until, 31), strict=True)]


def small() -> pl.DataFrame:
    days = [date(2016, 4, 1)] * 3 + [date(2016, 4, 2)] * 2 + [date(2016, 4, 3)]
    return pl.DataFrame({"nationality_code": ["A", "A", "B", "A", "A", "A"], "day": days})


LABELS = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 1.0])
TRAIN = np.array([True] * 5 + [False])


def test_rates_of_a_training_row_leave_its_own_day_out() -> None:
    found = entry_rates(small(), LABELS, TRAIN, KEY)
    overall = LABELS[:5].mean()
    rate = (2 + PRIOR_ROWS * overall) / (2 + PRIOR_ROWS)
    # On the first day A is seen by the second day's two rows; B by none.
    assert found.outcomes[:, 0].tolist() == [2, 2, 0, 2, 2, 4]
    assert found.log_odds[0, 0] == pytest.approx(np.log(rate / (1 - rate)))
    assert found.log_odds[2, 0] == pytest.approx(np.log(overall / (1 - overall)))


@pytest.mark.parametrize("later", [0.0, 1.0, float("nan")])
def test_rates_never_see_days_after_training(later: float) -> None:
    changed = np.where(TRAIN, LABELS, later)
    known, found = (entry_rates(small(), labels, TRAIN, KEY).log_odds for labels in (LABELS, changed))
    assert np.array_equal(known, found)


def test_rates_of_a_day_do_not_move_with_its_own_outcomes_but_by_the_overall_rate() -> None:
    swapped = LABELS.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    known, found = (entry_rates(small(), labels, TRAIN, KEY).log_odds for labels in (LABELS, swapped))
    assert np.array_equal(known, found)


def test_flight_numbers_lose_leading_zeros_and_stays_without_limit_are_marked() -> None:
    rows = crossings(6, 2).with_columns(admitted_until=pl.lit(None, dtype=pl.Date))
    entry = entry_columns(rows)
    assert set(entry["flight"]) == {"12"}
    assert set(entry["days_granted"]) == {-1}
    assert set(entry["visa_post"]) == {"~"}


def test_the_country_stands_in_for_a_missing_code_of_the_agency() -> None:
    rows = crossings(3, 1).with_columns(nationality_code=pl.lit(None, dtype=pl.String))
    assert set(entry_columns(rows)["nationality_code"]) == {"XXX"}


def test_an_unseen_code_falls_between_its_neighbours() -> None:
    rows = pl.DataFrame({"port": ["A", "C", "B", "D", "C"]})
    found = ordinals(rows, np.array([True, True, False, False, False]), ["port"])
    assert found["port"].tolist() == [0, 1, 0.5, 1.5, 1]


def test_a_party_is_of_one_day_and_needs_no_outcome() -> None:
    entry = entry_columns(crossings(300, 3))
    both = with_party(entry)
    first = with_party(entry.filter(pl.col("day") == date(2016, 4, 1)))
    assert both.filter(pl.col("day") == date(2016, 4, 1)).select(COLUMNS).equals(first.select(COLUMNS))
    assert with_party(entry.drop("label")).select(COLUMNS).equals(both.select(COLUMNS))
    assert (both["in_party"] <= both["on_flight"]).all()
    assert all(len(values) == 300 for values in numbers(both, COLUMNS).values())


def test_every_entry_is_calibrated_in_one_regime_and_those_of_no_known_mode_in_their_own() -> None:
    frame = crossings(300, 6)
    unknown = np.arange(300) % 5 == 0
    frame = frame.with_columns(mode=pl.when(pl.Series(~unknown)).then("mode"))
    by_air, by_others, of_none = Sample.of(frame, *masks(frame, 3, 5)).regimes
    assert (by_air.astype(int) + by_others + of_none == 1).all()
    assert (of_none == unknown).all()
    assert (by_air == (frame["mode"] == "air").fill_null(value=False).to_numpy()).all()


def test_the_blend_scores_later_days_without_their_outcomes() -> None:
    rows = crossings(3_000, 8)
    train, stop, score = masks(rows, 4, 6)
    found = probabilities(Sample.of(rows, train, stop, score), seed=1)
    hidden = rows.with_columns(label=pl.when(pl.Series(~score)).then(pl.col("label")))
    assert np.array_equal(found, probabilities(Sample.of(hidden, train, stop, score), seed=1))
    likely = rows.filter(pl.Series(score))["nationality_code"].to_numpy() == "245"
    assert found[likely].mean() > 0.35
    assert found[~likely].mean() < 0.12


@pytest.mark.parametrize(
    ("days", "prior", "slope"),
    [
        pytest.param(3, 3.0, 1.5, id="as-many-days-as-the-prior-go-half-way"),
        pytest.param(9, 3.0, 1.75, id="more-days-go-further"),
        pytest.param(2, 0.0, 2.0, id="no-prior-is-platt"),
    ],
)
def test_the_slope_is_believed_as_far_as_there_are_days(days: int, prior: float, slope: float) -> None:
    generator = np.random.default_rng(3)
    raw = generator.normal(-1, 1, 60_000)
    labels = (generator.random(60_000) < 1 / (1 + np.exp(-2 * raw))).astype(float)
    found = day_calibration.fit(raw, labels, days, prior)
    assert found.a == found.b == pytest.approx(slope, rel=0.02)
    assert found.probability(raw).mean() == pytest.approx(labels.mean(), abs=1e-4)
    if not prior:
        assert calibration_slope(labels, found.probability(raw)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_outcomes_of_one_kind_move_the_level_only(label: float) -> None:
    found = day_calibration.fit(np.array([-1.0, 0.0, 1.0]), np.full(3, label), 2)
    assert found.a == 1.0
    assert np.isfinite(found.c)

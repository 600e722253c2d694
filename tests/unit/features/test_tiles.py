"""Tiles and states against the one pass of `features.windows`: day by day, value for value, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from facts import (
    HOUR,
    ROLLING,
    SOAP,
    START,
    Event,
    Row,
    events_frame,
    history_frame,
    immense_events,
    immense_rows,
    many_events,
    many_rows,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features import daily, lanes, tiles, windows
from features.tiles import Leaving, State
from features.views import Aggregation, FeatureView, Kind
from features.windows import BEGAN_AT, USABLE_AT
from warehouse.errors import BorderlakeError

FIRST, DAYS = START.date(), 11
COARSE = replace(ROLLING, name="coarse", entity=("jurisdiction", "importer"))
SOAPY = replace(ROLLING, name="soapy", where=(SOAP,))


def within(column: str, day: date) -> pl.Expr:
    at = tiles.midnight(day)
    return (pl.col(column) >= at) & (pl.col(column) < at + timedelta(days=1))


def leaving_of(view: FeatureView, tile: pl.DataFrame, day: date) -> Leaving:
    before = tile.filter(pl.col(USABLE_AT) < tiles.midnight(day))
    return {d: before.filter(within(BEGAN_AT, day - timedelta(days=d))) for d in lanes.window_days(view)}


def replay(view: FeatureView, events: pl.DataFrame, history: pl.DataFrame, start: State | None = None) -> pl.DataFrame:
    """Every day by its own rows, the tiles of the days that leave, and the state before it."""
    prior = lanes.prior_of(view)
    assert prior is not None
    state = start or tiles.empty(view, FIRST)
    other = state_at(prior, history, state.day)
    whole, everyone = tiles.tile(view, history), tiles.tile(prior, history)
    made = []
    for day in (FIRST + timedelta(days=offset) for offset in range((state.day - FIRST).days, DAYS)):
        rows, of_day = history.filter(within(USABLE_AT, day)), events.filter(within("event_at", day))
        leaving, leaving_everyone = leaving_of(view, whole, day), leaving_of(prior, everyone, day)
        state = fed(view, state, rows, whole)
        if of_day.height:
            priors = daily.compute(prior, other, of_day, rows, leaving_everyone)
            made.append(daily.compute(view, state, of_day, rows, leaving, priors))
        state = tiles.roll(view, state, rows, leaving)
        other = tiles.roll(prior, other, rows, leaving_everyone)
    return pl.concat(made) if made else windows.compute(view, events, history)


def fed(view: FeatureView, state: State, rows: pl.DataFrame, tile: pl.DataFrame) -> State:
    starving = tiles.starving(view, state, rows)
    if starving.is_empty():
        return state
    before = tile.filter(pl.col(USABLE_AT) < tiles.midnight(state.day))
    return tiles.refreshed(view, state, before.join(starving, on=tiles.ENTITY, how="semi"))


def state_at(view: FeatureView, history: pl.DataFrame, day: date) -> State:
    past = history.filter(pl.col(USABLE_AT) < tiles.midnight(day))
    return tiles.backfill(view, cut(tiles.tile(view, past)), tiles.held(view, past), day)


def cut(tile: pl.DataFrame) -> list[pl.DataFrame]:
    return [tile.gather_every(3, offset) for offset in range(3)]


def ordered(events: list[Event]) -> pl.DataFrame:
    return events_frame(sorted(events, key=lambda event: event.event_at))


@pytest.mark.parametrize("view", [ROLLING, COARSE, SOAPY], ids=["one-key", "two-keys", "a-condition"])
@settings(max_examples=8, deadline=None)
@given(many_events, many_rows)
def test_day_by_day_through_states_is_one_pass_to_the_last_bit(
    view: FeatureView, some: list[Event], history: list[Row]
) -> None:
    events, rows = ordered(some), history_frame(history)
    assert_frame_equal(replay(view, events, rows), windows.compute(view, events, rows), check_exact=True)


@settings(max_examples=8, deadline=None)
@given(immense_events, immense_rows)
def test_sums_that_64_bits_do_not_hold_are_refused_by_name_and_others_are_one_pass(
    some: list[Event], history: list[Row]
) -> None:
    events, rows = ordered(some), history_frame(history)
    try:
        found = replay(ROLLING, events, rows)
    except BorderlakeError as refusal:
        found, said = None, str(refusal)
    if found is None:
        assert "sums of value are too great to be rolled on by a day" in said
        assert rows["value"].abs().max() > 1_000_000
    else:
        assert_frame_equal(found, windows.compute(ROLLING, events, rows), check_exact=True)


def test_a_state_that_grows_too_great_is_refused_before_it_is_wrong() -> None:
    view = replace(ROLLING, aggregations=(Aggregation("worth", Kind.SUM, "d", "u", "value"),))
    rows = history_frame([replace(row(START), value=2e12)])
    once = tiles.roll(view, tiles.empty(view, FIRST), rows, {})
    assert once.sums["0"].to_list() == [2 * 10**18]
    with pytest.raises(BorderlakeError, match="view 'everything': sums of value are too great to be rolled"):
        tiles.roll(view, once, rows, {})
    with pytest.raises(BorderlakeError, match="too great"):
        tiles.backfill(view, [tiles.tile(view, rows)] * 2, once.held, FIRST + timedelta(days=1))


@settings(max_examples=8, deadline=None)
@given(many_rows, many_rows, st.integers(0, DAYS - 1))
def test_a_backfilled_state_is_the_rolled_one(history: list[Row], more: list[Row], offset: int) -> None:
    rows = history_frame([*history, *more])
    state, tile = tiles.empty(ROLLING, FIRST), tiles.tile(ROLLING, rows)
    for day in (FIRST + timedelta(days=n) for n in range(offset)):
        today = rows.filter(within(USABLE_AT, day))
        state = tiles.roll(ROLLING, fed(ROLLING, state, today, tile), today, leaving_of(ROLLING, tile, day))
    straight = state_at(ROLLING, rows, FIRST + timedelta(days=offset))
    assert_same(state, straight)


@settings(max_examples=8, deadline=None)
@given(many_events, many_rows, st.integers(0, DAYS - 1))
def test_days_after_a_backfill_give_what_one_pass_gives(some: list[Event], history: list[Row], offset: int) -> None:
    rows, day = history_frame(history), FIRST + timedelta(days=offset)
    events = ordered(some).filter(pl.col("event_at") >= tiles.midnight(day))
    found = replay(ROLLING, events, rows, state_at(ROLLING, rows, day))
    assert_frame_equal(found, windows.compute(ROLLING, events, rows), check_exact=True)


def assert_same(one: State, other: State) -> None:
    assert one.day == other.day
    for name in ("sums", "held"):
        assert_frame_equal(getattr(one, name), getattr(other, name), check_row_order=False)
    # Floors and depth may differ where something was taken back; the greatest times must not.
    assert_frame_equal(greatest(one), greatest(other), check_row_order=False)


def greatest(state: State) -> pl.DataFrame:
    return state.edges.group_by("entity", "edge").agg(pl.col("at").max())


def at_hours(*hours: float) -> list[datetime]:
    return [START + hour * HOUR for hour in hours]


def row(at: datetime, ends: datetime | None = None, begins: datetime | None = None) -> Row:
    return Row("one", "XN", at, begins or at, ends, 1.5, 1, "shoes")


def test_more_corrections_on_a_day_than_a_state_keeps_times_for() -> None:
    """Five events, the last four of them withdrawn on the fourth day: only the history knows the one before."""
    seen = at_hours(1, 2, 3, 4, 5)
    taken = START + timedelta(days=3, hours=6)
    history = history_frame([row(seen[0]), *(row(at, ends=taken) for at in seen[1:])])
    events = ordered([Event("one", "XN", START + timedelta(days=3, hours=h), 1.0) for h in (5, 6, 7, 8)])
    state = state_at(ROLLING, history, FIRST + timedelta(days=3))
    today = history.filter(within(USABLE_AT, FIRST + timedelta(days=3)))
    assert tiles.starving(ROLLING, state, today).height == 1
    found = replay(ROLLING, events, history)
    assert_frame_equal(found, windows.compute(ROLLING, events, history), check_exact=True)
    assert found["since_last"].to_list()[-1] == pytest.approx(3 + 7 / 24)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([row(datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC))], id="the-last-instant-of-a-leap-day"),
        pytest.param([row(datetime(2024, 2, 29, tzinfo=UTC)), row(datetime(2024, 3, 1, tzinfo=UTC))], id="midnights"),
        pytest.param([row(START, begins=START + timedelta(days=5))], id="long-ago-but-usable-only-now"),
        pytest.param([row(START, ends=START)], id="taken-back-at-once"),
        pytest.param([row(START + HOUR, ends=START + timedelta(days=7, hours=1))], id="taken-back-as-it-leaves"),
        pytest.param([row(START + HOUR, ends=START + timedelta(days=7))], id="taken-back-on-the-day-it-leaves"),
        pytest.param([], id="nothing"),
    ],
)
def test_edges_of_days(history: list[Row]) -> None:
    moments = [START + timedelta(days=d, hours=h, microseconds=u) for d in range(10) for h in (0, 1) for u in (0, 1)]
    events, rows = ordered([Event("one", "XN", at, 2.0) for at in moments]), history_frame(history)
    assert_frame_equal(replay(ROLLING, events, rows), windows.compute(ROLLING, events, rows), check_exact=True)


def test_keys_that_read_alike_are_other_entities() -> None:
    keys = pl.DataFrame({"a": ["x", "x:1", None, "1:x"], "b": ["1:y", "y", "y", "y"]})
    made = keys.select(tiles.entity_key(["a", "b"]))["entity"]
    assert made.n_unique() == 4
    assert made.null_count() == 1


def columns(state: State) -> Mapping[str, int]:
    return {"sums": state.sums.height, "edges": state.edges.height, "held": state.held.height}


def test_a_state_grows_with_entities_and_not_with_events() -> None:
    few = history_frame([row(at) for at in at_hours(*range(5))])
    many = history_frame([row(at) for at in at_hours(*range(150))])
    day = FIRST + timedelta(days=8)
    assert columns(state_at(ROLLING, few, day)) == columns(state_at(ROLLING, many, day))

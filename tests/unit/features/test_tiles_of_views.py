"""Every view of both subjects over whole silver tables: a day from its state is one pass, to the last bit.

Features that do not roll on are left out, and refused by name.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from silver_world import START, silver

from features import daily, lanes, tiles, windows
from features.sources import SOURCES
from features.tiles import Leaving, State
from features.vectors import SUBJECTS, Subject
from features.views import FeatureView
from features.windows import BEGAN_AT, EVENT_AT, USABLE_AT
from warehouse.errors import BorderlakeError

DAYS = [START.date() + timedelta(days=number) for number in (6, 7)]


def state_of(view: FeatureView, history: pl.DataFrame) -> State:
    past = history.filter(pl.col(USABLE_AT) < tiles.midnight(DAYS[0]))
    return tiles.backfill(view, [tiles.tile(view, past)], tiles.held(view, past), DAYS[0])


def leaving_of(view: FeatureView, tile: pl.DataFrame, day: date) -> Leaving:
    before = tile.filter(pl.col(USABLE_AT) < tiles.midnight(day))
    gone = {days: pl.col(BEGAN_AT).dt.date() == day - timedelta(days=days) for days in lanes.window_days(view)}
    return {days: before.filter(which) for days, which in gone.items()}


def replayed(view: FeatureView, events: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Two days, the second from the state that the first left."""
    prior, priors = lanes.prior_of(view), None
    others = replayed(prior, events, history) if prior is not None else None
    state, whole, made = state_of(view, history), tiles.tile(view, history), []
    for day in DAYS:
        rows = history.filter(pl.col(USABLE_AT).dt.date() == day)
        is_of_day = events[EVENT_AT].dt.date() == day
        priors = others.filter(is_of_day) if others is not None else None
        starving = tiles.starving(view, state, rows)
        before = whole.filter(pl.col(USABLE_AT) < tiles.midnight(day))
        state = tiles.refreshed(view, state, before.join(starving, on=tiles.ENTITY, how="semi"))
        leaving = leaving_of(view, whole, day)
        made.append(daily.compute(view, state, events.filter(is_of_day), rows, leaving, priors))
        state = tiles.roll(view, state, rows, leaving)
    return pl.concat(made)


def rolling(subject: Subject) -> list[FeatureView]:
    """The views with the features that roll on."""
    kept = [replace(v, aggregations=tuple(filter(lanes.rolls, v.aggregations))) for v in subject.registry.views]
    return [view for view in kept if view.aggregations]


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("subject", [pytest.param(s, id=name) for name, s in SUBJECTS.items()])
def test_every_view_of_a_day_from_its_state(subject: Subject, seed: int) -> None:
    world = silver(seed, 60)
    taken = world.shipments if subject.name == "shipments" else world.crossings
    events = subject.attributes(taken).filter(pl.col(EVENT_AT).dt.date().is_in(DAYS)).sort(EVENT_AT).collect()
    assert events.height > 0
    histories = {name: source.history(world).collect() for name, source in SOURCES.items()}
    for view in rolling(subject):
        history = histories[view.source]
        found = replayed(view, events, history)
        assert_frame_equal(found, windows.compute(view, events, history), check_exact=True)


@pytest.mark.parametrize("subject", [pytest.param(s, id=name) for name, s in SUBJECTS.items()])
def test_a_view_with_features_that_do_not_roll_on_is_refused_by_their_names(subject: Subject) -> None:
    refused = [view for view in subject.registry.views if not all(map(lanes.rolls, view.aggregations))]
    assert 0 < len(refused) < len(subject.registry.views)
    for view in refused:
        still = ", ".join(one.name for one in view.aggregations if not lanes.rolls(one))
        with pytest.raises(BorderlakeError, match=f"view '{view.name}': {still} cannot be rolled on by a day"):
            tiles.empty(view, DAYS[0])

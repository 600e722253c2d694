"""Views of one source for given events, from no more history than those events need: rows of their own entities, as far
back as the windows reach.

What a rate is drawn to is of everyone: a source that has a view with one is read whole. What is computed of the rows is
`features.windows`; that leaving out the others changes no value is held by tests.
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from features import conditions, windows
from features.views import PRIOR_OF, FeatureView, Kind
from features.windows import BEGAN_AT, EVENT_AT, SIGN, USABLE_AT

_FEW = 8
"""Events are few against so many times their number of rows: what is left out then pays for the search."""


def compute(views: Sequence[FeatureView], events: pl.DataFrame, history: pl.LazyFrame) -> pl.DataFrame:
    """The features of views of one source, side by side, in the order of `events`; see `windows.compute_all`."""
    rows = history.select(_columns(views)).collect()
    is_of_all = any(aggregation.kind is Kind.RATE for view in views for aggregation in view.aggregations)
    if is_of_all or events.height * _FEW > rows.height:
        return windows.compute_all(views, events, rows)
    by_key: dict[object, list[FeatureView]] = {}
    for view in views:
        by_key.setdefault((view.entity, view.keys_in_source), []).append(view)
    made = [windows.compute_all(alike, events, _asked(alike, events, rows)) for alike in by_key.values()]
    names = [aggregation.name for view in views for aggregation in view.aggregations]
    return pl.concat(made, how="horizontal").select(names)


def _asked(views: Sequence[FeatureView], events: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that may count for one of the events, of views of one key."""
    entity, keys = list(views[0].entity), list(views[0].keys_in_source)
    own = rows.select(_columns(views)).join(events.select(entity).unique(), left_on=keys, right_on=entity, how="semi")
    spans = {aggregation.days for view in views for aggregation in view.aggregations}
    if None in spans or not events.height:
        return own
    longest = max(float(days) for days in spans if days is not None)
    # What takes back began when that did which it takes back: both stay, or both go.
    earliest = pl.lit(events[EVENT_AT]).min() - timedelta(days=longest)
    return own.filter(pl.col(BEGAN_AT) >= earliest)


def _columns(views: Sequence[FeatureView]) -> list[str]:
    """Columns that a source must give."""
    needed = {USABLE_AT, BEGAN_AT, SIGN, EVENT_AT}
    for view in views:
        needed.update(view.keys_in_source, conditions.columns_of(view))
        if any(aggregation.kind is Kind.RATE for aggregation in view.aggregations):
            needed.add(PRIOR_OF)
    return sorted(needed)

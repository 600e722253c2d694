"""The point-in-time engine: for each event, a view's values as known strictly before it.

A row of history counts for an event at time t if it became usable (happened *and* was known) before t; in a
window of d days, if it became usable in [t - d, t). A corrected row is taken back at the moment of its
correction, if it still counts then; the correction repeats the row it takes back, but for `usable_at` and `sign`. Rows
usable at exactly t, the event itself among them, do not count.

History is laid out by (entity, time) (`features.layout`), so that "before t" is one search, and a windowed sum is the
difference of two running sums. Values are summed as integers (millionths), which makes every sum exact: a
backfill and a daily run agree to the last bit. Here is what views share of one pass over the same frames, and the pass
itself; what one part computes is `features.parts`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property, partial
from itertools import groupby
from threading import Lock
from typing import TypeVar

import numpy as np
import polars as pl

from features import conditions
from features.declaring import is_number
from features.layout import Codes, Floats, Part, by_time, coded, microseconds, paired, parts_of
from features.parts import PartOfView
from features.prepared import Clock, Columns
from features.views import PRIOR_OF, Aggregation, FeatureView, Kind

USABLE_AT = "usable_at"
"""When a row of history may first be used, or is taken back."""
BEGAN_AT = "began_at"
"""When what the row speaks of could first be used: `usable_at` itself, unless the row takes something back."""
SIGN = "sign"
"""+1 when a row begins to count, -1 when a correction takes it back."""
EVENT_AT = "event_at"

_ZERO_OF_NOTHING = frozenset({Kind.COUNT, Kind.SUM, Kind.DISTINCT})
_NEEDS_OCCURRED = frozenset({Kind.DAYS_SINCE_FIRST, Kind.DAYS_SINCE_LAST, Kind.LAST})

T = TypeVar("T")


def compute(view: FeatureView, events: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """The view's features for each event, one row an event in the order of `events`.

    `events` has the view's entity columns and `event_at`; `history` the entity columns of the source,
    `usable_at`, `began_at`, `sign`, `event_at` and the columns that the aggregations name.
    """
    return compute_all((view,), events, history)


def compute_all(
    views: Sequence[FeatureView], events: pl.DataFrame, history: pl.DataFrame, everyone: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The features of several views of one source, side by side; what they share is prepared once.

    Where `history` is of some entities only, `everyone` has the rows of all, for what rates are drawn to.
    """
    named, flags = conditions.flagged(views)
    history = history.with_columns(flags)
    made: dict[str, pl.Series] = {}
    for where, alike in conditions.by_condition(named).items():
        of_all = None if everyone is None else conditions.kept(everyone, where)
        made |= {column.name: column for column in _computed(alike, events, conditions.kept(history, where), of_all)}
    return pl.DataFrame([made[aggregation.name] for view in views for aggregation in view.aggregations])


def _computed(
    views: Sequence[FeatureView], events: pl.DataFrame, history: pl.DataFrame, everyone: pl.DataFrame | None
) -> list[pl.Series]:
    """The features of views that ask no condition."""
    own = _Pass(events, history, views)
    of_all = own
    if everyone is not None:
        of_all = _Pass(events, everyone, [view for view in views if _has_rate(view)])
    columns: list[pl.Series] = []
    for view in views:
        values = own.of(view, of_all)
        # One at a time, so that no more than one column is held twice.
        columns.extend(own.column(one, values.pop(one.name)) for one in view.aggregations)
    return columns


def _has_rate(view: FeatureView) -> bool:
    return any(aggregation.kind is Kind.RATE for aggregation in view.aggregations)


def _column(aggregation: Aggregation) -> str:
    return aggregation.column or ""


def _prior_of(rate: Aggregation) -> str:
    return f"{rate.column} {rate.days}"


class _Pass:
    """The frames of one pass as arrays, with what its views share: codes of keys, orders by time, priors."""

    def __init__(self, events: pl.DataFrame, history: pl.DataFrame, views: Sequence[FeatureView]) -> None:
        self._events, self._history = events, history
        self._kept: dict[object, object] = {}
        aggregations = [aggregation for view in views for aggregation in view.aggregations]
        needs_occurred = EVENT_AT in history.columns and any(a.kind in _NEEDS_OCCURRED for a in aggregations)
        self._rates = [aggregation for aggregation in aggregations if aggregation.kind is Kind.RATE]
        spans = [aggregation.days for aggregation in aggregations if aggregation.days]
        self._columns = Columns(events, history, history[SIGN].to_numpy())
        self._clock = Clock.over(
            microseconds(events, EVENT_AT),
            microseconds(history, USABLE_AT),
            None if self._columns.signs is None else microseconds(history, BEGAN_AT),
            microseconds(history, EVENT_AT) if needs_occurred else None,
            max(spans, default=0),
        )

    def of(self, view: FeatureView, everyone: "_Pass") -> dict[str, Floats]:
        """Values of each aggregation of the view; `everyone` has the rows that rates are drawn to."""
        codes = self._codes(view.entity, view.keys_in_source)
        rates = [aggregation for aggregation in view.aggregations if aggregation.kind is Kind.RATE]
        priors = {rate.name: everyone.priors[_prior_of(rate)] for rate in rates}
        return self._computed(codes, view.aggregations, priors)

    @cached_property
    def priors(self) -> Mapping[str, Floats]:
        """For each event, the means over all entities of its jurisdiction that the views' rates are drawn to."""
        means = {
            name: replace(rate, name=name, kind=Kind.MEAN)
            for name, rate in {_prior_of(rate): rate for rate in self._rates}.items()
        }
        return self._computed(self._codes((PRIOR_OF,), (PRIOR_OF,)), tuple(means.values()), {})

    def column(self, aggregation: Aggregation, values: Floats) -> pl.Series:
        """Values as a column; of a last value, what the history has where they say."""
        found = pl.Series(aggregation.name, values, nan_to_null=True)
        if aggregation.kind is not Kind.LAST:
            return found
        assert aggregation.column is not None
        held = self._history[aggregation.column]
        last = held.cast(pl.Float64 if is_number(held.dtype) else pl.String).gather(found.cast(pl.UInt32))
        return last.rename(aggregation.name)

    def _codes(self, of_event: Sequence[str], of_source: Sequence[str]) -> Codes:
        return paired(
            [
                self._once(("codes", own, theirs), partial(coded, self._events[own], self._history[theirs]))
                for own, theirs in zip(of_event, of_source, strict=True)
            ]
        )

    def _computed(
        self, codes: Codes, aggregations: Sequence[Aggregation], priors: Mapping[str, Floats]
    ) -> dict[str, Floats]:
        nothing = {a.name: 0.0 if a.kind in _ZERO_OF_NOTHING else np.nan for a in aggregations}
        values = {name: np.full(self._events.height, value) for name, value in nothing.items()}

        by_column = groupby(sorted(aggregations, key=_column), key=_column)
        of_columns = [list(several) for _, several in by_column]

        def fill(part: Part) -> None:
            computed = PartOfView(part, self._clock, self._columns)
            for several in of_columns:
                for aggregation in several:
                    values[aggregation.name][part.events] = computed.of(aggregation, priors.get(aggregation.name))
                computed.forget(several[0].column)

        clock = self._clock
        events_by_time = self._once("events by time", lambda: by_time(clock.moments))
        rows_by_time = events_by_time if clock.is_shared else self._once("rows by time", lambda: by_time(clock.usable))
        are_shared = clock.is_shared and codes.are_shared
        _for_each(fill, parts_of(codes, events_by_time, rows_by_time, clock.bits, are_shared=are_shared))
        return values

    def _once(self, what: object, make: Callable[[], T]) -> T:
        if what not in self._kept:
            self._kept[what] = make()
        kept: T = self._kept[what]  # type: ignore[assignment]
        return kept


def _for_each(work: Callable[[Part], None], parts: Iterator[Part]) -> None:
    """On as many threads as Polars has: numpy lets others run while it searches, sums and sorts.

    Each takes the next part when it has done one, so that no more parts are held than there are threads.
    """
    threads = pl.thread_pool_size()
    taking = Lock()

    def drain() -> None:
        while True:
            with taking:
                part = next(parts, None)
            if part is None:
                return
            work(part)

    if threads == 1:
        drain()
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(drain) for _ in range(threads)]:
            done.result()

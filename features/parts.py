"""What the engine computes of one part, entities with all their history and events: sums, extremes, distinct values.

Sums of a window are differences of running sums; searches and sums are made once a part, whatever the number of
aggregations that rest on them. Sums are of 64 bits where all of the part fits, and of Python's integers where not.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from features import extremes, millionths, spread
from features.layout import AnyInts, Floats, Ints, Part
from features.millionths import MICRO, ROOM, Exact
from features.prepared import US_A_DAY, Clock, Columns
from features.spells import Rows, Spells
from features.views import Aggregation, Days, Kind

_LEAST_ROWS = 3
_LEAST_SPREAD = 0.05
_COUNT, _PRESENT, _TOTAL, _SQUARES = "count", "present", "total", "squares"
_TAIL = "tail"

T = TypeVar("T")
Mask = NDArray[np.bool_]


class PartOfView:
    """A part with its times, and what aggregations share."""

    def __init__(self, part: Part, clock: Clock, columns: Columns) -> None:
        self._part, self._clock, self._columns = part, clock, columns
        self._moments = clock.moments[part.events]
        self._events_at = (part.event_codes << clock.bits) | self._moments
        self._is_shared = part.rows is part.events and clock.is_shared
        self._usable = self._moments if self._is_shared else clock.usable[part.rows]
        self._row_base = part.row_codes << clock.bits
        self._rows_at = self._events_at if self._is_shared else self._row_base | self._usable
        signs = None if columns.signs is None else columns.signs[part.rows]
        self._signs = None if signs is None or not (signs < 0).any() else signs
        self._kept: dict[tuple[object, ...], Any] = {}

    def of(self, aggregation: Aggregation, prior: Floats | None) -> Floats:
        """Values for the part's events; `prior` is of all events and for rates only.

        Of a last value, where in the history it stands.
        """
        column, days = aggregation.column, aggregation.days
        match aggregation.kind:
            case Kind.COUNT:
                return self._sum(_COUNT, None, days).astype(np.float64)
            case Kind.SUM:
                return self._total(_TOTAL, column, days)
            case Kind.MEAN | Kind.SHARE:
                return self._mean(column, days)
            case Kind.STD:
                pieces = {piece: self._sum(piece, column, days) for piece in spread.PIECES}
                return spread.std(self._sum(_PRESENT, column, days), self._sum(_TOTAL, column, days), pieces)
            case Kind.MIN:
                return -self._greatest(-self._measured(column), days)
            case Kind.MAX:
                return self._greatest(self._measured(column), days)
            case Kind.LAST:
                return self._last(_named(column), days)
            case Kind.RATE:
                assert prior is not None
                hits = self._total(_TOTAL, column, days)
                weight = aggregation.prior_weight
                return (hits + weight * prior[self._part.events]) / (self._sum(_PRESENT, column, days) + weight)
            case Kind.DEVIATION:
                return self._deviation(column, days)
            case Kind.GAP:
                return self._own(column) - self._mean(column, days)
            case Kind.DISTINCT if days is None:
                return self._distinct(_named(column)).astype(np.float64)
            case Kind.DISTINCT:
                return self._tally(_named(column), days).distinct()
            case Kind.ENTROPY:
                return self._tally(_named(column), days).entropy()
            case Kind.CONCENTRATION:
                return self._tally(_named(column), days).concentration()
            case Kind.DAYS_SINCE_LAST:
                return self._days_since(is_last=True)
            case Kind.DAYS_SINCE_FIRST:
                return self._days_since(is_last=False)

    def forget(self, column: str | None) -> None:
        """Give away what was kept of a column: of a part of one large entity that is most of the memory."""
        self._kept = {what: value for what, value in self._kept.items() if what[0] == _TAIL or column not in what}

    def _mean(self, column: str | None, days: Days | None) -> Floats:
        count = self._sum(_PRESENT, column, days)
        total = self._total(_TOTAL, column, days)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def _deviation(self, column: str | None, days: Days | None) -> Floats:
        count = self._sum(_PRESENT, column, days)
        safe = np.maximum(count, 1)
        mean = self._total(_TOTAL, column, days) / safe
        squares = self._total(_SQUARES, column, days)
        spread = np.sqrt(np.maximum(squares / safe - mean**2, 0.0)) + _LEAST_SPREAD
        return np.where(count >= _LEAST_ROWS, (self._own(column) - mean) / spread, np.nan)

    def _own(self, column: str | None) -> Floats:
        return self._once(("own", column), lambda: self._columns.own(_named(column))[self._part.events])

    def _numbers(self, column: str | None) -> tuple[Floats, Mask]:
        """The column of the part's rows, 0 where it is absent, and where it is not."""

        def made() -> tuple[Floats, Mask]:
            values = self._columns.numbers(_named(column))[self._part.rows]
            absent = np.isnan(values)
            values[absent] = 0.0
            return values, ~absent

        return self._once(("numbers", column), made)

    def _total(self, what: str, column: str | None, days: Days | None) -> Floats:
        """A sum of millionths over the window, in whole units."""
        total: Floats = self._sum(what, column, days).astype(np.float64) / MICRO
        return total

    def _sum(self, what: str, column: str | None, days: Days | None) -> Ints:
        """A sum over the window, as an integer."""
        return self._once(("sum", what, column, days), lambda: self._window(what, column, days))

    def _window(self, what: str, column: str | None, days: Days | None) -> Ints:
        if self._signs is None:
            if what == _COUNT:
                return self._before - self._tail(days)
            running = self._running(what, column)
            head = self._once(("head", what, column), lambda: running[self._before])
            return head - running[self._tail(days)]
        signed = self._values(what, column) * self._signs
        if days is None:
            running = _running(signed)
            return running[self._before] - running[self._start]
        # What had left the window before its correction must not be taken from it a second time.
        span = self._clock.span(days)
        assert self._clock.began is not None
        began = self._clock.began[self._part.rows]
        signed = np.where((self._signs < 0) & (self._usable - began >= span), 0, signed)
        rows_began = self._row_base | began
        order = np.argsort(rows_began, kind="stable")
        begun = np.searchsorted(rows_began[order], self._events_at - span, side="left")
        return _running(signed)[self._before] - _running(signed[order])[begun]

    @cached_property
    def _before(self) -> Ints:
        """For each event, how many rows of the part lie before its entity and moment."""
        if self._is_shared:  # Where its run of equals begins.
            begins = np.flatnonzero(np.append(True, self._rows_at[1:] != self._rows_at[:-1]))
            return np.repeat(begins, np.diff(np.append(begins, self._rows_at.size)))
        return np.searchsorted(self._rows_at, self._events_at, side="left")

    @cached_property
    def _start(self) -> Ints:
        """For each event, where its entity's rows begin."""
        return np.searchsorted(self._part.row_codes, self._part.event_codes, side="left")

    def _tail(self, days: Days | None) -> Ints:
        """For each event, where its window begins among the rows."""
        if days is None:
            return self._start
        behind = self._clock.span(days)
        return self._once((_TAIL, days), lambda: np.searchsorted(self._rows_at, self._events_at - behind, side="left"))

    def _running(self, what: str, column: str | None) -> Ints:
        return self._once(("running", what, column), lambda: _running(self._values(what, column)))

    def _values(self, what: str, column: str | None) -> AnyInts | Mask | Exact:
        """A number a row: one, one where the column is present, the column or its square in millionths.

        Of Python's integers where 64 bits might not hold the sum of all rows.
        """
        if what == _COUNT:
            return np.ones(self._part.rows.shape, np.int64)
        values, present = self._numbers(column)
        if what == _PRESENT:
            return present
        powered = values * values if what == _SQUARES else values
        if what in spread.PIECES:
            pieces = spread.piece(what, millionths.fixed(powered))
            return pieces if pieces.sum(dtype=np.float64) < ROOM else pieces.astype(np.object_)
        greatest = self._columns.greatest(_named(column)) ** (2 if what == _SQUARES else 1)
        fits = values.size * (greatest * MICRO + 1) < ROOM
        return millionths.fixed(powered) if fits else millionths.exact(powered)

    def _measured(self, column: str | None) -> Floats:
        """The column of the part's rows, NaN where it is no finite number; a copy of its own."""
        measured: Floats = self._columns.numbers(_named(column))[self._part.rows]
        return measured

    def _once(self, what: tuple[object, ...], make: Callable[[], T]) -> T:
        if what not in self._kept:
            self._kept[what] = make()
        kept: T = self._kept[what]
        return kept

    def _distinct(self, column: str) -> Ints:
        """Values held by at least one row: a value comes with its first row and goes when the last is taken back."""
        kinds = self._columns.kinds(column)[self._part.rows]
        order = np.lexsort((kinds, self._part.row_codes))
        key = np.stack([self._part.row_codes[order], kinds[order]])
        begins = np.append(True, (key[:, 1:] != key[:, :-1]).any(axis=0))[: order.size]
        signs = np.ones(order.shape, np.int64) if self._signs is None else self._signs[order]
        summed = np.cumsum(signs)
        starts = np.flatnonzero(begins)
        held = summed - np.repeat(summed[starts] - signs[starts], np.diff(np.append(starts, order.size)))
        change = np.empty(order.shape, np.int64)
        change[order] = (held > 0).astype(np.int64) - (held - signs > 0).astype(np.int64)
        running = _running(np.where(kinds < 0, 0, change))
        return running[self._before] - running[self._start]

    def _spells(self, held: Ints, days: Days | None) -> Spells:
        """When each row counts in a window, of those that hold something: not less than 0."""
        began = None if self._clock.began is None else self._clock.began[self._part.rows]
        rows = Rows(self._row_base, self._usable, began, self._signs, (1 << self._clock.bits) - 1)
        return rows.spells(held, None if days is None else self._clock.span(days))

    def _greatest(self, values: Floats, days: Days | None) -> Floats:
        distinct, ranks = extremes.ranked(values)
        return extremes.at(distinct, extremes.highest(self._spells(ranks, days), self._events_at))

    def _last(self, column: str, days: Days | None) -> Floats:
        """Where in the history the row stands that happened last and has a value."""
        assert self._clock.occurred is not None
        rows, values = self._part.rows, self._columns.order(column)[self._part.rows]
        began = self._usable if self._clock.began is None else self._clock.began[rows]
        order, ranks = extremes.in_order(self._clock.occurred[rows], began, values, present=values >= 0)
        return extremes.at(rows[order], extremes.highest(self._spells(ranks, days), self._events_at))

    def _tally(self, column: str, days: Days | None) -> spread.Tally:
        held = self._columns.kinds(column)[self._part.rows].astype(np.int64)
        return spread.Tally(self._spells(held, days), self._events_at, self._clock.bits)

    def _days_since(self, *, is_last: bool) -> Floats:
        assert self._clock.occurred is not None
        if not self._part.rows.size:
            return np.full(self._moments.shape, np.nan)
        occurred = self._clock.occurred[self._part.rows]
        # Entities ascend, so that an extreme of one is never that of the next.
        if self._signs is not None:
            times, ranks = np.unique(occurred if is_last else -occurred, return_inverse=True)
            at = extremes.at(np.abs(times), extremes.highest(self._spells(ranks, None), self._events_at))
            return (self._moments - at) / US_A_DAY
        at = (
            np.maximum.accumulate(self._row_base + occurred) - self._row_base
            if is_last
            else np.minimum.accumulate(occurred - self._row_base) + self._row_base
        )
        found = self._before > self._start
        return np.where(found, (self._moments - at[np.maximum(self._before - 1, 0)]) / US_A_DAY, np.nan)


def _running(values: AnyInts | Mask | Exact) -> Ints:
    """Running sums with a leading zero."""
    running: NDArray[Any] = np.zeros(values.size + 1, object if values.dtype == object else np.int64)
    np.cumsum(values, out=running[1:])
    return running


def _named(column: str | None) -> str:
    assert column is not None
    return column

"""Times and columns of one pass, each made ready once for all its parts; what is computed is `features.parts`."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any, TypeVar

import numpy as np
import polars as pl

from features import millionths
from features.declaring import is_number
from features.layout import AnyInts, Floats, Ints, alike, coded
from features.views import Days

US_A_DAY = 86_400_000_000

T = TypeVar("T")


@dataclass(frozen=True)
class Clock:
    """All times of a pass in microseconds from one origin, early enough that a window before it is not negative."""

    moments: Ints
    usable: Ints
    began: Ints | None
    """None where nothing is taken back."""
    occurred: Ints | None
    bits: int
    """Every time, less any window, is below 2 to the power of it."""
    range_us: int

    @staticmethod
    def over(moments: Ints, usable: Ints, began: Ints | None, occurred: Ints | None, longest_days: Days) -> "Clock":
        """Times of the epoch, of which no window is longer than `longest_days`."""
        if moments.size == usable.size and np.array_equal(moments, usable):
            usable = moments
        every = [times for times in (moments, usable, began, occurred) if times is not None and times.size]
        least = min((int(times.min()) for times in every), default=0)
        most = max((int(times.max()) for times in every), default=0)
        range_us = most - least + 1  # A window of all of it holds as much as any longer one.
        origin = least - min(int(longest_days * US_A_DAY), range_us)
        shifted = moments - origin
        return Clock(
            shifted,
            shifted if usable is moments else usable - origin,
            None if began is None else began - origin,
            None if occurred is None else occurred - origin,
            (most - origin + 1).bit_length(),
            range_us,
        )

    @property
    def is_shared(self) -> bool:
        """Whether events and rows of the history have the same times, in the same order."""
        return self.usable is self.moments

    def span(self, days: Days) -> int:
        """A window in microseconds."""
        return min(int(days * US_A_DAY), self.range_us)


class Columns:
    """Columns of events and history, each made ready once for all parts."""

    def __init__(self, events: pl.DataFrame, history: pl.DataFrame, signs: Ints) -> None:
        self._events, self._history = events, history
        self._kept: dict[tuple[str, str], Any] = {}
        self._lock = RLock()
        self.signs = signs if bool((signs < 0).any()) else None
        """None where nothing is taken back."""

    def numbers(self, name: str) -> Floats:
        """The history's column as numbers; NaN where it is null or no number that can be measured."""
        return self._once("numbers", name, lambda: millionths.known(self._history[name]))

    def greatest(self, name: str) -> float:
        """No number of the history's column is greater in size."""
        return self._once("greatest", name, lambda: float(np.fmax.reduce(np.abs(self.numbers(name)), initial=0.0)))

    def own(self, name: str) -> Floats:
        """The events' column as numbers; NaN where it is null or no number that can be measured."""

        def made() -> Floats:
            values = self._events[name]
            is_history_s = name in self._history.columns and alike(
                values.cast(pl.Float64), self._history[name].cast(pl.Float64)
            )
            return self.numbers(name) if is_history_s else millionths.known(values)

        return self._once("own", name, made)

    def order(self, name: str) -> Ints:
        """Where each value of the history's column stands among all, from 0; -1 where it is null or no finite number.

        Equal values stand alike, in whatever order the rows come.
        """

        def made() -> Ints:
            column = self._history[name]
            values = pl.Series(_finite(column), nan_to_null=True) if is_number(column.dtype) else column
            return (values.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()

        return self._once("order", name, made)

    def kinds(self, name: str) -> AnyInts:
        """The history's column as codes from 0, -1 where it is null."""
        column = self._history[name]
        return self._once("kinds", name, lambda: coded(column.clear(), column).history)

    def _once(self, what: str, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            if (what, name) not in self._kept:
                self._kept[what, name] = make()
            kept: T = self._kept[what, name]
            return kept


def _finite(column: pl.Series) -> Floats:
    """A column as numbers; NaN where it is null or no finite number."""
    values: Floats = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    ends = np.isinf(values)
    return np.where(ends, np.nan, values) if ends.any() else values

"""Days of goods for `bench growth`, each made from its own number, so that any of them can be made again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from features.tiles import midnight
from features.views import Aggregation, FeatureView, Kind
from features.windows import BEGAN_AT, EVENT_AT, SIGN, USABLE_AT
from warehouse.contracts.base import Purpose

LAST = date(2025, 6, 30)
"""The day that is added; the past ends before it."""
SOURCE = "goods"
WINDOWS = (7, 30, 90, 365)
_CORRECTED_AFTER_DAYS = (3, 20)
_CORRECTED_SHARE = 0.005
_LATE_SHARE = 0.02
_US_A_DAY = 86_400_000_000
_PARTS_OF_DAYS = 5
_JURISDICTIONS, _PRODUCTS = 4, 1_200


def _each(name: str, kind: Kind, column: str | None, *windows: int | None) -> list[Aggregation]:
    return [Aggregation(f"{name}_{kind}_{days or 'life'}", kind, "d", "u", column, days) for days in windows]


def _view(name: str, *aggregations: list[Aggregation]) -> FeatureView:
    flat = tuple(one for some in aggregations for one in some)
    return FeatureView(name, (name,), SOURCE, flat, "customs", frozenset({Purpose.CUSTOMS_RISK}), "d")


VIEWS = (
    _view(
        "importer",
        _each("importer", Kind.COUNT, None, *WINDOWS, None),
        _each("importer", Kind.SUM, "value", *WINDOWS),
        _each("importer", Kind.MEAN, "value", 30, 365),
        _each("importer", Kind.RATE, "is_adverse", 90, 365),
        _each("importer", Kind.DEVIATION, "value", 365),
        _each("importer", Kind.DAYS_SINCE_LAST, None, None),
    ),
    _view(
        "product",
        _each("product", Kind.COUNT, None, *WINDOWS),
        _each("product", Kind.MEAN, "value", *WINDOWS),
        _each("product", Kind.GAP, "value", 365),
    ),
)


@dataclass(frozen=True)
class Goods:
    """Goods of every day: so many events, of so many importers, the first of which are busier."""

    events_a_day: int
    entities: int
    seed: int

    def day(self, day: date) -> pl.DataFrame:
        """What became usable on `day`: its events, some of them late, and corrections of earlier days."""
        corrected = [self._taken_back(day, after) for after in _CORRECTED_AFTER_DAYS]
        return pl.concat([self._fresh(day), *corrected])

    def parts(self, first: date, last: date) -> Iterator[dict[str, pl.DataFrame]]:
        """The days from `first` to `last`, a few at a time; nothing before `first` is corrected."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        for start in range(0, len(days), _PARTS_OF_DAYS):
            some = pl.concat([self.day(day) for day in days[start : start + _PARTS_OF_DAYS]])
            yield {SOURCE: some.filter(pl.col(BEGAN_AT) >= midnight(first))}

    def events(self, day: date) -> pl.DataFrame:
        """The events that happened on the day, in order."""
        keys = ("importer", "product", "jurisdiction", "value", EVENT_AT)
        return self._fresh(day).filter(pl.col(EVENT_AT) >= midnight(day)).select(keys).sort(EVENT_AT)

    def _fresh(self, day: date) -> pl.DataFrame:
        draw = np.random.default_rng([self.seed, day.toordinal()])
        count = self.events_a_day
        start = int(midnight(day).timestamp()) * 1_000_000
        usable = start + draw.integers(0, _US_A_DAY, count)
        late = draw.random(count) < _LATE_SHARE
        happened = usable - np.where(late, draw.integers(0, 20 * _US_A_DAY, count), 0)
        importers = (self.entities * draw.random(count) ** 1.5).astype(np.int64)
        frame = pl.DataFrame(
            {
                "importer": importers,
                "product": draw.integers(0, _PRODUCTS, count),
                "jurisdiction": draw.integers(0, _JURISDICTIONS, count),
                "value": np.round(draw.lognormal(3, 1, count), 2),
                "is_adverse": (draw.random(count) < 0.03).astype(np.int8),
                EVENT_AT: happened,
                BEGAN_AT: usable,
                USABLE_AT: usable,
                SIGN: np.ones(count, np.int64),
            }
        )
        named = [pl.concat_str(pl.lit(name[0]), pl.col(name)).alias(name) for name in ("importer", "product")]
        moments = [pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC") for name in _TIMES]
        return frame.with_columns(*named, *moments, pl.concat_str(pl.lit("X"), "jurisdiction").alias("jurisdiction"))

    def _taken_back(self, day: date, after_days: int) -> pl.DataFrame:
        """Rows of an earlier day that are taken back at noon of this one; of two days, other rows."""
        before = self._fresh(day - timedelta(days=after_days))
        place = _CORRECTED_AFTER_DAYS.index(after_days)
        every = max(1, int(1 / _CORRECTED_SHARE))
        noon = pl.lit(midnight(day) + timedelta(hours=12)).cast(pl.Datetime("us", "UTC"))
        return before.gather_every(every, place).with_columns(noon.alias(USABLE_AT), pl.lit(-1, pl.Int64).alias(SIGN))


_TIMES = (EVENT_AT, BEGAN_AT, USABLE_AT)

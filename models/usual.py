"""What is usual: quartiles of the numbers that training rows hold, overall and among events of a kind.

A price is high or low for such goods, not for all goods. Kinds are tried from narrow to wide; a kind of few training
rows says nothing of what is usual, and the next wider one is asked. Quartiles are of all training rows, whatever came
of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Quartiles = tuple[float, float]

LEAST_ROWS = 20
"""Training rows of a kind, with a value, from which its quartiles say what is usual."""


@dataclass(frozen=True)
class Kind:
    """Events that are of one kind where they agree in some columns: `words` say which, with a place for each value."""

    columns: tuple[str, ...]
    words: str

    def names(self, events: pl.DataFrame) -> pl.Series:
        """The kind of each event, in words; null where a column that tells it is missing."""
        if not set(self.columns) <= set(events.columns):
            return pl.repeat(None, events.height, dtype=pl.String, eager=True)
        values = [pl.col(name).cast(pl.String) for name in self.columns]
        return events.select(pl.format(self.words, *values)).to_series()


KINDS: dict[str, tuple[Kind, ...]] = {
    "shipments": (
        Kind(("hs_code", "country_of_origin"), "HS {} from {}"),
        Kind(("hs4", "country_of_origin"), "HS heading {} from {}"),
        Kind(("hs4",), "HS heading {}"),
        Kind(("hs2",), "HS chapter {}"),
    ),
    "crossings": (
        Kind(("nationality", "port"), "nationality {} at {}"),
        Kind(("nationality",), "nationality {}"),
        Kind(("port",), "all travellers at {}"),
    ),
}
"""Kinds of each subject's events, narrow to wide."""


@dataclass(frozen=True)
class Ranges:
    """What is usual for each of some events: quartiles, and of what; NaN and null where nothing is known."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    among: pl.Series
    """The kind in words; null: of all events."""

    def of_kinds(self) -> "Ranges":
        """The same, and nothing where it is of all events."""
        of_all = self.among.is_null().to_numpy()
        return Ranges(np.where(of_all, np.nan, self.low), np.where(of_all, np.nan, self.high), self.among)


@dataclass(frozen=True)
class Usual:
    """Quartiles as learnt from training rows; plain values, for the bundle of a model."""

    overall: Mapping[str, Quartiles] = field(default_factory=dict)
    """By feature."""
    kinds: tuple[Kind, ...] = ()
    of_kinds: Mapping[str, Mapping[str, Quartiles]] = field(default_factory=dict)
    """By feature and the kind in words."""

    @staticmethod
    def of(stored: Mapping[str, Any]) -> "Usual":
        """As it was written with `dataclasses.asdict`, by way of JSON."""
        kinds = tuple(Kind(tuple(kind["columns"]), kind["words"]) for kind in stored["kinds"])
        of_kinds = {name: _tuples(found) for name, found in stored["of_kinds"].items()}
        return Usual(_tuples(stored["overall"]), kinds, of_kinds)

    def ranges(self, feature: str, events: pl.DataFrame) -> Ranges:
        """What is usual of a feature for each event: of its narrowest kind that is known, or of all."""
        low, high = self.overall.get(feature, (np.nan, np.nan))
        lows, highs = np.full(events.height, low), np.full(events.height, high)
        among = pl.repeat(None, events.height, dtype=pl.String, eager=True)
        known = self.of_kinds.get(feature, {})
        if known:
            for kind in reversed(self.kinds):
                names = kind.names(events)
                found = _among(names, known)
                is_known = ~np.isnan(found[0])
                lows, highs = np.where(is_known, found[0], lows), np.where(is_known, found[1], highs)
                among = names.zip_with(pl.Series(is_known), among)
        return Ranges(lows, highs, among)


def _tuples(stored: Mapping[str, Sequence[float]]) -> dict[str, Quartiles]:
    return {name: (low, high) for name, (low, high) in stored.items()}


def learn(rows: pl.DataFrame, numbers: Sequence[str], own: Sequence[str], kinds: tuple[Kind, ...]) -> Usual:
    """Quartiles of `numbers` over all rows, and of those that are the event's `own` within each kind."""
    overall = {name: found for name in numbers if (found := _overall(rows[name])) is not None}
    told = [kind for kind in kinds if set(kind.columns) <= set(rows.columns)]
    by_kind = [_of_kind(rows, kind, own) for kind in told]
    of_kinds = {name: {of: range_ for found in by_kind for of, range_ in found[name].items()} for name in own}
    return Usual(overall, kinds, {name: found for name, found in of_kinds.items() if found})


def _overall(values: pl.Series) -> Quartiles | None:
    low, high = values.quantile(0.25), values.quantile(0.75)
    return None if low is None or high is None else (float(low), float(high))


def _of_kind(rows: pl.DataFrame, kind: Kind, own: Sequence[str]) -> dict[str, dict[str, Quartiles]]:
    """Quartiles of each feature, by the kind in words."""
    named = rows.select(*own).with_columns(kind.names(rows).alias("kind")).drop_nulls("kind")
    found = named.group_by("kind").agg(
        *(pl.col(name).quantile(0.25).alias(f"low {name}") for name in own),
        *(pl.col(name).quantile(0.75).alias(f"high {name}") for name in own),
        *(pl.col(name).count().alias(f"rows {name}") for name in own),
    )
    return {name: _ranges_of(found.filter(pl.col(f"rows {name}") >= LEAST_ROWS).sort("kind"), name) for name in own}


def _ranges_of(found: pl.DataFrame, name: str) -> dict[str, Quartiles]:
    return {kind: (low, high) for kind, low, high in found.select("kind", f"low {name}", f"high {name}").iter_rows()}


def _among(names: pl.Series, known: Mapping[str, Quartiles]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The quartiles that stand under each name; NaN where none do."""
    places = {name: at for at, name in enumerate(known, start=1)}
    at = names.replace_strict(places, default=0, return_dtype=pl.Int64).fill_null(0).to_numpy()
    bounds = np.array([(np.nan, np.nan), *known.values()])
    return bounds[at, 0], bounds[at, 1]

"""Stored vectors that wait for a score of a model version, a part of a few whole days at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from features import served, vectors
from features.served import PACKED, Served
from features.vectors import Subject
from models.tracking import Registered
from warehouse import catalog
from warehouse.catalog import Table
from warehouse.delta import Lake

_PART_ROWS = 50_000
"""A part is closed once its days have so many events."""
_KEY = ("event_id", "event_version")


@dataclass(frozen=True)
class Waiting:
    """The events of a subject that a model version may score, and those that it has scored."""

    lake: Lake
    subject: Subject
    registered: Registered
    scores: Table

    def parts(self, days: Sequence[date]) -> Iterator[Served]:
        """Vectors that wait, whole days together; parts without any are left out.

        The tables are opened once: each part is read from them as they were when the first was asked for.
        """
        stored, done, places = self._stored(days), self._done(), self._places()
        counts = dict(stored.group_by("received_on").len().collect().iter_rows())
        for some in _together(sorted(counts), counts):
            of_days = pl.col("received_on").is_in(some)
            part = self._served(*(rows.filter(of_days) for rows in (stored, done, places)))
            if len(part):
                yield part

    def _served(self, stored: pl.LazyFrame, done: pl.LazyFrame, places: pl.LazyFrame) -> Served:
        """The vectors that are not done, with the location and the context of each event."""
        names, scored = vectors.feature_set(self.subject.registry), done.select(_KEY).collect()
        if scored.height:
            stored = stored.join(scored.lazy(), on=_KEY, how="anti", maintain_order="left")
        found = stored.collect()
        described = places.drop("received_on").collect()
        # What is long is not joined.
        events = found.drop(PACKED).join(described, on=_KEY, how="left", maintain_order="left", validate="m:1")
        return served.of_packed(events, found.select(PACKED), names.numbers, names.categories)

    def _stored(self, days: Sequence[date]) -> pl.LazyFrame:
        """Stored vectors of the days that this version may score."""
        names = vectors.feature_set(self.subject.registry)
        return self.lake.scan(catalog.table_of(f"gold.event_features__{self.subject.name}")).filter(
            pl.col("received_on").is_in(list(days))
            & (pl.col("feature_set") == names.digest)
            & pl.col("jurisdiction").is_in(list(self.registered.model.bundle.jurisdictions))
        )

    def _done(self) -> pl.LazyFrame:
        """Events that this version has scored."""
        return self.lake.scan(self.scores).filter(pl.col("model_version") == self.registered.version)

    def _places(self) -> pl.LazyFrame:
        """Location and context of events, and their day of delivery."""
        described = self.subject.attributes(self.lake.scan(catalog.table_of(f"silver.{self.subject.name}")))
        location = pl.col(self.subject.location).alias("location")
        return described.select(*_KEY, "received_on", *self.subject.context, location)


def _together(days: Sequence[date], counts: dict[date, int]) -> Iterator[list[date]]:
    """Days in their order, as many together as make a part."""
    some: list[date] = []
    for day in days:
        some.append(day)
        if sum(counts[each] for each in some) >= _PART_ROWS:
            yield some
            some = []
    if some:
        yield some

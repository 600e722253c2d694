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

_PART_ROWS = 100_000
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
        """Vectors that wait, whole days together; parts without any are left out."""
        counts = dict(self._stored(days).group_by("received_on").len().collect().iter_rows())
        for some in _together(sorted(counts), counts):
            part = self._vectors(some)
            if len(part):
                yield part

    def _vectors(self, days: Sequence[date]) -> Served:
        """Vectors that wait, with the location and the context of each event."""
        stored, done = self._stored(days), self._done(days)
        if done.height:
            stored = stored.join(done.lazy(), on=_KEY, how="anti", maintain_order="left")
        found = stored.collect()
        names = vectors.feature_set(self.subject.registry)
        # What is long is not joined.
        events = found.drop(PACKED).join(self._places(days), on=_KEY, how="left", maintain_order="left", validate="m:1")
        return served.of_packed(events, found.select(PACKED), names.numbers, names.categories)

    def _stored(self, days: Sequence[date]) -> pl.LazyFrame:
        """Stored vectors of the days that this version may score."""
        names = vectors.feature_set(self.subject.registry)
        return self.lake.scan(catalog.table_of(f"gold.event_features__{self.subject.name}")).filter(
            pl.col("received_on").is_in(list(days))
            & (pl.col("feature_set") == names.digest)
            & pl.col("jurisdiction").is_in(list(self.registered.model.bundle.jurisdictions))
        )

    def _done(self, days: Sequence[date]) -> pl.DataFrame:
        """Events of the days that this version has scored."""
        by_version = pl.col("model_version") == self.registered.version
        of_days = pl.col("received_on").is_in(list(days))
        return self.lake.scan(self.scores).filter(by_version & of_days).select(_KEY).collect()

    def _places(self, days: Sequence[date]) -> pl.DataFrame:
        """Location and context of the days' events."""
        table = catalog.table_of(f"silver.{self.subject.name}")
        described = self.subject.attributes(self.lake.scan(table).filter(pl.col("received_on").is_in(list(days))))
        return described.select(*_KEY, *self.subject.context, location=pl.col(self.subject.location)).collect()


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

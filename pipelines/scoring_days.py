"""Scoring of delivered days: vectors read, scored, put in lanes and written, a part of a few days at a time.

A part is of whole days, since lanes are filled within a day; while it is scored, the next one is read and the one
before written. What is held in memory is what three parts take, however many days there are.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from features import vectors
from features.vectors import Subject
from models import abstention, scoring, selection
from models.scoring import ACTED_ON, Explaining
from models.spec import ModelSpec
from models.tracking import Registered
from pipelines.deployment import Deployment
from warehouse import catalog
from warehouse.catalog import Table

_PART_ROWS = 100_000
"""A part is closed once its days have so many events."""
_KEY = ("event_id", "event_version")
_RANKED_BY = ("raw_score", "probability", "expected_recovery", "event_at")
_ORDER = ("event_date", "event_at", *_KEY)


@dataclass(frozen=True)
class Scorer:
    """One model version at work on the events of its subject."""

    deployment: Deployment
    spec: ModelSpec
    registered: Registered
    scored_at: datetime
    explaining: Explaining = ACTED_ON

    @property
    def subject(self) -> Subject:
        return self.deployment.subject(self.spec.subject)

    @property
    def scores(self) -> Table:
        return catalog.table_of(f"gold.{self.spec.outcome}_scores")

    @property
    def selections(self) -> Table:
        return catalog.table_of(f"gold.{self.spec.outcome}_selections")

    def run(self, days: Sequence[date]) -> pl.DataFrame:
        """Score the events of `days` that this version has not scored; returns events by day and lane."""
        counts: list[pl.DataFrame] = []
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
            writing: Future[None] | None = None
            for part in _ahead(self.parts(days), reader):
                made = self._scored(part)
                if writing is not None:
                    writing.result()
                writing = writer.submit(self._write, *made)
                counts.append(made[1].group_by("received_on", "lane").len("events"))
            if writing is not None:
                writing.result()
        nothing = pl.DataFrame(schema={"received_on": pl.Date, "lane": pl.String, "events": pl.UInt32})
        return pl.concat([nothing, *counts]).sort("received_on", "lane")

    def _scored(self, waiting: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows of the two tables."""
        model, version = self.registered.model, self.registered.version
        features = self.subject.registry.features
        bundle = model.bundle
        marked = waiting.with_columns(
            abstained_for=abstention.abstained_for(bundle.ground, bundle.encoder, bundle.jurisdictions, waiting)
        )
        scores = scoring.score(model, version, features, marked, self.scored_at, self.explaining)
        # Lanes are sorted to and fro: what they neither rest on nor tell would be carried along.
        slim = scores.select(name for name in scores.columns if name in self.selections.columns or name in _RANKED_BY)
        capacities, key = self.deployment.capacities(self.subject.name), self.deployment.vault_key
        lanes = selection.select(slim, capacities, key, earlier=self._placed(scores["received_on"].unique().to_list()))
        return scores, lanes.sort(_ORDER)

    def _write(self, scores: pl.DataFrame, lanes: pl.DataFrame) -> None:
        self.deployment.lake.append(self.scores, scores)
        self.deployment.lake.append(self.selections, lanes)

    def parts(self, days: Sequence[date]) -> Iterator[pl.DataFrame]:
        """Vectors that wait for a score, whole days together; parts without any are left out."""
        counts = dict(self._stored(days).group_by("received_on").len().collect().iter_rows())
        for some in _together(sorted(counts), counts):
            part = self._vectors(some)
            if part.height:
                yield part

    def _stored(self, days: Sequence[date]) -> pl.LazyFrame:
        """Stored vectors of the days that this version may score."""
        names = vectors.feature_set(self.subject.registry)
        return self.deployment.lake.scan(catalog.table_of(f"gold.event_features__{self.subject.name}")).filter(
            pl.col("received_on").is_in(list(days))
            & (pl.col("feature_set") == names.digest)
            & pl.col("jurisdiction").is_in(list(self.registered.model.bundle.jurisdictions))
        )

    def _done(self, days: Sequence[date]) -> pl.DataFrame:
        """Events of the days that this version has scored."""
        by_version = pl.col("model_version") == self.registered.version
        of_days = pl.col("received_on").is_in(list(days))
        return self.deployment.lake.scan(self.scores).filter(by_version & of_days).select(_KEY).collect()

    def _placed(self, days: Sequence[date]) -> pl.DataFrame:
        """Selections of the days that this version has made already."""
        by_version = pl.col("model_version") == self.registered.version
        of_days = pl.col("received_on").is_in(list(days))
        return self.deployment.lake.scan(self.selections).filter(by_version & of_days).collect()

    def _vectors(self, days: Sequence[date]) -> pl.DataFrame:
        """Vectors that wait, one column a feature, with the location and the context of each event."""
        events = self.deployment.lake.scan(self.subject_table).filter(pl.col("received_on").is_in(list(days)))
        described = self.subject.attributes(events)
        places = described.select(*_KEY, *self.subject.context, location=pl.col(self.subject.location))
        waiting, done = self._stored(days), self._done(days)
        if done.height:
            waiting = waiting.join(done.lazy(), on=_KEY, how="anti", maintain_order="left")
        joined = waiting.join(places, on=_KEY, how="left", maintain_order="left").collect()
        return vectors.unpack(joined, vectors.feature_set(self.subject.registry))

    @property
    def subject_table(self) -> Table:
        return catalog.table_of(f"silver.{self.subject.name}")


def _ahead(parts: Iterator[pl.DataFrame], reader: ThreadPoolExecutor) -> Iterator[pl.DataFrame]:
    """The parts, each read while the one before is at work."""
    reading = reader.submit(next, parts, None)
    while (part := reading.result()) is not None:
        reading = reader.submit(next, parts, None)
        yield part


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

"""Scoring of delivered days: vectors read, scored, put in lanes and written, a part of a few whole days at a time.

A part is of whole days, since lanes are filled within a day. While the trees are at work on one, the next is read and
the one before put in lanes and written: what is held in memory is what a few parts take, however many days there are.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from features.vectors import Subject
from models import scoring, selection
from models.datasets import Floats
from models.scoring import ACTED_ON, Explaining, Part
from models.spec import ModelSpec
from models.tracking import Registered
from pipelines.deployment import Deployment
from pipelines.waiting import Waiting
from warehouse import catalog
from warehouse.ahead import Ahead
from warehouse.catalog import Table

_COUNTS = {"received_on": pl.Date, "lane": pl.String, "events": pl.UInt32}
_RANKED_BY = ("raw_score", "probability", "expected_recovery", "event_at")


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
        counts, before = [pl.DataFrame(schema=_COUNTS)], self._selected()
        with closing(Ahead(self.parts(days))) as parts, closing(Ahead(self._predicted(parts))) as predicted:
            for part, raw in predicted:
                scores = self._scored(part, raw)
                lanes = self._placed(scores, before)
                self.deployment.lake.append(self.scores, scores)
                self.deployment.lake.append(self.selections, lanes)
                counts.append(lanes.group_by("received_on", "lane").len("events"))
        return pl.concat(counts).sort("received_on", "lane")

    def parts(self, days: Sequence[date]) -> Iterator[Part]:
        """What waits for a score, as the model sees it."""
        waiting = Waiting(self.deployment.lake, self.subject, self.registered, self.scores)
        for served in waiting.parts(days):
            yield scoring.prepared(self.registered.model, served)

    def _predicted(self, parts: Ahead[Part]) -> Iterator[tuple[Part, Floats]]:
        """The parts with their raw scores."""
        for part in parts:
            yield part, self.registered.model.raw_scores(part.encoded.matrix)

    def _scored(self, part: Part, raw: Floats) -> pl.DataFrame:
        """Rows of the table of scores."""
        model, version = self.registered.model, self.registered.version
        features = self.subject.registry.features
        return scoring.rows(model, version, features, part, raw, self.scored_at, self.explaining)

    def _placed(self, scores: pl.DataFrame, before: pl.LazyFrame) -> pl.DataFrame:
        """Rows of the table of selections, in the order of the scores, upon those of the same days from before."""
        # Lanes are sorted to and fro: what they neither rest on nor tell would be carried along.
        rested_on = {*_RANKED_BY, *self.selections.columns}
        slim = scores.select(name for name in scores.columns if name in rested_on)
        capacities, key = self.deployment.capacities(self.subject.name), self.deployment.vault_key
        earlier = before.filter(pl.col("received_on").is_in(scores["received_on"].unique().to_list())).collect()
        return selection.select(slim.with_row_index("at"), capacities, key, earlier=earlier).sort("at")

    def _selected(self) -> pl.LazyFrame:
        """Selections that this version has made until now; a part's days are no other part's."""
        return self.deployment.lake.scan(self.selections).filter(pl.col("model_version") == self.registered.version)

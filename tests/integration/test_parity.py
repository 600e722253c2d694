"""A small simulated border with late files and many corrections: what was served is what is trained on, and days
replayed by what was known are one pass, through the engine and through tiles in the lake."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import simulation
from features import lanes, vectors, windows
from features.sources import SOURCES, Silver
from features.tiles import midnight
from features.vectors import SUBJECTS, feature_set
from features.views import FeatureView
from features.windows import EVENT_AT, USABLE_AT
from models import datasets
from pipelines import flows
from pipelines.deployment import Deployment
from pipelines.rolling import Rolling
from simulation import defects, feeds
from tests.integration.conftest import deployment_in
from warehouse import catalog
from warehouse.catalog import SILVER
from warehouse.conform import conform
from warehouse.delta import Lake

START, DAYS, SCALE, SEED = date(2025, 1, 1), 6, 0.04, 5
SERVED_BY = date(2025, 1, 6)
"""Events delivered up to this day are scored before the rest arrives."""
DAY = timedelta(days=1)
NOW = datetime(2025, 2, 1, tzinfo=UTC)
KEY = ["event_id", "event_version"]
OUTCOME_OF = {"shipments": "shipment", "crossings": "crossing"}

every_subject = pytest.mark.parametrize("name", SUBJECTS)


@dataclass(frozen=True)
class Border:
    """A deployment that served a part of its events before the rest of the files came."""

    deployment: Deployment
    served: dict[str, pl.DataFrame]

    @property
    def silver(self) -> Silver:
        return self.deployment.silver()

    def one_pass(self, name: str) -> pl.DataFrame:
        """Vectors of all events, computed with all that there is."""
        subject = self.deployment.subject(name)
        return vectors.compute(subject, flows.events_to_score(self.deployment, name), self.silver)


@pytest.fixture(scope="module")
def border(tmp_path_factory: pytest.TempPathFactory) -> Border:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds, "DECLARATIONS", replace(feeds.DECLARATIONS, late_share=0.3))
        patch.setattr(defects, "AMENDED", 0.4)
        simulation.simulate(START, DAYS, SCALE, SEED, home, extended=False)
    deployment = deployment_in(home)
    days = sorted({item.received_on for item in flows.waiting_deliveries(deployment, NOW)})
    served = served_on(deployment, [day for day in days if day <= SERVED_BY])
    served_on(deployment, [day for day in days if day > SERVED_BY])
    return Border(deployment, served)


def served_on(deployment: Deployment, days: Sequence[date]) -> dict[str, pl.DataFrame]:
    """What lands on the days, and the vectors of its events."""
    waiting = [item for item in flows.waiting_deliveries(deployment, NOW) if item.received_on in days]
    flows.land_all(deployment, waiting, NOW)
    for table in SILVER:
        if table is not catalog.ENTITY_LINKS:
            conform(deployment.lake, table, days, deployment.vault_key, deployment.places)
    return {name: flows.compute_features(deployment, deployment.subject(name), days) for name in SUBJECTS}


def differing(one: pl.DataFrame, other: pl.DataFrame, names: Sequence[str]) -> set[str]:
    return {name for name in names if not one[name].equals(other[name], null_equal=True)}


@every_subject
def test_the_vector_served_is_that_of_the_training_set_whatever_came_later(border: Border, name: str) -> None:
    subject = border.deployment.subject(name)
    outcomes = border.deployment.lake.scan(catalog.OUTCOMES).filter(pl.col("subject_kind") == OUTCOME_OF[name])
    training = datasets.with_labels(flows.stored_vectors(border.deployment, subject), outcomes.collect(), NOW)
    served = border.served[name].sort(KEY)
    trained_on = training.join(served.select(KEY), on=KEY, how="semi").sort(KEY)
    served = served.join(trained_on.select(KEY), on=KEY, how="semi").sort(KEY)
    names = feature_set(subject.registry)
    assert served.height == trained_on.height > 0
    assert differing(served, trained_on, (*names.numbers, *names.categories)) == set()


@every_subject
def test_what_came_later_changes_no_stored_vector(border: Border, name: str) -> None:
    subject = border.deployment.subject(name)
    served = border.served[name].sort(KEY)
    stored = flows.stored_vectors(border.deployment, subject)
    names = feature_set(subject.registry)
    assert stored.height > served.height > 50
    stored = stored.join(served.select(KEY), on=KEY, how="semi").sort(KEY)
    assert differing(served, stored, (*names.numbers, *names.categories)) == set()


def test_late_files_came_and_would_have_changed_what_was_served(border: Border) -> None:
    """Without them the tests above would hold for nothing."""
    again = border.one_pass("shipments").join(border.served["shipments"].select(KEY), on=KEY, how="semi").sort(KEY)
    names = feature_set(border.deployment.subject("shipments").registry).numbers
    assert "importer_count_7d" in differing(border.served["shipments"].sort(KEY), again, names)
    corrected = border.silver.shipments.filter(pl.col("superseded_at").is_not_null()).select(pl.len())
    assert corrected.collect().item() >= 5


@every_subject
def test_replaying_days_in_the_order_of_known_at_is_one_pass(border: Border, name: str) -> None:
    subject = border.deployment.subject(name)
    whole = border.one_pass(name).sort(KEY)
    known = flows.events_to_score(border.deployment, name)
    made = []
    for day in known.select(pl.col(EVENT_AT).dt.date().unique()).collect()[EVENT_AT]:
        of_day = known.filter(pl.col(EVENT_AT).dt.date() == day)
        made.append(vectors.compute(subject, of_day, as_of(border.silver, midnight(day + DAY))))
    replayed = pl.concat(made).sort(KEY)
    assert replayed.height == whole.height
    assert differing(replayed, whole, whole.columns) == set()


def _one_pass_of(home: Path, name: str) -> tuple[int, pl.DataFrame]:
    """In a process of its own: how many threads it has, and the vectors of all events."""
    return pl.thread_pool_size(), Border(deployment_in(home), {}).one_pass(name)


def test_several_threads_make_the_vectors_that_one_makes(border: Border, monkeypatch: pytest.MonkeyPatch) -> None:
    """Polars takes as many as it finds cores; tests run on one, and how many it is is settled when a process begins."""
    monkeypatch.setenv("POLARS_MAX_THREADS", "4")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        made = [pool.submit(_one_pass_of, border.deployment.settings.home, name) for name in SUBJECTS]
        for name, (threads, vectors_of_all) in zip(SUBJECTS, (one.result() for one in made), strict=True):
            assert threads == 4
            assert vectors_of_all.sort(KEY).equals(border.one_pass(name).sort(KEY))


def as_of(whole: Silver, moment: datetime) -> Silver:
    """The tables as they stood at a moment: what was known, and corrections that had come."""

    def stood(rows: pl.LazyFrame) -> pl.LazyFrame:
        ends = [name for name in ("superseded_at", "withdrawn_at") if name in rows.collect_schema()]
        then = [pl.when(pl.col(name) < moment).then(name).alias(name) for name in ends]
        return rows.filter(pl.col("known_at") < moment).with_columns(then)

    return replace(whole, **{name: stood(getattr(whole, name)) for name in Silver.tables()})


def _rolling(view: FeatureView) -> FeatureView:
    """What of a view can be rolled on by a day: all but windows of hours, extremes and spreads."""
    return replace(view, aggregations=tuple(one for one in view.aggregations if lanes.rolls(one)))


@every_subject
def test_every_view_rolled_day_by_day_through_the_lake_is_one_pass(border: Border, name: str, tmp_path: Path) -> None:
    subject = border.deployment.subject(name)
    views = tuple(map(_rolling, subject.registry.views))
    events = subject.attributes(flows.events_to_score(border.deployment, name)).sort(EVENT_AT, *KEY).collect()
    histories = {source: SOURCES[source].history(border.silver).collect() for source in {v.source for v in views}}
    first = START + 3 * DAY
    rolling = Rolling(Lake(str(tmp_path)), views)
    past = {source: rows.filter(pl.col(USABLE_AT) < midnight(first)) for source, rows in histories.items()}
    rolling.backfill(first, [past])
    for day in (first, first + DAY):
        of_day = events.filter(pl.col(EVENT_AT).dt.date() == day)
        today = {s: rows.filter(pl.col(USABLE_AT).dt.date() == day) for s, rows in histories.items()}
        found = rolling.advance(day, of_day, today)
        assert of_day.height > 0
        for source, rows in histories.items():
            expected = windows.compute_all([view for view in views if view.source == source], of_day, rows)
            assert_frame_equal(found.select(expected.columns), expected, check_exact=True)

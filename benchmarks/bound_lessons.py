"""Who is judged in `bench bound`, and what each side may learn from: ids, labels and outcomes out of silver frames.

The lake's lesson is its own agency's inspections, as known when the test begins; the world's is the truth of every
earlier event, known the moment it happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from benchmarks import world
from benchmarks.world import Span
from models.catalogue import model_of
from models.spec import ModelSpec
from warehouse import ids
from warehouse.catalog import CROSSINGS_TABLE, OUTCOMES, SHIPMENTS, Table
from warehouse.contracts import Contract
from warehouse.contracts.customs import DECLARATIONS
from warehouse.contracts.immigration import CROSSINGS
from warehouse.errors import BorderlakeError

LAKE, WORLD, SIMULATED = "lake", "world", "simulated"
_POLICY = ("rule", "intelligence")
_GRAINS = 1_000_000
"""Honest events are drawn by so many buckets of their ids: the same ones on every machine."""


@dataclass(frozen=True)
class Subject:
    """What is judged: the product's model of it, its contract and table, and how the simulation's truth names it."""

    model: str
    contract: Contract
    table: Table
    agency: str
    truth: Mapping[str, str]

    @property
    def spec(self) -> ModelSpec:
        return model_of(self.model)

    @property
    def name(self) -> str:
        return self.spec.subject


SUBJECTS: dict[str, Subject] = {
    "shipments": Subject(
        "shipment_risk",
        DECLARATIONS,
        SHIPMENTS,
        "customs",
        {"declaration_id": "declaration_number", "goods_item_number": "item_number"},
    ),
    "crossings": Subject("crossing_risk", CROSSINGS, CROSSINGS_TABLE, "immigration", {"crossing_id": "crossing_id"}),
}


@dataclass(frozen=True)
class Lesson:
    """What a side learns from: events by id, each with its `weight` where a sample was drawn, and all outcomes."""

    events: pl.DataFrame
    unlabelled: pl.DataFrame
    """Ids of earlier events without an outcome, of which signs may tell."""
    outcomes: pl.DataFrame

    def write(self, folder: Path) -> dict[str, str]:
        """Write all for the sides' processes; returns the settings that name them."""
        folder.mkdir(parents=True, exist_ok=True)
        frames = {"events": self.events, "unlabelled": self.unlabelled, "outcomes": self.outcomes}
        for name, frame in frames.items():
            frame.write_parquet(folder / f"{name}.parquet", compression="lz4")
        return {name: str(folder / f"{name}.parquet") for name in frames}


def judged(subject: Subject, span: Span, folder: Path) -> pl.DataFrame:
    """Every event of the test days as it was first known: its id, version, time, whether it `is_illicit`, and what was
    done (`misdeed`)."""
    first = _first_versions(subject, folder / LAKE).filter(pl.col("event_at") >= span.test_from)
    found = first.join(_truth(subject, folder), on="event_id", how="inner").sort("event_at", "event_id")
    if found["is_illicit"].n_unique() < 2:
        raise BorderlakeError(
            f"the {span.test_days} test days hold {found.height:,} {subject.name} of one kind; both kinds are needed. "
            "Give more test days or a larger scale"
        )
    return found


def selected(subject: Subject, folder: Path, events: pl.DataFrame) -> pl.Series:
    """Which events the old rules or a tip selected, as reported in the end."""
    chosen = _reports(subject, folder).filter(pl.col("selection").is_in(_POLICY)).select("subject_id")
    return events["event_id"].is_in(chosen.collect()["subject_id"].implode())


def found(subject: Subject, folder: Path, events: pl.DataFrame) -> pl.Series:
    """Whether the inspection of each event had an adverse outcome, as reported in the end; null where nobody looked."""
    last = _reports(subject, folder).sort("known_at").unique("subject_id", keep="last", maintain_order=True)
    told = last.select("is_adverse", event_id="subject_id").collect()
    return events.select("event_id").join(told, on="event_id", how="left", maintain_order="left")["is_adverse"]


def _reports(subject: Subject, folder: Path) -> pl.LazyFrame:
    reports = pl.concat([pl.scan_parquet(path) for path in world.paths_of(folder / "parts", OUTCOMES)])
    return reports.filter(pl.col("subject_kind") == subject.spec.outcome)


def lesson_of_the_lake(subject: Subject, span: Span, lake: Path) -> Lesson:
    """Events of a lake with an outcome reported before the test's beginning."""
    outcomes = world.frames(lake, OUTCOMES).collect()
    reported = outcomes.filter(pl.col("subject_kind") == subject.spec.outcome)["subject_id"].unique()
    past = _first_versions(subject, lake).filter(pl.col("event_at") < span.test_from).select("event_id", "event_at")
    is_reported = pl.col("event_id").is_in(reported.implode())
    known = past.filter(is_reported)
    if known.is_empty():
        raise BorderlakeError(f"no outcome of {subject.name} is known before the test; give more days")
    return Lesson(known, past.filter(~is_reported).select("event_id"), outcomes)


def lesson_of_the_world(subject: Subject, span: Span, folder: Path, cap_rows: int) -> Lesson:
    """Every event before the test's beginning, its true outcome known when it happened.

    Beyond `cap_rows` all illicit events stay and honest ones are drawn; what is drawn is only what is learnt from:
    histories count every true outcome.
    """
    outcomes = [_true_outcomes(each, span, folder) for each in SUBJECTS.values()]
    own = next(rows for each, rows in zip(SUBJECTS.values(), outcomes, strict=True) if each is subject)
    events = own.select("is_adverse", "event_at", event_id="subject_id")
    honest = events.filter(~pl.col("is_adverse")).height
    room = max(cap_rows - (events.height - honest), 1)
    if honest > room:
        share = room / honest
        drawn = ids.bucket(pl.col("event_id"), _GRAINS) < round(share * _GRAINS)
        events = events.filter(pl.col("is_adverse") | drawn).with_columns(
            weight=pl.when("is_adverse").then(1.0).otherwise(1 / share)
        )
    return Lesson(events.drop("is_adverse"), events.select("event_id").clear(), pl.concat(outcomes))


def valid_from(lesson: Lesson, spec: ModelSpec) -> datetime:
    """The midnight from which labelled events choose the rounds: where the product's shares lie, its test days gone."""
    share = 1 - spec.valid_share / (1 - spec.test_share)
    moment = lesson.events["event_at"].quantile(share, interpolation="nearest")
    assert isinstance(moment, datetime)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _first_versions(subject: Subject, silver: Path) -> pl.DataFrame:
    rows = world.frames(silver, subject.table).filter(pl.col("source_agency") == subject.agency)
    known = rows.select("event_id", "event_version", "event_at").collect()
    return known.sort("event_version").unique("event_id", keep="first", maintain_order=True)


def _truth(subject: Subject, folder: Path) -> pl.DataFrame:
    """`is_illicit` by event id, and the `misdeed`: its kind, and whether a ring or somebody alone did it."""
    rows = pl.read_parquet(folder / SIMULATED / "truth" / f"{subject.name}.parquet")
    feed = next(
        feed
        for feed in world.feeds()
        if feed.agency.code == subject.agency and feed.dataset == subject.contract.dataset
    )
    done = pl.col("kind").str.replace_all("_", " ")
    misdeed = pl.when("is_illicit").then(
        pl.when(pl.col("ring") >= 0).then(done + ", by a ring").otherwise(done + ", alone")
    )
    named = rows.select(
        *(pl.col(source).alias(column) for column, source in subject.truth.items()),
        "is_illicit",
        misdeed=misdeed,
    )
    place, agency = pl.lit(feed.agency.jurisdiction), pl.lit(subject.agency)
    return named.select(
        "is_illicit", "misdeed", event_id=ids.event_id(place, agency, subject.contract.dataset, subject.contract.key)
    ).unique("event_id")


def _true_outcomes(subject: Subject, span: Span, folder: Path) -> pl.DataFrame:
    """Rows of `silver.outcomes` as they would be if everything were known at once."""
    first = _first_versions(subject, folder / WORLD).filter(pl.col("event_at") < span.test_from)
    known = first.join(_truth(subject, folder).drop("misdeed"), on="event_id", how="inner")
    made = {
        "subject_id": pl.col("event_id"),
        "subject_kind": pl.lit(subject.spec.outcome),
        "source_agency": pl.lit(subject.agency),
        "known_at": pl.col("event_at"),
        "is_adverse": pl.col("is_illicit"),
        "event_date": pl.col("event_at").dt.date(),
        "received_on": pl.lit(date.min),
        "selection": pl.lit("all"),
    }
    rows = known.with_columns(**made)
    absent = [name for name in OUTCOMES.columns if name not in rows.columns]
    return OUTCOMES.shape(rows.with_columns(pl.lit(None).alias(name) for name in absent))

"""The steps of the road, free of the orchestrator: the assets and the command line both call these.

Each step is given the deployment and the days of delivery it concerns, writes its tables, and returns what an
asset page or a summary wants to say about it.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from features import registration, vectors
from features.vectors import Subject
from models.catalogue import MODELS
from models.spec import ModelSpec
from pipelines.deployment import OUTCOME_CONTRACTS, Deployment
from warehouse import agencies, archive, catalog, delivery, homes, recalls
from warehouse.backlog import days_behind
from warehouse.catalog import Table
from warehouse.contracts import Contract
from warehouse.delivery import Delivery
from warehouse.dialect import dialect_of
from warehouse.landing import land
from warehouse.ledger import KNOWN, Account, redactions

if TYPE_CHECKING:
    from models.tracking import Registered

SUBJECT_TABLES: dict[str, Table] = {"shipments": catalog.SHIPMENTS, "crossings": catalog.CROSSINGS_TABLE}

FEATURES = catalog.table_of("gold.features")


def feature_table(subject: str) -> Table:
    """`gold.event_features__<subject>`."""
    return catalog.table_of(f"gold.event_features__{subject}")


def score_table(spec: ModelSpec) -> Table:
    """`gold.shipment_scores` or `gold.crossing_scores`."""
    return catalog.table_of(f"gold.{spec.outcome}_scores")


def selection_table(spec: ModelSpec) -> Table:
    """`gold.shipment_selections` or `gold.crossing_selections`."""
    return catalog.table_of(f"gold.{spec.outcome}_selections")


def waiting_deliveries(deployment: Deployment, now: datetime, contract: Contract | None = None) -> list[Delivery]:
    """Deliveries in the inbox, of one contract or of all, oldest day first."""
    found = [
        delivery.delivery(
            path,
            agency=agency.code,
            domain=agency.domain,
            dataset=dataset,
            jurisdiction=agency.jurisdiction,
            dialect=dialect_of(dialect, deployment.settings.dialects),
            arrived_on=now.date(),
        )
        for agency in deployment.agencies.values()
        for dataset, dialect in agency.datasets.items()
        if contract is None or agency.contract(dataset) is contract
        for path in delivery.waiting(deployment.settings.inbox / agency.code / dataset)
    ]
    return sorted(found, key=lambda item: (item.received_on, item.path.name))


def land_all(
    deployment: Deployment,
    deliveries: Iterable[Delivery],
    now: datetime,
    progress: Callable[[Delivery], None] | None = None,
) -> list[Account]:
    """Land deliveries; files of the inbox move to the archive once their rows are committed."""
    accounts: list[Account] = []
    with deployment.lake.writers.among():
        erased = redactions(deployment.lake)
        for group in land(deployment.lake, _still_there(deployment, deliveries), now, progress=progress):
            accounts += group
            for account in {account.delivery.path: account for account in group}.values():
                _archive(deployment, account, erased)
        _keep_late_sidecars(deployment)
    return accounts


def _still_there(deployment: Deployment, deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
    """Deliveries with where they will be kept, but for files that another landing of the same inbox has taken."""
    settings = deployment.settings
    home = homes.named(settings.anchors)
    for item in deliveries:
        kept = delivery.to_keep(item, settings.inbox, settings.archive, home)
        with contextlib.suppress(FileNotFoundError):
            kept.sha256  # noqa: B018 - Read now, while the file is known to be there.
            yield kept


def _archive(deployment: Deployment, account: Account, erased: Collection[str]) -> None:
    """Move a file of the inbox to the archive, its sidecar first: a crash between leaves the file to land again.

    A file that is there already keeps the sidecar that it landed with; the new one is kept beside it. A file from which
    an erasure took a subject is not kept: the archive holds it redacted.
    """
    landed = account.delivery
    if deployment.settings.inbox not in landed.path.parents:
        return
    if landed.sha256 in erased:
        landed.path.unlink(missing_ok=True)
        delivery.sidecar_of(landed.path).unlink(missing_ok=True)
        return
    target = _place(deployment.settings.archive, account)
    target.parent.mkdir(parents=True, exist_ok=True)
    sidecar = delivery.sidecar_of(landed.path)
    with contextlib.suppress(FileNotFoundError):  # No sidecar, or another landing was first.
        is_late = account.status == KNOWN and target.exists()
        sidecar.replace(archive.later_name(target, sidecar) if is_late else delivery.sidecar_of(target))
    with contextlib.suppress(FileNotFoundError):
        landed.path.replace(target)


def _place(root: Path, account: Account) -> Path:
    """Where the archive keeps a file that has landed; one that it has lost since goes back to where it was."""
    landed = account.delivery
    assert landed.archived_as is not None
    if account.kept_before is not None:
        first = root / account.kept_before
        if not first.exists() or delivery.file_sha256(first) != landed.sha256:
            return first
    return root / landed.archived_as


def _keep_late_sidecars(deployment: Deployment) -> None:
    """Sidecars that came after their file, and are right, go to the archive too; `verify` tells of the others."""
    for late in archive.late_sidecars(deployment.lake, deployment.settings.inbox):
        if late.fault is None:
            with contextlib.suppress(FileNotFoundError):
                kept = late.kept(deployment.settings.archive)
                kept.parent.mkdir(parents=True, exist_ok=True)
                late.path.replace(kept)


def archived(deployment: Deployment, landed: Mapping[str, Any]) -> Delivery | None:
    """The archived delivery of a ledger row, redacted where an erasure changed it; None where the archive does not hold
    those very bytes."""
    folder = deployment.settings.archive / landed["source_agency"] / landed["dataset"]
    agency = deployment.agencies.get(landed["source_agency"])
    place = folder / landed["received_on"].isoformat()
    if agency is None or not place.is_dir():
        return None
    redacted = redactions(deployment.lake)
    held = redacted.get(landed["sha256"], landed["sha256"])
    for path in sorted(place.iterdir()):
        if path.name.endswith(f"-{landed['file_name']}") and delivery.file_sha256(path) == held:
            return delivery.delivery(
                path,
                agency=agency.code,
                domain=agency.domain,
                dataset=landed["dataset"],
                jurisdiction=landed["jurisdiction"],
                dialect=dialect_of(landed["dialect"], deployment.settings.dialects),
                arrived_on=landed["received_on"],
                redacted_from=landed["sha256"] if landed["sha256"] in redacted else None,
            )
    return None


def events_to_score(deployment: Deployment, subject: str) -> pl.LazyFrame:
    """Silver events of a subject, but those of jurisdictions that only show what they see."""
    silent = only_shown(deployment, subject)
    return deployment.lake.scan(SUBJECT_TABLES[subject]).filter(~pl.col("jurisdiction").is_in(list(silent)))


def only_shown(deployment: Deployment, subject: str) -> frozenset[str]:
    """Jurisdictions that only show what they see: their events get no vector and no score."""
    return frozenset(agencies.observed_only(deployment.agencies, OUTCOME_CONTRACTS[subject]))


def compute_features(deployment: Deployment, subject: Subject, days: Sequence[date]) -> pl.DataFrame:
    """Compute and append the vectors of the events delivered on `days` that have none yet; returns them.

    A stored vector is never computed again: late data changes later vectors only. New definitions are another
    feature set, whose vectors stand beside the old ones.
    """
    table = feature_table(subject.name)
    names = vectors.feature_set(subject.registry)
    events = events_to_score(deployment, subject.name).filter(pl.col("received_on").is_in(list(days)))
    stored = deployment.lake.scan(table).filter(pl.col("feature_set") == names.digest)
    fresh = events.join(stored.select("event_id", "event_version"), on=["event_id", "event_version"], how="anti")
    made = vectors.compute(subject, fresh, deployment.silver())
    if made.height:
        deployment.lake.append(table, vectors.pack(made, names).sort("event_date", "event_at", "event_id"))
    return made


def register_features(deployment: Deployment, subject: Subject, now: datetime) -> bool:
    """Write a subject's features to `gold.features` where they are not declared as they were; says whether it did."""
    rows = registration.registered(subject.registry)
    held = registration.latest(deployment.lake.scan(FEATURES), subject.name).select("registration").head(1).collect()
    if held["registration"].to_list() == [rows[0]["registration"]]:
        return False
    schema = FEATURES.dtypes
    declared = [row | {"registered_at": now} for row in rows]
    deployment.lake.append(FEATURES, pl.DataFrame([{name: row[name] for name in schema} for row in declared], schema))
    return True


def stored_vectors(
    deployment: Deployment, subject: Subject, days: Sequence[date] | None = None, version: int | None = None
) -> pl.DataFrame:
    """Stored vectors of the current feature set, one column a feature, with the event's location and context; those of
    all days and of the table's latest version, where nothing else is asked."""
    names = vectors.feature_set(subject.registry)
    stored = deployment.lake.scan(feature_table(subject.name), version).filter(pl.col("feature_set") == names.digest)
    events = deployment.lake.scan(SUBJECT_TABLES[subject.name])
    if days is not None:
        stored = stored.filter(pl.col("received_on").is_in(list(days)))
        events = events.filter(pl.col("received_on").is_in(list(days)))
    described = subject.attributes(events)
    places = described.select("event_id", "event_version", *subject.context, location=pl.col(subject.location))
    joined = stored.join(places, on=["event_id", "event_version"], how="left").collect()
    return vectors.unpack(joined, names).sort("event_at", "event_id", "event_version")


def recent_vectors(deployment: Deployment, subject: Subject, days: int = 7) -> pl.DataFrame:
    """Stored vectors of the last `days` of delivery that have any."""
    last = deployment.lake.scan(feature_table(subject.name)).select(pl.col("received_on").max()).collect().item()
    if last is None:
        return stored_vectors(deployment, subject, [])
    return stored_vectors(deployment, subject, list(each_day(last - timedelta(days=days - 1), last)))


def score_events(deployment: Deployment, spec: ModelSpec, days: Sequence[date], scored_at: datetime) -> pl.DataFrame:
    """Score the events of `days` that the champion has not scored yet, and put them in lanes; returns events by day of
    delivery and lane."""
    from pipelines.scoring_days import Scorer  # With LightGBM, which takes seconds: only who scores pays.

    return Scorer(deployment, spec, deployment.registry.load(spec.name), scored_at).run(days)


def days_to_conform(deployment: Deployment) -> set[date]:
    """Days of delivery that silver is behind on."""
    return days_behind(deployment.lake, deployment.vault_key)


def days_without_vectors(deployment: Deployment, subject: str) -> set[date]:
    """Days of delivery with events that have no vector of the current feature set."""
    names = vectors.feature_set(deployment.subject(subject).registry)
    keys = ["event_id", "event_version"]
    stored = deployment.lake.scan(feature_table(subject)).filter(pl.col("feature_set") == names.digest).select(keys)
    events = events_to_score(deployment, subject).select(*keys, "received_on")
    missing = events.join(stored, on=keys, how="anti").select(pl.col("received_on").unique()).collect()
    return set(missing["received_on"])


def scorable_events(deployment: Deployment, spec: ModelSpec, champion: "Registered") -> pl.LazyFrame:
    """Events of the jurisdictions that the champion was trained in; it has no ground to judge others."""
    return deployment.lake.scan(SUBJECT_TABLES[spec.subject]).filter(
        pl.col("jurisdiction").is_in(list(champion.model.bundle.jurisdictions))
    )


def elsewhere(deployment: Deployment, spec: ModelSpec, served: Collection[str]) -> dict[str, int]:
    """Events by jurisdiction that might be scored, but that a model which serves only those others is no judge of."""
    left = events_to_score(deployment, spec.subject).filter(~pl.col("jurisdiction").is_in(list(served)))
    return dict(left.group_by("jurisdiction").len().sort("jurisdiction").collect().iter_rows())


def recent_lanes(deployment: Deployment, spec: ModelSpec, days: int = 30) -> pl.DataFrame:
    """The champion's scores of the last `days` of delivery that have any, each with its lane; no withdrawn ones."""
    champion = deployment.registry.load(spec.name)
    scores = recalls.standing(deployment.lake, score_table(spec)).filter(pl.col("model_version") == champion.version)
    last = scores.select(pl.col("received_on").max()).collect().item()
    if last is None:
        return scores.collect()
    recent = pl.col("received_on") > last - timedelta(days=days)
    told = ("score_id", "lane", "is_exploration", "reason", "abstained_for")
    lanes = deployment.lake.scan(selection_table(spec)).filter(recent).select(told)
    return scores.filter(recent).drop("vector").join(lanes, on="score_id").collect()


def trained_models(deployment: Deployment) -> list[ModelSpec]:
    """The models that have a champion."""
    return [spec for spec in MODELS.values() if deployment.registry.has(spec.name)]


def days_to_score(deployment: Deployment, trained: Sequence[ModelSpec], now: datetime) -> list[date]:
    """Days of delivery with work for the scoring job: files waiting, rows not in silver, events unscored."""
    waiting = {item.received_on for item in waiting_deliveries(deployment, now)}
    unscored = {day for spec in trained for day in unscored_days(deployment, spec)}
    return sorted(waiting | days_to_conform(deployment) | unscored)


def unscored_days(deployment: Deployment, spec: ModelSpec) -> list[date]:
    """Days of delivery with events that the champion has not scored."""
    champion = deployment.registry.load(spec.name)
    scan = deployment.lake.scan
    keys = ["event_id", "event_version"]
    done = scan(score_table(spec)).filter(pl.col("model_version") == champion.version).select(keys)
    events = scorable_events(deployment, spec, champion).select(*keys, "received_on")
    return sorted(
        events.join(done, on=keys, how="anti").select(pl.col("received_on").unique()).collect()["received_on"]
    )


def end_of(day: date, now: datetime) -> datetime:
    """The logical moment of work on a day's deliveries: its end, or now while it lasts."""
    return min(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1), now)


def each_day(first: date, last: date) -> Iterator[date]:
    """Every day from first to last."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)

"""The step that monitors: evidence out of the lake, rows of `gold.model_monitoring` back into it, and what they say.

A day is judged when it is over, once, by the champion of that moment.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

import polars as pl

from features import vectors
from features.vectors import Subject
from models.monitoring import (
    HISTORY_DAYS,
    LEARNT_DAYS,
    SCORES,
    STANDING,
    STANDS_DAYS,
    Evidence,
    monitor,
    outcomes_beside_scores,
    sources_of,
)
from models.spec import ModelSpec
from models.tracking import Registered
from pipelines import flows
from pipelines.deployment import Deployment
from warehouse import catalog, ids

MONITORING = catalog.table_of("gold.model_monitoring")
CATCH_UP_DAYS = 90
"""Days that are judged at once, at most: what lies further back is history."""
SHOWN_DAYS = 60
_EVENTS_A_DAY = 3_000
"""More are drawn by lot of their ids: so many of a day say what all of them do."""
_VERSION = ["event_id", "event_version"]
_ACTED_ON = ("red", "yellow")


def monitor_days(deployment: Deployment, spec: ModelSpec, days: Sequence[date], now: datetime) -> pl.DataFrame:
    """Judge the days up to the last of `days` that are over and not yet judged; returns the rows written."""
    due = _due(deployment, spec, max(days), now)
    if not due:
        return MONITORING.empty()
    champion = deployment.registry.load(spec.name)
    found = monitor(evidence(deployment, spec, champion, due), due)
    named = found.with_columns(
        model_name=pl.lit(spec.name), model_version=pl.lit(champion.version, pl.Int64), recorded_at=pl.lit(now)
    )
    rows = MONITORING.shape(named)
    if rows.height:
        deployment.lake.append(MONITORING, rows)
    return rows


def recorded(deployment: Deployment, spec: ModelSpec, since: date | None = None) -> pl.DataFrame:
    """What was recorded of a model, by day."""
    mine = deployment.lake.scan(MONITORING).filter(pl.col("model_name") == spec.name)
    if since is not None:
        mine = mine.filter(pl.col("monitored_on") >= since)
    return mine.sort("monitored_on", "figure", "feature").collect()


def _due(deployment: Deployment, spec: ModelSpec, last: date, now: datetime) -> list[date]:
    """Days over by now, up to `last`, that are not judged and not before the first score."""
    until = min(last, now.date() - timedelta(days=1))
    first = deployment.lake.scan(flows.score_table(spec)).select(pl.col("received_on").min()).collect().item()
    if first is None:
        return []
    done = set(recorded(deployment, spec)["monitored_on"])
    begin = max(first, until - timedelta(days=CATCH_UP_DAYS - 1))
    return [day for day in flows.each_day(begin, until) if day not in done]


def evidence(deployment: Deployment, spec: ModelSpec, champion: Registered, days: Sequence[date]) -> Evidence:
    """What the judgement of these days rests on."""
    subject = deployment.subject(spec.subject)
    encoder = champion.model.bundle.encoder
    trained_until = champion.model.bundle.trained_until.date()
    since = min(days) - timedelta(days=HISTORY_DAYS - 1)
    learnt_from = trained_until - timedelta(days=LEARNT_DAYS)
    scored = _scored(deployment, spec, champion, min(since, learnt_from), max(days))
    is_learnt_by = pl.col("received_on").is_between(learnt_from, trained_until, closed="left")
    volumes = dict(scored.group_by("received_on").len().sort("received_on").iter_rows())
    events = _with_features(deployment, subject, _drawn(scored, volumes), encoder.columns)
    reference = events.filter(is_learnt_by)
    return Evidence(
        events=events.filter(pl.col("received_on") >= since),
        # A model older than the vectors that are kept is held against the oldest of them.
        reference=reference if reference.height else events,
        numbers=encoder.numbers,
        categories=tuple(encoder.codes),
        scores=scored.filter((pl.col("received_on") >= since) & ~pl.col("in_training")),
        volumes=volumes,
        outcomes=outcomes_of(deployment, spec, scored, max(days)),
        arrivals=arrivals(deployment, subject, encoder.columns, since),
    )


def _scored(deployment: Deployment, spec: ModelSpec, champion: Registered, first: date, last: date) -> pl.DataFrame:
    """The champion's scores of events delivered from first to last, with whether a lane sent officers to them."""
    in_days = pl.col("received_on").is_between(first, last)
    lanes = deployment.lake.scan(flows.selection_table(spec)).filter(in_days).select("score_id", "lane")
    scores = deployment.lake.scan(flows.score_table(spec)).filter(
        in_days & (pl.col("model_version") == champion.version)
    )
    columns = (*_VERSION, "received_on", "in_training", *SCORES)
    joined = scores.select("score_id", *columns).join(lanes, on="score_id", how="left").collect()
    return joined.select(*columns, is_selected=pl.col("lane").is_in(list(_ACTED_ON)).fill_null(value=False))


def _drawn(scored: pl.DataFrame, volumes: Mapping[date, int]) -> pl.DataFrame:
    """So many of the scored events as suffice, the same share of every day."""
    usual_day = sorted(volumes.values())[len(volumes) // 2] if volumes else 0
    # Halves of halves: the share is the same whichever days are looked at.
    parts = 1
    while usual_day > parts * _EVENTS_A_DAY:
        parts *= 2
    return scored.filter(ids.bucket(pl.col("event_id"), parts) == 0)


def _with_features(
    deployment: Deployment, subject: Subject, drawn: pl.DataFrame, columns: Collection[str]
) -> pl.DataFrame:
    """The drawn events with the features they were scored by."""
    names = vectors.feature_set(subject.registry)
    days = pl.col("received_on").is_between(drawn["received_on"].min(), drawn["received_on"].max())
    stored = deployment.lake.scan(flows.feature_table(subject.name)).filter(
        days & (pl.col("feature_set") == names.digest)
    )
    packed = stored.select(*_VERSION, "numbers", "categories").join(drawn.lazy(), on=_VERSION).collect()
    # In one order, so that the same days give the same figures to the last bit.
    return vectors.unpack(packed.sort(_VERSION), names).select("received_on", *SCORES, *columns)


def outcomes_of(deployment: Deployment, spec: ModelSpec, scored: pl.DataFrame, last: date) -> pl.DataFrame:
    """Outcomes known by the end of `last` of scored events that the model never saw."""
    reported = deployment.lake.scan(catalog.OUTCOMES).filter(
        (pl.col("subject_kind") == spec.outcome) & (pl.col("known_at").dt.date() <= last)
    )
    return outcomes_beside_scores(reported.collect(), scored)


def arrivals(
    deployment: Deployment, subject: Subject, columns: Collection[str], since: date
) -> dict[str, Collection[date]]:
    """Days since `since` on which each silver table behind the features got rows."""
    days = pl.col("received_on")
    return {
        table.name: deployment.lake.scan(table)
        .filter(days >= since)
        .select(days.unique())
        .collect()["received_on"]
        .to_list()
        for table in sources_of(subject, columns)
    }


def recent(deployment: Deployment, spec: ModelSpec, days: int = SHOWN_DAYS) -> pl.DataFrame:
    """What was recorded of the last days judged."""
    every = recorded(deployment, spec)
    return every.filter(pl.col("monitored_on") > pl.col("monitored_on").max() - timedelta(days=days))


def latest(rows: pl.DataFrame) -> pl.DataFrame:
    """Of recorded rows those of the last day."""
    return rows.filter(pl.col("monitored_on") == pl.col("monitored_on").max())


def worst_first(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by how far their value is beyond, or how near it is to, the bound that it is nearest to."""
    above = pl.col("value") / pl.col("high")
    below = pl.col("low") / pl.col("value")
    return rows.sort(
        "is_alert",
        pl.max_horizontal(above, below).fill_nan(None),
        descending=[True, True],
        nulls_last=True,
        maintain_order=True,
    )


def standing(rows: pl.DataFrame) -> pl.DataFrame:
    """The alerts that stand on the last day, each as last raised, with the day `since` when it has stood unbroken."""
    last, same = pl.lit(rows["monitored_on"].max(), pl.Date), ["figure", "feature"]
    raised = rows.filter("is_alert").sort("monitored_on")
    breaks = pl.col("monitored_on").diff().dt.total_days() > STANDS_DAYS
    episodes = raised.with_columns(episode=breaks.fill_null(value=False).cum_sum().over(same))
    dated = episodes.with_columns(since=pl.col("monitored_on").min().over(*same, "episode")).drop("episode")
    stands_days = pl.when(pl.col("figure").is_in(list(STANDING))).then(STANDS_DAYS).otherwise(1)
    latest_of_each = dated.unique(same, keep="last", maintain_order=True)
    return worst_first(latest_of_each.filter((last - pl.col("monitored_on")).dt.total_days() < stands_days))

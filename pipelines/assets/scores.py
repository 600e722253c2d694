"""Score assets: each day's events scored by the champion, with reasons, and put in lanes."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import polars as pl

from models import pictures as model_pictures
from models.capacity import LANES
from models.catalogue import MODELS
from models.explanation import spoken
from models.pictures import LANE_COLOURS
from models.spec import ModelSpec
from pipelines import flows, glance, pictures, reporting
from pipelines.assets import DAILY, DEPLOYMENT, OWNERS, RETRY
from pipelines.assets.training import model_key
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.partitions import BACKFILL, days_of, days_of_delivery, partition_of
from pipelines.reporting import key_of
from warehouse.errors import BorderlakeError


def _scores(spec: ModelSpec) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"{spec.outcome}_scores",
        specs=_specs(spec),
        backfill_policy=BACKFILL,
        retry_policy=RETRY,
        required_resource_keys={DEPLOYMENT},
        check_specs=_checks(spec),
    )
    @discreet
    def score(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        deployment: Deployment = getattr(context.resources, DEPLOYMENT)
        days = days_of(context)
        _report_partitions(context, spec, _scored(deployment, spec, days))
        _show(context, spec, flows.recent_lanes(deployment, spec))
        yield from _results(deployment, spec, days)

    return score


def _specs(spec: ModelSpec) -> list[dg.AssetSpec]:
    scores, selections = flows.score_table(spec), flows.selection_table(spec)
    common: dict[str, Any] = {
        "group_name": "scores",
        "owners": OWNERS["models"],
        "partitions_def": days_of_delivery,
        "freshness_policy": DAILY,
    }
    return [
        dg.AssetSpec(
            key_of(scores),
            deps=[key_of(flows.feature_table(spec.subject)), model_key(spec)],
            description=f"{scores.description} Append-only; the served vector is stored with each score.",
            kinds={"deltalake", "lightgbm", "gold"},
            metadata=reporting.describe(scores),
            **common,
        ),
        dg.AssetSpec(
            key_of(selections),
            deps=[key_of(scores)],
            description=(
                f"{selections.description} A lane advises; an officer decides (`borderlake disposition`). A few "
                "are drawn at random with a known chance; what the model has no ground to judge is marked."
            ),
            kinds={"deltalake", "polars", "gold"},
            metadata=reporting.describe(selections),
            **common,
        ),
    ]


def _checks(spec: ModelSpec) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            "every_event_scored",
            asset=key_of(flows.score_table(spec)),
            description=(
                "Each event version of the days has a score of the champion, between 0 and 1. Where not, no lane rests "
                "on them: `borderlake score` scores what is missing."
            ),
            blocking=True,
        ),
        dg.AssetCheckSpec(
            "every_score_has_a_lane",
            asset=key_of(flows.selection_table(spec)),
            description="Each score of the days has one lane. Where not, `borderlake score` selects what is missing.",
        ),
    ]


def _scored(deployment: Deployment, spec: ModelSpec, days: Sequence[date]) -> pl.DataFrame:
    """Score the days; returns what was scored, by day of delivery and lane."""
    for table in (flows.score_table(spec), flows.selection_table(spec)):
        deployment.lake.ensure(table)
    try:
        return flows.score_events(deployment, spec, days, flows.end_of(max(days), datetime.now(UTC)))
    except BorderlakeError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _results(deployment: Deployment, spec: ModelSpec, days: Sequence[date]) -> Iterator[dg.MaterializeResult]:
    checks = {
        flows.score_table(spec): _every_event_scored,
        flows.selection_table(spec): _every_score_has_a_lane,
    }
    for table, check in checks.items():
        yield dg.MaterializeResult(
            asset_key=key_of(table),
            data_version=reporting.data_version(deployment, table),
            check_results=[check(deployment, spec, days)],
        )


def _report_partitions(context: dg.AssetExecutionContext, spec: ModelSpec, scored: pl.DataFrame) -> None:
    for day, count in scored.group_by("received_on").agg(pl.col("events").sum()).iter_rows():
        for table in (flows.score_table(spec), flows.selection_table(spec)):
            context.add_asset_metadata({"dagster/partition_row_count": count}, key_of(table), partition_of(day))


def _show(context: dg.AssetExecutionContext, spec: ModelSpec, lanes: pl.DataFrame) -> None:
    """Pictures of the last month's scores and lanes, whatever this run has added."""
    if lanes.is_empty():
        return
    scores, selections = key_of(flows.score_table(spec)), key_of(flows.selection_table(spec))
    last = max(context.partition_keys)
    counts = dict(lanes["lane"].value_counts().iter_rows())
    by_lane = [(lane, counts.get(lane, 0)) for lane in LANES]
    spread = lanes["probability"].hist(bins=[step / 40 for step in range(41)])["count"].log1p().to_list()
    days = lanes["received_on"].sort()
    shown = f"{lanes.height:,} events, delivered {days[0]} to {days[-1]}"
    context.add_asset_metadata(
        {
            "scored by": f"{spec.name} version {lanes['model_version'][0]}",
            "shown below": shown,
            "at a glance": glance.bars(spread, "events by risk, 0 to 100 %; heights are logarithms"),
            "riskiest": dg.MetadataValue.md(riskiest_table(lanes, 10)),
            "score distribution": pictures.embedded(
                model_pictures.score_distribution(lanes["probability"], spec.title), "score distribution"
            ),
        },
        scores,
        last,
    )
    context.add_asset_metadata(
        {
            "shown below": shown,
            "at a glance": glance.bars(
                [count for _, count in by_lane],
                ", ".join(f"{lane} {count:,}" for lane, count in by_lane),
                [LANE_COLOURS[lane].lstrip("#") for lane in LANES],
            ),
            "lanes": pictures.lanes(by_lane, spec.title),
            "drawn at random": dg.MetadataValue.md(drawn_table(lanes, 10)),
            "no ground to judge": dg.MetadataValue.md(abstained_table(lanes)),
        },
        selections,
        last,
    )


def riskiest_table(lanes: pl.DataFrame, rows: int) -> str:
    """The riskiest events with their reasons, as a Markdown table. Ids only: nothing here identifies a person."""
    lines = ["| event | where | risk | lane | reasons |", "|---|---|---|---|---|"]
    for row in lanes.sort("probability", descending=True).head(rows).iter_rows(named=True):
        reasons = "; ".join(spoken(row["reasons"]))
        lines.append(
            f"| `{row['event_id'][:12]}` | {row['location']} | {row['probability']:.1%} | {row['lane']} | {reasons} |"
        )
    return "\n".join(lines)


def drawn_table(lanes: pl.DataFrame, rows: int) -> str:
    """The latest events that were drawn at random, each with its chance, as a Markdown table."""
    drawn = lanes.filter("is_exploration").sort("received_on", "event_id", descending=[True, False])
    lines = [f"{drawn.height:,} of {lanes.height:,} events.", "", "| event | where | risk | why |", "|---|---|---|---|"]
    lines += [
        f"| `{row['event_id'][:12]}` | {row['location']} | {row['probability']:.1%} | {row['reason']} |"
        for row in drawn.head(rows).iter_rows(named=True)
    ]
    return "\n".join(lines)


def abstained_table(lanes: pl.DataFrame) -> str:
    """How many events of each lane the model has no ground to judge, by reason, as a Markdown table."""
    marked = lanes.filter(pl.col("abstained_for").is_not_null()).with_columns(
        kind=pl.col("abstained_for").str.split("; ")
    )
    kinds = marked.explode("kind").with_columns(pl.col("kind").str.split(":").list.first())
    counted = kinds.group_by("kind", "lane").len().sort("kind", pl.col("lane").cast(pl.Enum(LANES)))
    lines = [f"{marked.height:,} of {lanes.height:,} events.", "", "| why | lane | events |", "|---|---|--:|"]
    lines += [f"| {row['kind']} | {row['lane']} | {row['len']:,} |" for row in counted.iter_rows(named=True)]
    return "\n".join(lines)


def _every_event_scored(deployment: Deployment, spec: ModelSpec, days: Sequence[date]) -> dg.AssetCheckResult:
    of_days = pl.col("received_on").is_in(days)
    keys = ["event_id", "event_version"]
    champion = deployment.registry.load(spec.name)
    is_champions = pl.col("model_version") == champion.version
    scored = deployment.lake.scan(flows.score_table(spec)).filter(of_days & is_champions)
    events = flows.scorable_events(deployment, spec, champion).filter(of_days).select(keys)
    missing = events.join(scored.select(keys), on=keys, how="anti").select(pl.len()).collect().item()
    outside = scored.filter(~pl.col("probability").is_between(0, 1)).select(pl.len()).collect().item()
    return dg.AssetCheckResult(
        check_name="every_event_scored",
        asset_key=key_of(flows.score_table(spec)),
        passed=missing == 0 and outside == 0,
        metadata={"events without a score": missing, "scores outside 0 to 1": outside},
    )


def _every_score_has_a_lane(deployment: Deployment, spec: ModelSpec, days: Sequence[date]) -> dg.AssetCheckResult:
    of_days = pl.col("received_on").is_in(days)
    scored = deployment.lake.scan(flows.score_table(spec)).filter(of_days).select("score_id")
    lanes = deployment.lake.scan(flows.selection_table(spec)).filter(of_days).select("score_id")
    missing = scored.join(lanes, on="score_id", how="anti").select(pl.len()).collect().item()
    twice = lanes.select(pl.len() - pl.col("score_id").n_unique()).collect().item()
    return dg.AssetCheckResult(
        check_name="every_score_has_a_lane",
        asset_key=key_of(flows.selection_table(spec)),
        passed=missing == 0 and twice == 0,
        metadata={"scores without a lane": missing, "scores with two lanes": twice},
    )


score_assets = [_scores(spec) for spec in MODELS.values()]

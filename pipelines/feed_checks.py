"""Checks of feeds: what `warehouse.feeds` finds, as Dagster shows it on the bronze asset that the feeds fill.

A landing run evaluates them with its asset; the `feed_watch` sensor, without a run, when nothing comes at all.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dagster as dg
import polars as pl

from pipelines import pictures
from pipelines.deployment import Deployment
from pipelines.reporting import cell, key_of
from warehouse import feeds
from warehouse.catalog import BRONZE, LEDGER
from warehouse.contracts import Contract
from warehouse.feeds import ALARMS, Measure, Verdict

_CHECKS: dict[str, tuple[tuple[Measure, ...], str]] = {
    "feed_is_fresh": (
        (Measure.FRESHNESS, Measure.PARTS),
        "Each agency's deliveries come when they usually do, and reports in several messages with all of them.",
    ),
    "feed_volume": ((Measure.VOLUME, Measure.WEEK), "Each delivery has about as many rows as its weekday usually has."),
    "feed_refusals": ((Measure.REFUSED, Measure.REPEATED), "No more rows are refused, or stand twice, than usual."),
    "feed_schema": ((Measure.COLUMNS, Measure.FILES), "No column has come up, and no file is refused as a whole."),
}


def specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of a bronze asset."""
    return [dg.AssetCheckSpec(name, asset=key, description=said) for name, (_, said) in _CHECKS.items()]


def judged(deployment: Deployment, contract: Contract, as_of: datetime) -> pl.DataFrame:
    """The health of the feeds that deliver under a contract."""
    return feeds.health(deployment.lake.scan(LEDGER).filter(pl.col("contract") == contract.name).collect(), as_of)


def results(health: pl.DataFrame, contract: Contract) -> Iterator[dg.AssetCheckResult]:
    """The checks of a landing run, the picture with that of volumes."""
    for name, facts in _evaluated(health, contract):
        yield dg.AssetCheckResult(check_name=name, **facts)


def evaluations(health: pl.DataFrame, contract: Contract) -> Iterator[dg.AssetCheckEvaluation]:
    """The same outside a run."""
    for name, facts in _evaluated(health, contract):
        yield dg.AssetCheckEvaluation(key_of(BRONZE[contract.name]), name, **facts)


def alarmed(health: pl.DataFrame) -> dict[str, str]:
    """Check -> what is wrong now; to tell whether there is anything new to say."""
    now = feeds.current(health)
    return {
        name: ", ".join(
            f"{row['source_agency']} {row['measure']} {row['verdict']}" for row in _alarms(_of(now, name)).to_dicts()
        )
        for name in _CHECKS
    }


def _evaluated(health: pl.DataFrame, contract: Contract) -> Iterator[tuple[str, dict[str, Any]]]:
    now = feeds.current(health)
    for name in _CHECKS:
        mine = _of(now, name)
        wrong = _alarms(mine)
        is_broken = Verdict.BROKEN in wrong["verdict"]
        metadata: dict[str, Any] = {"feeds": _table(mine)}
        if Measure.VOLUME in _CHECKS[name][0] and mine.height:
            metadata["rows by day and agency"] = pictures.feeds(
                health.filter(pl.col("measure") == Measure.VOLUME), contract.title
            )
        yield (
            name,
            {
                "passed": wrong.is_empty(),
                "severity": dg.AssetCheckSeverity.ERROR if is_broken else dg.AssetCheckSeverity.WARN,
                "description": " ".join(f"{row['source_agency']}: {row['reason']}." for row in wrong.to_dicts())
                or None,
                "metadata": metadata,
            },
        )


def _of(now: pl.DataFrame, check: str) -> pl.DataFrame:
    return now.filter(pl.col("measure").is_in(list(_CHECKS[check][0])))


def _alarms(now: pl.DataFrame) -> pl.DataFrame:
    return now.filter(pl.col("verdict").is_in(list(ALARMS)))


def _table(rows: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """One row a feed and measure; those that raise an alarm first."""
    if rows.is_empty():
        return dg.MetadataValue.md("No feed delivers this dataset yet.")
    ordered = rows.sort(~pl.col("verdict").is_in(list(ALARMS)), maintain_order=True)
    columns = ("source_agency", "measure", "verdict", "reason")
    lines = [" | ".join(cell(row[column]) for column in columns) for row in ordered.iter_rows(named=True)]
    head = "| agency | measure | verdict | what, and what to do |\n|---|---|---|---|"
    return dg.MetadataValue.md("\n".join([head, *(f"| {line} |" for line in lines)]))

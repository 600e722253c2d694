"""Checks of views: whether each feature finds history as often as it usually does, against the runs before.

The run that computes the vectors evaluates them, from the vectors that it has in hand; asked for alone, they are of the
last days' vectors. What is usual stands in the evaluations of the runs before, so that no vector is read for it; what
is usual of a number is `warehouse.usual`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import polars as pl
from dagster import AssetCheckKey, DagsterInstance

from features.views import Aggregation, FeatureView, Kind
from pipelines import glance
from warehouse.usual import bound_of_part

CHECK = "history_as_usual"
RUNS = 40
"""Runs that say what is usual."""
_FOUND = "events with history"
_ZERO_OF_NOTHING = (Kind.COUNT, Kind.SUM, Kind.DISTINCT)


@dataclass(frozen=True)
class Counted:
    """Of one run: events, and of each feature how many found no history."""

    events: int
    without: dict[str, int]


@dataclass(frozen=True)
class Found:
    """A feature in this run and in those before."""

    name: str
    without: int
    events: int
    past: Sequence[tuple[int, int]]
    """(events without history, events) of runs before, the oldest first."""

    @property
    def most(self) -> float | None:
        """Of so many events, the most that usually find none; None where too few runs are known."""
        return bound_of_part(self.past, self.events)

    @property
    def is_unusual(self) -> bool:
        return self.most is not None and self.without > self.most

    @property
    def shares(self) -> list[float]:
        """Shares of events that found history, run by run."""
        return [1 - part / whole for part, whole in (*self.past, (self.without, self.events)) if whole]


def spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check of a view's asset."""
    return dg.AssetCheckSpec(
        CHECK,
        asset=key,
        description=(
            "Each feature finds history for about as many events as in the runs before. Where it finds less, a feed "
            "behind it stays out or names its entities otherwise: it says which, and what to look at."
        ),
    )


def evaluations(
    instance: DagsterInstance, key: dg.AssetKey, view: FeatureView, made: pl.DataFrame
) -> Iterator[dg.AssetCheckEvaluation]:
    """The check of a view in a run that has made the vectors of some events; nothing of a run without any."""
    if made.height:
        yield dg.AssetCheckEvaluation(asset_key=key, check_name=CHECK, **_judged(instance, key, view, made))


def result(instance: DagsterInstance, key: dg.AssetKey, view: FeatureView, stored: pl.DataFrame) -> dg.AssetCheckResult:
    """The check of a view over vectors that are stored; it is no run that says what is usual."""
    if stored.is_empty():
        return dg.AssetCheckResult(asset_key=key, check_name=CHECK, passed=True, description="No vector is stored yet.")
    facts = _judged(instance, key, view, stored)
    facts["metadata"].pop(_FOUND)
    return dg.AssetCheckResult(asset_key=key, check_name=CHECK, **facts)


def _judged(instance: DagsterInstance, key: dg.AssetKey, view: FeatureView, made: pl.DataFrame) -> dict[str, Any]:
    now = Counted(made.height, {one.name: _without(one, made[one.name]) for one in view.aggregations})
    past = _past(instance, key)
    found = [
        Found(name, without, now.events, [(run.without[name], run.events) for run in past if name in run.without])
        for name, without in now.without.items()
    ]
    odd = [one for one in found if one.is_unusual]
    shown = max(found, key=lambda one: (one.is_unusual, one.without))
    return {
        "passed": not odd,
        "severity": dg.AssetCheckSeverity.WARN,
        "description": _told(view, odd) or None,
        "metadata": {
            "run by run": glance.bars(
                shown.shares, f"{shown.name}: share of events that found history, run by run; the last is this one"
            ),
            "features": _table(found, made),
            _FOUND: dg.MetadataValue.json({"events": now.events, "without": now.without}),
        },
    }


def _without(one: Aggregation, values: pl.Series) -> int:
    """Events for which a feature has no value, or the 0 that stands for nothing."""
    nothing = values.null_count()
    return nothing + int((values == 0).sum()) if one.kind in _ZERO_OF_NOTHING else nothing


def _past(instance: DagsterInstance, key: dg.AssetKey) -> list[Counted]:
    """Runs before, the oldest first."""
    records = instance.event_log_storage.get_asset_check_execution_history(AssetCheckKey(key, CHECK), RUNS)
    return [counted for record in reversed(records) if (counted := _counted(record.evaluation)) is not None]


def _counted(evaluation: object) -> Counted | None:
    """None of one that is only planned, or was no run's."""
    told = evaluation.metadata.get(_FOUND) if isinstance(evaluation, dg.AssetCheckEvaluation) else None
    return Counted(**told.value) if isinstance(told, dg.JsonMetadataValue) and isinstance(told.value, dict) else None


def _told(view: FeatureView, odd: Sequence[Found]) -> str:
    if not odd:
        return ""
    counts = "; ".join(
        f"{one.name} found no history for {one.without:,} of {one.events:,} events, usually at most {one.most:,.0f}"
        for one in odd
    )
    return f"{counts}. See whether the feeds behind {view.source} came, then `borderlake features explain EVENT`."


def _table(found: Sequence[Found], made: pl.DataFrame) -> dg.TableMetadataValue:
    records = []
    for one in found:
        values = made[one.name]
        numbers = values if values.dtype.is_numeric() else values.clear().cast(pl.Float64)
        records.append(
            dg.TableRecord(
                {
                    "feature": one.name,
                    "without history": f"{one.without:,} of {one.events:,}",
                    "usually at most": "not known yet" if one.most is None else f"{one.most:,.0f}",
                    "least": _number(numbers.min()),
                    "median": _number(numbers.median()),
                    "greatest": _number(numbers.max()),
                }
            )
        )
    return dg.MetadataValue.table(records)


def _number(value: object) -> str:
    if not isinstance(value, int | float):
        return "-"
    return "under 0.001" if 0 < abs(value) < 0.001 else f"{value:,.4g}"

"""`bench drift`: how soon monitoring reports a drift that the simulation plants, and how often it reports none.

Planted worlds: a scenario each, monitored from before its change. Calm worlds: nothing changes but what every year
brings (the scenario `calm`: a small new ring, a route that shifts), monitored for 90 days. A report is a check that
fails, unless it failed in the week before: then that alert still stands.

`false_alerts` is of the worst calm world, and `days_to_alert` of the slowest planted one, from the day of the change to
the day whose judgement reports it: a day's extracts come on the day after it, so that it is 1 at the least.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from benchmarks import drift_worlds
from benchmarks.drift_worlds import Life
from benchmarks.harness import Watch
from benchmarks.trial_result import TrialResult
from benchmarks.world import LAKE_FROM
from models.monitoring import CHECKS, STANDS_DAYS
from simulation.scenario import Scenario, load
from warehouse.errors import BorderlakeError

PLANTED = ("travel_stop", "price_shock", "closed_route", "emptied_column", "wrong_unit")
CALM = "calm"
LEARNT_DAYS, CALM_DAYS = 60, 90
SOON_DAYS = 7
"""Within so many days a planted drift is to be reported."""
_AFTER_DAYS = 10
"""Days after a change that a planted world is watched."""


@dataclass(frozen=True)
class Asked:
    """What is measured: planted scenarios and calm worlds, all from one seed on."""

    seed: int
    worlds: int
    scale: float
    planted: Sequence[str] = PLANTED
    learnt_days: int = LEARNT_DAYS
    calm_days: int = CALM_DAYS


def run(asked: Asked, watch: Watch, at_once: int = 2) -> TrialResult:
    """Live and monitor all worlds; raises `BorderlakeError` where a drift begins among the days learnt from."""
    changes = {name: _change(name, asked) for name in asked.planted}
    planted = [
        Life(asked.seed, name, asked.scale, asked.learnt_days, day - asked.learnt_days + _AFTER_DAYS)
        for name, day in changes.items()
    ]
    calm = [
        Life(asked.seed + step, CALM, asked.scale, asked.learnt_days, asked.calm_days) for step in range(asked.worlds)
    ]
    watch("simulating the first worlds")
    found = drift_worlds.many([*planted, *calm], watch, at_once)
    waited = {
        name: days_to_alert(reports(rows), LAKE_FROM + timedelta(days=day - 1))
        for (name, day), rows in zip(changes.items(), found[: len(planted)], strict=True)
    }
    told = [reports(rows) for rows in found[len(planted) :]]
    false = [rows.height for rows in told]
    figures = {f"days_to_alert_{name}": float(days) for name, days in waited.items()}
    if waited:
        figures["days_to_alert"] = max(figures.values())
        figures["drifts_not_reported_in_time"] = float(sum(days > SOON_DAYS for days in waited.values()))
    figures |= {f"false_alerts_{step}": float(count) for step, count in enumerate(false, start=1)}
    if told:
        by_check = dict(pl.concat(told).group_by("check").len().iter_rows())
        figures |= {f"false_alerts_of_{check}": float(by_check.get(check, 0)) for check in CHECKS}
        figures["false_alerts"] = float(max(false))
        figures["worlds_with_more_than_one"] = float(sum(count > 1 for count in false))
    return TrialResult(
        "drift",
        asked.seed,
        sum(rows.height for rows in found),
        figures,
        {},
        {"scale": f"{asked.scale:g}", "learnt_days": str(asked.learnt_days), "calm_days": str(asked.calm_days)},
        must_be_zero=[name for name in ("drifts_not_reported_in_time", "worlds_with_more_than_one") if name in figures],
    )


def reports(rows: pl.DataFrame) -> pl.DataFrame:
    """`model_name`, `check`, `monitored_on` of every check that fails on a day and on none of the week before."""
    check_of = {figure.value: name for name, figures in CHECKS.items() for figure in figures}
    by_day = (
        rows.with_columns(check=pl.col("figure").replace_strict(check_of))
        .group_by("model_name", "check", "monitored_on")
        .agg(pl.col("is_alert").any())
        .sort("model_name", "check", "monitored_on")
    )
    failed = by_day.filter("is_alert")
    since = pl.col("monitored_on").diff().dt.total_days().over("model_name", "check")
    return failed.filter(since.is_null() | (since > STANDS_DAYS)).drop("is_alert")


def days_to_alert(reported: pl.DataFrame, changed_on: date) -> int:
    """Days from a change to the first report after it; one more than was watched where there is none."""
    after = reported.filter(pl.col("monitored_on") > changed_on)["monitored_on"].min()
    return (after - changed_on).days if isinstance(after, date) else _AFTER_DAYS + 1


def _change(name: str, asked: Asked) -> int:
    """Number of the day on which a scenario's first change begins."""
    try:
        scenario = load(name)
    except ValueError as error:
        raise BorderlakeError(str(error)) from error
    days = _days_of(scenario)
    if not days or min(days) <= asked.learnt_days + 1:
        said = f"changes on day {min(days)}" if days else "changes nothing"
        raise BorderlakeError(
            f"scenario {scenario.name} {said}; a drift is planted after the {asked.learnt_days} days learnt from. "
            "Name another scenario, or move its days"
        )
    return min(days)


def _days_of(scenario: Scenario) -> list[int]:
    periods = (*scenario.smuggling, *scenario.travel, *scenario.prices)
    return [*(period.from_day for period in periods), *scenario.lasting_from, *scenario.new_rings]

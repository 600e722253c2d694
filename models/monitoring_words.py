"""What a row of monitoring says to its reader: what was seen, what is usual, and what to do. Words only."""

from collections.abc import Mapping
from typing import Any

from features.views import Feature
from models import high_scores
from models.drift import REFERENCE_WEEKS, WINDOW
from models.monitoring import OUTCOME_DAYS, Figure

_SCORES = {"raw_score": "the scores (log-odds)", "probability": "the predicted probabilities"}


def told(row: Mapping[str, Any], features: Mapping[str, Feature]) -> str:
    """One sentence on what was seen and one on what to do; `row` is of `gold.model_monitoring`."""
    return f"{_seen(row, features)}. {_next(row, features)}" if row["is_alert"] else f"{_seen(row, features)}."


def _subject(row: Mapping[str, Any], features: Mapping[str, Feature]) -> str:
    name: str = row["feature"]
    match Figure(row["figure"]):
        case Figure.INPUT_DRIFT:
            known = features.get(name)
            return f"{name} ({known.description})" if known else name
        case Figure.SCORE_DRIFT:
            return _SCORES.get(name, name)
        case Figure.SILENCE:
            return name
        case figure:
            return _TITLES[figure]


_TITLES = {
    Figure.VOLUME: "Events of the week",
    Figure.HIGH_SCORES: (
        f"Share of events that score as high as one in {1 / high_scores.SHARE:.0f} of the "
        f"{high_scores.BEFORE // high_scores.DAYS} weeks before did"
    ),
    Figure.CALIBRATION: "Adverse outcomes over those predicted",
    Figure.PRECISION: "Adverse share of what was examined in the red and yellow lanes",
    Figure.BASE_RATE: "Adverse share of random inspections",
}


def _seen(row: Mapping[str, Any], features: Mapping[str, Feature]) -> str:
    value, subject = row["value"], _subject(row, features)
    match Figure(row["figure"]):
        case Figure.INPUT_DRIFT | Figure.SCORE_DRIFT:
            known = features.get(row["feature"])
            unit = " of events" if known is not None and known.is_category else " standard deviations"
            before = f"the same weekdays of the {REFERENCE_WEEKS} weeks before"
            moved = f"{subject}: the last {WINDOW} days lie {value:.2f}{unit} from {before}"
            return moved if row["high"] is None else f"{moved}; up to {row['high']:.2f} is usual"
        case Figure.VOLUME:
            return f"{subject}: {value:,.0f}{_usual(row, ',.0f')}"
        case Figure.HIGH_SCORES:
            most = " (too few to say what is usual)" if row["high"] is None else f" (up to {row['high']:.2%} is usual)"
            return f"{subject}, last {high_scores.DAYS} days: {value:.2%}{most}"
        case Figure.CALIBRATION:
            return f"{subject}, last {OUTCOME_DAYS} days: {value:.2f}{_usual(row, '.2f')}"
        case Figure.PRECISION | Figure.BASE_RATE:
            return f"{subject}, last {OUTCOME_DAYS} days: {value:.1%}{_usual(row, '.1%')}"
        case Figure.SILENCE:
            days = "day" if value == 1 else "days"
            most = "" if row["high"] is None else f"; up to {row['high']:.0f} is usual"
            return f"{subject}: {value:.0f} {days} on which rows were due and none came{most}"


def _usual(row: Mapping[str, Any], form: str) -> str:
    if row["low"] is None or row["high"] is None:
        return " (too few to say what is usual)"
    return f" ({row['low']:{form}} to {row['high']:{form}} is usual)"


def _next(row: Mapping[str, Any], features: Mapping[str, Feature]) -> str:
    train = f"borderlake train {row['model_name']}"
    match Figure(row["figure"]):
        case Figure.INPUT_DRIFT:
            known = features.get(row["feature"])
            owner = f" of {known.owner}" if known else ""
            return (
                f"See whether a feed{owner} changed (borderlake feeds list); if the world did, scores of these events "
                f"rest on what the model has not seen: give random inspections more seats until {train} has learnt it"
            )
        case Figure.SCORE_DRIFT:
            return (
                "See which inputs moved with it; if none did, traffic itself is riskier or safer: "
                f"look at the base rate as outcomes come in, then {train}"
            )
        case Figure.HIGH_SCORES:
            lanes = f"borderlake select --date {row['monitored_on']} --model {row['model_name']}"
            return (
                f"More is at the border that the model takes for risky: see what ({lanes}), give red and yellow more "
                "seats, and look at the base rate as outcomes come in"
            )
        case Figure.VOLUME:
            return "See which feed or office it is (borderlake feeds list), and whether lanes need other capacities"
        case Figure.CALIBRATION | Figure.PRECISION:
            return f"Do not read probabilities as such until it is trained anew: {train}"
        case Figure.BASE_RATE:
            return f"What is at the border has changed, whatever the model sees: {train}, and tell those who plan"
        case Figure.SILENCE:
            return "Features that rest on it are going stale: ask the agency for the missing delivery, then land it"

"""Dispositions: what officers decided on scores, and what that says. Frames in, frames out; no clock and no tables.

A lane advises an action, a person decides. Another action than the advised one is an override. Of several decisions
on one score the last counts, and the earlier ones stay.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from models.selection import looks
from models.tips import TIP
from warehouse.errors import BorderlakeError, UnknownName

ACTIONS = {
    "inspect": "examined physically",
    "documents": "documents checked",
    "audit": "released, and audited afterwards",
    "release": "released without a look",
    "other": "something else, as the reason says",
}
ADVISED = {"red": "inspect", "yellow": "documents", "blue": "audit", "green": "release"}
"""The action that each lane advises."""
INSPECTING = ("inspect", "documents")
"""Actions that look at an event before release."""

_LONGEST = 400
_ADVICE_OF_A_DAY = ("location", "received_on", "model_version")
_OF_SELECTION = (
    "score_id", "event_id", "event_version", "model_version", "location", "received_on", "lane", "is_exploration",
    "propensity",
)  # fmt: skip


def disposition(
    advice: Mapping[str, Any], *, model_name: str, action: str, officer_id: str, reason: str, decided_at: datetime
) -> dict[str, Any]:
    """A row of `gold.dispositions` on `advice`, a row of `gold.*_selections`; `officer_id` is keyed.

    Raises where the action is unknown, the reason is empty, too long or of several lines, or the score is later.
    """
    if action not in ACTIONS:
        raise UnknownName("action", action, list(ACTIONS))
    told = reason.strip()
    if not told:
        raise BorderlakeError("a decision needs a reason; nothing was recorded. Say it with --reason")
    if len(told) > _LONGEST or not told.isprintable():
        raise BorderlakeError(f"a reason is one line of at most {_LONGEST} characters; nothing was recorded")
    if decided_at < advice["scored_at"]:
        raise BorderlakeError(
            f"the score was given at {advice['scored_at']:%Y-%m-%d %H:%M} UTC, after this decision; give --at as it was"
        )
    return {name: advice[name] for name in _OF_SELECTION} | {
        "model_name": model_name,
        "action": action,
        "is_override": action != ADVISED[advice["lane"]],
        "is_inspected": action in INSPECTING,
        "officer": officer_id,
        "reason": told,
        "decided_at": decided_at,
    }


def last(dispositions: pl.LazyFrame) -> pl.LazyFrame:
    """Of each score the decision that counts."""
    return dispositions.sort("decided_at").unique("score_id", keep="last", maintain_order=True)


def override_rates(dispositions: pl.DataFrame, by: Sequence[str] = ("model_name", "location", "lane")) -> pl.DataFrame:
    """Of decisions that count, by group: `decided`, `overridden` and their `share`."""
    counted = dispositions.group_by(by).agg(decided=pl.len(), overridden=pl.col("is_override").sum())
    return counted.with_columns(share=pl.col("overridden") / pl.col("decided")).sort(by, nulls_last=True)


def with_decisions(selections: pl.LazyFrame, dispositions: pl.LazyFrame) -> pl.LazyFrame:
    """Selections with `is_inspected` and `action` as they were decided, null where nobody did, and `has_decisions`:
    whether officers decide at that location on that model's advice of that day at all."""
    decided = last(dispositions)
    where = decided.select(*_ADVICE_OF_A_DAY, has_decisions=pl.lit(value=True)).unique()
    return (
        selections.join(decided.select("score_id", "action", "is_inspected"), on="score_id", how="left")
        .join(where, on=_ADVICE_OF_A_DAY, how="left", nulls_equal=True)
        .with_columns(pl.col("has_decisions").fill_null(value=False))
    )


def undecided(selections: pl.DataFrame) -> pl.DataFrame:
    """Of rows with decisions and outcomes, those whose outcome is known as if the advice had been followed, at a
    location that decides on such days, without any disposition."""
    followed = pl.col("lane").is_in(("red", "yellow")) & pl.col("is_adverse").is_not_null()
    return selections.filter(followed & pl.col("has_decisions") & pl.col("action").is_null())


def with_propensities(labelled: pl.DataFrame, dispositions: pl.DataFrame) -> pl.DataFrame:
    """Labelled vectors whose `selection` and `selection_probability` say what made an officer look who decided to; the
    agency's own account stands for the others.

    What red or yellow advised has the chance that the lanes gave it. What an officer looked at against blue or green
    was no draw of the lanes, but that officer's own suspicion: its chance is not known.
    """
    looked = (
        last(dispositions.lazy())
        .filter("is_inspected")
        .sort("decided_at")
        .unique("event_id", keep="last", maintain_order=True)
        .select(
            "event_id",
            made=pl.when(~looks()).then(pl.lit(TIP))
            .when("is_exploration").then(pl.lit("random"))
            .otherwise(pl.lit("rule")),
            chance=pl.when(looks()).then("propensity"),
        )
        .collect()
    )  # fmt: skip
    joined = labelled.join(looked, on="event_id", how="left", maintain_order="left")
    ours = pl.col("made").is_not_null()
    return joined.with_columns(
        selection=pl.when(ours).then("made").otherwise("selection"),
        selection_probability=pl.when(ours).then("chance").otherwise("selection_probability"),
    ).drop("made", "chance")

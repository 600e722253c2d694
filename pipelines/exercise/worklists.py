"""Worklists: what each team may choose from on a day, riskiest first. Reads gold and silver; no truth, no selections.

Customs chooses among shipments, immigration among crossings, surveillance among the vehicles and vessels that brought
them. A vehicle or vessel is as risky as the riskiest event behind it. Ids are keyed ids of the lake, cut to what tells
the day's rows apart, with a letter before them that keeps spreadsheets from reading a number.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from models import selection
from models.catalogue import MODELS
from models.explanation import ALL_ELSE
from models.spec import ModelSpec
from pipelines import flows
from pipelines.deployment import Deployment
from warehouse.recalls import standing

CUSTOMS, IMMIGRATION, SURVEILLANCE = "customs", "immigration", "surveillance"
TEAMS = (CUSTOMS, IMMIGRATION, SURVEILLANCE)

_REACH = {"shipments": CUSTOMS, "crossings": IMMIGRATION}
"""Whose events a subject's are."""
_ABOUT = {
    "shipments": ("declaration_id", "goods_item_number", "hs_code", "country_of_origin", "transport_mode"),
    "crossings": ("crossing_id", "direction", "mode", "nationality", "party_size"),
}
"""What a team's worklist says of an event besides its risk."""
_LETTER = {"shipments": "S-", "crossings": "C-", "vehicle": "V-", "vessel": "W-"}
_SHOWN = ("id", "event_at", "location", "risk", "lane", "reasons")
_ID_DIGITS = 16
_REASONS = 3

EVENTS = {
    "team": pl.String,
    "on": pl.Date,
    "id": pl.String,
    "event_id": pl.String,
    "event_at": pl.Datetime("us", "UTC"),
    "location": pl.String,
    "risk": pl.Float64,
    "raw_score": pl.Float64,
    "lane": pl.String,
    "reasons": pl.String,
    "means": pl.String,
}
"""Columns of `offered`: one row an event, day and team. `means` is the vehicle or vessel, where one is known."""


def offered(deployment: Deployment, days: Sequence[date]) -> pl.DataFrame:
    """Everything teams could choose on days of delivery, one row an event behind a choice, with `EVENTS`.

    The first score of an event counts: what the team was shown, whatever later models say.
    """
    own = [_events(deployment, spec, days) for spec in MODELS.values()]
    every = pl.concat([events.select(list(EVENTS)) for events in own])
    return pl.concat([every, _behind_means(deployment, every)])


def write(deployment: Deployment, folder: Path, days: Sequence[date]) -> None:
    """Write `<team>/<day>.csv` below `folder` for each team and day, replacing what is there."""
    own = {spec.subject: _events(deployment, spec, days) for spec in MODELS.values()}
    for subject, events in own.items():
        columns = [*_SHOWN, *_ABOUT[subject], "means"]
        for day in days:
            _write(folder / _REACH[subject] / f"{day}.csv", events.filter(pl.col("on") == day), columns)
    means = _behind_means(deployment, pl.concat([events.select(list(EVENTS)) for events in own.values()]))
    listed = means.group_by("team", "on", "id").agg(
        pl.col("event_at").min(),
        pl.col("location", "risk", "raw_score", "lane", "reasons").first(),
        events_behind=pl.len(),
    )
    for day in days:
        _write(folder / SURVEILLANCE / f"{day}.csv", listed.filter(pl.col("on") == day), [*_SHOWN, "events_behind"])


def _write(path: Path, rows: pl.DataFrame, columns: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    listed = rows.sort(["raw_score", "id"], descending=[True, False]).with_row_index("rank", offset=1)
    listed.select("rank", *columns).with_columns(
        pl.col("event_at").dt.strftime("%Y-%m-%d %H:%M"), pl.col("risk").round(4)
    ).write_csv(part)
    part.replace(path)


def _events(deployment: Deployment, spec: ModelSpec, days: Sequence[date]) -> pl.DataFrame:
    """Scored events of days of delivery, with `EVENTS` and what their worklist says about them."""
    of_days = pl.col("received_on").is_in(list(days))
    keys = ["event_id", "event_version"]
    lanes = deployment.lake.scan(flows.selection_table(spec)).filter(of_days).select("score_id", "lane")
    scores = (
        standing(deployment.lake, flows.score_table(spec))
        .filter(of_days)
        .drop("vector")
        .join(lanes, on="score_id")
        .sort("model_version", "scored_at")
        .unique(keys, keep="first", maintain_order=True)
    )
    silver = deployment.lake.scan(flows.SUBJECT_TABLES[spec.subject]).filter(of_days)
    names = silver.collect_schema().names()
    vessel = _short("vessel_id", "vessel") if "vessel_id" in names else pl.lit(None, pl.String)
    about = silver.select(*keys, *_ABOUT[spec.subject], means=pl.coalesce(_short("vehicle_id", "vehicle"), vessel))
    spoken = pl.element().filter(pl.element().struct.field("theme") != ALL_ELSE).struct.field("text")
    texts = pl.col("reasons").list.eval(spoken).list.head(_REASONS)
    return (
        scores.join(about, on=keys)
        # Of two versions delivered on one day the later one is what the team is shown.
        .sort("event_version")
        .unique(["event_id", "received_on"], keep="last", maintain_order=True)
        .with_columns(
            team=pl.lit(_REACH[spec.subject]),
            on="received_on",
            id=_short("event_id", spec.subject),
            risk="probability",
            reasons=texts.list.join("; "),
        )
        .collect()
    )


def _short(column: str, kind: str) -> pl.Expr:
    return pl.lit(_LETTER[kind]) + pl.col(column).str.slice(0, _ID_DIGITS)


def _behind_means(deployment: Deployment, events: pl.DataFrame) -> pl.DataFrame:
    """What surveillance may choose: each event under the vehicle or vessel that brought it, in lanes of their own."""
    carried = events.filter(pl.col("means").is_not_null())
    riskiest = carried.sort(["raw_score", "event_id"], descending=[True, False]).unique(
        ["on", "means"], keep="first", maintain_order=True
    )
    as_scores = riskiest.select("location", "raw_score", "risk", "reasons", event_id="means", received_on="on")
    lanes = selection.select(as_scores, deployment.capacities("vehicles"), deployment.vault_key).select(
        "location", "raw_score", "risk", "reasons", "lane", id="event_id", on="received_on"
    )
    behind = carried.select("on", "event_id", "event_at", "means", id="means")
    return behind.join(lanes, on=["on", "id"]).with_columns(team=pl.lit(SURVEILLANCE)).select(list(EVENTS))

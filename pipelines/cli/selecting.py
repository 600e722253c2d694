"""`borderlake select`, `whatif` and `leakage`: lanes of a day, past days under other lanes, and what lanes miss."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from models import estimators
from models import whatif as counting
from models.capacity import LANES, Capacities, read_capacities
from models.catalogue import MODELS, model_of
from models.estimators import Estimate
from models.spec import ModelSpec
from models.tracking import CHALLENGER, CHAMPION, Registered
from pipelines import deciding, flows
from pipelines import whatif as asking
from pipelines.cli.output import Exit, JsonOut, console, table, write_json
from pipelines.deployment import Deployment, from_environment
from warehouse.errors import BorderlakeError

_DIGITS = 12
_REASONS = 2

_DAY = ["%Y-%m-%d"]
Model = Annotated[str, typer.Option("--model", metavar="MODEL", help=f"One of: {', '.join(MODELS)}.")]
CapacityFile = Annotated[
    Path | None,
    typer.Option(
        "--capacity",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="TOML: seats of red, yellow, blue and exploration by office, and minutes a lane takes (60, 15, 30 and 0 "
        "where not said). Default: capacity.toml of BORDERLAKE_HOME.",
    ),
]
From = Annotated[datetime, typer.Option("--from", formats=_DAY, metavar="DATE", help="First day of delivery.")]
To = Annotated[datetime, typer.Option("--to", formats=_DAY, metavar="DATE", help="Last day of delivery.")]
KnownBy = Annotated[
    datetime | None,
    typer.Option(
        "--known-by", formats=_DAY, metavar="DATE", help="Count outcomes known by the end of it; default: now."
    ),
]


def select(
    day: Annotated[datetime, typer.Option("--date", formats=_DAY, metavar="DATE", help="Day of delivery.")],
    capacity: CapacityFile = None,
    model: Model = "shipment_risk",
    limit: Annotated[int, typer.Option(min=0, help="Most events to list; they begin with red.")] = 10,
    json_out: JsonOut = None,
) -> None:
    """Show the lanes of a day's scores under a capacity. Nothing is written: scoring places events, once.

    Drawn events say so and with which chance; events that the model has no ground to judge are marked.
    """
    deployment, spec = from_environment(), model_of(model)
    capacities = _capacities(deployment, spec, capacity)
    lanes = asking.lanes_of_day(deployment, spec, day.date(), capacities)
    offices = _by_office(lanes, capacities)
    ordered = lanes.with_columns(order=pl.col("lane").replace_strict(list(LANES), list(range(len(LANES))))).sort(
        "order", "is_exploration", "rank", "score_id"
    )
    columns = ("where", "events", *LANES, "drawn", "no ground", "officer-hours")
    console.print(table(f"{spec.name}, {day:%Y-%m-%d}: lanes by office", columns, offices.rows()))
    if limit:
        listed = [_listed(row) for row in ordered.head(limit).iter_rows(named=True)]
        console.print(table("Look at", ("score", "where", "lane", "risk", "why"), listed))
    console.print("A lane advises. Record what is decided: [bold]borderlake disposition record SCORE_ID[/bold]")
    rows = ordered.select(
        "score_id", "event_id", "location", "lane", "lane_by_risk", "rank", "probability", "is_exploration",
        "propensity", "reason", "abstained_for",
    )  # fmt: skip
    write_json(
        json_out,
        {
            "model": spec.name,
            "version": int(lanes["model_version"][0]),
            "date": f"{day:%Y-%m-%d}",
            "offices": offices.to_dicts(),
            "rows": rows.to_dicts(),
        },
    )


def whatif(
    first: From,
    last: To,
    capacity: CapacityFile = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Look at every event from this risk on, whatever the capacity.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", metavar="N", help=f"Score anew: a number, {CHAMPION} or {CHALLENGER}.")
    ] = None,
    model: Model = "shipment_risk",
    known_by: KnownBy = None,
    json_out: JsonOut = None,
) -> None:
    """Replay past days under another capacity, threshold or model version, with features as they were served then.

    Hits and precision are counted among outcomes that are known; what lanes would really find is estimated from the
    events that were looked at by a draw of known chance. Hours are those of the capacity that is asked with, in both.
    """
    deployment, spec = from_environment(), model_of(model)
    capacities = _capacities(deployment, spec, capacity)
    asked = asking.Question(
        spec, _days(first, last), capacities, _moment(known_by), threshold, _version(deployment, spec, version)
    )
    answer = asking.ask(deployment, asked)
    sides = {"as it was": answer.was, "what if": answer.would}
    totals = {name: counting.tally(rows, capacities).to_dicts()[0] for name, rows in sides.items()}
    expected = {name: counting.expected_hits(rows) for name, rows in sides.items()}
    console.print(
        table(
            f"{spec.name}, {first:%Y-%m-%d} to {last:%Y-%m-%d}",
            ("", *_FIGURES.values(), "estimated hits (95 %)"),
            [(name, *_figures(totals[name]), _interval(expected[name])) for name in sides],
        )
    )
    offices = {name: counting.tally(rows, capacities, ["location"]).to_dicts() for name, rows in sides.items()}
    by_office = [(row["location"], name, *_figures(row)) for name, rows in offices.items() for row in rows]
    by_office.sort(key=lambda row: (row[0] is None, row[0] or ""))
    console.print(table("By office", ("where", "", *_FIGURES.values()), by_office))
    console.print(f"Hits gained, estimated: {_interval(answer.gain)}", highlight=False)
    if answer.seen_in_training:
        console.print(
            f"[yellow]{answer.seen_in_training:,} of these events are from days the model was trained on[/yellow]: "
            "hits among them flatter it",
            soft_wrap=True,
        )
    if answer.without_vector:
        console.print(f"{answer.without_vector:,} events are left out: no vector of this version's features was served")
    write_json(
        json_out,
        {
            "model": spec.name,
            "days": [f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"],
            "as_it_was": _told(totals["as it was"], expected["as it was"], offices["as it was"]),
            "what_if": _told(totals["what if"], expected["what if"], offices["what if"]),
            "gain": answer.gain and asdict(answer.gain),
            "seen_in_training": answer.seen_in_training,
            "without_vector": answer.without_vector,
        },
    )


def leakage(
    first: From,
    last: To,
    model: Model = "shipment_risk",
    known_by: KnownBy = None,
    json_out: JsonOut = None,
) -> None:
    """Estimate the adverse events that each lane holds, and misses, by lane and by office.

    From outcomes whose chance is known: of lanes where officers record decisions, else of the agency's own draw.
    Take days old enough for their outcomes to have come.
    """
    deployment, spec = from_environment(), model_of(model)
    rows = deciding.selections_with_outcomes(deployment, spec, _days(first, last), _moment(known_by))
    found: dict[str, list[dict[str, Any]]] = {}
    for title, column in (("lane", "lane_by_risk"), ("office", "location")):
        made = estimators.leakage(rows, [column])
        found[title] = made.to_dicts()
        shown = [_leaking(row, column) for row in made.iter_rows(named=True)]
        columns = (title, "events", "sampled", "awaited", "adverse (95 %)", "missed (95 %)", "rate (95 %)", "no chance")
        console.print(table(f"{spec.name}: adverse events by {title}, estimated", columns, shown))
    sampled = int(rows["is_sampled"].sum())
    console.print(f"{rows.height:,} events, {sampled:,} of them with an outcome of known chance", highlight=False)
    write_json(json_out, {"model": spec.name, "events": rows.height, "sampled": sampled, **found})
    raise typer.Exit(Exit.DONE if sampled else Exit.NOTHING)


_FIGURES = {
    "events": "events", "looked_at": "looked at", "known": "known", "hits": "hits", "precision": "precision",
    "officer_hours": "officer-hours",
}  # fmt: skip


def _by_office(lanes: pl.DataFrame, capacities: Capacities) -> pl.DataFrame:
    timed = lanes.with_columns(officer_minutes=capacities.officer_minutes())
    return (
        timed.group_by("location")
        .agg(
            pl.len().alias("events"),
            *((pl.col("lane") == lane).sum().alias(lane) for lane in LANES),
            drawn=pl.col("is_exploration").sum(),
            abstained=pl.col("abstained_for").count(),
            officer_hours=pl.col("officer_minutes").sum() / 60,
        )
        .sort("location", nulls_last=True)
    )


def _listed(row: Mapping[str, Any]) -> tuple[object, ...]:
    """A row of a day's list: why it is there, and what speaks against leaning on its score."""
    reasons = [] if row["is_exploration"] else [reason["text"] for reason in row["reasons"][:_REASONS]]
    mark = [f"no ground: {row['abstained_for']}"] if row["abstained_for"] else []
    why = "\n".join([row["reason"], *reasons, *mark])
    return row["score_id"][:_DIGITS], row["location"], row["lane"], f"{row['probability']:.1%}", why


def _leaking(row: Mapping[str, Any], column: str) -> tuple[object, ...]:
    estimates = {name: _read(row, name) for name in ("adverse", "missed", "rate")}
    return (
        row[column] or "not kept", row["events"], row["sampled"], row["awaited"], _interval(estimates["adverse"]),
        _interval(estimates["missed"]), _interval(estimates["rate"], percent=True), row["without_chance"],
    )  # fmt: skip


def _read(row: Mapping[str, Any], name: str) -> Estimate | None:
    return None if row[name] is None else Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _figures(row: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(row[name] for name in _FIGURES)


def _interval(estimate: Estimate | None, *, percent: bool = False) -> str:
    if estimate is None:
        return "nothing is known"
    if percent:
        return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"
    return f"{estimate.value:,.0f} ({estimate.low:,.0f} to {estimate.high:,.0f})"


def _told(total: Mapping[str, Any], expected: Estimate | None, offices: list[dict[str, Any]]) -> dict[str, Any]:
    return {**total, "expected_hits": expected and asdict(expected), "offices": offices}


def _capacities(deployment: Deployment, spec: ModelSpec, file: Path | None) -> Capacities:
    return deployment.capacities(spec.subject) if file is None else read_capacities(file, spec.subject)


def _version(deployment: Deployment, spec: ModelSpec, version: str | None) -> Registered | None:
    if version is None:
        return None
    if version in (CHAMPION, CHALLENGER):
        return deployment.registry.load(spec.name, version)
    if not version.isdecimal():
        raise BorderlakeError(f"--version is a number, {CHAMPION} or {CHALLENGER}")
    return deployment.registry.load_version(spec.name, int(version))


def _days(first: datetime, last: datetime) -> list[Any]:
    if last < first:
        raise BorderlakeError("--to is before --from")
    return list(flows.each_day(first.date(), last.date()))


def _moment(known_by: datetime | None) -> datetime:
    return datetime.now(UTC) if known_by is None else known_by.replace(tzinfo=UTC) + timedelta(days=1)

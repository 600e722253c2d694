"""`borderlake leakage`: what lanes miss, estimated."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import typer

from models import estimators
from models.capacity import LANES
from models.catalogue import model_of
from models.estimators import Estimate
from pipelines import deciding
from pipelines.cli.output import Exit, JsonOut, console, table, write_json
from pipelines.cli.selecting import From, KnownBy, Model, To, days_of, interval, moment_of
from pipelines.deployment import of_lake


def leakage(
    first: From,
    last: To,
    model: Model = "shipment_risk",
    known_by: KnownBy = None,
    json_out: JsonOut = None,
) -> None:
    """Estimate the adverse events that each lane holds, and misses, by lane and by office.

    Counting what was looked at flatters the lanes: officers look where they
    suspect. So the estimates rest on what a draw of known chance had looked at:
    the lanes' own where officers record decisions, else the agency's. An event
    drawn with a chance of 1 in 100 stands for 100. Take days old enough for
    their outcomes to have come.

    [bold]sampled[/bold]: drawn, and the outcome is known. [bold]awaited[/bold]: drawn, and it is not.

    [bold]adverse[/bold]: all adverse events, estimated, with a 95 % interval.

    [bold]missed[/bold]: those of them that the lane lets pass unseen.

    [bold]rate[/bold]: the share of events that is adverse.

    [bold]no chance[/bold]: no draw could have taken them; nothing is known of them.

    Lanes are those by rank alone, before the draw.
    """
    deployment, spec = of_lake(), model_of(model)
    rows = deciding.selections_with_outcomes(deployment, spec, days_of(first, last), moment_of(known_by))
    if rows.is_empty():
        missing = deciding.no_scores(deployment, spec, f"from {first:%Y-%m-%d} to {last:%Y-%m-%d}")
        console.print(str(missing), highlight=False, soft_wrap=True)
        write_json(json_out, {"model": spec.name, "events": 0, "sampled": 0, "lane": [], "office": []})
        raise typer.Exit(Exit.NOTHING)
    found: dict[str, list[dict[str, Any]]] = {}
    for title, column in (("lane", "lane_by_risk"), ("office", "location")):
        made = _in_order(estimators.leakage(rows, [column]), column)
        found[title] = made.to_dicts()
        shown = [_leaking(row, column) for row in made.iter_rows(named=True)]
        columns = (title, "events", "sampled", "awaited", "adverse (95 %)", "missed (95 %)", "rate (95 %)", "no chance")
        console.print(table(f"{spec.name}: adverse events by {title}, estimated", columns, shown))
    sampled = int(rows["is_sampled"].sum())
    console.print(_read_so(rows.height, sampled), highlight=False, soft_wrap=True)
    write_json(json_out, {"model": spec.name, "events": rows.height, "sampled": sampled, **found})
    raise typer.Exit(Exit.DONE if sampled else Exit.NOTHING)


def _in_order(made: pl.DataFrame, column: str) -> pl.DataFrame:
    """Lanes from red down; offices as they are."""
    return made.sort(pl.col(column).cast(pl.Enum(LANES)), nulls_last=True) if column == "lane_by_risk" else made


def _read_so(events: int, sampled: int) -> str:
    """What the tables rest on, and how they are to be read."""
    if not sampled:
        return (
            f"{events:,} events, and no outcome of any came of a draw of known chance: nothing can be estimated. Take "
            "days whose outcomes have come, or record decisions on what was drawn: borderlake disposition record"
        )
    return (
        f"{events:,} events. All estimates rest on the {sampled:,} that were drawn with a known chance and whose "
        "outcome is known (sampled); each stands for as many as its chance says, so few make wide intervals. Missed "
        "are the adverse ones that the lane lets pass. Totals are too low by what is awaited. --help "
        "explains each column"
    )


def _leaking(row: Mapping[str, Any], column: str) -> tuple[object, ...]:
    estimates = {name: _read(row, name) for name in ("adverse", "missed", "rate")}
    return (
        row[column] or "not kept", row["events"], row["sampled"], row["awaited"], interval(estimates["adverse"]),
        interval(estimates["missed"]), interval(estimates["rate"], percent=True), row["without_chance"],
    )  # fmt: skip


def _read(row: Mapping[str, Any], name: str) -> Estimate | None:
    return None if row[name] is None else Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])

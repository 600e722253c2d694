"""`borderlake leakage`: what lanes miss, estimated."""

from collections.abc import Mapping
from typing import Any

import typer

from models import estimators
from models.catalogue import model_of
from models.estimators import Estimate
from pipelines import deciding, flows
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

    From outcomes whose chance is known: of lanes where officers record decisions, else of the agency's own draw.
    Take days old enough for their outcomes to have come.
    """
    deployment, spec = of_lake(), model_of(model)
    rows = deciding.selections_with_outcomes(deployment, spec, days_of(first, last), moment_of(known_by))
    if rows.is_empty():
        console.print(
            f"{spec.name} has no scores from {first:%Y-%m-%d} to {last:%Y-%m-%d}; take days that are scored, as "
            f"borderlake show {flows.selection_table(spec).name} has them, or score: borderlake score",
            highlight=False,
            soft_wrap=True,
        )
        write_json(json_out, {"model": spec.name, "events": 0, "sampled": 0, "lane": [], "office": []})
        raise typer.Exit(Exit.NOTHING)
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


def _leaking(row: Mapping[str, Any], column: str) -> tuple[object, ...]:
    estimates = {name: _read(row, name) for name in ("adverse", "missed", "rate")}
    return (
        row[column] or "not kept", row["events"], row["sampled"], row["awaited"], interval(estimates["adverse"]),
        interval(estimates["missed"]), interval(estimates["rate"], percent=True), row["without_chance"],
    )  # fmt: skip


def _read(row: Mapping[str, Any], name: str) -> Estimate | None:
    return None if row[name] is None else Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])

"""`borderlake disposition record | list`: what officers decided on scores."""

from datetime import UTC, datetime
from typing import Annotated

import polars as pl
import typer

from models import dispositions
from pipelines import deciding
from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.deployment import of_lake

app = typer.Typer(no_args_is_help=True, help="Record what officers decide on scores, and list it.")

_SHOWN_DIGITS = 12


@app.command()
def record(
    score: Annotated[str, typer.Argument(metavar="SCORE_ID", help="The score acted on, or the beginning of its id.")],
    officer: Annotated[
        str, typer.Option("--officer", metavar="ID", help="Who decided, as the agency knows them; kept as a keyed id.")
    ],
    action: Annotated[
        str, typer.Option("--action", metavar="ACTION", help=f"One of: {', '.join(dispositions.ACTIONS)}.")
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="WHY", help="One line. Name nobody in it: others may read it.")
    ],
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at", formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"], help="When (UTC); default: now."
        ),
    ] = None,
    json_out: JsonOut = None,
) -> None:
    """Record a decision on a score. Recorded again, the later decision counts and the earlier one stays.

    Red advises inspect, yellow documents, blue audit, green release; another action is marked as an override.
    """
    deployment = of_lake()
    decided_at = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    row = deciding.record(deployment, score, officer=officer, action=action, reason=reason, decided_at=decided_at)
    from pipelines import reporting, runs

    runs.report(deployment, [reporting.materialized(deployment, deciding.DISPOSITIONS)])
    advised = dispositions.ADVISED[str(row["lane"])]
    says = "an override" if row["is_override"] else "as advised"
    console.print(
        f"Recorded: {action} on score {str(row['score_id'])[:_SHOWN_DIGITS]}, {says} "
        f"(the {row['lane']} lane advises {advised})",
        highlight=False,
        soft_wrap=True,
    )
    write_json(json_out, row)


@app.command(name="list")
def list_(
    score: Annotated[str | None, typer.Option("--score", metavar="SCORE_ID", help="Only of this score.")] = None,
    overrides: Annotated[bool, typer.Option("--overrides", help="Only where another action was taken.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Also decisions that a later one has replaced.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most decisions to show, the latest first.")] = 20,
    json_out: JsonOut = None,
) -> None:
    """List the decisions that count, the latest first, and how often each lane is overridden at each office."""
    all_rows = deciding.recorded(of_lake())
    rows = all_rows if history else dispositions.last(all_rows)
    if score is not None:
        rows = rows.filter(pl.col("score_id").str.starts_with(score))
    if overrides:
        rows = rows.filter("is_override")
    found = rows.sort("decided_at", descending=True).collect()
    rates = dispositions.override_rates(dispositions.last(all_rows).collect())
    if found.is_empty():
        console.print("No decision is recorded. Record one: borderlake disposition record SCORE_ID --help")
        write_json(json_out, {"dispositions": [], "overrides": rates.to_dicts()})
        raise typer.Exit(Exit.NOTHING)
    shown = [
        (
            row["score_id"][:_SHOWN_DIGITS], f"{row['decided_at']:%Y-%m-%d %H:%M}", row["location"], row["lane"],
            row["action"], row["is_override"], row["officer"][:8], printable(row["reason"]),
        )
        for row in found.head(limit).iter_rows(named=True)
    ]  # fmt: skip
    columns = ("score", "decided (UTC)", "where", "lane", "action", "override", "officer", "reason")
    console.print(table("Decisions", columns, shown))
    console.print(table("Overrides", ("model", "where", "lane", "decided", "overridden", "share"), rates.rows()))
    write_json(json_out, {"dispositions": found.to_dicts(), "overrides": rates.to_dicts()})

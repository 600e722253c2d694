"""`borderlake feeds list | show`: is each agency's feed as it always was, and if not, what to do."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import polars as pl
import typer
from rich.table import Table
from rich.text import Text

from pipelines.cli.output import Exit, JsonOut, console, printable, table, write_json
from pipelines.deployment import Deployment, of_lake
from warehouse import feeds
from warehouse.agencies import agency_and_dataset
from warehouse.catalog import LEDGER
from warehouse.errors import BorderlakeError
from warehouse.feeds import ALARMS, Measure, Verdict

app = typer.Typer(no_args_is_help=True, help="See which feeds are late, thin, or changed, against their own history.")

_MARKS = {Verdict.USUAL: "ok", Verdict.YOUNG: "-", Verdict.UNUSUAL: "odd", Verdict.BROKEN: "bad"}
_SHORT = {
    Measure.FRESHNESS: "fresh",
    Measure.VOLUME: "day",
    Measure.WEEK: "week",
    Measure.REFUSED: "refused",
    Measure.REPEATED: "repeats",
    Measure.COLUMNS: "columns",
    Measure.FILES: "files",
    Measure.PARTS: "parts",
}
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"], metavar="DATE", help="Judge as of the end of this day; default: now."
    ),
]


@app.command(name="list")
def list_(as_of: AsOf = None, json_out: JsonOut = None) -> None:
    """List every feed with a verdict a measure; what is unusual is told below with the next step. 3: something is."""
    judged, moment = _judged(of_lake(), as_of)
    now = feeds.current(judged)
    if now.is_empty():
        console.print("Nothing has landed here yet. Begin with borderlake demo, or borderlake land AGENCY.DATASET FILE")
        write_json(json_out, {"as_of": moment, "feeds": []})
        raise typer.Exit(Exit.NOTHING)
    console.print(_overview(now))
    wrong = _alarms(now)
    for row in wrong.iter_rows(named=True):
        console.print(_told(row), soft_wrap=True)
    console.print(_conclusion(now, wrong), highlight=False, soft_wrap=True)
    write_json(json_out, {"as_of": moment, "feeds": now.to_dicts()})
    raise typer.Exit(Exit.PARTLY if wrong.height else Exit.DONE)


@app.command()
def show(
    agency: Annotated[str, typer.Argument(metavar="AGENCY", help="Who delivers.")],
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="What.")],
    as_of: AsOf = None,
    days: Annotated[int, typer.Option(min=1, help="Most days of delivery to show.")] = 21,
    json_out: JsonOut = None,
) -> None:
    """Show one feed: each measure in words, and its days against what is usual. 3: something is unusual."""
    deployment = of_lake()
    agency_and_dataset(f"{agency}.{dataset}", dict(deployment.agencies))
    mine = (pl.col("source_agency") == agency) & (pl.col("dataset") == dataset)
    judged, moment = _judged(deployment, as_of, mine)
    if judged.is_empty():
        raise BorderlakeError(f"{agency} has delivered no {dataset} yet; borderlake feeds list shows who delivers what")
    now = feeds.current(judged)
    by_day = judged.filter(pl.col("measure") == Measure.VOLUME).sort("day", descending=True)
    rows = [_day(row) for row in by_day.head(days).iter_rows(named=True)]
    console.print(table(f"{agency}.{dataset}: rows by day", ("day", "rows", "usual", "verdict"), rows))
    for row in now.iter_rows(named=True):
        console.print(_told(row, named=False), soft_wrap=True)
    write_json(json_out, {"as_of": moment, "now": now.to_dicts(), "days": judged.to_dicts()})
    raise typer.Exit(Exit.PARTLY if _alarms(now).height else Exit.DONE)


def _judged(
    deployment: Deployment, as_of: datetime | None, where: pl.Expr | None = None
) -> tuple[pl.DataFrame, datetime]:
    moment = as_of.replace(tzinfo=UTC) + timedelta(days=1) if as_of else datetime.now(UTC)
    ledger = deployment.lake.scan(LEDGER)
    return feeds.health((ledger if where is None else ledger.filter(where)).collect(), moment), moment


def _overview(now: pl.DataFrame) -> Table:
    """One row a feed, narrow enough for 80 columns."""
    made = Table(title="Feeds", title_justify="left", header_style="bold", padding=(0, 0), pad_edge=False)
    made.add_column("feed", overflow="fold")
    judged = [measure for measure in Measure if measure in now["measure"]]
    for measure in judged:
        made.add_column(_SHORT[measure], overflow="fold")
    for (agency, dataset), rows in now.partition_by(["source_agency", "dataset"], as_dict=True).items():
        verdicts = dict(rows.select("measure", "verdict").iter_rows())
        made.add_row(printable(f"{agency}.{dataset}"), *(_mark(verdicts.get(measure)) for measure in judged))
    return made


def _mark(verdict: str | None) -> str:
    if verdict is None:
        return ""
    shown = _MARKS[Verdict(verdict)]
    return f"[bold red]{shown}[/bold red]" if verdict in ALARMS else shown


def _told(row: Mapping[str, Any], *, named: bool = True) -> Text:
    feed = f"{row['source_agency']}.{row['dataset']}, " if named else ""
    style = "bold red" if row["verdict"] in ALARMS else "bold"
    return Text.assemble((f"{feed}{row['measure']}", style), f" {row['verdict']}: {printable(row['reason'])}")


def _conclusion(now: pl.DataFrame, wrong: pl.DataFrame) -> str:
    count = now.select("source_agency", "dataset").n_unique()
    odd = wrong.select("source_agency", "dataset").n_unique()
    return (
        f"{count} feeds, {odd} of them unusual. ok usual, odd unusual, bad broken, - too little history to tell. "
        "One feed by the day: borderlake feeds show AGENCY DATASET"
    )


def _day(row: Mapping[str, Any]) -> tuple[object, ...]:
    usual = "" if row["usual_high"] is None else f"{row['usual_low']:,.0f} to {row['usual_high']:,.0f}"
    return (f"{row['day']:%a} {row['day']}", int(row["value"]), usual, row["verdict"])


def _alarms(now: pl.DataFrame) -> pl.DataFrame:
    return now.filter(pl.col("verdict").is_in(list(ALARMS)))

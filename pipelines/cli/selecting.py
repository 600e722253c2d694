"""`borderlake select` and `whatif`: lanes of a day, and past days under other lanes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from models import whatif as counting
from models.capacity import LANES, Capacities, read_capacities
from models.catalogue import MODELS, model_of
from models.estimators import Estimate
from models.priority import Priority
from models.selection import looks
from models.spec import ModelSpec
from models.tracking import CHALLENGER, CHAMPION, Registered
from pipelines import flows
from pipelines import whatif as asking
from pipelines.cli.listing import Listing
from pipelines.cli.output import JsonOut, console, table, write_json
from pipelines.deployment import Deployment, of_lake
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


def _priority(text: str) -> Priority:
    try:
        return Priority.of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


RankBy = Annotated[
    Priority | None,
    typer.Option(
        "--rank-by",
        metavar="probability|money|mix:SHARE",
        parser=_priority,
        help="Fill the lanes by risk, by expected recovery, or by a mix (mix:0.7: 70 % risk), at every office. "
        "Default: rank_by of the capacity file, else probability.",
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
    rank_by: RankBy = None,
    model: Model = "shipment_risk",
    limit: Annotated[int, typer.Option(min=0, help="Most events to list; they begin with red.")] = 10,
    json_out: JsonOut = None,
) -> None:
    """Show the lanes of a day's scores under a capacity. Nothing is written: scoring places events, once.

    Drawn events say so and with which chance; events that the model has no ground to judge are marked.
    """
    deployment, spec = of_lake(), model_of(model)
    capacities = _capacities(deployment, spec, capacity, rank_by)
    lanes = asking.lanes_of_day(deployment, spec, day.date(), capacities)
    _refuse_without_amounts(spec, rank_by, lanes)
    offices = _by_office(lanes, capacities)
    ordered = lanes.with_columns(order=pl.col("lane").replace_strict(list(LANES), list(range(len(LANES))))).sort(
        "order", "is_exploration", "rank", "score_id"
    )
    columns = ("where", "events", *LANES, "drawn", "no ground", "officer-hours", _in_currency("expected", lanes))
    told = [(*row[:-1], _money(row[-1])) for row in offices.rows()]
    console.print(_table(f"{spec.name}, {day:%Y-%m-%d}: lanes by office", columns, told))
    if offices["drawn"].sum():
        console.print("Red holds the drawn ones too, beside what its seats took by rank", highlight=False)
    if limit:
        listed = [_listed(row) for row in ordered.head(limit).iter_rows(named=True)]
        console.print(_table("Look at", ("score", "where", "lane", "risk", "expected", "why"), listed))
    taken_back = asking.withdrawn_of_day(deployment, spec, day.date())
    if taken_back:
        console.print(
            f"{taken_back:,} scores of this day were withdrawn and are left out: [bold]borderlake show "
            "gold.recalled_scores[/bold] says why",
            highlight=False,
        )
    console.print("A lane advises. Record what is decided: [bold]borderlake disposition record SCORE_ID[/bold]")
    rows = ordered.select(
        "score_id", "event_id", "location", "lane", "lane_by_risk", "rank", "probability", "expected_recovery",
        "recovery_currency", "is_exploration", "propensity", "reason", "abstained_for",
    )  # fmt: skip
    write_json(
        json_out,
        {
            "model": spec.name,
            "version": int(lanes["model_version"][0]),
            "date": f"{day:%Y-%m-%d}",
            "withdrawn": taken_back,
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
    rank_by: RankBy = None,
    known_by: KnownBy = None,
    json_out: JsonOut = None,
) -> None:
    """Replay past days under another capacity, ranking, threshold or model, with features as served then.

    Hits, precision and money recovered are counted among outcomes that are known; what lanes would really find is
    estimated from the events that were looked at by a draw of known chance. Hours are those of the capacity that is
    asked with, in both.
    """
    if threshold is not None and math.isnan(threshold):
        raise typer.BadParameter("a threshold is a number from 0 to 1")
    if threshold is not None and rank_by is not None:
        raise typer.BadParameter("a threshold is of the risk and looks at all from it on; it goes without --rank-by")
    deployment, spec = of_lake(), model_of(model)
    capacities = _capacities(deployment, spec, capacity, rank_by)
    asked = asking.Question(
        spec, days_of(first, last), capacities, moment_of(known_by), threshold, _version(deployment, spec, version)
    )
    answer = asking.ask(deployment, asked)
    _refuse_without_amounts(spec, rank_by, answer.would)
    was, would = _counted(answer.was, capacities), _counted(answer.would, capacities)
    headings = _headings(answer.would)
    title, sides = f"{spec.name}, {first:%Y-%m-%d} to {last:%Y-%m-%d}", {"as it was": was, "what if": would}
    in_all = [(name, *_figures(side.total), interval(side.expected)) for name, side in sides.items()]
    console.print(_table(title, ("", *headings, "estimated hits (95 %)"), in_all))
    console.print(_table("By office", ("where", "", *headings), _by_place(sides)))
    if (capacity, rank_by, threshold, version) == (None,) * 4:
        console.print(
            "Nothing else was asked for than what capacity.toml has today: give --capacity, --rank-by, --threshold or "
            "--version",
            highlight=False,
            soft_wrap=True,
        )
    _say_gain(answer)
    write_json(
        json_out,
        {
            "model": spec.name,
            "days": [f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"],
            "as_it_was": was.told(),
            "what_if": would.told(),
            "gain": answer.gain and asdict(answer.gain),
            "seen_in_training": answer.seen_in_training,
            "without_vector": answer.without_vector,
        },
    )


@dataclass(frozen=True)
class _Side:
    """What lanes come to: in all, by office, and in hits that are estimated."""

    total: dict[str, Any]
    expected: Estimate | None
    offices: list[dict[str, Any]]

    def told(self) -> dict[str, Any]:
        return {**self.total, "expected_hits": self.expected and asdict(self.expected), "offices": self.offices}


def _counted(rows: pl.DataFrame, capacities: Capacities) -> _Side:
    (total,) = counting.tally(rows, capacities).to_dicts()
    return _Side(total, counting.expected_hits(rows), counting.tally(rows, capacities, ["location"]).to_dicts())


def _by_place(sides: Mapping[str, _Side]) -> list[tuple[object, ...]]:
    """A row a place and side, places without a name last."""
    rows = [(row["location"], name, *_figures(row)) for name, side in sides.items() for row in side.offices]
    return sorted(rows, key=lambda row: (row[0] is None, row[0] or ""))


def _say_gain(answer: asking.Answer) -> None:
    """The gain, and what it does not count or counts too well."""
    console.print(f"Hits gained, estimated: {interval(answer.gain)}", highlight=False)
    if answer.seen_in_training:
        console.print(
            f"[yellow]{answer.seen_in_training:,} of these events are from days the model was trained on[/yellow]: "
            "hits among them flatter it",
            soft_wrap=True,
        )
    if answer.without_vector:
        console.print(f"{answer.without_vector:,} events are left out: no vector of this version's features was served")


_FIGURES = {
    "events": "events", "looked_at": "looked at", "known": "outcomes known", "hits": "hits", "precision": "precision",
    "officer_hours": "officer-hours", "expected": "expected", "recovered": "recovered",
}  # fmt: skip
_MONEY = ("expected", "recovered")


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
            expected_recovery=_sum_of_looked_at("expected_recovery"),
        )
        .sort("location", nulls_last=True)
    )


def _listed(row: Mapping[str, Any]) -> tuple[object, ...]:
    """A row of a day's list: why it is there, and what speaks against leaning on its score."""
    reasons = [] if row["is_exploration"] else [reason["text"] for reason in row["reasons"][:_REASONS]]
    mark = [f"no ground: {row['abstained_for']}"] if row["abstained_for"] else []
    why = "\n".join([row["reason"], *reasons, *mark])
    money = _money(row["expected_recovery"], row["recovery_currency"])
    return row["score_id"][:_DIGITS], row["location"], row["lane"], f"{row['probability']:.1%}", money, why


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Listing:
    """A table, without the columns of money where no row tells any."""
    kept = [at for at, name in enumerate(columns) if not name.startswith(_MONEY) or any(row[at] for row in rows)]
    return table(title, [columns[at] for at in kept], [[row[at] for at in kept] for row in rows])


def _figures(row: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(_money(row[name]) if name in _MONEY else row[name] for name in _FIGURES)


def _headings(placed: pl.DataFrame) -> tuple[str, ...]:
    return tuple(_in_currency(told, placed) if name in _MONEY else told for name, told in _FIGURES.items())


def _in_currency(heading: str, rows: pl.DataFrame) -> str:
    currencies = rows["recovery_currency"].drop_nulls().unique().sort()
    return f"{heading} ({', '.join(currencies)})" if len(currencies) else heading


def _money(amount: float | None, currency: str | None = None) -> str:
    return "" if amount is None else f"{amount:,.0f} {currency or ''}".rstrip()


def _sum_of_looked_at(column: str) -> pl.Expr:
    """Null where no row tells it."""
    return pl.when(pl.col(column).count() > 0).then(pl.col(column).filter(looks()).sum())


def interval(estimate: Estimate | None, *, percent: bool = False) -> str:
    """An estimate with its interval, in words."""
    if estimate is None:
        return "nothing is known"
    if percent:
        return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"
    return f"{estimate.value:z,.0f} ({estimate.low:z,.0f} to {estimate.high:z,.0f})"


def _capacities(deployment: Deployment, spec: ModelSpec, file: Path | None, rank_by: Priority | None) -> Capacities:
    given = deployment.capacities(spec.subject) if file is None else read_capacities(file, spec.subject)
    return given if rank_by is None else given.ranked_by(rank_by)


def _refuse_without_amounts(spec: ModelSpec, rank_by: Priority | None, placed: pl.DataFrame) -> None:
    """Money was asked for by name; in a capacity file it is a wish, and rows say where it could not be met."""
    if rank_by is not None and rank_by.needs_money and placed["expected_recovery"].has_nulls():
        raise BorderlakeError(
            f"{spec.name} expects no recovery for these events: the outcomes that it learnt from tell too few amounts. "
            "Rank by probability"
        )


def _version(deployment: Deployment, spec: ModelSpec, version: str | None) -> Registered | None:
    if version is None:
        return None
    if version in (CHAMPION, CHALLENGER):
        return deployment.registry.load(spec.name, version)
    if not version.isdecimal():
        raise BorderlakeError(f"--version is a number, {CHAMPION} or {CHALLENGER}")
    return deployment.registry.load_version(spec.name, int(version))


def days_of(first: datetime, last: datetime) -> list[Any]:
    """Days of delivery from the first to the last."""
    if last < first:
        raise BorderlakeError("--to is before --from")
    return list(flows.each_day(first.date(), last.date()))


def moment_of(known_by: datetime | None) -> datetime:
    """The end of the day by which outcomes count; now, where none is said."""
    return datetime.now(UTC) if known_by is None else known_by.replace(tzinfo=UTC) + timedelta(days=1)

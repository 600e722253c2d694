"""`borderlake bench NAME`: measure against a named peer."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.cli.output import Exit, JsonOut, console, errors, write_json
from warehouse.errors import BorderlakeError

if TYPE_CHECKING:
    from benchmarks.result import Result
    from benchmarks.trial_result import TrialResult

    R = TypeVar("R", bound=Result)

app = typer.Typer(help="Measure borderlake against named peers, each side in its own process.", no_args_is_help=True)

_SPLITS = "Train and test files, or folds without twins."
Seed = Annotated[int, typer.Option(help="The same seed gives the same folds, models and intervals.")]
Day = ["%Y-%m-%d"]


class Protocol(StrEnum):
    """How `bench shipments` splits."""

    PUBLISHED = "published"
    TWIN_FREE = "twin-free"


class Slice(StrEnum):
    """Which test rows of `bench crossings` judge."""

    ALL = "all"
    AIR = "air"


class Judged(StrEnum):
    """What `bench bound` judges."""

    SHIPMENTS = "shipments"
    CROSSINGS = "crossings"
    BOTH = "both"


@app.command()
def shipments(
    train: Annotated[Path, typer.Option(help="Extract to learn from.")],
    valid: Annotated[Path, typer.Option(help="Extract to calibrate on; ignored where it is the test's.")],
    test: Annotated[Path, typer.Option(help="Extract to judge on.")],
    dialect: Annotated[str, typer.Option(help="Layout of the files.")] = "kcs",
    protocol: Annotated[Protocol, typer.Option(help=_SPLITS)] = Protocol.TWIN_FREE,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Irregular goods against a default LightGBM and a lookup of twins.

    published: learn from one file, judge on another; most judged rows have a twin in training.
    twin-free: all files, one row a tuple of goods, five times five folds.

      borderlake bench shipments --train declarations_2020.csv --valid declarations_2021q1.csv
        --test declarations_2021q1.csv --dialect kcs --protocol twin-free
    """
    _require_benchmarks()
    from benchmarks import shipments as bench

    files = bench.Files(train, valid, test)
    _measured(lambda watch: bench.run(files, dialect, protocol.value, seed, watch), json_out)


@app.command()
def crossings(
    data: Annotated[Path, typer.Option(help="Folder of the extracts.")],
    train_until: Annotated[datetime, typer.Option(formats=Day, help="Last arrival day to learn from.")],
    valid_until: Annotated[datetime, typer.Option(formats=Day, help="Last arrival day to stop and calibrate by.")],
    test_from: Annotated[datetime, typer.Option(formats=Day, help="First arrival day to judge on.")],
    dialect: Annotated[str, typer.Option(help="Layout of the files.")] = "i94",
    part: Annotated[Slice, typer.Option("--slice", help="Test rows that judge.")] = Slice.ALL,
    label_until: Annotated[
        datetime, typer.Option(formats=Day, help="Last admitted-until day that has an outcome.")
    ] = datetime(2016, 8, 15),
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Overstays against the best of three plain LightGBMs, from what is known at entry.

    No outcome of the test days is known to any side; those of the validation days only stop and calibrate.

      borderlake bench crossings --data i94/ --dialect i94 --train-until 2016-04-09 --valid-until 2016-04-11
        --test-from 2016-04-12 --slice air
    """
    _require_benchmarks()
    from benchmarks import crossings as bench

    days = bench.Days(train_until.date(), valid_until.date(), test_from.date(), label_until.date())
    _measured(lambda watch: bench.run(data, dialect, days, part.value, seed, watch), json_out)


@app.command()
def bound(
    days: Annotated[int, typer.Option(min=2, help="Days that the lake holds, those that judge among them.")] = 120,
    scale: Annotated[float, typer.Option(help="1 is 500 goods items, 2,500 crossings, 8,300 sightings a day.")] = 1.0,
    subject: Annotated[Judged, typer.Option(help="What is judged.")] = Judged.BOTH,
    scenario: Annotated[str, typer.Option(help="What happens in the lake's days: a name, or a TOML file.")] = "calm",
    history_times: Annotated[int, typer.Option(min=1, help="How much longer the bound's history is.")] = 10,
    test_days: Annotated[int, typer.Option(min=1, help="Last days, whose every event judges.")] = 30,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="Empty folder for the simulated world and its silver frames, which another run of the same arguments "
            "then takes up. Without it they are removed."
        ),
    ] = None,
    seed: Seed = 7,
    json_out: JsonOut = None,
) -> None:
    """How far the data of all agencies carries: from a lottery to knowing everything, on a simulated border.

    Every side ranks all events of the last days, and the simulation's truth judges. raw, own and all learn from what
    inspections had reported by then; bound from the true outcome of every event of a history ten times as long.

      borderlake bench bound --days 120 --subject shipments --json bound.json
    """
    _require_benchmarks()
    from benchmarks import bound as bench
    from benchmarks.bound_lessons import SUBJECTS
    from benchmarks.world import Span

    span = Span(seed, days, scale, scenario, history_times, test_days)
    subjects = list(SUBJECTS) if subject is Judged.BOTH else [subject.value]
    _measured(lambda watch: bench.run(span, subjects, keep, watch), json_out)


@app.command()
def drift(
    worlds: Annotated[int, typer.Option(min=0, help="Calm worlds, of seeds that follow one another.")] = 5,
    scale: Annotated[float, typer.Option(help="1 is 500 goods items, 2,500 crossings, 8,300 sightings a day.")] = 0.5,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="What is planted: a name, or a TOML file; may be given again. By default travel_stop and price_shock."
        ),
    ] = None,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """How soon a planted drift is reported by the monitoring of the models, and how often a calm world raises an alert.

    The planted worlds are of the seed, the calm ones of it and those after it. Two worlds live at once.

      borderlake bench drift --seed 7 --worlds 5 --json drift.json
    """
    _require_benchmarks()
    from benchmarks import drift as bench

    asked = bench.Asked(seed, worlds, scale, tuple(scenario) if scenario else bench.PLANTED)
    _clocked(lambda watch: bench.run(asked, watch), json_out)


@app.command()
def ais(
    lines: Annotated[int, typer.Option(min=1, help="Lines of the log that is generated.")] = 200_000,
    file: Annotated[Path | None, typer.Option(help="A log as recorded, in place of a generated one.")] = None,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Messages a second of our AIS reader against a plain loop over pyais; every field of every message is compared.

    borderlake bench ais --lines 200000 --json ais.json
    """
    _require_benchmarks()
    from benchmarks import ais as bench

    _clocked(lambda watch: bench.run(lines, seed, file, watch), json_out)


@app.command()
def sharing(
    rows: Annotated[int, typer.Option(min=1, help="Rows of the shared table, a file a million.")] = 5_000_000,
    clients: Annotated[int, typer.Option(min=1, help="Clients that ask for metadata at once.")] = 100,
    seconds: Annotated[int, typer.Option(min=1, help="How long they ask.")] = 60,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """A full read through the sharing server against the same files on disk, by the official client; then a crowd.

    borderlake bench sharing --rows 5000000 --json sharing.json
    """
    _require_benchmarks()
    from benchmarks import sharing as bench

    _clocked(lambda watch: bench.run(rows, clients, seconds, seed, watch), json_out)


@app.command()
def landing(
    rows: Annotated[int, typer.Option(min=100, help="Declaration lines, one in a hundred bad.")] = 1_000_000,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """A CSV of declarations into the lake against `scan_csv(...).sink_parquet(...)`: time and peak memory.

    borderlake bench landing --rows 1000000 --json landing.json
    """
    _require_benchmarks()
    from benchmarks import landing as bench

    _clocked(lambda watch: bench.run(rows, seed, watch), json_out)


@app.command()
def growth(
    events_a_day: Annotated[int, typer.Option(min=100, help="Events of every day.")] = 50_000,
    days: Annotated[int, typer.Option(min=2, help="Days of the long past.")] = 400,
    short_days: Annotated[int, typer.Option(min=1, help="Days of the short past.")] = 40,
    entities: Annotated[int, typer.Option(min=1, help="Importers.")] = 300_000,
    repeats: Annotated[int, typer.Option(min=1, help="Trials of each side; medians are reported.")] = 3,
    keep: Annotated[Path | None, typer.Option(help="Folder for the tables while it runs.")] = None,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """What one more day of features costs on top of a long past, against the same day on a short one.

    borderlake bench growth --events-a-day 50000 --days 400 --short-days 40 --json growth.json
    """
    _require_benchmarks()
    from benchmarks import growth as bench
    from benchmarks.growth_days import Goods

    goods = Goods(events_a_day, entities, seed)
    pasts = {"short": short_days, "long": days}
    _clocked(lambda watch: bench.run(goods, pasts, watch, repeats, keep), json_out)


@app.command()
def scoring(
    rows: Annotated[int, typer.Option(min=1_000, help="Goods items, 50,000 a day.")] = 1_000_000,
    explained: Annotated[int, typer.Option(min=1, help="Rows that get reasons, measured apart.")] = 50_000,
    trees: Annotated[int, typer.Option(min=1, help="Most trees of the model.")] = 400,
    more_rows: Annotated[
        int, typer.Option(min=0, help="Score a lake of so many too, to see whether memory grows; 0: none.")
    ] = 0,
    repeats: Annotated[int, typer.Option(min=1, help="Trials of each side; medians are reported.")] = 3,
    keep: Annotated[Path | None, typer.Option(help="Folder for the lakes while it runs.")] = None,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Vectors from Delta scored, put in lanes and written to Delta, against bare `predict` on the matrix in memory.

    borderlake bench scoring --rows 1000000 --more-rows 5000000 --json scoring.json
    """
    _require_benchmarks()
    from benchmarks import scoring as bench

    work = bench.Work(rows, explained, trees, seed, more_rows)
    _clocked(lambda watch: bench.run(work, watch, repeats, keep), json_out)


@app.command()
def malformed(
    files: Annotated[int, typer.Option(min=1, help="Damaged files, all formats in turn.")] = 700,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Damaged extracts of every format: none may crash, hang, lose a row, refuse without a reason or change silently.

    borderlake bench malformed --files 700 --json malformed.json
    """
    _require_benchmarks()
    from benchmarks import malformed as bench

    _clocked(lambda watch: bench.run(files, seed, watch), json_out)


@app.command()
def crash(
    kills: Annotated[int, typer.Option(min=1, help="Landing processes that are killed.")] = 50,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Landings of one inbox killed at random instants, then landed to the end: no row lost, doubled or seen half.

    borderlake bench crash --kills 50 --json crash.json
    """
    _require_benchmarks()
    from benchmarks import crash as bench

    _clocked(lambda watch: bench.run(kills, seed, watch), json_out)


@app.command()
def bitrot(
    flips: Annotated[int, typer.Option(min=1, help="Single bits to flip, one at a time.")] = 300,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Flipped bits and every kind of damaged log of a small lake: verify finds all, repair restores or refuses.

    borderlake bench bitrot --flips 300 --json bitrot.json
    """
    _require_benchmarks()
    from benchmarks import bitrot as bench

    _clocked(lambda watch: bench.run(flips, seed, watch), json_out)


@app.command()
def tamper(
    files: Annotated[int, typer.Option(min=1, help="Models that are damaged or forged, in four ways in turn.")] = 200,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Damaged and forged model files and tags through the real registry: none may load, end the process or hang it.

    LightGBM's own loader gets the same trees, in a process of its own.

      borderlake bench tamper --files 200 --json tamper.json
    """
    _require_benchmarks()
    from benchmarks import tamper as bench

    _clocked(lambda watch: bench.run(files, seed, watch), json_out)


@app.command()
def canary(
    keep: Annotated[
        Path | None, typer.Option(help="New folder for all that is written; without, it is removed.")
    ] = None,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Personal values driven through failures of every kind: none may show outside its store, none at all once erased.

    borderlake bench canary --json canary.json
    """
    _require_benchmarks()
    from benchmarks import canary as bench

    _clocked(lambda watch: bench.run(seed, watch, keep), json_out)


@app.command()
def features(
    rows: Annotated[int, typer.Option(min=100, help="Events, each of which gets every feature.")] = 5_000_000,
    entities: Annotated[int, typer.Option(min=1, help="Importers among whom they are shared out.")] = 300_000,
    skew: Annotated[
        float, typer.Option(min=0.0, help="How unevenly: at 1.05 the first of 300,000 has a tenth of all events.")
    ] = 1.05,
    repeats: Annotated[int, typer.Option(min=1, help="Times that every side computes, turn by turn.")] = 3,
    feast: Annotated[
        Path | None, typer.Option(help="Interpreter of an environment that has Feast: against its retrieval as well.")
    ] = None,
    feast_rows: Annotated[int, typer.Option(min=100, help="Events that Feast retrieves, at most.")] = 20_000,
    buckets: Annotated[
        int, typer.Option(min=0, help="Instead of peers: ours alone, through so many entity buckets.")
    ] = 0,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """A backfill of 24 windowed features, point in time, against DuckDB, Polars, pandas and Feast.

    Two threads a side; every value is compared. pandas computes 200,000 of the rows at most and Feast retrieves values
    that are computed, of 20,000 at most; ours computes those as well. Feast lives in an environment of its own,
    which benchmarks/features_feast.py says how to make.

      borderlake bench features --rows 5000000 --entities 300000 --skew 1.05 --feast feast/bin/python

      borderlake bench features --rows 50000000 --entities 3000000 --buckets 16 --repeats 1 --json buckets.json
    """
    _require_benchmarks()
    from benchmarks import features as bench
    from benchmarks import features_bucketed
    from benchmarks.features_feast import Feast
    from benchmarks.features_turns import Drawn

    drawn = Drawn(rows, entities, skew, seed)
    if buckets and feast:
        raise typer.BadParameter("buckets are measured without peers; leave out --feast or --buckets")
    if buckets:
        _clocked(lambda watch: features_bucketed.run(drawn, buckets, watch, repeats), json_out)
        return
    installed = None if feast is None else Feast.found(feast, feast_rows)
    _clocked(lambda watch: bench.run(drawn, watch, repeats, installed), json_out)


@app.command()
def leak(
    agreements: Annotated[int, typer.Option(min=1, help="Agreements, each with a recipient of its own.")] = 1_000,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Random agreements over a changing lake: the cells in the served files are the allowed ones, none more, none less.

    borderlake bench leak --agreements 1000 --json leak.json
    """
    _require_benchmarks()
    from benchmarks import leak as bench

    _clocked(lambda watch: bench.run(agreements, seed, watch), json_out)


@app.command()
def decisions(
    n: Annotated[int, typer.Option("--n", min=1, help="Questions.")] = 100_000,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """May X see Y for Z at T? Many questions about 50 agreements, each answer compared with a plain twin's.

    borderlake bench decisions --n 100000 --json decisions.json
    """
    _require_benchmarks()
    from benchmarks import decisions as bench

    _clocked(lambda watch: bench.run(n, seed, watch), json_out)


def _require_benchmarks() -> None:
    if find_spec("benchmarks") is None:
        raise BorderlakeError(
            "the benchmarks are not part of the installed package; run this from a checkout of the repository "
            "(git clone, then make demo or make test makes its environment)"
        )


def _clocked(run: "Callable[[Callable[[str], None]], TrialResult]", json_out: Path | None) -> None:
    """Measure, report, and leave with 3 where a figure that must be zero is not."""
    result = _measured(run, json_out)
    if result.faults:
        errors.print(f"[bold red]not zero[/bold red] {', '.join(result.faults)}")
        raise typer.Exit(Exit.PARTLY)


def _measured(run: "Callable[[Callable[[str], None]], R]", json_out: Path | None) -> "R":
    # With `--json -` the object has standard output to itself.
    shown = errors if str(json_out) == "-" else console
    result = _with_progress(run, shown)
    for part in result.tables():
        shown.print(part)
    write_json(json_out, result.to_json())
    return result


def _with_progress(run: "Callable[[Callable[[str], None]], R]", shown: Console) -> "R":
    """Run a bench, showing the side at work and its time."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True) as progress:
        task = progress.add_task("starting")

        def watch(step: str) -> None:
            progress.reset(task, description=step.replace("_", " "))

        return run(watch)

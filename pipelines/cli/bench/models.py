"""Benches of the risk models: what they find, how they score, drift and tampering."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.bench.running import Seed, app, clocked, measured, require_benchmarks
from pipelines.cli.output import JsonOut

_SPLITS = "Train and test files, or folds without twins."
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
    require_benchmarks()
    from benchmarks import shipments as bench

    files = bench.Files(train, valid, test)
    measured(lambda watch: bench.run(files, dialect, protocol.value, seed, watch), json_out)


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
    require_benchmarks()
    from benchmarks import crossings as bench

    days = bench.Days(train_until.date(), valid_until.date(), test_from.date(), label_until.date())
    measured(lambda watch: bench.run(data, dialect, days, part.value, seed, watch), json_out)


@app.command()
def bound(
    days: Annotated[int, typer.Option(min=2, help="Days that the lake holds, those that judge among them.")] = 120,
    scale: Annotated[float, typer.Option(help="1 is 500 goods items, 2,500 crossings, 8,300 sightings a day.")] = 1.0,
    subject: Annotated[Judged, typer.Option(help="What is judged.")] = Judged.BOTH,
    scenario: Annotated[str, typer.Option(help="What happens in the lake's days: a name, or a TOML file.")] = "calm",
    history_times: Annotated[int, typer.Option(min=1, help="How much longer the bound's history is.")] = 10,
    test_days: Annotated[int, typer.Option(min=1, help="Last days, whose every event judges.")] = 30,
    history: Annotated[
        str,
        typer.Option(
            help="Other lengths of history for `all`, in days, by comma: the same world, judged alike. longest: all "
            "the days that the bound knows; none: no other."
        ),
    ] = "longest",
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

    --history adds a row a length: what an agency would find that has kept its outcomes so long. The longest, history
    times the lake's days before the test, is like for like: the days that the bound knows, told by inspections alone.

      borderlake bench bound --days 120 --subject shipments --history 180,365,longest --json bound.json
    """
    require_benchmarks()
    from benchmarks import bound as bench
    from benchmarks.bound_lessons import SUBJECTS
    from benchmarks.world import Span

    span = Span(seed, days, scale, scenario, history_times, test_days)
    subjects = list(SUBJECTS) if subject is Judged.BOTH else [subject.value]
    histories = _lengths(history, span.longest)
    measured(lambda watch: bench.run(span, subjects, keep, watch, histories=histories), json_out)


def _lengths(said: str, longest: int) -> list[int]:
    words = [each.strip() for each in said.split(",") if each.strip() not in ("", "none")]
    try:
        return [longest if each == "longest" else int(each) for each in words]
    except ValueError:
        raise typer.BadParameter("--history: give whole days by comma, as 90,180,365, or longest, or none") from None


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
    require_benchmarks()
    from benchmarks import scoring as bench

    work = bench.Work(rows, explained, trees, seed, more_rows)
    clocked(lambda watch: bench.run(work, watch, repeats, keep), json_out)


@app.command()
def drift(
    worlds: Annotated[int, typer.Option(min=0, help="Calm worlds, of seeds that follow one another.")] = 5,
    scale: Annotated[float, typer.Option(help="1 is 500 goods items, 2,500 crossings, 8,300 sightings a day.")] = 0.5,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="What is planted: a name, or a TOML file; may be given again. By default five: a stop, a shock of "
            "prices, a road that closes, columns left empty, a wrong unit."
        ),
    ] = None,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """How soon a planted drift is reported by the monitoring of the models, and how often a calm world raises an alert.

    The planted worlds are of the seed, the calm ones of it and those after it. Two worlds live at once.

      borderlake bench drift --seed 7 --worlds 5 --json drift.json
    """
    require_benchmarks()
    from benchmarks import drift as bench

    asked = bench.Asked(seed, worlds, scale, tuple(scenario) if scenario else bench.PLANTED)
    clocked(lambda watch: bench.run(asked, watch), json_out)


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
    require_benchmarks()
    from benchmarks import tamper as bench

    clocked(lambda watch: bench.run(files, seed, watch), json_out)

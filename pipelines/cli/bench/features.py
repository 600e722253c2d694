"""Benches of the feature engine."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.bench.running import Seed, app, clocked, require_benchmarks
from pipelines.cli.output import JsonOut


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
    require_benchmarks()
    from benchmarks import features as bench
    from benchmarks import features_bucketed
    from benchmarks.features_feast import Feast
    from benchmarks.features_turns import Drawn

    drawn = Drawn(rows, entities, skew, seed)
    if buckets and feast:
        raise typer.BadParameter("buckets are measured without peers; leave out --feast or --buckets")
    if buckets:
        clocked(lambda watch: features_bucketed.run(drawn, buckets, watch, repeats), json_out)
        return
    installed = None if feast is None else Feast.found(feast, feast_rows)
    clocked(lambda watch: bench.run(drawn, watch, repeats, installed), json_out)


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
    require_benchmarks()
    from benchmarks import growth as bench
    from benchmarks.growth_days import Goods

    goods = Goods(events_a_day, entities, seed)
    pasts = {"short": short_days, "long": days}
    clocked(lambda watch: bench.run(goods, pasts, watch, repeats, keep), json_out)

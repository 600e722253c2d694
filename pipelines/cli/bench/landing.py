"""Benches of what landing promises: speed, damage, kills, bit rot, privacy."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.bench.running import Seed, app, clocked, require_benchmarks
from pipelines.cli.output import JsonOut


@app.command()
def landing(
    rows: Annotated[int, typer.Option(min=100, help="Declaration lines, one in a hundred bad.")] = 1_000_000,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """A CSV of declarations into the lake against `scan_csv(...).sink_parquet(...)`: time and peak memory.

    borderlake bench landing --rows 1000000 --json landing.json
    """
    require_benchmarks()
    from benchmarks import landing as bench

    clocked(lambda watch: bench.run(rows, seed, watch), json_out)


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
    require_benchmarks()
    from benchmarks import ais as bench

    clocked(lambda watch: bench.run(lines, seed, file, watch), json_out)


@app.command()
def malformed(
    files: Annotated[int, typer.Option(min=1, help="Damaged files, all formats in turn.")] = 700,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Damaged extracts of every format: none may crash, hang, lose a row, refuse without a reason or change silently.

    borderlake bench malformed --files 700 --json malformed.json
    """
    require_benchmarks()
    from benchmarks import malformed as bench

    clocked(lambda watch: bench.run(files, seed, watch), json_out)


@app.command()
def crash(
    kills: Annotated[int, typer.Option(min=1, help="Landing processes that are killed.")] = 50,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Landings of one inbox killed at random instants, then landed to the end: no row lost, doubled or seen half.

    borderlake bench crash --kills 50 --json crash.json
    """
    require_benchmarks()
    from benchmarks import crash as bench

    clocked(lambda watch: bench.run(kills, seed, watch), json_out)


@app.command()
def bitrot(
    flips: Annotated[int, typer.Option(min=1, help="Single bits to flip, one at a time.")] = 300,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Flipped bits and every kind of damaged log of a small lake: verify finds all, repair restores or refuses.

    borderlake bench bitrot --flips 300 --json bitrot.json
    """
    require_benchmarks()
    from benchmarks import bitrot as bench

    clocked(lambda watch: bench.run(flips, seed, watch), json_out)


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
    require_benchmarks()
    from benchmarks import canary as bench

    clocked(lambda watch: bench.run(seed, watch, keep), json_out)

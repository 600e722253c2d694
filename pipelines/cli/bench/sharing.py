"""Benches of sharing: what leaves the house, and how fast."""

from typing import Annotated

import typer

from pipelines.cli.bench.running import Seed, app, clocked, require_benchmarks
from pipelines.cli.output import JsonOut


@app.command()
def leak(
    agreements: Annotated[int, typer.Option(min=1, help="Agreements, each with a recipient of its own.")] = 1_000,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """Random agreements over a changing lake: the cells in the served files are the allowed ones, none more, none less.

    borderlake bench leak --agreements 1000 --json leak.json
    """
    require_benchmarks()
    from benchmarks import leak as bench

    clocked(lambda watch: bench.run(agreements, seed, watch), json_out)


@app.command()
def decisions(
    n: Annotated[int, typer.Option("--n", min=1, help="Questions.")] = 100_000,
    seed: Seed = 0,
    json_out: JsonOut = None,
) -> None:
    """May X see Y for Z at T? Many questions about 50 agreements, each answer compared with a plain twin's.

    borderlake bench decisions --n 100000 --json decisions.json
    """
    require_benchmarks()
    from benchmarks import decisions as bench

    clocked(lambda watch: bench.run(n, seed, watch), json_out)


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
    require_benchmarks()
    from benchmarks import sharing as bench

    clocked(lambda watch: bench.run(rows, clients, seconds, seed, watch), json_out)

"""`bench features`: a backfill of windowed features, point in time, against an analytical database and rolling windows.

Every side computes the same 24 features of the same file on as many threads, and every value is compared with ours. A
side that cannot bear the size gets fewer rows, and ours runs on those as well, so that its figures are of equal work.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.features_duckdb import VALUES
from benchmarks.features_feast import FEAST, Feast, lay_out
from benchmarks.features_sides import DUCKDB, OURS, PANDAS, POLARS
from benchmarks.features_turns import Drawn, Turning, Turns, said_of
from benchmarks.harness import Watch
from benchmarks.result import Peer
from benchmarks.trial_result import TrialResult

THREADS = 2
_ROWS_OF_PANDAS = 200_000


def run(drawn: Drawn, watch: Watch, repeats: int, feast: Feast | None = None, threads: int = THREADS) -> TrialResult:
    """Draw the events, let every side compute in turn, compare, and set the figures side by side."""
    turning = Turning(watch, repeats, threads)
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        full = turning.over(_file(drawn, folder / "full", watch), (OURS, DUCKDB, POLARS))
        fewer = {PANDAS: drawn.at_most(_ROWS_OF_PANDAS)}
        turns = {PANDAS: turning.over(_file(fewer[PANDAS], folder / PANDAS, watch), (OURS, PANDAS))}
        if feast is not None:
            fewer[FEAST] = drawn.at_most(feast.rows)
            turns[FEAST] = _retrieved(feast, _file(fewer[FEAST], folder / FEAST, watch), turning)
    every = [full, *turns.values()]
    figures = {
        **full.figures[OURS],
        "values_compared": float(sum(each.compared for each in every)),
        "values_unequal": float(sum(each.unequal for each in every)),
    }
    peers = {
        DUCKDB: Peer(f"{DUCKDB} ASOF joins", version(DUCKDB), full.figures[DUCKDB]),
        POLARS: Peer(f"{POLARS} rolling", version(POLARS), full.figures[POLARS]),
        PANDAS: Peer(f"{PANDAS} rolling", version(PANDAS), _of_fewer(turns[PANDAS].figures[PANDAS])),
    }
    if feast is not None:
        title = f"{FEAST} retrieval ({feast.store})"
        peers[FEAST] = Peer(title, feast.version, _of_fewer(turns[FEAST].figures[FEAST]))
    for side, of_side in turns.items():
        figures |= _times(side, fewer[side].rows, of_side)
    said = said_of(drawn, turning)
    return TrialResult("features", drawn.seed, drawn.rows, figures, peers, said, must_be_zero=("values_unequal",))


def _file(drawn: Drawn, folder: Path, watch: Watch) -> Path:
    folder.mkdir()
    drawn.write(folder / "events.parquet", watch)
    return folder / "events.parquet"


def _retrieved(feast: Feast, file: Path, turning: Turning) -> Turns:
    """Ours computes the values from nothing; Feast retrieves them."""
    tables = file.parent / "tables"
    replace(turning, repeats=1).over(file, (OURS,))
    lay_out(file, file.parent / OURS / VALUES, tables)
    asked = replace(turning, commands={FEAST: feast.command})
    return asked.over(file, (OURS, FEAST), feast.settings(tables), tables / VALUES)


def _of_fewer(figures: Mapping[str, float]) -> dict[str, float]:
    """Under names of their own, so that no ratio is made of unequal work."""
    return {f"{name}_of_fewer": value for name, value in figures.items()}


def _times(side: str, rows: int, turns: Turns) -> dict[str, float]:
    """How many times a side of fewer rows takes what ours takes of them."""
    theirs, ours = turns.figures[side], turns.figures[OURS]
    times = {f"{side}_{name}_times": theirs[name] / ours[name] for name in ("wall_s", "cpu_s", "peak_rss_mb")}
    return {f"{side}_rows": float(rows), **times}

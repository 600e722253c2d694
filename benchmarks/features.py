"""`bench features`: a backfill of windowed features, point in time, against an analytical database and rolling windows.

Every side computes the same 24 features of the same file on as many threads, and every value is compared with ours. A
side that cannot bear the size gets fewer rows, and ours runs on those as well, so that its ratio is of equal work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks import features_data
from benchmarks.features_duckdb import VALUES
from benchmarks.features_sides import DUCKDB, OURS, PANDAS, POLARS
from benchmarks.features_views import NAMES
from benchmarks.harness import Watch
from benchmarks.result import Peer
from benchmarks.trial_result import TrialResult
from benchmarks.trials import Trials, run_trials

THREADS = 2
TOLERANCE = 1e-9
"""Relative to the greater of both values and 1."""
_TITLES = {DUCKDB: "range windows", POLARS: "rolling", PANDAS: "rolling"}
_ROWS_OF_PANDAS = 200_000


@dataclass(frozen=True)
class Drawn:
    """The events: how many, of how many entities, how unevenly, from which seed."""

    rows: int
    entities: int
    skew: float
    seed: int


def run(drawn: Drawn, watch: Watch, repeats: int, threads: int = THREADS) -> TrialResult:
    """Draw the events, let every side compute in turn, compare, and set the figures side by side."""
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        full = _measured(drawn, (OURS, DUCKDB, POLARS), folder / "full", watch, repeats, threads)
        share = min(1.0, _ROWS_OF_PANDAS / drawn.rows)
        fewer = Drawn(int(drawn.rows * share), max(1, int(drawn.entities * share)), drawn.skew, drawn.seed)
        small = _measured(fewer, (OURS, PANDAS), folder / "small", watch, repeats, threads)
    ours = full.figures[OURS]
    pandas = small.figures[PANDAS]
    times = pandas["wall_s"] / small.figures[OURS]["wall_s"]
    figures = {
        **ours,
        "values_compared": float(full.compared + small.compared),
        "values_unequal": float(full.unequal + small.unequal),
        "pandas_rows": float(fewer.rows),
        "pandas_times_slower": times,
    }
    peers = {side: Peer(f"{side} {_TITLES[side]}", version(side), full.figures[side]) for side in (DUCKDB, POLARS)}
    # Of fewer rows: under names of its own, so that no ratio is made of unequal work.
    peers[PANDAS] = Peer(
        f"{PANDAS} {_TITLES[PANDAS]}", version(PANDAS), {f"{figure}_of_fewer": v for figure, v in pandas.items()}
    )
    said = {"rows": f"{drawn.rows:,}", "entities": f"{drawn.entities:,}", "skew": f"{drawn.skew:g}"}
    said |= {"threads": str(threads), "repeats": str(repeats)}
    return TrialResult("features", drawn.seed, drawn.rows, figures, peers, said, must_be_zero=("values_unequal",))


@dataclass(frozen=True)
class _Measured:
    figures: Mapping[str, Mapping[str, float]]
    compared: int
    unequal: int


def _measured(
    drawn: Drawn, sides: tuple[str, ...], folder: Path, watch: Watch, repeats: int, threads: int
) -> _Measured:
    watch(f"drawing {drawn.rows:,} events")
    folder.mkdir()
    file = folder / "events.parquet"
    features_data.write(file, drawn.rows, drawn.entities, drawn.skew, drawn.seed)
    environment = {name: str(threads) for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS")}
    settings: dict[str, str | int] = {"file": str(file), "threads": threads}
    found = run_trials("features_sides", sides, settings, folder, watch, repeats, environment)
    watch("comparing every value")
    compared = unequal = 0
    for side in sides[1:]:
        several = compare(found[OURS].folder / VALUES, found[side].folder / VALUES)
        compared, unequal = compared + drawn.rows * len(NAMES), unequal + sum(several.values())
    return _Measured({side: _figures(trials) for side, trials in found.items()}, compared, unequal)


def _figures(trials: Trials) -> dict[str, float]:
    return trials.medians()


def compare(ours: Path, theirs: Path) -> dict[str, int]:
    """How many values of each feature differ, rows matched by their number; a row that one side lacks differs."""
    orders = [pl.read_parquet(path, columns=["row"])["row"].arg_sort() for path in (ours, theirs)]
    return {
        name: _unequal(*(_values(p, name, o) for p, o in zip((ours, theirs), orders, strict=True))) for name in NAMES
    }


def _values(path: Path, name: str, order: pl.Series) -> pl.Series:
    return pl.read_parquet(path, columns=[name])[name].cast(pl.Float64).fill_nan(None).gather(order)


def _unequal(ours: pl.Series, theirs: pl.Series) -> int:
    if len(ours) != len(theirs):
        return max(len(ours), len(theirs))
    both = pl.DataFrame({"ours": ours, "theirs": theirs})
    largest = pl.max_horizontal(pl.col("ours").abs(), pl.col("theirs").abs(), pl.lit(1.0))
    is_near = ((pl.col("ours") - pl.col("theirs")).abs() <= TOLERANCE * largest).fill_null(False)
    equal = is_near | (pl.col("ours").is_null() & pl.col("theirs").is_null())
    return int(both.select((~equal).sum()).item())

"""`bench scoring`: the scoring of delivered days, from Delta to Delta, against bare `predict` on the same matrix.

Ours is what the pipelines run: vectors read from their table with the events' places, turned into the model's matrix,
scored, calibrated, put in lanes, and written with their vectors. The peer has the matrix in memory and predicts. Every
raw score of both is compared. Reasons are measured apart: they go to what may be acted on. With `more_rows`, a larger
lake is scored too, in a process of its own, to tell whether memory grows.
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks.harness import Settings, Watch
from benchmarks.result import Peer
from benchmarks.scoring_sides import BARE, FILL, OURS, REASONS, SCORES
from benchmarks.trial_result import TrialResult
from benchmarks.trials import REPEATS, Trials, run_trials

_SIDES = "scoring_sides"


@dataclass(frozen=True)
class Work:
    """What is scored and explained, and with how many trees."""

    rows: int
    explained: int
    trees: int
    seed: int
    more_rows: int = 0
    """0: no larger lake."""


def run(work: Work, watch: Watch, repeats: int = REPEATS, keep: Path | None = None) -> TrialResult:
    """Fill a lake, let both sides score it in turn, explain, and compare."""
    with TemporaryDirectory(prefix="borderlake-bench-", dir=keep) as name:
        folder = Path(name)
        filled, settings = _filled(work, work.rows, folder / "filled", watch)
        found = run_trials(_SIDES, (OURS, BARE), settings, folder, watch, repeats)
        explained = run_trials(_SIDES, (REASONS,), settings, folder, watch, 1)[REASONS].medians()
        watch("comparing scores")
        unequal = _unequal(found[OURS].folder, found[BARE].folder)
        more = _more(work, folder / "more", watch) if work.more_rows else {}
    ours, bare = found[OURS].medians(), found[BARE].medians()
    figures = {
        **ours,
        "wall_s_ratio": ours["wall_s"] / bare["wall_s"],
        "cpu_s_ratio": ours["cpu_s"] / bare["cpu_s"],
        "reasons_rows": explained["rows_explained"],
        "reasons_wall_s": explained["wall_s"],
        "reasons_cpu_s": explained["cpu_s"],
        **more,
        "scores_unequal": float(unequal),
        "rows_unscored": float(2 * work.rows - ours["rows_scored"] - ours["rows_in_lanes"]),
    }
    trained = filled[FILL].medians()
    return TrialResult(
        "scoring",
        work.seed,
        work.rows,
        figures,
        {BARE: Peer("bare predict", f"lightgbm {version('lightgbm')}", bare)},
        {"rows": f"{work.rows:,}", "trees": f"{trained['trees']:.0f}", "features": f"{trained['features']:.0f}"},
        must_be_zero=("scores_unequal", "rows_unscored"),
    )


def _filled(work: Work, rows: int, folder: Path, watch: Watch) -> tuple[dict[str, Trials], Settings]:
    settings: dict[str, str | int] = {
        "rows": rows,
        "explained": work.explained,
        "trees": work.trees,
        "seed": work.seed,
        "filled": str(folder / FILL),
    }
    return run_trials(_SIDES, (FILL,), settings, folder, watch, 1), settings


def _more(work: Work, folder: Path, watch: Watch) -> dict[str, float]:
    """What ours takes of the larger lake, once."""
    _, settings = _filled(work, work.more_rows, folder / "filled", watch)
    more = run_trials(_SIDES, (OURS,), settings, folder, watch, 1)[OURS].medians()
    return {f"more_{name}": more[name] for name in ("rows_scored", "wall_s", "cpu_s", "peak_rss_mb")}


def _unequal(ours: Path, bare: Path) -> int:
    """Scores that differ in any bit, or that only one side has."""
    one, other = (pl.read_parquet(folder / SCORES) for folder in (ours, bare))
    both = one.join(other, on="event_id", how="full", suffix="_bare")
    return int(both.select((~pl.col("raw_score").eq_missing(pl.col("raw_score_bare"))).sum()).item())

"""`bench features --buckets`: more events than memory holds, through entity buckets.

Ours alone: no peer bears the size. What is timed lays the events out by bucket, computes and writes every value away.
Of fewer events the buckets' values are compared with those of one pass.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.features import THREADS
from benchmarks.features_sides import BUCKETS, OURS
from benchmarks.features_turns import Drawn, Turning, said_of
from benchmarks.harness import Watch
from benchmarks.trial_result import TrialResult

_ROWS_COMPARED = 200_000


def run(drawn: Drawn, buckets: int, watch: Watch, repeats: int, threads: int = THREADS) -> TrialResult:
    """Draw the events, compute them bucket by bucket, and compare a share of them with one pass."""
    turning = Turning(watch, repeats, threads)
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        few, all_ = Path(name) / "few", Path(name) / "all"
        for folder, events in ((few, drawn.at_most(_ROWS_COMPARED)), (all_, drawn)):
            folder.mkdir()
            events.write(folder / "events.parquet", watch)
        compared = turning.over(few / "events.parquet", (OURS, BUCKETS), {"buckets": buckets, "is_compared": 1})
        found = turning.over(all_ / "events.parquet", (BUCKETS,), {"buckets": buckets}).figures[BUCKETS]
    figures = {
        **found,
        "buckets": float(buckets),
        "values_compared": float(compared.compared),
        "values_unequal": float(compared.unequal),
    }
    said = said_of(drawn, turning)
    return TrialResult("features", drawn.seed, drawn.rows, figures, {}, said, must_be_zero=("values_unequal",))

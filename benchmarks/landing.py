"""`bench landing`: declaration lines from a UTF-8 CSV into the lake, against the plainest way to Parquet.

Ours reads, types, checks and hashes every line, tells bad rows from good with their reasons, enters the ledger and
commits; the peer infers types and writes. Both read the same file; every line that ours read must have landed or been
refused, and the bad ones, one in a hundred, must be those refused.
"""

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import declaration_lines
from benchmarks.harness import Watch
from benchmarks.landing_sides import OURS, POLARS
from benchmarks.result import Peer
from benchmarks.trial_result import TrialResult
from benchmarks.trials import REPEATS, Trials, run_trials


def run(rows: int, seed: int, watch: Watch, repeats: int = REPEATS) -> TrialResult:
    """Write the file, let both sides read it in turn, and reconcile what landed."""
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        folder = Path(name)
        watch("writing the file")
        file = folder / "declarations.csv"
        bad = declaration_lines.write(file, rows, seed)
        size = file.stat().st_size
        found = run_trials("landing_sides", (OURS, POLARS), {"file": str(file)}, folder, watch, repeats)
    figures = {
        **found[OURS].medians(),
        "file_mb": size / 1e6,
        "rows_bad": float(bad),
        "rows_unaccounted": float(_unaccounted(found[OURS], rows, bad)),
    }
    return TrialResult(
        "landing",
        seed,
        rows,
        figures,
        {POLARS: Peer("scan_csv, sink_parquet", f"polars {version('polars')}", found[POLARS].medians())},
        {"rows": f"{rows:,}"},
        must_be_zero=("rows_unaccounted",),
    )


def _unaccounted(ours: Trials, rows: int, bad: int) -> int:
    """Most rows, in any repetition, by which what the ledger and the tables say differs from what was written."""
    wanted = {
        "rows_read": rows,
        "rows_landed": rows - bad,
        "rows_refused": bad,
        "rows_in_bronze": rows - bad,
        "rows_in_quarantine": bad,
    }
    return int(max(abs(each[name] - count) for each in ours.repetitions for name, count in wanted.items()))

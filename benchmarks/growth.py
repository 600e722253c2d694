"""`bench growth`: what one more day of features costs on top of a long past, against the same day on a short one.

Both pasts lie in Delta tables as tiles and states, made by the backfill. A trial reads what the day needs, computes the
features of its events, and writes its tiles and the next state. The values on the short past are compared with one pass
of the engine over all its rows.
"""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks.growth_days import LAST, SOURCE, VIEWS, Goods
from benchmarks.growth_sides import BUILD, LONG, SHORT, VALUES
from benchmarks.harness import Watch
from benchmarks.result import Peer
from benchmarks.trial_result import TrialResult
from benchmarks.trials import REPEATS, run_trials
from features import windows


def run(
    goods: Goods,
    days: dict[str, int],
    watch: Watch,
    repeats: int = REPEATS,
    keep: Path | None = None,
) -> TrialResult:
    """Build both pasts (`days` of each side), add the day to each in turn, and compare."""
    with TemporaryDirectory(prefix="borderlake-bench-", dir=keep) as name:
        folder = Path(name)
        settings: dict[str, str | int] = {
            "events_a_day": goods.events_a_day,
            "entities": goods.entities,
            "seed": goods.seed,
            "lakes": name,
            **{f"{which}_days": days[which] for which in (SHORT, LONG)},
        }
        built = run_trials("growth_sides", list(BUILD.values()), settings, folder, watch, 1)
        found = run_trials("growth_sides", (SHORT, LONG), settings, folder, watch, repeats)
        watch("comparing values")
        unequal = _unequal(goods, days[SHORT], pl.read_parquet(folder / SHORT / VALUES))
    short, long = found[SHORT].medians(), found[LONG].medians()
    figures = {
        **long,
        "growth_ratio": long["wall_s"] / short["wall_s"],
        "backfill_wall_s": built[BUILD[LONG]].medians()["wall_s"],
        "values_unequal": float(unequal),
    }
    past = {which: f"{goods.events_a_day * days[which]:,} events" for which in (SHORT, LONG)}
    return TrialResult(
        "growth",
        goods.seed,
        goods.events_a_day,
        figures,
        {SHORT: Peer(f"the same day on {past[SHORT]}", f"{days[SHORT]} days", short)},
        {"past": past[LONG], "days": str(days[LONG]), "entities": f"{goods.entities:,}"},
        must_be_zero=("values_unequal",),
    )


def _unequal(goods: Goods, days: int, found: pl.DataFrame) -> int:
    """Values that one pass over all rows gives otherwise."""
    first = LAST - timedelta(days=days)
    history = pl.concat([part[SOURCE] for part in goods.parts(first, LAST)])
    events = goods.events(LAST)
    wanted = pl.concat([windows.compute(view, events, history) for view in VIEWS], how="horizontal")
    differing = [(~found[name].eq_missing(wanted[name])).sum() for name in wanted.columns]
    return int(sum(differing)) + abs(found.height - wanted.height)

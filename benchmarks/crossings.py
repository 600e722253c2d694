"""`bench crossings`: who stays past the admitted-until date, from what is known at entry.

Rows are arrivals whose admitted-until date is known, after the arrival and not past `label_until`, so that the feed of
departures has had time to show them leave. The split is by arrival day. No side gets an outcome of the test days, and
those of the validation days only stop and calibrate: no feature rests on them.

Peers are three plain LightGBMs on the same entry columns, stopped early on the validation days; gains are over the
best of them on the judged rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import polars as pl

from benchmarks.extracts import Labelled, files_in, read
from benchmarks.harness import Scored, Task, Watch, run_sides
from benchmarks.measure import Measured, gains, measure_all
from benchmarks.result import Peer, Result
from warehouse.errors import BorderlakeError

ALL, AIR = "all", "air"
_OUTCOMES = Labelled("immigration.crossings", "immigration.outcomes", "is_adverse")
_COLUMNS = (
    "event_at",
    "admitted_until",
    "nationality",
    "nationality_code",
    "residence",
    "port",
    "mode",
    "destination",
    "purpose",
    "visa_post",
    "occupation",
    "admission_code",
    "sex",
    "carrier",
    "flight_number",
    "visa_class",
    "age_years",
)
"""All that any side sees. `known_at` and the record's serial number are left out: they tell when it was keyed."""

OURS = "ours"
PLAIN = {
    "lightgbm_native": "plain LightGBM, native categoricals",
    "lightgbm_no_flight": "the same without the flight number",
    "lightgbm_ordinal": "plain LightGBM, ordinal codes",
}


@dataclass(frozen=True)
class Days:
    """How arrival days are split, and the last admitted-until date that has an outcome."""

    train_until: date
    valid_until: date
    test_from: date
    label_until: date

    def check(self) -> None:
        if not self.train_until < self.valid_until < self.test_from:
            raise BorderlakeError(
                f"the days must follow each other: train until {self.train_until}, validate until "
                f"{self.valid_until}, test from {self.test_from}"
            )


def run(folder: Path, dialect: str, days: Days, part: str, seed: int, watch: Watch) -> Result:
    """Run every side and measure it; raises `BorderlakeError` where nothing can be measured."""
    days.check()
    watch("reading")
    extracts = read(files_in(folder, dialect, _OUTCOMES.subject), dialect, _OUTCOMES, _COLUMNS)
    rows = split(extracts.rows.select(*_COLUMNS, "label"), days)
    counts = {name: _outcomes(rows, name) for name in ("train", "valid", "test")}
    judged = _judged(rows, part)
    labels = judged["label"].to_numpy()
    seen = rows.with_columns(label=pl.when(pl.col("part") != "test").then(pl.col("label")))
    scored = run_sides(Task("crossings", seen, {"seed": seed}), (OURS, *PLAIN), watch)
    watch("figures")
    chosen = judged["at"].to_numpy()
    scores = {side: [every[chosen] for every in result.scores] for side, result in scored.items()}
    measured = measure_all(labels, scores, seed)
    best = max(PLAIN, key=lambda side: measured[side].values["ap"])
    figures = {
        **_figures(measured, scored, OURS),
        **gains(measured[OURS], measured[best]),
        "base_rate": float(labels.mean()),
        **{f"rows_{name}": float(count) for name, count in counts.items()},
        "rows_refused": float(extracts.refused),
    }
    peers = {
        side: Peer(
            f"{title} (best)" if side == best else title,
            f"lightgbm {version('lightgbm')}",
            {**_figures(measured, scored, side), "is_best": float(side == best)},
        )
        for side, title in PLAIN.items()
    }
    arguments = {"dialect": dialect, "slice": part, **{name: str(day) for name, day in vars(days).items()}}
    return Result("crossings", seed, judged.height, figures, peers, arguments)


def split(rows: pl.DataFrame, days: Days) -> pl.DataFrame:
    """Rows with `part` (train, valid, test, or null) by arrival day; only rows with a part keep their label."""
    day, until = pl.col("event_at").dt.date(), pl.col("admitted_until")
    eligible = pl.col("label").is_not_null() & (until > day) & (until <= days.label_until)
    part = (
        pl.when(~eligible.fill_null(False))
        .then(None)
        .when(day <= days.train_until)
        .then(pl.lit("train"))
        .when(day <= days.valid_until)
        .then(pl.lit("valid"))
        .when(day >= days.test_from)
        .then(pl.lit("test"))
    )
    return rows.with_columns(part=part).with_columns(label=pl.when(pl.col("part").is_not_null()).then(pl.col("label")))


def _outcomes(rows: pl.DataFrame, part: str) -> int:
    labels = rows.filter(pl.col("part") == part)["label"]
    if labels.n_unique() < 2:
        raise BorderlakeError(
            f"the {part} days hold {labels.len():,} outcomes of one kind; both kinds are needed. Choose other days"
        )
    return labels.len()


def _judged(rows: pl.DataFrame, part: str) -> pl.DataFrame:
    """Rows that judge, with `at`, their place among the test rows."""
    test = rows.filter(pl.col("part") == "test").with_row_index("at")
    judged = test.filter(pl.col("mode") == "air") if part == AIR else test
    if judged["label"].n_unique() < 2:
        raise BorderlakeError(f"the test days hold no outcomes of both kinds for '{part}'; choose other days")
    return judged


def _figures(measured: Mapping[str, Measured], scored: Mapping[str, Scored], side: str) -> dict[str, float]:
    usage = {"wall_s": scored[side].wall_s, "peak_rss_mb": scored[side].peak_rss_mb}
    return {**measured[side].flat(), **usage}

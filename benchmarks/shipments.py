"""`bench shipments`: which declared goods an inspection finds irregular, under two protocols.

The public extract of the Korea Customs Service is resampled: rows that agree in `TUPLE` repeat with the same label, in
its test quarter as in its training year.

- published: train on one file, judge on another. Most judged rows have a twin in training, so the twin lookup, which
  learns nothing, is the peer to watch; the figures without twins say what was learnt.
- twin-free: all files, one row a tuple, five times five folds. A tuple is its own group, so no judged row has a twin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from benchmarks.extracts import Labelled, read
from benchmarks.harness import Scored, Settings, Task, Watch, run_sides
from benchmarks.measure import Measured, gains, measure, measure_all
from benchmarks.result import Peer, Result
from warehouse.errors import BorderlakeError

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

PUBLISHED, TWIN_FREE = "published", "twin-free"
TUPLE = ("hs_code", "country_of_dispatch", "country_of_origin", "duty_rate_pct", "duty_regime", "net_mass_kg")
REPEATS, FOLDS = 5, 5

_INSPECTED = Labelled("customs.declarations", "customs.inspections", "is_irregular")
_COLUMNS = (
    *TUPLE,
    "event_at",
    "office",
    "procedure",
    "transport_mode",
    "origin_indicator",
    "import_type",
    "import_use",
    "payment_type",
    "item_value",
)
"""Parties are left out for every side: they carry no signal here, and a default LightGBM does worse with them."""

OURS, DEFAULT, LOOKUP = "ours", "default_lightgbm", "twin_lookup"
_PUBLISHED_FIGURES = Peer(
    "published LightGBM",
    "Jeong et al. 2022, arXiv:2208.02484, table 3",
    {"precision_at_5": 0.762, "precision_at_10": 0.641},
)


@dataclass(frozen=True)
class Files:
    """The extracts a bench is given; validation and test may be one file."""

    train: Path
    valid: Path
    test: Path


def run(files: Files, dialect: str, protocol: str, seed: int, watch: Watch, repeats: int = REPEATS) -> Result:
    """Run every side and measure it; raises `BorderlakeError` where nothing can be measured."""
    rows, refused = _published(files, dialect) if protocol == PUBLISHED else _twin_free(files, dialect)
    judged = rows.filter(pl.col("part") == "test")
    labels = judged["label"].to_numpy()
    settings: Settings = {"protocol": protocol, "seed": seed, "repeats": repeats, "folds": FOLDS}
    # In the published protocol no side can see a judged label; across folds each is needed, for the others.
    seen = rows if protocol == TWIN_FREE else _without_judged_labels(rows)
    scored = run_sides(Task("shipments", seen, settings), (OURS, DEFAULT, LOOKUP), watch)
    watch("figures")
    measured = measure_all(labels, {side: result.scores for side, result in scored.items()}, seed)
    figures = {
        **_figures(measured, scored, OURS),
        **gains(measured[OURS], measured[DEFAULT]),
        **_twins(rows, judged, scored[OURS].scores, seed),
        "base_rate": float(labels.mean()),
        "rows_refused": float(refused),
    }
    peers = {
        DEFAULT: Peer("default LightGBM", f"lightgbm {version('lightgbm')}", _figures(measured, scored, DEFAULT)),
        LOOKUP: Peer("twin lookup", "1", _figures(measured, scored, LOOKUP)),
    }
    if protocol == PUBLISHED:
        figures["rows_train"] = float((rows["part"] == "train").sum())
        peers["published_lightgbm"] = _PUBLISHED_FIGURES
    arguments = {"dialect": dialect, "protocol": protocol}
    return Result("shipments", seed, judged.height, figures, peers, arguments)


def folds(rows: int, repeats: int, count: int, seed: int) -> Iterator[tuple[int, Rows, Rows]]:
    """Repetition, training rows and held-out rows of each fold: the same for every side."""
    for repetition in range(repeats):
        splitter = KFold(count, shuffle=True, random_state=seed + repetition)
        for train, held_out in splitter.split(np.arange(rows)):
            yield repetition, train, held_out


def twins(rows: pl.DataFrame, among: pl.DataFrame, alike: Sequence[str] = TUPLE) -> pl.DataFrame:
    """For each of `rows` the `outcomes` of those in `among` that agree in `alike`, and how many were `adverse`."""
    seen = among.group_by(alike).agg(outcomes=pl.len().cast(pl.Float64), adverse=pl.col("label").sum())
    joined = rows.select(alike).join(seen, on=alike, how="left", nulls_equal=True, maintain_order="left")
    return joined.select("outcomes", "adverse").fill_null(0.0)


def _read(paths: Sequence[Path], dialect: str) -> tuple[pl.DataFrame, int]:
    extracts = read(paths, dialect, _INSPECTED, _COLUMNS)
    rows = extracts.rows.filter(pl.col("label").is_not_null())
    if rows["label"].n_unique() < 2:
        names = ", ".join(path.name for path in dict.fromkeys(paths))
        raise BorderlakeError(f"{names}: {rows.height:,} rows have an outcome, of one kind; both kinds are needed")
    return rows, extracts.refused


def _published(files: Files, dialect: str) -> tuple[pl.DataFrame, int]:
    parts, refused, before = [], 0, pl.Series([], dtype=pl.String)
    named = {"train": files.train, "test": files.test, "valid": files.valid}
    for part, path in named.items():
        if part == "valid" and path.resolve() in (files.train.resolve(), files.test.resolve()):
            continue
        rows, more = _read([path], dialect)
        # A declaration counts where it comes first: one that is in training cannot judge.
        fresh = rows.filter(~pl.col("declaration_id").is_in(before.implode()))
        parts.append(fresh.with_columns(part=pl.lit(part)))
        before, refused = pl.concat([before, fresh["declaration_id"]]), refused + more
    everything = pl.concat(parts)
    if everything.filter(pl.col("part") == "test").is_empty():
        raise BorderlakeError(f"{files.test.name} holds no declaration that {files.train.name} does not; give another")
    return everything, refused


def _twin_free(files: Files, dialect: str) -> tuple[pl.DataFrame, int]:
    rows, refused = _read([files.train, files.valid, files.test], dialect)
    # A few tuples carry both labels; the row that came first counts.
    return rows.unique(TUPLE, keep="first", maintain_order=True).with_columns(part=pl.lit("test")), refused


def _without_judged_labels(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(label=pl.when(pl.col("part") != "test").then(pl.col("label")))


def _figures(measured: dict[str, Measured], scored: dict[str, Scored], side: str) -> dict[str, float]:
    usage = {"wall_s": scored[side].wall_s, "peak_rss_mb": scored[side].peak_rss_mb}
    return {**measured[side].flat(), **usage}


def _twins(rows: pl.DataFrame, judged: pl.DataFrame, scores: Sequence[Floats], seed: int) -> dict[str, float]:
    """Share of judged rows with a twin in training, and figures of the rows without one."""
    train = rows.filter(pl.col("part") == "train")
    alone = (twins(judged, train)["outcomes"] == 0).to_numpy()
    found = {"twin_share": float(1 - alone.mean())}
    labels = judged["label"].to_numpy()[alone]
    if train.is_empty() or not 0 < labels.sum() < len(labels):
        return found
    return found | measure(labels, [score[alone] for score in scores], seed).flat("_without_twins")

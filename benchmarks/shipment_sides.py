"""Sides of `bench shipments`: our blend, a default LightGBM, a lookup of twins. Each runs in its own process."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.harness import Settings, Side
from benchmarks.shipments import DEFAULT, LOOKUP, OURS, TUPLE, TWIN_FREE, folds, twins
from models import calibration
from models.goods import goods_of
from models.goods_blend import GoodsBlend, with_history

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Fold = Callable[[Rows, Rows, int], Floats]
"""Training rows, rows to score and a seed in; scores out."""

HISTORY_ROWS = 0.5
"""Rows that the model's probability is worth beside outcomes of the very same goods: they nearly always repeat."""
SAME_GOODS = (TUPLE, (*TUPLE, "item_value"))
"""What history agrees in: where outcomes of the same goods differ, those of the same value tell more."""
_HELD_BACK = 0.25
"""Share of the training file, its latest days, that the published protocol calibrates on."""
_AT_ONCE = 2

_CATEGORIES = (
    "hs_code",
    "country_of_dispatch",
    "country_of_origin",
    "duty_regime",
    "office",
    "procedure",
    "import_type",
    "import_use",
    "payment_type",
    "transport_mode",
    "origin_indicator",
)
_NUMBERS = ("duty_rate_pct", "net_mass_kg", "item_value")


def ours(rows: pl.DataFrame, settings: Settings) -> Sequence[Floats]:
    """The blend of `models.goods_blend`; published: with the outcomes of the very same goods beside it."""
    blend = GoodsBlend.of(goods_of(rows), _labels(rows))
    if settings["protocol"] == TWIN_FREE:
        return _across_folds(rows, settings, blend.probabilities, at_once=_AT_ONCE)
    return [_published(rows, blend, int(settings["seed"]))]


def default_lightgbm(rows: pl.DataFrame, settings: Settings) -> Sequence[Floats]:
    """LightGBM as it comes, on the declared columns, categories as its own."""
    labels = _labels(rows)
    codes = [rows[name].fill_null("").rank("dense").cast(pl.Float64).to_numpy() - 1 for name in _CATEGORIES]
    matrix = np.column_stack([*codes, *(rows[name].cast(pl.Float64).to_numpy() for name in _NUMBERS)])
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1, "seed": int(settings["seed"])}

    def fold(train: Rows, score: Rows, _seed: int) -> Floats:
        data = lightgbm.Dataset(matrix[train], labels[train], categorical_feature=list(range(len(codes))))
        booster = lightgbm.train(parameters, data)
        return np.asarray(booster.predict(matrix[score], num_threads=1), dtype=np.float64)

    return _scored(rows, settings, fold)


def twin_lookup(rows: pl.DataFrame, settings: Settings) -> Sequence[Floats]:
    """The share of irregular twins in training; the share of all where there is none."""

    def fold(train: Rows, score: Rows, _seed: int) -> Floats:
        known = rows[train]
        found = twins(rows[score], known)
        outcomes, adverse = found["outcomes"].to_numpy(), found["adverse"].to_numpy()
        share = np.where(outcomes > 0, adverse / np.maximum(outcomes, 1), float(_labels(known).mean()))
        # Among equal shares, the one that more twins bear out comes first.
        result: Floats = np.clip(share + 1e-9 * outcomes, 0.0, 1.0)
        return result

    return _scored(rows, settings, fold)


SIDES: dict[str, Side] = {OURS: ours, DEFAULT: default_lightgbm, LOOKUP: twin_lookup}


def _scored(rows: pl.DataFrame, settings: Settings, fold: Fold) -> Sequence[Floats]:
    if settings["protocol"] == TWIN_FREE:
        return _across_folds(rows, settings, fold)
    return [fold(_part(rows, "train"), _part(rows, "test"), int(settings["seed"]))]


def _across_folds(rows: pl.DataFrame, settings: Settings, fold: Fold, at_once: int = 1) -> Sequence[Floats]:
    """One array a repetition, each row scored by the fold that held it out."""
    repeats, count, seed = (int(settings[name]) for name in ("repeats", "folds", "seed"))
    scores = [np.zeros(rows.height) for _ in range(repeats)]

    def one(split: tuple[int, Rows, Rows]) -> None:
        repetition, train, held_out = split
        scores[repetition][held_out] = fold(train, held_out, seed + repetition)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, folds(rows.height, repeats, count, seed)))
    return scores


def _published(rows: pl.DataFrame, blend: GoodsBlend, seed: int) -> Floats:
    train, test = _part(rows, "train"), _part(rows, "test")
    earlier, later = _held_back(rows, train)
    held_back = _with_history(rows, blend, earlier, later, seed)
    known = held_back.has_history
    labels = _labels(rows)[later][known]
    both = 0 < labels.sum() < len(labels)
    calibrator = calibration.fit(held_back.log_odds[known], labels) if both else calibration.IDENTITY
    judged = _with_history(rows, blend, train, test, seed)
    # The blend is calibrated by itself; only what history adds has to be.
    return np.where(judged.has_history, calibrator.probability(judged.log_odds), judged.probabilities)


@dataclass(frozen=True)
class _Scored:
    """Probabilities with the outcomes of the very same goods beside them, where there are any."""

    probabilities: Floats
    has_history: NDArray[np.bool_]

    @property
    def log_odds(self) -> Floats:
        result: Floats = np.log(self.probabilities / (1 - self.probabilities))
        return result


def _with_history(rows: pl.DataFrame, blend: GoodsBlend, train: Rows, score: Rows, seed: int) -> _Scored:
    # The model learns from one row a tuple, as it is for goods never seen.
    first = np.sort(rows[train].with_row_index("at").unique(TUPLE, keep="first")["at"].to_numpy())
    base = blend.probabilities(train[first], score, seed)
    has_history = (twins(rows[score], rows[train])["outcomes"] > 0).to_numpy()
    return _Scored(beside_history(base, rows[score], rows[train]), has_history)


def beside_history(probabilities: Floats, judged: pl.DataFrame, known: pl.DataFrame) -> Floats:
    """Probabilities of the judged rows with the outcomes of the same goods beside them, then of those alike in more."""
    for alike in SAME_GOODS:
        seen = twins(judged, known, alike)
        adverse, outcomes = seen["adverse"].to_numpy(), seen["outcomes"].to_numpy()
        probabilities = with_history(probabilities, adverse, outcomes, HISTORY_ROWS)
    return probabilities


def _held_back(rows: pl.DataFrame, train: Rows) -> tuple[Rows, Rows]:
    """Rows to fit on and later ones to calibrate by: a validation file of its own, else the end of the training."""
    valid = _part(rows, "valid")
    if len(valid):
        return train, valid
    by_time = train[np.argsort(rows["event_at"].to_numpy()[train], kind="stable")]
    cut = int(len(train) * (1 - _HELD_BACK))
    return by_time[:cut], by_time[cut:]


def _part(rows: pl.DataFrame, name: str) -> Rows:
    return np.flatnonzero((rows["part"] == name).to_numpy())


def _labels(rows: pl.DataFrame) -> Floats:
    """Labels; NaN where a side may not know them."""
    return rows["label"].to_numpy()

"""Evaluation: figures at the capacity an office has, each with a bootstrap interval."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from models.ranking import CAPACITIES, Ranking
from warehouse.errors import NotReady

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_REPEATS = 200


@dataclass(frozen=True)
class Figure:
    """A measured value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def figures(labels: Floats, probabilities: Floats) -> dict[str, float]:
    """`auc`, `ap`, `precision_at_k`, `recall_at_k`, `brier`, `calibration_slope` for one sample."""
    order = np.argsort(-probabilities, kind="stable")
    found = np.cumsum(labels[order])
    total = labels.sum()
    result = {
        "auc": float(roc_auc_score(labels, probabilities)),
        "ap": float(average_precision_score(labels, probabilities)),
        "brier": float(np.mean((probabilities - labels) ** 2)),
        "calibration_slope": calibration_slope(labels, probabilities),
    }
    for percent in CAPACITIES:
        taken = max(1, round(len(labels) * percent / 100))
        result[f"precision_at_{percent}"] = float(found[taken - 1] / taken)
        result[f"recall_at_{percent}"] = float(found[taken - 1] / total)
    return result


def calibration_slope(labels: Floats, probabilities: Floats) -> float:
    """Slope of the labels' log-odds on the predicted log-odds (Cox, 1958): 1 is calibrated, below 1 overconfident."""
    clipped = np.clip(probabilities, 1e-6, 1 - 1e-6)
    log_odds = np.log(clipped / (1 - clipped))
    if np.ptp(log_odds) == 0:
        return 0.0
    return float(LogisticRegression(C=1e6, max_iter=1_000).fit(log_odds[:, None], labels).coef_[0][0])


def with_intervals(labels: Floats, probabilities: Floats, *, seed: int, repeats: int = _REPEATS) -> dict[str, Figure]:
    """Each figure with a 95 % interval, from `repeats` bootstrap samples of the rows."""
    drawn = bootstrap(labels, probabilities, seed=seed, repeats=repeats)
    return {name: Figure(value, *interval(drawn[name])) for name, value in figures(labels, probabilities).items()}


def bootstrap(labels: Floats, probabilities: Floats, *, seed: int, repeats: int = _REPEATS) -> dict[str, Floats]:
    """Each figure on `repeats` bootstrap samples of the rows.

    The same labels, seed and repeats draw the same rows, so that figures of two scores can be subtracted draw by
    draw (a paired bootstrap). Rows are sorted once and drawn as weights: a draw costs no sort. Raises `NotReady`
    where the labels are of a single class.
    """
    _require_both(labels)
    ranked = Ranking(labels, probabilities)
    drawn = [ranked.figures(_weights(rows)) for rows in _draws(labels, seed, repeats)]
    return {name: np.array([figures_of[name] for figures_of in drawn]) for name in drawn[0]}


def interval(drawn: Floats) -> tuple[float, float]:
    """The 95 % interval of a figure's bootstrap draws."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def paired_gain(
    labels: Floats,
    ours: Floats,
    theirs: Floats,
    measure: Callable[[Rows, Floats], float],
    *,
    seed: int,
    repeats: int = _REPEATS,
) -> Figure:
    """Difference of a measure between two scores of the same rows, with a paired bootstrap interval.

    `measure` gets the places of the rows drawn and a score of every row.
    """
    every = np.arange(len(labels))
    gains = [measure(rows, ours) - measure(rows, theirs) for rows in resamples(labels, seed=seed, repeats=repeats)]
    return Figure(measure(every, ours) - measure(every, theirs), *interval(np.array(gains)))


def resamples(labels: Floats, *, seed: int, repeats: int) -> Sequence[Rows]:
    """Row indices of bootstrap samples; one that drew a single class is drawn again.

    Raises `NotReady` where the labels themselves are of a single class.
    """
    _require_both(labels)
    return list(_draws(labels, seed, repeats))


def reliability(labels: Floats, probabilities: Floats, bins: int = 10) -> list[Mapping[str, float]]:
    """Mean prediction, observed share and rows of equally filled bins, for a calibration curve."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [
        {
            "predicted": float(probabilities[part].mean()),
            "observed": float(labels[part].mean()),
            "rows": float(len(part)),
        }
        for part in parts
    ]


def _require_both(labels: Floats) -> None:
    if not 0 < labels.sum() < len(labels):
        raise NotReady(f"{len(labels)} outcomes of one kind measure nothing; both kinds are needed. Take more days")


def _draws(labels: Floats, seed: int, repeats: int) -> Iterator[Rows]:
    generator = np.random.default_rng(seed)
    done = 0
    while done < repeats:
        rows = generator.integers(0, len(labels), len(labels))
        if 0 < labels[rows].sum() < len(labels):
            done += 1
            yield rows


def _weights(rows: Rows) -> Floats:
    """How often each row was drawn."""
    return np.bincount(rows, minlength=len(rows)).astype(np.float64)

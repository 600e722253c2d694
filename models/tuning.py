"""Tuning: other parameters for a spec, tried on folds that move on in time. The only module that imports optuna.

The days that judge a version are in no fold, so that what is found here can still be judged. Nothing is applied: the
outcome is a spec to be read, pasted and trained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import log_loss, roc_auc_score

from models.datasets import Split, folds_by_time, labels_of, learn_encoder
from models.found import part_in_best
from models.growing import grow
from models.spec import BASE_PARAMETERS, ModelSpec
from warehouse.errors import NotReady

CAPACITY = 0.05
"""Share of events at which recall is told."""
_DIGITS = 3
"""Of a tried number: what is pasted is what was tried."""


@dataclass(frozen=True)
class Range:
    """What a parameter may be; on a logarithmic scale, or whole."""

    low: float
    high: float
    is_log: bool = True
    is_whole: bool = False

    def nearest(self, value: Any) -> float:
        """What may be tried and lies nearest to a value."""
        return min(max(float(value), self.low), self.high)


SPACE: Mapping[str, Range] = {
    "learning_rate": Range(0.01, 0.1),
    "num_leaves": Range(4, 63, is_whole=True),
    "min_data_in_leaf": Range(10, 200, is_whole=True),
    "feature_fraction": Range(0.2, 1.0, is_log=False),
    "bagging_fraction": Range(0.5, 1.0, is_log=False),
    "lambda_l2": Range(0.1, 100.0),
    "cat_smooth": Range(1.0, 200.0),
    "cat_l2": Range(1.0, 200.0),
}


@dataclass(frozen=True)
class Judged:
    """What parameters come to on the judged days of one fold."""

    first: datetime
    rows: int
    adverse: int
    log_loss: float
    """What is minimised: it looks at every row, where the head of a ranking is mostly noise on so few days."""
    auc: float
    recall: float
    """Share of adverse rows among the riskiest `CAPACITY`."""
    trees: int


@dataclass(frozen=True)
class Tuned:
    """The best of all trials beside the spec as it is, fold by fold."""

    before: ModelSpec
    found: ModelSpec
    was: Sequence[Judged]
    would: Sequence[Judged]
    trials: int

    @property
    def gain(self) -> float:
        """By how much log loss is lower, on the mean of the folds; 0 where nothing better was found."""
        return _loss(self.was) - _loss(self.would)

    @property
    def folds_better(self) -> int:
        """Folds on which it is lower."""
        return sum(would.log_loss < was.log_loss for was, would in zip(self.was, self.would, strict=True))

    @property
    def changed(self) -> Mapping[str, Any]:
        """Parameters that are otherwise in what was found."""
        before = self.before.parameters
        return {name: value for name, value in self.found.parameters.items() if before.get(name) != value}

    def declared(self) -> str:
        """The parameters as a spec's module declares them, to paste in place of those that are there."""
        own = {name: value for name, value in self.found.parameters.items() if BASE_PARAMETERS.get(name) != value}
        lines = [f'        "{name}": {value!r},' for name, value in own.items()]
        return "\n".join(["    parameters={", "        **BASE_PARAMETERS,", *lines, "    },"])


def tune(spec: ModelSpec, labelled: pl.DataFrame, trials: int, folds: int, watch: Callable[[], None]) -> Tuned:
    """Try `trials` sets of parameters on `folds` folds; the spec's own come first. `watch` is called after each trial.

    The same spec, rows and counts give the same trials. Raises `NotReady` where optuna is not installed, or the labels
    do not suffice for so many folds.
    """
    optuna = _optuna()
    splits = folds_by_time(labelled, spec, folds)
    tried: dict[int, tuple[ModelSpec, list[Judged]]] = {}

    def objective(trial: Any) -> float:
        asked = _asked(trial)
        one = replace(spec, parameters={**spec.parameters, **asked}) if trial.number else spec
        tried[trial.number] = one, [_judged(one, split) for split in splits]
        watch()
        return _loss(tried[trial.number][1])

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=spec.seed))
    study.enqueue_trial({name: within.nearest(spec.parameters[name]) for name, within in SPACE.items()})
    study.optimize(objective, n_trials=trials)
    found, would = tried[study.best_trial.number]
    return Tuned(spec, found, tried[0][1], would, trials)


def _asked(trial: Any) -> dict[str, float | int]:
    return {name: _rounded(_suggested(trial, name, within), within) for name, within in SPACE.items()}


def _suggested(trial: Any, name: str, within: Range) -> float:
    if within.is_whole:
        return float(trial.suggest_int(name, int(within.low), int(within.high), log=within.is_log))
    return float(trial.suggest_float(name, within.low, within.high, log=within.is_log))


def _rounded(value: float, within: Range) -> float | int:
    return int(value) if within.is_whole else float(f"{value:.{_DIGITS}g}")


def _judged(spec: ModelSpec, split: Split) -> Judged:
    encoder = learn_encoder(split.train, spec)
    booster = grow(spec, encoder, split.train, split.valid, split.late).booster
    labels = labels_of(split.test)
    scores = np.asarray(booster.predict(encoder.matrix(split.test)), dtype=np.float64)
    return Judged(
        first=split.test_from,
        rows=len(labels),
        adverse=int(labels.sum()),
        log_loss=float(log_loss(labels, scores)),
        auc=float(roc_auc_score(labels, scores)),
        recall=part_in_best(labels, scores, CAPACITY),
        trees=booster.num_trees(),
    )


def _loss(judged: Sequence[Judged]) -> float:
    return float(np.mean([one.log_loss for one in judged]))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise NotReady(
            "tuning needs optuna, which is not installed; install borderlake with its extra 'tune'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna

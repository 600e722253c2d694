"""Founding: the first tree, which says what somebody's own record speaks for before anything is learnt of others.

Of those who are looked at by lot, one in a hundred, few are found twice, however often they do it: in what is learnt
from, a second find is too rare for trees to split on, though a first one is the best there is to go by. So growing may
start from it. A rate of past findings drawn toward that of all (`Kind.RATE`: a beta prior, as of empirical Bayes;
Efron and Morris, 1975, JASA 70) tells how many times as likely one is to be found again as others are; its logarithm is
added to the odds of all. The trees that follow learn what else there is, and where a record says too much.

It is a tree among trees, so that scoring, contributions and replay know nothing of it.
"""

import lightgbm
import numpy as np
import polars as pl

from features import conditions
from models.datasets import Encoder, Floats, labels_of, weights_of
from models.spec import ModelSpec, Record

_STEP = 0.1
"""Of log-odds, to which a record is rounded: leaves as many as tell."""
_EXACT = {
    "objective": "regression",
    "learning_rate": 1.0,
    "boost_from_average": False,
    "num_leaves": 128,
    "max_depth": 48,
    "min_data_in_leaf": 1,
    "max_bin": 65_535,
    "min_data_in_bin": 1,
    "min_sum_hessian_in_leaf": 0.0,
    "feature_pre_filter": False,
    "min_data_per_group": 1,
    "max_cat_to_onehot": 1,
    "cat_smooth": 0.0,
    "cat_l2": 0.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""One tree that repeats what it is told."""


def found(spec: ModelSpec, encoder: Encoder, rows: pl.DataFrame) -> lightgbm.Booster | None:
    """One tree of log-odds; None where the spec has no record, or no row of `rows` has one that speaks."""
    record = spec.record_given()
    if record is None:
        return None
    said = said_by(record, rows)
    if said.n_unique() < 2:
        return None
    matrix = encoder.matrix(rows)
    matrix[:, [name not in record.columns() for name in encoder.columns]] = 0.0
    data = lightgbm.Dataset(
        matrix,
        _log_odds(labels_of(rows), weights_of(rows)) + said.to_numpy(),
        feature_name=list(encoder.columns),
        categorical_feature=encoder.category_columns,
    )
    return lightgbm.train(_EXACT, data, 1)


def said_by(record: Record, rows: pl.DataFrame) -> pl.Series:
    """What each row's record adds to its log-odds: the logarithm of its rate over its jurisdiction's usual one, 0 where
    it has no rate.

    Most have no past, and a rate without a past is that of all at the time: the median of all is the usual one. Where
    what is found of all has changed over the days, who has no past is off by as much, and later trees have to mend it.
    """
    rate = pl.col(record.rate).cast(pl.Float64).fill_nan(None)
    has_record = conditions.all_met(record.where) & (rate > 0)
    usual = pl.when(rate > 0).then(rate).median().over("jurisdiction")
    steps = ((rate / usual).log() / _STEP).round()
    return rows.select(pl.when(has_record).then(steps * _STEP).otherwise(0.0).fill_null(0.0)).to_series()


def _log_odds(labels: Floats, weights: Floats | None) -> float:
    """Of an adverse outcome, over all rows."""
    share = float(np.average(labels, weights=weights))
    return float(np.log(share) - np.log1p(-share))

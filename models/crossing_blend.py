"""A blend for crossings known by their entry alone: no history of the traveller, only of entries alike.

Three boosted models see the same entry through different columns: its codes in order, with whom it came
(`models.party`), and how entries like it turned out (`models.entry_rates`). Air, the other modes, and entries whose
mode nobody wrote down are calibrated apart: their base rates differ manifold, and the others arrive by the shipload.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from models import day_calibration, party
from models.blend import Floats, Mask, Matrix, Member, Parameters, Rounds, boost, log_odds, mean_log_odds
from models.entry import CODES, NONE, NUMBERS, entry_columns, numbers, ordinals
from models.entry_rates import entry_rates

PARAMETERS: Parameters = {
    "objective": "binary",
    "metric": "binary_logloss",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
ROUNDS = Rounds(most=1_200, patience=50)
MEMBERS = (
    Member("codes", ("entry",), {"feature_fraction": 0.5}),
    Member("party", ("entry", "party")),
    Member("rates", ("entry", "rates")),
)


@dataclass(frozen=True)
class Sample:
    """Entries with outcomes to learn from, to stop and calibrate by, and entries to score."""

    rows: pl.DataFrame
    """Rows of `models.party.with_party`, with `label`."""
    train: Mask
    stop: Mask
    score: Mask

    @staticmethod
    def of(arrivals: pl.DataFrame, train: Mask, stop: Mask, score: Mask) -> "Sample":
        """From `immigration.crossings` rows with `label`; arrivals in no part count as company only."""
        used = train | stop | score
        rows = party.with_party(entry_columns(arrivals)).filter(pl.Series(used))
        return Sample(rows, train[used], stop[used], score[used])

    @property
    def labels(self) -> Floats:
        return self.rows["label"].to_numpy()

    @property
    def regimes(self) -> tuple[Mask, Mask, Mask]:
        """By air, by another mode, and by one that nobody wrote down: every row is in one of them."""
        by_air, unknown = ((self.rows["mode"] == mode).to_numpy() for mode in ("air", NONE))
        return by_air, ~by_air & ~unknown, unknown


def probabilities(sample: Sample, seed: int) -> Floats:
    """Calibrated probabilities of the rows to score."""
    raw = raw_scores(sample, seed)
    result = np.zeros(len(raw))
    days = sample.rows["day"]
    for regime in sample.regimes:
        known = sample.stop & regime
        held_out_days = days.filter(pl.Series(known)).n_unique()
        calibrator = day_calibration.fit(raw[known], sample.labels[known], held_out_days)
        result[regime] = calibrator.probability(raw[regime])
    return result[sample.score]


def raw_scores(sample: Sample, seed: int, members: Sequence[Member] = MEMBERS) -> Floats:
    """Mean log-odds of the members for every row."""
    blocks = blocks_of(sample)
    return mean_log_odds([_member(member, blocks, sample, seed) for member in members])


def blocks_of(sample: Sample) -> Mapping[str, Matrix]:
    """Blocks of columns; only the labels of training rows are looked at."""
    rates = entry_rates(sample.rows, sample.labels, sample.train)
    return {
        "entry": _matrix(
            [*ordinals(sample.rows, sample.train, CODES).values(), *numbers(sample.rows, NUMBERS).values()]
        ),
        "party": _matrix(list(numbers(sample.rows, party.COLUMNS).values())),
        "rates": rates.log_odds.astype(np.float32),
    }


def _member(member: Member, blocks: Mapping[str, Matrix], sample: Sample, seed: int) -> Floats:
    matrix = member.matrix(blocks)
    parameters = {**PARAMETERS, **member.parameters, "seed": seed}
    booster = boost(matrix, sample.labels, sample.train, sample.stop, parameters, ROUNDS)
    wanted = sample.stop | sample.score
    scores = np.zeros(len(matrix))
    scores[wanted] = log_odds(booster, matrix[wanted])
    return scores


def _matrix(columns: Sequence[Floats]) -> Matrix:
    return np.column_stack([column.astype(np.float32) for column in columns])

"""Growing: boosted trees from labelled rows. Two stages, stopped by days held out, then grown again on every row.

Where outcomes are few, trees of full size learn their noise. So the first trees are small and split at random
(extremely randomised trees: Geurts, Ernst and Wehenkel, 2006, Machine Learning 63(1)); trees of full size go on from
there only as long as the held-out days gain: for some rounds on a few thousand outcomes, for hundreds on a million.

Where the spec has a record, one tree before all tells what it speaks for (`models.founding`).

The latest outcomes are the nearest to the days to come. Once they have told how long to go on, all trees are grown anew
on them too. No calibration and no judging here.
"""

from dataclasses import dataclass

import lightgbm
import polars as pl

from models import founding
from models.datasets import Encoder, labels_of, weights_of
from models.spec import ModelSpec, Parameters
from warehouse.errors import BorderlakeError


@dataclass(frozen=True)
class Grown:
    """Trees of every row, and those that were grown first."""

    booster: lightgbm.Booster
    """Of all rows: what scores."""
    stopped: lightgbm.Booster
    """Of the training rows alone: what it says of the held-out rows is what the other would say of new days."""
    rounds: int
    """Trees of full size that the held-out days asked for."""


def grow(
    spec: ModelSpec,
    encoder: Encoder,
    train_rows: pl.DataFrame,
    valid_rows: pl.DataFrame,
    late_rows: pl.DataFrame | None = None,
) -> Grown:
    """Trees as many as `valid_rows` ask for, then as many again of these, of `train_rows` and of `late_rows`.

    Late rows are as old as the training rows, but their outcome came when the held-out days had begun. Rows count by
    their `weight`, where they have one. The same rows give the same trees.
    """
    if all(values.is_null().all() for values in train_rows.select(encoder.columns).fill_nan(None)):
        raise BorderlakeError("every feature of the training rows is missing; compute features before training")
    data = _dataset(encoder, train_rows)
    opened = _opened(spec, encoder, train_rows, data)
    stopped = lightgbm.train(
        _parameters(spec, encoder, {}),
        data,
        spec.rounds,
        valid_sets=[_dataset(encoder, valid_rows, data)],
        init_model=opened,
        callbacks=[lightgbm.early_stopping(spec.patience, verbose=False)],
    )
    # Rows too few to be split give fewer trees than were asked for.
    rounds = max(stopped.best_iteration - opened.num_trees(), 1)
    every = [train_rows, valid_rows] if late_rows is None else [train_rows, late_rows, valid_rows]
    return Grown(grow_again(spec, encoder, pl.concat(every).sort("event_at", "event_id"), rounds), stopped, rounds)


def grow_again(spec: ModelSpec, encoder: Encoder, rows: pl.DataFrame, rounds: int) -> lightgbm.Booster:
    """Trees of all rows, of full size as many as `rounds`; nothing stops them."""
    data = _dataset(encoder, rows)
    opened = _opened(spec, encoder, rows, data)
    return lightgbm.train(_parameters(spec, encoder, {}), data, rounds, init_model=opened)


def _opened(spec: ModelSpec, encoder: Encoder, rows: pl.DataFrame, data: lightgbm.Dataset) -> lightgbm.Booster:
    founded = founding.found(spec, encoder, rows)
    return lightgbm.train(_parameters(spec, encoder, spec.opening), data, spec.opening_rounds, init_model=founded)


def _parameters(spec: ModelSpec, encoder: Encoder, stage: Parameters) -> dict[str, object]:
    return {
        **spec.parameters,
        **stage,
        "monotone_constraints": spec.directions(encoder.columns),
        "seed": spec.seed,
    }


def _dataset(encoder: Encoder, rows: pl.DataFrame, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        encoder.matrix(rows),
        labels_of(rows),
        weight=weights_of(rows),
        reference=reference,
        feature_name=list(encoder.columns),
        categorical_feature=encoder.category_columns,
        # The second stage asks the first what it makes of the rows.
        free_raw_data=False,
    )

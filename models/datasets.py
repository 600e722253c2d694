"""Training sets: vectors with the labels known by a moment, split by time with a gap for late labels.

The matrix is what LightGBM sees: numbers as they are, categories as codes of an `Encoder` learnt from the
training rows only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.served import Served, of_columns
from models import tips
from models.spec import ModelSpec
from warehouse.errors import NotReady

Floats = NDArray[np.float64]

_RARE = 10
"""A category seen in fewer training rows teaches nothing that holds: it shares one code."""
_OTHER = 0.0
_UNSEEN = -1.0
"""Between a category and its code: that there is none."""
_LEAST_PAST = 0.4
"""Share of the days before the test days that even the first of several folds learns from."""


@dataclass(frozen=True)
class Encoder:
    """Column order of the matrix, and the code of each category."""

    numbers: tuple[str, ...]
    codes: Mapping[str, Mapping[str, int]]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.numbers, *self.codes)

    @property
    def category_columns(self) -> list[int]:
        return list(range(len(self.numbers), len(self.columns)))

    def check(self, schema: Mapping[str, pl.DataType]) -> None:
        """Raise `NotReady`, by name, where vectors lack features or hold them as another type than was learnt from."""
        missing = sorted(set(self.columns) - set(schema))
        if missing:
            raise NotReady(f"features {', '.join(missing)} are missing; materialise features again")
        strange = [
            *(f"{name} is {schema[name]} and no number" for name in self.numbers if not _is_number(schema[name])),
            *(f"{name} is {schema[name]} and no text" for name in self.codes if not _is_text(schema[name])),
        ]
        if strange:
            raise NotReady(f"features of another type: {', '.join(strange)}; materialise features again")

    def encode(self, served: Served) -> "Encoded":
        """Vectors as the model sees them.

        Numbers are rounded to single precision: the served vector is stored so, in half the room, and is the very same.
        Raises `NotReady` as `check` does.
        """
        self.check(served.schema)
        return self._encoded(served)

    def matrix(self, vectors: pl.DataFrame) -> Floats:
        """The matrix of `encode` in double precision, of vectors with one column a feature."""
        self.check(vectors.schema)
        served = of_columns(vectors.select(self.columns), self.numbers, tuple(self.codes))
        return self._encoded(served).matrix.astype(np.float64)

    def _encoded(self, served: Served) -> "Encoded":
        matrix = np.empty((len(served), len(self.columns)), dtype=np.float32)
        unseen = np.zeros((len(served), len(self.codes)), dtype=np.bool_)
        with np.errstate(over="ignore"):  # What is beyond single precision is infinite.
            matrix[:, : len(self.numbers)] = served.numbers_of(self.numbers)
        coded = served.categories.select(self._coded(name) for name in self.codes).fill_null(float("nan"))
        for place, codes in enumerate(coded):
            unseen[:, place] = codes.to_numpy() == _UNSEEN
            matrix[:, len(self.numbers) + place] = codes.clip(_OTHER).to_numpy()
        return Encoded(matrix, unseen)

    def _coded(self, name: str) -> pl.Expr:
        value = pl.col(name)
        coded = value.replace_strict(dict(self.codes[name]), default=_UNSEEN, return_dtype=pl.Float32)
        return pl.when(value.is_not_null()).then(coded).alias(name)


@dataclass(frozen=True)
class Encoded:
    """Vectors as a model sees them: a row of each array is an event."""

    matrix: NDArray[np.float32]
    """(events, columns of the encoder), row by row; missing is NaN, a category unseen or rare in training is 0."""
    unseen: NDArray[np.bool_]
    """(events, categories): whether training never saw the category."""


def _is_number(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)


def _is_text(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null)


def learn_encoder(vectors: pl.DataFrame, spec: ModelSpec) -> Encoder:
    """Codes from 1 for the categories of `vectors`, in the order of their text; rare ones share 0."""
    features = spec.features()
    codes: dict[str, dict[str, int]] = {}
    for feature in features:
        if feature.is_category:
            counts = vectors[feature.name].drop_nulls().value_counts()
            frequent = counts.filter(pl.col("count") >= _RARE)[feature.name].sort()
            rare = counts.filter(pl.col("count") < _RARE)[feature.name]
            codes[feature.name] = {value: code for code, value in enumerate(frequent, start=1)}
            codes[feature.name].update(dict.fromkeys(sorted(rare), int(_OTHER)))
    return Encoder(tuple(f.name for f in features if not f.is_category), codes)


@dataclass(frozen=True)
class Split:
    """Labelled vectors by time. Nothing in `train` was labelled after `valid` begins, nor in `valid` after `test`.

    Rows to learn from have a `weight` where tips brought some about (`models.tips`); no tip brought about those that
    judge, but where an agency acts on tips alone.
    """

    train: pl.DataFrame
    late: pl.DataFrame
    """As old as `train`, but labelled while `valid` lasted."""
    valid: pl.DataFrame
    test: pl.DataFrame
    valid_from: datetime
    test_from: datetime

    @property
    def learnt(self) -> pl.DataFrame:
        """Every row that a model has seen when it meets the test days."""
        return pl.concat([self.train, self.late, self.valid]).sort("event_at", "event_id")


def split_by_time(labelled: pl.DataFrame, spec: ModelSpec) -> Split:
    """Split vectors with `event_at`, `label_known_at` and `is_adverse` where the shares of the spec lie.

    Raises `NotReady` when a part has no rows or only one class.
    """
    if labelled.is_empty():
        raise NotReady(f"{spec.name}: no outcome is known yet; land outcomes (inspections, findings) first")
    test_from = _quantile(labelled, 1 - spec.test_share)
    return _split(labelled, spec, _quantile(labelled, 1 - spec.test_share - spec.valid_share), test_from)


def folds_by_time(labelled: pl.DataFrame, spec: ModelSpec, count: int) -> list[Split]:
    """Splits that move on in time, each judged on the block after the one it stops by, all of them before the test days
    of `split_by_time`, of which nothing is in any: neither events nor outcomes that became known in them.

    Raises `NotReady` when a part of one has no rows or only one class.
    """
    if labelled.is_empty():
        raise NotReady(f"{spec.name}: no outcome is known yet; land outcomes (inspections, findings) first")
    kept_apart = _quantile(labelled, 1 - spec.test_share)
    past = labelled.filter((pl.col("event_at") < kept_apart) & (pl.col("label_known_at") < kept_apart))
    blocks = count + 1
    cuts = [_quantile(past, _LEAST_PAST + (1 - _LEAST_PAST) * block / blocks) for block in range(blocks)]
    ends = [*cuts, kept_apart]
    return [
        _split(past.filter(pl.col("event_at") < until), spec, valid_from, test_from)
        for valid_from, test_from, until in zip(ends, ends[1:], ends[2:], strict=False)
    ]


def _split(labelled: pl.DataFrame, spec: ModelSpec, valid_from: datetime, test_from: datetime) -> Split:
    at, known = pl.col("event_at"), pl.col("label_known_at")
    train = labelled.filter((at < valid_from) & (known < valid_from))
    share = tips.share_told(train)
    split = Split(
        train=tips.evened(train, share),
        late=tips.evened(labelled.filter((at < valid_from) & (known >= valid_from) & (known < test_from)), share),
        valid=tips.evened(labelled.filter((at >= valid_from) & (at < test_from) & (known < test_from)), share),
        test=tips.judging(labelled.filter(at >= test_from), train),
        valid_from=valid_from,
        test_from=test_from,
    )
    for part, rows in (("training", split.train), ("validation", split.valid), ("test", split.test)):
        if rows["is_adverse"].n_unique() < 2:
            raise NotReady(
                f"{spec.name}: the {part} days hold {rows.height} outcomes of one kind; both kinds are needed. "
                "Land more days, or outcomes reported later"
            )
    return split


def with_labels(vectors: pl.DataFrame, outcomes: pl.DataFrame, known_by: datetime) -> pl.DataFrame:
    """Vectors of the events that have an outcome known by `known_by`, as it stood then."""
    labels = (
        # Of two reported at once the adverse one counts, whatever their order in the table.
        _standing(outcomes, known_by)
        .sort("known_at", "is_adverse")
        .unique("subject_id", keep="last", maintain_order=True)
        .select(
            "subject_id",
            "is_adverse",
            "selection",
            "selection_probability",
            *_amounts(outcomes),
            label_known_at="known_at",
        )
    )
    return vectors.join(labels, left_on="event_id", right_on="subject_id", how="inner").sort("event_at", "event_id")


def without_labels(vectors: pl.DataFrame, outcomes: pl.DataFrame, known_by: datetime) -> pl.DataFrame:
    """The others: vectors of the events of which no outcome was known by `known_by`."""
    labelled = _standing(outcomes, known_by)
    return vectors.join(labelled, left_on="event_id", right_on="subject_id", how="anti").sort("event_at", "event_id")


def _standing(outcomes: pl.DataFrame, known_by: datetime) -> pl.DataFrame:
    """Outcomes as they stood at a moment."""
    return outcomes.filter(
        (pl.col("known_at") <= known_by) & (pl.col("superseded_at").is_null() | (pl.col("superseded_at") > known_by))
    )


def _amounts(outcomes: pl.DataFrame) -> list[pl.Expr]:
    """What was recovered, where outcomes tell it."""
    if "additional_duty" not in outcomes.columns:
        return []
    return [pl.col("additional_duty").cast(pl.Float64).alias("recovered"), pl.col("currency").alias("recovered_in")]


def labels_of(rows: pl.DataFrame) -> Floats:
    """1.0 where the outcome was adverse."""
    return rows["is_adverse"].cast(pl.Float64).to_numpy()


def _quantile(labelled: pl.DataFrame, share: float) -> datetime:
    """The midnight nearest after the moment by which `share` of the labelled events had happened."""
    moment = labelled["event_at"].quantile(share, interpolation="nearest")
    assert isinstance(moment, datetime)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def weights_of(rows: pl.DataFrame) -> Floats | None:
    """How many rows each row stands for, where rows have a `weight`; None where all stand for themselves."""
    return rows["weight"].to_numpy() if "weight" in rows.columns else None

"""Training: from labelled vectors to a fitted, calibrated and evaluated model. No registry, no IO."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import lightgbm
import numpy as np
import polars as pl

from models import abstention, calibration, evaluation
from models.abstention import Ground
from models.calibration import Calibrator
from models.datasets import Encoder, Floats, Split, labels_of, learn_encoder, split_by_time, weights_of
from models.evaluation import Figure
from models.spec import ModelSpec
from warehouse.errors import BorderlakeError


@dataclass(frozen=True)
class Bundle:
    """Everything beside the trees that scoring needs, as plain JSON."""

    model_name: str
    spec_digest: str
    encoder: Encoder
    calibrator: Calibrator
    usual: Mapping[str, tuple[float, float]]
    """Quartiles of each number in the training rows: what is usual."""
    trained_until: datetime
    """Events from here on were never seen by the model."""
    jurisdictions: tuple[str, ...]
    """Where the training rows come from: elsewhere the model has no ground to stand on."""
    ground: Ground
    """What tells the events that it has no ground to judge."""

    def to_json(self) -> str:
        return json.dumps(
            {
                "model_name": self.model_name,
                "spec_digest": self.spec_digest,
                "numbers": self.encoder.numbers,
                # Pairs, not an object: their order is the order of the model's columns.
                "codes": [[name, dict(codes)] for name, codes in self.encoder.codes.items()],
                "calibrator": asdict(self.calibrator),
                "usual": self.usual,
                "trained_until": self.trained_until.isoformat(),
                "jurisdictions": self.jurisdictions,
                # A model of before there were any keeps the text, and so the hash, that it was registered with.
                **({} if self.ground == Ground() else {"ground": self.ground.to_dict()}),
            },
            sort_keys=True,
        )

    @staticmethod
    def from_json(text: str) -> "Bundle":
        stored = json.loads(text)
        return Bundle(
            model_name=stored["model_name"],
            spec_digest=stored["spec_digest"],
            encoder=Encoder(tuple(stored["numbers"]), dict(stored["codes"])),
            calibrator=Calibrator(**stored["calibrator"]),
            usual={name: (low, high) for name, (low, high) in stored["usual"].items()},
            trained_until=datetime.fromisoformat(stored["trained_until"]),
            jurisdictions=tuple(stored["jurisdictions"]),
            ground=Ground.from_dict(stored["ground"]) if "ground" in stored else Ground(),
        )


@dataclass(frozen=True)
class Model:
    """A model ready to score: LightGBM's text, its hash, and the bundle beside it."""

    text: str
    bundle: Bundle

    @property
    def sha256(self) -> str:
        """Of the text and the bundle together: a changed calibrator is a changed model."""
        return fingerprint(self.text.encode(), self.bundle.to_json().encode())

    def booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_str=self.text)

    def raw_scores(self, matrix: Floats) -> Floats:
        """Log-odds before calibration, one a row."""
        scores: Floats = np.asarray(self.booster().predict(matrix, raw_score=True), dtype=np.float64)
        return scores


def fingerprint(text: bytes, bundle: bytes) -> str:
    """Hash of a model's two files as they lie on disk."""
    return hashlib.sha256(text + b"\x1f" + bundle).hexdigest()


@dataclass(frozen=True)
class Trained:
    """A model and the evidence for it, all measured on days it never saw."""

    spec: ModelSpec
    model: Model
    figures: Mapping[str, Figure]
    reliability: list[Mapping[str, float]]
    importance: Mapping[str, float]
    """Share of the total gain of each feature."""
    rows: Mapping[str, int]
    trees: int
    split: Split


def train(spec: ModelSpec, labelled: pl.DataFrame) -> Trained:
    """Fit on the early days, choose rounds and calibrate on the middle ones, judge on the last.

    `labelled` is what `models.datasets.with_labels` returns. Raises `NotReady` where labels do not suffice.
    """
    split = split_by_time(labelled, spec)
    encoder = learn_encoder(split.train, spec)
    booster = fit(spec, encoder, split.train, split.valid)
    valid_raw = _raw(booster, encoder, split.valid)
    calibrator = calibration.fit(valid_raw, labels_of(split.valid))
    bundle = Bundle(
        spec.name,
        spec.digest,
        encoder,
        calibrator,
        usual(split.train, encoder),
        split.test_from,
        tuple(split.train["jurisdiction"].unique().sort()),
        abstention.learn(split.train, encoder, spec.history),
    )
    model = Model(booster.model_to_string(), bundle)
    labels = labels_of(split.test)
    probabilities = calibrator.probability(model.raw_scores(encoder.matrix(split.test)))
    return Trained(
        spec=spec,
        model=model,
        figures=evaluation.with_intervals(labels, probabilities, seed=spec.seed),
        reliability=evaluation.reliability(labels, probabilities),
        importance=_importance(booster),
        rows={"train": split.train.height, "valid": split.valid.height, "test": split.test.height},
        # Of the text: the booster in memory also holds the trees that early stopping gave up.
        trees=model.booster().num_trees(),
        split=split,
    )


def fit(spec: ModelSpec, encoder: Encoder, train_rows: pl.DataFrame, valid_rows: pl.DataFrame) -> lightgbm.Booster:
    """Boosted trees with native categoricals, stopped when the validation days no longer gain.

    Rows count by their `weight`, where they have one.
    """
    columns = list(encoder.columns)
    _refuse_empty(train_rows, encoder)
    data = lightgbm.Dataset(
        encoder.matrix(train_rows),
        labels_of(train_rows),
        weight=weights_of(train_rows),
        feature_name=columns,
        categorical_feature=encoder.category_columns,
        free_raw_data=False,
    )
    valid = lightgbm.Dataset(
        encoder.matrix(valid_rows),
        labels_of(valid_rows),
        weight=weights_of(valid_rows),
        reference=data,
        feature_name=columns,
        free_raw_data=False,
    )
    stop = lightgbm.early_stopping(spec.patience, verbose=False)
    return lightgbm.train(
        {**spec.parameters, "seed": spec.seed}, data, spec.rounds, valid_sets=[valid], callbacks=[stop]
    )


def usual(rows: pl.DataFrame, encoder: Encoder) -> dict[str, tuple[float, float]]:
    """Quartiles of every number that has values."""
    quartiles: dict[str, tuple[float, float]] = {}
    for name in encoder.numbers:
        low, high = rows[name].quantile(0.25), rows[name].quantile(0.75)
        if low is not None and high is not None:
            quartiles[name] = (float(low), float(high))
    return quartiles


def _raw(booster: lightgbm.Booster, encoder: Encoder, rows: pl.DataFrame) -> Floats:
    scores: Floats = np.asarray(booster.predict(encoder.matrix(rows), raw_score=True), dtype=np.float64)
    return scores


def _refuse_empty(rows: pl.DataFrame, encoder: Encoder) -> None:
    if all(rows[name].is_null().all() for name in encoder.columns):
        raise BorderlakeError("every feature of the training rows is missing; compute features before training")


def _importance(booster: lightgbm.Booster) -> dict[str, float]:
    gains = booster.feature_importance(importance_type="gain")
    total = float(gains.sum()) or 1.0
    ranked = sorted(zip(booster.feature_name(), gains, strict=True), key=lambda pair: -pair[1])
    return {name: float(gain) / total for name, gain in ranked}

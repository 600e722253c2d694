"""Training: from labelled vectors to a fitted, calibrated and evaluated model. No registry, no IO."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property

import lightgbm
import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from models import abstention, evaluation, prediction, recovery, slices, tips, twins
from models.abstention import Ground
from models.calibrating import calibrate
from models.calibration import Calibrator
from models.datasets import Encoder, Floats, Split, labels_of, learn_encoder, split_by_time
from models.evaluation import Figure
from models.growing import grow
from models.leaves import Leaves
from models.recovery import Recovery
from models.signs import Taught, teach
from models.slices import Slice
from models.spec import ModelSpec
from models.twins import Twins
from models.usual import KINDS, Usual
from models.usual import learn as learn_usual
from warehouse.errors import NotReady


@dataclass(frozen=True)
class Bundle:
    """Everything beside the trees that scoring needs, as plain JSON."""

    model_name: str
    spec_digest: str
    encoder: Encoder
    calibrator: Calibrator
    usual: Usual
    """What the training rows hold: quartiles, also among events of a kind."""
    trained_until: datetime
    """Events from here on were never seen by the model."""
    jurisdictions: tuple[str, ...]
    """Where the training rows come from: elsewhere the model has no ground to stand on."""
    ground: Ground
    """What tells the events that it has no ground to judge."""
    recovery: Recovery | None = None
    """What an adverse outcome is expected to bring; None where outcomes tell no amounts."""

    def to_json(self) -> str:
        return json.dumps(
            {
                "model_name": self.model_name,
                "spec_digest": self.spec_digest,
                "numbers": self.encoder.numbers,
                # Pairs, not an object: their order is the order of the model's columns.
                "codes": [[name, dict(codes)] for name, codes in self.encoder.codes.items()],
                "calibrator": asdict(self.calibrator),
                "usual": asdict(self.usual),
                "trained_until": self.trained_until.isoformat(),
                "jurisdictions": self.jurisdictions,
                "recovery": None if self.recovery is None else asdict(self.recovery),
                "ground": self.ground.to_dict(),
            },
            sort_keys=True,
        )

    @staticmethod
    def from_json(text: str) -> "Bundle":
        """Raises `NotReady` for what another release wrote."""
        stored = json.loads(text)
        try:
            return Bundle(
                model_name=stored["model_name"],
                spec_digest=stored["spec_digest"],
                encoder=Encoder(tuple(stored["numbers"]), dict(stored["codes"])),
                calibrator=Calibrator(**stored["calibrator"]),
                usual=Usual.of(stored["usual"]),
                trained_until=datetime.fromisoformat(stored["trained_until"]),
                jurisdictions=tuple(stored["jurisdictions"]),
                ground=Ground.from_dict(stored["ground"]),
                recovery=Recovery.of(stored["recovery"]),
            )
        except KeyError as error:
            raise NotReady(
                f"the model's bundle lacks {error}: it was written by another release; train the model again"
            ) from None


@dataclass(frozen=True)
class Model:
    """A model ready to score: LightGBM's text, its hash, and the bundle beside it."""

    text: str
    bundle: Bundle

    @cached_property
    def sha256(self) -> str:
        """Of the text and the bundle together: a changed calibrator is a changed model."""
        return fingerprint(self.text.encode(), self.bundle.to_json().encode())

    @cached_property
    def _booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_str=self.text)

    def booster(self) -> lightgbm.Booster:
        """The trees, read once."""
        return self._booster

    @cached_property
    def _leaves(self) -> Leaves:
        return Leaves.of(self._booster)

    def raw_scores(self, matrix: Floats | NDArray[np.float32]) -> Floats:
        """Log-odds before calibration, one a row."""
        return self._leaves.raw_scores(matrix)


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
    twins: Twins
    """Test rows that have a near-identical row in training, and the figures without them."""
    slices: Sequence[Slice]
    """How the model does for parts of the test rows, and whether its errors fall on some more than on others."""
    revenue: Mapping[str, Figure]
    """Share of what came in that the highest ranks hold, by probability and by expected recovery; empty where outcomes
    tell no amounts."""
    taught: Taught
    """What signs taught the trees beside the outcomes; nothing in it was stopped, calibrated or judged by."""


def train(spec: ModelSpec, labelled: pl.DataFrame, unlabelled: pl.DataFrame | None = None) -> Trained:
    """Grow on the early days, choose rounds on the middle ones, grow again on both and calibrate, judge on the last.

    `labelled` and `unlabelled` are what `models.datasets.with_labels` and `without_labels` return; of the latter (all,
    or those that bear a sign) trees learn what the spec's signs say. Raises `NotReady` where labels do not suffice.
    """
    # A number that is none is missing: quartiles and ranges would take it for the greatest of all.
    split = split_by_time(labelled.with_columns(cs.float().fill_nan(None)), spec)
    taught = teach(spec, split.train, unlabelled, split.test_from)
    model, booster = _fitted(spec, split, taught)
    return _judged(spec, model, split, taught, _importance(booster))


def _judged(spec: ModelSpec, model: Model, split: Split, taught: Taught, importance: Mapping[str, float]) -> Trained:
    """The model with what the test days say of it."""
    test, labels = split.test, labels_of(split.test)
    matrix = model.bundle.encoder.matrix(test)
    probabilities = model.bundle.calibrator.probability(model.raw_scores(matrix))
    return Trained(
        spec=spec,
        model=model,
        figures=evaluation.with_intervals(labels, probabilities, seed=spec.seed),
        reliability=evaluation.reliability(labels, probabilities),
        importance=importance,
        rows={"train": split.train.height, "valid": split.valid.height, "test": test.height},
        # Of the text: the booster in memory also holds the trees that early stopping gave up.
        trees=model.booster().num_trees(),
        split=split,
        twins=twins.gate(split.learnt, test, spec.own_features(), labels, probabilities, spec.seed),
        slices=slices.slices(spec.subject, test, labels, probabilities, spec.seed),
        revenue=_revenue(model.bundle.recovery, test, labels, matrix, probabilities, spec.seed),
        taught=taught,
    )


def fit_again(trained: Trained) -> Model:
    """A second training on the same rows, as if there had been no first: the same to the last bit, or a finding."""
    return _fitted(trained.spec, trained.split, trained.taught)[0]


def _fitted(spec: ModelSpec, split: Split, taught: Taught) -> tuple[Model, lightgbm.Booster]:
    """Everything of a training but what judges it."""
    encoder = learn_encoder(split.train, spec)
    learnt = taught.beside(split.train, split.valid, split.late, split.valid_from)
    grown = grow(spec, encoder, *learnt)
    calibrator = calibrate(spec, encoder, grown, *learnt)
    bundle = Bundle(
        spec.name,
        spec.digest,
        encoder,
        calibrator,
        learn_usual(split.train, encoder.numbers, spec.own_numbers(), KINDS[spec.subject]),
        split.test_from,
        tuple(split.train["jurisdiction"].unique().sort()),
        abstention.learn(split.train, encoder, spec.history),
        _recovery(spec, split, encoder, grown.stopped, calibrator),
    )
    return Model(grown.booster.model_to_string(), bundle), grown.booster


def _recovery(
    spec: ModelSpec, split: Split, encoder: Encoder, booster: lightgbm.Booster, calibrator: Calibrator
) -> Recovery | None:
    currency = recovery.currency_of(split.train)
    if currency is None:
        return None
    train, valid = (
        recovery.Amounts(
            encoder.matrix(rows),
            recovery.amounts_of(rows, currency),
            calibrator.probability(_raw(booster, encoder, rows)),
        )
        # What tips bring in is not what these probabilities are of.
        for rows in (split.train, tips.by_chance(split.valid))
    )
    return recovery.fit(spec, currency, encoder.category_columns, train, valid)


def _revenue(
    expected: Recovery | None, test: pl.DataFrame, labels: Floats, matrix: Floats, probabilities: Floats, seed: int
) -> Mapping[str, Figure]:
    if expected is None:
        return {}
    ways = {"probability": probabilities, "recovery": expected.expected(matrix, probabilities)}
    return recovery.figures(labels, recovery.amounts_of(test, expected.currency), ways, seed)


def _raw(booster: lightgbm.Booster, encoder: Encoder, rows: pl.DataFrame) -> Floats:
    return prediction.raw_scores(booster, encoder.matrix(rows))


def _importance(booster: lightgbm.Booster) -> dict[str, float]:
    gains = booster.feature_importance(importance_type="gain")
    total = float(gains.sum()) or 1.0
    ranked = sorted(zip(booster.feature_name(), gains, strict=True), key=lambda pair: -pair[1])
    return {name: float(gain) / total for name, gain in ranked}

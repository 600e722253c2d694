"""Model specs: frozen values that say everything a training run needs besides the data."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from features.terms import ORDINARY, Terms
from features.vectors import subject_of
from features.views import Feature, Where
from warehouse.contracts.base import Purpose
from warehouse.errors import BorderlakeError, UnknownName

SEED = 20_260_101
Parameters = Mapping[str, float | int | str | bool]
"""As LightGBM names them."""
ANYWHERE = "ZZ"
"""A jurisdiction with no terms of its own; ISO 3166-1 gives the code to no country."""


@dataclass(frozen=True)
class Sign:
    """What stands in for an adverse outcome where nobody looked (`models.signs`): features that say so themselves."""

    name: str
    said: str
    """In words, as a reader of the model card is told."""
    ways: tuple[tuple[Where, ...], ...]
    """It holds of an event in any of these ways, each of conditions that its features must all meet. They are weighed
    together, since few events of a kind are inspected."""
    least: float = 0.3
    """Weight below which it teaches nothing: of too few inspected events, or of too few that proved adverse."""
    share: float = 1.0
    """Share of its weight that each event counts. Less than 1 where their like were looked at by lot alone: beside few
    outcomes many taught events make all that resembles them seem risky."""

    def columns(self) -> frozenset[str]:
        """The features it rests on."""
        return frozenset(one.column for way in self.ways for one in way)


@dataclass(frozen=True)
class Record:
    """Whose own past findings growing starts from (`models.founding`)."""

    rate: str
    """The feature that tells them: a rate drawn toward that of all, so that who has no past has the usual one."""
    where: tuple[Where, ...] = ()
    """Whose record speaks: what features of the event must meet."""

    def columns(self) -> frozenset[str]:
        """The features it rests on."""
        return frozenset({self.rate, *(one.column for one in self.where)})


@dataclass(frozen=True)
class ModelSpec:
    """A risk model: what it scores, for which purpose, from which features, with which parameters.

    Features are asked of the registry by purpose, never by hand; `without` leaves some out, each for a reason
    given where the spec is declared.
    """

    name: str
    title: str
    subject: str
    outcome: str
    """`subject_kind` of the outcomes that label it."""
    purpose: Purpose
    terms: Terms = ORDINARY
    """What the jurisdictions of the deployment allow."""
    jurisdictions: tuple[str, ...] = (ANYWHERE,)
    """Whose events it learns from and scores: it is given only what may be used in each of them."""
    without: frozenset[str] = frozenset()
    history: tuple[str, ...] = ()
    """Features that are all missing where nobody of the event was ever seen before: it then has no past to judge by."""
    rising: frozenset[str] = frozenset()
    """Numbers whose growth never lowers the score, all else equal: what an officer would take for a fault of the model
    where it did. Those that the jurisdictions do not allow are left aside with the rest."""
    signs: tuple[Sign, ...] = ()
    """Where one holds of an event that nobody looked at, it is learnt from as adverse, for as much as the sign proved
    right where they looked. Those that rest on features it is not given are left aside."""
    record: Record | None = None
    """Whose past findings the first tree tells, before there are others. Left aside if it rests on a feature that it is
    not given."""
    parameters: Parameters = field(default_factory=dict)
    opening: Parameters = field(default_factory=dict)
    """What is otherwise of the first trees, `opening_rounds` of them; `parameters` grow the rest."""
    opening_rounds: int = 150
    rounds: int = 600
    patience: int = 50
    seed: int = SEED
    valid_share: float = 0.25
    """Share of the labelled events, before the test days, on which rounds are chosen (and calibration, where
    they hold finds enough: `models.calibrating`)."""
    test_share: float = 0.2
    """Share of the labelled events, the latest, that only judge."""

    def features(self) -> tuple[Feature, ...]:
        """The features that may serve the purpose in every jurisdiction and are not left out, in registry order."""
        registry = subject_of(self.subject, self.terms).registry
        allowed = [registry.for_model(self.purpose, jurisdiction) for jurisdiction in self.jurisdictions]
        everywhere = set.intersection(*(set(features) for features in allowed)) if allowed else set()
        return tuple(one for one in registry.features.values() if one in everywhere and one.name not in self.without)

    def own_features(self) -> tuple[Feature, ...]:
        """Those that the event says of itself, but for the hour and the day on which it says them."""
        registry = subject_of(self.subject, self.terms).registry
        return tuple(
            one for one in self.features() if registry.view_of(one.name) is None and one.unit not in ("hour", "day")
        )

    def own_numbers(self) -> tuple[str, ...]:
        """Names of those that are numbers."""
        return tuple(one.name for one in self.own_features() if not one.is_category)

    def directions(self, columns: Sequence[str]) -> list[int]:
        """In the order of a model's columns: 1 where growth may never lower the score, 0 where it may.

        Raises on a rising name that is no number of the subject.
        """
        declared = subject_of(self.subject, self.terms).registry.features
        for name in sorted(self.rising):
            if name not in declared:
                raise UnknownName("feature", name, list(declared))
            if declared[name].is_category:
                raise BorderlakeError(f"{self.name}: {name} is a category, which does not grow: no `rising` one")
        return [int(name in self.rising) for name in columns]

    def signs_given(self) -> tuple[Sign, ...]:
        """The signs that rest on features it is given; raises `UnknownName` for a feature that the subject has not."""
        return tuple(sign for sign in self.signs if self._is_given(sign.columns()))

    def record_given(self) -> Record | None:
        """The record, if it rests on features it is given; raises `UnknownName` for one that the subject has not."""
        return self.record if self.record is not None and self._is_given(self.record.columns()) else None

    def _is_given(self, columns: frozenset[str]) -> bool:
        declared = subject_of(self.subject, self.terms).registry.features
        for name in sorted(columns):
            if name not in declared:
                raise UnknownName("feature", name, list(declared))
        return columns <= {feature.name for feature in self.features()}

    @property
    def digest(self) -> str:
        """Names the spec in the registry of models: equal specs, equal digest."""
        names = {"without": sorted(self.without), "rising": sorted(self.rising)}
        content = {**asdict(self), **names, "features": [f.name for f in self.features()]}
        # Where it serves tells in the features that may be used there; what it abstains for changes no score.
        for name in ("terms", "jurisdictions", "history"):
            content.pop(name)
        # So that a spec without them keeps the name it had before there were any.
        for name in ("signs", "record"):
            if not content[name]:
                content.pop(name)
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=dict).encode()).hexdigest()[:16]


BASE_PARAMETERS: Parameters = {
    "objective": "binary",
    "metric": "binary_logloss",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "cat_smooth": 50.0,
    "cat_l2": 50.0,
    # What has a handful of values (a direction, a mode) is split value by value, without the shrinking that rare
    # codes need.
    "max_cat_to_onehot": 6,
    "min_data_per_group": 100,
    # The same data gives the same model, whatever the number of threads.
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "verbosity": -1,
}

OPENING_PARAMETERS: Parameters = {
    "extra_trees": True,
    "num_leaves": 5,
    "learning_rate": 0.06,
}
"""Small trees whose thresholds are drawn: they find what many rows say and pass over what a few do."""

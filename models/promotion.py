"""The gate between challenger and champion: rules, each with its figures, and the verdict they give. No IO.

A new version is judged on the days that it kept apart, and only on those after what the champion has learnt from.
There both rank the same rows as offices declare it (`models.found`), and every difference is taken draw by draw of one
bootstrap, so that noise that both share cancels out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import polars as pl

from models import datasets, found
from models.capacity import Capacities
from models.evaluation import Figure, Floats, Rows, interval, paired_gain, resamples
from models.found import Brought
from models.ranking import Ordering
from models.training import Model, Trained
from models.twins import ENOUGH_ALONE, Twins

ENOUGH_ADVERSE: Final = 25
"""Adverse outcomes of the judged days from which a verdict is more than chance."""
SLOPE: Final = (0.9, 1.1)
"""Calibration slopes that count as calibrated; the figure's interval must reach in."""
FLATTERY_BOUND: Final = 0.05
"""How much of its area under the ROC curve may rest on judged rows that training has seen almost the same, beyond
noise. Commuters and repeat orders are twins by nature and are ranked more easily; what is remembered gives far more."""
SLICE_BOUND: Final = 0.02
"""How much of its area under the ROC curve a slice may lose, beyond noise."""
ENOUGH_OF_SLICE: Final = 10
"""Adverse outcomes, and harmless ones, from which a slice is judged."""
USUAL_CAPACITY: Final = 0.05
"""Share of events that can be looked at, where capacities are given in numbers and not in shares."""
REPEATS: Final = 200
_UNDECLARED: Final = Capacities()
"""Every office ranks by probability."""

SLICES: Final[Mapping[str, tuple[str, ...]]] = {
    "shipments": ("location", "transport_mode"),
    "crossings": ("location", "mode"),
}
"""Columns whose values are the slices of a subject: the office or crossing point, and the mode of transport."""

RULES: Final[Mapping[str, str]] = {
    "enough_labels": f"the judged days hold at least {ENOUGH_ADVERSE} adverse outcomes, and as many harmless ones",
    "better": "it finds more than the champion at the capacity that is there, beyond noise: hits, money or both, by "
    "what offices declare to rank by",
    "calibrated": f"the interval of its calibration slope reaches into {SLOPE[0]} to {SLOPE[1]}",
    "twins": "without the judged rows that have a near-identical training row it still beats chance, and no more than "
    f"{FLATTERY_BOUND} of AUC is lost with them, beyond noise",
    "no_slice_worse": f"no office and no mode loses more than {SLICE_BOUND} of AUC to the champion, beyond noise",
    "reproducible": "trained again on the same rows it is the same to the last bit",
}
"""What each rule asks."""


@dataclass(frozen=True)
class Rule:
    """One rule of the gate: whether it is met, in words an analyst reads, with the figures behind them."""

    name: str
    passed: bool
    said: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Slice:
    """A slice of the judged rows: how the new version ranks within it, and what it gains on the champion."""

    column: str
    value: str
    rows: int
    adverse: int
    auc: float
    gain: Figure | None
    """Of AUC on the champion; none where there is no champion that can judge these rows."""
    is_worse: bool


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a version."""

    rules: Sequence[Rule]
    slices: Sequence[Slice]
    against: int | None
    """Version of the champion that it was held against; none where there is none that can score these rows."""
    capacity: float
    """Share of events that can be looked at."""

    @property
    def passed(self) -> bool:
        return all(rule.passed for rule in self.rules)

    @property
    def failed(self) -> list[str]:
        """Names of the rules that are not met."""
        return [rule.name for rule in self.rules if not rule.passed]

    def rule(self, name: str) -> Rule:
        """One rule by its name."""
        return next(one for one in self.rules if one.name == name)

    def to_json(self) -> str:
        return json.dumps({"passed": self.passed, **asdict(self)}, indent=2, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> "Verdict":
        stored = json.loads(text)
        return Verdict(
            rules=[Rule(**rule) for rule in stored["rules"]],
            slices=[
                Slice(**{**one, "gain": None if one["gain"] is None else Figure(**one["gain"])})
                for one in stored["slices"]
            ],
            against=stored["against"],
            capacity=stored["capacity"],
        )


@dataclass(frozen=True)
class Rival:
    """The champion, as the gate meets it."""

    version: int
    model: Model
    is_proven: bool
    """Whether it passed the gate itself; one that did not only holds the place until one comes that does."""

    def can_judge(self, rows: pl.DataFrame) -> bool:
        """Whether the rows have every feature it asks for: with other features it cannot score new events either."""
        return set(self.model.bundle.encoder.columns) <= set(rows.columns)


def judge(
    trained: Trained, again: Model, champion: Rival | None, capacity: float, declared: Capacities = _UNDECLARED
) -> Verdict:
    """The verdict on a trained version; `again` is a second training of the same, `capacity` a share of events, and
    `declared` tells what each office ranks by."""
    rival = champion if champion is not None and champion.can_judge(trained.split.test) else None
    rows = trained.split.test
    if rival is not None:
        rows = rows.filter(pl.col("event_at") >= pl.lit(rival.model.bundle.trained_until))
    labels, ours = datasets.labels_of(rows), _probabilities(trained.model, rows)
    theirs = None if rival is None else _probabilities(rival.model, rows)
    seed = trained.spec.seed
    slices = slices_of(rows, SLICES[trained.spec.subject], labels, ours, theirs, seed)
    rules = [
        _enough(labels),
        _better(trained, rows, rival, capacity, declared),
        _calibrated(trained),
        _holds_without_twins(trained.twins),
        _no_slice_worse(slices),
        _reproducible(trained.model, again),
    ]
    return Verdict(rules, slices, None if rival is None else rival.version, capacity)


def _probabilities(model: Model, rows: pl.DataFrame) -> Floats:
    return model.bundle.calibrator.probability(model.raw_scores(model.bundle.encoder.matrix(rows)))


def _both(labels: Floats, least: int = 1) -> bool:
    return min(float(labels.sum()), float((1 - labels).sum())) >= least


def _enough(labels: Floats) -> Rule:
    adverse, harmless = int(labels.sum()), int((1 - labels).sum())
    said = f"{adverse:,} adverse and {harmless:,} harmless outcomes in the judged days; asked: {ENOUGH_ADVERSE} of each"
    figures = {"adverse": float(adverse), "harmless": float(harmless)}
    return Rule("enough_labels", _both(labels, ENOUGH_ADVERSE), said, figures)


def _better(trained: Trained, rows: pl.DataFrame, rival: Rival | None, capacity: float, declared: Capacities) -> Rule:
    if rival is None:
        auc = trained.figures["auc"]
        said = f"there is no champion to hold it against, but chance: AUC {_interval(auc)}; asked: low end above 0.5"
        return Rule("better", auc.low > 0.5, said, {"auc": auc.value, "auc_low": auc.low})
    if not _both(datasets.labels_of(rows)):
        return Rule("better", False, "the days that both have not learnt from hold outcomes of one kind only", {})
    amounts = trained.model.bundle.recovery or rival.model.bundle.recovery
    came = found.brought(rows, declared, None if amounts is None else amounts.currency)
    ours, theirs = (found.standing(model, rows, came.weight) for model in (trained.model, rival.model))

    def measure(drawn: Rows, standing: Floats) -> float:
        return came.found(drawn, standing, capacity)

    gain = paired_gain(came.labels, ours, theirs, measure, seed=trained.spec.seed, repeats=REPEATS)
    own, of_champion = (measure(np.arange(rows.height), one) for one in (ours, theirs))
    said = (
        f"of {_counted_in(came)} it finds {own:.1%} in the first {capacity:.1%}, version {rival.version} finds "
        f"{of_champion:.1%}: gain {_interval(gain)}"
    )
    figures = {"found": own, "found_by_champion": of_champion}
    figures |= {"gain": gain.value, "gain_low": gain.low, "gain_high": gain.high}
    if rival.is_proven:
        return Rule("better", gain.low > 0, f"{said}; asked: low end above 0", figures)
    said = (
        f"{said}; asked: 0 or more, for the champion has not passed the gate itself and need not be beaten beyond noise"
    )
    return Rule("better", gain.value >= 0, said, figures)


def _counted_in(came: Brought) -> str:
    """What is found, in words."""
    if came.currency is None:
        unknown = " (offices rank by money, and no amounts are known)" if came.is_without_amounts else ""
        return f"all adverse outcomes{unknown}"
    if not came.weight.any():
        return f"all {came.currency} that came in"
    return f"all adverse outcomes and all {came.currency} that came in, weighed as offices declare,"


def _calibrated(trained: Trained) -> Rule:
    slope = trained.figures["calibration_slope"]
    passed = slope.low <= SLOPE[1] and slope.high >= SLOPE[0]
    said = f"calibration slope {_interval(slope)}; asked: that this reaches into {SLOPE[0]} to {SLOPE[1]}"
    return Rule("calibrated", passed, said, {"slope": slope.value, "slope_low": slope.low, "slope_high": slope.high})


def _holds_without_twins(twins: Twins) -> Rule:
    figures = {"with_twin": float(twins.with_twin), "share": twins.share}
    said = (
        f"{twins.with_twin:,} of {twins.rows:,} judged rows have a near-identical training row"
        if twins.with_twin
        else f"none of {twins.rows:,} judged rows has a near-identical training row"
    )
    if not twins.with_twin:
        return Rule("twins", True, said, figures)
    if twins.flattery is None:
        said = f"{said}; the others hold fewer than {ENOUGH_ALONE} outcomes of a kind: nothing says that it has learnt"
        return Rule("twins", False, said, figures)
    alone, flattery = twins.without["auc"], twins.flattery
    figures |= {"auc_without": alone.value, "auc_without_low": alone.low}
    figures |= {"flattery": flattery.value, "flattery_low": flattery.low, "flattery_high": flattery.high}
    said = (
        f"{said}; AUC without them {_interval(alone)} (asked: low end above 0.5); with them it is higher by "
        f"{_interval(flattery)} (asked: low end at most {FLATTERY_BOUND})"
    )
    return Rule("twins", alone.low > 0.5 and flattery.low <= FLATTERY_BOUND, said, figures)


def slices_of(
    rows: pl.DataFrame, columns: Sequence[str], labels: Floats, ours: Floats, theirs: Floats | None, seed: int
) -> list[Slice]:
    """Every slice with enough outcomes of both kinds, largest first within its column."""
    found = []
    for column in columns:
        values = rows[column].fill_null("unknown")
        for value, _ in values.value_counts(sort=True).sort("count", column, descending=[True, False]).iter_rows():
            here = (values == value).to_numpy()
            if _both(labels[here], ENOUGH_OF_SLICE):
                of_theirs = None if theirs is None else theirs[here]
                found.append(_slice(column, value, labels[here], ours[here], of_theirs, seed))
    return found


def _slice(column: str, value: str, labels: Floats, ours: Floats, theirs: Floats | None, seed: int) -> Slice:
    ranked, once = Ordering(labels, ours), np.ones(len(labels))
    counted = (column, value, len(labels), int(labels.sum()), ranked.auc(once))
    if theirs is None:
        return Slice(*counted, gain=None, is_worse=False)
    rival = Ordering(labels, theirs)
    draws = resamples(labels, seed=seed, repeats=REPEATS)
    drawn = [np.bincount(rows, minlength=len(labels)).astype(np.float64) for rows in draws]
    gains = np.array([ranked.auc(weights) - rival.auc(weights) for weights in drawn])
    gain = Figure(ranked.auc(once) - rival.auc(once), *interval(gains))
    return Slice(*counted, gain=gain, is_worse=gain.high < -SLICE_BOUND)


def _no_slice_worse(slices: Sequence[Slice]) -> Rule:
    worse = [_named(one) for one in slices if one.is_worse]
    held = [one for one in slices if one.gain is not None]
    if not slices:
        said = f"no slice has {ENOUGH_OF_SLICE} outcomes of each kind to be judged by itself"
    elif not held:
        said = f"{_counted(slices)} with enough outcomes, and no champion to hold against"
    elif worse:
        said = f"worse than the champion beyond noise: {', '.join(worse)}"
    else:
        least = min(held, key=lambda one: one.gain.value if one.gain else 0.0)
        said = f"{_counted(held)} held against the champion; least gain: {_named(least)}"
        said += f" {_interval(least.gain)}" if least.gain else ""
    return Rule("no_slice_worse", not worse, said, {"slices": float(len(slices)), "worse": float(len(worse))})


def _counted(slices: Sequence[Slice]) -> str:
    return f"{len(slices)} slice{'' if len(slices) == 1 else 's'}"


def _named(one: Slice) -> str:
    return f"{one.column.replace('_', ' ')} {one.value}"


def _reproducible(model: Model, again: Model) -> Rule:
    is_same = model.sha256 == again.sha256
    told = f"both are {model.sha256[:12]}" if is_same else f"{model.sha256[:12]} became {again.sha256[:12]}"
    return Rule("reproducible", is_same, f"trained twice on the same rows: {told}", {"is_same": float(is_same)})


def _interval(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"

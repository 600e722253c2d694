"""The life of a model version: tuned, trained, judged, made champion, rolled back, reproduced. Free of the
orchestrator, as `flows` is. What was decided is kept by `pipelines.decisions`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from models import card, datasets, promotion, signs, training, tuning
from models.dispositions import with_propensities
from models.promotion import Rival, Verdict
from models.spec import ModelSpec
from models.tracking import CHALLENGER, CHAMPION, Registered, Version
from models.training import Trained
from models.tuning import Tuned
from pipelines.decisions import (
    GATE,
    JUDGED,
    PROMOTED,
    ROLLED_BACK,
    STANDS_IN,
    Decided,
    champions,
    decisions,
    overridden,
    verdict_of,
)
from pipelines.deployment import Deployment
from pipelines.flows import feature_table, stored_vectors
from warehouse import catalog
from warehouse.catalog import Table
from warehouse.errors import BorderlakeError, NotReady

CARD_MARKDOWN, CARD_HTML, VERDICT = "card.md", "card.html", "verdict.json"
_PASSED = "gate.passed"


@dataclass(frozen=True)
class Training:
    """A training run, what the gate says of it, and what became of it."""

    trained: Trained
    verdict: Verdict
    registered: Registered
    card: card.Card


def train_model(deployment: Deployment, spec: ModelSpec, known_by: datetime) -> Training:
    """Train on what is known by a moment, judge it against the champion and register it.

    It is challenger until it has met every rule of the gate; then it is champion at once. Where no champion can
    be loaded and has the features it asks for, it stands in as one, whatever the verdict: else nothing would be scored.
    """
    versions = _now(deployment, spec)
    trained = training.train(*_learnt_from(deployment, spec, known_by, versions))
    champion = _champion(deployment, spec)
    declared, share = deployment.capacities(spec.subject), capacity_of(deployment, spec)
    verdict = promotion.judge(trained, training.fit_again(trained), champion, share, declared)
    data_versions = {table: f"{table}@{version}" for table, version in versions.items()}
    registered = deployment.registry.register(trained, data_versions, CHALLENGER)
    made = card.Card(trained, verdict, registered.version, data_versions, known_by)
    deployment.registry.tag(spec.name, registered.version, _tags(verdict))
    deployment.registry.attach(
        registered, {VERDICT: verdict.to_json(), CARD_MARKDOWN: card.markdown(made), CARD_HTML: card.html(made)}
    )
    decided = Decided(deployment, spec, known_by, GATE)
    decided.record(registered, JUDGED, _said(verdict), verdict)
    if verdict.passed:
        decided.make_champion(registered, PROMOTED, "it meets every rule of the gate", verdict)
    elif verdict.against is None:
        why = "there was no champion that could score, and without one nothing is scored"
        decided.make_champion(registered, STANDS_IN, why, verdict)
    return Training(trained, verdict, deployment.registry.load_version(spec.name, registered.version), made)


@dataclass(frozen=True)
class Reproduction:
    """A version trained anew from the tables as it read them."""

    registered_sha256: str
    sha256: str

    @property
    def is_same(self) -> bool:
        return self.sha256 == self.registered_sha256


def reproduce(deployment: Deployment, spec: ModelSpec, number: int) -> Reproduction:
    """Train a version again, from the very versions of the tables and the outcomes that were known then.

    Raises `NotReady` where it was registered before decisions were kept, or where the spec is another now.
    """
    registered = deployment.registry.load_version(spec.name, number)
    judged = decisions(deployment, spec).filter((pl.col("model_version") == number) & (pl.col("action") == JUDGED))
    told = deployment.registry.data_versions(registered)
    if judged.is_empty() or not all(table.name in told for table in _read(spec)):
        raise NotReady(f"{spec.name} version {number}: what it was trained on is not on record; train again")
    versions = {table.name: int(told[table.name].rpartition("@")[2]) for table in _read(spec)}
    lawful, labelled, unlabelled = _learnt_from(deployment, spec, judged["decided_at"][0], versions)
    if lawful.digest != registered.model.bundle.spec_digest:
        raise NotReady(
            f"{spec.name} version {number} is of spec {registered.model.bundle.spec_digest}, the spec is now "
            f"{lawful.digest}; reproduce it with the release that trained it"
        )
    return Reproduction(registered.model.sha256, training.train(lawful, labelled, unlabelled).model.sha256)


def _read(spec: ModelSpec) -> tuple[Table, Table, Table]:
    return feature_table(spec.subject), catalog.OUTCOMES, catalog.table_of("gold.dispositions")


def _now(deployment: Deployment, spec: ModelSpec) -> dict[str, int | None]:
    """The latest versions of the tables that training reads."""
    for table in _read(spec):
        deployment.lake.ensure(table)
    return {table.name: deployment.lake.version(table) for table in _read(spec)}


def _learnt_from(
    deployment: Deployment, spec: ModelSpec, known_by: datetime, versions: Mapping[str, int | None]
) -> tuple[ModelSpec, pl.DataFrame, pl.DataFrame]:
    """The spec with the features that its jurisdictions allow, and vectors with labels, of given table versions; also
    those without on which a sign of the spec holds."""
    features, outcomes, dispositions = _read(spec)
    reported = deployment.lake.scan(outcomes, versions[outcomes.name]).filter(pl.col("subject_kind") == spec.outcome)
    found = reported.collect()
    stored = stored_vectors(deployment, deployment.subject(spec.subject), version=versions[features.name])
    decided = deployment.lake.scan(dispositions, versions[dispositions.name]).filter(pl.col("decided_at") <= known_by)
    labelled = with_propensities(datasets.with_labels(stored, found, known_by), decided.collect())
    lawful = deployment.lawful(spec, labelled["jurisdiction"].unique())
    return lawful, labelled, datasets.without_labels(signs.bearing(lawful, stored), found, known_by)


def tune(
    deployment: Deployment, spec: ModelSpec, known_by: datetime, trials: int, folds: int, watch: Callable[[], None]
) -> Tuned:
    """Try other parameters on what is known by a moment, but for the days that judge; nothing is registered."""
    lawful, labelled, _ = _learnt_from(deployment, spec, known_by, _now(deployment, spec))
    return tuning.tune(lawful, labelled, trials, folds, watch)


def promote(deployment: Deployment, spec: ModelSpec, number: int, by: str, reason: str, at: datetime) -> list[str]:
    """Make a version champion by hand; returns the rules of the gate that this overrides."""
    if not reason.strip():
        raise BorderlakeError("a promotion by hand needs a reason, which is kept with it; give one with --reason")
    chosen = deployment.registry.load_version(spec.name, number)
    if chosen.alias == CHAMPION:
        raise BorderlakeError(f"{spec.name} version {number} is champion already; nothing is changed")
    verdict = verdict_of(deployment, spec, number)
    Decided(deployment, spec, at, by).make_champion(chosen, PROMOTED, reason, verdict)
    return overridden(verdict)


def rollback(deployment: Deployment, spec: ModelSpec, by: str, reason: str, at: datetime) -> Registered:
    """Make the champion before the present one champion again; what was rolled back keeps no alias."""
    line = champions(decisions(deployment, spec))
    if len(line) < 2:
        raise NotReady(f"{spec.name} has no champion before the present one; promote another: borderlake model list")
    before = deployment.registry.load_version(spec.name, line[-2])
    verdict = verdict_of(deployment, spec, before.version)
    Decided(deployment, spec, at, by).make_champion(before, ROLLED_BACK, reason, verdict)
    return before


def card_of(deployment: Deployment, version: Version, name: str = CARD_HTML) -> str:
    """A version's model card as it was logged."""
    found = deployment.registry.attached(version, name)
    if found is None:
        raise NotReady(f"{version.name} version {version.number} has no model card; train again to have one made")
    return found


def capacity_of(deployment: Deployment, spec: ModelSpec) -> float:
    """Share of events that are looked at (red and yellow) where the deployment says nothing else of a location."""
    default = deployment.capacities(spec.subject).default
    shares = [seats for seats in (default.red, default.yellow) if 0 < seats < 1]
    return sum(shares) or promotion.USUAL_CAPACITY


def _champion(deployment: Deployment, spec: ModelSpec) -> Rival | None:
    """The champion as the gate meets it; none where there is none, or its files are not to be used any more."""
    try:
        found = deployment.registry.load(spec.name)
    except BorderlakeError:
        return None
    verdict = verdict_of(deployment, spec, found.version)
    return Rival(found.version, found.model, verdict is not None and verdict.passed)


def _tags(verdict: Verdict) -> Mapping[str, str]:
    rules = {f"gate.{rule.name}": f"{'met' if rule.passed else 'not met'}: {rule.said}" for rule in verdict.rules}
    return {_PASSED: "yes" if verdict.passed else "no", **rules}


def _said(verdict: Verdict) -> str:
    return "every rule is met" if verdict.passed else f"not met: {', '.join(verdict.failed)}"

"""The life of a model version: trained, judged, made champion, rolled back. Free of the orchestrator, as `flows` is.

Every decision is a row of `gold.model_decisions` before the registry is told: what a crash leaves undone shows as a
champion that is not the decided one (`astray`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from models import card, datasets, promotion, training
from models.promotion import RULES, Rival, Verdict
from models.spec import ModelSpec
from models.tracking import CHALLENGER, CHAMPION, Registered, Version
from models.training import Trained
from pipelines.deployment import Deployment
from pipelines.flows import feature_table, stored_vectors
from warehouse import catalog, ids
from warehouse.errors import BorderlakeError, NotReady

DECISIONS = catalog.table_of("gold.model_decisions")
JUDGED, PROMOTED, STANDS_IN, ROLLED_BACK = "judged", "promoted", "stands_in", "rolled_back"
GATE = "gate"
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

    It is challenger until it has met every rule of the gate; then it is champion at once. Where there is no champion
    that can be loaded it stands in as one, whatever the verdict: without a champion nothing is scored.
    """
    subject = deployment.subject(spec.subject)
    outcomes = deployment.lake.scan(catalog.OUTCOMES).filter(pl.col("subject_kind") == spec.outcome).collect()
    labelled = datasets.with_labels(stored_vectors(deployment, subject), outcomes, known_by)
    trained = training.train(deployment.lawful(spec, labelled["jurisdiction"].unique()), labelled)
    champion = _champion(deployment, spec)
    verdict = promotion.judge(trained, training.fit_again(trained), champion, capacity_of(deployment, spec))
    read = (feature_table(subject.name), catalog.OUTCOMES)
    data_versions = {table.name: f"{table.name}@{deployment.lake.version(table)}" for table in read}
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
    elif champion is None:
        decided.make_champion(
            registered, STANDS_IN, "there was no champion, and without one nothing is scored", verdict
        )
    return Training(trained, verdict, deployment.registry.load_version(spec.name, registered.version), made)


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


@dataclass(frozen=True)
class Decided:
    """Decisions about a model's versions, of one moment and one decider."""

    deployment: Deployment
    spec: ModelSpec
    at: datetime
    by: str

    def make_champion(self, chosen: Registered, action: str, reason: str, verdict: Verdict | None) -> None:
        """Record that a version is made champion, then do it."""
        self.record(chosen, action, reason, verdict)
        self.deployment.registry.give(self.spec.name, chosen.version, CHAMPION)

    def record(self, chosen: Registered, action: str, reason: str, verdict: Verdict | None) -> None:
        """Append one decision."""
        standing = [] if action == JUDGED else champions(decisions(self.deployment, self.spec))[-1:]
        row = {
            "model_name": self.spec.name,
            "model_version": chosen.version,
            "model_sha256": chosen.model.sha256,
            "action": action,
            "replaced_version": standing[0] if standing else None,
            "decided_at": self.at,
            "decided_by": self.by,
            "reason": reason,
            "passed_gate": None if verdict is None else verdict.passed,
            "overrides": [] if action == JUDGED else overridden(verdict),
            "verdict": None if verdict is None else verdict.to_json(),
        }
        keys = [pl.col(name) for name in ("model_name", "model_version", "action", "decided_at")]
        schema = DECISIONS.dtypes
        frame = pl.DataFrame([row], {name: kind for name, kind in schema.items() if name != "decision_id"})
        self.deployment.lake.append(DECISIONS, frame.with_columns(decision_id=ids.digest(keys)).select(list(schema)))


def decisions(deployment: Deployment, spec: ModelSpec) -> pl.DataFrame:
    """Every decision about a model's versions, oldest first."""
    order = pl.col("action").replace_strict({JUDGED: 0}, default=1, return_dtype=pl.Int64)
    mine = deployment.lake.scan(DECISIONS).filter(pl.col("model_name") == spec.name)
    return mine.collect().sort("decided_at", order)


def champions(decided: pl.DataFrame) -> list[int]:
    """Champions that stand behind each other, the present one last: a rollback takes the last away."""
    line: list[int] = []
    for action, version in decided.select("action", "model_version").iter_rows():
        if action in (PROMOTED, STANDS_IN):
            line.append(version)
        elif action == ROLLED_BACK:
            line.pop()
    return line


def astray(deployment: Deployment, spec: ModelSpec) -> str | None:
    """What is wrong where the registry's champion is not the one that was decided; None where it is."""
    line = champions(decisions(deployment, spec))
    standing = [one.number for one in deployment.registry.versions(spec.name) if CHAMPION in one.aliases]
    if standing == line[-1:]:
        return None
    decided, found = (f"version {one[-1]}" if one else "none" for one in (line, standing))
    return (
        f"{spec.name}: the champion in the registry is {found}, decided was {decided}; "
        f"decide with: borderlake model promote {spec.name} VERSION --reason WHY"
    )


def verdict_of(deployment: Deployment, spec: ModelSpec, number: int) -> Verdict | None:
    """The verdict that the gate recorded on a version; None where it never judged it."""
    judged = decisions(deployment, spec).filter((pl.col("model_version") == number) & (pl.col("action") == JUDGED))
    return None if judged.is_empty() else Verdict.from_json(judged["verdict"][-1])


def overridden(verdict: Verdict | None) -> list[str]:
    """Rules that making the version champion overrides: all of them, where it was never judged."""
    return [*RULES] if verdict is None else verdict.failed


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

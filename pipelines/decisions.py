"""Decisions about model versions: what was judged, made champion, rolled back, by whom and why. Append-only.

A decision is a row of `gold.model_decisions` before the registry is told: what a crash leaves undone shows as a
champion that is not the decided one (`astray`).
"""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from models.promotion import RULES, Verdict
from models.spec import ModelSpec
from models.tracking import CHAMPION, Registered
from pipelines.deployment import Deployment
from warehouse import catalog, ids

DECISIONS = catalog.table_of("gold.model_decisions")
JUDGED, PROMOTED, STANDS_IN, ROLLED_BACK = "judged", "promoted", "stands_in", "rolled_back"
GATE = "gate"


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

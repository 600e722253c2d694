"""Commit files of a Delta log, read as they lie: what each adds and takes away. The Delta library is not asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

LOG = "_delta_log"
HINT = "_last_checkpoint"
MARK = "borderlake.manifest"
"""Key of a commit's information: the manifest's head when our writer began. A commit without it is another tool's."""
_OURS = "borderlake."


@dataclass(frozen=True)
class Added:
    """A data file that a commit adds; `rows` as the writer counted them."""

    path: str
    size: int
    rows: int | None


@dataclass(frozen=True)
class Commit:
    """What one version of a table changed. Paths are relative to the table."""

    operation: str
    is_ours: bool
    added: tuple[Added, ...] = ()
    removed: tuple[str, ...] = ()
    changes: tuple[Added, ...] = ()
    """Files of the change feed."""
    batches: tuple[str, ...] = ()
    at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """What our writer said of the commit, its mark among it."""

    @property
    def began_at(self) -> str:
        """The manifest's head when our writer began; empty for a table's first commit, and for another tool's."""
        return self.facts.get(MARK, "")


def commit_path(folder: str, version: int) -> str:
    """Where the commit file of a version lies."""
    return f"{folder}/{LOG}/{version:020d}.json"


def checkpoint_path(folder: str, version: int) -> str:
    """Where the checkpoint of a version lies, if it has one."""
    return f"{folder}/{LOG}/{version:020d}.checkpoint.parquet"


def hint_path(folder: str) -> str:
    """Where the log names its last checkpoint."""
    return f"{folder}/{LOG}/{HINT}"


def version_of(path: str, suffix: str) -> int | None:
    """The version that a file of the log is named after; None where it is another kind of file."""
    name = path.rsplit("/", 1)[-1]
    stem = name.removesuffix(suffix)
    return int(stem) if name.endswith(suffix) and len(stem) == 20 and stem.isdigit() else None


def parse_commit(content: bytes) -> Commit | None:
    """The commit; None where the content is empty or no whole commit."""
    try:
        actions: list[dict[str, Any]] = [json.loads(line) for line in content.decode("utf-8").splitlines() if line]
        if not actions:
            return None
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for action in actions:
            for kind, said in action.items():
                by_kind.setdefault(kind, []).append(said)
        info = (by_kind.get("commitInfo") or [{}])[0]
        return Commit(
            operation=str(info.get("operation", "unknown")),
            is_ours=MARK in info,
            added=tuple(
                Added(unquote(said["path"]), int(said["size"]), _rows(said)) for said in by_kind.get("add", ())
            ),
            removed=tuple(unquote(said["path"]) for said in by_kind.get("remove", ())),
            changes=tuple(Added(unquote(said["path"]), int(said["size"]), None) for said in by_kind.get("cdc", ())),
            at=_moment(info.get("timestamp")),
            batches=tuple(str(said["appId"]) for said in by_kind.get("txn", ())),
            facts={key: str(value) for key, value in info.items() if key.startswith(_OURS)},
        )
    except (ValueError, KeyError, AttributeError, TypeError, ArithmeticError, OSError, RecursionError):
        return None


def partitions_touched(content: bytes, column: str) -> set[str | None] | None:
    """Values of a partition column whose rows a commit changes; None where it does not say so."""
    touched: set[str | None] = set()
    for line in content.decode("utf-8").splitlines():
        for kind, said in json.loads(line).items():
            if kind in ("add", "remove", "cdc") and said.get("dataChange", True):
                values = said.get("partitionValues") or {}
                if column not in values:
                    return None
                touched.add(values[column])
    return touched


def _rows(said: dict[str, Any]) -> int | None:
    stats = json.loads(said.get("stats") or "{}")
    counted = stats.get("numRecords")
    return None if counted is None else int(counted)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)

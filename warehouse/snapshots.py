"""A version of a table as its files: what a reader with an engine of its own needs to read the table, or its changes.

Rows are not read here. `Lake.snapshot` opens a version; changes are told from the commits as they lie in the log.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from warehouse.commits import commit_path
from warehouse.storage import Store


@dataclass(frozen=True)
class LiveFile:
    """A data file; `path` is relative to the table, partition values are as Delta writes them."""

    path: str
    size: int
    rows: int
    modified_ms: int
    partition: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """One version of a table."""

    table: str
    folder: str
    """Within the store."""
    version: int
    table_id: str
    schema: str
    """Of Delta: Spark's JSON for a struct."""
    partition_by: tuple[str, ...]
    configuration: Mapping[str, str]
    created_ms: int
    reader_version: int
    writer_version: int
    files: tuple[LiveFile, ...]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(one["name"] for one in json.loads(self.schema)["fields"])


class ChangeKind(StrEnum):
    """What a changed file tells: rows that came, rows that went, or changes row by row."""

    ADD = "add"
    REMOVE = "remove"
    CHANGES = "cdf"


@dataclass(frozen=True)
class ChangedFile:
    """A file of the change feed."""

    kind: ChangeKind
    file: LiveFile


@dataclass(frozen=True)
class Changes:
    """What one commit changed, and the metadata that it set, if it did."""

    version: int
    at_ms: int
    files: tuple[ChangedFile, ...]
    schema: str | None
    facts: Mapping[str, str]
    """What our writer said of the commit."""

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)


def changes(store: Store, folder: str, version: int) -> Changes | None:
    """What a version changed; None where its commit is not in the log (any more).

    A commit that has files of changes row by row is told by those alone, as the Delta protocol has it.
    """
    content = store.read(commit_path(folder, version))
    if not content:
        return None
    actions = [action for line in content.decode().splitlines() if line for action in json.loads(line).items()]
    info: Mapping[str, Any] = next((said for name, said in actions if name == "commitInfo"), {})
    metadata = next((said for name, said in actions if name == "metaData"), None)
    rowwise = tuple(ChangedFile(ChangeKind.CHANGES, _file(said)) for name, said in actions if name == "cdc")
    whole = tuple(
        ChangedFile(ChangeKind(name), _file(said))
        for name, said in actions
        if name in (ChangeKind.ADD, ChangeKind.REMOVE) and said.get("dataChange")
    )
    return Changes(
        version,
        int(info.get("timestamp", 0)),
        rowwise or whole,
        None if metadata is None else str(metadata["schemaString"]),
        {key: str(value) for key, value in info.items() if key.startswith("borderlake.")},
    )


def versions_back(store: Store, folder: str, last: int) -> Iterator[Changes]:
    """Commits from a version backwards, as far as the log has them."""
    for version in range(last, -1, -1):
        commit = changes(store, folder, version)
        if commit is None:
            return
        yield commit


def _file(said: Mapping[str, Any]) -> LiveFile:
    stats = json.loads(said.get("stats") or "{}")
    return LiveFile(
        unquote(said["path"]),
        int(said.get("size") or 0),
        int(stats.get("numRecords") or 0),
        int(said.get("modificationTime") or said.get("deletionTimestamp") or 0),
        said.get("partitionValues") or {},
    )

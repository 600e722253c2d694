"""How far each share has followed its source: told by the commit that wrote it, and noted in the house beside it.

The commit makes both true at once. The note moves on where a source changed and nothing of it flows; it lies under
`_shares/` of the lake, which is never served. One that is lost, or behind its table, costs a look at the whole
source, and never a cell.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sharing.dictionary import Dictionary
from sharing.shares import Share
from warehouse.catalog import Table
from warehouse.commits import Commit, commit_path, parse_commit
from warehouse.delta import Lake
from warehouse.storage import Store

FACT = "borderlake.share"
_FOLDER = "_shares"


@dataclass(frozen=True)
class Progress:
    """What a share stands for, and what it has seen of its source."""

    agreement_id: str
    agreement_version: int
    agreed: str
    """Digest of what the agreement let go (`Share.agreed`)."""
    terms: str
    """Digest of what decides its cells, the recipient's key with it; empty once it was withdrawn."""
    key_id: str
    source_version: int | None
    """Version of the source up to which every change has been followed; None while it does not exist."""
    young: tuple[str, ...]
    """Days with rows that the agreement's delay still holds back."""
    since: int | None
    """The earliest version that a recipient may be given, and after which changes may be, where its agreement allows
    either at all; in a commit, None is the commit's own."""
    rows: int
    retracted: int
    """Rows that were taken back in all."""
    at: datetime
    """When it last moved on."""
    recalls: int | None = None
    """Version of the recalled scores up to which every one has been taken back; None while there are none."""

    @property
    def is_withdrawn(self) -> bool:
        return not self.terms

    def is_under(self, share: Share | Dictionary) -> bool:
        """Whether it was cut to the agreement as it is now; one reworded under the same version is another."""
        agreement = share.agreement
        told = (agreement.agreement_id, agreement.version, share.agreed)
        return (self.agreement_id, self.agreement_version, self.agreed) == told and not self.is_withdrawn

    @classmethod
    def ended(cls, before: "Progress | None", rows: int, at: datetime) -> "Progress":
        """What a withdrawn share stands for; `rows` are those that it had."""
        retracted = (before.retracted if before else 0) + rows
        if before is None:
            return cls("", 0, "", "", "", None, (), None, 0, retracted, at)
        return replace(before, terms="", young=(), since=None, rows=0, retracted=retracted, at=at)

    @property
    def facts(self) -> Mapping[str, str]:
        """As a commit tells it."""
        return {FACT: json.dumps(asdict(self) | {"at": self.at.isoformat()}, sort_keys=True)}


@dataclass(frozen=True)
class Standing:
    """The share's latest version, and its progress as far as it is known."""

    version: int | None
    progress: Progress | None
    is_settled: bool
    """Whether the last refresh came to its end, removal of old files included."""


def standing(lake: Lake, table: Table) -> Standing:
    """Where a share stands now."""
    return standing_at(lake.store, table.name, lake.manifest(table).folder, lake.version(table))


def standing_at(store: Store, name: str, folder: str, version: int | None) -> Standing:
    """Where a share stands whose latest version is known; without progress where nothing tells of it."""
    told = _noted(store, name, version)
    if told is not None:
        return Standing(version, told, True)
    if version is None:
        return Standing(None, None, True)
    commit = parse_commit(store.read(commit_path(folder, version)) or b"")
    progress = None if commit is None else progress_of(commit)
    if progress is not None and progress.since is None:
        progress = replace(progress, since=version)
    return Standing(version, progress, False)


def progress_of(commit: Commit) -> Progress | None:
    """What the commit of a refresh tells; None of another's."""
    try:
        return _progress(json.loads(commit.facts[FACT]))
    except (KeyError, TypeError, ValueError):
        return None


def note(lake: Lake, table: Table, version: int | None, progress: Progress) -> None:
    """Note that a refresh came to its end."""
    content = {"version": version, "progress": json.loads(progress.facts[FACT])}
    lake.store.put(_path(table.name), json.dumps(content, sort_keys=True).encode(), replace=True)


def noted(lake: Lake) -> list[str]:
    """Names of all shares that there ever were."""
    found = (one.path.removeprefix(f"{_FOLDER}/") for one in lake.store.list(_FOLDER))
    return [name.removesuffix(".json") for name in found if name.endswith(".json")]


def _noted(store: Store, name: str, version: int | None) -> Progress | None:
    """What is noted of this version; None where the note is of another, or none."""
    try:
        content = json.loads(store.read(_path(name)) or b"null")
        return _progress(content["progress"]) if content["version"] == version else None
    except (KeyError, TypeError, ValueError):
        return None


def _progress(told: dict[str, Any]) -> Progress:
    return Progress(**told | {"young": tuple(told["young"]), "at": datetime.fromisoformat(told["at"])})


def _path(name: str) -> str:
    return f"{_FOLDER}/{name}.json"

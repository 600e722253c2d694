"""The manifest of a table: one entry a commit, each with the hashes of its files and of the entry before it.

Entries lie beside the tables, under `_manifests/<layer>/<table>/`, one file a version: an object store cannot append.
An entry says nothing but what commit and files say, so that whoever writes it writes the same bytes; a crash between
commit and entry is healed by the next writer. It holds the commit's own text too: a lost commit can be put back.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from warehouse.anchor import Anchor, read_anchor, write_anchor
from warehouse.commits import LOG, Added, Commit, checkpoint_path, commit_path, hint_path, parse_commit, version_of
from warehouse.errors import TableDamaged
from warehouse.storage import Store

FOLDER = "_manifests"
_PURGED = ".purged"
_ADVICE = "run `borderlake verify`, which says what is damaged and how to repair it"


@dataclass(frozen=True)
class DataFile:
    """A file of the table as it was committed."""

    path: str
    size: int
    rows: int | None
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One commit. A `baseline` holds every file of a table that was there before its manifest."""

    table: str
    version: int
    count: int
    previous: str
    operation: str
    is_ours: bool
    is_baseline: bool
    commit_sha256: str
    commit: str
    added: tuple[DataFile, ...]
    removed: tuple[str, ...]
    changes: tuple[DataFile, ...]

    @cached_property
    def content(self) -> bytes:
        """The entry as it lies in the store."""
        return (json.dumps(asdict(self), sort_keys=True, separators=(",", ":")) + "\n").encode()

    @property
    def digest(self) -> str:
        """What the next entry and the anchor hold of this one."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def batches(self) -> tuple[str, ...]:
        """Batches that the commit recorded."""
        parsed = parse_commit(self.commit.encode())
        return parsed.batches if parsed else ()

    @property
    def facts(self) -> Mapping[str, str]:
        """What our writer said of the commit."""
        parsed = parse_commit(self.commit.encode())
        return parsed.facts if parsed else {}


def parse_entry(content: bytes) -> Entry | None:
    """The entry; None where the content is none, or not as it was written to the byte."""
    try:
        said = json.loads(content)
        for name in ("added", "changes"):
            said[name] = tuple(DataFile(**one) for one in said[name])
        entry = Entry(**said | {"removed": tuple(said["removed"])})
        is_itself = hashlib.sha256(entry.commit.encode()).hexdigest() == entry.commit_sha256
        is_numbered = type(entry.version) is int and type(entry.count) is int
        return entry if is_itself and is_numbered and entry.content == content else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


@dataclass(frozen=True)
class Noted:
    """A checkpoint as it was written, and the log's hint to it, where that still named this one."""

    version: int
    size: int
    sha256: str
    hint: str | None = None

    @property
    def content(self) -> bytes:
        """The note as it lies in the store; one without a hint as notes were before there were hints in them."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(said, sort_keys=True).encode()


def parse_note(content: bytes) -> Noted | None:
    """The note; None where the content is none, or not as it was written to the byte."""
    try:
        noted = Noted(**json.loads(content))
        return noted if noted.content == content else None
    except (ValueError, TypeError, RecursionError):
        return None


def hinted_version(hint: bytes) -> int | None:
    """The version of the checkpoint that the log's hint names."""
    try:
        return int(json.loads(hint)["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


@dataclass(frozen=True)
class Manifest:
    """The manifest of one table; `folder` is where the table lies in the store."""

    store: Store
    table: str
    folder: str
    anchors: Path | None = None

    @property
    def place(self) -> str:
        return f"{FOLDER}/{self.folder}"

    def path(self, version: int) -> str:
        """Where the entry of a version lies."""
        return f"{self.place}/{version:020d}.json"

    def entry(self, version: int) -> Entry | None:
        """The entry of a version; None where there is none or it cannot be read."""
        content = self.store.read(self.path(version)) if version >= 0 else None
        return None if content is None else parse_entry(content)

    def versions(self) -> list[int]:
        """Versions that have an entry, whatever is in it."""
        found = (version_of(found.path, ".json") for found in self.store.list(self.place))
        return sorted(version for version in found if version is not None)

    def anchor(self) -> Anchor | None:
        """The end of the manifest as this deployment remembers it."""
        return None if self.anchors is None else read_anchor(self.anchors, self.table)

    def hashes(self, paths: Collection[str]) -> dict[str, str]:
        """The SHA-256 of files as they were committed last; none of a file that no entry names."""
        found: dict[str, str] = {}
        for version in reversed(self.versions()):
            if len(found) == len(paths):
                break
            entry = self.entry(version)
            added = entry.added if entry is not None else ()
            found |= {one.path: one.sha256 for one in added if one.path in paths and one.path not in found}
        return found

    def has_begun(self) -> bool:
        """Whether anything was ever committed to the table, whatever is left of it."""
        return self.store.size(self.path(0)) is not None or bool(self.versions()) or self.anchor() is not None

    def check_head(self, version: int) -> str:
        """The digest of the entry at `version`; raises where the table ends short of its manifest, or otherwise.

        Called before each write: nothing is built on a lost or damaged last commit.
        """
        anchor = self.anchor()  # One that cannot be read raises.
        if self.store.size(self.path(version + 1)) is not None:
            raise TableDamaged(f"{self.table}: version {version + 1} is in the manifest and not in the log; {_ADVICE}")
        entry = self.entry(version)
        if entry is None:
            if self.store.size(self.path(version)) is not None:
                raise TableDamaged(f"{self.table}: the manifest's entry of version {version} is damaged; {_ADVICE}")
            return ""
        if self.store.sha256(commit_path(self.folder, version)) != entry.commit_sha256:
            raise TableDamaged(f"{self.table}: version {version} in the log is not what was committed; {_ADVICE}")
        if anchor is not None and anchor.version == version and anchor.head != entry.digest:
            raise TableDamaged(f"{self.table}: its manifest ends otherwise than was anchored; {_ADVICE}")
        return entry.digest

    def complete(
        self, version: int, live: Callable[[], Sequence[Added]], hashes: Mapping[str, str] | None = None
    ) -> None:
        """Write the entries up to `version`, and make them and what they cover durable.

        `live` gives the files of a table that has no manifest yet; `hashes` are the SHA-256 of files that the caller
        has written and made durable.
        """
        if self.store.size(self.path(version)) is not None:
            self._catch_up(version)
            return
        last = self._last_before(version)
        for entry in self._missing(last, version, live, hashes or {}):
            self.store.put(self.path(entry.version), entry.content)
            last = entry
        if last is not None and self.anchors is not None:
            write_anchor(self.anchors, self.table, Anchor(last.version, last.count, last.digest))

    def _catch_up(self, version: int) -> None:
        """Move the anchor to an entry that stands: a writer was stopped between the two, by a full disk for one."""
        anchor = self.anchor()
        if self.anchors is None or anchor is None or anchor.version >= version:
            return
        entry = self.entry(version)
        if entry is not None:
            write_anchor(self.anchors, self.table, Anchor(entry.version, entry.count, entry.digest))

    def made_again(self, before: Entry | None, version: int) -> list[Entry]:
        """The entries after `before` up to `version`, as they would be written now; nothing is written."""
        return list(self._missing(before, version, lambda: (), {}))

    def note_checkpoint(self, version: int) -> None:
        """Remember the hash of the checkpoint of a version, where it has one and it is not remembered yet."""
        path = checkpoint_path(self.folder, version)
        if self.store.size(path) is None or self.store.size(self.checkpoint_note(version)) is not None:
            return
        self.store.sync([path])
        hint = self.store.read(hint_path(self.folder)) or b""
        noted = Noted(
            version,
            self.store.size(path) or 0,
            self.store.sha256(path) or "",
            hint.decode() if hinted_version(hint) == version else None,
        )
        self.store.put(self.checkpoint_note(version), noted.content)

    def checkpoint_note(self, version: int) -> str:
        """Where the hash of a checkpoint lies."""
        return f"{self.place}/{version:020d}.checkpoint"

    def note_purge(self, version: int) -> None:
        """Remember that files which `version` does not need are about to go, before their time."""
        self.store.put(f"{self.place}/{version:020d}{_PURGED}", b"{}\n")

    def purged(self) -> int:
        """The latest version whose past went before its time; -1: none."""
        found = (version_of(found.path, _PURGED) for found in self.store.list(self.place))
        return max((version for version in found if version is not None), default=-1)

    def _last_before(self, version: int) -> Entry | None:
        before = self.entry(version - 1)
        if before is not None:
            return before
        anchor, listed = self.anchor(), self.versions()  # In this order: others may be writing.
        earlier = [one for one in listed if one < version]
        last = self.entry(earlier[-1]) if earlier else None
        is_cut = anchor is not None and (not listed or listed[-1] < anchor.version)
        if is_cut or (earlier and last is None):
            raise TableDamaged(f"{self.table}: its manifest was cut or changed; {_ADVICE}")
        return last

    def _missing(
        self, last: Entry | None, version: int, live: Callable[[], Sequence[Added]], hashes: Mapping[str, str]
    ) -> Iterator[Entry]:
        for one in range(self._first(version) if last is None else last.version + 1, version + 1):
            content = self.store.read(commit_path(self.folder, one))
            commit = None if content is None else parse_commit(content)
            if content is None or commit is None:
                raise TableDamaged(f"{self.table}: the commit of version {one} is lost or damaged; {_ADVICE}")
            if self._repeats(content, commit, one):
                raise TableDamaged(f"{self.table}: version {one} is a copy of an earlier commit; {_ADVICE}")
            is_baseline = last is None and one > 0
            added = live() if is_baseline else commit.added
            last = self._entry(one, content, commit, added, last, is_baseline, hashes)
            yield last

    def _repeats(self, content: bytes, commit: Commit, version: int) -> bool:
        """Whether a commit of ours is a copy of an earlier one, which began at the same head as the original did."""
        if not commit.is_ours:
            return False
        digest = hashlib.sha256(content).hexdigest()
        for earlier in range(version - 1, -1, -1):
            entry = self.entry(earlier)
            if entry is None or entry.digest == commit.began_at:
                return False
            if entry.commit_sha256 == digest:
                return True
        return False

    def _first(self, version: int) -> int:
        """Where a manifest begins: with the table, if our writer made it; else with the version it has now."""
        content = self.store.read(commit_path(self.folder, 0))
        commit = None if content is None else parse_commit(content)
        return 0 if commit is not None and commit.is_ours else version

    def _entry(
        self,
        version: int,
        content: bytes,
        commit: Commit,
        added: Sequence[Added],
        last: Entry | None,
        is_baseline: bool,
        hashes: Mapping[str, str],
    ) -> Entry:
        files = tuple(self._hashed(one, version, hashes) for one in added)
        changes = tuple(self._hashed(one, version, hashes) for one in commit.changes)
        paths = [f"{self.folder}/{one.path}" for one in (*files, *changes) if one.path not in hashes]
        self.store.sync([*paths, commit_path(self.folder, version)])
        return Entry(
            table=self.table,
            version=version,
            count=1 if last is None else last.count + 1,
            previous="" if last is None else last.digest,
            operation=commit.operation,
            is_ours=commit.is_ours,
            is_baseline=is_baseline,
            commit_sha256=hashlib.sha256(content).hexdigest(),
            commit=content.decode("utf-8"),
            added=files,
            removed=commit.removed,
            changes=changes,
        )

    def _hashed(self, added: Added, version: int, hashes: Mapping[str, str]) -> DataFile:
        path = f"{self.folder}/{added.path}"
        if self.store.size(path) != added.size:
            raise TableDamaged(f"{self.table}: a file of version {version} is missing or cut ({added.path}); {_ADVICE}")
        return DataFile(added.path, added.size, added.rows, hashes.get(added.path) or self.store.sha256(path) or "")


def log_folder(folder: str) -> str:
    """Where the log of a table lies."""
    return f"{folder}/{LOG}"

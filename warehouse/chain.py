"""The manifest of a table, read whole and checked against itself and its anchor."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from warehouse.anchor import Anchor
from warehouse.commits import parse_commit
from warehouse.errors import TableDamaged
from warehouse.findings import Finding, Kind
from warehouse.manifest import DataFile, Entry, Manifest

_GIVEN_UP = "FSCK"
"""The Delta library's name for taking files out of a table that are not there."""


@dataclass(frozen=True)
class Chain:
    """Entries by version, and what is wrong with them."""

    entries: dict[int, Entry]
    findings: list[Finding] = field(default_factory=list)
    anchor: Anchor | None = None

    @property
    def last(self) -> int:
        """The last version with an entry; -1 without any."""
        return max(self.entries, default=-1)

    @property
    def baseline(self) -> int:
        """The version that the manifest begins with."""
        return min(self.entries, default=0)

    def live(self, version: int | None = None) -> dict[str, DataFile]:
        """Files of the table at a version (default: the last), by path."""
        files: dict[str, DataFile] = {}
        for at, entry in sorted(self.entries.items()):
            if version is not None and at > version:
                break
            for path in entry.removed:
                files.pop(path, None)
            files |= {one.path: one for one in entry.added}
        return files

    def known(self) -> dict[str, DataFile]:
        """Every file that was ever committed, by path."""
        return {one.path: one for entry in self.entries.values() for one in (*entry.added, *entry.changes)}

    def gone_since(self, after: int = -1) -> dict[str, datetime]:
        """Files that no reader of the last version needs, and since when: removed by then, or of the change feed.
        Of commits after a version only.

        Files that were missing when a repair gave them up are not among them.
        """
        since: dict[str, datetime] = {}
        for entry in (one for version, one in self.entries.items() if version > after):
            commit = parse_commit(entry.commit.encode())
            at = commit.at if commit is not None and commit.at is not None else datetime.min.replace(tzinfo=UTC)
            given_up = entry.removed if entry.operation != _GIVEN_UP else ()
            since |= dict.fromkeys((*given_up, *(one.path for one in entry.changes)), at)
        return since

    def version_adding(self, path: str) -> int | None:
        """The version that added a file."""
        adding = (
            at for at, entry in self.entries.items() if any(one.path == path for one in (*entry.added, *entry.changes))
        )
        return max(adding, default=None)


def read_chain(manifest: Manifest) -> Chain:
    """Read and check a manifest. The anchor is read first: writers move it last."""
    name = manifest.table
    findings: list[Finding] = []
    anchor: Anchor | None = None
    try:
        anchor = manifest.anchor()
    except TableDamaged:
        findings.append(Finding(Kind.DAMAGED_ANCHOR, name))
    versions = manifest.versions()
    entries: dict[int, Entry] = {}
    before: Entry | None = None
    for at, version in enumerate(versions):
        entry = manifest.entry(version)
        fault = _fault(name, version, entry, before, is_first=at == 0)
        if fault is not None:
            findings.append(Finding(Kind.MANIFEST_CHANGED, name, version, detail=fault))
        if entry is not None:
            entries[version] = entry
        before = entry
    if anchor is not None and (not versions or versions[-1] < anchor.version):
        detail = f"anchored: version {anchor.version}; last entry: {versions[-1] if versions else 'none'}"
        findings.append(Finding(Kind.MANIFEST_CUT, name, anchor.version, detail=detail))
    elif anchor is not None:
        anchored = entries.get(anchor.version)
        if anchored is None or (anchored.digest, anchored.count) != (anchor.head, anchor.count):
            findings.append(Finding(Kind.MANIFEST_CHANGED, name, anchor.version, detail="it is not the anchored one"))
    return Chain(entries, findings, anchor)


def _fault(name: str, version: int, entry: Entry | None, before: Entry | None, *, is_first: bool) -> str | None:
    """What is wrong with an entry, given the one before it."""
    if entry is None:
        return "it is not readable"
    if (entry.table, entry.version) != (name, version):
        return "it is of another table or version"
    if is_first:
        whole = entry.previous == "" and entry.count == 1
        return None if whole else "entries before it are missing"
    if before is None:
        return None  # Said already, of the one before.
    if entry.version != before.version + 1:
        return "entries before it are missing"
    if (entry.previous, entry.count) != (before.digest, before.count + 1):
        return "it does not continue the entry before it: one of the two was replaced"
    return None

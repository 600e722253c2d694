"""Verifying: manifest, Delta log and files of each table compared, as they lie. Nothing is changed here.

The quick look reads the log and the sizes of files, and whether the archive has every file that landed; the deep one
hashes and decodes every file, and holds the ledger against the rows (`warehouse.reconcile`) and against the bytes of
the archive (`warehouse.archive`). A writer may be at work: what is younger than a quarter of an hour and only half
there is not called damage. What is damaged is not given to a library that decodes it: a flipped bit in a length can
end the process.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq

from warehouse.acceptance import accepted
from warehouse.archive import check_archive, late_sidecars, missing_originals, missing_sidecars
from warehouse.catalog import LEDGER, Table
from warehouse.chain import Chain, read_chain
from warehouse.checkpoints import check_checkpoints
from warehouse.commits import HINT, LOG, Commit, parse_commit, version_of
from warehouse.delta import LEAST_RETENTION_DAYS, Lake
from warehouse.findings import Finding, Kind
from warehouse.homes import check_name
from warehouse.manifest import DataFile, log_folder
from warehouse.reconcile import reconcile
from warehouse.rollings import unfinished
from warehouse.storage import Found

_UNDER_WAY = timedelta(minutes=15)
_LOG_RETENTION = timedelta(days=29)
"""Commits behind a checkpoint are cleared away after 30 days; up to then their absence is a loss."""
_OF_A_LOG = re.compile(rf"\d{{20}}\.(json|crc|checkpoint\.parquet|checkpoint\.\d+\.\d+\.parquet)|{HINT}")
_OF_A_MANIFEST = re.compile(r"\d{20}\.(json|checkpoint|purged)")
TRUSTED_WITH = (Kind.ORPHAN, Kind.FOREIGN_COMMIT, Kind.MISSING_ANCHOR, Kind.ANCHOR_BEHIND, Kind.UNLISTED_COMMIT)
_UNREADABLE_ROWS = (Kind.DAMAGED_FILE, Kind.DAMAGED_CHECKPOINT)

Progress = Callable[[str], None]


def verify(
    lake: Lake,
    tables: Sequence[Table],
    now: datetime,
    *,
    deep: bool = False,
    progress: Progress | None = None,
    archive: Path | None = None,
    inbox: Path | None = None,
) -> list[Finding]:
    """Everything that is not as it was committed; with `archive` and `inbox`, in the deployment's home too."""
    findings: list[Finding] = []
    for table in tables:
        findings += verify_table(lake, table, now, deep=deep)
        if progress is not None:
            progress(table.name)
    damaged = {one.table for one in findings if one.kind in _UNREADABLE_ROWS}
    whole = [table for table in tables if table.name not in damaged]
    findings += unfinished(lake, whole, now - _UNDER_WAY)
    if any(one.table == LEDGER.name and one.kind not in TRUSTED_WITH for one in findings):
        return findings  # Nothing can be held against a ledger that is itself damaged.
    if deep:
        findings += reconcile(lake, whole, now - _UNDER_WAY)
    if LEDGER in tables:
        if deep and archive is not None:
            findings += check_archive(lake, archive)
        if archive is not None:
            nameless = list(check_name(lake, archive))
            findings += nameless or missing_originals(lake, archive, inbox)
            findings += missing_sidecars(lake, archive)
        if inbox is not None:
            findings += (late.finding for late in late_sidecars(lake, inbox) if late.finding is not None)
    return findings


def verify_table(lake: Lake, table: Table, now: datetime, *, deep: bool = False) -> list[Finding]:
    """Findings of one table; none for a table that was never made."""
    chain = read_chain(lake.manifest(table))
    folder = lake.manifest(table).folder
    log = lake.store.list(log_folder(folder))
    if not chain.entries and not log and not chain.findings:
        return []
    files = {
        found.path.removeprefix(f"{folder}/"): found
        for found in lake.store.list(folder)
        if not found.path.startswith(f"{folder}/{LOG}/")
    }
    check = _Check(lake, table, chain, log, files, now)
    checkpoints = list(check_checkpoints(lake.manifest(table), chain, log))
    return [
        *chain.findings,
        *check.anchor(),
        *check.commits(),
        *checkpoints,
        *check.data_files(deep=deep),
        *check.orphans(),
        *([] if checkpoints else check.readers_view()),
    ]


class _Check:
    """One table as it lay when its check began."""

    def __init__(
        self, lake: Lake, table: Table, chain: Chain, log: Sequence[Found], files: dict[str, Found], now: datetime
    ) -> None:
        self.lake, self.table, self.chain, self.files, self.now = lake, table, chain, files, now
        self.folder = lake.manifest(table).folder
        self.logged = log
        self.log = {version: one for one in log if (version := version_of(one.path, ".json")) is not None}
        checkpoints = [version_of(found.path, ".checkpoint.parquet") for found in log]
        self.checkpoint = max((version for version in checkpoints if version is not None), default=-1)

    def anchor(self) -> Iterator[Finding]:
        """Whether the anchor is where the manifest ends; a writer that has just written its entry moves it next."""
        if self.lake.anchors is None or not self.chain.entries:
            return
        anchor = self.chain.anchor
        after = -1 if anchor is None else anchor.version
        old = [version for version, at in self._entered.items() if version > after and at < self.now - _UNDER_WAY]
        if anchor is None and old and not any(one.kind is Kind.DAMAGED_ANCHOR for one in self.chain.findings):
            yield Finding(Kind.MISSING_ANCHOR, self.table.name, max(old))
        elif anchor is not None and old:
            detail = f"anchored: version {anchor.version}; last entry: {max(old)}"
            yield Finding(Kind.ANCHOR_BEHIND, self.table.name, max(old), detail=detail)

    @cached_property
    def _listed_manifest(self) -> list[Found]:
        return self.lake.store.list(self.lake.manifest(self.table).place)

    @property
    def _entered(self) -> dict[int, datetime]:
        """When each entry was written."""
        named = ((version_of(found.path, ".json"), found.modified_at) for found in self._listed_manifest)
        return {version: at for version, at in named if version is not None}

    def commits(self) -> Iterator[Finding]:
        """Commits that are lost, changed, or that the manifest lacks."""
        name, accepted_of_table = self.table.name, accepted(self.chain)
        for version, entry in self.chain.entries.items():
            found = self.log.get(version)
            if found is None:
                if not self._is_cleared(version):
                    is_last = "it is the last one" if version == self.chain.last else ""
                    yield Finding(Kind.LOST_COMMIT, name, version, detail=is_last)
            elif found.size == 0:
                yield Finding(Kind.EMPTY_COMMIT, name, version)
            elif self.lake.store.sha256(found.path) != entry.commit_sha256:
                yield Finding(Kind.DAMAGED_COMMIT, name, version)
            elif not entry.is_ours and not entry.is_baseline and version not in accepted_of_table:
                yield Finding(Kind.FOREIGN_COMMIT, name, version, detail=entry.operation)
        newer = {
            version: parse_commit(self.lake.store.read(found.path) or b"")
            for version, found in sorted(self.log.items())
            if version > self.chain.last
        }
        begun = newer.get(0)
        if newer and not self.chain.entries and (begun is None or not begun.is_ours):
            yield Finding(Kind.UNCOVERED, name, max(newer))
        else:
            for version, commit in newer.items():
                yield from self._unlisted(version, commit)
        yield from self._unlisted_files(newer)

    def _unlisted(self, version: int, commit: Commit | None) -> Iterator[Finding]:
        found = self.log[version]
        if commit is None:
            kind = Kind.DAMAGED_COMMIT if found.size else Kind.EMPTY_COMMIT
            yield Finding(kind, self.table.name, version, detail="the manifest lacks it too")
        elif commit.is_ours and (original := self._original(found, commit)) is not None:
            yield Finding(Kind.REPEATED_COMMIT, self.table.name, version, detail=f"of version {original}")
        elif not commit.is_ours:
            yield Finding(Kind.FOREIGN_COMMIT, self.table.name, version, detail=commit.operation)
        elif found.modified_at < self.now - _UNDER_WAY:
            yield Finding(Kind.UNLISTED_COMMIT, self.table.name, version)

    def _original(self, found: Found, commit: Commit) -> int | None:
        """The version that a commit is a copy of, or whose files it adds again."""
        digest, paths = self.lake.store.sha256(found.path), {added.path for added in commit.added}
        for version, entry in self.chain.entries.items():
            if entry.commit_sha256 == digest or any(one.path in paths for one in entry.added):
                return version
        return None

    def _unlisted_files(self, commits: Mapping[int, Commit | None]) -> Iterator[Finding]:
        """Files that commits without an entry have added for good: without hashes, sizes must do."""
        removed = {path for commit in commits.values() if commit is not None for path in commit.removed}
        for version, commit in commits.items():
            for added in commit.added if commit is not None else ():
                there = self.files.get(added.path)
                if added.path not in removed and (there is None or there.size != added.size):
                    kind = Kind.MISSING_FILE if there is None else Kind.DAMAGED_FILE
                    yield Finding(kind, self.table.name, version, added.path)

    def _is_cleared(self, version: int) -> bool:
        """Whether the log's own housekeeping removed the commit: old, behind a checkpoint, and all before it gone."""
        commit = parse_commit(self.chain.entries[version].commit.encode())
        is_old = commit is not None and commit.at is not None and commit.at < self.now - _LOG_RETENTION
        return is_old and version <= self.checkpoint and version < min(self.log, default=0)

    def data_files(self, *, deep: bool) -> Iterator[Finding]:
        """Files of the table that are missing or not as committed; files of its past only where they are kept."""
        live = self.chain.live()
        for path, file in self.chain.known().items():
            found = self.files.get(path)
            if found is None:
                if path in live or self._is_kept(path):
                    detail = "" if path in live else "only the table's past and its change feed need it"
                    yield Finding(
                        Kind.MISSING_FILE, self.table.name, self.chain.version_adding(path), path, detail=detail
                    )
            elif found.size != file.size:
                detail = f"{found.size:,} bytes, {file.size:,} were committed"
                yield Finding(Kind.DAMAGED_FILE, self.table.name, self.chain.version_adding(path), path, detail=detail)
            elif deep:
                yield from self._decoded(file, is_live=path in live)

    @cached_property
    def _gone_since(self) -> dict[str, datetime]:
        return self.chain.gone_since(after=self.lake.manifest(self.table).purged())

    def _is_kept(self, path: str) -> bool:
        """Whether a file of the table's past is too young for a vacuum to have taken it, and no erasure has."""
        since = self._gone_since.get(path)
        return since is not None and since > self.now - timedelta(days=LEAST_RETENTION_DAYS)

    def _decoded(self, file: DataFile, *, is_live: bool) -> Iterator[Finding]:
        content = self.lake.store.read(f"{self.folder}/{file.path}") or b""
        version = self.chain.version_adding(file.path)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            yield Finding(Kind.DAMAGED_FILE, self.table.name, version, file.path, detail="its hash is another")
        elif is_live and file.rows is not None:
            rows = sum(batch.num_rows for batch in pq.ParquetFile(BytesIO(content)).iter_batches())
            if rows != file.rows:
                detail = f"{rows:,} rows decoded, {file.rows:,} were committed"
                yield Finding(Kind.DRIFTED_ROWS, self.table.name, version, file.path, detail=detail)

    def orphans(self) -> Iterator[Finding]:
        """Files that no commit knows."""
        known = set(self.chain.known())
        for version, found in self.log.items():
            if version > self.chain.last or version <= self.chain.baseline:  # The manifest knows the rest.
                commit = parse_commit(self.lake.store.read(found.path) or b"")
                if commit is not None:
                    known |= {*commit.removed, *(added.path for added in (*commit.added, *commit.changes))}
        for path, found in self.files.items():
            if path not in known:
                yield from self._orphan(path, found)
        for found in self.logged:
            if not _OF_A_LOG.fullmatch(found.path.rsplit("/", 1)[-1]):
                yield from self._orphan(found.path.removeprefix(f"{self.folder}/"), found)
        for found in self._listed_manifest:
            if not _OF_A_MANIFEST.fullmatch(found.path.rsplit("/", 1)[-1]):
                yield from self._orphan(found.path, found)

    def _orphan(self, path: str, found: Found) -> Iterator[Finding]:
        if found.modified_at < self.now - _UNDER_WAY:
            yield Finding(Kind.ORPHAN, self.table.name, path=path, detail=f"of {found.modified_at:%Y-%m-%d}")

    def readers_view(self) -> Iterator[Finding]:
        """Whether a reader sees the rows that were committed."""
        try:
            version = self.lake.version(self.table)
            rows, files, _ = self.lake.size(self.table)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # The Delta library panics on some damage, which is no Exception.
            yield Finding(Kind.UNREADABLE, self.table.name, detail=type(error).__name__)
            return
        live = self.chain.live().values()
        counts = [file.rows for file in live]
        committed = sum(count for count in counts if count is not None)
        if version == self.chain.last and None not in counts and (rows, files) != (committed, len(counts)):
            detail = f"readers see {rows:,} rows in {files} files, {committed:,} in {len(counts)} were committed"
            yield Finding(Kind.DRIFTED_ROWS, self.table.name, version, detail=detail)

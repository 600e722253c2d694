"""What a failed write leaves behind: data files that it has written and no commit names.

Each attempt to append marks the schema of its files with a sign of its own, so that it can take its own files away when
it fails, and never another writer's. What a killed process leaves is found by verifying, as an orphan.
"""

import contextlib
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.commits import LOG, Commit, commit_path, parse_commit, version_of
from warehouse.storage import Store

SIGN = "borderlake.writer"
_CLOCKS_APART = timedelta(minutes=5)


def signed(schema: pa.Schema, column: str, sign: str) -> pa.Schema:
    """The schema with the writer's sign on a column that the files hold."""
    at = schema.get_field_index(column)
    return schema.set(at, schema.field(at).with_metadata({SIGN: sign}))


def sweep(store: Store, folder: str, column: str, sign: str, version: int) -> list[str]:
    """Remove the files that bear the sign, unless a commit after `version` names them; returns what was removed.

    `version` is the one that the write was made upon: what is older than its commit is not looked into.
    """
    log = {found.path: found.modified_at for found in store.list(f"{folder}/{LOG}")}
    began_at = log.get(commit_path(folder, version), datetime.max.replace(tzinfo=UTC)) - _CLOCKS_APART
    mine = [
        found.path
        for found in store.list(folder)
        if found.path.endswith(".parquet")
        and not found.path.startswith(f"{folder}/{LOG}/")
        and found.modified_at > began_at
        and _sign_of(store, found.path, column) == sign
    ]
    named = {f"{folder}/{added.path}" for commit in _commits_after(store, folder, version) for added in commit.added}
    left = [path for path in mine if path not in named]
    for path in left:
        store.delete(path)
    return left


def _sign_of(store: Store, path: str, column: str) -> str | None:
    with contextlib.suppress(pa.ArrowException, OSError, KeyError), store.open(path) as stream:
        metadata = pq.ParquetFile(stream).schema_arrow.field(column).metadata or {}
        sign = metadata.get(SIGN.encode())
        return None if sign is None else sign.decode()
    return None


def _commits_after(store: Store, folder: str, version: int) -> list[Commit]:
    """Commits that may name the files; one that cannot be read names them all, so nothing is removed."""
    logged = [version_of(found.path, ".json") for found in store.list(f"{folder}/{LOG}")]
    later = [at for at in logged if at is not None and at > version]
    parsed = [parse_commit(store.read(commit_path(folder, at)) or b"") for at in later]
    if None in parsed:
        raise OSError(f"a commit after version {version} cannot be read")
    return [commit for commit in parsed if commit is not None]

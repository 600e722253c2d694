"""Checkpoints of a table's log: whether each is whole and tells the same files as the manifest."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.chain import Chain
from warehouse.commits import HINT, checkpoint_path, hint_path, version_of
from warehouse.findings import Finding, Kind
from warehouse.manifest import Manifest, Noted, hinted_version, parse_note
from warehouse.storage import Found


def check_checkpoints(manifest: Manifest, chain: Chain, log: Sequence[Found]) -> Iterator[Finding]:
    """Findings about the checkpoints of a table."""
    name = manifest.table
    versions = [version_of(found.path, ".checkpoint.parquet") for found in log]
    present = sorted(version for version in versions if version is not None)
    newest: Noted | None = None
    for version in present:
        content = manifest.store.read(manifest.checkpoint_note(version))
        noted = None if content is None else parse_note(content)
        if content is not None and (noted is None or noted.version != version):
            fault: str | None = "its note in the manifest is damaged"
        else:
            fault, newest = _fault(manifest, chain, version, noted), noted
        if fault is not None:
            yield Finding(Kind.DAMAGED_CHECKPOINT, name, version, detail=fault)
    hint = manifest.store.read(hint_path(manifest.folder))
    fault = _fault_of_hint(manifest, hint, present, newest)
    if fault is not None:
        yield Finding(Kind.DAMAGED_CHECKPOINT, name, path=HINT, detail=fault)


def _fault(manifest: Manifest, chain: Chain, version: int, noted: Noted | None) -> str | None:
    """What is wrong with a checkpoint."""
    path = checkpoint_path(manifest.folder, version)
    if noted is not None and (noted.size, noted.sha256) != (manifest.store.size(path), manifest.store.sha256(path)):
        return "its hash is another"
    try:
        column = pq.read_table(BytesIO(manifest.store.read(path) or b""), columns=["add"]).column("add")
        paths = {unquote(add["path"]) for add in column.to_pylist() if add is not None}
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
        return "it cannot be read"
    if chain.baseline <= version <= chain.last and not chain.findings and paths != set(chain.live(version)):
        return "it tells other files than were committed"
    return None


def _fault_of_hint(manifest: Manifest, hint: bytes | None, present: Sequence[int], newest: Noted | None) -> str | None:
    """What is wrong with the log's hint to its last checkpoint."""
    noted = None if newest is None else newest.hint
    if hint is None:
        return None if noted is None else "it is lost"
    version = hinted_version(hint)
    if version is None or version not in present:  # Else another writer has made one meanwhile.
        is_there = version is not None and manifest.store.size(checkpoint_path(manifest.folder, version)) is not None
        return None if is_there else "it names no checkpoint that is there"
    if noted is not None and newest is not None and (version, hint) != (newest.version, noted.encode()):
        return "it is not the one that was written"
    return None

"""Checkpoints of a table's log: whether each is whole and tells the same files as the manifest."""

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.chain import Chain
from warehouse.commits import checkpoint_path, version_of
from warehouse.findings import Finding, Kind
from warehouse.manifest import Manifest, log_folder
from warehouse.storage import Found

_HINT = "_last_checkpoint"


def hint_path(folder: str) -> str:
    """Where the log names its last checkpoint."""
    return f"{log_folder(folder)}/{_HINT}"


def check_checkpoints(manifest: Manifest, chain: Chain, log: Sequence[Found]) -> Iterator[Finding]:
    """Findings about the checkpoints of a table."""
    name = manifest.table
    versions = [version_of(found.path, ".checkpoint.parquet") for found in log]
    present = sorted(version for version in versions if version is not None)
    for version in present:
        fault = _fault(manifest, chain, version)
        if fault is not None:
            yield Finding(Kind.DAMAGED_CHECKPOINT, name, version, detail=fault)
    hint = manifest.store.read(hint_path(manifest.folder))
    if hint is not None and _hinted(hint) not in present:
        yield Finding(Kind.DAMAGED_CHECKPOINT, name, path=_HINT, detail="it names no checkpoint that is there")


def _fault(manifest: Manifest, chain: Chain, version: int) -> str | None:
    """What is wrong with a checkpoint."""
    path = checkpoint_path(manifest.folder, version)
    content = manifest.store.read(path) or b""
    noted = manifest.store.read(manifest.checkpoint_note(version))
    if noted is not None and json.loads(noted)["sha256"] != manifest.store.sha256(path):
        return "its hash is another"
    try:
        column = pq.read_table(BytesIO(content), columns=["add"]).column("add")
        paths = {unquote(add["path"]) for add in column.to_pylist() if add is not None}
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
        return "it cannot be read"
    if chain.baseline <= version <= chain.last and not chain.findings and paths != set(chain.live(version)):
        return "it tells other files than were committed"
    return None


def _hinted(content: bytes) -> int | None:
    try:
        return int(json.loads(content)["version"])
    except (ValueError, KeyError, TypeError):
        return None

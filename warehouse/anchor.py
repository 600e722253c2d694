"""Anchors: the end of each table's manifest, remembered outside the lake, so that a cut end is found.

One small file a table in the deployment's home. It may lag behind (a crash, another home writing to the same lake),
never lead.
"""

import fcntl
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from warehouse.errors import TableDamaged
from warehouse.storage import write_durably


@dataclass(frozen=True)
class Anchor:
    """Last known version, number of entries up to it, digest of its entry."""

    version: int
    count: int
    head: str


def read_anchor(anchors: Path, table: str) -> Anchor | None:
    """The table's anchor; None where it has none yet. Raises where it cannot be read."""
    path = _path(anchors, table)
    try:
        content = path.read_bytes()
        anchor = Anchor(**json.loads(content))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, RecursionError):
        anchor = None
    if anchor is None or _written(anchor) != content:
        raise TableDamaged(f"{table}: its anchor {path.name} is damaged; run `borderlake verify`")
    return anchor


def write_anchor(anchors: Path, table: str, anchor: Anchor) -> None:
    """Move the table's anchor forward, durably."""
    anchors.mkdir(parents=True, exist_ok=True)
    with (anchors / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # A slower writer of an earlier version must not move it back.
        held = read_anchor(anchors, table)
        if held is None or held.version < anchor.version:
            write_durably(_path(anchors, table), _written(anchor), replace=True)


def set_anchor_aside(anchors: Path, table: str) -> None:
    """Move a damaged anchor out of the way, where a person can still look at it."""
    path = _path(anchors, table)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.damaged"))


def _written(anchor: Anchor) -> bytes:
    return (json.dumps(asdict(anchor)) + "\n").encode()


def _path(anchors: Path, table: str) -> Path:
    return anchors / f"{table}.json"

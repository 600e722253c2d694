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
    try:
        return Anchor(**json.loads(_path(anchors, table).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise TableDamaged(
            f"{table}: its anchor {_path(anchors, table).name} cannot be read; restore it from the home's backup"
        ) from None


def write_anchor(anchors: Path, table: str, anchor: Anchor) -> None:
    """Move the table's anchor forward, durably."""
    anchors.mkdir(parents=True, exist_ok=True)
    with (anchors / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # A slower writer of an earlier version must not move it back.
        held = read_anchor(anchors, table)
        if held is None or held.version < anchor.version:
            write_durably(_path(anchors, table), (json.dumps(asdict(anchor)) + "\n").encode(), replace=True)


def _path(anchors: Path, table: str) -> Path:
    return anchors / f"{table}.json"

"""What a share stands for: the agreement that its latest version is cut to, and how far back it is cut to the same.

Whoever refreshes a share says so in the commit, and notes it under `_shares/` of the lake once the refresh is done.
"""

import json
from dataclasses import dataclass
from typing import Any

from warehouse.agreements import Agreement
from warehouse.snapshots import Snapshot, changes
from warehouse.storage import Store

FACT = "borderlake.share"
NOTES = "_shares"


@dataclass(frozen=True)
class Standing:
    """The terms of a version, and the first version that is cut to the same ones."""

    agreement_id: str
    agreement_version: int
    is_withdrawn: bool
    since: int

    def is_under(self, agreement: Agreement) -> bool:
        """Whether it is cut to this agreement as it is now."""
        told = (self.agreement_id, self.agreement_version)
        return told == (agreement.agreement_id, agreement.version) and not self.is_withdrawn


def share_table(recipient: str, table: str) -> str:
    """The table of the lake that holds what a recipient gets of a table."""
    return f"shares.{recipient.replace('-', '_')}__{table.split('.', 1)[1]}"


def standing(store: Store, snapshot: Snapshot) -> Standing | None:
    """What a share's latest version stands for; None where nothing says so, and nothing may be served then."""
    note = _object(store.read(f"{NOTES}/{snapshot.table}.json"))
    if note.get("version") == snapshot.version:
        return _standing(note.get("progress"), snapshot.version)
    commit = changes(store, snapshot.folder, snapshot.version)  # Not noted yet.
    return None if commit is None else _standing(_object(commit.facts.get(FACT, "").encode()), snapshot.version)


def _standing(told: Any, version: int) -> Standing | None:
    try:
        since = version if told["since"] is None else int(told["since"])
        return Standing(str(told["agreement_id"]), int(told["agreement_version"]), not told["terms"], since)
    except (KeyError, TypeError, ValueError):
        return None


def _object(content: bytes | None) -> dict[str, Any]:
    try:
        told = json.loads(content or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}

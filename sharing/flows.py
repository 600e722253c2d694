"""What flowed, from the audit log: per agreement, recipient and table; each file's rows counted once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sharing.audit import Action, Entry


@dataclass
class Flow:
    """What one recipient got of one table under one agreement; of refusals, what was asked for."""

    agreement_id: str
    recipient: str
    table: str
    purposes: set[str] = field(default_factory=set)
    queries: int = 0
    """Of versions and of changes."""
    files: int = 0
    """Different files that were fetched, in part or whole."""
    rows: int = 0
    """Of those files."""
    size: int = 0
    """Bytes of the files, each time that they were fetched."""
    refused: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    _seen: set[str] = field(default_factory=set, repr=False)

    def take(self, entry: Entry) -> None:
        """Count an entry."""
        self.purposes |= {entry.purpose} - {""}
        self.queries += entry.action in (Action.QUERY, Action.CHANGES)
        self.refused += entry.action is Action.REFUSED
        self.first_at = entry.at if self.first_at is None else min(self.first_at, entry.at)
        self.last_at = entry.at if self.last_at is None else max(self.last_at, entry.at)
        if entry.action is Action.FILE:
            self.size += entry.size
            if entry.file_id not in self._seen:
                self._seen.add(entry.file_id)
                self.files += 1
                self.rows += entry.rows


def flows(entries: Iterable[Entry]) -> list[Flow]:
    """Every flow, in order of agreement, recipient and table; what was refused to strangers is one of them."""
    found: dict[tuple[str, str, str], Flow] = {}
    for entry in entries:
        table = entry.table if entry.recipient else ""  # What strangers ask for is theirs to make up.
        key = (entry.agreement_id, entry.recipient, table)
        found.setdefault(key, Flow(*key)).take(entry)
    return [found[key] for key in sorted(found)]


def chosen(
    entries: Iterable[Entry],
    *,
    recipient: str | None = None,
    agreement: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Entry]:
    """Entries of a recipient, of an agreement (any version, unless it is named with one), from a time up to another."""
    for entry in entries:
        is_theirs = recipient is None or entry.recipient == recipient
        name = entry.agreement_id
        is_under = agreement is None or name == agreement or name.partition(" version ")[0] == agreement
        is_then = (since is None or entry.at >= since) and (until is None or entry.at < until)
        if is_theirs and is_under and is_then:
            yield entry

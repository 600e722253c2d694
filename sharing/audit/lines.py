"""A line of the audit log: what it tells, how it is written down, and that it is read as it was written to the byte."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FIRST = ""
"""What the first line holds in place of the digest of a line before it."""


class Action(StrEnum):
    """What an entry tells of."""

    LIST = "list"
    METADATA = "metadata"
    QUERY = "query"
    CHANGES = "changes"
    URL = "url"
    FILE = "file"
    REFUSED = "refused"


@dataclass(frozen=True)
class Entry:
    """One thing that was told, served or refused. `rows` are those of the files that it names."""

    at: datetime
    action: Action
    recipient: str = ""
    agreement_id: str = ""
    table: str = ""
    version: int | None = None
    rows: int = 0
    purpose: str = ""
    detail: str = ""
    credential_id: str = ""
    address: str = ""
    file_id: str = ""
    size: int = 0
    """Bytes."""


@dataclass(frozen=True)
class Line:
    """An entry as it stands in the log."""

    number: int
    previous: str
    entry: Entry

    @property
    def content(self) -> bytes:
        """The line, without its end."""
        told = {"number": self.number, "previous": self.previous, **vars(self.entry), "at": self.entry.at.isoformat()}
        return json.dumps(told, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """What the next line and the anchor hold of this one."""
        return digest_of(self.content)


def parse(content: bytes) -> Line | None:
    """The line; None where the content is none, or not as it was written to the byte."""
    try:
        told = json.loads(content)
        number, previous = told.pop("number"), told.pop("previous")
        told["at"] = datetime.fromisoformat(told["at"])
        told["action"] = Action(told["action"])
        line = Line(number, previous, Entry(**told))
        return line if content == line.content + b"\n" and type(number) is int else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def digest_of(content: bytes) -> str:
    """SHA-256 of a line without its end, in hex."""
    return hashlib.sha256(content).hexdigest()

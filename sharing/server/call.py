"""One request as the answers see it: who asks, what, when; and the parameters that the protocol knows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sharing.audit import Action, Entry
from sharing.recipients import Recipient
from sharing.server.access import Access, Grant
from sharing.server.house import House
from sharing.server.refusals import malformed

CAPABILITIES = "delta-sharing-capabilities"
_LARGEST = (1 << 63) - 1


@dataclass(frozen=True)
class Call:
    """A request of a recipient that has proved who it is."""

    house: House
    recipient: Recipient
    at: datetime
    address: str
    base_url: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    capabilities: str = ""
    is_head: bool = False

    @cached_property
    def access(self) -> Access:
        return Access(self.house, self.recipient, self.at)

    @cached_property
    def grant(self) -> Grant:
        """The grant of the table that the path names."""
        return self.access.named(self.path["share"], self.path["schema"], self.path["table"])

    @property
    def is_delta(self) -> bool:
        """Whether the answer is to be in the delta response format: where no other is understood."""
        told = dict(part.partition("=")[::2] for part in self.capabilities.lower().replace(" ", "").split(";"))
        formats = [one for one in told.get("responseformat", "").split(",") if one]
        return "delta" in formats and "parquet" not in formats

    def number(self, name: str, *, of_body: bool = False) -> int | None:
        """A whole number, 0 or more; None where it is not told."""
        told = self.body.get(name) if of_body else self.query.get(name)
        if told is None:
            return None
        if of_body:
            value = told if type(told) is int else -1
        else:
            value = int(told) if told.isascii() and told.isdigit() and len(told) < 20 else -1
        if not 0 <= value <= _LARGEST:
            raise malformed(f"{name} is to be a whole number, 0 or more")
        return value

    def moment(self, name: str, *, of_body: bool = False) -> datetime | None:
        """A moment, in UTC where it names no zone; None where it is not told."""
        told = self.body.get(name) if of_body else self.query.get(name)
        if told is None:
            return None
        try:
            moment = datetime.fromisoformat(told)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, OverflowError):
            raise malformed(f"{name} is to be a time as 2026-01-31 14:30:00") from None

    def entry(self, action: Action, grant: Grant | None = None, **facts: Any) -> Entry:
        """A line for the log."""
        told: dict[str, Any] = {"agreement_id": str(grant.agreement), "table": grant.table} if grant else {}
        return Entry(
            at=self.at,
            action=action,
            recipient=self.recipient.code,
            purpose=self.recipient.purpose,
            credential_id=self.recipient.credential_id,
            address=self.address,
            **told | facts,
        )


def object_of(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a request's body; an empty one where there is no body."""
    try:
        told = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise malformed("the body is to be a JSON object")
    return told

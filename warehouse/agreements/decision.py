"""May X see Y for purpose Z at time T? The one function that decides, for whatever leaves the house.

The default is no. What an answer says of why is for the giving agency's own log: a recipient is told no more than no.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from warehouse.agreements.dictionary import granted
from warehouse.agreements.model import REASONS, Agreement
from warehouse.contracts.base import Purpose


class Why(StrEnum):
    """Why something may or may not be seen; of several agreements, how near the nearest came."""

    ALLOWED = "allowed"
    NO_AGREEMENT = "no agreement with the recipient"
    NOT_GRANTED = "no agreement with the recipient names the table"
    COLUMN_NOT_GRANTED = "the agreement does not name the column"
    OTHER_PURPOSE = "the agreement is for other purposes"
    NOT_BEGUN = "the agreement has not begun"
    EXPIRED = "the agreement has expired"
    REVOKED = "the agreement was revoked"


_NEARNESS = {why: place for place, why in enumerate(Why)}


@dataclass(frozen=True)
class Decision:
    """The answer, the reason, and the agreement it rests on: of a refusal, the one that came nearest."""

    allowed: bool
    why: Why
    agreement: Agreement | None = None


def may(
    agreements: Iterable[Agreement], recipient: str, table: str, column: str | None, purpose: Purpose, at: datetime
) -> Decision:
    """Whether `recipient` may see a column of a table (None: any of it) for `purpose` at `at`."""
    nearest = Decision(False, Why.NO_AGREEMENT)
    for agreement in agreements:
        if agreement.recipient.code != recipient:
            continue
        why = _why(agreement, table, column, purpose, at)
        if why is Why.ALLOWED:
            return Decision(True, why, agreement)
        if _NEARNESS[why] > _NEARNESS[nearest.why]:
            nearest = Decision(False, why, agreement)
    return nearest


def _why(agreement: Agreement, table: str, column: str | None, purpose: Purpose, at: datetime) -> Why:
    shared = granted(agreement, table)
    if shared is None:
        return Why.NOT_GRANTED
    if column is not None and column not in shared.columns and not (column == REASONS and shared.reasons is not None):
        return Why.COLUMN_NOT_GRANTED
    if purpose not in agreement.purposes:
        return Why.OTHER_PURPOSE
    if agreement.is_in_force(at):
        return Why.ALLOWED
    if agreement.revoked_at is not None and at >= agreement.revoked_at:
        return Why.REVOKED
    return Why.NOT_BEGUN if at.astimezone(UTC).date() < agreement.starts_on else Why.EXPIRED

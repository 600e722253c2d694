"""What jurisdictions allow beyond what the contracts say: their own law, and what neighbours show them.

Purposes of data are the contracts'; this is what differs from one jurisdiction to the next. Default is deny.
"""

from dataclasses import dataclass

from warehouse.contracts.base import Purpose

PARTNER = "partner-"
"""Owners that begin so are agencies of another jurisdiction."""

_BESIDE = {Purpose.BORDER_CHECK: (Purpose.PNR_ASSESSMENT,)}
"""What PNR may serve together with, where the law has switched it on."""


@dataclass(frozen=True)
class Terms:
    """The terms of a deployment's jurisdictions."""

    pnr: frozenset[str] = frozenset()
    """Jurisdictions whose law lets features derive from PNR."""
    unshown: frozenset[str] = frozenset()
    """Jurisdictions that show their neighbours what they see, and are shown nothing."""

    def purposes(self, purpose: Purpose, jurisdiction: str) -> frozenset[Purpose]:
        """Purposes that data may be of to serve `purpose` in `jurisdiction`."""
        granted = {purpose, *_BESIDE.get(purpose, ())}
        if jurisdiction not in self.pnr:
            granted.discard(Purpose.PNR_ASSESSMENT)
        return frozenset(granted)

    def shows(self, owner: str, jurisdiction: str) -> bool:
        """Whether what `owner` knows is shown in `jurisdiction`."""
        return not owner.startswith(PARTNER) or jurisdiction not in self.unshown


ORDINARY = Terms()
"""No PNR anywhere; neighbours show what they see."""

"""What a share is: the table that one recipient gets of one table of the lake, as its agreement cuts it.

How it is filled is `sharing.materialise`; what flows is `warehouse.agreements.cutting`.
"""

import copy
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import dataframely as dy
import polars as pl

from sharing.pseudonyms import Key
from warehouse.agreements.cutting import shared_columns, shared_dtype
from warehouse.agreements.dictionary import LAYER as DICTIONARIES
from warehouse.agreements.model import REASONS, Agreement, Mask, Masking, Period, SharedTable
from warehouse.catalog import Table, table_of

LAYER = "shares"
_WORDS = {
    Mask.PSEUDONYM: "As the recipient's own pseudonym.",
    Mask.DATE: "Only the {}: its first day.",
    Mask.PLACE: "Only its country.",
    Mask.BAND: "Only the lower end of its band of {}.",
    Mask.ROUND: "Only the nearest multiple of {}.",
}


@dataclass(frozen=True)
class Share:
    """One table of one agreement."""

    agreement: Agreement
    shared: SharedTable

    @property
    def name(self) -> str:
        """`shares.<recipient>__<table>`."""
        return share_name(self.agreement.recipient.code, self.shared.table)

    @property
    def source(self) -> Table:
        """The table of the lake that it is cut from."""
        return table_of(self.shared.table)

    @property
    def table(self) -> Table:
        """The table that the recipient gets. No bounds of it stand in its log: they would outlive their rows."""
        columns = {name: self._column(name) for name in shared_columns(self.source, self.shared)}
        return Table(
            name=self.name,
            description=self.source.description,
            columns=columns,
            key=(),
            owner=self.source.owner,
            personal=frozenset(columns),
        )

    @cached_property
    def agreed(self) -> str:
        """A digest of what the agreement lets go, whatever its version is called."""
        told = (
            sorted((name, str(masking)) for name, masking in self.shared.columns.items()),
            sorted(map(str, self.shared.rows)),
            None if self.shared.reasons is None else sorted(self.shared.reasons),
            self.shared.delay,
            self.shared.has_history,
            self.shared.has_changes,
            [(name, str(dtype)) for name, dtype in self.source.dtypes.items()],
        )
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def terms(self, key: Key) -> str:
        """A digest of all that decides which cells the share holds; while it stays, only new rows count."""
        return hashlib.sha256(f"{self.agreed}{key.token('terms')}".encode()).hexdigest()

    def masking(self, name: str) -> Masking:
        """What becomes of a column; reasons are masked one by one, by whose data they rest on."""
        return Masking(Mask.KEEP) if name == REASONS else self.shared.columns[name]

    def masked_as(self, name: str) -> str:
        """What becomes of a column, in a word or two."""
        return "reasons; others restricted" if name == REASONS else str(self.masking(name))

    def _column(self, name: str) -> dy.Column:
        column, masking = self.source.columns[name], self.masking(name)
        if masking.mask is Mask.KEEP:
            return column
        words = _WORDS[masking.mask].format(masking.parameter)
        if masking.parameter == Period.DAY:
            words = "Only the day."
        made = copy.copy(column)
        if shared_dtype(column.dtype, masking) == pl.Date():
            made = dy.Date(nullable=column.nullable)
        made.description = f"{column.description} {words}"
        return made


def share_name(recipient: str, table: str) -> str:
    """The name of what a recipient gets of a table.

    No two are the same: codes have no underscores, and no table of gold is called as one of silver, or as a dictionary.
    """
    layer, name = table.split(".")
    named = f"{layer}__{name}" if layer == DICTIONARIES else name
    return f"{share_prefix(recipient)}{named}"


def share_prefix(recipient: str) -> str:
    """What the names of all shares of a recipient begin with."""
    return f"{LAYER}.{recipient.replace('-', '_')}__"


def by_name(name: str) -> Table:
    """A share of which no more than its name is known: enough for its versions, files and notes."""
    return Table(name, "A share.", columns={}, key=(), owner="platform")


def shares_of(agreements: Iterable[Agreement], at: datetime) -> tuple[Share, ...]:
    """Every share that agreements ever made, once: under the agreement in force at `at`, else under the latest."""
    found: dict[str, Share] = {}
    for agreement in sorted(agreements, key=lambda one: (one.is_in_force(at), one.starts_on, one.version)):
        for shared in agreement.tables.values():
            share = Share(agreement, shared)
            found[share.name] = share
    return tuple(found[name] for name in sorted(found))

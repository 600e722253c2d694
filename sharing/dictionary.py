"""What stands in the dictionary of an agreement: each column that it shares, as the recipient gets it.

It is a share like the others, but for its rows: they come from the agreement and the catalog alone.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import polars as pl

from sharing.shares import Share, share_name
from warehouse.agreements.dictionary import DictionaryColumns, dictionary_name
from warehouse.agreements.model import REASONS, Agreement, Mask, Period
from warehouse.catalog import Table
from warehouse.contracts.base import Sensitivity, facts
from warehouse.contracts.odcs import types_of

PSEUDONYMOUS = "pseudonymous"
_UTC = "UTC"


@dataclass(frozen=True)
class Dictionary:
    """The dictionary of one agreement."""

    agreement: Agreement

    @property
    def name(self) -> str:
        """`shares.<recipient>__dictionary__<agreement>`."""
        return share_name(self.agreement.recipient.code, dictionary_name(self.agreement))

    @property
    def table(self) -> Table:
        """The table that the recipient gets."""
        columns = DictionaryColumns.columns()
        return Table(
            name=self.name,
            description=f"The columns that are shared under {self.agreement.title}.",
            columns=columns,
            key=("table", "column"),
            owner="platform",
            personal=frozenset(columns),
        )

    @cached_property
    def rows(self) -> pl.DataFrame:
        """A row a column."""
        shares = (Share(self.agreement, shared) for shared in self.agreement.tables.values())
        told = [row for share in shares for row in _columns(share)]
        return pl.DataFrame(told, schema=self.table.dtypes)

    @cached_property
    def agreed(self) -> str:
        """A digest of all that stands in it."""
        return hashlib.sha256(self.rows.write_json().encode()).hexdigest()


def dictionaries_of(agreements: Iterable[Agreement], at: datetime) -> tuple[Dictionary, ...]:
    """The dictionary of every agreement that ever was, once: of the version in force at `at`, else of the latest."""
    found: dict[str, Dictionary] = {}
    for agreement in sorted(agreements, key=lambda one: (one.is_in_force(at), one.starts_on, one.version)):
        made = Dictionary(agreement)
        found[made.name] = made
    return tuple(found[name] for name in sorted(found))


def column_facts(share: Share, name: str) -> dict[str, str | None]:
    """Unit, standard and sensitivity of a column as it is shared."""
    column = share.source.columns[name]
    known = column.metadata or facts()
    masking = share.masking(name)
    dtype = share.table.dtypes[name]
    sensitivity = str(Sensitivity.COMMERCIAL if name == REASONS else known["sensitivity"])
    unit = known["unit"] or (_UTC if isinstance(dtype, pl.Datetime) else None)
    if masking.mask is Mask.DATE:
        unit = "day" if masking.parameter == Period.DAY else f"first day of the {masking.parameter}"
    if masking.mask is Mask.PLACE:
        return {"unit": None, "standard": "ISO 3166-1 alpha-2", "sensitivity": sensitivity}
    if masking.mask is Mask.PSEUDONYM:
        return {"unit": None, "standard": None, "sensitivity": PSEUDONYMOUS}
    return {"unit": unit, "standard": known["standard"], "sensitivity": sensitivity}


def _columns(share: Share) -> Iterator[dict[str, object]]:
    for position, (name, column) in enumerate(share.table.columns.items(), start=1):
        yield {
            "table": share.source.name,
            "position": position,
            "column": name,
            "type": types_of(column.dtype)[1],
            "is_nullable": column.nullable,
            "meaning": column.description,
            "masking": share.masked_as(name),
            **column_facts(share, name),
        }

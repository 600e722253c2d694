"""How an agency's software changes what it writes: a column that is left empty, or kept in another unit, from a day on.

Files stay well formed: what is wrong with them shows in their values alone. Damaged files are `dispatch`'s, single
spoiled values `defects`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

MAY_BE_EMPTIED = {
    "customs.declarations": ("DECLARANT", "SELLER", "CARRIER", "CONSIGNMENT", "DISPATCH", "DUTY_PCT", "GROSS_KG"),
    "immigration.crossings": ("vehicle_plate", "carrier", "flight_number", "purpose", "residence", "party_size"),
}
MAY_CHANGE_UNIT = {"customs.declarations": ("DUTY_PCT", "NET_KG", "GROSS_KG", "VALUE")}
"""Numbers with a decimal comma."""


@dataclass(frozen=True)
class FeedChange:
    """From `from_day` on, a column is written `factor` times as large, or, without a factor, not at all."""

    from_day: int
    dataset: str
    column: str
    factor: float | None = None

    @property
    def said(self) -> str:
        """What changes, in words."""
        return f"{self.dataset}: {self.column} {'left empty' if self.factor is None else f'times {self.factor:g}'}"

    @property
    def candidates(self) -> Sequence[str]:
        """Columns of the dataset that may change so; none of an unknown one."""
        return (MAY_BE_EMPTIED if self.factor is None else MAY_CHANGE_UNIT).get(self.dataset, ())


def rewritten(rows: pl.DataFrame, changes: Sequence[FeedChange]) -> pl.DataFrame:
    """Rows of a text layout as written after these changes of its columns."""
    return rows.with_columns(_written(change) for change in changes)


def _written(change: FeedChange) -> pl.Expr:
    column = pl.col(change.column)
    if change.factor is None:
        return pl.lit(None, pl.String).alias(change.column)
    number = column.str.replace(",", ".", literal=True).cast(pl.Float64) * change.factor
    return number.round(3).cast(pl.Decimal(38, 3)).cast(pl.String).str.replace(".", ",", literal=True)

"""What flows under an agreement: from a table's rows exactly those, and of them exactly the columns, that it names.

Rows whose conditions cannot be told (a null) do not flow. Pseudonyms are HMAC-SHA-256 (RFC 2104) under a key of the
recipient's as hex text, the first 128 bits in hex; who holds another key cannot join them.
"""

from datetime import datetime
from decimal import Decimal

import polars as pl
import polars_hash

from warehouse.agreements.model import REASONS, Mask, Masking, Operator, Period, RowCondition, SharedTable
from warehouse.catalog import Table
from warehouse.errors import BorderlakeError
from warehouse.ids import ID_LENGTH

RESTRICTED = "restricted factor"
KNOWN_AT = ("scored_at", "decided_at", "known_at")
"""Columns that say when a row came to be known, the first that a table has."""
_PSEUDONYM = "pseudonym\x1f"
_EVERY = {Period.DAY: "1d", Period.WEEK: "1w", Period.MONTH: "1mo", Period.QUARTER: "1q", Period.YEAR: "1y"}


def cut(rows: pl.LazyFrame, table: Table, shared: SharedTable, key: bytes, at: datetime) -> pl.LazyFrame:
    """Rows of `table` as the recipient may have them at `at`: its shared columns in the order of the table."""
    return rows.filter(admitted(table, shared, at)).select(
        *(_column(name, table, shared, key) for name in shared_columns(table, shared))
    )


def shared_columns(table: Table, shared: SharedTable) -> list[str]:
    """Names of what flows, in the order of the table."""
    return [
        name for name in table.columns if name in shared.columns or (name == REASONS and shared.reasons is not None)
    ]


def admitted(table: Table, shared: SharedTable, at: datetime) -> pl.Expr:
    """Whether a row flows: it meets every condition, and is old enough."""
    conditions = [_meets(condition) for condition in shared.rows]
    if shared.delay:
        conditions.append(pl.col(known_column(table)) <= at - shared.delay)
    return pl.all_horizontal(pl.lit(True), *(condition.fill_null(False) for condition in conditions))


def known_column(table: Table) -> str:
    """The column that says since when a row of the table has been known; raises where none does."""
    for name in KNOWN_AT:
        if name in table.columns:
            return name
    raise BorderlakeError(f"{table.name} does not say when its rows were known; share it without a delay")


def shared_dtype(dtype: pl.DataType, masking: Masking) -> pl.DataType:
    """The type that a column has once it is masked."""
    return pl.Date() if masking.mask is Mask.DATE else dtype


def _column(name: str, table: Table, shared: SharedTable, key: bytes) -> pl.Expr:
    if name == REASONS:
        return _reasons(shared.reasons or frozenset())
    return masked(pl.col(name), table.dtypes[name], shared.columns[name], key).alias(name)


def masked(value: pl.Expr, dtype: pl.DataType, masking: Masking, key: bytes) -> pl.Expr:
    """A column's values as an agreement lets them go; null stays null."""
    match masking:
        case Masking(Mask.KEEP):
            return value
        case Masking(Mask.PSEUDONYM):
            return pseudonym(value, key)
        case Masking(Mask.DATE, str(period)):
            return value.dt.truncate(_EVERY[Period(period)]).cast(pl.Date)
        case Masking(Mask.PLACE):
            return value.str.slice(0, 2)
        case Masking(Mask.BAND, int() | float() as width):
            return ((value.cast(pl.Float64) / width).floor() * width).round(_decimals(width)).cast(dtype)
        case Masking(Mask.ROUND, int() | float() as step):
            rounded = (value.cast(pl.Float64) / step).round(mode="half_away_from_zero") * step
            return rounded.round(_decimals(step)).cast(dtype)
    raise BorderlakeError(f"nothing is known to mask by as '{masking}'; check the agreement")


def pseudonym(value: pl.Expr, key: bytes) -> pl.Expr:
    """The recipient's own name for a value; the same in every table that it gets."""
    text = pl.concat_str(pl.lit(_PSEUDONYM), value.cast(pl.String), ignore_nulls=False)
    hashed: pl.Expr = polars_hash.concat_str(text).chash.hmac_sha256(key=key.hex())
    return hashed.str.slice(0, ID_LENGTH)


def _reasons(owners: frozenset[str]) -> pl.Expr:
    """Reasons of data whose owners all allow it; of the others only that there is one, and its weight."""
    reason = pl.element().struct
    others = reason.field("owners").list.set_difference(pl.lit(sorted(owners), dtype=pl.List(pl.String)))
    is_open = others.list.len() == 0
    hidden = {
        **{name: pl.lit(RESTRICTED) for name in ("theme", "feature", "text", "sensitivity")},
        "owners": pl.lit([], dtype=pl.List(pl.String)),
    }
    shown = {name: pl.when(is_open).then(reason.field(name)).otherwise(instead) for name, instead in hidden.items()}
    return pl.col(REASONS).list.eval(
        pl.struct(
            theme=shown["theme"],
            feature=shown["feature"],
            text=shown["text"],
            contribution=reason.field("contribution"),
            owners=shown["owners"],
            sensitivity=shown["sensitivity"],
        )
    )


def _meets(condition: RowCondition) -> pl.Expr:
    column, value = pl.col(condition.column), condition.value
    if isinstance(value, tuple):
        return column.is_in(list(value))
    match condition.operator:
        case Operator.AT_LEAST:
            return column >= value
        case Operator.AT_MOST:
            return column <= value
    return column == value


def _decimals(step: float) -> int:
    """Decimals that a multiple of the step has."""
    exponent = Decimal(str(step)).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0

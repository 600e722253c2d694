"""What `bench leak` draws: rows of the lake's own tables, what happens to them, and agreements on them.

Everything comes from one `random.Random`, so that the same seed gives the same lake and the same agreements.
"""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from warehouse.agreements.cutting import KNOWN_AT
from warehouse.agreements.lines import parse
from warehouse.agreements.model import REASONS, Agreement, Mask, Masking, Operator, Period, RowCondition, SharedTable
from warehouse.agreements.reading import NEVER, agreement_of
from warehouse.agreements.templates import template
from warehouse.catalog import Table, table_of

TABLES = ("gold.shipment_scores", "gold.crossing_selections", "gold.dispositions", "silver.outcomes")
"""By day and not, with reasons and without, one that a correction may touch."""
FIRST_DAY = date(2026, 3, 1)
BEGAN = datetime(2026, 3, 4, tzinfo=UTC)
"""When the first rows have all been known for a while."""
_DAYS = 3
_PLACES = ("XNPRT", "XNLND", "XSGRZ")
_OWNERS = ("customs", "immigration", "surveillance")

Rows = list[dict[str, Any]]


def draw_rows(draw: random.Random, table: Table, count: int, first: date = FIRST_DAY) -> Rows:
    """Rows of a table of the catalog, on three days."""
    return [_row(draw, table, first + timedelta(days=draw.randrange(_DAYS))) for _ in range(count)]


def frame_of(rows: Rows, table: Table) -> pl.DataFrame:
    """Rows as the lake takes them."""
    return pl.DataFrame(rows, schema=table.dtypes)


def changed(draw: random.Random, rows: Rows, table: Table) -> tuple[Rows, list[date]]:
    """The rows with one taken away and one corrected, where there are any, and the days that were touched."""
    made, touched = [dict(row) for row in rows], []
    if made:
        touched.append(_day(made.pop(draw.randrange(len(made))), table))
    if made:
        at = draw.randrange(len(made))
        touched.append(_day(made[at], table))
        made[at] = _row(draw, table, touched[-1])
    return made, sorted(set(touched))


def _day(row: Mapping[str, Any], table: Table) -> date:
    found: date = row[table.partition_by[0]] if table.partition_by else FIRST_DAY
    return found


def _row(draw: random.Random, table: Table, day: date) -> dict[str, Any]:
    return {name: _value(draw, table, name, dtype, day) for name, dtype in table.dtypes.items()}


def _value(draw: random.Random, table: Table, name: str, dtype: pl.DataType, day: date) -> Any:
    if table.columns[name].nullable and draw.random() < 0.2:
        return None
    if name in table.partition_by:
        return day
    if name == REASONS:
        return [_reason(draw) for _ in range(draw.randrange(4))]
    if isinstance(dtype, pl.List):
        return [draw.random() for _ in range(3)]
    if isinstance(dtype, pl.Datetime):
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=draw.randrange(24 * 60))
    if dtype == pl.Date:
        return day - timedelta(days=draw.randrange(100))
    if dtype == pl.Boolean:
        return draw.random() < 0.5
    if dtype == pl.String:
        return draw.choice(_PLACES) if not name.endswith("_id") else f"{draw.randrange(8):032x}"
    if isinstance(dtype, pl.Decimal):
        return Decimal(draw.randrange(10**6)) / 10**2
    # Never half way between two steps: there the last bit of a division decides, and the twin divides otherwise.
    return (draw.randrange(1000) + 0.3) / 1000 if dtype.is_float() else draw.randrange(100)


def _reason(draw: random.Random) -> dict[str, Any]:
    feature = draw.choice(("weight", "lane", "history"))
    return {
        "theme": f"of {feature}",
        "feature": feature,
        "text": f"why {feature}",
        "contribution": draw.random(),
        "owners": draw.sample(_OWNERS, draw.randrange(len(_OWNERS))),
        "sensitivity": "open",
    }


def draw_agreement(draw: random.Random, recipient: str, most_tables: int = 2) -> Agreement:
    """An agreement in force, on some of the tables."""
    base = agreement_of(parse(template("bilateral-land-border"), "drawn"))
    names = draw.sample(TABLES, draw.randint(1, most_tables))
    return replace(
        base,
        agreement_id=f"with-{recipient}",
        recipient=replace(base.recipient, code=recipient),
        tables={name: draw_shared(draw, table_of(name)) for name in names},
        starts_on=FIRST_DAY,
    )


def draw_shared(draw: random.Random, table: Table) -> SharedTable:
    """What of a table may flow: any columns that may leave the house, masked in any way that fits."""
    offered = {name: _maskings(table, name) for name in table.columns}
    may_flow = [name for name, maskings in offered.items() if maskings]
    chosen = draw.sample(may_flow, draw.randint(1, len(may_flow)))
    is_timed = any(name in table.columns for name in KNOWN_AT)
    return SharedTable(
        table.name,
        {name: draw.choice(offered[name]) for name in chosen},
        tuple(_condition(draw, table) for _ in range(draw.randrange(3))),
        _owners(draw) if REASONS in table.columns else None,
        has_history=draw.random() < 0.2,
        has_changes=draw.random() < 0.5,
        delay=timedelta(hours=draw.choice((0, 0, 30))) if is_timed else timedelta(0),
    )


def _owners(draw: random.Random) -> frozenset[str] | None:
    return frozenset(draw.sample(_OWNERS, draw.randrange(3))) if draw.random() < 0.7 else None


def _maskings(table: Table, name: str) -> list[Masking]:
    dtype = table.dtypes[name]
    if name in NEVER or name in table.personal or dtype.is_nested():
        return []
    if (table.columns[name].description or "").startswith("Keyed id"):
        return [Masking(Mask.PSEUDONYM)]
    made = [Masking(Mask.KEEP)]
    if dtype == pl.String:
        made += [Masking(Mask.PSEUDONYM), Masking(Mask.PLACE)]
    if dtype.is_temporal():
        made += [Masking(Mask.DATE, period.value) for period in Period]
    if dtype.is_numeric():
        made += [Masking(Mask.BAND, 10), Masking(Mask.ROUND, 0.05 if dtype.is_float() else 5)]
    return made


def _condition(draw: random.Random, table: Table) -> RowCondition:
    plain = [name for name, dtype in table.dtypes.items() if dtype in (pl.String, pl.Boolean, pl.Int64, pl.Float64)]
    name = draw.choice(plain)
    dtype = table.dtypes[name]
    if dtype == pl.Boolean:
        return RowCondition(name, Operator.IS, draw.random() < 0.5)
    if dtype == pl.String:
        return RowCondition(name, Operator.ONE_OF, tuple(draw.sample(_PLACES, 2)))
    least = draw.randrange(50) if dtype == pl.Int64 else draw.random() / 2
    return RowCondition(name, draw.choice((Operator.AT_LEAST, Operator.AT_MOST)), least)

"""Norvale customs' declarations: `;`, ISO 8859-1, CRLF, decimal comma, office time; one row a goods item."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulation.formats.text import decimal_comma, delimited, local
from simulation.geography import OFFICES
from simulation.world import World

_DIGITS = {c: i for i, c in enumerate("0123456789")}
# ISO 6346 letter values skip multiples of eleven.
_LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", [v for v in range(10, 39) if v % 11], strict=True))
_WEIGHTS = 2 ** np.arange(17)


def number_declarations(goods: pl.DataFrame, day_of_year: int, year: int) -> pl.DataFrame:
    """Adds `decl_no`: a movement reference number, in order of lodging within each office and day."""
    sequence = pl.struct("at", "shuffle").rank("dense").over("office") - 1
    office = pl.Series([o.code[2:] for o in OFFICES])
    stem = (
        pl.lit(f"{year % 100:02d}XN")
        + office.gather(goods["office"])
        + pl.lit(f"{day_of_year:03d}")
        + sequence.cast(pl.Int64).cast(pl.String).str.zfill(6)
        + "R"
    )
    numbered = goods.with_columns(stem.alias("decl_no"))
    return numbered.with_columns((pl.col("decl_no") + pl.Series(_check_digits(numbered["decl_no"]))).alias("decl_no"))


def _check_digits(stems: pl.Series) -> pl.Series:
    """The eighteenth character of a movement reference number: ISO 6346 weights, modulo 11, 10 as 0."""
    if stems.is_empty():
        return pl.Series([], dtype=pl.String)
    codes = np.frombuffer("".join(stems.to_list()).encode(), dtype=np.uint8).reshape(len(stems), 17)
    table = np.zeros(256, dtype=np.int64)
    for char, value in {**_DIGITS, **_LETTERS}.items():
        table[ord(char)] = value
    return pl.Series((table[codes] * _WEIGHTS).sum(axis=1) % 11 % 10).cast(pl.String)


def layout(world: World, goods: pl.DataFrame) -> pl.DataFrame:
    """The agency's columns, all text, in the order of the file; AMENDED is empty unless a correction says when."""
    firms, products = world.firms, world.products
    return goods.select(
        DECL_NO="decl_no",
        ITEM_NO=pl.col("item_no").cast(pl.String),
        LODGED=local("at").dt.strftime("%d.%m.%Y %H:%M:%S"),
        OFFICE=pl.Series([o.code for o in OFFICES]).gather(goods["office"]),
        PROCEDURE="procedure",
        MODE="mode",
        IMPORTER=firms.importer_id.gather(goods["firm"]),
        IMPORTER_NAME=firms.importer_name_at_customs.gather(goods["firm"]),
        DECLARANT=firms.declarant_id.gather(goods["declarant"]),
        SELLER=firms.seller_id.gather(goods["seller"]),
        CARRIER="carrier",
        CONVEYANCE="conveyance",
        CONSIGNMENT="consignment",
        HS=products.hs.gather(goods["product"]),
        ORIGIN="origin",
        DISPATCH="dispatch",
        DUTY_PCT=decimal_comma("duty_pct", 1),
        NET_KG=decimal_comma("net_kg", 3),
        GROSS_KG=decimal_comma("gross_kg", 3),
        PACKAGES=pl.col("packages").cast(pl.String),
        VALUE=decimal_comma("value", 2),
        CURRENCY="currency",
        DESCRIPTION=products.description.gather(goods["product"]),
        AMENDED=pl.when(pl.col("amended") > 0).then(local("amended").dt.strftime("%d.%m.%Y %H:%M:%S")),
        TRADER_STATUS=pl.when("trusted").then(pl.lit("AEO")),
    )


def encode(rows: pl.DataFrame) -> bytes:
    """The whole file, header included."""
    return delimited(rows, ";", "latin-1", "\r\n")

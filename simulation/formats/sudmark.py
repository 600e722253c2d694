"""The neighbour's extracts: Sudmark's customs and immigration write Parquet with code lists of their own.

Countries are Sudmark's own numbers, plates carry hyphens, money is cents, goods codes have eight digits, sex is
1, 2 or 9 (ISO/IEC 5218), times are naive in Sudmark's zone; what leaves Sudmark is an export or a departure.
"""

from __future__ import annotations

import polars as pl

from simulation.formats.text import local
from simulation.geography import OFFICES
from simulation.people import NATION_CODES
from simulation.products import ORIGINS
from simulation.randomness import Ints
from simulation.world import World

# Sudmark numbers countries in the order of its own list; the list goes to its partners on paper.
COUNTRY_NUMBERS = {code: 101 + 7 * k % 899 for k, code in enumerate(sorted(ORIGINS))}
NATION_NUMBERS = {code: 101 + 11 * k % 899 for k, code in enumerate(NATION_CODES.to_list())}
_POSTS = pl.Series([f"SD-{o.code[2:]}" for o in OFFICES])


def hyphenated(plate: str) -> pl.Expr:
    """`AB123CD` as Sudmark writes it, `AB-123-CD`."""
    column = pl.col(plate)
    text: pl.Expr = column.str.slice(0, 2) + "-" + column.str.slice(2, 3) + "-" + column.str.slice(5)
    return text


def exports(world: World, goods: pl.DataFrame) -> pl.DataFrame:
    """What leaves for Norvale by road, as its sender declared it at home (`hearsay.exported`)."""
    return goods.select(
        export_no=pl.lit("SDX") + pl.col("consignment") + "-" + pl.col("item_no").cast(pl.String),
        exported_at=local("left").dt.replace_time_zone(None),
        post=_POSTS.gather(goods["office"]),
        exporter=world.firms.seller_id.gather(goods["seller"]),
        consignee=world.firms.importer_id.gather(goods["firm"]),
        goods_code=pl.col("export_hs") + "00",
        origin_no=pl.col("export_origin").replace_strict(COUNTRY_NUMBERS, return_dtype=pl.Int32),
        net_grams=(pl.col("export_net_kg") * 1000).round().cast(pl.Int64),
        value_cents=(pl.col("export_value_eur") * 100).round().cast(pl.Int64),
        lorry=hyphenated("conveyance"),
        exporter_name="exporter_name",
        consignee_name="consignee_name",
    )


def departures(crossings: pl.DataFrame, between_posts_s: Ints) -> pl.DataFrame:
    """Who leaves Sudmark for Norvale, or comes from there, at the land posts; names as Sudmark writes them.

    Whoever enters Norvale passed Sudmark's post so many seconds before, whoever leaves it so many after.
    """
    sex = {"M": 1, "F": 2}
    away = pl.when(pl.col("direction") == "entry").then(-pl.col("between")).otherwise(pl.col("between"))
    passed = crossings.with_columns(between=pl.Series(between_posts_s)).with_columns(at=pl.col("at") + away).sort("at")
    return passed.select(
        passage=pl.lit("P") + pl.int_range(1, len(passed) + 1).cast(pl.String).str.zfill(8),
        passed_at=local("at").dt.replace_time_zone(None),
        post=_POSTS.gather(passed["office"]),
        way=pl.when(pl.col("direction") == "entry").then(pl.lit("D")).otherwise(pl.lit("A")),
        doc_no="document_number",
        doc_class=pl.when(pl.col("document_type") == "P").then(1).otherwise(2).cast(pl.Int16),
        nation_no=pl.Series(NATION_CODES)
        .gather(passed["nation"])
        .replace_strict(NATION_NUMBERS, return_dtype=pl.Int32),
        last_name="surname",
        first_names="given_names",
        born=pl.col("birth_date").dt.strftime("%d/%m/%Y"),
        sex=pl.col("sex").replace_strict(sex, default=9, return_dtype=pl.Int16),
        car=pl.when(pl.col("plate") != "").then(hyphenated("plate")),
    )

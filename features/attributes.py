"""What an event says of itself, in the columns that views and models name."""

import polars as pl

from features import themes
from features.views import Feature
from warehouse.contracts.base import Purpose, Sensitivity
from warehouse.contracts.codes import CodeList

TOLD_BY = {"ln_value_per_kg": "log_value_per_kg", "ln_mass": "log_mass"}
"""The feature in which a value is told that another column holds in another way."""


def ln(amount: pl.Expr) -> pl.Expr:
    """Natural logarithm of what is more than nothing."""
    return pl.when(amount > 0).then(amount.log())


def shipment_attributes(shipments: pl.LazyFrame) -> pl.LazyFrame:
    """Goods items (imports or exports) with their derived columns."""
    mass = pl.col("net_mass_kg").cast(pl.Float64)
    value = pl.col("item_value").cast(pl.Float64)
    local = pl.col("event_local_at")
    return shipments.with_columns(
        hs2=pl.col("hs_code").str.slice(0, 2),
        hs4=pl.col("hs_code").str.slice(0, 4),
        log_mass=mass.log1p(),
        # Plain logarithms, whose differences are ratios.
        ln_mass=ln(mass),
        ln_gross=ln(pl.col("gross_mass_kg").cast(pl.Float64)),
        ln_value_per_kg=ln(pl.when(mass > 0).then(value / mass)),
        log_value=value.log1p(),
        log_value_per_kg=pl.when(mass > 0).then((value / mass).log1p()),
        gross_to_net=pl.when(mass > 0).then(pl.col("gross_mass_kg").cast(pl.Float64) / mass),
        goods_key=pl.concat_str(
            "hs_code", "country_of_dispatch", "country_of_origin", "duty_rate_pct", "duty_regime", "net_mass_kg",
            separator="|", ignore_nulls=True,
        ),
        hour=local.dt.hour().cast(pl.Float64),
        weekday=local.dt.weekday().cast(pl.Float64),
    )  # fmt: skip


def crossing_attributes(crossings: pl.LazyFrame) -> pl.LazyFrame:
    """Crossings with their derived columns."""
    local = pl.col("event_local_at")
    return crossings.with_columns(
        age_band=(pl.col("age_years") // 10).cast(pl.String),
        is_entry=(pl.col("direction") == "entry").cast(pl.Int8),
        # Who has come in and not left is one ahead.
        entries_less_exits=pl.when(pl.col("direction") == "entry").then(1).otherwise(-1),
        hour=local.dt.hour().cast(pl.Float64),
        weekday=local.dt.weekday().cast(pl.Float64),
    )


def stated(
    owner: str,
    purposes: frozenset[Purpose],
    name: str,
    description: str,
    unit: str,
    *,
    is_category: bool = False,
    codes: CodeList | None = None,
    phrase: str = "",
) -> Feature:
    """A feature that is one of these columns."""
    theme = themes.of_attribute(name, description)
    return Feature(
        name, description, unit, owner, purposes, Sensitivity.OPEN, is_category, theme, codes=codes, phrase=phrase
    )

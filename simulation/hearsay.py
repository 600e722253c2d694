"""What others say of the same thing: exporters to Sudmark's customs, carriers in manifests, airlines of passengers.

They differ from Norvale's papers for honest reasons too, and those in league say the same as the papers, so that
comparing helps and never decides alone. Columns are the simulation's own; layouts are in `formats`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulation.firm_names import as_sudmark_writes
from simulation.people import document_numbers, identities
from simulation.randomness import Bools, Ints
from simulation.spelling import SLIPS, misspelt
from simulation.world import World

# Exporters who say what the import papers say, of illicit consignments by road.
COLLUDES = 0.45
# Other valuation (half of consignments, up to this much), other last two digits of the goods code, coarser masses.
_REVALUED, _BASIS, _OTHER_CODE, _TO_1_KG, _TO_10_KG = 0.5, 0.12, 0.06, 0.5, 0.2
# Manifests: true goods, else what was declared, else something vague; noise of masses; masses without what is hidden.
_TRUE_TEXT, _DECLARED_TEXT, _SCALES, _WITHOUT_HIDDEN = 0.55, 0.25, 0.03, 0.5
_VAGUE = pl.Series(
    [
        "GENERAL CARGO",
        "SAID TO CONTAIN MIXED GOODS",
        "CONSOLIDATED CARGO",
        "FREIGHT ALL KINDS",
        "SAID TO CONTAIN SPARES",
    ]
)
MISTYPED, OTHER_DOCUMENT = 0.02, 0.5


def exported(world: World, rng: np.random.Generator, goods: pl.DataFrame) -> pl.DataFrame:
    """Adds what the sender states at home: `export_hs`, `export_origin`, `export_net_kg`, `export_value_eur`, names."""
    n, one = len(goods), _consignments(goods)
    in_league = goods["is_illicit"].to_numpy() & (rng.random(n) < COLLUDES)[one]
    product = np.where(in_league, goods["product"].to_numpy(), goods["true_product"].to_numpy())
    value = np.where(in_league, goods["value_eur"].to_numpy(), goods["true_value_eur"].to_numpy())
    basis = np.where(rng.random(n) < _REVALUED, 1 + rng.uniform(-_BASIS, _BASIS, n), 1.0)[one]
    net, dice = goods["net_kg"].to_numpy(), rng.random(n)
    coarse = np.select([dice < _TO_1_KG, dice < _TO_1_KG + _TO_10_KG], [np.ceil(net), np.ceil(net / 10) * 10], net)
    hs = world.products.hs.gather(product)
    nearby = hs.str.slice(0, 4) + pl.Series(rng.integers(10, 100, n)).cast(pl.String)
    sellers = as_sudmark_writes(world.firms.seller_name.gather(goods["seller"]))
    importers = as_sudmark_writes(world.firms.importer_name.gather(goods["firm"]))
    other = pl.Series("other", rng.random(n) < _OTHER_CODE)
    return goods.with_columns(
        export_hs=pl.select(pl.when(other).then(nearby).otherwise(hs).alias("hs"))["hs"],
        export_origin=pl.when(pl.Series(in_league)).then("origin").otherwise("true_origin"),
        export_net_kg=pl.Series(coarse),
        export_value_eur=pl.Series(value * basis),
        exporter_name=misspelt(rng, sellers, SLIPS["sudmark"]),
        consignee_name=misspelt(rng, importers, SLIPS["sudmark"]),
    )


def shipped(world: World, rng: np.random.Generator, goods: pl.DataFrame) -> pl.DataFrame:
    """Adds what the carrier writes of a consignment: `manifest_text` and, for each item, `manifest_kg`."""
    n, one = len(goods), _consignments(goods)
    dice, description = rng.random(n)[one], world.products.description
    texts = pl.DataFrame(
        {
            "true": description.gather(goods["true_product"]),
            "declared": description.gather(goods["product"]),
            "vague": _VAGUE.gather(rng.integers(0, len(_VAGUE), n)[one]),
            "dice": dice,
        }
    ).select(
        pl.when(pl.col("dice") < _TRUE_TEXT)
        .then("true")
        .when(pl.col("dice") < _TRUE_TEXT + _DECLARED_TEXT)
        .then("declared")
        .otherwise("vague")
        .alias("text")
    )
    hidden = np.where(rng.random(n) < _WITHOUT_HIDDEN, goods["hidden_kg"].to_numpy(), 0.0)
    weighed = (goods["gross_kg"].to_numpy() - hidden) * (1 + rng.uniform(-_SCALES, _SCALES, n)[one])
    return goods.with_columns(texts["text"].alias("manifest_text"), manifest_kg=pl.Series(np.maximum(weighed, 0.1)))


def checked_in(rng: np.random.Generator, landed: pl.DataFrame) -> pl.DataFrame:
    """Those who landed as they were at check-in: who is not what the document says has often shown another there."""
    n = len(landed)
    swaps = rng.random(n) < OTHER_DOCUMENT
    fraud, other = (landed["kind"] == "document_fraud").to_numpy(), (landed["kind"] == "impostor").to_numpy()
    numbers = document_numbers(rng, n)
    as_themselves = identities(rng, landed["nation"].to_numpy())
    return landed.with_columns(
        document_number=pl.when(pl.Series(swaps & (fraud | other))).then(numbers).otherwise("document_number"),
        **{
            name: pl.when(pl.Series(swaps & other)).then(as_themselves[name]).otherwise(name)
            for name in ("surname", "given_names", "birth_date")
        },
    )


def mistyped(rng: np.random.Generator, people: pl.DataFrame) -> pl.DataFrame:
    """Some document numbers with two neighbouring digits exchanged, as hurried clerks type them."""
    number = pl.col("document_number")
    place = pl.Series("place", rng.integers(2, 8, len(people)))
    pair = number.str.slice(place, 1), number.str.slice(place + 1, 1)
    typed = number.str.slice(0, place) + pair[1] + pair[0] + number.str.slice(place + 2)
    slips: Bools = rng.random(len(people)) < MISTYPED
    return people.with_columns(document_number=pl.when(pl.Series(slips)).then(typed).otherwise(number))


def _consignments(goods: pl.DataFrame) -> Ints:
    """For each item a number that items of the same consignment share, below the number of items."""
    return (goods["consignment"].rank("dense").cast(pl.Int64) - 1).to_numpy()

"""Who is looked at, and what the officers say: an old rule policy, a random sample, a few tips.

Propensities are what the policy gave; how well officers see is in `officers`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.officers import Officers
from simulation.parcels import FORMAL_EUR
from simulation.products import RISKY_ORIGINS, Products
from simulation.randomness import Bools, Floats, Ints

RANDOM_SHARE = 0.02
# The old rules' chance for what they flag: formal declarations, and those below the value that asks for one.
RULE_CHANCE, RULE_CHANCE_SMALL = 0.6, 0.2
# What is left of that for authorised economic operators.
_TRUSTED = 0.15
_RISKY_CHAPTERS = np.array([2, 22, 24, 42, 61, 62, 64, 85, 87, 95])


@dataclass(frozen=True)
class Selection:
    """Rows selected, why, and with what probability they were to be (1.0 for a tip)."""

    row: Ints
    reason: list[str]
    probability: Floats


def select_goods(rng: np.random.Generator, products: Products, goods: pl.DataFrame) -> Selection:
    """The old rules: certain chapters from certain origins, and young firms; rarely low values or trusted traders."""
    chapter = products.chapter[goods["product"].to_numpy()]
    risky = goods["origin"].is_in(list(RISKY_ORIGINS)).to_numpy()
    flagged = (np.isin(chapter, _RISKY_CHAPTERS) & risky) | (goods["age_days"].to_numpy() < 90)
    tipped = (goods["ring"].to_numpy() >= 0) & goods["is_illicit"].to_numpy() & (rng.random(len(goods)) < 0.05)
    worth = goods.select(pl.col("value_eur").sum().over("decl_no"))["value_eur"].to_numpy()
    chance = np.where(worth < FORMAL_EUR, RULE_CHANCE_SMALL, RULE_CHANCE)
    chance = np.where(goods["trusted"].to_numpy(), _TRUSTED * chance, chance)
    return select(rng, flagged, chance, RANDOM_SHARE, tipped)


def select(
    rng: np.random.Generator, flagged: Bools, rule_chance: Floats, random_share: float, tipped: Bools
) -> Selection:
    """Tips first, then the random sample over everything, then the rules over what they flag, each by its chance."""
    dice, lot = rng.random(len(flagged)), rng.random(len(flagged)) < random_share
    code = np.where(tipped, 3, np.where(lot, 2, np.where(flagged & (dice < rule_chance), 1, 0)))
    row = np.flatnonzero(code)
    taken = code[row]
    return Selection(
        row,
        [("", "rule", "random", "intelligence")[c] for c in taken],
        np.choose(taken, [np.zeros(len(row)), rule_chance[row], random_share, 1.0]),
    )


def inspect_goods(
    rng: np.random.Generator, products: Products, officers: Officers, goods: pl.DataFrame
) -> pl.DataFrame:
    """Inspections of a day's goods: declaration, item, selection, result; `at` is when they are reported."""
    chosen = select_goods(rng, products, goods)
    seen, n = goods[chosen.row], len(chosen.row)
    officer = officers.on_duty(rng, n)
    irregular = officers.judge(rng, officer, seen["is_illicit"].to_numpy())
    wrong_kind = pl.Series(rng.choice(["undervaluation", "misclassification", "false_origin"], n, p=[0.6, 0.25, 0.15]))
    inspected = seen["at"].to_numpy() + rng.integers(1800, 20 * 3600, n)
    delay = np.minimum(np.round(rng.gamma(2.2, 3.6, n)) + 1, 25)
    found = pl.DataFrame(
        {
            "ring": np.where(irregular & seen["is_illicit"].to_numpy(), seen["ring"].to_numpy(), -1),
            "decl_no": seen["decl_no"],
            "item_no": seen["item_no"],
            "inspected_at": inspected,
            "at": inspected + (delay * 86_400).astype(np.int64) + rng.integers(-6 * 3600, 6 * 3600, n),
            "selection": chosen.reason,
            "probability": chosen.probability,
            "irregular": irregular,
            "kind": pl.select(pl.when(seen["kind"] == "").then(wrong_kind).otherwise(seen["kind"]).alias("k"))["k"],
            "amount": np.where(
                seen["is_illicit"].to_numpy(), seen["recoverable_eur"].to_numpy(), rng.lognormal(5.5, 0.8, n)
            ),
            "officer": officers.badge.gather(officer),
        }
    )
    return found.with_columns(
        kind=pl.when("irregular").then("kind"),
        amount=pl.when("irregular").then(pl.col("amount").round(2)).otherwise(0.0),
    )

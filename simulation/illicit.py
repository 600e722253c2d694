"""How a shipment turns illicit: the chance, the kind, and the marks it leaves on the papers.

Marks overlap with honest noise on purpose. Who inspects, and what is found, is in `inspection`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.products import HAVENS, IS_PREFERENTIAL, Products
from simulation.randomness import Bools, Floats, Ints, logistic

KINDS = ("", "undervaluation", "misclassification", "false_origin", "concealment", "split_consignment")
_LONE_SHARES = np.array([0.48, 0.19, 0.19, 0.14])
_RING_SHARES = np.array([0.18, 0.10, 0.16, 0.56])
VAT_PCT = 20.0


@dataclass(frozen=True)
class Papers:
    """What the papers say after the fact, one place an item; `kind` indexes KINDS, 0 is honest."""

    kind: Ints
    product: Ints
    origin: Ints
    duty_pct: Floats
    value_eur: Floats
    gross_kg: Floats
    hidden_kg: Floats
    recoverable_eur: Floats


def chance_alone(
    importer_risk: Floats, seller_risk: Floats, duty_pct: Floats, age_days: Ints, strange: Bools
) -> Floats:
    """Probability that an item outside any ring is illicit: habit, temptation, a young firm, an odd line."""
    temptation = 0.045 * np.minimum(duty_pct, 20)
    return logistic(
        -5.75 + 1.0 * importer_risk + 0.7 * seller_risk + temptation + 0.7 * (age_days < 120) + 0.5 * strange
    )


def tamper(
    rng: np.random.Generator,
    products: Products,
    illicit: Bools,
    in_ring: Bools,
    split: Bools,
    product: Ints,
    origin: Ints,
    value_eur: Floats,
    net_kg: Floats,
    gross_kg: Floats,
) -> Papers:
    """Papers of honest items unchanged, of illicit ones bent as their kind asks; `split` ones are true, in parts."""
    n = len(illicit)
    dice, free = rng.random(n), IS_PREFERENTIAL[origin]
    kind = 1 + np.where(
        in_ring,
        np.searchsorted(np.cumsum(_RING_SHARES), dice),
        np.searchsorted(np.cumsum(_LONE_SHARES), dice),
    )
    true_duty = np.where(free, 0.0, products.duty_pct[product])
    # A kind that would gain nothing falls back on the price.
    kind = np.where((kind == 2) & ((products.cheaper[product] == product) | free), 1, kind)
    kind = np.where((kind == 3) & (true_duty < 2), 1, np.minimum(kind, 4))
    kind = np.where(illicit, np.where(split, 5, kind), 0)

    declared = np.where(kind == 2, products.cheaper[product], product)
    claimed = np.where(kind == 3, HAVENS[rng.integers(0, len(HAVENS), n)], origin)
    value = np.where(kind == 1, value_eur * rng.uniform(0.42, 0.85, n), value_eur)
    hidden = np.where(kind == 4, net_kg * rng.gamma(2.0, 0.02, n), 0.0)
    duty = np.where(IS_PREFERENTIAL[claimed], 0.0, products.duty_pct[declared])
    evaded = (value_eur - value) * (true_duty + VAT_PCT) / 100 + np.where(
        (kind == 2) | (kind == 3), value_eur * (true_duty - duty) / 100, 0
    )
    # What is broken up would enter as if it were gifts, free of all.
    evaded = np.where(kind == 5, value_eur * (true_duty + VAT_PCT) / 100, evaded)
    concealed = np.where(kind == 4, rng.lognormal(8.6, 0.9, n), 0.0)
    return Papers(
        kind,
        declared.astype(np.int64),
        claimed,
        duty,
        value,
        gross_kg + hidden,
        hidden,
        np.where(kind > 0, np.maximum(evaded, 0) + concealed, 0.0),
    )

"""Estimators: what lanes miss and what another policy would find, from the few outcomes whose chance is known.

Outcomes are known of what was looked at, and officers look where they suspect: counting them flatters every policy.
A row whose outcome became known by a draw of known probability stands for one over that probability rows, which
makes totals unbiased (Horvitz and Thompson, 1952, JASA 47); shares are steadier when the weights are divided by their
own sum (Hájek, 1971). A policy that was not followed is judged by the same weights (inverse propensity scoring).

Every function reads rows with
    chance      the probability with which the outcome was to become known; null where nothing is known of it,
    is_sampled  whether the draw took the row and its outcome is known,
    is_awaited  whether the draw took the row and its outcome is still to come (or nobody looked, against the advice),
    is_adverse  the outcome.
`designed` makes them. Intervals are of 95 %: of weighted counts those of Fay and Feuer (1997, Statistics in Medicine
16), which hold for few cases and say how many there may be where none was found; of shares Wilson's with the effective
number of rows (Kish, 1965); of differences MOVER's (Zou and Donner, 2008, Statistics in Medicine 27).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.selection import looks

Floats = NDArray[np.float64]

_LOW, _HIGH = 0.025, 0.975


@dataclass(frozen=True)
class Estimate:
    """An estimated value with its 95 % interval; `high` may be infinite."""

    value: float
    low: float
    high: float


def designed() -> dict[str, pl.Expr]:
    """`chance`, `is_sampled` and `is_awaited` of selections joined with decisions and outcomes.

    Where officers decide on lanes (`has_decisions`), the chance is the lane's `propensity`, and a row counts as sampled
    if it was looked at (`is_inspected`) and its outcome is known. Elsewhere it is what the agency reports of its own
    draw: `selection` random with its `selection_probability`, or all; a tip that is looked at for certain says so by a
    probability of 1.
    """
    is_known = pl.col("is_adverse").is_not_null()
    drawn_by_agency = pl.col("selection").is_in(["random", "all"]) | (pl.col("selection_probability") == 1)
    chance_of_agency = (
        pl.when(pl.col("selection") == "all").then(1.0)
        .when(drawn_by_agency & (pl.col("selection_probability") > 0)).then("selection_probability")
    )  # fmt: skip
    followed = looks() & pl.col("is_inspected").fill_null(value=False) & is_known
    by_lanes = pl.col("has_decisions")
    return {
        "chance": pl.when(by_lanes).then("propensity").otherwise(chance_of_agency),
        "is_sampled": pl.when(by_lanes).then(followed).otherwise(is_known & chance_of_agency.is_not_null()),
        "is_awaited": by_lanes & looks() & ~followed,
    }


def leakage(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """By group: `events`, `sampled`, `awaited`, estimated `adverse` events, of these `missed`, and the `rate`.

    An event is missed when its lane lets it pass, as it does with probability 1 - `propensity`. Each figure comes with
    `_low` and `_high`, null where no row could have been sampled, or all that were are awaited; `without_chance` counts
    rows that nothing can be said of, for no draw could have taken them. Totals are too low by what is awaited.
    """
    missing, least = 1 - pl.col("propensity"), least_chance(rows)
    found = []
    for key, group in rows.group_by(by, maintain_order=True):
        figures = {
            "adverse": total(group, pl.lit(1.0), least),
            "missed": total(group, missing, least),
            "rate": rate(group),
        }
        counts = {"sampled": int(group["is_sampled"].sum()), "awaited": int(group["is_awaited"].sum())}
        told = {"events": group.height, **counts, **_flat(figures)}
        found.append(dict(zip(by, key, strict=True)) | told | {"without_chance": int((group["chance"] == 0).sum())})
    numbers = {f"{name}{end}": pl.Float64() for name in ("adverse", "missed", "rate") for end in ("", "_low", "_high")}
    counted = dict.fromkeys(("events", "sampled", "awaited"), pl.Int64())
    schema = {name: rows.schema[name] for name in by} | counted | numbers | {"without_chance": pl.Int64()}
    return pl.DataFrame(found, schema).sort(by, nulls_last=True)


def total(rows: pl.DataFrame, weight: pl.Expr, least: float | None = None) -> Estimate | None:
    """Horvitz-Thompson: the sum over all rows of `weight` times adverse, from the sampled ones.

    A row whose chance nobody tells, for the agency's draw did not take it, had one of `least`; default: the least that
    any of `rows` is known to have had. None where a row may count and no draw is known of, or nothing but awaited ones.
    """
    least = least_chance(rows) if least is None else least
    counting = rows.with_columns(weight=weight).filter(pl.col("weight") > 0)
    sampled = counting.filter("is_sampled")
    possible = counting.filter(pl.col("chance").is_between(0, 1, closed="none"))
    untold = counting.filter(pl.col("chance").is_null())
    is_known_of = possible.height and not counting["is_awaited"].any()
    if counting.height and sampled.is_empty() and not is_known_of:
        return None
    if untold.height and least is None:
        return None
    added = pl.concat([possible, untold]).select(
        pl.col("weight") / pl.col("chance").fill_null(pl.lit(least, pl.Float64))
    )
    largest = added.to_series().max() or 0.0
    assert isinstance(largest, float)
    adverse = sampled.filter("is_adverse")
    chances = adverse["chance"].to_numpy()
    return weighted_count(adverse["weight"].to_numpy() / chances, chances, largest)


def least_chance(rows: pl.DataFrame) -> float | None:
    """The least chance with which a draw is known to have taken a row; None where none is."""
    chance = pl.col("chance")
    found: float | None = rows.filter(chance.is_between(0, 1, closed="none")).select(chance.min()).item()
    return found


def weighted_count(weights: Floats, chances: Floats, largest: float) -> Estimate:
    """The sum of `weights` of sampled cases, each sampled with its chance; `largest` is the most one more would add.

    What was certain to be sampled has no error.
    """
    is_drawn = chances < 1
    certain, drawn = float(weights[~is_drawn].sum()), weights[is_drawn]
    value = float(drawn.sum())
    spread = float((drawn**2 * (1 - chances[is_drawn])).sum())
    low = _gamma_quantile(value, spread, _LOW)
    high = _gamma_quantile(value + largest, spread + largest**2, _HIGH)
    return Estimate(certain + value, certain + low, certain + high)


def rate(rows: pl.DataFrame) -> Estimate | None:
    """Hájek: the share of adverse events, from the sampled ones; None where there are none."""
    sampled = rows.filter(pl.col("is_sampled") & (pl.col("chance") > 0))
    if sampled.is_empty():
        return None
    weights = 1 / sampled["chance"].to_numpy()
    share = float(weights @ sampled["is_adverse"].cast(pl.Float64).to_numpy() / weights.sum())
    return Estimate(share, *wilson(share, float(weights.sum() ** 2 / (weights**2).sum())))


def gain(rows: pl.DataFrame, policy: str, other: str) -> Estimate | None:
    """How many more adverse events `policy` finds than `other`; both are columns of probabilities of looking.

    Rows that both look at alike cancel out, so the interval is as narrow as the policies are alike.
    """
    more, less = total(rows, pl.col(policy) - pl.col(other)), total(rows, pl.col(other) - pl.col(policy))
    return None if more is None or less is None else difference(more, less)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """One estimate less another of other rows."""
    value = one.value - other.value
    low = value - math.hypot(one.value - one.low, other.high - other.value)
    high = value + math.hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, low, high)


def wilson(share: float, rows: float) -> tuple[float, float]:
    """Wilson's interval of 95 % for a share of so many rows."""
    z = NormalDist().inv_cdf(_HIGH)
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * math.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _gamma_quantile(mean: float, variance: float, share: float) -> float:
    """The quantile of a gamma distribution by its moments, as Wilson and Hilferty (1931) approximate it."""
    if mean <= 0 or variance <= 0:
        return max(mean, 0.0)
    ninth = variance / (9 * mean**2)
    return float(mean * max(0.0, 1 - ninth + NormalDist().inv_cdf(share) * math.sqrt(ninth)) ** 3)


def _flat(figures: dict[str, Estimate | None]) -> dict[str, float | None]:
    flat: dict[str, float | None] = {}
    for name, figure in figures.items():
        value, low, high = (figure.value, figure.low, figure.high) if figure else (None, None, None)
        flat |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return flat

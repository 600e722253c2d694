"""Marginals of a simulated world beside real trade and travel: `python docs/simulation_marginals.py WORLD DATA OUT`.

WORLD is a folder that `simulate` wrote, DATA the folder with `customs/kcs`, `immigration/i94` and `crossings`;
OUT gets `simulation-trade.png` and `simulation-travel.png`. `compare` gives the numbers without pictures.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simulation.calendars import trade_factor, travel_factor

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def compare(world: Path, data: Path) -> dict[str, Pair]:
    """Simulated and real samples (or shares, ordered by size or month) by what is compared."""
    return {**_trade(world, data), **_travel(world, data)}


def distances(pairs: dict[str, Pair]) -> dict[str, float]:
    """For samples the mean gap of quantiles over the real spread (5 to 95 %); for shares half the sum of gaps."""
    found = {}
    for name, (ours, real) in pairs.items():
        if name.startswith("share of"):
            n = max(len(ours), len(real))
            a, b = (np.pad(x / x.sum(), (0, n - len(x))) for x in (ours, real))
            found[name] = float(np.abs(a - b).sum() / 2)
        else:
            at = np.linspace(0.05, 0.95, 19)
            a, b = np.quantile(ours, at), np.quantile(real, at)
            found[name] = float(np.abs(a - b).mean() / (b[-1] - b[0]))
    return found


def _trade(world: Path, data: Path) -> dict[str, Pair]:
    folder = world / "inbox" / "customs" / "declarations"
    sent = pl.concat(
        pl.read_csv(f, separator=";", encoding="latin-1", infer_schema=False) for f in sorted(folder.glob("*.csv"))
    )
    kcs = pl.read_csv(data / "customs" / "kcs" / "declarations_2020.csv", infer_schema=False)
    ours = sent.select(mass=_number("NET_KG"), value=_number("VALUE"), hs=pl.col("HS").str.slice(0, 2), origin="ORIGIN")
    real = kcs.select(
        mass=_number("Net Mass"),
        value=_number("Item Price"),
        hs=pl.col("HS6 Code").str.zfill(6).str.slice(0, 2),
        origin="Country of Origin",
    )
    both = [f.filter((pl.col("mass") > 0) & (pl.col("value") > 0)) for f in (ours, real)]

    def pair(expression: pl.Expr) -> Pair:
        a, b = (f.select(expression.alias("x"))["x"].drop_nulls().to_numpy() for f in both)
        return a, b

    price = (pl.col("value") / pl.col("mass")).log10()
    return {
        "net mass of an item (log10 kg)": pair(pl.col("mass").log10()),
        # The real prices are in another money: only their spread compares.
        "value per kg, median 1 (log10)": pair(price - price.median()),
        "share of HS chapters, by rank": (_ranked(both[0]["hs"]), _ranked(both[1]["hs"])),
        "share of origins, by rank": (_ranked(both[0]["origin"]), _ranked(both[1]["origin"])),
    }


def _travel(world: Path, data: Path) -> dict[str, Pair]:
    folder = world / "inbox" / "immigration" / "crossings"
    rows = pl.concat(pl.read_csv(f, infer_schema=False) for f in sorted(folder.glob("*.csv")))
    rows = rows.with_columns(at=pl.col("crossed_at").str.slice(0, 19).str.to_datetime(strict=False))
    guests = rows.filter(pl.col("visa_category").is_in(["VF", "C", "D"]))
    came, left = guests.filter(direction="entry"), guests.filter(direction="exit")
    stay = came.join(left, on="document_number", suffix="_out").select(
        days=(pl.col("at_out").dt.date() - pl.col("at").dt.date()).dt.total_days()
    )
    i94 = pl.concat(pl.read_parquet(f) for f in sorted((data / "immigration" / "i94").glob("*.parquet")))
    born = came["birth_date"].str.slice(0, 4).cast(pl.Int64, strict=False)
    ages = (came["at"].dt.year() - born).drop_nulls()
    real_stay = i94.select(d=pl.col("depdate") - pl.col("arrdate"))["d"].drop_nulls()
    seen = pl.read_parquet(next((data / "crossings").glob("bts*.parquet")))
    days = [date(2025, 1, 1) + timedelta(days=k) for k in range(365)]
    months = np.array([d.month for d in days])
    ours = {
        "Personal Vehicle Passengers": np.array([travel_factor(d) for d in days]),
        "Trucks": np.array([trade_factor(d) for d in days]),
    }
    found: dict[str, Pair] = {
        "stay of visitors (days)": (_between(stay["days"], 0, 120), _between(real_stay, 0, 120)),
        "age of visitors (years)": (_between(ages, 0, 100), _between(i94["i94bir"].drop_nulls(), 0, 100)),
        "share of nationalities, by rank": (_ranked(came["nationality"]), _ranked(i94["i94cit"].drop_nulls())),
    }
    for measure, factor in ours.items():
        by_month = np.array([factor[months == m].mean() for m in range(1, 13)])
        found[f"share of months, {measure.lower()}"] = (by_month, _monthly(seen, measure))
    return found


def _number(column: str) -> pl.Expr:
    return pl.col(column).str.replace(",", ".").cast(pl.Float64, strict=False)


def _monthly(seen: pl.DataFrame, measure: str) -> NDArray[np.float64]:
    month = (pl.lit("1 ") + pl.col("Date")).str.to_date("%d %b %Y").dt.month()
    rows = seen.filter(pl.col("Measure") == measure).group_by(month.alias("m")).agg(pl.col("Value").sum()).sort("m")
    sums: NDArray[np.float64] = rows["Value"].cast(pl.Float64).to_numpy()
    return sums


def _ranked(codes: pl.Series) -> NDArray[np.float64]:
    counts: NDArray[np.float64] = codes.value_counts(sort=True)["count"].cast(pl.Float64).to_numpy()[:30]
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def _between(values: pl.Series, low: float, high: float) -> NDArray[np.float64]:
    kept: NDArray[np.float64] = values.cast(pl.Float64).filter((values >= low) & (values <= high)).to_numpy()
    return kept


def draw(pairs: dict[str, Pair], path: Path) -> None:
    """One panel a marginal: the simulated filled, the real as a line."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(pairs), figsize=(3.1 * len(pairs), 2.5), layout="constrained")
    for axis, (name, (ours, real)) in zip(axes, pairs.items(), strict=True):
        if name.startswith("share of"):
            axis.bar(np.arange(1, len(ours) + 1), ours / ours.sum(), color="#9db8d2", label="simulated")
            axis.plot(np.arange(1, len(real) + 1), real / real.sum(), color="#b5442f", label="real")
        else:
            low, high = np.quantile(np.concatenate([ours, real]), [0.005, 0.995])
            bins = np.linspace(low, high, 40).tolist()
            axis.hist(ours, bins=bins, density=True, color="#9db8d2", label="simulated")
            axis.hist(real, bins=bins, density=True, histtype="step", color="#b5442f", label="real")
        axis.set_title(name, fontsize=8)
        axis.tick_params(labelsize=7)
        axis.set_yticks([])
    axes[0].legend(fontsize=7, frameon=False)
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    world, data, out = (Path(a) for a in sys.argv[1:4])
    trade, travel = _trade(world, data), _travel(world, data)
    draw(trade, out / "simulation-trade.png")
    draw(travel, out / "simulation-travel.png")
    for name, distance in distances({**trade, **travel}).items():
        print(f"{name}: {distance:.3f}")

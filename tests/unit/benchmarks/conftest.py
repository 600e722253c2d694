"""Tiny extracts in the layouts of the public ones, with a signal that can be learnt."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks import malformed, measure, questioned, shipments, tamper, trials
from benchmarks.harness import Settings

PATIENCE_S = 600.0
"""A machine that is busy with something else is no fault of a child's."""
FIRST_ARRIVAL = date(2016, 4, 1)


def declarations(rows: int, seed: int, first: int = 0, day: str = "2020-03-01") -> pl.DataFrame:
    """Lines in the layout of the Korea Customs Service; goods of chapter 61 are irregular far more often."""
    generator = np.random.default_rng(seed)
    hs6 = generator.choice([610910, 620342, 640399, 851712], rows)
    fraud = (generator.random(rows) < np.where(hs6 == 610910, 0.6, 0.1)).astype(int)
    code = generator.choice(["10", "20"], rows)
    return pl.DataFrame(
        {
            "Declaration ID": [str(97_000_000 + first + i) for i in range(rows)],
            "Date": [day] * rows,
            "Office ID": generator.choice(["13", "40"], rows),
            "Process Type": generator.choice(["B", "C"], rows),
            "Import Type": code,
            "Import Use": ["21"] * rows,
            "Payment Type": ["11"] * rows,
            "Mode of Transport": code,
            "Declarant ID": ["D1"] * rows,
            "Importer ID": ["I1"] * rows,
            "Seller ID": ["S1"] * rows,
            "Courier ID": ["C1"] * rows,
            "HS6 Code": hs6,
            "Country of Departure": generator.choice(["CN", "VN", "US"], rows),
            "Country of Origin": generator.choice(["CN", "VN", "US"], rows),
            "Tax Rate": generator.choice([0.0, 8.0], rows),
            "Tax Type": generator.choice(["A", "FCN1"], rows),
            "Country of Origin Indicator": ["G"] * rows,
            "Net Mass": generator.integers(1, 400, rows) / 10,
            "Item Price": generator.integers(1_000, 900_000, rows),
            "Fraud": fraud,
            "Critical Fraud": fraud,
        }
    )


def arrivals(rows: int, seed: int, days: int) -> pl.DataFrame:
    """Lines in the layout of the I-94 arrivals; those of country 245 overstay far more often."""
    generator = np.random.default_rng(seed)
    day = generator.integers(0, days, rows)
    arrived = (FIRST_ARRIVAL - date(1960, 1, 1)).days + day
    country = generator.choice([111, 135, 209, 245], rows)
    late = generator.random(rows) < np.where(country == 245, 0.5, 0.05)
    until = pl.Series(arrived + 90).cast(pl.Int64)
    granted = pl.select((pl.lit(date(1960, 1, 1)) + pl.duration(days=until)).dt.strftime("%m%d%Y").alias("until"))[
        "until"
    ]
    text = pl.Series(generator.choice(["AA", "KE"], rows))
    return pl.DataFrame(
        {
            "cicid": pl.Series(range(1, rows + 1), dtype=pl.Float64),
            "i94yr": [2016.0] * rows,
            "i94mon": [4.0] * rows,
            "i94cit": country.astype(float),
            "i94res": country.astype(float),
            "i94port": generator.choice(["NYC", "MIA", "HHW"], rows),
            "arrdate": arrived.astype(float),
            "i94mode": generator.choice([1.0, 1.0, 1.0, 2.0], rows),
            "i94addr": generator.choice(["NY", "FL"], rows),
            "depdate": pl.Series(np.where(late, np.nan, arrived + 10.0), nan_to_null=True),
            "i94bir": generator.integers(1, 80, rows).astype(float),
            "i94visa": generator.choice([1.0, 2.0], rows),
            "dtadfile": ["20160401"] * rows,
            "visapost": ["SEO"] * rows,
            "occup": pl.Series([None] * rows, dtype=pl.String),
            "entdepa": generator.choice(["G", "O"], rows),
            "entdepd": ["O"] * rows,
            "entdepu": pl.Series([None] * rows, dtype=pl.String),
            "matflag": ["M"] * rows,
            "biryear": generator.integers(1940, 2015, rows).astype(float),
            "dtaddto": granted,
            "gender": generator.choice(["M", "F"], rows),
            "insnum": pl.Series([None] * rows, dtype=pl.String),
            "airline": text,
            "fltno": generator.choice(["00012", "12", "7"], rows),
            "visatype": generator.choice(["WT", "B2"], rows),
        }
    )


@pytest.fixture(scope="session")
def kcs_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A training year and a test quarter that repeats some of its goods."""
    folder = tmp_path_factory.mktemp("kcs")
    year = declarations(500, seed=1)
    fresh = declarations(150, seed=2, first=10_000, day="2021-02-01")
    again = year.head(100).with_columns(pl.col("Declaration ID").cast(pl.Int64).add(20_000).cast(pl.String))
    year.write_csv(folder / "year.csv")
    pl.concat([fresh, again]).write_csv(folder / "quarter.csv")
    return folder / "year.csv", folder / "quarter.csv"


@pytest.fixture(scope="session")
def i94_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight days of arrivals in two files, and a text file that is none."""
    folder = tmp_path_factory.mktemp("i94")
    rows = arrivals(4_000, seed=3, days=8)
    rows.head(2_500).write_parquet(folder / "first.parquet")
    rows.tail(1_500).write_parquet(folder / "second.parquet")
    (folder / "codes.txt").write_text("explains codes\n")
    return folder


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that are asked have the time that they need."""
    monkeypatch.setattr(questioned, "_START_LIMIT_S", PATIENCE_S)
    for module in (malformed, tamper):
        monkeypatch.setattr(module, "_LIMIT_S", PATIENCE_S)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of a few bootstrap draws: how they are drawn is tested on its own."""
    quick = functools.partial(measure.measure, draws=20)
    for module in (measure, shipments):
        monkeypatch.setattr(module, "measure", quick)


@pytest.fixture
def trials_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials run in this process: a child takes seconds to import what it needs. Those of landing have their own."""

    def run(module: str, side: str, settings: Settings, folder: Path, command: None) -> Mapping[str, float]:
        return trials.trial(import_module(f"benchmarks.{module}").SIDES[side], settings, folder)

    monkeypatch.setattr(trials, "_run", run)

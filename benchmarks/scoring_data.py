"""Goods items that never were, for `bench scoring`: their vectors as the lake holds them, and a model that learnt from
others like them. Values are drawn by the unit of the feature; what matters here is how many there are, not what they
say."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from features import vectors
from models.shipment_risk import SHIPMENT_RISK
from models.spec import ModelSpec
from models.training import Bundle, Model, train
from warehouse import catalog
from warehouse.catalog import table_of
from warehouse.delta import Lake

SUBJECT = vectors.subject_of(SHIPMENT_RISK.subject)
ROWS_A_DAY = 50_000
FIRST = date(2025, 3, 1)
LEARNT_FROM = 12_000
JURISDICTION = "XB"

_COUNTS = (
    "items",
    "days",
    "importers",
    "declarants",
    "chapters",
    "detections",
    "readings",
    "sites",
    "plots",
    "silences",
)
_KINDS = {"office": 12, "hs2": 90, "country_of_origin": 60, "country_of_dispatch": 60}
_KINDS_OF_OTHERS = 6
_MISSING = 0.1


@dataclass(frozen=True)
class Goods:
    """So many goods items, `ROWS_A_DAY` a day."""

    rows: int
    seed: int

    @property
    def days(self) -> list[date]:
        return [FIRST + timedelta(days=n) for n in range(-(-self.rows // ROWS_A_DAY))]

    def fill(self, lake: Lake) -> None:
        """Write the items and their vectors, a commit a day."""
        names = vectors.feature_set(SUBJECT.registry)
        for frame in self._by_day():
            lake.append(catalog.SHIPMENTS, _as_silver(frame))
            lake.append(table_of("gold.event_features__shipments"), vectors.pack(frame, names))

    def _by_day(self) -> Iterator[pl.DataFrame]:
        for at, day in enumerate(self.days):
            yield drawn(min(ROWS_A_DAY, self.rows - at * ROWS_A_DAY), day, self.seed)


def drawn(rows: int, day: date, seed: int) -> pl.DataFrame:
    """Items of one day with their location, context and one column a feature."""
    draw = np.random.default_rng([seed, day.toordinal()])
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    seconds = np.sort(draw.integers(0, 86_400, rows))
    events = pl.DataFrame(
        {
            "event_id": [f"{part:032x}" for part in draw.integers(0, 2**62, rows)],
            "event_version": np.ones(rows, np.int64),
            "seconds": seconds,
        }
    ).select(
        "event_id",
        "event_version",
        event_at=(pl.lit(midnight) + pl.duration(seconds="seconds")).cast(pl.Datetime("us", "UTC")),
        event_date=pl.lit(day),
        received_on=pl.lit(day),
        jurisdiction=pl.lit(JURISDICTION),
    )
    features = {
        one.name: _column(one.name, one.unit, one.is_category, rows, draw) for one in SUBJECT.registry.features.values()
    }
    tail = pl.Series("tail", draw.integers(0, 20, rows)).cast(pl.String).str.zfill(4)
    return events.with_columns(**features).with_columns(
        location="office", hs_code=pl.col("hs2") + tail, hs4=pl.col("hs2") + tail.str.slice(0, 2)
    )


def _column(name: str, unit: str, is_category: bool, rows: int, draw: np.random.Generator) -> pl.Series:
    if is_category:
        codes = draw.integers(10, 10 + _KINDS.get(name, _KINDS_OF_OTHERS), rows)
        return pl.Series(name, codes).cast(pl.String)
    if unit in _COUNTS:
        return pl.Series(name, np.floor(draw.lognormal(1.5, 1.0, rows)))
    values = pl.Series(name, draw.normal(1.0, 1.0, rows))
    return values.scatter(np.flatnonzero(draw.random(rows) < _MISSING), None)


def _as_silver(items: pl.DataFrame) -> pl.DataFrame:
    """Items in the shape of `silver.shipments`; what no feature path reads is missing."""
    held = [name for name in items.columns if name in catalog.SHIPMENTS.dtypes]
    return pl.concat([catalog.SHIPMENTS.empty(), items.select(held)], how="diagonal_relaxed")


def learn(trees: int, seed: int) -> Model:
    """A model of at most `trees` trees; the outcome follows every number a little, so that boosting goes on."""
    spec = replace(SHIPMENT_RISK, rounds=trees, patience=trees, seed=seed)
    return train(spec, _labelled(spec, seed)).model


def _labelled(spec: ModelSpec, seed: int) -> pl.DataFrame:
    days = [FIRST - timedelta(days=n) for n in range(60, 0, -1)]
    items = pl.concat([drawn(LEARNT_FROM // len(days), day, seed + 1) for day in days])
    draw = np.random.default_rng([seed, 2])
    numbers = items.select(
        pl.col(spec.features()[0].name, *(one.name for one in spec.features() if not one.is_category))
    )
    standard = numbers.select(((pl.all() - pl.all().mean()) / pl.all().std()).fill_null(0.0)).to_numpy()
    log_odds = standard @ draw.normal(0.0, 0.25, standard.shape[1]) - 1.5
    return items.with_columns(
        is_adverse=pl.Series(draw.random(items.height) < 1 / (1 + np.exp(-log_odds))),
        selection=pl.lit("random"),
        selection_probability=pl.lit(None, dtype=pl.Float64),
        label_known_at=pl.col("event_at"),
    )


def keep(model: Model, folder: Path) -> None:
    """The model as two files."""
    (folder / "model.txt").write_text(model.text, encoding="utf-8")
    (folder / "bundle.json").write_text(model.bundle.to_json(), encoding="utf-8")


def kept(folder: Path) -> Model:
    """The model that `keep` wrote."""
    bundle = Bundle.from_json((folder / "bundle.json").read_text("utf-8"))
    return Model((folder / "model.txt").read_text("utf-8"), bundle)

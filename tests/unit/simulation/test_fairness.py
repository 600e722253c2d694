"""Nothing but behaviour gives an illicit event away: a model of form alone stays at chance."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from simulation.randomness import Bools, Floats

_FILES = {
    "shipments": ("customs", "declarations", "*.csv", ";", ["DECL_NO", "ITEM_NO"]),
    "crossings": ("immigration", "crossings", "*.csv", ",", ["crossing_id"]),
}
_KEYS = {"shipments": ["declaration_number", "item_number"], "crossings": ["crossing_id"]}


def form_of(world: Path, table: str) -> tuple[Floats, Bools]:
    """What a row looks like without what it says: id digits, place in the file, file, seconds, quoting and lengths."""
    agency, dataset, pattern, separator, keys = _FILES[table]
    truth = pl.read_parquet(world / "truth" / f"{table}.parquet")
    illicit = dict(zip(truth.select(_KEYS[table]).cast(pl.String).rows(), truth["is_illicit"], strict=True))
    rows, labels = [], []
    for number, path in enumerate(sorted((world / "inbox" / agency / dataset).glob(pattern))):
        head, *lines = path.read_text(encoding="latin-1").removesuffix("\n").split("\n")
        places = [head.split(separator).index(k) for k in keys]
        for place, line in enumerate(lines):
            key = tuple(line.split(separator)[i] for i in places)
            digits = re.sub(r"\D", "", key[0])
            second = re.search(r":(\d\d)[;+]", line)
            place_and_id = [
                number % 7,
                place,
                place / len(lines),
                int(digits[-7:]),
                int(digits[-1]),
                int(digits[-3:]) % 97,
            ]
            form = [int(second[1]) if second else -1, line.count('"'), line.count(" "), line.count(",0" + separator)]
            rows.append([*place_and_id, *form])
            labels.append(illicit[key])
    return np.array(rows, dtype=np.float64), np.array(labels, dtype=bool)


@pytest.mark.parametrize("table", ["shipments", "crossings"])
def test_form_alone_stays_at_chance(world_dir: Path, table: str) -> None:
    form, illicit = form_of(world_dir, table)
    half = len(form) // 2
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, random_state=0)
    score = model.fit(form[:half], illicit[:half]).predict_proba(form[half:])[:, 1]
    ranks, bad = pl.Series(score).rank().to_numpy(), illicit[half:]
    auc = (ranks[bad].sum() - bad.sum() * (bad.sum() + 1) / 2) / (bad.sum() * (~bad).sum())
    assert abs(auc - 0.5) < 4 * 0.29 / np.sqrt(bad.sum())


def test_the_microseconds_of_sightings_tell_no_ring(world_dir: Path) -> None:
    entities = pl.read_parquet(world_dir / "truth" / "entities.parquet")
    ring = set(entities.filter(pl.col("entity_kind").is_in(["truck", "car"]))["id"])
    folder = world_dir / "inbox" / "surveillance" / "vehicle_sightings"
    seen = pl.concat(pl.read_parquet(f, columns=["plate", "seen_at", "sighting_id"]) for f in folder.glob("*.parquet"))
    inside = seen["plate"].is_in(list(ring)).to_numpy()
    for signal in (seen["seen_at"].dt.microsecond(), seen["sighting_id"].str.slice(-2).cast(pl.Int64)):
        mean, spread = signal.to_numpy()[inside].mean(), signal.std()
        assert abs(mean - signal.mean()) < 4 * spread / np.sqrt(inside.sum())  # type: ignore[operator]

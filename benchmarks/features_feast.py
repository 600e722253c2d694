"""Feast against `bench features`: values that are already computed, laid out for its historical retrieval.

Feast computes no windows; it finds, point in time, values that something else has computed. It gets ours, a table an
entity with a row an event, and retrieves them for the same events (`features_feast_side`); ours is timed computing them
from nothing. Where several events of an entity share an instant, one is kept: Feast gives one of them. Events whose
key is missing are left out.

Feast's requirements are not ours, so that it has an environment of its own:

    uv venv feast && uv pip install --python feast/bin/python "feast[duckdb]"
    borderlake bench features --feast feast/bin/python

Its DuckDB store joins an entity's events with all its rows, its default store (Dask) holds that join as a frame as
well: of 20,000 events the first took 9 s of processor time, the second 46 s (0.67.0). The first is used where it is
installed.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.features_duckdb import VALUES
from benchmarks.features_sides import EVENT_AT
from benchmarks.features_views import NAMES, VIEWS
from warehouse.errors import BorderlakeError

FEAST = "feast"
ROWS = 20_000
_AT = "event_timestamp"
_SIDE = Path(__file__).with_name("features_feast_side.py")
_MADE_BY = 'uv venv feast && uv pip install --python feast/bin/python "feast[duckdb]"'
_ASKED = (
    "from importlib import metadata, util; "
    "print(metadata.version('feast'), 'duckdb' if util.find_spec('ibis') else 'dask')"
)


@dataclass(frozen=True)
class Feast:
    """An installation of Feast, and of how many rows it retrieves."""

    python: Path
    version: str
    store: str
    rows: int

    @staticmethod
    def found(python: Path, rows: int = ROWS) -> "Feast":
        """The Feast of an environment's interpreter; raises `BorderlakeError` where there is none."""
        try:
            done = subprocess.run([python, "-I", "-c", _ASKED], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise BorderlakeError(f"{python} does not run Feast; make it an environment: {_MADE_BY}") from error
        version, store = done.stdout.split()
        return Feast(python, version, store, rows)

    @property
    def command(self) -> list[str]:
        """What starts its side, which must not see our modules."""
        return [str(self.python), "-I", str(_SIDE)]

    def settings(self, tables: Path) -> Mapping[str, str]:
        """What its side must know."""
        return {"tables": str(tables), "store": self.store}


def lay_out(file: Path, ours: Path, tables: Path) -> int:
    """Write a table a view, the events to retrieve, and what is to be found; gives the number of events."""
    tables.mkdir()
    kept = pl.read_parquet(file).join(pl.read_parquet(ours), on="row")
    for view in VIEWS:
        kept = kept.drop_nulls(list(view.entity)).unique([*view.entity, EVENT_AT], keep="first", maintain_order=True)
    kept.select("row", *NAMES).write_parquet(tables / VALUES)
    kept = kept.rename({EVENT_AT: _AT})
    views = {}
    for view in VIEWS:
        features = [aggregation.name for aggregation in view.aggregations]
        views[view.name] = {"keys": list(view.entity), "features": features}
        kept.select(*view.entity, _AT, *features).write_parquet(tables / f"{view.name}.parquet")
    keys = dict.fromkeys(key for view in VIEWS for key in view.entity)
    kept.select("row", *keys, _AT).write_parquet(tables / "events.parquet")
    (tables / "views.json").write_text(json.dumps(views), encoding="utf-8")
    return kept.height

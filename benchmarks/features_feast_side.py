"""Feast's side of `bench features`: a program of its own, run by the interpreter of an environment that has Feast.

It imports nothing of ours, and is given what every trial is given: a folder and the settings as JSON. Feast gets tables
of values that are already computed, one feature view an entity, and finds for each event the last row of each before
it. Declaring and registering the views is not timed; reading the events, the retrieval and the frame it gives are.
"""

import json
import os
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

os.environ["FEAST_USAGE"] = "False"

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

AT = "event_timestamp"


def _store(folder: Path, kind: str) -> FeatureStore:
    return FeatureStore(
        config=RepoConfig(
            project="bench",
            provider="local",
            registry=str(folder / "registry.db"),
            offline_store={"type": kind},
            online_store=None,
            entity_key_serialization_version=3,
        )
    )


def _register(store: FeatureStore, tables: Path, views: dict[str, dict[str, list[str]]]) -> list[str]:
    """Declare a view a table; gives the names by which its features are asked for."""
    entities = {
        key: Entity(name=key, join_keys=[key], value_type=ValueType.STRING)
        for view in views.values()
        for key in view["keys"]
    }
    declared = [
        FeatureView(
            name=name,
            entities=[entities[key] for key in view["keys"]],
            ttl=timedelta(0),
            schema=[Field(name=feature, dtype=Float64) for feature in view["features"]],
            source=FileSource(path=str(tables / f"{name}.parquet"), timestamp_field=AT),
            online=False,
        )
        for name, view in views.items()
    ]
    store.apply([*entities.values(), *declared])
    return [f"{name}:{feature}" for name, view in views.items() for feature in view["features"]]


def _peak_rss_mb() -> float:
    """Most memory of this process itself; `getrusage` also counts what the parent held when it started us."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Retrieve, write the values for the comparison, print the figures."""
    folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    tables = Path(settings["tables"])
    views = json.loads((tables / "views.json").read_text("utf-8"))
    store = _store(folder, settings["store"])
    features = _register(store, tables, views)
    began, cpu_before = time.perf_counter(), _cpu_s()
    values = store.get_historical_features(pd.read_parquet(tables / "events.parquet"), features).to_df()
    figures = {"wall_s": time.perf_counter() - began, "cpu_s": _cpu_s() - cpu_before, "peak_rss_mb": _peak_rss_mb()}
    values.drop(columns=[AT]).to_parquet(folder / "values.parquet")
    print(json.dumps({"values": len(values) * len(features), **figures}))


if __name__ == "__main__":
    main()

"""Sides of `bench growth`: the same day on top of a short past and of a long one, each a lake of its own."""

import os
import shutil
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from benchmarks.harness import Settings
from benchmarks.trials import Side, Usage

SHORT, LONG = "short", "long"
BUILD = {SHORT: "build_short", LONG: "build_long"}
VALUES = "values.parquet"


def _build(which: str) -> Side:
    def build(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
        """The past, by the backfill."""
        from benchmarks.growth_days import LAST, VIEWS, Goods
        from pipelines.rolling import Rolling
        from warehouse.delta import Lake

        goods = Goods(int(settings["events_a_day"]), int(settings["entities"]), int(settings["seed"]))
        first = LAST - timedelta(days=int(settings[f"{which}_days"]))
        with usage:
            Rolling(Lake(str(folder / "lake")), VIEWS).backfill(LAST, goods.parts(first, LAST - timedelta(days=1)))
        return {}

    return build


def _advance(which: str) -> Side:
    def advance(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
        """One day, its tables read and written; the lake of the past stays as it is for the next trial."""
        import polars as pl

        from benchmarks.growth_days import LAST, SOURCE, VIEWS, Goods
        from features.tiles import midnight
        from features.windows import BEGAN_AT
        from pipelines.rolling import STATES, TILES, Rolling
        from warehouse.delta import Lake

        goods = Goods(int(settings["events_a_day"]), int(settings["entities"]), int(settings["seed"]))
        first = LAST - timedelta(days=int(settings[f"{which}_days"]))
        built = Path(str(settings["lakes"])) / BUILD[which] / "lake"
        shutil.copytree(built, folder / "lake", copy_function=_linked)
        events = goods.events(LAST)
        rows = {SOURCE: goods.day(LAST).filter(pl.col(BEGAN_AT) >= midnight(first))}
        lake = Lake(str(folder / "lake"))
        began_s = time.process_time()
        with usage:
            values = Rolling(lake, VIEWS).advance(LAST, events, rows)
        cpu_s = time.process_time() - began_s
        values.write_parquet(folder / VALUES)
        return {
            "cpu_s": cpu_s,
            "rows_of_day": rows[SOURCE].height,
            "rows_of_tiles": lake.size(TILES)[0],
            "rows_of_state": lake.scan(STATES).filter(pl.col("day") > LAST).select(pl.len()).collect().item(),
        }

    return advance


def _linked(source: str, target: str) -> None:
    """Data files are never changed: a second name is enough. All else is copied."""
    if source.endswith(".parquet"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


SIDES: dict[str, Side] = {
    **{BUILD[which]: _build(which) for which in (SHORT, LONG)},
    **{which: _advance(which) for which in (SHORT, LONG)},
}

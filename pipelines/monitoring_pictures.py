"""The picture of a monitoring check: each figure by day, and the band in which it usually lies."""

import dagster as dg
import polars as pl

from models.pictures import BLUE, GREY, ORANGE
from pipelines.pictures import by_day, embedded, panels

_PANELS = 6


def against_usual(rows: pl.DataFrame, title: str) -> dg.MarkdownMetadataValue:
    """A panel for each of the first figures and features of `rows`, by `monitored_on`."""
    parts = rows.partition_by("figure", "feature", maintain_order=True, as_dict=True)
    named = list(parts.items())[:_PANELS]
    every_day = rows["monitored_on"].unique().sort().to_list()
    drawn = panels(len(named), width=7.0, height=0.8 + 1.5 * len(named), left=0.8, bottom=0.6, top=0.7)
    for axes, ((kind, feature), part) in zip(drawn, named, strict=True):
        known = part.sort("monitored_on")
        days, values = known["monitored_on"].to_list(), known["value"].to_list()
        odd = known.filter("is_alert")
        banded = known.drop_nulls("high")
        bounds = (banded["low"].fill_null(0.0).to_list(), banded["high"].to_list())
        axes.fill_between(banded["monitored_on"].to_list(), *bounds, color=GREY, alpha=0.35, linewidth=0, label="usual")
        axes.plot(days, values, color=BLUE, marker=".", linewidth=1, label="measured")
        axes.plot(odd["monitored_on"].to_list(), odd["value"].to_list(), "X", color=ORANGE, label="alert")
        axes.set_title(f"{kind}: {feature}" if feature else str(kind), loc="left", fontsize="small", y=1.0)
        axes.set_ylim(bottom=0)
    return embedded(by_day(drawn, every_day, title), f"{title}: each figure by day against what is usual")

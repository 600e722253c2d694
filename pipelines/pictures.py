"""Pictures for asset pages: figures as embedded PNG in Markdown, which the Dagster UI shows in place."""

import base64
import io
from collections.abc import Mapping, Sequence

import dagster as dg
import polars as pl
from matplotlib.figure import Figure

from models.pictures import BLUE, GREY, ORANGE
from warehouse.feeds import ALARMS

LANE_COLOURS = {"red": "#b3362b", "yellow": "#e0b01f", "blue": "#2f5d8a", "green": "#4c8c4a"}
_DPI = 80


def embedded(figure: Figure, alt: str) -> dg.MarkdownMetadataValue:
    """A figure as Markdown with the picture inside."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{encoded})")


def volumes(by_day: pl.DataFrame, title: str) -> dg.MarkdownMetadataValue:
    """Rows landed and refused by day of delivery; columns `received_on`, `landed`, `refused`."""
    figure = Figure(figsize=(7.0, 2.8), layout="constrained")
    axes = figure.subplots()
    ordered = by_day.sort("received_on")
    days = ordered["received_on"].to_list()
    axes.bar(days, ordered["landed"], color=BLUE, width=0.9, label="landed")
    axes.bar(days, ordered["refused"], bottom=ordered["landed"], color=ORANGE, width=0.9, label="refused")
    axes.set(ylabel="rows a day", xlabel="day of delivery (UTC)")
    axes.set_title(title, loc="left")
    axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    figure.autofmt_xdate()
    return embedded(figure, f"{title}: rows by day of delivery")


def feeds(by_day: pl.DataFrame, title: str) -> dg.MarkdownMetadataValue:
    """Rows a day of each agency, the usual band, and what lies outside it; `by_day` is findings of volume."""
    agencies = by_day["source_agency"].unique().sort().to_list()
    figure = Figure(figsize=(7.0, 0.6 + 1.9 * len(agencies)), layout="constrained")
    panels = figure.subplots(len(agencies), sharex=True, squeeze=False)[:, 0]
    for axes, agency in zip(panels, agencies, strict=True):
        mine = by_day.filter(pl.col("source_agency") == agency).sort("day")
        banded = mine.drop_nulls("usual_high")
        odd = mine.filter(pl.col("verdict").is_in(list(ALARMS)))
        bounds = (banded["usual_low"].to_list(), banded["usual_high"].to_list())
        axes.fill_between(banded["day"].to_list(), *bounds, color=GREY, alpha=0.35, linewidth=0, label="usual")
        axes.plot(
            mine["day"].to_list(), mine["value"].to_list(), color=BLUE, marker=".", linewidth=1, label="delivered"
        )
        axes.plot(odd["day"].to_list(), odd["value"].to_list(), "X", color=ORANGE, markersize=9, label="unusual")
        axes.set(ylabel="rows a day")
        axes.set_title(agency, loc="left")
        axes.set_ylim(bottom=0)
    panels[0].legend(frameon=False, ncols=3, fontsize="small", loc="lower right", bbox_to_anchor=(1, 1))
    panels[-1].set(xlabel="day of delivery (UTC)")
    figure.suptitle(title)
    figure.autofmt_xdate()
    return embedded(figure, f"{title}: rows by day and agency against what is usual")


def counts_by_day(rows: pl.DataFrame, day: str, title: str) -> dg.MarkdownMetadataValue:
    """Rows by a day column."""
    counted = rows.group_by(day).len().rename({day: "received_on", "len": "landed"}).with_columns(refused=pl.lit(0))
    return volumes(counted, title)


def refusals(by_rule: Mapping[str, int], title: str) -> dg.MarkdownMetadataValue:
    """Refused rows by the first rule each breaks."""
    ranked = sorted(by_rule.items(), key=lambda pair: pair[1])[-12:]
    figure = Figure(figsize=(7.0, 0.8 + 0.32 * max(len(ranked), 1)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh([rule for rule, _ in ranked], [count for _, count in ranked], color=ORANGE)
    axes.bar_label(bars, padding=3)
    axes.set(title=title, xlabel="rows")
    return embedded(figure, f"{title}: refused rows by rule")


def lanes(counts: Sequence[tuple[str, int]], title: str) -> dg.MarkdownMetadataValue:
    """Events by lane."""
    figure = Figure(figsize=(5.6, 2.2), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(
        [lane for lane, _ in counts], [count for _, count in counts], color=[LANE_COLOURS[lane] for lane, _ in counts]
    )
    axes.bar_label(bars, padding=3, fmt="{:,.0f}")
    axes.invert_yaxis()
    axes.set(title=title, xlabel="events", xscale="symlog")
    return embedded(figure, f"{title}: events by lane")


def bars(shares: Mapping[str, float], title: str, unit: str) -> dg.MarkdownMetadataValue:
    """Named values as horizontal bars, largest on top."""
    ranked = sorted(shares.items(), key=lambda pair: pair[1])[-20:]
    figure = Figure(figsize=(7.0, 0.8 + 0.26 * max(len(ranked), 1)), layout="constrained")
    axes = figure.subplots()
    axes.barh([name for name, _ in ranked], [value for _, value in ranked], color=BLUE)
    axes.set(title=title, xlabel=unit)
    return embedded(figure, title)

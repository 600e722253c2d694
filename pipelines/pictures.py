"""Pictures for asset pages: figures as embedded PNG in Markdown, which the Dagster UI shows in place."""

import base64
import io
from collections.abc import Mapping, Sequence

import dagster as dg
import polars as pl
from matplotlib.figure import Figure

from models.pictures import BLUE, ORANGE

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
    axes.set(title=title, ylabel="rows")
    axes.legend(frameon=False, ncols=2)
    figure.autofmt_xdate()
    return embedded(figure, f"{title}: rows by day of delivery")


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

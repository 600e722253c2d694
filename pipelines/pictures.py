"""Pictures for asset pages: figures as embedded PNG in Markdown, which the Dagster UI shows in place.

Margins, the height of titles and the days that are named are set here: measuring every text to find them, as matplotlib
can, takes most of the time of a picture, and each asset of each run draws one.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from models.pictures import BLUE, GREY, LANE_COLOURS, ORANGE
from warehouse.feeds import ALARMS

_DPI = 80
_NAMED_DAYS = 5
_LETTER_IN = 0.085
"""The width to keep for a letter of a name, in inches."""


def embedded(figure: Figure, alt: str) -> dg.MarkdownMetadataValue:
    """A figure as Markdown with the picture inside."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{encoded})")


def volumes(by_day: pl.DataFrame, title: str) -> dg.MarkdownMetadataValue:
    """Rows landed and refused by day of delivery; columns `received_on`, `landed`, `refused`."""
    (axes,) = panels(1, width=7.0, height=2.8, left=0.8, bottom=0.6)
    every_day = _each_day(by_day)
    if every_day.height:
        landed = every_day["landed"].to_numpy()
        whole = landed + every_day["refused"].to_numpy()
        edges = _number(every_day["received_on"][0]) - 0.5 + np.arange(every_day.height + 1)
        axes.stairs(whole, edges, baseline=landed, fill=True, color=ORANGE, label="refused")
        axes.stairs(landed, edges, fill=True, color=BLUE, label="landed")
        axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), reverse=True)
    axes.set(ylabel="rows a day", xlabel="day of delivery (UTC)")
    axes.set_title(title, loc="left", y=1.0)
    _name_days(axes, every_day["received_on"].to_list())
    return embedded(_figure(axes), f"{title}: rows by day of delivery")


def feeds(findings: pl.DataFrame, title: str) -> dg.MarkdownMetadataValue:
    """Rows a day of each agency, the usual band, and what lies outside it, from findings of volume."""
    agencies = findings["source_agency"].unique().sort().to_list()
    drawn = panels(len(agencies), width=7.0, height=0.6 + 1.9 * len(agencies), left=0.8, bottom=0.6, top=0.7)
    for axes, agency in zip(drawn, agencies, strict=True):
        mine = findings.filter(pl.col("source_agency") == agency).sort("day")
        banded = mine.drop_nulls("usual_high")
        odd = mine.filter(pl.col("verdict").is_in(list(ALARMS)))
        bounds = (banded["usual_low"].to_list(), banded["usual_high"].to_list())
        axes.fill_between(banded["day"].to_list(), *bounds, color=GREY, alpha=0.35, linewidth=0, label="usual")
        axes.plot(
            mine["day"].to_list(), mine["value"].to_list(), color=BLUE, marker=".", linewidth=1, label="delivered"
        )
        axes.plot(odd["day"].to_list(), odd["value"].to_list(), "X", color=ORANGE, markersize=9, label="unusual")
        axes.set(ylabel="rows a day")
        axes.set_title(agency, loc="left", y=1.0)
        axes.set_ylim(bottom=0)
    figure = by_day(drawn, findings["day"].unique().sort().to_list(), title)
    return embedded(figure, f"{title}: rows by day and agency against what is usual")


def counts_by_day(rows: pl.DataFrame, day: str, title: str) -> dg.MarkdownMetadataValue:
    """Rows by a day column."""
    counted = rows.group_by(day).len().rename({day: "received_on", "len": "landed"}).with_columns(refused=pl.lit(0))
    return volumes(counted, title)


def refusals(by_rule: Mapping[str, int], title: str) -> dg.MarkdownMetadataValue:
    """Refused rows by the first rule each breaks."""
    ranked = sorted(by_rule.items(), key=lambda pair: pair[1])[-12:]
    axes, drawn = _named_bars(ranked, ORANGE, title, row_in=0.32)
    axes.bar_label(drawn, padding=3)
    axes.margins(x=0.15)
    axes.set(xlabel="rows")
    return embedded(_figure(axes), f"{title}: refused rows by rule")


def lanes(counts: Sequence[tuple[str, int]], title: str) -> dg.MarkdownMetadataValue:
    """Events by lane."""
    axes, drawn = _named_bars(counts, [LANE_COLOURS[lane] for lane, _ in counts], title, row_in=0.3)
    axes.bar_label(drawn, padding=3, fmt="{:,.0f}")
    axes.invert_yaxis()
    axes.set(xlabel="events", xscale="symlog")
    axes.margins(x=0.15)
    return embedded(_figure(axes), f"{title}: events by lane")


def bars(shares: Mapping[str, float], title: str, unit: str) -> dg.MarkdownMetadataValue:
    """Named values as horizontal bars, largest on top."""
    ranked = sorted(shares.items(), key=lambda pair: pair[1])[-20:]
    axes, _ = _named_bars(ranked, BLUE, title, row_in=0.26)
    axes.set(xlabel=unit)
    return embedded(_figure(axes), title)


def panels(count: int, *, width: float, height: float, left: float, bottom: float, top: float = 0.4) -> Sequence[Axes]:
    """Axes one above the other on one figure; lengths in inches."""
    margins = {"left": left / width, "right": 1 - 0.15 / width, "bottom": bottom / height, "top": 1 - top / height}
    figure = Figure(figsize=(width, height))
    return list(figure.subplots(count, sharex=True, squeeze=False, gridspec_kw={**margins, "hspace": 0.35})[:, 0])


def by_day(drawn: Sequence[Axes], days: Sequence[date], title: str) -> Figure:
    """The figure of panels that share their days: its title, one legend, and days named below the last panel."""
    _name_days(drawn[-1], days)
    for axes in drawn[:-1]:
        axes.tick_params(labelbottom=False)
    drawn[0].legend(frameon=False, ncols=3, fontsize="small", loc="lower right", bbox_to_anchor=(1, 1))
    drawn[-1].set(xlabel="day of delivery (UTC)")
    figure = _figure(drawn[0])
    figure.suptitle(title)
    return figure


def _figure(axes: Axes) -> Figure:
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    return figure


def _named_bars(
    rows: Sequence[tuple[str, float]], colour: str | Sequence[str], title: str, *, row_in: float
) -> tuple[Axes, BarContainer]:
    """Horizontal bars, from the bottom up, with room for the longest name."""
    left = 0.2 + _LETTER_IN * max((len(name) for name, _ in rows), default=0)
    (axes,) = panels(1, width=left + 4.8, height=0.9 + row_in * max(len(rows), 1), left=left, bottom=0.5)
    axes.set_title(title, y=1.0)
    return axes, axes.barh([name for name, _ in rows], [value for _, value in rows], color=colour)


def _each_day(by_day: pl.DataFrame) -> pl.DataFrame:
    """A row a day from the first to the last; nothing came on those that are missing."""
    if by_day.is_empty():
        return by_day
    return by_day.sort("received_on").upsample("received_on", every="1d").fill_null(0)


def _name_days(axes: Axes, days: Sequence[date]) -> None:
    """Name at most five days, as far from each other."""
    named = days[:: -(-len(days) // _NAMED_DAYS) or 1]
    axes.set_xticks([_number(day) for day in named], [f"{day:%d %b %Y}" for day in named])


def _number(day: date) -> int:
    """Where matplotlib draws a day."""
    return (day - date(1970, 1, 1)).days
